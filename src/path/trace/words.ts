import type {
  Trace,
  TraceExpectation,
  TraceLoss,
  TraceOffer,
  TracePlace,
  TracePoint,
  TraceWay,
} from '../../engine/trace.ts';
import type { Followed } from './follow.ts';
import { stationOf } from './station.ts';

type Facts = Omit<Trace, 'reading' | 'notes'>;

/** What came of a trace, in one sentence: where it stops, or that it does not. */
export function readingOf(trace: Facts): string {
  const { stop, early, sent, answered, answerer, probe } = trace;
  if (stop !== undefined) return `${stopWords(stop, trace)}${refusedWords(stop)}${hiddenWords(stop, trace)}.`;
  if (early !== undefined) {
    return `${probe.to} answers, and nothing of it was seen at ${list(early.silent, trace)}: behind ${pointWords(early.after, trace)} somebody else answers in place of ${answerer.name}.`;
  }
  if (sent === 0) return 'Nothing was sent.';
  if (trace.refuses === true) {
    const where = placeWords({ at: 'point', point: trace.points.length - 1, way: 'there' }, trace);
    return `${sentence(packets(sent, sent))} came to ${where}, and ${answerer.name} refused ${sent === 1 ? 'it' : 'them'}: nobody listens there.`;
  }
  const time = trace.roundTripUs === undefined ? '' : ` in ${timeWords(trace.roundTripUs)}`;
  if (probe.protocol === 'dhcp') {
    const [offer] = trace.offers ?? [];
    const one = Math.min(answered, sent) === 1;
    const what =
      offer?.address === undefined ? (one ? 'answer' : 'answers') : `${one ? 'offer' : 'offers'} of ${offer.address}`;
    return `${sentence(requests(Math.min(answered, sent), sent))} came to ${answerer.name}, and its ${what} to ${placeWords({ at: 'point', point: trace.points.findIndex((p) => p.only !== 'there'), way: 'back' }, trace)}${time}.`;
  }
  return `${sentence(packets(Math.min(answered, sent), sent))} went there and back${time}.`;
}

function stopWords(stop: TraceLoss, trace: Facts): string {
  const { answerer } = trace;
  if (stop.packet !== 'probe') return resolutionWords(stop, trace);
  const lost = packets(stop.lost, stop.of);
  if (stop.kind === 'answerer') {
    const came = `${sentence(packets(stop.of, stop.of))} reached ${placeWords(stop.after, trace)}`;
    if (stop.lost === stop.of) return `${came} and ${answerer.name} did not answer${mayBeSilent(trace)}`;
    return `${came} and ${answerer.name} did not answer ${stop.lost} of them${mayBeSilent(trace)}`;
  }
  if (stop.kind === 'turn') {
    const last =
      stop.after.at === 'sender' ? `left ${senderWords(trace)}` : `were seen at ${placeWords(stop.after, trace)}`;
    return `${sentence(lost)} ${last} and no answer to them ${notSeen(stop.before, trace)}: they do not reach ${answerer.name}, or its answers do not come out`;
  }
  const noun = stop.way === 'there' ? lost : lost.replace('packet', 'answer');
  const from =
    stop.after.at === 'sender' ? `sent by ${senderWords(trace)}` : `seen at ${placeWords(stop.after, trace)}`;
  const where = stop.way === 'back' && stop.after.at === 'point' ? `${from} on the way back` : from;
  const far = pointAt(stop.before, trace);
  if (far !== undefined && (far.watch === 'down' || far.watch === 'absent')) {
    return `${sentence(noun)} ${areOrIs(stop)} ${where} and went no further: ${placeWords(stop.before, trace)} ${far.watch === 'down' ? 'is down' : 'does not exist'}`;
  }
  return `${sentence(noun)} ${areOrIs(stop)} ${where} and never ${arrival(stop.before, trace)}`;
}

const areOrIs = (stop: TraceLoss): string => (stop.of === 1 ? 'was' : 'were');

const arrival = (place: TracePlace, trace: Facts): string =>
  place.at === 'sender' ? `came to ${senderWords(trace)}` : `at ${placeWords(place, trace)}`;

const notSeen = (place: TracePlace, trace: Facts): string =>
  place.at === 'sender' ? `came back to ${senderWords(trace)}` : `was seen at ${placeWords(place, trace)}`;

/** RFC 1122 4.1.3.1 asks for an answer from a closed port; from an open one nothing need come. */
const mayBeSilent = ({ probe }: Facts): string =>
  probe.protocol === 'udp' ? ' (an open UDP port need not answer)' : '';

function resolutionWords(stop: TraceLoss, trace: Facts): string {
  const held = 'The probe is held back by address resolution';
  if (stop.packet === 'is-at') {
    return `${held}: the answer to who-has was seen at ${placeWords(stop.after, trace)} and never at ${placeWords(stop.before, trace)}`;
  }
  const seen = `who-has was seen at ${placeWords(stop.after, trace)}`;
  if (stop.kind === 'answerer' || stop.kind === 'turn') {
    return `${held}: ${seen} and ${trace.answerer.name} did not say${stop.kind === 'turn' ? ', or was not asked' : ''}`;
  }
  if (stop.before.at === 'sender') return `${held}: ${seen} and ${senderWords(trace)} did not say`;
  return `${held}: ${seen} and never at ${placeWords(stop.before, trace)}`;
}

function refusedWords({ refused }: TraceLoss): string {
  if (refused === undefined) return '';
  const mtu = refused.mtu === undefined || refused.mtu === 0 ? '' : `, MTU ${refused.mtu}`;
  return `; ${refused.by} says: ${refused.says}${mtu}`;
}

/** What lies between the two places and could not be looked at. */
function hiddenWords({ blind, uncertain }: TraceLoss, trace: Facts): string {
  const parts = [
    ...(blind.length === 0 ? [] : [`${list(blind, trace)} in between could not be looked at`]),
    ...(uncertain.length === 0
      ? []
      : [
          `the silence of ${list(uncertain, trace)} is not counted, for the capture there lost ${uncertain.reduce((sum, p) => sum + (trace.points[p]?.dropped ?? 0), 0)} packets`,
        ]),
  ];
  return parts.map((part) => `; ${part}`).join('');
}

/** What else is worth knowing, a sentence each: the surest first. */
export function notesOf(trace: Facts, arp: Followed['arp']): string[] {
  return [
    ...expectedNotes(trace),
    ...(trace.offers ?? []).map((offer) => `${offerWords(offer)}.`),
    ...trace.misfits.map(
      (m) =>
        `Wrong ${misfitWords[m.what]} at ${pointWords(m.point, trace)} ${wayWords[m.way]}: ${m.seen}, should be ${m.expected}.`,
    ),
    ...trace.losses
      .filter((loss) => loss !== trace.stop && !isHeldBack(loss, trace))
      .map((loss) => `Also: ${uncapitalised(stopWords(loss, trace))}${refusedWords(loss)}.`),
    ...(trace.stop !== undefined && trace.early !== undefined
      ? [`Answers come, though nothing of it was seen at ${list(trace.early.silent, trace)}.`]
      : []),
    ...resolutionNotes(trace, arp),
    ...lookNotes(trace),
  ];
}

/** What is not lost but waits for address resolution. */
const isHeldBack = (loss: TraceLoss, { stop }: Facts): boolean =>
  stop !== undefined && stop.packet !== 'probe' && loss.lost === loss.of;

const misfitWords = { tunnel: 'tunnel', vni: 'VNI', endpoints: 'tunnel endpoints', tag: 'VLAN tag' } as const;
const wayWords: Readonly<Record<TraceWay, string>> = { there: 'on the way there', back: 'on the way back' };

/** What the configuration orders, where it is about the place that was found. */
function expectedNotes(trace: Facts): string[] {
  const { expected = [], stop, points, answered, sent } = trace;
  if (stop === undefined) {
    if (answered < sent || sent === 0) return [];
    return expected
      .filter((e) => e.verdict === 'dropped')
      .map((e) => `It should be dropped at ${pointWords(e.point, trace)}, and passes: ${e.because}.`);
  }
  const near = expected.filter((e) => isNear(e, stop, points.length));
  const drops = near.filter((e) => e.verdict === 'dropped');
  if (drops.length > 0) return drops.map((e) => `This is as it is ordered: ${e.because}.`);
  return expected
    .filter((e) => e.verdict === 'dropped')
    .map((e) => `It should be dropped at another place, ${pointWords(e.point, trace)}: ${e.because}.`);
}

/**
 * Whether an expectation is about one of the two ends of a stop, or what lies between them. What was seen at the last
 * point on its way there has passed all that is decided there.
 */
function isNear({ point, way = 'there' }: TraceExpectation, stop: TraceLoss, points: number): boolean {
  const at = stationOf({ at: 'point', point, way }, points, false);
  const from = stationOf(stop.after, points, false);
  return (from === points ? at > from : at >= from) && at <= stationOf(stop.before, points, true);
}

function resolutionNotes(trace: Facts, arp: Followed['arp']): string[] {
  const { stop, probe } = trace;
  if (stop === undefined || stop.packet !== 'probe' || probe.protocol === 'arp' || trace.sender.port !== undefined)
    return [];
  if (stop.after.at === 'sender' && stop.lost === stop.of) {
    const { asked, answered, addresses } = arp.there;
    if (asked === 0) return ['No who-has was seen either: nothing left the sender, or its neighbour entry stands.'];
    return answered > 0 ? [`who-has ${addresses.join(', ')} was answered: the probe itself does not leave.`] : [];
  }
  if (stop.kind === 'answerer' && arp.back.asked > 0 && arp.back.answered > 0) {
    return [`${trace.answerer.name} asked who-has ${arp.back.addresses.join(', ')} and was told.`];
  }
  return [];
}

function lookNotes(trace: Facts): string[] {
  const at = (some: (point: TracePoint) => boolean): number[] =>
    trace.points.flatMap((point, p) => (some(point) ? [p] : []));
  const overlooked = at((p) => p.there.overlooked + p.back.overlooked > 0);
  const dropping = at((p) => p.dropped > 0);
  const blind = new Map<string, number[]>();
  trace.points.forEach(({ watch, because }, p) => {
    if (watch === 'blind') blind.set(because ?? '', [...(blind.get(because ?? '') ?? []), p]);
  });
  return [
    ...overlooked.map((p) => {
      const point = trace.points[p];
      const missed = (point?.there.overlooked ?? 0) + (point?.back.overlooked ?? 0);
      const why =
        point?.watch === 'down' || point?.watch === 'absent' ? `, which is ${point.watch}: they take another way` : '';
      return `${missed === 1 ? '1 packet was' : `${missed} packets were`} overlooked at ${pointWords(p, trace)}${why}: seen further on.`;
    }),
    ...dropping.map(
      (p) =>
        `The capture at ${pointWords(p, trace)} lost ${trace.points[p]?.dropped ?? 0} packets: its silence proves nothing.`,
    ),
    ...[...blind].map(([why, points]) => `Could not look at ${list(points, trace)}${why === '' ? '' : `: ${why}`}.`),
  ];
}

/** `all 5 packets`, `2 of 5 packets`, `the packet`. */
function packets(some: number, all: number): string {
  if (some < all) return `${some} of ${all} packets`;
  return all === 1 ? 'the packet' : `all ${all} packets`;
}

const requests = (some: number, all: number): string => packets(some, all).replace('packet', 'request');

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const uncapitalised = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** `tap5652dd5f-cd on cmp1`, `qr-7602a039-1a in qrouter-… on net1`. */
export function pointWords(index: number, { points }: Pick<Trace, 'points'>): string {
  const point = points[index];
  if (point === undefined) return `point ${index}`;
  return `${point.device}${point.netns === undefined ? '' : ` in ${point.netns}`} on ${point.host}`;
}

const placeWords = (place: TracePlace, trace: Facts): string =>
  place.at === 'point'
    ? pointWords(place.point, trace)
    : place.at === 'sender'
      ? senderWords(trace)
      : trace.answerer.name;

const senderWords = ({ sender }: Facts): string => {
  const inside = sender.netns ?? sender.port;
  return inside === undefined ? sender.host : `${inside} on ${sender.host}`;
};

const pointAt = (place: TracePlace, { points }: Facts): TracePoint | undefined =>
  place.at === 'point' ? points[place.point] : undefined;

/** `10.0.0.2 offers 10.0.0.22, router 10.0.0.1, MTU 1450, lease 86400 s`. */
export function offerWords(offer: TraceOffer): string {
  const { server, address, router, nameServers, mtu, leaseSeconds, routes } = offer;
  return [
    address === undefined ? `${server} offers no address` : `${server} offers ${address}`,
    ...(router === undefined ? [] : [`router ${router}`]),
    ...(nameServers.length === 0 ? [] : [`name server ${nameServers.join(' ')}`]),
    ...(mtu === undefined ? [] : [`MTU ${mtu}`]),
    ...(leaseSeconds === undefined ? [] : [`lease ${leaseSeconds} s`]),
    ...routes,
  ].join(', ');
}

/** `tap1 and tap2 on cmp1`: the host once where it is the same. */
function list(indices: readonly number[], trace: Facts): string {
  const hosts = new Set(indices.map((p) => trace.points[p]?.host));
  const names = indices.map((p) => (hosts.size === 1 ? (trace.points[p]?.device ?? '') : pointWords(p, trace)));
  const [host] = hosts;
  return `${joined(names)}${hosts.size === 1 && host !== undefined ? ` on ${host}` : ''}`;
}

const joined = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

/** `8 µs`, `0.31 ms`, `1.4 ms`, `1.2 s`. */
export function timeWords(us: number): string {
  if (us < 1) return '<1 µs';
  if (us < 99.5) return `${Math.round(us)} µs`;
  if (us < 995) return `${(us / 1000).toFixed(2)} ms`;
  if (us < 99_950) return `${(us / 1000).toFixed(1)} ms`;
  return us < 999_500 ? `${Math.round(us / 1000)} ms` : `${(us / 1e6).toFixed(1)} s`;
}
