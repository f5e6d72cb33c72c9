import type { Evidence } from '../../engine/evidence.ts';
import { type FactResult, observed } from '../../engine/fact.ts';
import type { FactFailure } from '../../engine/failure.ts';
import { err } from '../../engine/result.ts';
import type { TraceOffer } from '../../engine/trace.ts';
import type { Command } from '../../nodes/command.ts';
import { captureFilter } from '../../path/trace/filter.ts';
import { isSilenceSure } from '../../path/trace/losses.ts';
import type { Observation } from '../../path/trace/observation.ts';
import { sortPackets } from '../../path/trace/packets.ts';
import { nameOfPoint, passes } from '../../path/trace/point.ts';
import { commandEvidence, probesOff, type Store, showing, source } from '../io.ts';
import type { PortSubject } from '../subject.ts';
import { captureCommand, numbered, seenIn, snapOf, watchOf } from './captures.ts';
import type { PlannedLeg } from './leg.ts';
import { traceLegs } from './legs.ts';
import { lettersOf, markOf, transactionOf } from './mark.ts';
import { type Answer, offersOf } from './offers.ts';
import { probeSeconds, send } from './send.ts';

/** One stretch as it went. */
export interface LegRun {
  readonly planned: PlannedLeg;
  readonly observation: Observation;
  /** Of a DHCP probe: what any server answered. */
  readonly offers?: readonly TraceOffer[];
  /** What was sent, and each point's capture in the order of the points (absent where it could not be run). */
  readonly sent: Evidence;
  readonly captures: readonly (Evidence | undefined)[];
}

export interface TraceRuns {
  readonly runs: readonly LegRun[];
  readonly notSent: readonly { readonly planned: PlannedLeg; readonly failure: FactFailure }[];
  /** Bytes of packets that came from the nodes. */
  readonly bytes: number;
}

/**
 * Nobody counts answers to what was sent in an instance's name: those that came to the point nearest to it that could be looked at are. Who
 * refuses a packet on its way does not answer it.
 */
function answersAtHand(observation: Observation): number {
  const { leg, watches } = observation;
  const nearest = leg.points.findIndex((point, p) => passes(point, 'back') && isSilenceSure(watches[p]));
  return sortPackets(observation).packets.back[nearest]?.size ?? 0;
}

/** Answers do not come to whoever sent: to what was put in at a port, or asked in the name of somebody else. */
const goesElsewhere = ({ from, client }: PlannedLeg): boolean => from === 'port' || client !== undefined;

/** All captures first; the probes when every host says that its captures listen; and an end as soon as the probes are over. */
async function follow(facts: Store, legs: readonly PlannedLeg[], round: string): Promise<TraceRuns> {
  const over = new AbortController();
  // They are sent at the same time.
  const seconds = Math.max(...legs.map(({ leg }) => probeSeconds(leg.probe)));
  const captures = legs.map((planned) =>
    planned.leg.points.map((point) => {
      const mark = lettersOf(markOf(planned));
      const filter = captureFilter(point.wears, {
        addresses: planned.addresses,
        protocol: planned.leg.probe.protocol,
        ...(planned.leg.probe.port === undefined ? {} : { port: planned.leg.probe.port }),
        mark: planned.leg.probe.protocol === 'dhcp' ? transactionOf(planned, 0) : Buffer.from(mark).readUInt32BE(0),
      });
      const command = captureCommand(
        point,
        filter,
        round,
        facts.io.options.trace?.whole === true,
        seconds,
        snapOf(planned),
      );
      return { command, answer: facts.io.nodes.run(point.host, command, { enough: over.signal }) };
    }),
  );
  const hosts = [...new Set(legs.flatMap((planned) => planned.leg.points.map((p) => p.host)))];
  // It is answered when the captures of its batch listen.
  const ready: Command = { argv: ['date', '+%s.%N'], impact: 'read', round: `${round} listening` };
  await Promise.all(hosts.map((host) => facts.io.nodes.run(host, ready)));
  const sent = await Promise.all(legs.map((planned) => send(facts, planned, round)));
  over.abort();
  let bytes = 0;
  const runs: LegRun[] = [];
  const notSent: { planned: PlannedLeg; failure: FactFailure }[] = [];
  for (const [at, planned] of legs.entries()) {
    const outcome = sent[at];
    const results = await Promise.all((captures[at] ?? []).map(({ answer }) => answer));
    if (outcome === undefined) continue;
    if (!outcome.ok) {
      notSent.push({ planned, failure: outcome.error });
      continue;
    }
    const watches = results.map((result) => watchOf(result));
    const answers: Answer[] = [];
    const seen = results.flatMap((result, point) => {
      if (!result.ok) return [];
      const found = seenIn(planned, point, result.value.stdout);
      bytes += found.bytes;
      answers.push(...found.answers);
      return found.seen;
    });
    const sightings = numbered(planned, seen);
    const { sent: number, answered } = outcome.value;
    const observation: Observation = { leg: planned.leg, watches, sightings, sent: number, answered };
    runs.push({
      planned,
      observation: goesElsewhere(planned) ? { ...observation, answered: answersAtHand(observation) } : observation,
      ...(planned.leg.probe.protocol === 'dhcp' ? { offers: offersOf(answers) } : {}),
      sent: outcome.value.evidence,
      captures: results.map((result, point) => {
        const command = captures[at]?.[point]?.command;
        const place = planned.leg.points[point];
        if (!result.ok || command === undefined || place === undefined) return undefined;
        const there = sightings.filter((s) => s.point === point && s.sequence > 0 && s.way === 'there').length;
        const back = sightings.filter((s) => s.point === point && s.sequence > 0 && s.way === 'back').length;
        return showing(
          commandEvidence(place.host, command, result.value),
          `${nameOfPoint(place)}: ${there} packets there, ${back} back`,
        );
      }),
    });
  }
  return { runs, notSent, bytes };
}

/** The probes of a trace, and where their packets were seen. */
export const traceRuns = source<PortSubject, TraceRuns>(
  'trace.runs',
  (subject) => subject.id,
  async (subject, facts): Promise<FactResult<TraceRuns>> => {
    if (!facts.io.options.mayProbe) return err(probesOff);
    if (!facts.io.options.mayCapture) return err({ kind: 'unsupported', because: 'captures are off' });
    const legs = await facts.get(traceLegs, subject);
    if (!legs.ok) return legs;
    const found = await follow(facts, legs.value.value, 'trace');
    return observed(found, ...found.runs.map((r) => r.sent));
  },
);
