import { defineCheck, judged, passed, skipped } from '../../engine/check.ts';
import { byOperator, findingOf } from '../../engine/finding-of.ts';
import { bootImage } from '../../facts/instance-api.ts';
import { type Io, showing } from '../../facts/io.ts';
import type { InstanceSubject } from '../../facts/subject.ts';
import { instanceScope, verifyWith } from '../scope.ts';
import { imageUnusable } from './codes.ts';

const optional = { image: bootImage };

export default defineCheck<Io, InstanceSubject, Record<string, never>, typeof optional>({
  id: 'instance.image',
  per: 'instance',
  title: 'The boot image is still usable',
  needs: {},
  optional,
  findings: [imageUnusable],
  judge: ({ subject, maybe }) => {
    const found = maybe.image;
    if (!found.ok) {
      return found.error.kind === 'unsupported'
        ? skipped(found.error.because)
        : found.error.kind === 'not-found'
          ? passed('the image it was made from is gone; it runs without it')
          : { status: 'blocked', failures: [found.error] };
    }
    const image = found.value.value;
    const [evidence] = found.value.evidence;
    if (image.status === 'active' || evidence === undefined) return passed(`image ${image.name ?? image.id} active`);
    return judged(
      [
        findingOf(imageUnusable, {
          summary: `Image ${image.name ?? image.id} is ${image.status}: a rebuild or a move will fail`,
          subject: `image ${image.name ?? image.id}`,
          scope: instanceScope(subject),
          evidence: [showing(evidence, `status ${image.status}`)],
          remedies: [
            {
              title: 'activate the image',
              risk: 'none',
              sufficient: image.status === 'deactivated',
              steps: [byOperator(['openstack', 'image', 'set', '--activate', image.id])],
            },
          ],
          verify: verifyWith('net', subject),
        }),
      ],
      '',
    );
  },
});
