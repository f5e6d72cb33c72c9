import { defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { advice, findingOf, onHost } from '../../engine/finding-of.ts';
import { floatingClaims } from '../../facts/arp.ts';
import { type Io, showing } from '../../facts/io.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { namespaceName } from '../../path/addresses.ts';
import { ownerName, portScope, verifyWith } from '../scope.ts';
import { addressTaken } from './codes.ts';

const optional = { claims: floatingClaims };

export default defineCheck<Io, PortSubject, Record<string, never>, typeof optional>({
  id: 'router.address-taken',
  per: 'port',
  title: 'Nobody else outside has its floating addresses',
  families: ['agents', 'routed'],
  needs: {},
  optional,
  findings: [addressTaken],
  judge: ({ subject, maybe }) => {
    if (!maybe.claims.ok)
      return skipped(maybe.claims.error.kind === 'unsupported' ? maybe.claims.error.because : 'nobody could be asked');
    const findings = maybe.claims.value.value
      .filter((c) => c.macs.length > 0)
      .map((c): Finding => {
        const netns = namespaceName('qrouter', c.run.routerId ?? '');
        return findingOf(addressTaken, {
          summary: `Another device on the external network, ${c.macs.join(', ')}, answers for ${c.run.to}, the floating IP of ${ownerName(subject)}`,
          subject: `floating IP ${c.run.to}`,
          scope: portScope(subject, {
            host: [c.host],
            ...(c.run.routerId === undefined ? {} : { router: [c.run.routerId] }),
          }),
          evidence: [showing(c.evidence, c.evidence.excerpt)],
          remedies: [
            {
              title: `find the device by its MAC and take ${c.run.to} off it`,
              risk: 'none',
              sufficient: false,
              steps: [
                advice(`look for ${c.macs.join(', ')} in the tables of the switches of the external network`),
                onHost(
                  c.host,
                  ['ip', 'netns', 'exec', netns, 'arping', '-U', '-c', '3', '-I', c.device, c.run.to],
                  'afterwards: tells the neighbours whose the address is',
                ),
              ],
            },
          ],
          verify: verifyWith('ping', subject),
        });
      });
    return judged(findings, 'nobody else answers for them', maybe.claims.value.evidence, ['floating address taken']);
  },
});
