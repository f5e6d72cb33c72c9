import { blocked, defineCheck, judged } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { Finding } from '../../engine/finding.ts';
import { advice, findingOf, onHost } from '../../engine/finding-of.ts';
import { asked } from '../../facts/asked.ts';
import { type Io, type ProbeOption, showing } from '../../facts/io.ts';
import { placement } from '../../facts/placement.ts';
import { pathRules, type RulesOfHost } from '../../facts/rules.ts';
import { type SecondLook, secondLook } from '../../facts/second-look.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { deviceName, parseAddress } from '../../path/addresses.ts';
import type { Counted } from '../../path/firewall/counters.ts';
import type { Packet } from '../../path/firewall/packet.ts';
import { type Stranger, strangersOf } from '../../path/firewall/strangers.ts';
import { ownerName, portScope, verifyWith } from '../scope.ts';
import { strangerIdle, strangersRule } from './codes.ts';
import { countersOfRules, evidenceFor, riseOf } from './rule-counters.ts';

const needs = { placement, rules: pathRules, asked };
const optional = { look: secondLook };

/** The packets of this run that pass every host of the path: echo requests to the port, and their answers. */
function probesOf(subject: PortSubject): Packet[] {
  return subject.port.value.fixed_ips.flatMap((f): Packet[] => {
    const family = parseAddress(f.ip_address)?.family ?? 4;
    const base = { family, protocol: 'icmp' } as const;
    return [
      {
        ...base,
        destination: f.ip_address,
        destinationMac: subject.port.value.mac_address,
        icmpType: family === 4 ? 8 : 128,
      },
      { ...base, source: f.ip_address, sourceMac: subject.port.value.mac_address, icmpType: family === 4 ? 0 : 129 },
    ];
  });
}

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
  readonly rose: number | undefined;
  readonly evidence: Evidence;
}

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'host.strangers',
  per: 'port',
  title: 'No rule that Neutron did not make takes packets of the instance',
  needs,
  optional,
  findings: [strangersRule, strangerIdle],
  judge: ({ subject, facts, maybe }) => {
    const look: SecondLook | undefined = maybe.look.ok ? maybe.look.value.value : undefined;
    const sent = look?.repeated.reduce((sum, r) => sum + r.again.sent, 0) ?? 0;
    const suspects: Suspect[] = [];
    for (const [host, now] of facts.rules.value) {
      const rules: RulesOfHost = look?.after.get(host)?.rules ?? now;
      const before: readonly Counted[] = countersOfRules(look?.before.get(host)?.rules ?? now);
      const after: readonly Counted[] = countersOfRules(rules);
      for (const probe of probesOf(subject)) {
        for (const stranger of strangersOf(rules.rules, probe)) {
          if (stranger.matches === 'no' || suspects.some((s) => s.host === host && s.stranger.key === stranger.key))
            continue;
          const evidence = evidenceFor(rules, stranger);
          if (evidence === undefined) continue;
          suspects.push({
            host,
            stranger,
            rose: look === undefined ? undefined : riseOf(before, after, stranger.key),
            evidence,
          });
        }
      }
    }
    const { host: compute } = facts.placement.value;
    const standing = facts.rules.value.get(compute);
    for (const packet of wantedOf(subject, facts.asked.value.probes, facts.asked.value.from)) {
      for (const stranger of standing === undefined ? [] : strangersOf(standing.rules, packet)) {
        const evidence = standing === undefined ? undefined : evidenceFor(standing, stranger);
        const known = suspects.some((s) => s.host === compute && s.stranger.key === stranger.key);
        if (stranger.matches !== 'yes' || known || evidence === undefined) continue;
        suspects.push({ host: compute, stranger, rose: undefined, evidence });
      }
    }
    const findings: Finding[] = [];
    for (const { host, stranger, rose, evidence } of suspects) {
      const took = look !== undefined && (rose ?? 0) > 0;
      // With every ping answered, a rule that might match is worth a word only when it surely would.
      if (!took && stranger.matches !== 'yes') continue;
      const spec = took ? strangersRule : strangerIdle;
      const verb = stranger.effect === 'rejects' ? 'rejects' : stranger.effect === 'drops' ? 'drops' : 'diverts';
      const counted = took
        ? `counter rose by ${rose ?? 0} while ${sent} pings were sent`
        : `${stranger.packets} packets so far`;
      findings.push(
        findingOf(spec, {
          summary: took
            ? `${host} ${verb} packets of ${ownerName(subject)} by a rule that Neutron did not make: ${stranger.where}`
            : `${host} has a rule that Neutron did not make and that would take packets of ${ownerName(subject)}: ${stranger.where}`,
          subject: `rule ${stranger.where}@${host}`,
          scope: portScope(subject, { host: [host] }),
          severity: !took && facts.asked.value.explicit ? 'error' : spec.severity,
          confidence: took ? (stranger.certainty === 'certain' ? 'certain' : 'likely') : 'possible',
          evidence: [showing(evidence, [`${stranger.where}  ${stranger.raw}`, counted])],
          remedies: [
            {
              title: 'delete the rule, once its maker agrees',
              risk: 'reversible',
              sufficient: true,
              steps: [
                onHost(host, stranger.remove),
                advice('whoever made it may make it again: look for the tool behind it', host),
              ],
            },
          ],
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
      ['rules made by hand'],
    );
  },
});
