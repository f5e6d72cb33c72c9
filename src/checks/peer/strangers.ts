import { blocked, defineCheck, judged, notSeen, skipped } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { findingOf } from '../../engine/finding-of.ts';
import { asked } from '../../facts/asked.ts';
import { type Io, showing } from '../../facts/io.ts';
import { ofPeer, pairs } from '../../facts/pair.ts';
import { pathRules, type RulesOfHost } from '../../facts/rules.ts';
import { computeHostOf, type PortSubject } from '../../facts/subject.ts';
import { deviceName, familyOf } from '../../path/addresses.ts';
import type { Packet } from '../../path/firewall/packet.ts';
import { strangersOf } from '../../path/firewall/strangers.ts';
import { strangerIdle } from '../host/codes.ts';
import { evidenceFor } from '../host/rule-counters.ts';
import { deletingRule } from '../remedies.ts';
import { ownerName, portScope } from '../scope.ts';
import { typeable, verifyPair } from './verify.ts';

const needs = { asked };
const optional = { pair: pairs, rules: pathRules, peerRules: ofPeer(pathRules) };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'peer.strangers',
  per: 'port',
  title: 'No rule that Neutron did not make takes packets between the two',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [strangerIdle],
  judge: ({ subject, facts, maybe }) => {
    if (!maybe.pair.ok) return notSeen(maybe.pair.error);
    const { peer, name, own, theirs, way } = maybe.pair.value.value;
    const byHost = new Map<string, RulesOfHost>();
    for (const rules of [maybe.rules, maybe.peerRules])
      if (rules.ok) for (const [h, r] of rules.value.value) byHost.set(h, r);
    if (byHost.size === 0) return maybe.rules.ok ? skipped('no rules were seen') : blocked(maybe.rules.error);
    const family = familyOf(theirs) ?? 4;
    const ends = [
      { source: own, sender: subject, destination: theirs, receiver: peer, type: family === 4 ? 8 : 128 },
      { source: theirs, sender: peer, destination: own, receiver: subject, type: family === 4 ? 0 : 129 },
    ];
    /** The packets of the pair as a host sees them; both directions, requests of one and answers of the other. */
    const packetsAt = (host: string): Packet[] =>
      ends.flatMap(({ source, sender, destination, receiver, type }) => {
        const base: Packet = {
          family,
          protocol: 'icmp',
          source,
          destination,
          ...(way.kind === 'same-network'
            ? { sourceMac: sender.port.value.mac_address, destinationMac: receiver.port.value.mac_address }
            : {}),
          ...(computeHostOf(sender) === host ? { bridgeIn: deviceName('tap', sender.id) } : {}),
          ...(computeHostOf(receiver) === host ? { bridgeOut: deviceName('tap', receiver.id) } : {}),
        };
        return [
          { ...base, icmpType: type },
          ...facts.asked.value.probes.flatMap((p): Packet[] =>
            p.protocol === 'icmp' || p.port === undefined
              ? []
              : [
                  {
                    ...base,
                    protocol: p.protocol,
                    ...(sender === subject ? { destinationPort: p.port } : { sourcePort: p.port }),
                  },
                ],
          ),
        ];
      });
    const findings: Finding[] = [];
    const told = new Set<string>();
    for (const [host, rules] of byHost) {
      for (const stranger of packetsAt(host).flatMap((packet) => strangersOf(rules.rules, packet))) {
        const evidence = evidenceFor(rules, stranger);
        const key = `${host} ${stranger.key}`;
        if (stranger.matches !== 'yes' || evidence === undefined || told.has(key)) continue;
        told.add(key);
        findings.push(
          findingOf(strangerIdle, {
            summary: `${host} has a rule that Neutron did not make and that takes packets between ${ownerName(subject)} and ${name}: ${stranger.where}`,
            subject: `rule ${stranger.where}@${host}`,
            scope: { ...portScope(subject, { host: [host] }), port: [subject.id, peer.id] },
            severity: stranger.effect === 'degrades' ? 'warning' : 'error',
            confidence: stranger.packets > 0 ? 'certain' : 'likely',
            evidence: [showing(evidence, [`${stranger.where}  ${stranger.raw}`, `${stranger.packets} packets so far`])],
            remedies: [deletingRule(host, stranger.remove)],
            verify: verifyPair(subject, typeable(name, peer.id)),
          }),
        );
      }
    }
    return judged(
      findings,
      `no stranger's rule between ${own} and ${theirs} on ${[...byHost.keys()].join(', ')}`,
      [...byHost.values()].flatMap((r) => [...r.evidence.values()]).slice(0, 2),
      ['rules made by hand between the two'],
    );
  },
});
