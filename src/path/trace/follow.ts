import type { TraceChange, TraceLoss, TraceMisfit, TraceWay } from '../../engine/trace.ts';
import { changesOf, inOrder, misfitsOf } from './changes.ts';
import { clockOffsets, median, transits } from './clocks.ts';
import { answeredBefore, furthest, lossesOf, overlookedOf, stationsOf, worstOf } from './losses.ts';
import type { Leg, Observation, Sighting, Watch } from './observation.ts';
import { type Packets, sortPackets } from './packets.ts';
import { passes } from './point.ts';
import { failedResolution, resolutions } from './resolution.ts';

/** What was seen at one point on one way. Times in ns. */
export interface Row {
  /** Index into `leg.points`. */
  readonly point: number;
  readonly watch: Watch;
  /** Different packets, and how many there could have been: all that were sent; back, all that turned. */
  readonly seen: number;
  readonly of: number;
  /** Packets that were not seen here though they were later on: they did pass. */
  readonly overlooked: number;
  /** Median time from the point before (`since`) that saw some of the same packets; absent where clocks differ by an unknown amount. */
  readonly transit?: bigint;
  readonly since?: number;
  /** Of the first and the last packet, by the clock of the point's host. */
  readonly first?: bigint;
  readonly last?: bigint;
  /** Questions and answers of the address resolution that this way needs. */
  readonly asked: number;
  readonly told: number;
}

export interface Followed {
  /** In the order in which a packet meets the points: back begins at the answerer. */
  readonly there: readonly Row[];
  readonly back: readonly Row[];
  /** Where it stops; `losses` are all places at which packets of the probe are lost. */
  readonly stop?: TraceLoss;
  readonly losses: readonly TraceLoss[];
  /** Address resolution for each way: how many frames were seen at the point that saw most. */
  readonly arp: Readonly<
    Record<TraceWay, { readonly asked: number; readonly answered: number; readonly addresses: readonly string[] }>
  >;
  /** Answers come, and the points behind `after` saw nothing of it: somebody answers in the answerer's place. */
  readonly early?: { readonly after: number; readonly silent: readonly number[] };
  /** ns that each host's clock is ahead of the sender's, or of the first host that saw anything: the first in the map. */
  readonly offsets: ReadonlyMap<string, bigint>;
  readonly changes: readonly TraceChange[];
  readonly misfits: readonly TraceMisfit[];
  /** Medians: from leaving to coming back at the first point that saw both; and at the last one, how long the answerer took. */
  readonly roundTrip?: bigint;
  readonly turnaround?: bigint;
}

/**
 * Follows a probe through the points of its leg, both ways: what each point saw, what changed, and the first place at
 * which packets surely were and the next at which they surely were not. Pure; the order of sightings does not matter.
 */
export function follow(observation: Observation): Followed {
  const { leg, watches } = observation;
  const sorted = sortPackets(observation);
  const { packets, numbers, refusals } = sorted;
  const stations = stationsOf(watches, leg.points);
  const reached = furthest(sorted, stations, observation.answered);
  const losses = lossesOf(reached, stations, refusals);
  const worst = worstOf(losses);
  const resolved = resolutions(observation);
  const stop = worst === undefined ? undefined : (failedResolution(observation, resolved, worst) ?? worst);
  const early = answeredBefore(reached, packets, watches, stations.answerer);
  const overlooked = overlookedOf(
    reached,
    packets,
    watches,
    leg.points,
    early === undefined ? watches.length : early.after + 1,
  );
  const offsets = clockOffsets(leg, packets);
  const turned = [...reached.values()].filter((at) => at > stations.answerer).length;
  const rows = (way: TraceWay): Row[] =>
    inOrder(way, leg.points).map((point, position, order) => {
      const seen = packets[way][point] ?? new Map<number, Sighting>();
      const times = [...seen.values()].map((s) => s.at).sort(byTime);
      const first = times[0];
      const last = times.at(-1);
      return {
        point,
        watch: watches[point] ?? { kind: 'blind', why: 'nothing was started here' },
        seen: seen.size,
        of: !passes(leg.points[point], way) ? 0 : way === 'there' ? numbers.length : turned,
        overlooked: overlooked[way][point] ?? 0,
        ...transitTo(point, order.slice(0, position), leg, packets[way], offsets),
        ...(first === undefined || last === undefined ? {} : { first, last }),
        asked: resolved[way].asked[point] ?? 0,
        told: resolved[way].told[point] ?? 0,
      };
    });
  const counted = leg.probe.protocol === 'arp';
  const bothWays = leg.points.flatMap((_, p) => {
    const time = median(transits(packets.there[p], packets.back[p], counted));
    return time === undefined ? [] : [time];
  });
  // An answer that goes elsewhere than its question came from has no round trip.
  const roundTrip = leg.points.some((point) => point.only === 'there') ? undefined : bothWays[0];
  const turnaround = early === undefined ? bothWays.at(-1) : undefined;
  const most = (way: TraceWay): Followed['arp'][TraceWay] => ({
    asked: Math.max(0, ...resolved[way].asked),
    answered: Math.max(0, ...resolved[way].told),
    addresses: resolved[way].addresses,
  });
  return {
    there: rows('there'),
    back: rows('back'),
    ...(stop === undefined ? {} : { stop }),
    losses,
    arp: { there: most('there'), back: most('back') },
    ...(early === undefined ? {} : { early }),
    offsets,
    changes: changesOf(leg, packets),
    misfits: misfitsOf(leg, observation.sightings),
    ...(roundTrip === undefined ? {} : { roundTrip }),
    ...(turnaround === undefined ? {} : { turnaround }),
  };
}

const byTime = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

function transitTo(
  point: number,
  before: readonly number[],
  { points, probe }: Leg,
  seen: Packets[TraceWay],
  offsets: ReadonlyMap<string, bigint>,
): Pick<Row, 'transit' | 'since'> {
  const here = seen[point];
  if (here === undefined || here.size === 0) return {};
  const counted = probe.protocol === 'arp';
  const since = before.findLast((p) => transits(seen[p], here, counted).length > 0);
  if (since === undefined) return {};
  const time = median(transits(seen[since], here, counted));
  const ahead = aheadOf(points[point]?.host, points[since]?.host, offsets);
  return time === undefined || ahead === undefined ? {} : { transit: time - ahead, since };
}

/** ns that one host's clock is ahead of another's; undefined where nothing tells. */
function aheadOf(
  host: string | undefined,
  other: string | undefined,
  offsets: ReadonlyMap<string, bigint>,
): bigint | undefined {
  if (host === undefined || other === undefined) return undefined;
  if (host === other) return 0n;
  const [a, b] = [offsets.get(host), offsets.get(other)];
  return a === undefined || b === undefined ? undefined : a - b;
}
