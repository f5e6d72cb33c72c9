import { describe, expect, it } from 'vitest';
import type { Layer } from '../../../src/nodes/parse/frame/layer.ts';
import { type Followed, follow } from '../../../src/path/trace/follow.ts';
import { traceOf } from '../../../src/path/trace/model.ts';
import type { Observation, Sighting, Watch } from '../../../src/path/trace/observation.ts';
import type { Wearing } from '../../../src/path/trace/point.ts';
import { arpAt, blind, layersOf, mac, point, simulate, usual, type World } from './simulate.ts';

const tunnel: Wearing = { kind: 'tunnel', by: 'vxlan', vni: 1021, endpoints: ['192.168.50.11', '192.168.50.21'] };
const points = [
  point('net1', 'ns-1'),
  point('net1', 'brq-1'),
  point('net1', 'eth1', tunnel),
  point('cmp1', 'eth1', tunnel),
  point('cmp1', 'brq-1'),
  point('cmp1', 'tap-1'),
];
const n = points.length;
/** Of the edges of the walk: `there(p)` leads to point p, `back(p)` away from it. */
const there = (p: number): number => p;
const back = (p: number): number => 2 * n + 1 - p;
const turn = n;

const watches = (changed: Readonly<Record<number, Watch>>): Watch[] =>
  points.map((_, p) => changed[p] ?? { kind: 'watched', captured: 10, dropped: 0 });

const seenIn = (parts: Partial<World>): Observation => simulate({ points, ...parts });
const readingOf = (observation: Observation): string => traceOf(observation, follow(observation)).reading;
const notesOf = (observation: Observation): readonly string[] => traceOf(observation, follow(observation)).notes;
const seenThere = (followed: Followed): (readonly [number, number])[] => followed.there.map((r) => [r.seen, r.of]);
const seenBack = (followed: Followed): (readonly [number, number])[] => followed.back.map((r) => [r.seen, r.of]);

describe('a point that the probe passes on one way only', () => {
  /** Put in behind tap-1 and ns-1 on cmp1, as an instance's own packets are; answers come back to the tap. */
  const injected = [
    { ...point('cmp1', 'tap-1'), only: 'back' as const },
    { ...point('cmp1', 'qvo-1'), only: 'back' as const },
    point('cmp1', 'eth1', tunnel),
    point('net1', 'eth1', tunnel),
    point('net1', 'ns-1'),
  ];
  /** What comes by where nothing is put in is not seen. */
  const seen = (parts: Partial<World> = {}): Observation => {
    const whole = simulate({ points: injected, ...parts });
    return {
      ...whole,
      sightings: whole.sightings.filter((s) => s.way === 'back' || injected[s.point]?.only !== 'back'),
    };
  };

  it('is not missed on the other way, nor counted there', () => {
    const followed = follow(seen());
    expect([followed.stop, followed.losses]).toEqual([undefined, []]);
    expect(seenThere(followed)).toEqual([
      [0, 0],
      [0, 0],
      [5, 5],
      [5, 5],
      [5, 5],
    ]);
    expect(seenBack(followed)).toEqual(injected.map(() => [5, 5]));
    expect(followed.there.every((r) => r.overlooked === 0)).toBe(true);
  });

  it('does not stand between the sender and the first place that it does pass', () => {
    const { stop } = follow(seen({ takes: (e) => e === 2 }));
    expect(stop).toMatchObject({
      kind: 'edge',
      way: 'there',
      after: { at: 'sender' },
      before: { at: 'point', point: 2, way: 'there' },
      blind: [],
    });
  });

  it('is where an answer is missed that comes nearer', () => {
    const m = injected.length;
    const { stop } = follow(seen({ takes: (e) => e === 2 * m + 1 - 1 }));
    expect(stop).toMatchObject({
      way: 'back',
      after: { at: 'point', point: 1, way: 'back' },
      before: { at: 'point', point: 0, way: 'back' },
    });
  });

  it('counts nothing that is flooded to it on the other way', () => {
    const whole = simulate({ points: injected, takes: (e) => e === 4 });
    const { stop, there } = follow(whole);
    expect(there.slice(0, 2).map((r) => r.seen)).toEqual([0, 0]);
    expect(stop?.after).toEqual({ at: 'point', point: 3, way: 'there' });
  });

  it('has no round trip where the answer goes elsewhere than the question came from', () => {
    const elsewhere = [{ ...point('net1', 'qr-1'), only: 'there' as const }, ...injected];
    expect(follow(simulate({ points: elsewhere })).roundTrip).toBeUndefined();
    expect(follow(seen()).roundTrip).toBeDefined();
  });
});

describe('what each point saw', () => {
  it('is told in the order in which the packet meets it, both ways', () => {
    const followed = follow(seenIn({}));
    expect(followed.there.map((r) => r.point)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(followed.back.map((r) => r.point)).toEqual([5, 4, 3, 2, 1, 0]);
    expect(seenThere(followed)).toEqual(points.map(() => [5, 5]));
    expect(followed.stop).toBeUndefined();
  });

  it('counts a packet once, however often it was seen, and keeps its first time', () => {
    const once = seenIn({ sent: 2 });
    const again: Sighting[] = once.sightings.map((s) => ({ ...s, at: s.at + 40_000n }));
    const twice = { ...once, sightings: [...again, ...once.sightings] };
    expect(follow(twice)).toEqual(follow(once));
  });

  it('back is out of those that turned at the answerer', () => {
    const followed = follow(seenIn({ takes: (e, k) => e === turn && k > 3 }));
    expect(seenBack(followed)).toEqual(points.map(() => [3, 3]));
    expect(followed.stop).toMatchObject({ kind: 'answerer', lost: 2, of: 5 });
  });

  it('knows no time between hosts when packets went one way only, and still the times within each', () => {
    const followed = follow(seenIn({ takes: (e) => e === turn, clocks: { cmp1: 7_000_000_000n } }));
    expect(followed.offsets.has('cmp1')).toBe(false);
    expect(followed.there.map((r) => r.transit)).toEqual([undefined, 10_000n, 10_000n, undefined, 10_000n, 10_000n]);
  });

  it('compares clocks with the one of the sender, wherever on the path its host is', () => {
    const { offsets } = follow(seenIn({ leg: { sender: { host: 'cmp1' } }, clocks: { cmp1: 3_000_000n } }));
    expect([...offsets]).toEqual([
      ['cmp1', 0n],
      ['net1', -3_000_000n],
    ]);
  });

  it('compares clocks over the quickest packets of each stretch, which need not be the same', () => {
    const three = [point('net1', 'a'), point('cmp1', 'b'), point('cmp2', 'c')];
    // Packet 1 is held up behind b, packet 2 before it; on the way there only.
    const delay = (e: number, k: number): bigint => ((k === 1 ? 2 : 1) === e ? 900_000n : 10_000n);
    const { offsets } = follow(simulate({ points: three, sent: 2, delay, clocks: { cmp1: 5n, cmp2: 7_000n } }));
    expect([...offsets]).toEqual([
      ['net1', 0n],
      ['cmp1', 5n],
      ['cmp2', 7_000n],
    ]);
  });

  it('measures over a point that saw nothing', () => {
    const followed = follow(seenIn({ watches: watches({ 1: blind }) }));
    expect(followed.there[2]).toMatchObject({ since: 0, transit: 20_000n });
  });

  it('has the time of a round trip, and how long the answerer took', () => {
    expect(follow(seenIn({}))).toMatchObject({ roundTrip: 120_000n, turnaround: 20_000n });
  });
});

describe('where it stops', () => {
  it('is between the last point that saw it and the next that did not', () => {
    const followed = follow(seenIn({ takes: (e) => e === there(4) }));
    expect(followed.stop).toEqual({
      kind: 'edge',
      way: 'there',
      packet: 'probe',
      after: { at: 'point', point: 3, way: 'there' },
      before: { at: 'point', point: 4, way: 'there' },
      lost: 5,
      of: 5,
      blind: [],
      uncertain: [],
    });
    expect(readingOf(seenIn({ takes: (e) => e === there(4) }))).toBe(
      'All 5 packets were seen at eth1 on cmp1 and never at brq-1 on cmp1.',
    );
  });

  it('may be right behind the sender', () => {
    const lost = seenIn({ takes: (e) => e === there(0) });
    expect(follow(lost).stop).toMatchObject({ after: { at: 'sender' }, before: { at: 'point', point: 0 } });
    expect(readingOf(lost)).toBe(
      'All 5 packets were sent by qdhcp-653e7a42-cc1c-4b0e-9d0c-7f1f7a4c2b22 on net1 and never at ns-1 on net1.',
    );
    expect(notesOf(lost)).toContain(
      'No who-has was seen either: nothing left the sender, or its neighbour entry stands.',
    );
  });

  it('may be right before the sender, who alone misses the answers', () => {
    const lost = seenIn({ takes: (e) => e === back(0) });
    expect(follow(lost).stop).toMatchObject({
      kind: 'edge',
      way: 'back',
      after: { at: 'point', point: 0, way: 'back' },
      before: { at: 'sender' },
    });
    expect(readingOf(lost)).toBe(
      'All 5 answers were seen at ns-1 on net1 on the way back and never came to qdhcp-653e7a42-cc1c-4b0e-9d0c-7f1f7a4c2b22 on net1.',
    );
  });

  it('is on the way back when only answers are missing', () => {
    const lost = seenIn({ takes: (e) => e === back(4) });
    expect(follow(lost).stop).toMatchObject({
      way: 'back',
      after: { at: 'point', point: 4, way: 'back' },
      before: { at: 'point', point: 3, way: 'back' },
    });
    expect(readingOf(lost)).toBe('All 5 answers were seen at brq-1 on cmp1 on the way back and never at eth1 on cmp1.');
  });

  it('names the points in between that could not be looked at', () => {
    const lost = seenIn({ takes: (e) => e === there(4), watches: watches({ 3: blind, 4: blind }) });
    expect(follow(lost).stop).toMatchObject({
      after: { at: 'point', point: 2 },
      before: { at: 'point', point: 5 },
      blind: [3, 4],
    });
    expect(readingOf(lost)).toBe(
      'All 5 packets were seen at eth1 on net1 and never at tap-1 on cmp1; eth1 and brq-1 on cmp1 in between could not be looked at.',
    );
    expect(notesOf(lost)).toEqual(['Could not look at eth1 and brq-1 on cmp1: tcpdump is not installed.']);
  });

  it.each(['down', 'absent'] as const)('ends at a device that is %s by itself', (kind) => {
    const lost = seenIn({ takes: (e) => e === there(5), watches: watches({ 4: blind, 5: { kind } }) });
    expect(follow(lost).stop).toMatchObject({ after: { point: 3 }, before: { point: 5 }, blind: [4] });
    expect(readingOf(lost)).toBe(
      `All 5 packets were seen at eth1 on cmp1 and went no further: tap-1 on cmp1 ${kind === 'down' ? 'is down' : 'does not exist'}; brq-1 on cmp1 in between could not be looked at.`,
    );
  });

  it('is not where a point was silent about packets that were seen further on', () => {
    const followed = follow(seenIn({ sees: (p) => p !== 2 }));
    expect(followed.stop).toBeUndefined();
    expect(followed.there[2]).toMatchObject({ seen: 0, overlooked: 5 });
    expect(notesOf(seenIn({ sees: (p) => p !== 2 }))).toEqual([
      '10 packets were overlooked at eth1 on net1: seen further on.',
    ]);
    const lost = follow(seenIn({ sees: (p) => p !== 2, takes: (e) => e === there(5) }));
    expect(lost.stop).toMatchObject({ after: { point: 4 }, before: { point: 5 } });
  });

  it('is not where the capture itself lost packets', () => {
    const lossy: Watch = { kind: 'watched', captured: 2, dropped: 8 };
    const lost = seenIn({ takes: (e) => e === there(4), watches: watches({ 3: lossy }), sees: (p) => p !== 3 });
    expect(follow(lost).stop).toMatchObject({ after: { point: 2 }, before: { point: 4 }, uncertain: [3], blind: [] });
    expect(readingOf(lost)).toBe(
      'All 5 packets were seen at eth1 on net1 and never at brq-1 on cmp1; the silence of eth1 on cmp1 is not counted, for the capture there lost 8 packets.',
    );
    const last = seenIn({ takes: (e) => e === turn, watches: watches({ 5: lossy }), sees: (p) => p !== 5 });
    expect(follow(last).stop).toMatchObject({ kind: 'turn', uncertain: [5] });
    expect(notesOf(last)).toEqual(['The capture at tap-1 on cmp1 lost 8 packets: its silence proves nothing.']);
  });

  it('is the answerer when everything came to the last point and nothing came back', () => {
    const silent = seenIn({ takes: (e) => e === turn });
    expect(follow(silent).stop).toMatchObject({ kind: 'answerer', lost: 5, of: 5 });
    expect(readingOf(silent)).toBe('All 5 packets reached tap-1 on cmp1 and web-1 did not answer.');
  });

  it('does not blame the answerer when the last point could not be looked at', () => {
    const silent = seenIn({ takes: (e) => e === turn, watches: watches({ 5: blind }) });
    expect(follow(silent).stop).toMatchObject({
      kind: 'turn',
      after: { at: 'point', point: 4, way: 'there' },
      before: { at: 'point', point: 4, way: 'back' },
      blind: [5],
    });
    expect(readingOf(silent)).toBe(
      'All 5 packets were seen at brq-1 on cmp1 and no answer to them was seen at brq-1 on cmp1: they do not reach web-1, or its answers do not come out; tap-1 on cmp1 in between could not be looked at.',
    );
  });

  it('does not call a silent UDP port a fault', () => {
    const silent = seenIn({
      takes: (e) => e === turn,
      leg: { probe: { protocol: 'udp', from: '10.0.0.2', to: '10.0.0.148', port: 53, count: 5, size: 60 } },
    });
    expect(readingOf(silent)).toMatch(/did not answer \(an open UDP port need not answer\)\.$/);
  });

  it('is where most are lost, and the other places are told as well', () => {
    const lossy = seenIn({
      sent: 10,
      takes: (e, k) => (e === there(1) && k <= 2) || (e === back(3) && k > 5),
    });
    const followed = follow(lossy);
    expect(followed.losses.map((l) => [l.way, l.lost, l.of])).toEqual([
      ['there', 2, 10],
      ['back', 5, 8],
    ]);
    expect(followed.stop).toMatchObject({ way: 'back', lost: 5, of: 8, before: { point: 2 } });
    expect(readingOf(lossy)).toBe(
      '5 of 8 answers were seen at eth1 on cmp1 on the way back and never at eth1 on net1.',
    );
    expect(notesOf(lossy)).toEqual(['Also: 2 of 10 packets were seen at ns-1 on net1 and never at brq-1 on net1.']);
  });

  it('is the first of two places that lose equally many', () => {
    const { stop } = follow(
      seenIn({ sent: 4, takes: (e, k) => (e === there(1) && k <= 2) || (e === back(3) && k > 2) }),
    );
    expect(stop).toMatchObject({ way: 'there', lost: 2, of: 4, before: { point: 1 } });
  });

  it('is not told of what was never sent', () => {
    expect(readingOf(seenIn({ sent: 0 }))).toBe('Nothing was sent.');
  });

  it('is told even when no point could be looked at: nothing came back', () => {
    const nothing = seenIn({ takes: (e) => e === there(2), watches: points.map(() => blind) });
    expect(follow(nothing).stop).toMatchObject({ kind: 'turn', after: { at: 'sender' }, before: { at: 'sender' } });
    expect(follow(nothing).stop?.blind).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('address resolution', () => {
  const held = (...arp: Sighting[]): Observation => {
    const observation = seenIn({ takes: (e) => e === there(0) });
    return { ...observation, sightings: [...observation.sightings, ...arp] };
  };
  const asked = (...where: number[]): Sighting[] => where.map((p) => arpAt(p, 'there', 'request'));
  const told = (...where: number[]): Sighting[] => where.map((p) => arpAt(p, 'back', 'reply'));

  it('that is lost on the way there is told from a packet that is lost', () => {
    const observation = held(...asked(0, 1, 2));
    expect(follow(observation).stop).toMatchObject({
      packet: 'who-has',
      way: 'there',
      after: { at: 'point', point: 2 },
      before: { at: 'point', point: 3 },
    });
    expect(readingOf(observation)).toBe(
      'The probe is held back by address resolution: who-has was seen at eth1 on net1 and never at eth1 on cmp1.',
    );
  });

  it('that reaches the answerer and is not answered', () => {
    const observation = held(...asked(0, 1, 2, 3, 4, 5));
    expect(follow(observation).stop).toMatchObject({ packet: 'who-has', kind: 'answerer' });
    expect(readingOf(observation)).toBe(
      'The probe is held back by address resolution: who-has was seen at tap-1 on cmp1 and web-1 did not say.',
    );
    expect(follow(observation).arp).toEqual({
      there: { asked: 1, answered: 0, addresses: ['10.0.0.148'] },
      back: { asked: 0, answered: 0, addresses: [] },
    });
  });

  it('whose answer is lost on the way back', () => {
    const observation = held(...asked(0, 1, 2, 3, 4, 5), ...told(5, 4));
    expect(follow(observation).stop).toMatchObject({
      packet: 'is-at',
      way: 'back',
      after: { at: 'point', point: 4 },
      before: { at: 'point', point: 3 },
    });
    expect(readingOf(observation)).toMatch(
      /the answer to who-has was seen at brq-1 on cmp1 and never at eth1 on cmp1\.$/,
    );
  });

  it('that worked leaves the probe itself as what is lost', () => {
    const observation = held(...asked(0, 1, 2, 3, 4, 5), ...told(5, 4, 3, 2, 1, 0));
    expect(follow(observation).stop).toMatchObject({ packet: 'probe', after: { at: 'sender' } });
    expect(notesOf(observation)).toContain('who-has 10.0.0.148 was answered: the probe itself does not leave.');
  });

  it('of the answerer, who does not find the sender, holds the answers back', () => {
    const silent = seenIn({ takes: (e) => e === turn });
    const asks = [5, 4].map((p) => arpAt(p, 'back', 'request', '10.0.0.148', '10.0.0.2'));
    const observation = { ...silent, sightings: [...silent.sightings, ...asks] };
    expect(follow(observation).stop).toMatchObject({
      packet: 'who-has',
      way: 'back',
      after: { at: 'point', point: 4, way: 'back' },
      before: { at: 'point', point: 3, way: 'back' },
    });
    expect(follow(observation).arp.back).toEqual({ asked: 1, answered: 0, addresses: ['10.0.0.2'] });
  });

  it('is no matter when the probe passes', () => {
    const whole = seenIn({});
    const observation = { ...whole, sightings: [...whole.sightings, ...asked(0, 1)] };
    expect(follow(observation).stop).toBeUndefined();
  });

  it('is no matter when only some packets are lost', () => {
    const some = seenIn({ takes: (e, k) => e === there(0) && k > 3 });
    const observation = { ...some, sightings: [...some.sightings, ...asked(0, 1)] };
    expect(follow(observation).stop).toMatchObject({ packet: 'probe', lost: 2, of: 5 });
  });

  it('of IPv6 is read in the same way', () => {
    const solicit = (p: number): Sighting => ({
      point: p,
      way: 'there',
      sequence: 0,
      at: 1n,
      length: 86,
      layers: [
        { layer: 'ethernet', source: mac(1), destination: '33:33:ff:00:00:94', type: 0x86dd },
        { layer: 'icmpv6', type: 135, code: 0, target: 'fd00::94' },
      ],
    });
    expect(follow(held(solicit(0), solicit(1))).stop).toMatchObject({
      packet: 'who-has',
      after: { point: 1 },
      before: { point: 2 },
    });
  });

  it('as the probe itself is counted, for it bears no number', () => {
    const probe = { protocol: 'arp', from: '10.0.0.2', to: '10.0.0.148', count: 3, size: 28 } as const;
    const numbered = seenIn({
      sent: 3,
      takes: (e, k) => e === there(4) || (e === there(2) && k === 3),
      leg: { probe },
    });
    const bare = { ...numbered, sightings: numbered.sightings.map((s) => ({ ...s, sequence: 0 })) };
    expect(seenThere(follow(bare))).toEqual([
      [3, 3],
      [3, 3],
      [2, 3],
      [2, 3],
      [0, 3],
      [0, 3],
    ]);
    expect(follow(bare).stop).toMatchObject({ packet: 'probe', after: { point: 3 }, before: { point: 4 }, lost: 2 });
    // Of three and two of them nobody knows which are the same.
    expect(follow(bare).there.map((r) => r.transit !== undefined)).toEqual([false, true, false, false, false, false]);
  });
});

describe('somebody on the way who answers', () => {
  const error = (layer: Layer, from: string): Layer[] => {
    const frame = layersOf({ ...usual('back'), source: from });
    return [...frame.slice(0, -1), layer];
  };

  it('that it will not have the packet is no answer', () => {
    const lost = seenIn({ takes: (e) => e === there(2) });
    const refusal = (sequence: number, p: number): Sighting => ({
      point: p,
      way: 'back',
      sequence,
      at: 1_790_000_000_900_000_000n + BigInt(sequence),
      length: 112,
      layers: error({ layer: 'icmp', type: 3, code: 4, mtu: 1400, quoted: [] }, '10.0.0.1'),
    });
    const sightings = [1, 2, 3, 4, 5].flatMap((k) => [refusal(k, 1), refusal(k, 0)]);
    const observation = { ...lost, sightings: [...lost.sightings, ...sightings] };
    expect(follow(observation).stop).toMatchObject({
      after: { point: 1 },
      before: { point: 2 },
      refused: { by: '10.0.0.1', says: 'fragmentation needed', mtu: 1400 },
    });
    expect(readingOf(observation)).toBe(
      'All 5 packets were seen at brq-1 on net1 and never at eth1 on net1; 10.0.0.1 says: fragmentation needed, MTU 1400.',
    );
  });

  const tcp = { protocol: 'tcp', from: '10.0.0.2', to: '10.0.0.148', port: 22, count: 5, size: 60 } as const;
  const reset: Layer = {
    layer: 'tcp',
    sourcePort: 22,
    destinationPort: 40000,
    seq: 0,
    ack: 1,
    flags: ['rst', 'ack'],
  };
  const resets = (_p: number, way: 'there' | 'back') =>
    way === 'back' ? { ...usual('back'), transport: reset } : usual('there');

  it('with a reset before the packet came to the answerer stops it', () => {
    const lost = seenIn({ takes: (e) => e === there(4), leg: { probe: tcp }, answered: 5 });
    const answers = lost.sightings
      .filter((s) => s.point <= 3)
      .map((s): Sighting => ({ ...s, way: 'back', at: s.at + 1_000_000n, layers: error(reset, '10.0.0.148') }));
    const observation = { ...lost, sightings: [...lost.sightings, ...answers] };
    expect(follow(observation).stop).toMatchObject({
      kind: 'edge',
      way: 'there',
      after: { point: 3 },
      before: { point: 4 },
      refused: { by: '10.0.0.148', says: 'connection refused' },
    });
  });

  it('with a reset is the answerer itself when the packet came to it', () => {
    const closed = seenIn({ leg: { probe: tcp }, frame: resets });
    expect(follow(closed).stop).toBeUndefined();
    expect(seenBack(follow(closed))).toEqual(points.map(() => [5, 5]));
  });

  it('in place of the answerer is told from a point that overlooked', () => {
    const early = seenIn({ sees: (p) => p < 4 });
    expect(follow(early)).toMatchObject({ early: { after: 3, silent: [4, 5] } });
    expect(follow(early).stop).toBeUndefined();
    expect(follow(early).there.map((r) => r.overlooked)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(readingOf(early)).toBe(
      '10.0.0.148 answers, and nothing of it was seen at brq-1 and tap-1 on cmp1: behind eth1 on cmp1 somebody else answers in place of web-1.',
    );
  });
});

describe('what changed in a packet', () => {
  it('is told from one point that saw it to the next', () => {
    const followed = follow(
      seenIn({
        watches: watches({ 2: blind, 3: blind, 4: blind }),
        frame: (p, way) =>
          way === 'back' || p < 1
            ? usual(way)
            : { ...usual(way), source: '198.19.0.182', ttl: 63, sourceMac: mac(8), size: 72, dontFragment: false },
      }),
    );
    expect(followed.changes).toEqual(
      [
        ['source', '10.0.0.2', '198.19.0.182'],
        ['ttl', '64', '63'],
        ['size', '84', '72'],
        ['df', 'set', 'not set'],
        ['source-mac', mac(1), mac(8)],
      ].map(([what, from, to]) => ({ way: 'there', after: 0, before: 1, what, from, to })),
    );
  });

  it('is what it wears as well: tags and tunnels', () => {
    const { changes } = follow(seenIn({ frame: (p, way) => ({ ...usual(way), ...(p === 1 ? { tag: 101 } : {}) }) }));
    expect(changes.filter((c) => c.way === 'there').map((c) => [c.after, c.what, c.from, c.to])).toEqual([
      [0, 'tag', 'none', '101'],
      [1, 'tag', '101', 'none'],
      [1, 'vni', 'none', '1021'],
      [3, 'vni', '1021', 'none'],
    ]);
  });

  it('is its ports where they are translated', () => {
    const udp = (sourcePort: number): Layer => ({ layer: 'udp', sourcePort, destinationPort: 53, length: 40 });
    const { changes } = follow(
      seenIn({ frame: (p, way) => ({ ...usual(way), transport: udp(p === 5 ? 1024 : 40000) }) }),
    );
    expect(changes.filter((c) => c.way === 'there' && c.what === 'source-port')).toEqual([
      { way: 'there', after: 4, before: 5, what: 'source-port', from: '40000', to: '1024' },
    ]);
  });
});

describe('the wrong clothes', () => {
  const wrong = (wears: Wearing) =>
    follow(seenIn({ wears: (p) => (p === 2 ? wears : (points[p]?.wears ?? tunnel)) })).misfits;

  it('are another VNI, or other ends, than the tunnel should have', () => {
    expect(wrong({ ...tunnel, vni: 1022 })).toEqual([
      { point: 2, way: 'there', what: 'vni', expected: '1021', seen: '1022' },
      { point: 2, way: 'back', what: 'vni', expected: '1021', seen: '1022' },
    ]);
    expect(wrong({ ...tunnel, endpoints: ['192.168.50.11', '192.168.50.99'] })[0]).toMatchObject({
      what: 'endpoints',
      expected: '192.168.50.11 and 192.168.50.21',
      seen: '192.168.50.11 → 192.168.50.99',
    });
  });

  it('are another kind of tunnel, or none', () => {
    expect(wrong({ ...tunnel, by: 'gre' })[0]).toMatchObject({ what: 'tunnel', expected: 'vxlan', seen: 'gre' });
    expect(wrong({ kind: 'plain' })[0]).toMatchObject({ what: 'tunnel', expected: 'vxlan', seen: 'none' });
  });

  it('are not worn by answers, whose ends are the other way round', () => {
    expect(
      follow(
        seenIn({
          wears: (p, way) =>
            p === 2 || p === 3
              ? way === 'there'
                ? tunnel
                : { ...tunnel, endpoints: [tunnel.endpoints[1], tunnel.endpoints[0]] }
              : { kind: 'plain' },
        }),
      ).misfits,
    ).toEqual([]);
  });

  it('are not a tag that bears only a priority', () => {
    const { misfits } = follow(
      simulate({ points: [point('net1', 'a')], frame: (_p, way) => ({ ...usual(way), tag: 0 }) }),
    );
    expect(misfits).toEqual([]);
  });

  it('are a tag where there should be none, and none where there should be one', () => {
    const tagged = [point('net1', 'a'), point('net1', 'eth1', { kind: 'vlan', id: 101 })];
    const { misfits } = follow(
      simulate({ points: tagged, frame: (p, way) => ({ ...usual(way), ...(p === 0 ? { tag: 7 } : {}) }) }),
    );
    expect(misfits.filter((m) => m.way === 'there')).toEqual([
      { point: 0, way: 'there', what: 'tag', expected: 'none', seen: '7' },
      { point: 1, way: 'there', what: 'tag', expected: '101', seen: 'none' },
    ]);
  });
});

describe('what was expected', () => {
  const ordered = (observation: Observation, point: number, way: 'there' | 'back' = 'there') =>
    traceOf(observation, follow(observation), [
      { point, way, verdict: 'dropped', because: 'no rule of group web lets icmp in' },
    ]).notes;

  it('explains the loss where it orders it', () => {
    expect(ordered(seenIn({ takes: (e) => e === there(5) }), 5)).toEqual([
      'This is as it is ordered: no rule of group web lets icmp in.',
    ]);
    expect(ordered(seenIn({ takes: (e) => e === back(5) }), 5, 'back')).toHaveLength(1);
  });

  it('does not explain a loss at another place, nor what came through', () => {
    expect(ordered(seenIn({ takes: (e) => e === there(1) }), 5)).toEqual([
      'It should be dropped at another place, tap-1 on cmp1: no rule of group web lets icmp in.',
    ]);
    expect(ordered(seenIn({ takes: (e) => e === turn }), 5)[0]).toMatch(/^It should be dropped at another place/);
    expect(ordered(seenIn({}), 5)).toEqual([
      'It should be dropped at tap-1 on cmp1, and passes: no rule of group web lets icmp in.',
    ]);
  });
});
