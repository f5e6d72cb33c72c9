import { z } from 'zod';
import type { ListRequest } from '../cloud/cloud.ts';
import type { FactSource } from '../engine/fact.ts';
import { type FactResult, mapFact, observed } from '../engine/fact.ts';
import { ok } from '../engine/result.ts';
import { agents } from './cloud-api.ts';
import { type Io, type Store, source } from './io.ts';
import {
  type Agent,
  type ApiSecurityGroup,
  agent,
  type FloatingIp,
  floatingIp,
  type Network,
  network,
  type Port,
  type PortBinding,
  port,
  portBinding,
  type Router,
  router,
  type Subnet,
  securityGroup,
  subnet,
} from './schemas/network.ts';
import { type PortSubject, theCloud } from './subject.ts';

const byId = (subject: PortSubject): string => subject.id;
const itself = (id: string): string => id;

/** Ports that metadata is served at, one of a network, on every host at once (neutron_lib DEVICE_OWNER_DISTRIBUTED). */
export const metadataPorts = (around: readonly Port[]): readonly Port[] =>
  around.filter((p) => p.device_owner === 'network:distributed');

/** The Neutron port as it was listed. */
export const portItself = source<PortSubject, Port>('port', byId, async (subject) => ({
  ok: true,
  value: subject.port,
}));

async function listed<T>(facts: Store, request: Omit<ListRequest<T>, 'service'>): Promise<FactResult<readonly T[]>> {
  const answer = await facts.io.cloud.list({ service: 'network', ...request });
  return answer.ok ? observed(answer.value.value, answer.value.evidence) : answer;
}

export const networkById = source<string, Network>('network', itself, async (id, facts) => {
  const answer = await facts.io.cloud.get({
    service: 'network',
    path: `/networks/${encodeURIComponent(id)}`,
    schema: z.looseObject({ network }),
  });
  return answer.ok ? observed(answer.value.value.network, answer.value.evidence) : answer;
});

export const subnetsOf = source<string, readonly Subnet[]>('network.subnets', itself, (id, facts) =>
  listed(facts, { path: '/subnets', query: { network_id: id }, items: 'subnets', schema: subnet }),
);

/** Ports of the network that belong to Neutron itself: DHCP, router interfaces, metadata. */
export const servicePortsOf = source<string, readonly Port[]>('network.service-ports', itself, (id, facts) =>
  listed(facts, {
    path: '/ports',
    query: {
      network_id: id,
      device_owner: [
        'network:dhcp',
        'network:router_interface',
        'network:ha_router_replicated_interface',
        'network:router_interface_distributed',
        'network:distributed',
      ],
    },
    items: 'ports',
    schema: port,
  }),
);

const dhcpAgentsOf = source<string, readonly Agent[]>('network.dhcp-agents', itself, (id, facts) =>
  listed(facts, { path: `/networks/${encodeURIComponent(id)}/dhcp-agents`, items: 'agents', schema: agent }),
);

export const routerById = source<string, Router>('router', itself, async (id, facts) => {
  const answer = await facts.io.cloud.get({
    service: 'network',
    path: `/routers/${encodeURIComponent(id)}`,
    schema: z.looseObject({ router }),
  });
  return answer.ok ? observed(answer.value.value.router, answer.value.evidence) : answer;
});

const l3AgentsOf = source<string, readonly Agent[]>('router.l3-agents', itself, (id, facts) =>
  listed(facts, { path: `/routers/${encodeURIComponent(id)}/l3-agents`, items: 'agents', schema: agent }),
);

export const routerPortsOf = source<string, readonly Port[]>('router.ports', itself, (id, facts) =>
  listed(facts, { path: '/ports', query: { device_id: id }, items: 'ports', schema: port }),
);

/** The same fact, asked through the port's network. */
const ofNetwork = <T>(name: string, inner: FactSource<Io, string, T>): FactSource<Io, PortSubject, T> =>
  source(name, byId, (subject, facts) => facts.get(inner, subject.port.value.network_id));

export const portNetwork = ofNetwork('port.network', networkById);
export const portSubnets = ofNetwork('port.subnets', subnetsOf);
export const servicePorts = ofNetwork('port.service-ports', servicePortsOf);
export const dhcpAgents = ofNetwork('port.dhcp-agents', dhcpAgentsOf);

export const portBindings = source<PortSubject, readonly PortBinding[]>('port.bindings', byId, (subject, facts) =>
  listed(facts, {
    path: `/ports/${encodeURIComponent(subject.id)}/bindings`,
    items: 'bindings',
    schema: portBinding,
  }),
);

export const floatingIps = source<PortSubject, readonly FloatingIp[]>('port.floating-ips', byId, (subject, facts) =>
  listed(facts, {
    path: '/floatingips',
    query: { port_id: subject.id },
    items: 'floatingips',
    schema: floatingIp,
  }),
);

export const securityGroups = source<PortSubject, readonly ApiSecurityGroup[]>(
  'port.security-groups',
  byId,
  async (subject, facts) => {
    const ids = subject.port.value.security_groups ?? [];
    if (ids.length === 0) return observed([], ...subject.port.evidence);
    return listed(facts, {
      path: '/security-groups',
      query: { id: ids },
      items: 'security_groups',
      schema: securityGroup,
    });
  },
);

/** The ports of the groups that this port's rules name as remote, by group. */
export const remoteMemberPorts = source<PortSubject, ReadonlyMap<string, readonly Port[]>>(
  'port.remote-member-ports',
  byId,
  async (subject, facts) => {
    const groups = await facts.get(securityGroups, subject);
    if (!groups.ok) return groups;
    const remote = new Set(
      groups.value.value
        .flatMap((g) => g.security_group_rules.map((r) => r.remote_group_id ?? ''))
        .filter((id) => id !== ''),
    );
    const members = new Map<string, readonly Port[]>();
    for (const id of remote) {
      const found = await listed(facts, {
        path: '/ports',
        query: { security_groups: id },
        items: 'ports',
        schema: port,
      });
      if (!found.ok) return found;
      members.set(id, found.value.value);
    }
    return observed(members, ...groups.value.evidence);
  },
);

/** Addresses of the members of the groups that this port's rules name as remote: fixed addresses and allowed pairs. */
export const remoteMembers = source<PortSubject, ReadonlyMap<string, readonly string[]>>(
  'port.remote-members',
  byId,
  async (subject, facts) =>
    mapFact(await facts.get(remoteMemberPorts, subject), (members) => {
      const addressesOf = (p: Port): readonly string[] => [
        ...p.fixed_ips.map((f) => f.ip_address),
        ...(p.allowed_address_pairs ?? []).map((a) => a.ip_address),
      ];
      return new Map([...members].map(([id, ports]) => [id, ports.flatMap(addressesOf)]));
    }),
);

/** A router that serves the port's network, with the ports it has there. */
export interface ServingRouter {
  readonly router: Router;
  /** Of `insides`, the one in the subnet of the port's first address. */
  readonly inside: Port;
  /** Its own ports in this network: one per IPv4 subnet, one for all IPv6 subnets (neutron l3_db.py, add_router_interface). */
  readonly insides: readonly [Port, ...Port[]];
  /** All ports of the router, the gateway's among them. */
  readonly ports: readonly Port[];
  readonly l3Agents: FactResult<readonly Agent[]>;
}

const isRouterInterface = (p: Port): boolean =>
  p.device_owner.startsWith('network:router_interface') || p.device_owner === 'network:ha_router_replicated_interface';

export const servingRouters = source<PortSubject, readonly ServingRouter[]>(
  'port.routers',
  byId,
  async (subject, facts) => {
    const around = await facts.get(servicePorts, subject);
    if (!around.ok) return around;
    const subnetOfFirst = subject.port.value.fixed_ips[0]?.subnet_id;
    const byRouter = new Map<string, [Port, ...Port[]]>();
    for (const leg of around.value.value.filter(isRouterInterface)) {
      const others = byRouter.get(leg.device_id);
      if (others === undefined) byRouter.set(leg.device_id, [leg]);
      else others.push(leg);
    }
    const evidence = [...around.value.evidence];
    const serving: ServingRouter[] = [];
    for (const found of await Promise.all(
      [...byRouter].map(async ([id, insides]) => {
        const [router, ports, l3Agents] = await Promise.all([
          facts.get(routerById, id),
          facts.get(routerPortsOf, id),
          facts.get(l3AgentsOf, id),
        ]);
        return { insides, router, ports, l3Agents };
      }),
    )) {
      if (!found.router.ok) return found.router;
      if (!found.ports.ok) return found.ports;
      evidence.push(...found.router.value.evidence, ...found.ports.value.evidence);
      if (found.l3Agents.ok) evidence.push(...found.l3Agents.value.evidence);
      serving.push({
        inside: found.insides.find((p) => p.fixed_ips.some((f) => f.subnet_id === subnetOfFirst)) ?? found.insides[0],
        insides: found.insides,
        router: found.router.value.value,
        ports: found.ports.value.value,
        l3Agents: found.l3Agents,
      });
    }
    return ok({ value: serving, evidence });
  },
);

const externalNetworkOf = source<string, Subnet | undefined>(
  'router.external-subnet',
  itself,
  async (routerId, facts) => {
    const found = await facts.get(routerById, routerId);
    if (!found.ok) return found;
    const gateway = found.value.value.external_gateway_info;
    const id = gateway?.external_fixed_ips?.[0]?.subnet_id;
    if (id === undefined) return observed(undefined, ...found.value.evidence);
    const answer = await facts.io.cloud.get({
      service: 'network',
      path: `/subnets/${encodeURIComponent(id)}`,
      schema: z.looseObject({ subnet }),
    });
    return answer.ok ? observed(answer.value.value.subnet, answer.value.evidence) : answer;
  },
);

/** The external subnet of each serving router, by router id; routers without a gateway are left out. */
export const externalSubnets = source<PortSubject, ReadonlyMap<string, Subnet>>(
  'port.external-subnets',
  byId,
  async (subject, facts) => {
    const routers = await facts.get(servingRouters, subject);
    if (!routers.ok) return routers;
    const found = new Map<string, Subnet>();
    const evidence = [...routers.value.evidence];
    for (const { router: r } of routers.value.value) {
      const external = await facts.get(externalNetworkOf, r.id);
      if (!external.ok) return external;
      if (external.value.value !== undefined) found.set(r.id, external.value.value);
      evidence.push(...external.value.evidence);
    }
    return observed(found, ...evidence);
  },
);

/**
 * The hosts that serve DHCP to the port's network: of the DHCP ports' bindings, else of the scheduled agents. Neutron
 * schedules networks without DHCP, too; nothing stands for them on the agents' hosts.
 */
export const dhcpHosts = source<PortSubject, readonly { readonly host: string; readonly port?: Port }[]>(
  'port.dhcp-hosts',
  byId,
  async (subject, facts) => {
    const around = await facts.get(servicePorts, subject);
    if (!around.ok) return around;
    for (const p of around.value.value) if (p['binding:host_id']) facts.io.nodes.warm(p['binding:host_id']);
    const bound = around.value.value.filter((p) => p.device_owner === 'network:dhcp');
    const hosts = bound.flatMap((p) => (p['binding:host_id'] ? [{ host: p['binding:host_id'], port: p }] : []));
    if (hosts.length > 0) return mapFact(around, () => hosts);
    const subnets = await facts.get(portSubnets, subject);
    if (subnets.ok && !subnets.value.value.some((s) => s.enable_dhcp)) return mapFact(subnets, () => []);
    const scheduled = await facts.get(dhcpAgents, subject);
    // A cloud that schedules to no agents has no such path (networking API, extension dhcp_agent_scheduler).
    if (!scheduled.ok && scheduled.error.kind === 'not-found') return mapFact(around, () => []);
    return mapFact(scheduled, (agentsThere) => agentsThere.map((a) => ({ host: a.host })));
  },
);

/** The host where a serving router lives: of its port's binding, else the first alive agent's, else the first's, else of its gateway's binding. */
export const routerHost = (serving: ServingRouter): string | undefined => {
  const there = serving.l3Agents.ok ? serving.l3Agents.value.value : [];
  const bound = (ports: readonly Port[]) => ports.map((p) => p['binding:host_id']).find((host) => host);
  return bound(serving.insides) || there.find((a) => a.alive)?.host || there[0]?.host || bound(serving.ports);
};

const availability = z.looseObject({
  subnet_ip_availability: z.array(
    z.looseObject({ subnet_name: z.string().nullish(), cidr: z.string(), total_ips: z.number(), used_ips: z.number() }),
  ),
});
export type AddressUse = z.infer<typeof availability>;

export const addressUseOf = source<string, AddressUse>('network.address-use', itself, async (id, facts) => {
  const answer = await facts.io.cloud.get({
    service: 'network',
    path: `/network-ip-availabilities/${encodeURIComponent(id)}`,
    schema: z.looseObject({ network_ip_availability: availability }),
  });
  return answer.ok ? observed(answer.value.value.network_ip_availability, answer.value.evidence) : answer;
});

/** How many addresses of the port's network are taken (admins only, by Neutron's default policy). */
export const addressUse = ofNetwork('port.address-use', addressUseOf);

/** Every agent of the cloud, asked through a port. */
export const everyAgent = source<PortSubject, readonly Agent[]>('port.every-agent', byId, (_, facts) =>
  facts.get(agents, theCloud),
);
