import { type FactResult, type FactSource, mapFact, observed } from '../../engine/fact.ts';
import type { Chassis } from '../../path/ovn/model.ts';
import { agents } from '../cloud-api.ts';
import { type Io, source } from '../io.ts';
import { pathHosts } from '../placement.ts';
import { servingRouters } from '../port-api.ts';
import type { Agent } from '../schemas/network.ts';
import { computeHostOf, type PortSubject, theCloud } from '../subject.ts';
import { logicalView } from './logical.ts';
import { southView } from './south.ts';

/** A chassis and the host that the API knows it as. */
export interface ChassisAt {
  readonly host: string;
  /** system-id */
  readonly name: string;
  /** Its row; a candidate may have none. */
  readonly chassis?: Chassis;
}

/** Where one of the port's routers meets the outside. */
export interface GatewayAt {
  readonly routerId: string;
  /** `lrp-<gateway port>` */
  readonly port: string;
  /** Who holds the gateway port by the SB's word. */
  readonly holder?: ChassisAt;
  /** Highest priority first. */
  readonly candidates: readonly ChassisAt[];
}

/** Hosts whose chassis matter to the port. */
export interface OvnHosts {
  readonly compute: string | undefined;
  readonly gateways: readonly GatewayAt[];
  /** Of the other end of `--to`. */
  readonly peer: string | undefined;
  /** All of them once: compute first, then who holds gateway ports, then the best candidate where none does, then the peer. */
  readonly all: readonly string[];
}

/** Neutron calls an agent by the name of its chassis; where it does not list it, the chassis' own word. */
export const hostOfChassis = (list: readonly Agent[], name: string, chassis: Chassis | undefined): string =>
  list.find((a) => a.id === name)?.host ?? chassis?.hostname ?? name;

export const ovnHosts = source<PortSubject, OvnHosts>(
  'port.ovn.hosts',
  (subject) => subject.id,
  async (subject, facts) => {
    const [hosts, list, serving, logical, south] = await Promise.all([
      facts.get(pathHosts, subject),
      facts.get(agents, theCloud),
      facts.get(servingRouters, subject),
      facts.get(logicalView, subject),
      facts.get(southView, subject),
    ]);
    if (!hosts.ok) return hosts;
    const known = list.ok ? list.value.value : [];
    const chassis = south.ok ? south.value.value.chassis : [];
    const at = (name: string): ChassisAt => {
      const row = chassis.find((c) => c.name === name);
      return { host: hostOfChassis(known, name, row), name, ...(row === undefined ? {} : { chassis: row }) };
    };
    const gateways = (serving.ok ? serving.value.value : []).flatMap((s) =>
      s.ports
        .filter((p) => p.device_owner === 'network:router_gateway')
        .map((p): GatewayAt => {
          const port = `lrp-${p.id}`;
          const binding = south.ok ? south.value.value.bindings.get(`cr-${port}`) : undefined;
          const row = chassis.find((c) => c.uuid === binding?.chassis);
          const leg = logical.ok
            ? logical.value.value.routers.get(s.router.id)?.ports.find((l) => l.name === port)
            : undefined;
          return {
            routerId: s.router.id,
            port,
            candidates: (leg?.candidates ?? []).map((c) => at(c.chassis)),
            ...(row === undefined ? {} : { holder: at(row.name) }),
          };
        }),
    );
    const compute = computeHostOf(subject);
    const other = facts.io.peer?.kind === 'port' ? facts.io.peer.ports[0] : undefined;
    const peer = other === undefined ? undefined : computeHostOf(other);
    const first = gateways.flatMap((g) => g.holder?.host ?? g.candidates[0]?.host ?? []);
    const all = [compute, ...first, ...hosts.value.value.routers.values(), peer].filter((h) => h !== undefined);
    for (const host of all) facts.io.nodes.warm(host);
    return observed({ compute, gateways, peer, all: [...new Set(all)] }, ...hosts.value.evidence);
  },
);

/** The same fact of every host whose chassis matters; a host that cannot be looked at keeps its failure. */
export const onOvnHosts = <T>(
  inner: FactSource<Io, string, T>,
): FactSource<Io, PortSubject, ReadonlyMap<string, FactResult<T>>> =>
  source(
    `port.ovn.${inner.name}`,
    (subject) => subject.id,
    async (subject, facts) => {
      const hosts = await facts.get(ovnHosts, subject);
      if (!hosts.ok) return hosts;
      const found = await Promise.all(
        hosts.value.value.all.map(async (host) => [host, await facts.get(inner, host)] as const),
      );
      return mapFact(hosts, () => new Map(found));
    },
  );

type PerHost<T> = FactResult<ReadonlyMap<string, FactResult<T>>>;

/** The fact of one of the hosts; undefined where none was asked. */
export const ofHost = <T>(facts: PerHost<T>, host: string): FactResult<T> | undefined =>
  facts.ok ? facts.value.value.get(host) : undefined;

/** What was seen on one of the hosts. */
export const seenOn = <T>(facts: PerHost<T>, host: string): T | undefined => {
  const found = ofHost(facts, host);
  return found?.ok === true ? found.value.value : undefined;
};
