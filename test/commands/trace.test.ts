import { describe, expect, it } from 'vitest';
import { type TraceCommandOptions, traceCommand } from '../../src/commands/trace.ts';
import { UserError } from '../../src/engine/error.ts';

const traced = (from: string, to: string, o: Partial<TraceCommandOptions> = {}) => {
  const { verb, target, options } = traceCommand(from, to, o);
  return { verb, target, to: options.to, trace: options.trace, probe: options.probe };
};
const refusal = (from: string, to: string, o: Partial<TraceCommandOptions> = {}): UserError => {
  try {
    traceCommand(from, to, o);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('it was not refused');
};

describe('the two ends of a trace', () => {
  it.each(['router', 'dhcp', 'gateway', 'metadata', 'outside'])(
    '%s is a place beside the instance, on either side',
    (place) => {
      expect(traced(place, 'web-1')).toMatchObject({
        verb: 'trace',
        target: 'web-1',
        to: undefined,
        trace: { other: place, reversed: true },
      });
      expect(traced('web-1', place)).toMatchObject({
        target: 'web-1',
        to: undefined,
        trace: { other: place, reversed: false },
      });
    },
  );

  it('are two instances: the first is what is walked, the second its peer', () => {
    expect(traced('web-1', 'db-1')).toMatchObject({
      target: 'web-1',
      to: 'db-1',
      trace: { other: 'peer', reversed: false },
    });
  });

  it('are an instance and an address, in whatever order', () => {
    const peer = { target: 'web-1', to: '203.0.113.7' };
    expect(traced('web-1', '203.0.113.7')).toMatchObject({ ...peer, trace: { other: 'peer', reversed: false } });
    expect(traced('203.0.113.7', 'web-1')).toMatchObject({ ...peer, trace: { other: 'peer', reversed: true } });
    expect(traced('fd00::7', 'web-1')).toMatchObject({ target: 'web-1', to: 'fd00::7' });
  });

  it('are not two places, between which no instance stands', () => {
    expect(refusal('router', 'dhcp').message).toMatch(/^A trace needs an instance at one end\./);
    expect(refusal('outside', 'outside').hint).toContain('ostk-doctor trace router web-1');
  });
});

describe('what is sent', () => {
  it.each([
    ['icmp', { protocol: 'icmp' }, 5],
    ['arp', { protocol: 'arp' }, 3],
    ['tcp/22', { protocol: 'tcp', port: 22 }, 3],
    ['udp/65535', { protocol: 'udp', port: 65_535 }, 5],
  ] as const)('is %s, so many as it takes', (what, probe, count) => {
    expect(traced('router', 'web-1', { probe: what }).trace).toMatchObject({ probe, count });
  });

  it('is a ping where nobody says', () => {
    expect(traced('router', 'web-1')).toMatchObject({
      trace: { probe: { protocol: 'icmp' }, count: 5, inject: false },
      probe: undefined,
    });
  });

  it('is what the walk behind a loss is about as well', () => {
    expect(traced('router', 'web-1', { probe: 'tcp/5432' }).probe).toEqual(['tcp/5432']);
  });

  it.each(['tcp', 'tcp/', 'tcp/0', 'tcp/65536', 'tcp/22x', 'sctp/22', 'icmp/1', '', 'tcp/22;reboot'])(
    'is not %j',
    (probe) => {
      expect(refusal('router', 'web-1', { probe }).hint).toBe(
        'icmp, arp, tcp/PORT, udp/PORT, dhcp or metadata; e.g. tcp/22',
      );
    },
  );

  it.each(['dhcp', 'metadata'] as const)(
    'is %s between an instance and who serves it that, named in either order',
    (probe) => {
      for (const [from, to] of [
        ['web-1', probe],
        [probe, 'web-1'],
      ] as const) {
        const command = traced(from, to, { probe });
        expect(command.trace).toMatchObject({ other: probe, probe: { protocol: probe }, count: 3 });
        expect(command.probe).toBeUndefined();
      }
    },
  );

  it.each(['dhcp', 'metadata'])('is %s with no other far end: the right command is named', (probe) => {
    for (const [from, to] of [
      ['web-1', 'router'],
      ['outside', 'web-1'],
      ['web-1', 'db-1'],
    ] as const) {
      expect(refusal(from, to, { probe }).hint).toBe(`ostk-doctor trace web-1 ${probe} --probe ${probe}`);
    }
    expect(refusal('web-1', probe, { probe, size: '1400' }).hint).toBe(
      `ostk-doctor trace web-1 ${probe} --probe ${probe}`,
    );
  });

  it('is as much as is asked for, within bounds', () => {
    expect(traced('router', 'web-1', { count: '100', size: '1500' }).trace).toMatchObject({ count: 100, size: 1500 });
    for (const count of ['0', '101', '-1', '5.5', 'five', '', '1e2', '1000000000']) {
      expect(refusal('router', 'web-1', { count }).hint).toBe('a number from 1 to 100');
    }
    for (const size of ['67', '65536', 'big']) {
      expect(refusal('router', 'web-1', { size }).hint).toBe('a number from 68 to 65535');
    }
  });

  it('is put in at the port of the instance only when that is asked for', () => {
    expect(traced('web-1', 'db-1', { inject: true }).trace?.inject).toBe(true);
  });
});
