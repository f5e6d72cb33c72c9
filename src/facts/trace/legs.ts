import { type FactResult, observed } from '../../engine/fact.ts';
import { err } from '../../engine/result.ts';
import { familyOf, namespaceName } from '../../path/addresses.ts';
import type { Leg, Probe } from '../../path/trace/observation.ts';
import type { Point } from '../../path/trace/point.ts';
import { hostOvs } from '../host.ts';
import { type Store, source } from '../io.ts';
import { type Pair, pairs } from '../pair.ts';
import type { Sender } from '../ping.ts';
import { type Placement, placement, segmentOf } from '../placement.ts';
import {
  dhcpHosts,
  externalSubnets,
  floatingIps,
  networkById,
  portSubnets,
  routerHost,
  type ServingRouter,
  servingRouters,
} from '../port-api.ts';
import type { PortSubject } from '../subject.ts';
import { guestEnd, type NetworkEnd, physicalPoints, pointsBetween, serviceEnd } from './points.ts';

/** One stretch of the trace, and who sends over it. */
export interface PlannedLeg {
  readonly leg: Leg;
  readonly from: Sender['from'] | 'port';
  /** Addresses by which its packets are known at any of its points. */
  readonly addresses: readonly string[];
  /** The port behind the last point, where an instance has to answer. */
  readonly guest?: PortSubject;
  /** Where packets are put in that the instance is to seem to have sent, and how they are addressed. */
  readonly injected?: {
    readonly bridge: string;
    readonly port: number;
    readonly sourceMac: string;
    readonly destinationMac: string;
  };
}

/** The packets of a stretch, before it is known where it begins and ends. */
type Traffic = Omit<Probe, 'from' | 'to'>;

/** An ICMP echo request whose payload holds the mark: 20 bytes of IPv4 header, 8 of ICMP, and 56 of payload as ping(8) has it. */
const usualSize = 84;

const addressLike = (subject: PortSubject, like: string | undefined): string | undefined => {
  const all = subject.port.value.fixed_ips.map((f) => f.ip_address);
  return all.find((a) => familyOf(a) === familyOf(like ?? '0.0.0.0')) ?? (like === undefined ? all[0] : undefined);
};

const nameOf = (subject: PortSubject): string => subject.instance?.name ?? `port ${subject.id.slice(0, 8)}`;

const subnetOf = (subject: PortSubject, address: string): string | undefined =>
  subject.port.value.fixed_ips.find((f) => f.ip_address === address)?.subnet_id;

/** Into an instance from a namespace of its network. */
const into = (
  subject: PortSubject,
  to: string,
  traffic: Traffic,
  sender: { readonly from: 'qdhcp' | 'qrouter'; readonly host: string; readonly netns: string; readonly own: string },
  points: readonly Point[],
): PlannedLeg => ({
  from: sender.from,
  addresses: [to],
  guest: subject,
  leg: {
    title: `${sender.from === 'qdhcp' ? 'dhcp' : 'router'} on ${sender.host} → ${nameOf(subject)}`,
    probe: { ...traffic, from: sender.own, to },
    sender: { host: sender.host, netns: sender.netns },
    points,
    answerer: { kind: 'guest', name: nameOf(subject) },
  },
});

/** Out of a router's gateway to an address behind it. */
async function outwards(
  facts: Store,
  place: Placement,
  serving: ServingRouter,
  to: string,
  traffic: Traffic,
): Promise<PlannedLeg | undefined> {
  const gateway = await gatewayEnd(facts, place, serving);
  const own = serving.router.external_gateway_info?.external_fixed_ips?.find(
    (f) => familyOf(f.ip_address) === familyOf(to),
  )?.ip_address;
  if (gateway === undefined || own === undefined) return undefined;
  return {
    from: 'qrouter',
    addresses: [to],
    leg: {
      title: `router on ${gateway.host} → ${to}`,
      probe: { ...traffic, from: own, to },
      sender: { host: gateway.host, netns: namespaceName('qrouter', serving.router.id) },
      points: [...gateway.points, ...(await physicalPoints(facts, gateway.segment, gateway.host))],
      answerer: { kind: 'outside', name: to },
    },
  };
}

async function gatewayEnd(
  facts: Store,
  { backend }: Placement,
  serving: ServingRouter,
): Promise<(NetworkEnd & { readonly segment: Placement['segment'] }) | undefined> {
  const host = routerHost(serving);
  const port = serving.ports.find((p) => p.device_owner === 'network:router_gateway');
  const outside = serving.router.external_gateway_info?.network_id;
  if (host === undefined || port === undefined || !outside) return undefined;
  const network = await facts.get(networkById, outside);
  if (!network.ok) return undefined;
  const segment = segmentOf(network.value.value);
  return {
    ...serviceEnd(backend, host, namespaceName('qrouter', serving.router.id), port.id, 'gateway', segment),
    segment,
  };
}

/** From this machine to a floating address of the port: through the router's translation to the instance. */
async function throughFloating(
  facts: Store,
  subject: PortSubject,
  place: Placement,
  routers: readonly ServingRouter[],
  traffic: Traffic,
): Promise<readonly PlannedLeg[]> {
  const found = await facts.get(floatingIps, subject);
  const legs = await Promise.all(
    (found.ok ? found.value.value : []).map(async (floating): Promise<PlannedLeg | undefined> => {
      const serving = routers.find((r) => r.router.id === floating.router_id);
      const fixed = floating.fixed_ip_address;
      if (serving === undefined || !fixed) return undefined;
      const [gateway, inside] = await Promise.all([
        gatewayEnd(facts, place, serving),
        betweenRouterAnd(facts, place, serving, subject, fixed),
      ]);
      if (gateway === undefined || inside === undefined) return undefined;
      const outer = await physicalPoints(facts, gateway.segment, gateway.host);
      return {
        from: 'operator',
        guest: subject,
        addresses: [floating.floating_ip_address, fixed],
        leg: {
          title: `this machine → ${floating.floating_ip_address} → ${nameOf(subject)}`,
          probe: { ...traffic, from: '', to: floating.floating_ip_address },
          sender: { host: 'this machine' },
          points: [...[...outer].reverse(), ...[...gateway.points].reverse(), ...inside.points],
          answerer: { kind: 'guest', name: nameOf(subject) },
        },
      };
    }),
  );
  return legs.filter((leg) => leg !== undefined);
}

/** The stretch between a router's leg in the network of an instance's port and the instance. */
async function betweenRouterAnd(
  facts: Store,
  place: Placement,
  serving: ServingRouter,
  subject: PortSubject,
  to: string,
): Promise<
  | {
      readonly points: readonly Point[];
      /** Of these, the router's own end. */
      readonly routerPoints: readonly Point[];
      readonly host: string;
      readonly netns: string;
      readonly own: string;
    }
  | undefined
> {
  const host = routerHost(serving);
  const subnet = subnetOf(subject, to);
  const leg = serving.ports.find(
    (p) => p.device_owner !== 'network:router_gateway' && p.fixed_ips.some((f) => f.subnet_id === subnet),
  );
  const own = leg?.fixed_ips.find((f) => f.subnet_id === subnet)?.ip_address;
  if (host === undefined || leg === undefined || own === undefined) return undefined;
  const netns = namespaceName('qrouter', serving.router.id);
  const end = serviceEnd(place.backend, host, netns, leg.id, 'router', place.segment);
  return {
    host,
    netns,
    own,
    routerPoints: end.points,
    points: await pointsBetween(facts, place, end, guestEnd(place)),
  };
}

async function fromRouter(
  facts: Store,
  place: Placement,
  serving: ServingRouter,
  subject: PortSubject,
  to: string,
  traffic: Traffic,
): Promise<PlannedLeg | undefined> {
  const found = await betweenRouterAnd(facts, place, serving, subject, to);
  return found === undefined ? undefined : into(subject, to, traffic, { from: 'qrouter', ...found }, found.points);
}

async function fromDhcp(
  facts: Store,
  place: Placement,
  subject: PortSubject,
  to: string,
  traffic: Traffic,
): Promise<readonly PlannedLeg[]> {
  const servers = await facts.get(dhcpHosts, subject);
  const subnet = subnetOf(subject, to);
  const netns = namespaceName('qdhcp', place.segment.networkId);
  return Promise.all(
    (servers.ok ? servers.value.value : []).flatMap(({ host, port }) => {
      const own = port?.fixed_ips.find((f) => f.subnet_id === subnet)?.ip_address;
      if (port === undefined || own === undefined) return [];
      const end = serviceEnd(place.backend, host, netns, port.id, 'dhcp', place.segment);
      return [
        pointsBetween(facts, place, end, guestEnd(place)).then((points) =>
          into(subject, to, traffic, { from: 'qdhcp', host, netns, own }, points),
        ),
      ];
    }),
  );
}

/**
 * Out of the instance as if it had sent: put in at its port of Open vSwitch, behind the tap (and with hybrid plugging behind the
 * firewall on its way). What the guest itself does is not shown by that; a Linux bridge has no place to put packets in.
 */
async function inItsName(
  facts: Store,
  subject: PortSubject,
  place: Placement,
  from: string,
  traffic: Traffic,
  far: {
    readonly to: string;
    readonly mac: string;
    readonly points: readonly Point[];
    readonly answerer: Leg['answerer'];
    readonly guest?: PortSubject;
  },
): Promise<PlannedLeg | undefined> {
  if (place.backend.firewall !== 'ovs-flows' && place.backend.name !== 'ovs-hybrid') return undefined;
  const ovs = await facts.get(hostOvs, place.host);
  const own = guestEnd(place).points.at(-1)?.device;
  const bridge = ovs.ok ? ovs.value.value.bridges.find((b) => b.ports.some((p) => p.name === own)) : undefined;
  const port = bridge?.ports.find((p) => p.name === own)?.interfaces[0]?.ofport;
  if (bridge === undefined || port === undefined || port < 0) return undefined;
  const { guest, ...rest } = far;
  return {
    from: 'port',
    addresses: [rest.to],
    ...(guest === undefined ? {} : { guest }),
    injected: { bridge: bridge.name, port, sourceMac: subject.port.value.mac_address, destinationMac: rest.mac },
    leg: {
      title: `in the name of ${nameOf(subject)} → ${rest.answerer.name}`,
      probe: { ...traffic, protocol: 'icmp', from, to: rest.to },
      sender: { host: place.host },
      points: rest.points,
      answerer: rest.answerer,
    },
  };
}

/** What the instance itself would send towards the far end: to a neighbour, to its router, or through it. */
async function injectedLegs(
  facts: Store,
  subject: PortSubject,
  place: Placement,
  own: string,
  pair: Pair | undefined,
  routers: readonly ServingRouter[],
  traffic: Traffic,
): Promise<readonly PlannedLeg[]> {
  const behindTap: NetworkEnd = { host: place.host, points: [] };
  if (pair?.way.kind === 'same-network') {
    const there = await facts.get(placement, pair.peer);
    if (!there.ok) return [];
    const points = await pointsBetween(facts, place, behindTap, guestEnd(there.value.value));
    const answerer = { kind: 'guest', name: pair.name } as const;
    const mac = pair.peer.port.value.mac_address;
    return present([
      await inItsName(facts, subject, place, own, traffic, {
        to: pair.theirs,
        mac,
        points,
        answerer,
        guest: pair.peer,
      }),
    ]);
  }
  const legs = await Promise.all(
    routers.map(async (serving) => {
      const inside = await betweenRouterAnd(facts, place, serving, subject, own);
      const leg = serving.insides.find((p) => p.fixed_ips.some((f) => f.ip_address === inside?.own));
      if (inside === undefined || leg === undefined) return undefined;
      const end = { host: inside.host, points: inside.routerPoints };
      const points = await pointsBetween(facts, place, behindTap, end);
      const answerer = { kind: 'namespace', name: `router on ${inside.host}` } as const;
      return inItsName(facts, subject, place, own, traffic, { to: inside.own, mac: leg.mac_address, points, answerer });
    }),
  );
  return present(legs);
}

const present = <T>(list: readonly (T | undefined)[]): T[] => list.filter((one) => one !== undefined);

async function towardsPeer(
  facts: Store,
  subject: PortSubject,
  place: Placement,
  { peer, own, theirs, way }: Pair,
  routers: readonly ServingRouter[],
  traffic: Traffic,
  everyWay: boolean,
): Promise<readonly PlannedLeg[]> {
  const there = await facts.get(placement, peer);
  switch (way.kind) {
    case 'same-network': {
      const sides = [
        { port: subject, at: place, to: own },
        ...(there.ok ? [{ port: peer, at: there.value.value, to: theirs }] : []),
      ];
      const legs = await Promise.all(
        sides.map(async ({ port, at, to }) => {
          const served = await fromDhcp(facts, at, port, to, traffic);
          if (served.length > 0 && !everyWay) return served.slice(0, 1);
          const routed = present(await Promise.all(routers.map((r) => fromRouter(facts, at, r, port, to, traffic))));
          return everyWay ? [...served, ...routed] : routed.slice(0, 1);
        }),
      );
      return legs.flat();
    }
    case 'routed': {
      const to = peer.port.value.fixed_ips.find((f) => f.ip_address === theirs)?.ip_address;
      return present(
        await Promise.all([
          fromRouter(facts, place, way.router, subject, own, traffic),
          there.ok && to !== undefined
            ? fromRouter(facts, there.value.value, way.router, peer, to, traffic)
            : outwards(facts, place, way.router, theirs, traffic),
        ]),
      );
    }
    case 'floating':
    case 'apart': {
      const [router] = routers;
      return router === undefined
        ? []
        : present(
            await Promise.all([
              fromRouter(facts, place, router, subject, own, traffic),
              outwards(facts, place, router, theirs, traffic),
            ]),
          );
    }
  }
}

/**
 * The stretches that the probes of a trace walk. An instance cannot be told to send, so each stretch begins in a namespace of Neutron
 * (or, for a floating address, at this machine) and the instance's own way out is seen on what it answers.
 */
export const traceLegs = source<PortSubject, readonly PlannedLeg[]>(
  'trace.legs',
  (subject) => subject.id,
  async (subject, facts): Promise<FactResult<readonly PlannedLeg[]>> => {
    const { trace } = facts.io.options;
    if (trace === undefined) return err({ kind: 'unsupported', because: 'no trace was asked for' });
    const { peer } = facts.io;
    const [placed, serving] = await Promise.all([facts.get(placement, subject), facts.get(servingRouters, subject)]);
    if (!placed.ok) return placed;
    const place = placed.value.value;
    if (place.backend.family !== 'agents') {
      return err({
        kind: 'unsupported',
        because: `${place.backend.title} has no namespaces to send from: traces do not follow it yet`,
      });
    }
    const routers = serving.ok ? serving.value.value : [];
    const to = addressLike(subject, peer?.address);
    if (to === undefined) return err({ kind: 'unsupported', because: 'the port has no address' });
    const traffic: Traffic = {
      protocol: trace.probe.protocol,
      ...(trace.probe.port === undefined ? {} : { port: trace.probe.port }),
      count: trace.count,
      size: trace.size ?? usualSize,
    };
    const byDhcp = () => fromDhcp(facts, place, subject, to, traffic);
    const byRouter = () => Promise.all(routers.map((r) => fromRouter(facts, place, r, subject, to, traffic)));
    const legs = async (): Promise<readonly (PlannedLeg | undefined)[]> => {
      switch (trace.other) {
        case 'dhcp':
          return [...(await byDhcp()), ...(trace.everyWay ? await byRouter() : [])];
        case 'router':
          return [...(await byRouter()), ...(trace.everyWay ? await byDhcp() : [])];
        case 'metadata': {
          const found = present(await byRouter());
          return found.length > 0 ? found : byDhcp();
        }
        case 'gateway': {
          const subnets = await facts.get(portSubnets, subject);
          const gateway = (subnets.ok ? subnets.value.value : []).find(
            (s) => s.id === subnetOf(subject, to),
          )?.gateway_ip;
          const owner = routers.find((r) => r.ports.some((p) => p.fixed_ips.some((f) => f.ip_address === gateway)));
          return owner === undefined ? byDhcp() : [await fromRouter(facts, place, owner, subject, to, traffic)];
        }
        case 'outside': {
          const floating = await throughFloating(facts, subject, place, routers, traffic);
          const external = await facts.get(externalSubnets, subject);
          const beyond = await Promise.all(
            routers.map(async (r) => {
              const gateway = external.ok ? external.value.value.get(r.router.id)?.gateway_ip : undefined;
              return gateway ? outwards(facts, place, r, gateway, { ...traffic, protocol: 'icmp' }) : undefined;
            }),
          );
          return floating.length > 0 ? [...floating, ...beyond] : [...(await byRouter()), ...beyond];
        }
        case 'peer': {
          if (peer?.kind === 'address') {
            const beyond = await Promise.all(routers.map((r) => outwards(facts, place, r, peer.address, traffic)));
            return [...(await byRouter()), ...beyond];
          }
          const pair = await facts.get(pairs, subject);
          return pair.ok ? towardsPeer(facts, subject, place, pair.value.value, routers, traffic, trace.everyWay) : [];
        }
      }
    };
    const pair = trace.inject && trace.other === 'peer' ? await facts.get(pairs, subject) : undefined;
    const injected = trace.inject
      ? await injectedLegs(facts, subject, place, to, pair?.ok ? pair.value.value : undefined, routers, traffic)
      : [];
    const planned = present([...(await legs()), ...injected]);
    return planned.length === 0
      ? err({
          kind: 'unsupported',
          because: `nothing of Neutron can send between ${nameOf(subject)} and ${trace.other === 'peer' ? (peer?.text ?? 'it') : trace.other}`,
        })
      : observed(planned, ...placed.value.evidence);
  },
);
