import { defineCheck, judged, notSeen } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { findingOf } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import type { HostCounters } from '../../facts/second-look.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { type CountedLeg, countedLegs } from '../../facts/trace/counted.ts';
import { fitOf, type Round } from '../../path/firewall/rises.ts';
import type { Stranger } from '../../path/firewall/strangers/stranger.ts';
import { strangersOf } from '../../path/firewall/strangers.ts';
import { strangersRule } from '../host/codes.ts';
import { countersOfRules, evidenceFor, risesOf } from '../host/rule-counters.ts';
import { countedAway } from '../path/codes.ts';
import { countedFinding, countersOf } from '../path/counted.ts';
import { deletingRule } from '../remedies.ts';
import { ownerName, portScope } from '../scope.ts';

const needs = {};
const optional = { counted: countedLegs };

/** A connection attempt is repeated after 1 s, and its answer after as long (RFC 6298): so often a packet may come in one round. */
const mostRepeats = 4;
/**
 * Of what a sender's own device drops on its way out it is told (ENOBUFS, net_xmit_errno in Linux include/linux/netdevice.h): ping tries
 * again at once without counting that (iputils ping_common.c, pinger), a connection every half second after the first (TCP_RESOURCE_PROBE_INTERVAL
 * in tcp_retransmit_timer).
 */
const mostRepeatsOfTold = 6;

/** Whether a rule's counter rose in both repetitions by about what was lost. */
function tookThem(rises: readonly number[] | undefined, rounds: readonly Round[], most: number): boolean {
  if (rises === undefined || rises.length !== rounds.length) return false;
  return rounds.every(({ lost: [lost = 0] }, at) => {
    const rise = rises[at] ?? 0;
    // A rule that rejects at once ends an attempt; flows are counted some hundred milliseconds late.
    return lost > 0 && rise >= Math.max(1, Math.floor(lost / 2)) && rise <= most * lost + 2;
  });
}

const verbs: Readonly<Record<Stranger['effect'], string>> = {
  drops: 'drops',
  rejects: 'rejects',
  diverts: 'diverts',
  degrades: 'drops',
};

/** As the check of the namespaces itself says it, so that one rule is one finding. */
function wordsOf({ run, trace }: CountedLeg['leg'], where: string): string {
  if (run.planned.server === undefined || !/^q(?:dhcp|router)-/.test(where)) return 'packets';
  const what = trace.probe.protocol === 'dhcp' ? 'DHCP' : 'metadata';
  return `${what} ${/ (?:OUTPUT|POSTROUTING) /.test(where) ? 'answers' : 'requests'}`;
}

function strangersAt(
  subject: PortSubject,
  counted: CountedLeg,
  host: string,
  readings: readonly HostCounters[],
): Finding[] {
  const last = readings.at(-1);
  if (last === undefined) return [];
  const { rounds, leg, packet } = counted;
  const most =
    leg.trace.stop?.after.at === 'sender' ? mostRepeatsOfTold : leg.trace.probe.protocol === 'tcp' ? mostRepeats : 1;
  const guest = leg.run.planned.guest ?? subject;
  return strangersOf(last.rules.rules, packet).flatMap((stranger): Finding[] => {
    const rises = risesOf(
      readings.map((r) => countersOfRules(r.rules)),
      stranger.key,
    );
    const evidence = evidenceFor(last.rules, stranger);
    // A flow that leads packets on counts whatever passes: that alone is no harm.
    const leadsOn = stranger.tool === 'ovs' && stranger.effect === 'diverts';
    if (evidence === undefined || leadsOn || !tookThem(rises, rounds, most)) return [];
    const lost = rounds.map((r) => r.lost.join()).join(' and ');
    return [
      findingOf(strangersRule, {
        summary: `${host} ${verbs[stranger.effect]} ${wordsOf(leg, stranger.where)} of ${ownerName(guest)} by a rule that Neutron did not make: ${stranger.where}`,
        subject: `rule ${stranger.where}@${host}`,
        scope: portScope(guest, { host: [host] }),
        confidence: stranger.certainty === 'certain' && stranger.matches === 'yes' ? 'certain' : 'likely',
        evidence: [
          showing(evidence, [
            `${stranger.where}  ${stranger.raw}`,
            `counter rose by ${(rises ?? []).join(' and ')} while ${lost} packets were lost at this place`,
          ]),
          leg.run.sent,
        ],
        remedies: [deletingRule(host, stranger.remove)],
        verify: leg.command,
      }),
    ];
  });
}

function countersAt(
  subject: PortSubject,
  counted: CountedLeg,
  host: string,
  readings: readonly HostCounters[],
): Finding[] {
  const { rounds, leg } = counted;
  const guest = leg.run.planned.guest ?? subject;
  const maps = readings.map((reading) => new Map(countersOf(reading).map((c) => [c.key, c])));
  return [...(maps.at(-1)?.values() ?? [])].flatMap((counter): Finding[] => {
    const rises = maps
      .slice(1)
      .map((reading, n) => (reading.get(counter.key)?.packets ?? 0) - (maps[n]?.get(counter.key)?.packets ?? 0));
    if (fitOf(rises, rounds, counter.perConnection) !== 'same') return [];
    const lost = rounds.map((r) => r.lost.join()).join(' and ');
    return [
      ...countedFinding(guest, {
        host,
        hosts: [host],
        counter,
        rises,
        lost: `${lost} packets were lost at this place`,
        proof: [leg.run.sent],
        verify: leg.command,
      }),
    ];
  });
}

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'trace.counted',
  per: 'port',
  title: 'No counter at the place where packets end rose by what was lost',
  needs,
  optional,
  findings: [strangersRule, countedAway],
  judge: ({ subject, maybe }) => {
    if (!maybe.counted.ok) return notSeen(maybe.counted.error);
    const found = maybe.counted.value.value.flatMap((counted) =>
      [...counted.readings].flatMap(([host, readings]) => {
        const strangers = strangersAt(subject, counted, host, readings);
        return strangers.length > 0 ? strangers : countersAt(subject, counted, host, readings);
      }),
    );
    return judged(
      found,
      'no counter at the place where packets end rose with the losses',
      maybe.counted.value.evidence.slice(0, 1),
    );
  },
});
