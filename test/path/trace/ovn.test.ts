import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Trace } from '../../../src/engine/trace.ts';
import { numbered, seenIn } from '../../../src/facts/trace/captures.ts';
import type { PlannedLeg } from '../../../src/facts/trace/leg.ts';
import { decodeFrame } from '../../../src/nodes/parse/frame/decode.ts';
import { parsePcap } from '../../../src/nodes/parse/pcap.ts';
import { follow } from '../../../src/path/trace/follow.ts';
import { traceOf } from '../../../src/path/trace/model.ts';
import type { Point, Wearing } from '../../../src/path/trace/point.ts';
import { understood } from '../../nodes/parse/fixtures.ts';

const bytesOf = (name: string): Buffer =>
  readFileSync(new URL(`../../fixtures/ovn/captures/${name}.pcap`, import.meta.url));

const plain: Wearing = { kind: 'plain' };
/** Between the gateway chassis and the instance's; keys of the tenant's switch (2) and of the router (3). */
const tunnel = (host: 'net1' | 'cmp1', vni: number, vniBack: number): Wearing => ({
  kind: 'tunnel',
  by: 'geneve',
  vni,
  vniBack,
  endpoints: host === 'net1' ? ['198.18.1.20', '198.18.1.31'] : ['198.18.1.31', '198.18.1.20'],
});
const at = (host: string, device: string, kind: Point['kind'], wears: Wearing, only?: 'back'): Point => ({
  host,
  device,
  kind,
  wears,
  ...(only === undefined ? {} : { only }),
});

const names = {
  floating: ['floating-1-net1-eth2', 'floating-2-net1-eth1', 'floating-3-cmp1-eth1', 'floating-4-cmp1-tap'],
  outwards: ['outwards-1-cmp1-tap', 'outwards-2-cmp1-eth1', 'outwards-3-net1-eth1', 'outwards-4-net1-eth2'],
} as const;

/** From the operator's machine to a floating address on the gateway chassis, and on to the instance. */
const floating = (wears = tunnel): PlannedLeg => ({
  from: 'operator',
  addresses: ['198.19.0.189', '10.0.0.148'],
  leg: {
    title: 'this machine → 198.19.0.189 → web-1',
    probe: { protocol: 'icmp', from: '', to: '198.19.0.189', count: 5, size: 84 },
    sender: { host: 'this machine' },
    points: [
      at('net1', 'eth2', 'physnet', plain),
      at('net1', 'eth1', 'physnet', wears('net1', 2, 3)),
      at('cmp1', 'eth1', 'physnet', wears('cmp1', 2, 3)),
      at('cmp1', 'tap608a92c3-83', 'tap', plain),
    ],
    answerer: { kind: 'guest', name: 'web-1' },
  },
});

/** Put in at the instance's port: routed on its own host, translated on the gateway chassis. */
const outwards: PlannedLeg = {
  from: 'port',
  addresses: ['198.19.0.1'],
  leg: {
    title: 'in the name of web-1 → 198.19.0.1',
    probe: { protocol: 'icmp', from: '10.0.0.148', to: '198.19.0.1', count: 5, size: 84 },
    sender: { host: 'cmp1', port: 'port 3 of br-int' },
    points: [
      at('cmp1', 'tap608a92c3-83', 'tap', plain, 'back'),
      at('cmp1', 'eth1', 'physnet', tunnel('cmp1', 3, 2)),
      at('net1', 'eth1', 'physnet', tunnel('net1', 3, 2)),
      at('net1', 'eth2', 'physnet', plain),
    ],
    answerer: { kind: 'outside', name: '198.19.0.1' },
  },
};

/** As it was followed, or as it would have been with nothing seen at some of its points on one way. */
function traced(planned: PlannedLeg, files: readonly string[], lost: (point: number, way: string) => boolean): Trace {
  const seen = files.flatMap((name, point) => seenIn(planned, point, bytesOf(name).toString('base64')).seen);
  const sightings = numbered(planned, seen).filter((s) => !lost(s.point, s.way));
  const home = new Set(sightings.filter((s) => s.point === 0 && s.way === 'back').map((s) => s.sequence));
  const observation = {
    leg: planned.leg,
    watches: files.map(() => ({ kind: 'watched', captured: 10, dropped: 0 }) as const),
    sightings,
    sent: 5,
    answered: home.size,
  };
  return traceOf(observation, follow(observation));
}
const whole = (): boolean => false;

describe('captures of a ping to a floating address on a gateway chassis', () => {
  const trace = traced(floating(), names.floating, whole);

  it('show it at every point, there and back', () => {
    expect(trace.points.map((p) => [p.there.seen, p.back.seen])).toEqual([5, 5, 5, 5].map((n) => [n, n]));
    expect(trace.stop).toBeUndefined();
    expect(trace.reading).toMatch(/^All 5 packets went there and back in /);
  });

  it('show where it is translated, and that the question is carried as the network and the answer as the router', () => {
    const translations = trace.changes.filter((c) => c.what === 'destination' || c.what === 'source');
    expect(translations).toEqual([
      { way: 'there', after: 0, before: 1, what: 'destination', from: '198.19.0.189', to: '10.0.0.148' },
      { way: 'back', after: 1, before: 0, what: 'source', from: '10.0.0.148', to: '198.19.0.189' },
    ]);
    expect(trace.points[1]?.wears).toBe('geneve 2, back 3');
    expect(trace.misfits).toEqual([]);
  });

  it('show what is carried under another key than it should be, each way by itself', () => {
    const { misfits } = traced(
      floating((host) => tunnel(host, 2, 2)),
      names.floating,
      whole,
    );
    expect(misfits.map((m) => [m.way, m.what, m.expected, m.seen])).toEqual([
      ['back', 'vni', '2', '3'],
      ['back', 'vni', '2', '3'],
    ]);
  });

  it('tell the logical ports by which it came in and is to leave', () => {
    const { records, linkType } = understood(parsePcap(bytesOf(names.floating[1])));
    const ports = records.flatMap(({ bytes }) =>
      decodeFrame(linkType, bytes).layers.flatMap((l) => (l.layer === 'geneve' ? [[l.vni, l.logicalPorts]] : [])),
    );
    // In the tenant's switch from its router's port (2) to the instance's (5); in the router to its gateway's chassisredirect port (4).
    expect(ports.slice(0, 2)).toEqual([
      [2, { ingress: 2, egress: 5 }],
      [3, { ingress: 3, egress: 4 }],
    ]);
  });

  it('end where it was last seen', () => {
    const { stop } = traced(floating(), names.floating, (point, way) => way === 'back' || point > 1);
    expect(stop).toMatchObject({
      kind: 'edge',
      way: 'there',
      after: { at: 'point', point: 1 },
      before: { at: 'point', point: 2 },
      lost: 5,
    });
  });
});

describe('captures of a ping that was put in at the port of an instance', () => {
  it('show it routed on its own host, translated on the gateway, and its answer at the tap', () => {
    const trace = traced(outwards, names.outwards, whole);
    expect(trace.points.map((p) => [p.there.seen, p.back.seen])).toEqual([
      [0, 5],
      [5, 5],
      [5, 5],
      [5, 5],
    ]);
    expect(trace.misfits).toEqual([]);
    expect(trace.changes).toContainEqual({
      way: 'there',
      after: 2,
      before: 3,
      what: 'source',
      from: '10.0.0.148',
      to: '198.19.0.189',
    });
    expect(trace.answered).toBe(5);
  });
});
