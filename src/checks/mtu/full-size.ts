import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { advice, byOperator, findingOf } from '../../engine/finding-of.ts';
import type { Io } from '../../facts/io.ts';
import { fullSizePings, pingsFromDhcp } from '../../facts/ping.ts';
import { dhcpHosts, portNetwork, remoteMembers, securityGroups } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { underlaySizes } from '../../facts/underlay-mtu.ts';
import { echoFrom, expected, sourceTowards } from '../expected.ts';
import { linkName, ownerName, portScope, verifyWith } from '../scope.ts';
import { underlayMtu } from '../tunnel/codes.ts';
import { fullSizeLost } from './codes.ts';

const needs = { full: fullSizePings };
const optional = {
  small: pingsFromDhcp,
  sizes: underlaySizes,
  groups: securityGroups,
  members: remoteMembers,
  hosts: dhcpHosts,
  network: portNetwork,
};

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'mtu.full-size',
  per: 'port',
  title: 'Full-size packets pass unfragmented',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [fullSizeLost, underlayMtu],
  judge: ({ subject, facts, maybe }) => {
    const runs = facts.full.value;
    if (runs.length === 0) return skipped('the network has no DHCP namespace to ping from');
    const small = maybe.small.ok ? maybe.small.value.value.runs : [];
    const findings: Finding[] = [];
    const notes: string[] = [];
    for (const { mtu, run } of runs) {
      const little = small.find((s) => s.host === run.host && s.to === run.to);
      if (run.ping.received > 0) {
        notes.push(`${mtu} fits`);
        continue;
      }
      if (little === undefined || little.ping.received === 0) {
        notes.push(`${run.to} not judged: small packets do not pass either`);
        continue;
      }
      const senders = (maybe.hosts.ok ? maybe.hosts.value.value : []).flatMap((h) =>
        h.host === run.host && h.port !== undefined ? [h.port] : [],
      );
      const source = sourceTowards(senders, run.to, subject.port.value.fixed_ips);
      const verdict = maybe.groups.ok
        ? expected(
            subject.port.value,
            maybe.groups.value.value,
            maybe.members.ok ? maybe.members.value.value : undefined,
            echoFrom(source, run.to),
          )
        : undefined;
      if (verdict?.kind === 'denied') {
        notes.push(`${run.to} not judged: the security groups let no ping in`);
        continue;
      }
      findings.push(
        findingOf(fullSizeLost, {
          summary: `Packets of ${mtu} bytes from ${run.host} do not reach ${ownerName(subject)} unfragmented, small ones do`,
          subject: `MTU ${mtu} ${run.host} → ${run.to}`,
          scope: portScope(subject, { host: [run.host, ...(portScope(subject).host ?? [])] }),
          evidence: [run.evidence, little.evidence],
          verify: verifyWith('mtu', subject),
        }),
      );
      const narrow = maybe.sizes.ok
        ? maybe.sizes.value.value.filter((s) => s.ping.received === 0 && (s.from === run.host || s.toHost === run.host))
        : [];
      const [first, ...rest] = narrow;
      if (first === undefined) continue;
      const names = [first.from, first.toHost];
      const network = maybe.network.ok ? maybe.network.value.value : undefined;
      const told = first.ping.errors.find((e) => e.mtu !== undefined)?.mtu;
      findings.push(
        findingOf(underlayMtu, {
          summary: `The underlay between ${names.join(' and ')} does not carry ${first.size} bytes, which packets of ${mtu} in their tunnel need${told === undefined ? '' : ` (it says ${told})`}`,
          subject: `underlay ${linkName(first.from, first.toHost)}`,
          scope: portScope(subject, { host: names, link: [linkName(first.from, first.toHost)] }),
          evidence: [first.evidence, ...rest.map((r) => r.evidence), run.evidence],
          remedies: [
            {
              title: `raise the underlay to ${first.size} or more, or lower the network's MTU`,
              risk: 'reversible',
              sufficient: false,
              steps: [
                advice(`every device and switch port between ${names.join(' and ')} must carry ${first.size} bytes`),
                ...(network === undefined || told === undefined
                  ? []
                  : [
                      byOperator(
                        ['openstack', 'network', 'set', '--mtu', String(told - (first.size - mtu)), network.id],
                        'instead: instances take it with their next lease',
                      ),
                    ]),
              ],
            },
          ],
          verify: verifyWith('mtu', subject),
        }),
      );
    }
    const [failure] = [maybe.small].flatMap((s) => (s.ok ? [] : [s.error]));
    if (findings.length === 0 && notes.length === 0 && failure !== undefined) return blocked(failure);
    return judged(findings, [...new Set(notes)].join(', '), facts.full.evidence, ['MTU']);
  },
});
