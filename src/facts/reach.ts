import { z } from 'zod';
import { type FactResult, observed } from '../engine/fact.ts';
import type { FactFailure } from '../engine/failure.ts';
import { unreachable } from '../engine/result.ts';
import { backendOf } from '../path/backends/registry.ts';
import type { NetworkType } from '../path/mtu.ts';
import type {
  Atlas,
  AtlasNetwork,
  AtlasPort,
  AtlasRouter,
  Floating,
  Known,
  PortRules,
  Want,
} from '../path/reach/atlas.ts';
import { known } from '../path/reach/atlas.ts';
import type { Question } from '../path/reach/question.ts';
import { type Reach, reach } from '../path/reach/reach.ts';
import { groupFromApi, portSecurityFromApi } from '../path/secgroup/from-api.ts';
import { type Store, source } from './io.ts';
import { boundPort } from './placement.ts';
import {
  floatingIps,
  networkById,
  remoteMembers,
  routerById,
  routerPortsOf,
  securityGroups,
  servicePortsOf,
  subnetsOf,
} from './port-api.ts';
import { serverAnswer } from './schemas/compute.ts';
import {
  type FloatingIp,
  floatingIp,
  type Network,
  type Port,
  port as portSchema,
  type Router,
  type Subnet,
  subnet,
} from './schemas/network.ts';
import { computeHostOf, type PortSubject, shortId } from './subject.ts';

/** What could not be asked, in words, and what would tell. */
export function unseen(failure: FactFailure): {
  readonly known: false;
  readonly because: string;
  readonly tell: string;
} {
  const recorded = (detail: string): boolean => detail.includes('not in this bundle');
  const live = 'the same question to the live cloud';
  switch (failure.kind) {
    case 'forbidden':
      return {
        known: false,
        because: `these credentials may not see ${failure.what}`,
        tell: `credentials with ${failure.need}`,
      };
    case 'api':
    case 'shape':
    case 'unreachable':
      return recorded(failure.detail)
        ? { known: false, because: 'this bundle does not hold it', tell: live }
        : { known: false, because: failure.detail, tell: 'the same question again' };
    case 'timeout':
      return { known: false, because: `no answer in ${failure.seconds} s`, tell: 'the same question again' };
    case 'not-found':
      return { known: false, because: `${failure.what} is not there`, tell: 'the same question again' };
    case 'unsupported':
      return { known: false, because: failure.because, tell: live };
    case 'command':
    case 'missing-tool':
    case 'sudo':
    case 'parse':
      throw new Error(`an API answered with the failure of a node: ${failure.kind}`);
    default:
      return unreachable(failure);
  }
}

const knownOf = <A, B>(fact: FactResult<A>, f: (value: A) => B): Known<B> =>
  fact.ok ? known(f(fact.value.value)) : unseen(fact.error);

/** Answers questions about packets, and asks the APIs for what the answer turns out to depend on, each thing once. */
export interface Surveyor {
  /** Puts a port on the map and gives the name that a person knows it by. */
  add(subject: PortSubject): Promise<string>;
  answer(question: Question): Promise<Reach>;
  /** What decides who is let in to a port that was added. */
  rulesOf(subject: PortSubject): Promise<Known<PortRules>>;
}

/** Routers in a row times the few things each of them is asked about; a map that never gets whole is given up. */
const mostRounds = 64;

export function surveyor(facts: Store): Surveyor {
  const maps = {
    ports: new Map<string, AtlasPort>(),
    networks: new Map<string, Known<AtlasNetwork>>(),
    routers: new Map<string, Known<AtlasRouter>>(),
    rules: new Map<string, Known<PortRules>>(),
    floatings: new Map<string, Known<readonly Floating[]>>(),
    floatingAt: new Map<string, Known<Floating | undefined>>(),
    services: new Map<string, Known<readonly string[]>>(),
    holders: new Map<string, Known<string | undefined>>(),
  } satisfies Atlas;
  const subjects = new Map<string, PortSubject>();

  const put = async (p: Port, evidence: PortSubject['port']['evidence']): Promise<void> => {
    if (maps.ports.has(p.id)) return;
    subjects.set(p.id, { kind: 'port', id: p.id, port: { value: p, evidence } });
    maps.ports.set(p.id, portFromApi(p, await nameOf(facts, p), undefined));
  };

  const floatingsOf = async (id: string): Promise<void> => {
    const subject = subjects.get(id);
    if (subject === undefined) return;
    const found = knownOf(await facts.get(floatingIps, subject), (list) => list.map(floatingFromApi));
    maps.floatings.set(id, found);
    if (found.known) for (const f of found.value) maps.floatingAt.set(f.address, known(f));
  };

  const holderOf = async (key: string): Promise<void> => {
    const [network = '', address = ''] = key.split(' ');
    const answer = await facts.io.cloud.list({
      service: 'network',
      path: '/ports',
      query: { network_id: network, fixed_ips: `ip_address=${address}` },
      items: 'ports',
      schema: portSchema,
    });
    if (!answer.ok) {
      maps.holders.set(key, unseen(answer.error));
      return;
    }
    // The port of a floating address stands for its router, which is found by the address itself.
    const held = answer.value.value.find((p) => p.device_owner !== 'network:floatingip');
    if (held !== undefined) await put(held, [answer.value.evidence]);
    maps.holders.set(key, known(held?.id));
  };

  const floatingAt = async (address: string): Promise<void> => {
    const answer = await facts.io.cloud.list({
      service: 'network',
      path: '/floatingips',
      query: { floating_ip_address: address },
      items: 'floatingips',
      schema: floatingIp,
    });
    const found: Known<Floating | undefined> = answer.ok
      ? known(answer.value.value.map(floatingFromApi)[0])
      : unseen(answer.error);
    maps.floatingAt.set(address, found);
  };

  const fill = async ({ of, key }: Want): Promise<void> => {
    switch (of) {
      case 'networks': {
        const [network, subnets] = await Promise.all([facts.get(networkById, key), facts.get(subnetsOf, key)]);
        const outer = network.ok && subnets.ok ? [] : await routersSubnets(facts, maps, key);
        maps.networks.set(key, networkFromApi(network, subnets, outer));
        return;
      }
      case 'routers': {
        const [router, ports] = await Promise.all([facts.get(routerById, key), facts.get(routerPortsOf, key)]);
        maps.routers.set(
          key,
          !router.ok ? unseen(router.error) : knownOf(ports, (list) => routerFromApi(router.value.value, list)),
        );
        return;
      }
      case 'services': {
        const found = await facts.get(servicePortsOf, key);
        if (found.ok) await Promise.all(found.value.value.map((p) => put(p, found.value.evidence)));
        maps.services.set(
          key,
          knownOf(found, (list) => list.map((p) => p.id)),
        );
        return;
      }
      case 'rules': {
        const subject = subjects.get(key);
        if (subject !== undefined) maps.rules.set(key, await rulesOf(facts, subject));
        return;
      }
      case 'floatings':
        return floatingsOf(key);
      case 'floatingAt':
        return floatingAt(key);
      case 'holders':
        return holderOf(key);
      default:
        return unreachable(of);
    }
  };

  return {
    async add(subject) {
      const name = subject.instance?.name ?? (await nameOf(facts, subject.port.value));
      subjects.set(subject.id, subject);
      maps.ports.set(subject.id, portFromApi(subject.port.value, name, computeHostOf(subject)));
      return name;
    },
    async answer(question) {
      for (let round = 0; round < mostRounds; round += 1) {
        const found = reach(maps, question);
        if (found.wants.length === 0) return found;
        // What a router tells of its external network stands in where the network itself may not be seen.
        const [routers, others] = [true, false].map((are) => found.wants.filter((w) => (w.of === 'routers') === are));
        await Promise.all((routers ?? []).map(fill));
        await Promise.all((others ?? []).map(fill));
      }
      return reach(maps, question);
    },
    async rulesOf(subject) {
      const found = maps.rules.get(subject.id) ?? (await rulesOf(facts, subject));
      maps.rules.set(subject.id, found);
      return found;
    },
  };
}

async function nameOf(facts: Store, p: Port): Promise<string> {
  const owner = ownerOf(p);
  switch (owner) {
    case 'router': {
      const found = await facts.get(routerById, p.device_id);
      return `router ${found.ok ? found.value.value.name : shortId(p.device_id)}`;
    }
    case 'dhcp':
      return 'the DHCP server';
    case 'metadata':
      return 'the metadata port';
    case 'instance': {
      const found = await facts.io.cloud.get({
        service: 'compute',
        path: `/servers/${encodeURIComponent(p.device_id)}`,
        schema: serverAnswer,
        microversion: '2.79',
      });
      return found.ok ? found.value.value.server.name : `instance ${shortId(p.device_id)}`;
    }
    case 'other':
      return `port ${shortId(p.id)}`;
  }
}

function ownerOf(p: Port): AtlasPort['owner'] {
  if (p.device_owner.startsWith('compute:')) return 'instance';
  if (/^network:(router_|ha_router_)/.test(p.device_owner)) return 'router';
  if (p.device_owner === 'network:dhcp') return 'dhcp';
  return p.device_owner === 'network:distributed' ? 'metadata' : 'other';
}

function filterOf(p: Port): AtlasPort['filter'] {
  const backend = backendOf(boundPort(p), []);
  switch (backend?.firewall) {
    case 'iptables':
      return 'iptables';
    case 'ovs-flows':
      return 'ovs';
    case 'ovn-acl':
      return 'ovn';
    case 'none':
    case undefined:
      return 'unknown';
  }
}

function portFromApi(p: Port, name: string, host: string | undefined): AtlasPort {
  const there = host ?? (p['binding:host_id'] || undefined);
  const vif = p['binding:vif_type'];
  return {
    id: p.id,
    name,
    owner: ownerOf(p),
    deviceId: p.device_id,
    networkId: p.network_id,
    ...(there === undefined ? {} : { host: there }),
    adminUp: p.admin_state_up,
    status: p.status,
    ...(vif === undefined ? {} : { vifType: vif }),
    filter: filterOf(p),
    security: portSecurityFromApi(p),
    addresses: p.fixed_ips.map((f) => ({ subnetId: f.subnet_id, address: f.ip_address })),
  };
}

const types: readonly NetworkType[] = ['vxlan', 'gre', 'geneve', 'vlan', 'flat', 'local'];

const subnetById = source<string, Subnet>(
  'subnet',
  (id) => id,
  async (id, facts) => {
    const answer = await facts.io.cloud.get({
      service: 'network',
      path: `/subnets/${encodeURIComponent(id)}`,
      schema: z.looseObject({ subnet }),
    });
    return answer.ok ? observed(answer.value.value.subnet, answer.value.evidence) : answer;
  },
);

/** A subnet of an external network may be recorded where the network itself is not: it was asked for with its router. */

async function routersSubnets(
  facts: Store,
  maps: { readonly routers: ReadonlyMap<string, Known<AtlasRouter>> },
  networkId: string,
): Promise<readonly Subnet[]> {
  const ids = [...maps.routers.values()].flatMap((r) =>
    r.known && r.value.gateway?.networkId === networkId ? r.value.gateway.addresses.map((a) => a.subnetId) : [],
  );
  const found = await Promise.all([...new Set(ids)].map((id) => facts.get(subnetById, id)));
  return found.flatMap((s) => (s.ok ? [s.value.value] : []));
}

function networkFromApi(
  network: FactResult<Network>,
  subnets: FactResult<readonly Subnet[]>,
  outer: readonly Subnet[],
): Known<AtlasNetwork> {
  const [first] = outer;
  if (!network.ok || !subnets.ok) {
    const failure = network.ok ? subnets : network;
    // What an external network is needed for, its subnet and gateway, is known where its subnet is.
    if (first === undefined) return failure.ok ? unseen({ kind: 'not-found', what: 'it' }) : unseen(failure.error);
    const id = first.network_id;
    const own = outer.map(subnetFromApi);
    return known({ id, name: shortId(id), adminUp: true, external: true, subnets: own });
  }
  const n = network.value.value;
  const type = types.find((t) => t === n['provider:network_type']);
  return known({
    id: n.id,
    name: n.name,
    adminUp: n.admin_state_up,
    external: n['router:external'] === true,
    ...(n.mtu === undefined ? {} : { mtu: n.mtu }),
    ...(type === undefined ? {} : { type }),
    subnets: subnets.value.value.map(subnetFromApi),
  });
}

const subnetFromApi = (s: Subnet): AtlasNetwork['subnets'][number] => ({
  id: s.id,
  cidr: s.cidr,
  family: s.ip_version === 6 ? 6 : 4,
  ...(s.gateway_ip ? { gateway: s.gateway_ip } : {}),
  dhcp: s.enable_dhcp,
  hostRoutes: s.host_routes ?? [],
});

function routerFromApi(r: Router, ports: readonly Port[]): AtlasRouter {
  const outer = r.external_gateway_info;
  const legs = ports.filter((p) => /^network:(router_interface|ha_router_replicated_interface)/.test(p.device_owner));
  return {
    id: r.id,
    name: r.name,
    adminUp: r.admin_state_up,
    status: r.status,
    ...(outer
      ? {
          gateway: {
            networkId: outer.network_id,
            snat: outer.enable_snat !== false,
            addresses: (outer.external_fixed_ips ?? []).map((f) => ({ subnetId: f.subnet_id, address: f.ip_address })),
          },
        }
      : {}),
    routes: r.routes ?? [],
    legs: legs.map((p) => ({
      portId: p.id,
      networkId: p.network_id,
      adminUp: p.admin_state_up,
      addresses: p.fixed_ips.map((f) => ({ subnetId: f.subnet_id, address: f.ip_address })),
    })),
  };
}

const floatingFromApi = (f: FloatingIp): Floating => ({
  id: f.id,
  address: f.floating_ip_address,
  networkId: f.floating_network_id,
  status: f.status,
  ...(f.fixed_ip_address ? { fixed: f.fixed_ip_address } : {}),
  ...(f.port_id ? { portId: f.port_id } : {}),
  ...(f.router_id ? { routerId: f.router_id } : {}),
});

/** The groups of a port and who is a member of those that their rules name. */
async function rulesOf(facts: Store, subject: PortSubject): Promise<Known<PortRules>> {
  const groups = await facts.get(securityGroups, subject);
  if (!groups.ok) return unseen(groups.error);
  const own = groups.value.value.map(groupFromApi);
  const asks = own.flatMap((g) => g.rules.flatMap((r) => r.remoteAddressGroupId ?? []));
  const [remote, ...lists] = await Promise.all([
    facts.get(remoteMembers, subject),
    ...[...new Set(asks)].map(async (id) => [id, await addressGroup(facts, id)] as const),
  ]);
  const members = new Map(remote.ok ? remote.value.value : []);
  for (const [id, addresses] of lists) if (addresses !== undefined) members.set(id, addresses);
  return known({ groups: own, members });
}

const addressGroupAnswer = z.looseObject({ address_group: z.looseObject({ addresses: z.array(z.string()) }) });

async function addressGroup(facts: Store, id: string): Promise<readonly string[] | undefined> {
  const answer = await facts.io.cloud.get({
    service: 'network',
    path: `/address-groups/${encodeURIComponent(id)}`,
    schema: addressGroupAnswer,
  });
  return answer.ok ? answer.value.value.address_group.addresses : undefined;
}
