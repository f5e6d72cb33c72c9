import { defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { findingOf } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import { pathRules } from '../../facts/rules.ts';
import type { PortSubject } from '../../facts/subject.ts';
import type { Packet } from '../../path/firewall/packet.ts';
import { strangersOf } from '../../path/firewall/strangers.ts';
import { deletingRule } from '../remedies.ts';
import { ownerName, portScope, verifyWith } from '../scope.ts';
import { strangersRule } from './codes.ts';
import { evidenceFor } from './rule-counters.ts';

const needs = { rules: pathRules };

interface Request {
  readonly words: string;
  readonly packet: Packet;
}

/** The proxy's port in a router (neutron/agent/metadata/driver.py). */
const proxyPort = 9697;

/** What an instance asks its network's own servers, and what they answer, inside their namespaces. */
function requestsIn(netns: string, subject: PortSubject): readonly Request[] {
  const mine = subject.port.value.fixed_ips.map((f) => f.ip_address).filter((a) => !a.includes(':'));
  const incoming = { family: 4, hooks: ['PREROUTING', 'INPUT'] } as const;
  const outgoing = { family: 4, hooks: ['OUTPUT', 'POSTROUTING'] } as const;
  const magic = '169.254.169.254';
  if (netns.startsWith('qdhcp-'))
    return [
      {
        words: 'DHCP requests',
        packet: {
          ...incoming,
          protocol: 'udp',
          source: '0.0.0.0',
          destination: '255.255.255.255',
          sourcePort: 68,
          destinationPort: 67,
          sourceMac: subject.port.value.mac_address,
        },
      },
      { words: 'DHCP answers', packet: { ...outgoing, protocol: 'udp', sourcePort: 67, destinationPort: 68 } },
    ];
  if (!netns.startsWith('qrouter-')) return [];
  return mine.flatMap((source): Request[] => [
    {
      words: 'metadata requests',
      packet: { family: 4, hooks: ['PREROUTING'], protocol: 'tcp', source, destination: magic, destinationPort: 80 },
    },
    {
      words: 'metadata requests',
      packet: { family: 4, hooks: ['INPUT'], protocol: 'tcp', source, destinationPort: proxyPort },
    },
    {
      words: 'metadata answers',
      packet: { ...outgoing, protocol: 'tcp', destination: source, sourcePort: proxyPort },
    },
  ]);
}

export default defineCheck<Io, PortSubject, typeof needs>({
  id: 'host.service-strangers',
  per: 'port',
  title: 'No rule that Neutron did not make takes requests to DHCP and metadata',
  families: ['agents', 'routed'],
  needs,
  findings: [strangersRule],
  judge: ({ subject, facts }) => {
    const findings: Finding[] = [];
    const seen: string[] = [];
    for (const [host, rules] of facts.rules.value) {
      for (const dump of rules.rules.iptables ?? []) {
        const { netns } = dump;
        if (netns === undefined) continue;
        seen.push(netns);
        for (const { words, packet } of requestsIn(netns, subject)) {
          for (const stranger of strangersOf({ iptables: [dump] }, packet)) {
            const evidence = evidenceFor(rules, stranger);
            // A namespace of Neutron's is nobody else's: what surely matches there needs no counter to be wrong.
            if (stranger.matches !== 'yes' || stranger.effect === 'degrades' || evidence === undefined) continue;
            if (findings.some((f) => f.subject === `rule ${stranger.where}@${host}`)) continue;
            findings.push(
              findingOf(strangersRule, {
                summary: `${host} ${stranger.effect} ${words} of ${ownerName(subject)} by a rule that Neutron did not make: ${stranger.where}`,
                subject: `rule ${stranger.where}@${host}`,
                scope: portScope(subject, { host: [host] }),
                evidence: [
                  showing(evidence, [`${stranger.where}  ${stranger.raw}`, `${stranger.packets} packets so far`]),
                ],
                remedies: [deletingRule(host, stranger.remove)],
                verify: verifyWith('net', subject),
              }),
            );
          }
        }
      }
    }
    if (seen.length === 0) return skipped('no namespace of the network was seen');
    return judged(findings, 'nothing takes requests to DHCP and metadata', [], ['rules in the namespaces']);
  },
});
