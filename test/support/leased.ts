import type { Bundle } from '../../src/bundle/open.ts';
import type { Decoded } from '../../src/nodes/parse/frame/decode.ts';
import { editingOutput } from './edit-bundle.ts';
import { editingFrames } from './edit-capture.ts';
import { bundleAt } from './replayed.ts';

const recorded = (name: string): Promise<Bundle> => bundleAt(`test/fixtures/bundles/ovs-trace-${name}.tgz`);

/** `trace web-1 dhcp --probe dhcp --inject` on a cloud of Open vSwitch without a fault. */
export const leased: Bundle = await recorded('dhcp');
/** The same without --inject, while a rule by hand in the namespace takes what comes to the server. */
export const unleased: Bundle = await recorded('dhcp-dropped');
/** `trace web-1 metadata --probe metadata --inject`, without a fault; and with a proxy that is dead. */
export const fetched: Bundle = await recorded('metadata');
export const refused: Bundle = await recorded('metadata-refused');

const isOffer = ({ layers }: Decoded): boolean => layers.some((l) => l.layer === 'dhcp' && l.operation === 'reply');

/** As if every offer held these bytes in place of those, wherever they stand. Checksums are not looked at. */
export const offering = (
  bundle: Bundle,
  from: readonly number[],
  to: readonly number[],
  hosts: readonly string[] = ['net1', 'cmp1'],
): Bundle =>
  hosts.reduce(
    (b, host) =>
      editingFrames(b, host, undefined, (frame, decoded) => {
        if (!isOffer(decoded)) return frame;
        const other = Buffer.from(frame);
        for (let at = other.indexOf(Buffer.from(from)); at >= 0; at = other.indexOf(Buffer.from(from), at + 1)) {
          Buffer.from(to).copy(other, at);
        }
        return other;
      }),
    bundle,
  );

/** As if the switch of a host said that it drops what it is asked about. */
export const dropping = (bundle: Bundle, host: string): Bundle =>
  editingOutput(bundle, host, 'ofproto/trace', (stdout) =>
    stdout.replace(/^Datapath actions: .*$/gm, 'Datapath actions: drop'),
  );
