import { blocked, defineCheck, judged } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { Confidence, Finding } from '../../engine/finding.ts';
import { findingOf } from '../../engine/finding-of.ts';
import { asked } from '../../facts/asked.ts';
import { type Io, type ProbeOption, showing } from '../../facts/io.ts';
import { placement } from '../../facts/placement.ts';
import { floatingIps, servingRouters } from '../../facts/port-api.ts';
import { pathRules, type RulesOfHost } from '../../facts/rules.ts';
import { type SecondLook, secondLook } from '../../facts/second-look.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { deviceName, parseAddress } from '../../path/addresses.ts';
import type { Packet } from '../../path/firewall/packet.ts';
import { fitOf, type Round } from '../../path/firewall/rises.ts';
import type { Stranger } from '../../path/firewall/strangers/stranger.ts';
import { strangersOf } from '../../path/firewall/strangers.ts';
import { deletingRule } from '../remedies.ts';
import { ownerName, portScope, verifyWith } from '../scope.ts';
import { shaped, strangerIdle, strangersRule } from './codes.ts';
import { probesOf } from './probes.ts';
import { countersOfRules, evidenceFor, readingsOf, risesOf, roundsOf } from './rule-counters.ts';

const needs = { placement, rules: pathRules, asked };
const optional = { look: secondLook, routers: servingRouters, floating: floatingIps };

/** TCP and UDP that was asked about, as it would come to the tap: nobody sends it, so only a sure match counts. */
const wantedOf = (subject: PortSubject, probes: readonly ProbeOption[], from: string | undefined): Packet[] =>
  subject.port.value.fixed_ips.flatMap((f) =>
    probes.flatMap((p): Packet[] => {
      const family = parseAddress(f.ip_address)?.family ?? 4;
      if (p.protocol === 'icmp' || p.port === undefined) return [];
      return [
        {
          family,
          protocol: p.protocol,
          destination: f.ip_address,
          destinationMac: subject.port.value.mac_address,
          destinationPort: p.port,
          bridgeOut: deviceName('tap', subject.id),
          ...(from === undefined || parseAddress(from) === undefined ? {} : { source: from }),
        },
      ];
    }),
  );

interface Suspect {
  readonly host: string;
  readonly stranger: Stranger;
  readonly taken: Taken;
  readonly rises: readonly number[];
  readonly evidence: Evidence;
}

/**
 * Did the rule take packets of this run? certain: it surely takes our probes, and counted in every repetition. likely: it rose by what was
 * lost both times, or it keeps no count and surely takes what was lost. possible: it rose, and nothing speaks against it. no: the rest.
 */
type Taken = 'certain' | 'likely' | 'possible' | 'no';

function takenBy(
  stranger: Stranger,
  rises: readonly number[] | undefined,
  rounds: readonly Round[],
  ours: boolean,
): Taken {
  const lost = rounds.some((r) => r.lost.some((n) => n > 0));
  const sure = stranger.matches === 'yes' && (stranger.effect === 'drops' || stranger.effect === 'rejects');
  if (rises === undefined) return sure && lost ? 'likely' : 'no';
  const fit = fitOf(rises, rounds, / nat /.test(` ${stranger.where} `));
  if (stranger.matches === 'yes' && fit !== 'none') return 'certain';
  if (fit === 'none') return 'no';
  // What stands on a device of this port alone meets nobody else's packets; ARP beside the pings keeps the number from being the same.
  if ((fit === 'same' || (ours && lost)) && rounds.length > 1) return 'likely';
  if (rounds.length < 2) return 'possible';
  // Flows are counted some hundred milliseconds late (ovs-vswitchd's revalidators): the numbers need not be the same.
  const near = rounds.every(({ lost: of, sent }, at) => {
    const rise = rises[at] ?? 0;
    return rise >= Math.min(...of) / 2 && rise <= 2 * sent.reduce((sum, n) => sum + n, 0);
  });
  // A flow that leads packets on counts whatever passes: that alone is no harm.
  return stranger.tool === 'ovs' && stranger.effect === 'drops' && near ? 'possible' : 'no';
}

const trust: Readonly<Record<Taken, number>> = { certain: 0, likely: 1, possible: 2, no: 3 };

const confidenceOf = (taken: Taken, stranger: Stranger): Confidence => {
  if (taken === 'no' || taken === 'possible') return 'possible';
  return taken === 'certain' && stranger.certainty === 'certain' ? 'certain' : 'likely';
};

/** Disciplines that limit or spoil rather than cut off. */
const shapers = new Set(['tbf', 'htb', 'hfsc', 'cbq', 'netem', 'plug']);

/** The device of a tc stranger: `tc DEVICE root`, `NAMESPACE tc DEVICE root`. */
const deviceOf = (stranger: Stranger): string => /(?:^|\s)tc (\S+)/.exec(stranger.where)?.[1] ?? '';

/** What the API calls the limits of bandwidth that Neutron lays on a port. */
const limited = (subject: PortSubject): boolean => Boolean(subject.port.value.qos_policy_id);

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'host.strangers',
  per: 'port',
  title: 'No rule that Neutron did not make takes packets of the instance',
  needs,
  optional,
  findings: [strangersRule, strangerIdle, shaped],
  judge: ({ subject, facts, maybe }) => {
    const look: SecondLook | undefined = maybe.look.ok ? maybe.look.value.value : undefined;
    const rounds = look === undefined ? [] : roundsOf(look);
    const { host: compute, backend, bound, segment } = facts.placement.value;
    const devices = backend.attachment(bound, segment);
    const tunnelBy = backend.tunnel(segment)?.by;
    const onPath = new Set([...devices.map((d) => d.name), ...(tunnelBy?.kind === 'device' ? [tunnelBy.device] : [])]);
    const probes = probesOf(subject, {
      compute,
      bridged: devices.some((d) => d.role === 'tap' && d.in?.driver === 'linux'),
      routers: maybe.routers.ok ? maybe.routers.value.value : [],
      floating: maybe.floating.ok ? maybe.floating.value.value.map((f) => f.floating_ip_address) : [],
    });
    const suspects: Suspect[] = [];
    for (const [host, now] of facts.rules.value) {
      const rules: RulesOfHost = look?.after.get(host)?.rules ?? now;
      const readings = look === undefined ? [] : readingsOf(look, host, (c) => countersOfRules(c.rules));
      for (const { place, packets } of probes.at(host, rules)) {
        for (const stranger of packets.flatMap((packet) => strangersOf(place, packet))) {
          const known = suspects.findIndex(
            (s) => s.host === host && s.stranger.key === stranger.key && s.stranger.raw === stranger.raw,
          );
          if (stranger.matches === 'no') continue;
          const evidence = evidenceFor(rules, stranger);
          if (evidence === undefined) continue;
          const rises =
            look === undefined || readings.length !== rounds.length + 1 ? undefined : risesOf(readings, stranger.key);
          const shaper = shapers.has(stranger.target);
          const counted = rises !== undefined || look === undefined;
          let taken = takenBy(stranger, rises, rounds, stranger.tool === 'tc' && onPath.has(deviceOf(stranger)));
          if (shaper) {
            // Another instance's limit rises with that instance's own traffic.
            const busy =
              rises?.every((r) => r > 0) === true && look?.repeated.some((r) => r.first.what === 'instance') === true;
            const own = onPath.has(deviceOf(stranger)) && !limited(subject);
            // A limit that has lost packets before, and now slows them only, is what to look at while pings are lost.
            const worn = look !== undefined && stranger.packets > 0;
            taken = !own ? 'no' : busy ? 'likely' : worn ? 'possible' : 'no';
          } else if (!counted && stranger.certainty === 'possible') taken = 'no';
          const suspect: Suspect = { host, stranger, taken, rises: rises ?? [], evidence };
          const before = suspects[known];
          if (before === undefined) suspects.push(suspect);
          else if (
            trust[taken] < trust[before.taken] ||
            (before.stranger.matches !== 'yes' && stranger.matches === 'yes' && before.taken === taken)
          )
            suspects[known] = suspect;
        }
      }
    }
    const standing = facts.rules.value.get(compute);
    for (const packet of wantedOf(subject, facts.asked.value.probes, facts.asked.value.from)) {
      for (const stranger of standing === undefined ? [] : strangersOf(standing.rules, packet)) {
        const evidence = standing === undefined ? undefined : evidenceFor(standing, stranger);
        const known = suspects.some((s) => s.host === compute && s.stranger.key === stranger.key);
        if (stranger.matches !== 'yes' || known || evidence === undefined) continue;
        suspects.push({ host: compute, stranger, taken: 'no', rises: [], evidence });
      }
    }
    const findings: Finding[] = [];
    for (const { host, stranger, taken, rises, evidence } of suspects) {
      const took = taken !== 'no';
      // With every ping answered, a rule that might match is worth a word only when it surely would.
      if (!took && stranger.matches !== 'yes') continue;
      const slows = took && shapers.has(stranger.target);
      const spec = slows ? shaped : took ? strangersRule : strangerIdle;
      const verb =
        stranger.effect === 'rejects'
          ? 'rejects'
          : stranger.effect === 'drops' || stranger.target === 'blackhole'
            ? 'drops'
            : 'diverts';
      const sent = rounds.map((r) => r.sent.reduce((sum, n) => sum + n, 0));
      const lost = rounds.map((r) => r.lost.reduce((sum, n) => sum + n, 0));
      const counted =
        took && rises.length > 0
          ? `counter rose by ${rises.join(' and ')} while ${sent.join(' and ')} packets were sent, of which ${lost.join(' and ')} got no answer`
          : took
            ? 'keeps no count; it takes such packets by what it says'
            : `${stranger.packets} packets so far`;
      findings.push(
        findingOf(spec, {
          summary: slows
            ? `${host} slows and drops packets of ${ownerName(subject)} by a limit that Neutron did not order: ${stranger.where} ${stranger.target}`
            : took
              ? `${host} ${verb} packets of ${ownerName(subject)} by a rule that Neutron did not make: ${stranger.where}`
              : `${host} has a rule that Neutron did not make and that would take packets of ${ownerName(subject)}: ${stranger.where}`,
          subject: `rule ${stranger.where}@${host}`,
          scope: portScope(subject, { host: [host] }),
          severity: !took && facts.asked.value.explicit ? 'error' : spec.severity,
          confidence: confidenceOf(taken, stranger),
          evidence: [showing(evidence, [`${stranger.where}  ${stranger.raw}`, counted])],
          remedies: [deletingRule(host, stranger.remove)],
          verify: verifyWith('ping', subject),
        }),
      );
    }
    if (facts.rules.value.size === 0) {
      return maybe.look.ok ? judged([], 'no rules were seen') : blocked(maybe.look.error);
    }
    const hosts = [...facts.rules.value.keys()].join(', ');
    return judged(
      findings,
      `no stranger's rule on ${hosts}`,
      [...facts.rules.value.values()].flatMap((r) => [...r.evidence.values()]).slice(0, 2),
      ['rules made by hand against its packets'],
    );
  },
});
