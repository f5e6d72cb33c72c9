import { describe, expect, it } from 'vitest';
import type { FactFailure } from '../../../src/engine/failure.ts';
import { err, ok } from '../../../src/engine/result.ts';
import { watchOf } from '../../../src/facts/trace/captures.ts';
import type { CommandResult } from '../../../src/nodes/command.ts';
import type { Watch } from '../../../src/path/trace/observation.ts';
import { fixture } from '../../nodes/parse/fixtures.ts';

const saying = (stderr: string, more: Partial<CommandResult> = {}): Watch =>
  watchOf(
    ok({
      code: 0,
      stdout: '',
      stderr,
      truncated: false,
      timedOut: false,
      startedAt: '2026-01-01T00:00:00Z',
      ms: 1,
      ...more,
    }),
  );
const ended = (captured: number, kernel: number, more = ''): string =>
  `tcpdump: listening on tap1, link-type EN10MB (Ethernet), snapshot length 160 bytes\n${captured} packets captured\n${captured + kernel} packets received by filter\n${kernel} packets dropped by kernel\n${more}`;

describe('how well a point could be looked at', () => {
  it('is well where tcpdump listened to its end', () => {
    expect(saying(ended(10, 0))).toEqual({ kind: 'watched', captured: 10, dropped: 0 });
    expect(saying(ended(0, 0))).toEqual({ kind: 'watched', captured: 0, dropped: 0 });
    expect(saying(fixture('captures', 'tcpdump-4.99.3-one.txt')).kind).toBe('watched');
  });

  it('is told by what the kernel and the device dropped', () => {
    expect(saying(ended(10, 3))).toMatchObject({ dropped: 3 });
    expect(saying(ended(10, 3, '2 packets dropped by interface\n'))).toMatchObject({ dropped: 5 });
  });

  it('is not at all where the device is not there or not up, which passes nothing', () => {
    expect(saying(fixture('captures', 'tcpdump-4.99.3-no-such-device.txt'), { code: 1 })).toEqual({ kind: 'absent' });
    expect(saying('tcpdump: tap1: That device is not up\n', { code: 1 })).toEqual({ kind: 'down' });
    expect(saying('Cannot open network namespace "qrouter-1": No such file or directory\n').kind).toBe('absent');
  });

  it('is blind where tcpdump did not start, and its last words say why', () => {
    const why = "tcpdump: tap1: You don't have permission to perform this capture on that device";
    expect(saying(`${why}\n`, { code: 1 })).toEqual({ kind: 'blind', why });
    expect(saying('', { code: 1 })).toEqual({ kind: 'blind', why: 'tcpdump did not start' });
  });

  it('is blind where the capture ended before the probe did', () => {
    const begun = 'tcpdump: listening on tap1, link-type EN10MB (Ethernet), snapshot length 160 bytes\n';
    for (const capture of [saying(begun, { code: null, timedOut: true }), saying(begun)]) {
      expect(capture).toEqual({ kind: 'blind', why: 'its capture was cut off' });
    }
    const full = { kind: 'blind', why: 'more packets came by than a capture takes' };
    expect(saying(ended(1000, 0))).toEqual(full);
    expect(saying(ended(900, 0), { truncated: true })).toEqual(full);
  });

  const failures: readonly (readonly [FactFailure, string])[] = [
    [{ kind: 'missing-tool', host: 'cmp1', tool: 'tcpdump', fix: '' }, 'tcpdump is not installed'],
    [{ kind: 'timeout', what: 'cmp1', seconds: 20 }, 'the host did not answer in time'],
    [{ kind: 'sudo', host: 'cmp1', detail: 'a password is required', fix: '' }, 'root is needed to capture'],
    [{ kind: 'unsupported', because: 'it is not in this bundle' }, 'it could not be captured'],
  ];
  it.each(failures)('is blind for what the node says: %j', (failure, why) => {
    expect(watchOf(err(failure))).toEqual({ kind: 'blind', why });
  });
});
