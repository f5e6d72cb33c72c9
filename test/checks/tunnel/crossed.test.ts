import { describe, expect, it } from 'vitest';
import { crossed } from '../../../src/checks/tunnel/crossed.ts';
import type { HostCounters, SecondLook } from '../../../src/facts/second-look.ts';
import type { Tunnels } from '../../../src/facts/tunnel.ts';

const shape: Tunnels['shape'] = { kind: 'vxlan', by: { kind: 'device', device: 'vxlan-359' } };
const way = { from: 'net1', to: 'cmp1', ownEnd: '192.0.2.20', farEnd: '192.0.2.31' };
/** A host of which only the tunnel's device is counted. */
const counted = (tx: number, rx: number): HostCounters =>
  ({ links: [{ name: 'vxlan-359', tx: { packets: tx }, rx: { packets: rx } }] }) as unknown as HostCounters;
const look = (
  before: Readonly<Record<string, HostCounters>>,
  after: Readonly<Record<string, HostCounters>>,
): SecondLook =>
  ({ before: new Map(Object.entries(before)), after: new Map(Object.entries(after)) }) as unknown as SecondLook;

describe('what crossed a tunnel', () => {
  it('is what each end counted between the readings, however much it had counted before', () => {
    const seen = look(
      { net1: counted(100, 7), cmp1: counted(4, 900) },
      { net1: counted(105, 7), cmp1: counted(4, 900) },
    );
    const { sender, receiver } = crossed(seen, shape, way, () => undefined);
    expect(sender).toEqual({ sent: 5, received: 0, words: 'vxlan-359: tx +5, rx +0' });
    expect(receiver).toEqual({ sent: 0, received: 0, words: 'vxlan-359: tx +0, rx +0' });
  });

  it('is not told of one end alone: a host that was not read proves no loss', () => {
    const seen = look({ net1: counted(100, 0) }, { net1: counted(105, 0) });
    expect(crossed(seen, shape, way, () => undefined).sender).toMatchObject({
      sent: 0,
      words: 'the tunnel was not counted',
    });
  });
});
