import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cidrContains } from '../../../src/path/addresses.ts';
import type { AtlasNetwork, AtlasRouter } from '../../../src/path/reach/atlas.ts';
import { reach } from '../../../src/path/reach/reach.ts';
import { whoCan } from '../../../src/path/reach/who-can.ts';
import type { SecurityGroup, SecurityGroupRule } from '../../../src/path/secgroup/model.ts';
import { ask, atlasOf, network, router, rule, subnet, vm } from './cloud.ts';

/** A universe of sixteen addresses of each family; the last four bits tell them apart. */
const addressOf = (family: 4 | 6, n: number): string => (family === 4 ? `10.0.0.${n}` : `fd00::${n.toString(16)}`);
const everyAddress = Array.from({ length: 16 }, (_, n) => n);
const everyPacket = [
  { protocol: 'icmp' },
  { protocol: 'tcp', port: 22 },
  { protocol: 'tcp', port: 80 },
  { protocol: 'udp', port: 53 },
  { protocol: 'udp', port: 22 },
] as const;
type Packet = (typeof everyPacket)[number];

/** A rule in the numbers of the universe, from which both the API's rule and the naive answer are made. */
interface Tiny {
  readonly direction: 'ingress' | 'egress';
  readonly family: 4 | 6;
  readonly protocol: 'icmp' | 'tcp' | 'udp' | null;
  readonly ports: readonly [number, number] | null;
  /** Null: anywhere. */
  readonly remote: { readonly block: number; readonly bits: number } | { readonly group: 'friends' | 'nobody' } | null;
}

const tiny: fc.Arbitrary<Tiny> = fc.record({
  direction: fc.constantFrom('ingress', 'ingress', 'ingress', 'egress'),
  family: fc.constantFrom(4, 4, 4, 6),
  protocol: fc.constantFrom('icmp', 'tcp', 'tcp', 'udp', null),
  ports: fc.constantFrom(null, [22, 22], [80, 80], [20, 60], [53, 53]) as fc.Arbitrary<
    readonly [number, number] | null
  >,
  remote: fc.oneof(
    fc.constant(null),
    fc.record({ block: fc.integer({ min: 0, max: 15 }), bits: fc.integer({ min: 0, max: 4 }) }),
    fc.record({ group: fc.constantFrom('friends' as const, 'nobody' as const) }),
  ),
});

const friends = [3, 4, 9];
const members = new Map([
  ['friends', friends.flatMap((n) => [addressOf(4, n), addressOf(6, n)])],
  ['nobody', []],
]);

function asRule(t: Tiny): SecurityGroupRule {
  const prefix = (block: number, bits: number): string =>
    `${addressOf(t.family, (block >> (4 - bits)) << (4 - bits))}/${(t.family === 4 ? 28 : 124) + bits}`;
  const icmp = t.protocol === 'icmp';
  return rule({
    direction: t.direction,
    ethertype: t.family === 4 ? 'IPv4' : 'IPv6',
    protocol: t.protocol,
    portMin:
      t.protocol === null ? null : icmp ? (t.ports === null ? null : t.family === 4 ? 8 : 128) : (t.ports?.[0] ?? null),
    portMax: t.protocol === null || icmp ? null : (t.ports?.[1] ?? null),
    remoteIpPrefix: t.remote !== null && 'bits' in t.remote ? prefix(t.remote.block, t.remote.bits) : null,
    remoteGroupId: t.remote !== null && 'group' in t.remote ? t.remote.group : null,
  });
}

/**
 * The API reference, word by word: direction; ethertype; "protocol: null for any"; "port_range_min/max: the ports matched by the
 * rule"; "remote_ip_prefix" or "remote_group_id" or neither; a packet passes when any rule of any group of the port matches it.
 */
function matches(t: Tiny, direction: Tiny['direction'], family: 4 | 6, packet: Packet, remote: number): boolean {
  if (t.direction !== direction || t.family !== family) return false;
  if (t.protocol !== null && t.protocol !== packet.protocol) return false;
  if (t.protocol !== null && 'port' in packet && t.ports !== null) {
    if (packet.port < t.ports[0] || packet.port > t.ports[1]) return false;
  }
  if (t.remote === null) return true;
  if ('group' in t.remote) return t.remote.group === 'friends' && friends.includes(remote);
  const shift = 4 - t.remote.bits;
  return remote >> shift === t.remote.block >> shift;
}

const twoGroups = fc.tuple(fc.array(tiny, { maxLength: 4 }), fc.array(tiny, { maxLength: 3 }));

const groupsOf = (lists: readonly (readonly Tiny[])[], stateful = true): readonly SecurityGroup[] =>
  lists.map((list, i) => ({ id: `group-${i}`, name: `g${i}`, stateful, rules: list.map(asRule) }));

const red = network('red', [subnet('red-4', '10.0.0.0/28'), subnet('red-6', 'fd00::/124')]);

describe('by brute force over a tiny universe', () => {
  it('who-can names exactly the addresses that some rule lets in, by rules that do let them in', () => {
    fc.assert(
      fc.property(
        twoGroups,
        fc.constantFrom(...everyPacket),
        fc.constantFrom(4 as const, 6 as const),
        (lists, packet, family) => {
          const groups = groupsOf(lists);
          const { port } = vm('x', red, addressOf(family, 15), { groups });
          const icmp =
            packet.protocol === 'icmp' ? { icmpType: family === 4 ? 8 : 128, icmpCode: 0 } : { sourcePort: 50_000 };
          const answer = whoCan({ ...packet, ...icmp }, family, port.security, groups, (id) => members.get(id));
          const all = lists.flat();
          for (const n of everyAddress) {
            const naive = all.some((t) => matches(t, 'ingress', family, packet, n));
            const named = answer.sources.some((s) => cidrContains(s.cidr, addressOf(family, n)));
            expect(named, `${addressOf(family, n)} ${packet.protocol}`).toBe(naive);
          }
          const everywhere = all.some((t) => t.remote === null && matches(t, 'ingress', family, packet, 0));
          expect(answer.extent === 'everybody').toBe(everywhere);
          expect(answer.extent === 'nobody').toBe(answer.sources.length === 0);
          for (const one of answer.sources) {
            expect(answer.sources.filter((s) => cidrContains(s.cidr, one.cidr))).toEqual([one]);
            const here = everyAddress.filter((n) => cidrContains(one.cidr, addressOf(family, n)));
            for (const { group, rule: by } of one.by) {
              const list = groups.findIndex((g) => g.id === group.id);
              const at = groups[list]?.rules.findIndex((r) => r.id === by.id) ?? -1;
              const t = lists[list]?.[at];
              expect(t !== undefined && here.every((n) => matches(t, 'ingress', family, packet, n))).toBe(true);
            }
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it('a packet gets there exactly where a rule lets it out and a rule lets it in', () => {
    fc.assert(
      fc.property(twoGroups, twoGroups, fc.constantFrom(4 as const, 6 as const), (mine, theirs, family) => {
        for (const packet of everyPacket) {
          for (const [from, to] of [
            [3, 4],
            [1, 9],
            [12, 13],
          ] as const) {
            // Of the drivers one that lets no ICMPv6 out by itself.
            const a = vm('a', red, addressOf(family, from), { groups: groupsOf(mine), filter: 'ovn' });
            const b = vm('b', red, addressOf(family, to), { groups: groupsOf(theirs) });
            // What a member of two groups of the same ids may do is decided by either list.
            const atlas = atlasOf({ networks: [red], vms: [a, b], members });
            const found = reach(atlas, { ...ask(a.end, b.end, { ...packet, family }) });
            const out = mine.flat().some((t) => matches(t, 'egress', family, packet, to));
            const into = theirs.flat().some((t) => matches(t, 'ingress', family, packet, from));
            expect(found.verdict).toBe(out && into ? 'reachable' : 'unreachable');
            if (found.decisive !== undefined) expect(found.decisive.at).toBe(out ? 'destination-tap' : 'source-tap');
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('where no state is kept, the answer needs rules of its own on both sides', () => {
    fc.assert(
      fc.property(twoGroups, twoGroups, (mine, theirs) => {
        const a = vm('a', red, addressOf(4, 3), { groups: groupsOf(mine, false) });
        const b = vm('b', red, addressOf(4, 4), { groups: groupsOf(theirs, false) });
        const atlas = atlasOf({ networks: [red], vms: [a, b], members });
        const packet = { protocol: 'tcp', port: 22 } as const;
        const answer = { protocol: 'tcp', port: 80 } as const;
        const found = reach(atlas, ask(a.end, b.end, { ...packet, sourcePort: 80 }));
        const any = (lists: readonly (readonly Tiny[])[], way: Tiny['direction'], what: Packet, remote: number) =>
          lists.flat().some((t) => matches(t, way, 4, what, remote));
        const naive =
          any(mine, 'egress', packet, 4) &&
          any(theirs, 'ingress', packet, 3) &&
          any(theirs, 'egress', answer, 3) &&
          any(mine, 'ingress', answer, 4);
        expect(found.verdict).toBe(naive ? 'reachable' : 'unreachable');
      }),
      { numRuns: 300 },
    );
  });
});

describe('over random routers', () => {
  const networks: readonly AtlasNetwork[] = [0, 1, 2, 3].map((n) =>
    network(`n${n}`, [subnet(`s${n}`, `10.${n}.0.0/24`, { gateway: `10.${n}.0.1` })]),
  );
  const legOf = (n: number, r: number) => ({
    net: networks[n] ?? red,
    address: r === n ? `10.${n}.0.1` : `10.${n}.0.${10 + r}`,
  });

  /** Routers 0 to 3; each has a leg in some networks, and the gateway's address in that of its own number. */
  const routers: fc.Arbitrary<readonly AtlasRouter[]> = fc.tuple(
    ...[0, 1, 2, 3].map((r) =>
      fc
        .record({
          legs: fc.subarray([0, 1, 2, 3]),
          up: fc.constantFrom(true, true, true, true, false),
          routes: fc.array(fc.record({ to: fc.nat(3), over: fc.nat(3), next: fc.nat(3) }), { maxLength: 3 }),
        })
        .map(({ legs, up, routes }) =>
          router(
            `r${r}`,
            legs.map((n) => legOf(n, r)),
            {
              adminUp: up,
              routes: routes.map(({ to, over, next }) => ({
                destination: `10.${to}.0.0/24`,
                nexthop: legOf(over, next).address,
              })),
            },
          ),
        ),
    ),
  );

  it('whoever is reached can reach: there and back are one question from both sides', () => {
    fc.assert(
      fc.property(routers, fc.nat(3), fc.nat(3), (list, m, n) => {
        fc.pre(m !== n);
        const [a, b] = [vm('a', networks[m] ?? red, `10.${m}.0.100`), vm('b', networks[n] ?? red, `10.${n}.0.101`)];
        const atlas = atlasOf({ networks, routers: list, vms: [a, b] });
        const [to, fro] = [reach(atlas, ask(a.end, b.end)), reach(atlas, ask(b.end, a.end))];
        expect(to.verdict).toBe(fro.verdict);
        expect(to.wants).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it('a walk by hand over the same tables comes to the same end', () => {
    fc.assert(
      fc.property(routers, fc.nat(3), fc.nat(3), (list, m, n) => {
        fc.pre(m !== n);
        const [a, b] = [vm('a', networks[m] ?? red, `10.${m}.0.100`), vm('b', networks[n] ?? red, `10.${n}.0.101`)];
        const walk = (from: number, to: number): boolean => {
          let [at, hop] = [from, `10.${from}.0.1`];
          for (let i = 0; i < 20; i += 1) {
            const next = list.find((r) =>
              r.legs.some((l) => l.networkId === `n${at}` && l.addresses[0]?.address === hop),
            );
            if (next === undefined || !next.adminUp) return false;
            if (next.legs.some((l) => l.networkId === `n${to}`)) return true;
            const route = next.routes.find((x) => x.destination === `10.${to}.0.0/24`);
            if (route === undefined) return false;
            const over = Number(route.nexthop.split('.')[1]);
            if (!next.legs.some((l) => l.networkId === `n${over}`)) return false;
            [at, hop] = [over, route.nexthop];
          }
          return false;
        };
        const found = reach(atlasOf({ networks, routers: list, vms: [a, b] }), ask(a.end, b.end));
        expect(found.verdict).toBe(walk(m, n) && walk(n, m) ? 'reachable' : 'unreachable');
      }),
      { numRuns: 600 },
    );
  });
});
