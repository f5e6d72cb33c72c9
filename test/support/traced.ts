import type { Bundle } from '../../src/bundle/open.ts';
import type { TraceWay } from '../../src/engine/trace.ts';
import type { Decoded } from '../../src/nodes/parse/frame/decode.ts';
import { answering, editingOutput } from './edit-bundle.ts';
import { asWhoHas, editingFrames, isEcho, isReply, withoutFrames } from './edit-capture.ts';
import { askedOf, bundleAt, reportOf } from './replayed.ts';

/** `trace router web-1` on a cloud of Open vSwitch without a fault: from net1 through VXLAN to cmp1 and back. */
export const tracedOvs: Bundle = await bundleAt('test/fixtures/bundles/ovsfw-trace-healthy.tgz');

const [leg] = (await reportOf(tracedOvs)).traces ?? [];
if (leg === undefined) throw new Error('the recording has no trace');

/** Where its packets were looked for, in the order in which they meet it. */
export const tracedPoints: readonly { readonly host: string; readonly device: string }[] = leg.points;

/** ping(8) gets no answer. */
export const unanswered = (bundle: Bundle): Bundle =>
  editingOutput(bundle, 'net1', 'ping -n', (stdout) => stdout.replace(/\d+ received/, '0 received'), 1);

const without = (bundle: Bundle, points: typeof tracedPoints, dropped: (decoded: Decoded) => boolean): Bundle =>
  points.reduce((b, { host, device }) => withoutFrames(b, host, device, dropped), bundle);

/** As if something took every packet before it came to this point on this way: further on nothing is seen, nor is any answer. */
export function taken(way: TraceWay, point: number, bundle = tracedOvs): Bundle {
  const back = way === 'there' ? tracedPoints : tracedPoints.slice(0, point + 1);
  const there = way === 'there' ? tracedPoints.slice(point) : [];
  return unanswered(without(without(bundle, back, isReply), there, isEcho));
}

/** As if the instance did not say who it is: who-has comes to its tap, and the ping is never sent. */
export const untold = (bundle = tracedOvs): Bundle =>
  ['net1', 'cmp1'].reduce(
    (b, host) =>
      editingFrames(b, host, undefined, (frame, decoded) => (isEcho(decoded) ? asWhoHas(frame, decoded) : undefined)),
    unanswered(bundle),
  );

/** With the answers of services to the question whether they are there, which a trace without a loss does not ask. */
export const withServices = (bundle: Bundle, asked: Bundle): Bundle => ({
  ...bundle,
  api: [...bundle.api, ...asked.api.filter(({ url }) => new URL(url).pathname === '/')],
});

/** With what the switch of the instance's host says when it is asked about the packets that ended before its tap. */
export async function withOpinion(bundle: Bundle, stdout: string): Promise<Bundle> {
  const asked = (await askedOf(bundle, 'cmp1')).find(
    (c) => c.argv[0] === 'ovs-appctl' && c.argv[1] === 'ofproto/trace',
  );
  if (asked === undefined) throw new Error('the switch of cmp1 is not asked');
  const model = bundle.hosts.get('cmp1')?.commands.find((ran) => ran.netns === undefined && ran.outcome.ok);
  if (model?.outcome.ok !== true) throw new Error('nothing was run on cmp1');
  const { round: _, ...bare } = model;
  const value = { ...model.outcome.value, code: 0, stdout, stderr: '' };
  return answering(bundle, 'cmp1', { ...bare, argv: asked.argv, impact: 'read', outcome: { ok: true, value } });
}
