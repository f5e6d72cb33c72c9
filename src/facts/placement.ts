import { type FactResult, type FactSource, mapFact, observed } from '../engine/fact.ts';
import { err, ok } from '../engine/result.ts';
import type { Backend, BoundPort, Segment } from '../path/backends/backend.ts';
import { backendOf, backends } from '../path/backends/registry.ts';
import { agents } from './cloud-api.ts';
import { type Io, source } from './io.ts';
import { dhcpHosts, portNetwork, routerHost, servingRouters } from './port-api.ts';
import type { Agent, Network, Port } from './schemas/network.ts';
import { computeHostOf, type PortSubject, theCloud, withoutHost } from './subject.ts';

/** Where a port is and what plugs it: the ground on which node facts are chosen. */
export interface Placement {
  readonly host: string;
  readonly backend: Backend;
  readonly bound: BoundPort;
  readonly segment: Segment;
}

const strings = (value: unknown): string[] =>
  typeof value === 'object' && value !== null ? Object.values(value).filter((v) => typeof v === 'string') : [];

/** The binding in the words of the path model. */
export const boundPort = (port: Port): BoundPort => {
  const details = port['binding:vif_details'] ?? {};
  const bridge = details.bridge_name;
  return {
    id: port.id,
    mac: port.mac_address,
    vifType: port['binding:vif_type'],
    vnicType: port['binding:vnic_type'],
    hybridPlug: details.ovs_hybrid_plug === true,
    drivers: strings(details.bound_drivers),
    bridgeName: typeof bridge === 'string' ? bridge : undefined,
  };
};

export const segmentOf = (network: Network): Segment => ({
  networkId: network.id,
  networkName: network.name,
  type: network['provider:network_type'] ?? undefined,
  id: network['provider:segmentation_id'] ?? undefined,
  physicalNetwork: network['provider:physical_network'] ?? undefined,
});

/** Binaries of the agents that plug ports (everything that is not L3, DHCP or metadata) on a host. */
const l2Binaries = (list: readonly Agent[], host: string): string[] =>
  list
    .filter((a) => a.host === host && !/^neutron-(l3|dhcp|metadata|ovn-metadata)-agent$/.test(a.binary))
    .map((a) => a.binary);

const byId = (subject: PortSubject): string => subject.id;

export const placement = source<PortSubject, Placement>('port.placement', byId, async (subject, facts) => {
  const host = computeHostOf(subject);
  if (host === undefined) {
    return err(withoutHost(subject.instance));
  }
  const [network, list] = await Promise.all([facts.get(portNetwork, subject), facts.get(agents, theCloud)]);
  if (!network.ok) return network;
  const bound = boundPort(subject.port.value);
  const { backend: named } = facts.io.options;
  const backend =
    named === undefined
      ? backendOf(bound, list.ok ? l2Binaries(list.value.value, host) : [])
      : backends.find((b) => b.name === named);
  if (backend === undefined) {
    return err({
      kind: 'unsupported',
      because: `no known backend fits vif_type ${bound.vifType ?? '(hidden)'} on ${host}`,
    });
  }
  return ok({
    value: { host, backend, bound, segment: segmentOf(network.value.value) },
    evidence: [...subject.port.evidence, ...network.value.evidence],
  });
});

/**
 * The kind of backend of a port: of what binds it; before it is placed, of what every host of the cloud plugs ports with.
 * Agents with namespaces, where nobody can tell: their walk says what could not be looked at.
 */
export const backendFamily = source<PortSubject, Backend['family']>(
  'port.backend-family',
  byId,
  async (subject, facts) => {
    const [place, list] = await Promise.all([facts.get(placement, subject), facts.get(agents, theCloud)]);
    if (place.ok) return mapFact(place, ({ backend }) => backend.family);
    if (!list.ok) return observed('agents');
    const hosts = new Set(list.value.value.map((a) => a.host));
    const found = new Set(
      [...hosts].flatMap(
        (h) => backendOf(boundPort(subject.port.value), l2Binaries(list.value.value, h))?.family ?? [],
      ),
    );
    const [only, ...others] = found;
    return observed(only !== undefined && others.length === 0 ? only : 'agents', ...list.value.evidence);
  },
);

/** A fact of the compute host, asked through the port. */
export const onComputeHost = <T>(inner: FactSource<Io, string, T>): FactSource<Io, PortSubject, T> =>
  source(`port.compute.${inner.name}`, byId, async (subject, facts) => {
    const host = computeHostOf(subject);
    return host === undefined ? err(withoutHost(subject.instance)) : facts.get(inner, host);
  });

/** Every host the port's traffic touches, with the reason. */
export interface PathHosts {
  readonly compute: string | undefined;
  readonly dhcp: readonly string[];
  /** Router id → host. */
  readonly routers: ReadonlyMap<string, string>;
  readonly all: readonly string[];
}

export const pathHosts = source<PortSubject, PathHosts>('port.path-hosts', byId, async (subject, facts) => {
  const [dhcp, routers] = await Promise.all([facts.get(dhcpHosts, subject), facts.get(servingRouters, subject)]);
  const compute = computeHostOf(subject);
  const dhcpNames = dhcp.ok ? dhcp.value.value.map((d) => d.host) : [];
  const routerNames = new Map<string, string>();
  for (const serving of routers.ok ? routers.value.value : []) {
    const host = routerHost(serving);
    if (host !== undefined) routerNames.set(serving.router.id, host);
  }
  // Everything on these hosts is asked sooner or later: connect while the rest of the API answers.
  for (const host of [...dhcpNames, ...routerNames.values()]) facts.io.nodes.warm(host);
  const all = [...new Set([...(compute === undefined ? [] : [compute]), ...dhcpNames, ...routerNames.values()])];
  return ok({
    value: { compute, dhcp: [...new Set(dhcpNames)], routers: routerNames, all },
    evidence: [...(dhcp.ok ? dhcp.value.evidence : []), ...(routers.ok ? routers.value.evidence : [])],
  });
});

/** The same host fact for every host of the path; a host that cannot be looked at keeps its failure. */
export const onPathHosts = <T>(
  inner: FactSource<Io, string, T>,
): FactSource<Io, PortSubject, ReadonlyMap<string, FactResult<T>>> =>
  source(`port.path.${inner.name}`, byId, async (subject, facts) => {
    const hosts = await facts.get(pathHosts, subject);
    if (!hosts.ok) return hosts;
    const found = await Promise.all(
      hosts.value.value.all.map(async (host) => [host, await facts.get(inner, host)] as const),
    );
    return mapFact(hosts, () => new Map(found));
  });
