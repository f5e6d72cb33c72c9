import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFrameDecoder, encodeBatch, encodeFrames, enoughLine, type Frame } from '../../src/nodes/batch.ts';
import type { Command, CommandResult } from '../../src/nodes/command.ts';
import { only, run, running, runtimes, start, startDoctor, uniqueSleep, until } from './batch-run.ts';
import { shells } from './shells.ts';

const look = (...argv: [string, ...string[]]): Command => ({ argv, impact: 'read' });
const bytes = (script: string, more: Partial<Command> = {}): Command => ({
  argv: ['sh', '-c', script],
  impact: 'capture',
  encoding: 'base64',
  ...more,
});
/** Like tcpdump: says that it listens, and when it is asked to stop it writes what it has and its statistics. */
const capture = (more: Partial<Command> = {}, before = ''): Command =>
  bytes(
    `trap 'trap "" TERM; printf "\\000got\\377"; echo "2 packets captured" >&2; exit 0' TERM
${before}
echo "tcpdump: listening on tap1, link-type EN10MB (Ethernet)" >&2
while :; do sleep 0.05; done`,
    { parallel: true, listens: 'listening on', timeoutSeconds: 60, ...more },
  );
const got = Buffer.from('\0got\xff', 'latin1').toString('base64');
const clock = look('cat', '/proc/uptime');
const uptimeMs = (text: string | undefined): number => Math.round(Number((text ?? '').split(' ')[0]) * 1000);
const enoughAfter =
  (...indices: number[]) =>
  (frame: Frame | undefined, say: (line: string) => void) => {
    if (frame !== undefined && indices.includes(frame.index)) say(enoughLine);
  };

/** What a capture may bring that could be taken for something else. */
const hostile = Buffer.concat([
  Buffer.from('\n@ostk-doctor 00000000000000000000000000000000 1\n@0 x 1 0 0 0\n\n@0 e\n\r\n\0\r\n', 'latin1'),
  Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
  Buffer.from('\n@'),
]);

for (const shell of shells) {
  describe.skipIf(shell.missing).concurrent(`captures under ${shell.name}`, () => {
    it('are brought back byte for byte', async () => {
      const octal = [...hostile].map((byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join('');
      const { results } = await run(shell, [
        { ...look('printf', '%b', octal), encoding: 'base64' },
        bytes('head -c 300000 /dev/urandom | tee /dev/stderr', { parallel: true }),
        bytes('exit 3'),
      ]);
      expect(Buffer.from(results[0]?.stdout ?? '', 'base64').equals(hostile)).toBe(true);
      expect(Buffer.from(results[1]?.stdout ?? '', 'base64')).toHaveLength(300_000);
      expect(results[2]).toMatchObject({ code: 3, stdout: '' });
    });

    it('are cut by bytes', async () => {
      const { results } = await run(shell, [bytes('printf "\\377%.0s" 1 2 3 4 5 6 7 8 9 10', { maxBytes: 7 })]);
      expect(only(results)).toMatchObject({ stdout: Buffer.alloc(7, 255).toString('base64'), truncated: true });
    });

    it('all listen before the commands in turn begin, and end together when it is enough', async () => {
      const slow = capture({}, 'sleep 0.6; cat /proc/uptime >&2');
      const began = Date.now();
      const { results, order, leftFiles } = await run(
        shell,
        [capture(), clock, slow, { ...look('echo', 'ping'), parallel: true }, capture()],
        60,
        process.env.PATH,
        enoughAfter(1),
      );
      expect(Date.now() - began).toBeLessThan(15_000);
      expect(order).toEqual([1, 3, 0, 2, 4]);
      expect(uptimeMs(results[1]?.stdout)).toBeGreaterThanOrEqual(uptimeMs(results[2]?.stderr));
      for (const i of [0, 2, 4]) {
        expect(results[i]).toMatchObject({ code: 0, stdout: got, timedOut: false });
        expect(results[i]?.stderr).toMatch(/listening on(.|\n)*2 packets captured\n$/);
      }
      await until(() => leftFiles().length === 0, 'no file is left');
    });

    it('are ended without the other commands of their batch', async () => {
      const { results } = await run(
        shell,
        [
          capture(),
          { ...look('sh', '-c', 'sleep 1; echo pong'), parallel: true },
          clock,
          look('sh', '-c', 'sleep 0.3; echo read'),
        ],
        60,
        process.env.PATH,
        enoughAfter(2),
      );
      expect(results.map((r) => r?.code)).toEqual([0, 0, 0, 0]);
      expect([results[1]?.stdout, results[3]?.stdout]).toEqual(['pong\n', 'read\n']);
      expect(results[0]?.ms).toBeLessThan(15_000);
    });

    it('do not begin, or end at once, when it was enough before', async () => {
      const began = Date.now();
      const { results, decoder, leftFiles } = await run(
        shell,
        [...Array.from({ length: 6 }, () => capture()), look('echo', 'read')],
        60,
        process.env.PATH,
        (frame, say) => {
          if (frame === undefined) say(enoughLine + enoughLine);
        },
      );
      expect(Date.now() - began).toBeLessThan(15_000);
      expect(decoder.done).toBe(true);
      expect(results).toHaveLength(7);
      expect(results[6]).toMatchObject({ code: 0, stdout: 'read\n' });
      for (const result of results.slice(0, 6)) expect(result?.timedOut).toBe(false);
      await until(() => leftFiles().length === 0, 'no file is left');
    });

    it('that cannot listen hold up nobody', async () => {
      const { results } = await run(shell, [
        bytes('echo "no such device" >&2; exit 1', { parallel: true, listens: 'listening on' }),
        { ...look('no-such-tool-here'), parallel: true, listens: 'listening on' },
        clock,
      ]);
      expect(results.map((r) => r?.code)).toEqual([1, 127, 0]);
      const [first, , third] = results.map((r) => Date.parse(r?.startedAt ?? ''));
      expect((third ?? 0) - (first ?? 0)).toBeLessThan(4500);
    });

    it('that never say that they listen are waited for five seconds', async () => {
      const began = Date.now();
      const { results } = await run(
        shell,
        [capture({ listens: "it's * [ready]" }), capture({ listens: 'never' }), clock],
        60,
        process.env.PATH,
        enoughAfter(2),
      );
      expect(results.map((r) => r?.code)).toEqual([0, 0, 0]);
      expect(Date.now() - began).toBeGreaterThan(4500);
      expect(Date.now() - began).toBeLessThan(20_000);
    });

    it('may say it in any words', async () => {
      const words = "  it's * [ready] $x `y` \\";
      const { results } = await run(
        shell,
        [capture({ listens: words }, `printf '%s\\n' ${`'${words.replaceAll("'", "'\\''")}'`} >&2`), clock],
        60,
        process.env.PATH,
        enoughAfter(1),
      );
      expect(results[0]).toMatchObject({ code: 0, stdout: got });
      expect(results[0]?.ms).toBeLessThan(15_000);
    });

    it('bring what they have when their time is up', async () => {
      const { results } = await run(shell, [capture({ timeoutSeconds: 1 })]);
      expect(only(results).stdout).toBe(got);
      // busybox's timeout gives the command's own exit code.
      if (!shell.name.startsWith('busybox')) expect(only(results)).toMatchObject({ code: null, timedOut: true });
      expect(only(results).stderr).toContain('2 packets captured');
    });

    // busybox's timeout does not watch over what it is asked to end.
    it.skipIf(shell.name.startsWith('busybox'))('that will not stop are killed', async () => {
      const word = uniqueSleep();
      const stubborn = capture({}, `trap '' TERM INT; echo listening on >&2; sleep ${word}`);
      const began = Date.now();
      const { leftFiles } = await run(shell, [stubborn, clock], 60, process.env.PATH, (frame, say) => {
        if (frame !== undefined) say(enoughLine);
      });
      expect(Date.now() - began).toBeLessThan(15_000);
      await until(() => running(word).length === 0, 'nothing is left running');
      await until(() => leftFiles().length === 0, 'no file is left');
    });

    it('leave nothing running and no file when the doctor is gone', async () => {
      const word = uniqueSleep();
      const { child, leftFiles } = start(shell, [
        capture({}, `trap '' TERM INT; echo listening on >&2; sleep ${word}`),
        capture({}, `echo listening on >&2; sleep ${word} & sleep ${word}`),
        look('sleep', word),
      ]);
      await until(() => running(word).length >= 4, 'the captures run');
      const gone = new Promise((resolve) => child.once('close', resolve));
      child.stdin.write(enoughLine);
      child.stdin.destroy();
      await gone;
      await until(() => running(word).length === 0, 'nothing is left running');
      await until(() => leftFiles().length === 0, 'no file is left');
    });
  });
}

describe('captures', () => {
  const [shell] = shells;
  if (shell === undefined) throw new Error('no sh');
  const folder = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'osd-bin-'));
    runtimes.push(made);
    return made;
  };
  const program = (bin: string, name: string, text: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });

  it('leave nothing running and no file when the doctor is ended by any signal', async () => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
      const word = uniqueSleep();
      const { doctor, leftFiles } = startDoctor(shell, [
        capture({}, `echo listening on >&2; sleep ${word}`),
        capture({ round: 'stubborn' }, `trap '' TERM INT HUP; echo listening on >&2; sleep ${word}`),
      ]);
      await until(() => running(word).length >= 2, 'the captures run');
      doctor.kill(signal);
      await until(() => running(word).length === 0, `nothing is left running after ${signal}`);
      await until(() => leftFiles().length === 0, `no file is left after ${signal}`);
    }
  });

  it('are over when their time is, also where the doctor neither reads nor goes', async () => {
    const word = uniqueSleep();
    const stubborn = capture({ timeoutSeconds: 4 }, `trap '' TERM; echo listening on >&2; exec sleep ${word}`);
    const { doctor, leftFiles } = startDoctor(shell, [stubborn, { ...stubborn, round: '2' }]);
    await until(() => running(word).length >= 2, 'the captures run');
    doctor.kill('SIGSTOP');
    await until(() => running(word).length === 0, 'nothing is left running');
    await until(() => leftFiles().length === 0, 'no file is left');
    doctor.kill('SIGKILL');
  });

  it('are waited for where sleep(1) knows whole seconds only', async () => {
    const bin = folder();
    program(bin, 'sleep', `echo "$1" >>${bin}/log; case $1 in *.*) echo "sleep: invalid number" >&2; exit 1;; esac`);
    const { results } = await run(
      shell,
      [capture({}, 'PATH=/usr/bin:/bin; sleep 0.5'), clock],
      60,
      `${bin}:${process.env.PATH}`,
      enoughAfter(1),
    );
    expect(results[0]).toMatchObject({ code: 0, stdout: got });
    expect(readFileSync(join(bin, 'log'), 'utf8')).toMatch(/^0\.05\n1\n/);
  });

  it('are ended by way of sudo where each command has a sudo of its own', async () => {
    const bin = folder();
    program(bin, 'id', 'echo 1000');
    // Allows timeout(1), but not the shell that would run the whole batch.
    program(
      bin,
      'sudo',
      `[ "$1 $2" = "-n --" ] || exit 9; shift 2; echo "$*" >>${bin}/log
case "$*" in *'sh -c eval'*) echo "sudo: a password is required" >&2; exit 1;; esac; exec "$@"`,
    );
    const path = `${bin}:${process.env.PATH}`;
    const rooted = capture({ become: true });
    const { results } = await run(shell, [rooted, clock], 60, path, enoughAfter(1));
    expect(results[0]).toMatchObject({ code: 0, stdout: got, timedOut: false });
    expect(results[0]?.ms).toBeLessThan(15_000);
    expect(readFileSync(join(bin, 'log'), 'utf8')).toMatch(/^timeout -k 1 5 sh -c kill -TERM /m);
  });

  it('are refused when they could not all run at once, or would hold up the batch', () => {
    const many = (n: number) => Array.from({ length: n }, (_, i) => capture({ round: String(i) }));
    expect(() => encodeBatch(many(32), { overallSeconds: 60 })).not.toThrow();
    expect(() => encodeBatch(many(33), { overallSeconds: 60 })).toThrow(RangeError);
    expect(() => encodeBatch([capture({ parallel: false })], { overallSeconds: 60 })).toThrow(TypeError);
  });

  it('all run at once, however many other commands run side by side', () => {
    const pings = Array.from({ length: 40 }, (_, i) => ({ ...look('ping', String(i)), parallel: true }));
    const captures = Array.from({ length: 20 }, (_, i) => capture({ round: String(i) }));
    const lines = encodeBatch([...pings, look('date'), ...captures], { overallSeconds: 60 })
      .stdin.split('\n')
      .flatMap((line) => /^([psyj]) (\d+)/.exec(line)?.slice(1, 3).join('') ?? []);
    const started = lines.filter((line) => line.startsWith('p'));
    expect(started.slice(0, 20)).toEqual(captures.map((_, i) => `p${41 + i}`));
    const inTurn = lines.indexOf('s40');
    expect(lines.slice(0, inTurn).filter((line) => line.startsWith('p'))).toHaveLength(32);
    expect(lines.slice(inTurn - 20, inTurn)).toEqual(captures.map((_, i) => `y${41 + i}`));
    expect(lines.slice(-20)).toEqual(captures.map((_, i) => `j${41 + i}`));
    let at = 0;
    let most = 0;
    for (const line of lines) {
      if (line.startsWith('p')) at += 1;
      if (line.startsWith('j')) at -= 1;
      most = Math.max(most, at);
    }
    expect(most).toBe(32);
  });
});

describe('frames of bytes', () => {
  const commands = [look('true'), { ...look('tcpdump'), encoding: 'base64' as const }, look('true')];
  const one = (stdout: string): Omit<CommandResult, 'startedAt'> => ({
    code: 0,
    stdout,
    stderr: '',
    truncated: false,
    timedOut: false,
    ms: 1,
  });

  it('come out as they went in, whatever they are and however they are cut', () => {
    const anyBytes = fc.oneof(fc.uint8Array({ maxLength: 400 }), fc.constant(new Uint8Array(hostile)));
    fc.assert(
      fc.property(anyBytes, fc.string(), fc.array(fc.nat(2000), { maxLength: 20 }), (some, stderr, cuts) => {
        const base64 = Buffer.from(some).toString('base64');
        const wire = encodeFrames([one('before'), { ...one(base64), stderr }, one('after')], { commands });
        const decoder = createFrameDecoder(commands);
        const places = [0, ...[...cuts].sort((a, b) => a - b).filter((cut) => cut < wire.length), wire.length];
        const frames = places.slice(1).flatMap((end, i) => decoder.push(wire.subarray(places[i], end)));
        expect(frames.map((frame) => frame.result.stdout)).toEqual(['before', base64, 'after']);
        expect(decoder.done).toBe(true);
      }),
    );
  });
});
