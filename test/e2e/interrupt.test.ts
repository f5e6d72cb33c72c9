import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { RunEvent } from '../../src/engine/events.ts';
import { type RunOptions, withSite } from './doctor.ts';

/** Interrupts as soon as the doctor has said this. */
const uponSaying = (words: string): RunOptions => ({
  onOutput: (seen, signal) => {
    if (seen.includes(words)) signal('SIGINT');
  },
});

const eventsOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent);

describe.concurrent('Ctrl-C', () => {
  it('ends a run that waits for an API, with what is known by then', () =>
    withSite({ faults: { http: [{ do: 'slow', ms: 60_000, path: '/security-groups' }] } }, async (site) => {
      const ran = await site.run(['net', 'web-1', '--output', 'ndjson'], once(uponSaying('"port.attached"')));
      expect(ran).toMatchObject({ code: 130, stderr: '' });
      const last = eventsOf(ran.stdout).at(-1);
      if (last?.type !== 'run.end') throw new Error('the report is missing');
      expect(last.report).toMatchObject({ exitCode: 130, target: { name: 'web-1' }, counts: { unknown: 0 } });
      expect(last.report.counts.ok).toBeGreaterThan(3);
      expect(last.report.counts.blocked).toBeGreaterThan(0);
    }));

  it('ends a run that waits for a node', () =>
    withSite({ faults: { ssh: { net1: [{ do: 'hang-exec' }] } } }, async (site) => {
      const ran = await site.run(['net', 'web-1', '--output', 'ndjson'], once(uponSaying('"instance.status"')));
      expect(ran.code).toBe(130);
      const last = eventsOf(ran.stdout).at(-1);
      expect(last).toMatchObject({ type: 'run.end', report: { exitCode: 130, counts: { unknown: 0 } } });
    }));

  it('while it signs in leaves one word', () =>
    withSite({ faults: { http: [{ do: 'slow', ms: 60_000, path: '/auth/tokens' }] } }, async (site) => {
      const ran = await site.run(['net', 'web-1', '--output', 'ndjson'], once(uponSaying('run.start')));
      expect(ran).toMatchObject({ code: 130, stderr: 'interrupted\n' });
    }));

  it('ends a run that waits for a ping of this very machine, says that it is only a part, and leaves nothing running', () =>
    withSite({}, async (site) => {
      const at = join(site.home, 'pinging');
      await writeFile(
        join(site.home, 'bin/ping'),
        `#!/bin/sh\necho $$ >'${at}.new'; mv '${at}.new' '${at}'\nexec sleep 30\n`,
      );
      const ran = await site.run(['net', 'web-1'], {
        onStart: (signal) => {
          const looking = setInterval(() => {
            if (!existsSync(at)) return;
            clearInterval(looking);
            signal('SIGINT');
          }, 20);
        },
      });
      expect(ran).toMatchObject({ code: 130, stderr: '' });
      expect(ran.stdout).toContain('Interrupted: this is only a part of the answer.');
      const pinging = Number(await readFile(at, 'utf8'));
      await vi.waitFor(() => expect(isRunning(pinging)).toBe(false), { timeout: 5000, interval: 50 });
    }));
});

/** A process that has ended and that nobody has asked about (proc(5): state Z) does not run. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** A second Ctrl-C would end it at once. */
function once(options: RunOptions): RunOptions {
  let sent = false;
  return {
    onOutput: (seen, signal) => {
      if (sent) return;
      options.onOutput?.(seen, (name) => {
        sent = true;
        signal(name);
      });
    },
  };
}
