import { type FactResult, observed } from '../../engine/fact.ts';
import { err } from '../../engine/result.ts';
import type { TracePoint } from '../../engine/trace.ts';
import type { Packet } from '../../path/firewall/packet.ts';
import type { Round } from '../../path/firewall/rises.ts';
import { isLost, isOrdered } from '../../path/trace/verdict.ts';
import { hostOvs } from '../host.ts';
import { type Store, source } from '../io.ts';
import { countersOf, type HostCounters } from '../second-look.ts';
import type { PortSubject } from '../subject.ts';
import { type FollowedLeg, followedLegs } from './followed.ts';
import { packetOf, putIn } from './frames.ts';
import { sendAgain } from './send.ts';

/** A stretch that lost packets, sent over twice more between readings of all counters of the hosts at the place where it stops. */
export interface CountedLeg {
  readonly leg: FollowedLeg;
  /** One reading before, one between and one after the two repetitions, by host. */
  readonly readings: ReadonlyMap<string, readonly HostCounters[]>;
  readonly rounds: readonly Round[];
  /** The lost packet as its last point saw it. */
  readonly packet: Packet | undefined;
}

/** Added to the second repetition, so that what merely counts along at its own pace does not fit both. */
const more = 2;

/** Both ends of the edge at which it stops; a namespace of the sender belongs to its host. */
function edgeHosts({ trace }: FollowedLeg): string[] {
  const { stop, points, sender } = trace;
  if (stop === undefined) return [];
  const hosts = [stop.after, stop.before].flatMap((place) =>
    place.at === 'point'
      ? (points[place.point]?.host ?? [])
      : place.at === 'sender' && (sender.netns !== undefined || sender.port !== undefined)
        ? sender.host
        : [],
  );
  return [...new Set(hosts)];
}

/**
 * Points whose namespaces may take what is lost. Where question and answer go different ways, what counts on the one says nothing of the
 * other.
 */
function near({ trace }: FollowedLeg): readonly TracePoint[] {
  const { stop, points } = trace;
  if (stop === undefined || points.every((p) => p.only !== 'there')) return points;
  return [stop.after, stop.before].flatMap((place) => (place.at === 'point' ? (points[place.point] ?? []) : []));
}

async function count(facts: Store, leg: FollowedLeg): Promise<CountedLeg | undefined> {
  const hosts = edgeHosts(leg);
  const places = await Promise.all(
    hosts.map(async (host) => {
      const ovs = await facts.get(hostOvs, host);
      const namespaces = near(leg).flatMap((p) => (p.host === host && p.netns !== undefined ? [p.netns] : []));
      return {
        host,
        namespaces: [...new Set(namespaces)],
        bridges: ovs.ok ? ovs.value.value.bridges.map((b) => b.name) : [],
      };
    }),
  );
  const read = async (round: string): Promise<(HostCounters | undefined)[]> =>
    Promise.all(places.map((place) => countersOf(facts, place, `trace ${round}`)));
  const before = await read('before');
  const first = await sendAgain(facts, leg.run.planned, 'again', 0);
  const between = await read('between');
  const second = await sendAgain(facts, leg.run.planned, 'once more', more);
  const after = await read('after');
  if (!first.ok || !second.ok) return undefined;
  const readings = new Map(
    hosts.flatMap((host, at) => {
      const all = [before[at], between[at], after[at]].filter((one) => one !== undefined);
      return all.length === 3 ? [[host, all] as const] : [];
    }),
  );
  const { stop } = leg.trace;
  const place = stop?.after;
  const seen = leg.run.observation.sightings.find(
    (s) => place?.at === 'point' && s.point === place.point && s.way === place.way && s.sequence > 0,
  );
  return {
    leg,
    readings,
    rounds: [first.value, second.value].map(({ sent, answered }) => ({
      sent: [sent],
      lost: [Math.max(0, sent - answered)],
    })),
    packet: packetOf(seen?.layers ?? (place?.at === 'sender' ? putIn(leg.run.planned) : undefined) ?? []),
  };
}

/** Asked only where packets were lost that nobody ordered to be. */
export const countedLegs = source<PortSubject, readonly CountedLeg[]>(
  'trace.counted',
  (subject) => subject.id,
  async (subject, facts): Promise<FactResult<readonly CountedLeg[]>> => {
    const legs = await facts.get(followedLegs, subject);
    if (!legs.ok) return legs;
    const lost = legs.value.value.filter(({ trace }) => trace.stop !== undefined && isLost(trace) && !isOrdered(trace));
    if (lost.length === 0) return err({ kind: 'unsupported', because: 'no packet was lost' });
    const counted: CountedLeg[] = [];
    // One after the other: each is to meet its own packets only.
    for (const leg of lost) {
      const found = await count(facts, leg);
      if (found !== undefined) counted.push(found);
    }
    return observed(counted, ...lost.map(({ run }) => run.sent));
  },
);
