import type { Trace, TraceCount, TraceExpectation, TraceOffer, TracePoint } from '../../engine/trace.ts';
import type { Followed, Row } from './follow.ts';
import type { Observation, Watch } from './observation.ts';
import { innerOf } from './packets.ts';
import type { Point, Wearing } from './point.ts';
import { notesOf, readingOf } from './words.ts';

/** What a report shows of a followed probe: plain JSON, times in µs, with its reading in words. */
export function traceOf(
  observation: Observation,
  followed: Followed,
  expected?: readonly TraceExpectation[],
  offers?: readonly TraceOffer[],
): Trace {
  const { leg, watches } = observation;
  const [clock = leg.sender.host] = followed.offsets.keys();
  const corrected = (host: string, at: bigint): bigint | undefined => {
    const ahead = followed.offsets.get(host);
    return ahead === undefined ? undefined : at - ahead;
  };
  const start = [...followed.there, ...followed.back].reduce<bigint | undefined>((least, { point, first }) => {
    const at = first === undefined ? undefined : corrected(leg.points[point]?.host ?? '', first);
    return at === undefined || (least !== undefined && least <= at) ? least : at;
  }, undefined);
  const count = (row: Row | undefined, host: string): TraceCount => {
    const since = (at: bigint | undefined): number | undefined => {
      const when = at === undefined ? undefined : corrected(host, at);
      return when === undefined || start === undefined ? undefined : micros(when - start);
    };
    const firstUs = since(row?.first);
    const lastUs = since(row?.last);
    return {
      seen: row?.seen ?? 0,
      of: row?.of ?? 0,
      overlooked: row?.overlooked ?? 0,
      ...(row?.transit === undefined ? {} : { transitUs: micros(row.transit) }),
      ...(firstUs === undefined ? {} : { firstUs }),
      ...(lastUs === undefined ? {} : { lastUs }),
      asked: row?.asked ?? 0,
      told: row?.told ?? 0,
    };
  };
  const there = new Map(followed.there.map((row) => [row.point, row]));
  const back = new Map(followed.back.map((row) => [row.point, row]));
  const facts: Omit<Trace, 'reading' | 'notes'> = {
    title: leg.title,
    probe: {
      protocol: leg.probe.protocol,
      from: leg.probe.from,
      to: leg.probe.to,
      ...(leg.probe.port === undefined ? {} : { port: leg.probe.port }),
      size: leg.probe.size,
    },
    sender: {
      host: leg.sender.host,
      ...(leg.sender.netns === undefined ? {} : { netns: leg.sender.netns }),
      ...(leg.sender.port === undefined ? {} : { port: leg.sender.port }),
    },
    answerer: { kind: leg.answerer.kind, name: leg.answerer.name },
    sent: observation.sent,
    answered: observation.answered,
    points: leg.points.map((point, p) => ({
      ...pointOf(point, watches[p]),
      there: count(there.get(p), point.host),
      back: count(back.get(p), point.host),
    })),
    ...(expected === undefined ? {} : { expected }),
    ...(followed.stop === undefined ? {} : { stop: followed.stop }),
    losses: followed.losses,
    changes: followed.changes,
    misfits: followed.misfits,
    ...(refusesAll(observation, followed) ? { refuses: true } : {}),
    ...(offers === undefined ? {} : { offers }),
    ...(followed.early === undefined ? {} : { early: followed.early }),
    clock,
    clocks: [...followed.offsets].flatMap(([host, ahead]) =>
      host === clock ? [] : [{ host, aheadUs: micros(ahead) }],
    ),
    ...(followed.roundTrip === undefined ? {} : { roundTripUs: micros(followed.roundTrip) }),
    ...(followed.turnaround === undefined ? {} : { turnaroundUs: micros(followed.turnaround) }),
  };
  return { ...facts, reading: readingOf(facts), notes: [...notesOf(facts, followed.arp), ...(leg.limits ?? [])] };
}

/**
 * A reset from the answerer itself to every packet. Of a guest that is an answer like any other; what Neutron
 * runs in a namespace should not give it.
 */
const refusesAll = ({ leg, sightings }: Observation, { stop }: Followed): boolean => {
  const answers = sightings.filter((s) => s.way === 'back' && s.sequence > 0);
  return (
    leg.answerer.kind === 'namespace' &&
    leg.probe.protocol === 'tcp' &&
    stop === undefined &&
    answers.length > 0 &&
    answers.every(({ layers }) => isReset(layers))
  );
};

const isReset = (layers: Observation['sightings'][number]['layers']): boolean => {
  const { transport } = innerOf(layers);
  return transport?.layer === 'tcp' && transport.flags?.includes('rst') === true;
};

const micros = (ns: bigint): number => Number(ns) / 1000;

function pointOf(point: Point, watch: Watch | undefined): Omit<TracePoint, 'there' | 'back'> {
  const wears = wearsWords(point.wears);
  return {
    host: point.host,
    ...(point.netns === undefined ? {} : { netns: point.netns }),
    device: point.device,
    ...(wears === undefined ? {} : { wears }),
    ...(point.only === undefined ? {} : { only: point.only }),
    watch: watch?.kind ?? 'blind',
    ...(watch?.kind === 'blind' ? { because: watch.why } : {}),
    dropped: watch?.kind === 'watched' ? watch.dropped : 0,
  };
}

function wearsWords(wears: Wearing): string | undefined {
  switch (wears.kind) {
    case 'plain':
      return undefined;
    case 'vlan':
      return `vlan ${wears.id}`;
    case 'tunnel':
      return [
        wears.vni === undefined ? wears.by : `${wears.by} ${wears.vni}`,
        ...(wears.vniBack === undefined ? [] : [`back ${wears.vniBack}`]),
      ].join(', ');
  }
}
