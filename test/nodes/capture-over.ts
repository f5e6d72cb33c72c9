import { expect } from 'vitest';
import type { Command } from '../../src/nodes/command.ts';
import type { NodeTransport } from '../../src/nodes/nodes.ts';

/** Says that it listens, then brings bytes when it is asked to stop, as tcpdump does. */
const capture = (name: string): Command => ({
  argv: [
    'sh',
    '-c',
    `trap 'trap "" TERM; printf "\\n\\000%s\\377" "$1"; exit 0' TERM; sleep 0.1; echo "listening on $1" >&2; while :; do sleep 0.05; done`,
    'sh',
    name,
  ],
  impact: 'capture',
  encoding: 'base64',
  parallel: true,
  listens: 'listening on',
  timeoutSeconds: 60,
});

/** Captures on a node of this kind; a probe through another channel; the end of the captures. Fails by expectations. */
export async function captureOver(transport: NodeTransport): Promise<void> {
  const began = Date.now();
  const enough = new AbortController();
  let probed: unknown;
  const outcome = await transport.runBatch(
    [capture('tap1'), { argv: ['date', '+%s.%N'], impact: 'read' }, capture('tap2')],
    undefined,
    (index) => {
      if (index !== 1) return;
      transport.runBatch([{ argv: ['echo', 'probe'], impact: 'probe' }]).then((answer) => {
        probed = answer;
        enough.abort();
      });
    },
    enough.signal,
  );
  expect(probed).toMatchObject({ ok: true, value: [{ ok: true, value: { stdout: 'probe\n' } }] });
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error));
  const stdouts = outcome.value.map((each) =>
    each.ok ? Buffer.from(each.value.stdout, 'base64').toString('latin1') : each,
  );
  expect([stdouts[0], stdouts[2]]).toEqual(['\n\0tap1\xff', '\n\0tap2\xff']);
  expect(Date.now() - began).toBeLessThan(15_000);
}
