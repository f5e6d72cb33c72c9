import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { byOperator, findingOf } from '../../engine/finding-of.ts';
import { volumes } from '../../facts/instance-api.ts';
import { type Io, showing } from '../../facts/io.ts';
import type { InstanceSubject } from '../../facts/subject.ts';
import { instanceScope, verifyWith } from '../scope.ts';
import { volumeBroken } from './codes.ts';

const optional = { volumes };

export default defineCheck<Io, InstanceSubject, Record<string, never>, typeof optional>({
  id: 'instance.volumes',
  per: 'instance',
  title: 'Its volumes are attached and whole',
  needs: {},
  optional,
  findings: [volumeBroken],
  judge: ({ subject, maybe }) => {
    if (!maybe.volumes.ok)
      return maybe.volumes.error.kind === 'unsupported'
        ? skipped(maybe.volumes.error.because)
        : blocked(maybe.volumes.error);
    const list = maybe.volumes.value.value;
    const findings = list.flatMap((v): Finding[] => {
      const evidence = maybe.volumes.ok
        ? maybe.volumes.value.evidence.find((e) => e.source.kind === 'api' && e.source.path.includes(v.id))
        : undefined;
      if (v.status === 'in-use' || evidence === undefined) return [];
      return [
        findingOf(volumeBroken, {
          summary: `Volume ${v.name || v.id.slice(0, 8)} of ${subject.name} is ${v.status}${v.bootable === 'true' ? ', and it boots from it' : ''}`,
          subject: `volume ${v.id.slice(0, 8)}`,
          scope: instanceScope(subject),
          evidence: [showing(evidence, `status ${v.status}, bootable ${v.bootable ?? '?'}`)],
          remedies: [
            {
              title: 'look at the volume',
              risk: 'none',
              sufficient: false,
              steps: [byOperator(['openstack', 'volume', 'show', v.id])],
            },
          ],
          verify: verifyWith('net', subject),
        }),
      ];
    });
    return judged(findings, `${list.length} volumes in use`, maybe.volumes.value.evidence);
  },
});
