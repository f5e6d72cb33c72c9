import { defineCheck, judged, skipped } from '../../engine/check.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding } from '../../engine/finding.ts';
import { findingOf, onHost } from '../../engine/finding-of.ts';
import { hostOvs } from '../../facts/host.ts';
import { type Io, showing } from '../../facts/io.ts';
import { onPathHosts, placement } from '../../facts/placement.ts';
import type { PortSubject } from '../../facts/subject.ts';
import type { OvsState } from '../../nodes/parse/ovsdb.ts';
import { agentName, ownerName, portScope, verifyWith } from '../scope.ts';
import { notJoined } from './codes.ts';

const needs = { placement, ovs: onPathHosts(hostOvs) };

/** Patch ports whose other end is not there or names another peer, and a tunnel bridge that has no patch port at all. */
function gapsOf(
  ovs: OvsState,
  tunnelBridge: string | undefined,
): { readonly bridge: string; readonly words: string }[] {
  const patches = ovs.bridges.flatMap((bridge) =>
    bridge.ports
      .flatMap((port) => port.interfaces)
      .filter((face) => face.type === 'patch')
      .map((face) => ({ bridge: bridge.name, name: face.name, peer: face.options.get('peer') })),
  );
  const gaps = patches.flatMap(({ bridge, name, peer }) => {
    const other = patches.find((p) => p.name === peer);
    if (other === undefined)
      return { bridge, words: `${name} of ${bridge} leads to ${peer ?? '(no peer)'}, which is not there` };
    if (other.peer !== name)
      return {
        bridge,
        words: `${name} of ${bridge} leads to ${other.name}, which leads to ${other.peer ?? '(no peer)'}`,
      };
    return [];
  });
  const tunnel = tunnelBridge === undefined ? undefined : ovs.bridges.find((b) => b.name === tunnelBridge);
  if (tunnel !== undefined && !patches.some((p) => p.bridge === tunnel.name))
    gaps.push({ bridge: tunnel.name, words: `${tunnel.name} has no patch port` });
  return gaps;
}

export default defineCheck<Io, PortSubject, typeof needs>({
  id: 'host.joined',
  per: 'port',
  title: 'The OVS bridges of the path are joined',
  families: ['agents', 'routed'],
  needs,
  findings: [notJoined],
  judge: ({ subject, facts }) => {
    const { backend, segment } = facts.placement.value;
    if (!backend.name.startsWith('ovs')) return skipped(`${backend.title}: no patch ports`);
    const by = backend.tunnel(segment)?.by;
    const tunnelBridge = by?.kind === 'ovs' ? by.bridge : undefined;
    const findings: Finding[] = [];
    const seen: string[] = [];
    let blind: FactFailure | undefined;
    for (const [host, there] of facts.ovs.value) {
      if (!there.ok) {
        blind ??= there.error;
        continue;
      }
      const evidence = there.value.evidence.at(-1);
      if (evidence === undefined) continue;
      seen.push(host);
      for (const gap of gapsOf(there.value.value, tunnelBridge)) {
        const agents = backend.agents('compute');
        findings.push(
          findingOf(notJoined, {
            summary: `Bridges of ${ownerName(subject)}'s path are not joined on ${host}: ${gap.words}`,
            subject: `bridge ${gap.bridge}@${host}`,
            scope: portScope(subject, { host: [host], agent: agents.map((b) => agentName(b, host)) }),
            evidence: [showing(evidence, gap.words)],
            remedies: [
              {
                title: 'let the OVS agent join them again',
                risk: 'brief-interruption',
                sufficient: true,
                steps: agents.slice(0, 1).map((unit) => onHost(host, ['systemctl', 'restart', unit])),
              },
            ],
            verify: verifyWith('host', subject),
          }),
        );
      }
    }
    if (findings.length === 0 && seen.length === 0 && blind !== undefined)
      return { status: 'blocked', failures: [blind] };
    return judged(findings, `patch ports in place on ${seen.join(', ')}`, [], ['patch ports']);
  },
});
