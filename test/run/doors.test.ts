import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { runOptionsOf } from '../../src/commands/walk-options.ts';
import { ok } from '../../src/engine/result.ts';
import type { Command } from '../../src/nodes/command.ts';
import { openLive } from '../../src/run/doors.ts';
import { cannedTransport, result } from '../bundle/small-run.ts';

const env = {
  OS_AUTH_URL: 'http://127.0.0.1:9/v3',
  OS_USERNAME: 'u',
  OS_PASSWORD: 'p',
  OS_PROJECT_NAME: 'p',
  OS_USER_DOMAIN_NAME: 'd',
  OS_PROJECT_DOMAIN_NAME: 'd',
};
const capture: Command = { argv: ['tcpdump'], impact: 'capture', parallel: true, listens: 'listening on' };

/** A live run on a host that only knows tcpdump; nothing is asked of any API. */
const open = (mayCapture: boolean, heard: (enough: AbortSignal | undefined) => void = () => {}) => {
  const node = cannedTransport('cmp1', { tcpdump: result('') });
  return openLive({
    choice: {},
    options: { ...runOptionsOf({}), mayCapture },
    ssh: {},
    hosts: {},
    env,
    cwd: tmpdir(),
    transportFor: () => ({
      ...node,
      runBatch: (commands, signal, onResult, enough) => {
        heard(enough);
        return node.runBatch(commands, signal, onResult);
      },
    }),
  });
};

describe('a run', () => {
  it('captures nothing unless it may', async () => {
    expect(runOptionsOf({}).mayCapture).toBe(false);
    let reached = false;
    const door = open(false, () => {
      reached = true;
    });
    await expect(async () => door.io.nodes.run('cmp1', capture)).rejects.toThrow('may not capture');
    expect(reached).toBe(false);
    await door.close();
  });

  it('that may capture tells the node when it is enough', async () => {
    const stop = new AbortController();
    let enough: AbortSignal | undefined;
    const door = open(true, (signal) => {
      enough = signal;
    });
    expect(await door.io.nodes.run('cmp1', capture, { enough: stop.signal })).toEqual(ok(result('')));
    stop.abort();
    expect(enough?.aborted).toBe(true);
    await door.close();
  });
});
