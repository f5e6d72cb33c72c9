import type { Trace } from '../../../src/engine/trace.ts';
import { follow } from '../../../src/path/trace/follow.ts';
import { traceOf } from '../../../src/path/trace/model.ts';
import type { Sighting, Watch } from '../../../src/path/trace/observation.ts';
import type { Point, Wearing } from '../../../src/path/trace/point.ts';
import {
  arpAt,
  dressed,
  type Frame,
  mac,
  plain,
  point,
  simulate,
  usual,
  type World,
} from '../../path/trace/simulate.ts';

const network = '653e7a42-cc1c-4b0e-9d0c-7f1f7a4c2b22';
const qdhcp = `qdhcp-${network}`;
const qrouter = 'qrouter-8df7244d-0a1b-4c2d-8e3f-a1b2c3d4e5f6';
const tunnel: Wearing = { kind: 'tunnel', by: 'vxlan', vni: 1021, endpoints: ['192.168.50.11', '192.168.50.21'] };

/** From DHCP's namespace on one host through a tunnel to an instance on another. */
export const inside: readonly Point[] = [
  point('net1', 'ns-1f2a3b4c-5d', plain, { netns: qdhcp, kind: 'namespace' }),
  point('net1', 'tap1f2a3b4c-5d', plain, { kind: 'tap' }),
  point('net1', 'brq653e7a42-cc'),
  point('net1', 'vxlan-1021', plain, { kind: 'tunnel' }),
  point('net1', 'eth1', tunnel, { kind: 'physnet' }),
  point('cmp1', 'eth1', tunnel, { kind: 'physnet' }),
  point('cmp1', 'vxlan-1021', plain, { kind: 'tunnel' }),
  point('cmp1', 'brq653e7a42-cc'),
  point('cmp1', 'tap5652dd5f-cd', plain, { kind: 'tap' }),
];

/** From outside by a floating address: translated in the router. */
const outside: readonly Point[] = [
  point('net1', 'qg-77aa88bb-99', plain, { netns: qrouter, kind: 'router' }),
  point('net1', 'qr-7602a039-1a', plain, { netns: qrouter, kind: 'router' }),
  ...inside.slice(4),
];

const quick = (edge: number, n: number): bigint => BigInt(8_000 + edge * 700 + (n % 3) * 400);

const world: World = { points: inside, delay: quick, clocks: { cmp1: 3_412_000n } };

export const trace = (parts: Partial<World>, expected?: Trace['expected']): Trace => {
  const observation = simulate({ ...world, ...parts });
  return traceOf(observation, follow(observation), expected);
};

function asksAt(p: number): Sighting {
  const bare = arpAt(p, 'there', 'request');
  return { ...bare, layers: dressed(bare.layers, inside[p]?.wears ?? plain) };
}

function withFrames(parts: Partial<World>, frames: readonly Sighting[]): Trace {
  const observation = simulate({ ...world, ...parts });
  const seen = { ...observation, sightings: [...observation.sightings, ...frames] };
  return traceOf(seen, follow(seen));
}

const allowed: Trace['expected'] = [
  { point: 1, verdict: 'passes', because: 'port security is off on DHCP ports' },
  { point: 8, verdict: 'passes', because: 'icmp from anywhere is let in by group web' },
  { point: 8, way: 'back', verdict: 'passes', because: 'answers of what was let in pass' },
];

const translated = (p: number, way: 'there' | 'back'): Frame => {
  const frame = usual(way);
  const outer = p === 0;
  return way === 'there'
    ? {
        ...frame,
        source: '198.19.0.1',
        destination: outer ? '198.19.0.182' : '10.0.0.148',
        ttl: outer ? 64 : 63,
        sourceMac: mac(outer ? 1 : 3),
        destinationMac: mac(outer ? 2 : 4),
      }
    : {
        ...frame,
        source: outer ? '198.19.0.182' : '10.0.0.148',
        destination: '198.19.0.1',
        ttl: outer ? 63 : 64,
        sourceMac: mac(outer ? 2 : 4),
        destinationMac: mac(outer ? 1 : 3),
      };
};

const fromOutside: World = {
  points: outside,
  frame: translated,
  leg: {
    title: 'outside → web-1 by 198.19.0.182',
    probe: { protocol: 'icmp', from: '198.19.0.1', to: '198.19.0.182', count: 5, size: 84 },
    sender: { host: 'op' },
  },
};

const blindAt = (...points: number[]): readonly Watch[] =>
  inside.map((_, p) =>
    points.includes(p)
      ? { kind: 'blind', why: 'tcpdump is not installed on net1' }
      : { kind: 'watched', captured: 10, dropped: 0 },
  );

const eleven = edgeBack(8);

/** The edge that leaves this point on the way back. */
function edgeBack(p: number): number {
  return 2 * inside.length + 1 - p;
}

export const traces = {
  healthy: trace({}, allowed),
  floating: trace(fromOutside),
  /** A sender who does not know its own address, and a translation that is wider than its place. */
  anonymous: trace({
    ...fromOutside,
    leg: {
      ...fromOutside.leg,
      probe: { protocol: 'icmp', from: '', to: '198.19.100.182', count: 5, size: 84 },
      sender: { host: 'this machine' },
    },
    frame: (p, way) => {
      const frame = translated(p, way);
      return way === 'there' && p === 0 ? { ...frame, destination: '198.19.100.182' } : frame;
    },
  }),
  /** The rule of a stranger between bridge and tap. */
  broken: trace({ takes: (e) => e === 8 }, allowed),
  /** Answers die between tap and bridge; one point in between could not be looked at. */
  brokenBack: trace({ takes: (e) => e === eleven, watches: blindAt(7) }, allowed),
  lossy: trace({ takes: (e, n) => e === 5 && n % 2 === 0 }),
  silentGuest: trace({ takes: (e) => e === 9 }),
  ordered: trace({ takes: (e) => e === 9 }, [
    { point: 8, verdict: 'dropped', because: 'no rule of group web lets icmp in' },
  ]),
  /** The last point's capture lost packets, and one before it overlooked some. */
  uncertain: trace({
    takes: (e) => e === 9,
    watches: inside.map((_, p) => ({ kind: 'watched', captured: 10, dropped: p === 8 ? 7 : 0 })),
    sees: (p, _way, n) => p !== 8 && (p !== 2 || n > 2),
  }),
  unresolved: withFrames({ takes: (e) => e === 0 }, [0, 1, 2, 3, 4, 5, 6, 7].map(asksAt)),
  somebodyElse: trace({ sees: (p) => p < 7 }),
  blindThere: trace({ takes: (e) => e === 7, watches: blindAt(6, 7) }),
  down: trace({
    takes: (e) => e === 8,
    watches: inside.map((_, p) => (p === 8 ? { kind: 'down' } : { kind: 'watched', captured: 10, dropped: 0 })),
  }),
  misfit: trace({
    takes: (e) => e === 5,
    wears: (p) => (p === 4 ? { ...tunnel, vni: 1022 } : (inside[p]?.wears ?? plain)),
  }),
} as const satisfies Record<string, Trace>;
