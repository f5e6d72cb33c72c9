import type { Leg } from '../../path/trace/observation.ts';
import type { Point } from '../../path/trace/point.ts';
import type { Store } from '../io.ts';
import type { Pair } from '../pair.ts';
import { type Placement, placement } from '../placement.ts';
import type { ServingRouter } from '../port-api.ts';
import type { PortSubject } from '../subject.ts';
import { nameOf, type PlannedLeg, present, type Traffic } from './leg.ts';
import { guestEnd, type NetworkEnd, pointsBetween } from './points.ts';
import { betweenRouterAnd } from './stretches.ts';
import { switchPortOf } from './switch-port.ts';

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
  const port = await switchPortOf(facts, place);
  if (port === undefined) return undefined;
  const { guest, ...rest } = far;
  return {
    from: 'port',
    addresses: [rest.to],
    ...(guest === undefined ? {} : { guest }),
    injected: { ...port, sourceMac: subject.port.value.mac_address, destinationMac: rest.mac },
    leg: {
      title: `in the name of ${nameOf(subject)} → ${rest.answerer.name}`,
      probe: { ...traffic, protocol: 'icmp', from, to: rest.to },
      sender: { host: place.host, port: `port ${port.port} of ${port.bridge}` },
      points: rest.points,
      answerer: rest.answerer,
    },
  };
}

/** What the instance itself would send towards the far end: to a neighbour, to its router, or through it. */
export async function injectedLegs(
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
