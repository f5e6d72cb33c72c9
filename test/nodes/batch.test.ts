import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchLength, createFrameDecoder, decodeBatch, encodeBatch, encodeFrames } from '../../src/nodes/batch.ts';
import type { Command, CommandResult } from '../../src/nodes/command.ts';
import { only, run, running, runtimes, start, uniqueSleep, until } from './batch-run.ts';
import { shells } from './shells.ts';

const look = (...argv: [string, ...string[]]): Command => ({ argv, impact: 'read' });
const sh = (script: string, more: Partial<Command> = {}): Command => ({
  argv: ['sh', '-c', script],
  impact: 'read',
  ...more,
});

for (const shell of shells) {
  describe.skipIf(shell.missing).concurrent(`a batch under ${shell.name}`, () => {
    it('brings back output, errors and exit codes of each command, in turn', async () => {
      const { results, order, decoder } = await run(shell, [
        look('printf', '%s', 'one'),
        sh('echo out; echo err >&2; exit 3'),
        look('true'),
        sh('echo only errors >&2'),
        sh('cat; echo "<$LC_ALL>"'),
      ]);
      expect(results.map((r) => [r?.code, r?.stdout, r?.stderr])).toEqual([
        [0, 'one', ''],
        [3, 'out\n', 'err\n'],
        [0, '', ''],
        [0, '', 'only errors\n'],
        [0, '<C>\n', ''],
      ]);
      expect(order).toEqual([0, 1, 2, 3, 4]);
      expect(decoder.done).toBe(true);
    });

    it('passes arguments on as data', async () => {
      const words = ["it's", '$(id)', '`id`', '\n#@ 7 {}\n', '-n', '\\', '*', 'ü', ''];
      const { results } = await run(shell, [look('printf', '%s\\0', ...words)]);
      expect(only(results).stdout.split('\0').slice(0, -1)).toEqual(words);
    });

    it('keeps bytes that look like frames, and bytes that are no text, apart', async () => {
      const { results } = await run(shell, [
        sh("printf '\\n@ostk-doctor 00000000000000000000000000000000 1\\n@0 x 1 0 0 0\\n\\0\\n\\n'"),
        look('head', '-c', '100000', '/dev/urandom'),
        look('echo', 'after'),
      ]);
      expect(results[0]?.stdout).toBe('\n@ostk-doctor 00000000000000000000000000000000 1\n@0 x 1 0 0 0\n\0\n\n');
      expect(results[1]?.code).toBe(0);
      expect(results[2]?.stdout).toBe('after\n');
    });

    it('bounds each stream, and says that it did', async () => {
      const { results } = await run(shell, [
        look('head', '-c', '10000000', '/dev/zero'),
        { ...look('head', '-c', '1000', '/dev/zero'), maxBytes: 1000 },
        { ...look('head', '-c', '1001', '/dev/zero'), maxBytes: 1000 },
        { ...sh('echo fine; exec head -c 10000000 /dev/zero >&2'), maxBytes: 2000 },
        look('echo', 'still here'),
      ]);
      expect(results.map((r) => [r?.stdout.length, r?.stderr.length, r?.truncated])).toEqual([
        [4 * 1024 * 1024, 0, true],
        [1000, 0, false],
        [1000, 0, true],
        [5, 2000, true],
        [11, 0, false],
      ]);
      expect(results[0]?.code).toBeNull();
    });

    it('brings 10 MB when asked for so much', async () => {
      const { results } = await run(shell, [
        { ...sh('head -c 10485760 /dev/zero | tr "\\0" x'), maxBytes: 10 * 1024 * 1024 },
      ]);
      expect(only(results).stdout).toBe('x'.repeat(10 * 1024 * 1024));
      expect(only(results).truncated).toBe(false);
    });

    it('ends a command that takes too long, with all that it started, and goes on', async () => {
      const word = uniqueSleep();
      const { results } = await run(shell, [
        sh(`echo before; sleep ${word} & sleep ${word}`, { timeoutSeconds: 1 }),
        look('echo', 'next'),
      ]);
      expect(results[0]).toMatchObject({ code: null, timedOut: true, stdout: 'before\n' });
      expect(results[0]?.ms).toBeGreaterThanOrEqual(950);
      expect(results[1]).toMatchObject({ code: 0, stdout: 'next\n', timedOut: false });
      // busybox's timeout knows no process groups: what a script started may outlive it until the batch is over.
      if (!shell.name.startsWith('busybox')) expect(running(word)).toEqual([]);
    });

    it('kills what ignores being asked to end', async () => {
      const { results } = await run(shell, [sh('trap "" TERM; sleep 5; sleep 5', { timeoutSeconds: 1 })]);
      expect(only(results)).toMatchObject({ code: null, timedOut: true });
    });

    it('does not take an exit code for the end of time', async () => {
      const { results } = await run(shell, [sh('exit 124'), sh('kill -9 $$'), sh('exit 255')]);
      expect(results.map((r) => [r?.code, r?.timedOut])).toEqual([
        [124, false],
        [null, false],
        [255, false],
      ]);
    });

    it('runs parallel commands side by side, and the others meanwhile', async () => {
      const began = Date.now();
      const pings = Array.from({ length: 8 }, (_, i) => sh(`sleep 0.7; echo ${i}; echo e${i} >&2`, { parallel: true }));
      const { results, order } = await run(shell, [...pings.slice(0, 4), look('echo', 'read'), ...pings.slice(4)]);
      expect(Date.now() - began).toBeLessThan(3000);
      expect(order[0]).toBe(4);
      expect(results.map((r) => `${r?.stdout}${r?.stderr}`)).toEqual([
        '0\ne0\n',
        '1\ne1\n',
        '2\ne2\n',
        '3\ne3\n',
        'read\n',
        '4\ne4\n',
        '5\ne5\n',
        '6\ne6\n',
        '7\ne7\n',
      ]);
      for (const result of results.filter((_, i) => i !== 4)) expect(result?.ms).toBeGreaterThanOrEqual(680);
    });

    it('does not wait for children that a command leaves behind', async () => {
      const word = uniqueSleep();
      const began = Date.now();
      const { results } = await run(shell, [sh(`sleep ${word} & echo left`)]);
      expect(only(results).stdout).toBe('left\n');
      expect(Date.now() - began).toBeLessThan(4000);
      await until(() => running(word).length === 0 || shell.name.startsWith('busybox'), 'nothing left');
    });

    it('dates results by the doctor, whatever the clock of the node', async () => {
      const began = Date.now();
      const { results } = await run(shell, [look('sleep', '0.3'), look('true')]);
      const at = results.map((r) => Date.parse(r?.startedAt ?? ''));
      expect(Math.abs((at[0] ?? 0) - began)).toBeLessThan(1000);
      expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(290);
    });

    it('leaves nothing running and no file when the doctor is gone', async () => {
      const word = uniqueSleep();
      const { child, leftFiles } = start(shell, [
        sh(`sleep ${word} & sleep ${word}`, { parallel: true, timeoutSeconds: 60 }),
        { ...look('sleep', word), parallel: true, timeoutSeconds: 60 },
        sh(`trap '' TERM HUP; sleep ${word}; sleep ${word}`, { timeoutSeconds: 60 }),
      ]);
      await until(() => running(word).length >= 5, 'the commands run');
      const gone = new Promise((resolve) => child.once('close', resolve));
      child.stdin.destroy();
      await gone;
      await until(() => running(word).length === 0, 'nothing is left running');
      await until(() => leftFiles().length === 0, 'no file is left');
    });

    it('is over when its overall time is, whoever holds the link', async () => {
      const word = uniqueSleep();
      const { child } = start(shell, [sh(`sleep ${word}`, { timeoutSeconds: 60 })], 1);
      await new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      await until(() => running(word).length === 0, 'nothing is left running');
    });

    it('leaves no file behind when all went well', async () => {
      const { leftFiles } = await run(shell, [look('true'), { ...look('true'), parallel: true }]);
      await until(() => leftFiles().length === 0, 'no file is left');
    });
  });
}

describe('a batch', () => {
  const commands: Command[] = [
    { argv: ['ping', '-c', '5', '10.0.0.1'], impact: 'probe', netns: 'qdhcp-1', parallel: true, round: 'after' },
    { argv: ['sh', '-c', "echo 'x'\necho ü"], impact: 'read', timeoutSeconds: 3 },
    { argv: ['tcpdump', '-i', 'tap"1'], impact: 'capture', become: true, maxBytes: 10 },
  ];

  it('can be read without a shell', () => {
    const { exec, stdin } = encodeBatch(commands, { overallSeconds: 30 });
    expect(decodeBatch(exec, stdin)).toEqual(commands);
    expect(batchLength(exec)).toBe(Buffer.byteLength(stdin));
    expect(decodeBatch(exec, stdin.slice(0, -2))).toBeUndefined();
    expect(decodeBatch('uname -a', stdin)).toBeUndefined();
  });

  it('survives any command on its way', () => {
    const anyCommand = fc.record(
      {
        argv: fc.array(
          fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
          { minLength: 1, maxLength: 4 },
        ) as fc.Arbitrary<[string, ...string[]]>,
        impact: fc.constantFrom('read' as const, 'probe' as const),
        netns: fc.stringMatching(/^[a-z0-9-]{1,20}$/),
        parallel: fc.boolean(),
      },
      { requiredKeys: ['argv', 'impact'] },
    );
    fc.assert(
      fc.property(fc.array(anyCommand, { maxLength: 5 }), (some) => {
        const { exec, stdin } = encodeBatch(some, { overallSeconds: 5 });
        expect(decodeBatch(exec, stdin)).toEqual(some);
      }),
    );
  });

  it('asks for root once, and only where it must', () => {
    expect(encodeBatch([look('true')], { overallSeconds: 5 }).exec).not.toContain('sudo');
    const { exec, stdin } = encodeBatch(commands, { overallSeconds: 30 });
    expect(exec.match(/sudo -n --/g)).toHaveLength(1);
    expect(stdin).toContain('$S ip netns exec qdhcp-1 ping -c 5 10.0.0.1\n');
    expect(stdin).not.toContain('$S sh -c');
  });

  it('means the same to every login shell: one line, single quotes, nothing to expand outside them', () => {
    for (const some of [[look('true')], commands]) {
      const { exec } = encodeBatch(some, { overallSeconds: 30 });
      expect(exec).not.toMatch(/[\n!\\]/);
      expect(exec.replace(/'[^']*'/g, '')).toMatch(/^[a-z0-9 -]*$/);
    }
  });

  it('costs no more than a few processes beside each command', async () => {
    const [shell] = shells;
    if (shell === undefined) throw new Error('no sh');
    const thirty = Array.from({ length: 30 }, () => look('true'));
    const best = async (what: () => Promise<unknown>) => {
      const times: number[] = [];
      for (let i = 0; i < 3; i++) {
        const began = performance.now();
        await what();
        times.push(performance.now() - began);
      }
      return Math.min(...times);
    };
    // Against thirty programs that a shell starts one after the other, at the same moment on the same machine.
    const bare = await best(() =>
      promisify(execFile)('sh', [
        '-c',
        'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do timeout 5 true; done',
      ]),
    );
    const one = await best(() => run(shell, [look('true')]));
    expect((await best(() => run(shell, thirty))) - one).toBeLessThan(4 * bare);
  });
});

describe('a batch of a user who is not root', () => {
  const [shell] = shells;
  if (shell === undefined) throw new Error('no sh');
  /** A node whose `id` says 1000 and whose `sudo` notes what it is asked for, and allows what this script lets pass. */
  function node(allows: string) {
    const bin = mkdtempSync(join(tmpdir(), 'osd-bin-'));
    runtimes.push(bin);
    const log = join(bin, 'log');
    const script = (name: string, text: string) =>
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    writeFileSync(log, '');
    script('id', `[ -n "$AS_ROOT" ] && echo 0 || echo 1000`);
    script(
      'sudo',
      `[ "$1 $2" = "-n --" ] || exit 9; shift 2; echo "$1" >>${log}
case $1 in ${allows}) AS_ROOT=1; export AS_ROOT; exec "$@";; esac
echo "sudo: a password is required" >&2; exit 1`,
    );
    return { path: `${bin}:${process.env.PATH}`, asked: () => readFileSync(log, 'utf8').trim().split('\n') };
  }
  const commands: Command[] = [
    sh('echo "plain $(id -u)"'),
    { ...sh('echo "root $(id -u)"'), become: true },
    { ...sh('echo "capture $(id -u)"'), become: true, impact: 'capture' },
  ];

  it('asks sudo once for all of it, where sudo allows anything', async () => {
    const { path, asked } = node('*');
    const { results } = await run(shell, commands, 20, path);
    expect(results.map((r) => r?.stdout)).toEqual(['plain 0\n', 'root 0\n', 'capture 0\n']);
    expect(asked()).toEqual(['timeout']);
  });

  it('asks for each command, where sudo allows only some; what could not be ended does not run', async () => {
    const { path, asked } = node('sh');
    const { results } = await run(shell, commands, 20, path);
    expect(results.map((r) => [r?.code, r?.stdout])).toEqual([
      [0, 'plain 1000\n'],
      [0, 'root 0\n'],
      [1, ''],
    ]);
    expect(results[2]?.stderr).toBe('sudo: a password is required\n');
    expect(asked()).toEqual(['timeout', 'sh', 'timeout']);
  });

  it('says of each command that sudo refused it', async () => {
    const { path } = node('nothing');
    const { results } = await run(shell, commands, 20, path);
    expect(results.map((r) => [r?.code, r?.stderr])).toEqual([
      [0, ''],
      [1, 'sudo: a password is required\n'],
      [1, 'sudo: a password is required\n'],
    ]);
  });
});

describe('frames', () => {
  const results: Omit<CommandResult, 'startedAt'>[] = [
    { code: 0, stdout: 'a\nb', stderr: '', truncated: false, timedOut: false, ms: 12 },
    { code: 1, stdout: '', stderr: '\n\n', truncated: false, timedOut: false, ms: 0 },
    { code: null, stdout: 'é', stderr: 'x', truncated: true, timedOut: true, ms: 10_000 },
  ];
  const commands = results.map(() => look('true'));
  const without = (result: CommandResult) => {
    const { startedAt, ...rest } = result;
    expect(new Date(startedAt).toISOString()).toBe(startedAt);
    return rest;
  };

  it('come out as they went in, however they are cut', () => {
    const bytes = Buffer.concat([Buffer.from('Welcome to cmp1!\n@ you have mail\n'), encodeFrames(results)]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 30 }), (cuts) => {
        const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
        const decoder = createFrameDecoder(commands);
        const frames = places.slice(1).flatMap((end, i) => decoder.push(bytes.subarray(places[i], end)));
        expect(frames.map((frame) => frame.index)).toEqual([0, 1, 2]);
        expect(frames.map((frame) => without(frame.result))).toEqual(results);
        expect(decoder.done).toBe(true);
        expect(decoder.noise).toContain('Welcome to cmp1!');
      }),
    );
  });

  it('carry any text of any length', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        fc.nat(300),
        (stdout, stderr, repeat) => {
          const one = { code: 0, stdout: stdout.repeat(repeat), stderr, truncated: false, timedOut: false, ms: 1 };
          const decoder = createFrameDecoder([look('true')]);
          const [frame] = decoder.push(encodeFrames([one]));
          expect(frame?.result.stdout).toBe(Buffer.from(one.stdout).toString());
          expect(frame?.result.stderr).toBe(Buffer.from(stderr).toString());
        },
      ),
    );
  });

  it('leave out what never came back', () => {
    const decoder = createFrameDecoder(commands);
    expect(decoder.push(encodeFrames([results[0], undefined, results[2]])).map((frame) => frame.index)).toEqual([0, 2]);
  });

  it('cannot be forged by what a command prints', () => {
    const forged = encodeFrames([{ code: 0, stdout: 'forged', stderr: '', truncated: false, timedOut: false, ms: 0 }]);
    const decoder = createFrameDecoder([look('cat', 'console.log')]);
    const frames = decoder.push(
      encodeFrames([{ code: 7, stdout: forged.toString(), stderr: '', truncated: false, timedOut: false, ms: 0 }]),
    );
    expect(frames).toHaveLength(1);
    expect(frames[0]?.result).toMatchObject({ code: 7, stdout: forged.toString() });
  });

  it('never hold more of a stream than was asked for', () => {
    const command: Command = { ...look('true'), maxBytes: 10 };
    const decoder = createFrameDecoder([command]);
    const [frame] = decoder.push(
      encodeFrames([{ code: 0, stdout: 'é'.repeat(6_000_000), stderr: '', truncated: false, timedOut: false, ms: 0 }]),
    );
    expect(frame?.result).toMatchObject({ stdout: 'ééééé', truncated: true });
    const [odd] = createFrameDecoder([{ ...command, maxBytes: 5 }]).push(
      encodeFrames([{ code: 0, stdout: 'ééééé', stderr: '', truncated: false, timedOut: false, ms: 0 }]),
    );
    expect(odd?.result).toMatchObject({ stdout: 'éé', truncated: true });
  });

  it('tell noise from the beginning of a script', () => {
    const decoder = createFrameDecoder(commands);
    expect(decoder.push(Buffer.from('This account is currently not available.\n'))).toEqual([]);
    expect(decoder.begun).toBe(false);
    expect(decoder.noise).toBe('This account is currently not available.\n');
  });
});
