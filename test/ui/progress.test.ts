import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/engine/events.ts';
import { type ProgressOptions, progress, progressLine, type Spinner } from '../../src/ui/progress.ts';
import { createTheme } from '../../src/ui/theme.ts';
import { healthy } from '../report/samples.ts';

const theme = createTheme({ colorLevel: 0, unicode: true });
const start: RunEvent = { type: 'run.start', command: 'net web-1', startedAt: healthy.startedAt };
const end: RunEvent = { type: 'run.end', report: healthy };
const waiting = (seconds: number, ...on: string[]): RunEvent => ({ type: 'waiting', on, seconds });
const [step] = healthy.steps;
const [check] = step?.checks ?? [];
if (check === undefined) throw new Error('the sample has no check');
const done: RunEvent = { type: 'check.end', step: 'cloud', check };

function stream() {
  const written: string[] = [];
  const through = new PassThrough();
  through.on('data', (chunk: Buffer) => written.push(chunk.toString()));
  return { stream: through as unknown as NodeJS.WriteStream, text: () => written.join('') };
}

function shown() {
  const log: string[] = [];
  const spinner: Spinner = { show: (text) => log.push(text), stop: () => log.push('<stopped>') };
  return { log, spinner: () => Promise.resolve(spinner) };
}

const options = (more: Partial<ProgressOptions>): ProgressOptions => ({
  stream: stream().stream,
  interactive: true,
  verbose: false,
  theme,
  width: () => 80,
  ...more,
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the moving line', () => {
  it('says what is waited for and for how long', () => {
    expect(progressLine({ checksDone: 0, on: [], seconds: 0 })).toBe('starting');
    expect(progressLine({ checksDone: 0, on: ['neutron'], seconds: 0.4 })).toBe('waiting for neutron');
    expect(progressLine({ checksDone: 12, on: ['cmp1', 'net1'], seconds: 4.9 })).toBe(
      '12 checks done, waiting for cmp1, net1 (4 s)',
    );
    expect(progressLine({ checksDone: 1, on: ['a', 'b', 'c', 'd', 'e'], seconds: 2 })).toBe(
      '1 check done, waiting for a, b, c and 2 more (2 s)',
    );
  });

  it('says after ten seconds why that can be slow', () => {
    expect(progressLine({ checksDone: 0, on: ['neutron'], seconds: 9.9 })).not.toContain(':');
    expect(progressLine({ checksDone: 0, on: ['neutron'], seconds: 10 })).toContain('RabbitMQ');
    expect(progressLine({ checksDone: 0, on: ['cmp1'], seconds: 10 })).toContain('sshd');
  });

  it('grows older by itself and stays on one line', async () => {
    let time = 0;
    const { log, spinner } = shown();
    const p = progress(options({ spinner, now: () => time, width: () => 60 }));
    p.on(start);
    await turn();
    p.on(waiting(3, 'cmp1'));
    time = 9_000;
    p.on(done);
    expect(log.at(-1)).toMatch(/^1 check done, waiting for cmp1 \(12 s\): a node/);
    expect(log.every((line) => line.length <= 56)).toBe(true);
    p.on(end);
    await p.end();
  });

  it('is gone when the results are about to be written', async () => {
    const { log, spinner } = shown();
    const p = progress(options({ spinner }));
    p.on(start);
    await turn();
    p.on(end);
    expect(log.at(-1)).toBe('<stopped>');
    await p.end();
    p.on(done);
    expect(log.at(-1)).toBe('<stopped>');
  });

  it('never appears when the run is over before it could be drawn', async () => {
    const { log, spinner } = shown();
    const p = progress(options({ spinner }));
    p.on(start);
    p.on(end);
    await p.end();
    expect(log).toEqual([]);
  });

  it('is drawn by ora without colour codes at level 0, and wiped at the end', async () => {
    const out = stream();
    const p = progress(
      options({
        stream: Object.assign(out.stream, {
          isTTY: true,
          columns: 80,
          clearLine: () => true,
          cursorTo: () => true,
          moveCursor: () => true,
        }),
      }),
    );
    p.on(start);
    p.on(waiting(2, 'cmp1'));
    await import('ora');
    await turn();
    p.on(done);
    p.on(end);
    await p.end();
    expect(out.text()).toContain('waiting for cmp1 (2 s)');
    expect(out.text()).not.toMatch(/\u001b\[\d+m/);
  });
});

describe('progress without a terminal', () => {
  it('is silent', async () => {
    const out = stream();
    const p = progress(options({ stream: out.stream, interactive: false }));
    for (const event of [start, waiting(30, 'cmp1'), done, end]) p.on(event);
    await p.end();
    expect(out.text()).toBe('');
  });

  it('is plain lines under -v: checks, notes, and what is slow, not too often', async () => {
    const out = stream();
    const p = progress(options({ stream: out.stream, interactive: false, verbose: true }));
    for (const seconds of [1, 11, 12, 13, 21]) p.on(waiting(seconds, 'cmp1'));
    p.on(done);
    p.on({ type: 'note', level: 'warning', text: 'clouds.yaml can be read by everybody\u001b[2J' });
    await p.end();
    const lines = out.text().trimEnd().split('\n');
    expect(lines.filter((l) => l.startsWith('waiting')).map((l) => /\d+ s/.exec(l)?.[0])).toEqual(['11 s', '21 s']);
    expect(lines.slice(2)).toEqual(['ok: auth.token web-1', 'warning: clouds.yaml can be read by everybody']);
  });
});
