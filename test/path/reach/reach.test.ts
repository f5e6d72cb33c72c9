import { describe, expect, it } from 'vitest';
import type { Atlas, AtlasPort } from '../../../src/path/reach/atlas.ts';
import type { End, Question } from '../../../src/path/reach/question.ts';
import { expectedSteps, type Reach, reach } from '../../../src/path/reach/reach.ts';
import type { Step } from '../../../src/path/reach/step.ts';
import {
  ask,
  atlasOf,
  type Cloud,
  group,
  network,
  open,
  out,
  outside,
  router,
  rule,
  subnet,
  tcp,
  udp,
  vm,
} from './cloud.ts';

const red = network('red', [subnet('red-4', '10.0.0.0/24', { gateway: '10.0.0.1' })]);
const blue = network('blue', [subnet('blue-4', '10.1.0.0/24', { gateway: '10.1.0.1' })], { mtu: 1400 });
const world = network('world', [subnet('world-4', '203.0.113.0/24', { gateway: '203.0.113.1', dhcp: false })], {
  external: true,
  type: 'flat',
  mtu: 1500,
});
const r1 = router('r1', [{ net: red, address: '10.0.0.1' }], { outer: { net: world, address: '203.0.113.10' } });
const a = vm('a', red, '10.0.0.4');
const b = vm('b', red, '10.0.0.5', { host: 'cmp2' });
const c = vm('c', blue, '10.1.0.6');

const asked = (cloud: Cloud, question: Question): Reach => {
  const found = reach(atlasOf(cloud), question);
  expect(found.wants).toEqual([]);
  return found;
};

const summary = (steps: readonly Step[]): string[] => steps.map((s) => `${s.way} ${s.where}: ${s.verdict}`);

const floating = (address: string, portId: string, fixed: string, routerId = r1.id) => ({
  id: `id-of-${address}`,
  address,
  fixed,
  portId,
  routerId,
  networkId: world.id,
  status: 'ACTIVE',
});

describe('two instances of one network', () => {
  const cloud = { networks: [red], vms: [a, b] };

  it('reach each other where the groups let them', () => {
    const found = asked(cloud, ask(a.end, b.end, tcp(22)));
    expect(found.verdict).toBe('reachable');
    expect(found.sentence).toBe('tcp/22 from a reaches b, and the answer comes back.');
    expect(summary(found.steps)).toEqual([
      'there a (10.0.0.4): passes',
      'there a (10.0.0.4): passes',
      'there network red: passes',
      'there b (10.0.0.5): passes',
      'back b (10.0.0.5): passes',
      'back b (10.0.0.5): passes',
      'back network red: passes',
      'back a (10.0.0.4): passes',
    ]);
  });

  it('each step says where it is decided, for what is seen there to be put beside it', () => {
    const steps = expectedSteps(atlasOf(cloud), ask(a.end, b.end, tcp(22)));
    expect(steps.filter((s) => s.way === 'there').map((s) => `${s.at} ${s.host ?? ''}`.trim())).toEqual([
      'source-tap cmp1',
      'source-tap cmp1',
      'segment',
      'destination-tap cmp2',
    ]);
  });

  it('a group without a rule for it is named with the rule that is nearest', () => {
    const shut = group('shut', rule({ protocol: 'tcp', portMin: 22, portMax: 22, remoteIpPrefix: '10.9.0.0/16' }));
    const to = vm('b', red, '10.0.0.5', { groups: [shut] });
    const found = asked({ networks: [red], vms: [a, to] }, ask(a.end, to.end, tcp(22)));
    expect(found.verdict).toBe('unreachable');
    expect(found.decisive).toMatchObject({ at: 'destination-tap', object: { kind: 'security-group', id: shut.id } });
    expect(found.sentence).toContain('allows only tcp/22 from 10.9.0.0/16');
  });

  it('a rule that lets out is asked before the one that lets in, and both failures are told', () => {
    const from = vm('a', red, '10.0.0.4', { groups: [{ id: 'g', name: 'mute', rules: [] }] });
    const to = vm('b', red, '10.0.0.5', { groups: [{ id: 'h', name: 'deaf', rules: [] }] });
    const found = asked({ networks: [red], vms: [from, to] }, ask(from.end, to.end));
    expect(found.steps.filter((s) => s.verdict === 'dropped').map((s) => s.at)).toEqual([
      'source-tap',
      'destination-tap',
    ]);
    expect(found.decisive?.at).toBe('source-tap');
    expect(found.steps.every((s) => s.way === 'there')).toBe(true);
  });

  it('an address that is not the port’s own is stopped at its tap, unless it is an allowed pair', () => {
    const question = ask({ ...a.end, address: '10.0.0.99' } as never, b.end);
    expect(asked(cloud, question).decisive).toMatchObject({ topic: 'port-security', verdict: 'dropped' });
    const paired = vm('a', red, '10.0.0.4', { pairs: ['10.0.0.96/28'] });
    const there = asked({ networks: [red], vms: [paired, b] }, question).steps.filter((s) => s.way === 'there');
    expect(there.map((s) => s.verdict)).not.toContain('dropped');
  });

  it('a port without groups lets nothing in; one without port security lets everything in', () => {
    const none = vm('b', red, '10.0.0.5', { groups: [] });
    const bare = vm('b', red, '10.0.0.5', { groups: [], secured: false });
    expect(asked({ networks: [red], vms: [a, none] }, ask(a.end, none.end)).verdict).toBe('unreachable');
    expect(asked({ networks: [red], vms: [a, bare] }, ask(a.end, bare.end)).verdict).toBe('reachable');
  });

  it.each([
    ['a port that is off', vm('b', red, '10.0.0.5', { adminUp: false }), 'unreachable'],
    ['a port that is bound nowhere', vm('b', red, '10.0.0.5', { vifType: 'binding_failed' }), 'unreachable'],
    ['a port that is DOWN', vm('b', red, '10.0.0.5', { status: 'DOWN' }), 'unknown'],
  ] as const)('%s is told', (_, to, verdict) => {
    expect(asked({ networks: [red], vms: [a, to] }, ask(a.end, to.end)).verdict).toBe(verdict);
  });

  it('a network that is off carries nothing', () => {
    const off = { ...red, adminUp: false };
    expect(asked({ networks: [off], vms: [a, b] }, ask(a.end, b.end)).decisive?.object).toMatchObject({
      kind: 'network',
    });
  });

  it('a packet larger than the network is not sent', () => {
    expect(asked(cloud, ask(a.end, b.end, { size: 1450 })).verdict).toBe('reachable');
    expect(asked(cloud, ask(a.end, b.end, { size: 1451 })).sentence).toContain('whose MTU is 1450');
  });

  it('an address that no port has is nobody’s', () => {
    const found = asked(cloud, ask(a.end, { kind: 'address', address: '10.0.0.77', name: '10.0.0.77' }));
    expect(found.sentence).toContain('no port on network red has 10.0.0.77');
  });
});

describe('groups that keep no state', () => {
  const deaf = { ...group('deaf'), stateful: false };
  const heard = { ...group('heard', rule({ protocol: 'tcp', portMin: 40_000, portMax: 40_000 })), stateful: false };
  const cloudOf = (
    groups: Parameters<typeof group>[0] extends string ? (typeof deaf)[] : never,
    filter: AtlasPort['filter'],
  ) => {
    const from = vm('a', red, '10.0.0.4', { groups, filter });
    return { cloud: { networks: [red], vms: [from, b] }, from };
  };

  it('let the question out, and the answer in only by a rule of their own', () => {
    const { cloud, from } = cloudOf([deaf], 'iptables');
    const found = asked(cloud, ask(from.end, b.end, { ...tcp(22), sourcePort: 40_000 }));
    expect(found.verdict).toBe('unreachable');
    expect(found.decisive).toMatchObject({ way: 'back', at: 'source-tap' });
    expect(found.sentence).toContain('but the answer does not come back');
    const better = cloudOf([heard], 'iptables');
    expect(asked(better.cloud, ask(better.from.end, b.end, { ...tcp(22), sourcePort: 40_000 })).verdict).toBe(
      'reachable',
    );
  });

  it('which of many source ports it is, must be told where only some are let in', () => {
    const { cloud, from } = cloudOf([heard], 'iptables');
    const found = asked(cloud, ask(from.end, b.end, tcp(22)));
    expect(found.verdict).toBe('unknown');
    expect(found.decisive?.tell).toContain('--source-port');
  });

  it('are tracked all the same by the openvswitch driver: not known, rather than wrong', () => {
    const { cloud, from } = cloudOf([deaf], 'ovs');
    expect(asked(cloud, ask(from.end, b.end, tcp(22))).verdict).toBe('unknown');
  });
});

describe('a rule for the addresses of an address group', () => {
  const members = new Map([['friends', ['10.0.0.77']]]);
  const picky = group('picky', rule({ remoteAddressGroupId: 'friends' }));

  it.each([
    ['ovs', 'unreachable'],
    ['iptables', 'unknown'],
  ] as const)('is not heeded by every driver: of a stranger, behind %s, it is %s', (filter, verdict) => {
    const to = vm('b', red, '10.0.0.5', { groups: [picky], filter });
    expect(asked({ networks: [red], vms: [a, to], members }, ask(a.end, to.end)).verdict).toBe(verdict);
  });

  it('lets its members in everywhere', () => {
    const to = vm('b', red, '10.0.0.5', { groups: [picky] });
    const of = { networks: [red], vms: [a, to], members: new Map([['friends', ['10.0.0.4']]]) };
    expect(asked(of, ask(a.end, to.end)).verdict).toBe('reachable');
  });
});

describe('a rule for protocol 0, which stands for any', () => {
  it.each([
    ['iptables', 'reachable'],
    ['ovs', 'unreachable'],
    ['ovn', 'unreachable'],
    ['unknown', 'unknown'],
  ] as const)('is taken for IP protocol 0 alone by one driver: behind %s a ping is %s', (filter, verdict) => {
    const to = vm('b', red, '10.0.0.5', { groups: [group('any', rule({ protocol: 0 }))], filter });
    expect(asked({ networks: [red], vms: [a, to] }, ask(a.end, to.end)).verdict).toBe(verdict);
  });

  it('does no harm beside one that lets the packet in by its name', () => {
    const both = group('both', rule({ protocol: '0' }), rule({ protocol: 'icmp' }));
    const to = vm('b', red, '10.0.0.5', { groups: [both], filter: 'ovs' });
    expect(asked({ networks: [red], vms: [a, to] }, ask(a.end, to.end)).verdict).toBe('reachable');
  });
});

describe('ICMPv6 out of an instance', () => {
  const six = network('six', [subnet('six-6', 'fd00::/64')]);
  const mute = { id: 'g', name: 'mute', rules: [] };

  it.each([
    ['iptables', 'reachable'],
    ['ovs', 'unreachable'],
    ['ovn', 'unreachable'],
  ] as const)('behind %s without an egress rule is %s', (filter, verdict) => {
    const from = vm('a', six, 'fd00::4', { groups: [mute], filter });
    const to = vm('b', six, 'fd00::5');
    expect(asked({ networks: [six], vms: [from, to] }, ask(from.end, to.end, { family: 6 })).verdict).toBe(verdict);
  });
});

describe('over routers', () => {
  const both = router('r', [
    { net: red, address: '10.0.0.1' },
    { net: blue, address: '10.1.0.1' },
  ]);

  it('one with a leg in both networks joins them', () => {
    const found = asked({ networks: [red, blue], routers: [both], vms: [a, c] }, ask(a.end, c.end));
    expect(found.verdict).toBe('reachable');
    expect(found.steps.filter((s) => s.at === 'router').map((s) => s.way)).toEqual(['there', 'back']);
  });

  it.each([
    ['it is off', { ...both, adminUp: false }],
    ['its leg is off', { ...both, legs: both.legs.map((l) => ({ ...l, adminUp: l.networkId !== 'red' })) }],
    ['its far leg is off', { ...both, legs: both.legs.map((l) => ({ ...l, adminUp: l.networkId !== 'blue' })) }],
    ['it has no leg there', router('r', [{ net: red, address: '10.0.0.1' }])],
  ])('nothing passes where %s', (_, r) => {
    const found = asked({ networks: [red, blue], routers: [r], vms: [a, c] }, ask(a.end, c.end));
    expect(found.verdict).toBe('unreachable');
    expect(found.decisive?.at).toBe('router');
  });

  it('a narrower network behind it stops what may not be fragmented', () => {
    const cloud = { networks: [red, blue], routers: [both], vms: [a, c] };
    expect(asked(cloud, ask(a.end, c.end, { size: 1400 })).verdict).toBe('reachable');
    expect(asked(cloud, ask(a.end, c.end, { size: 1420 })).sentence).toContain('network blue');
  });

  it('an instance on another network with an address of one’s own subnet is looked for in vain', () => {
    const twin = network('twin', [subnet('twin-4', '10.0.0.0/24', { gateway: '10.0.0.1' })]);
    const far = vm('far', twin, '10.0.0.9');
    const found = asked({ networks: [red, twin], vms: [a, far] }, ask(a.end, far.end));
    expect(found.sentence).toContain('far is on network twin');
  });

  it('a gateway that no router has leads nowhere', () => {
    const found = asked({ networks: [red, blue], vms: [a, c] }, ask(a.end, c.end));
    expect(found.decisive).toMatchObject({ topic: 'route', object: { kind: 'subnet', id: 'red-4' } });
  });

  const transit = network('transit', [subnet('t-4', '172.16.0.0/24', { gateway: '172.16.0.1' })]);
  const left = router('left', [
    { net: red, address: '10.0.0.1' },
    { net: transit, address: '172.16.0.1' },
  ]);
  const right = router('right', [
    { net: blue, address: '10.1.0.1' },
    { net: transit, address: '172.16.0.2' },
  ]);
  const to = (destination: string, nexthop: string) => ({ routes: [{ destination, nexthop }] });

  it('several in a row are walked by their static routes, and a missing one on the way back is told as that', () => {
    const networks = [red, blue, transit];
    const whole = [
      { ...left, ...to('10.1.0.0/16', '172.16.0.2') },
      { ...right, ...to('10.0.0.0/24', '172.16.0.1') },
    ];
    const vms = [a, c];
    expect(asked({ networks, routers: whole, vms }, ask(a.end, c.end)).verdict).toBe('reachable');
    const oneWay = [whole[0] ?? left, right];
    const found = asked({ networks, routers: oneWay, vms }, ask(a.end, c.end));
    expect(found.decisive).toMatchObject({ way: 'back', where: 'router right' });
  });

  it('the longest prefix wins over a wider route', () => {
    const routes = [
      { destination: '10.1.0.0/24', nexthop: '172.16.0.2' },
      { destination: '10.0.0.0/8', nexthop: '172.16.0.77' },
    ];
    const routers = [
      { ...left, routes },
      { ...right, ...to('10.0.0.0/24', '172.16.0.1') },
    ];
    expect(asked({ networks: [red, blue, transit], routers, vms: [a, c] }, ask(a.end, c.end)).verdict).toBe(
      'reachable',
    );
  });

  it('routes in a circle end', () => {
    const routers = [
      { ...left, ...to('192.0.2.0/24', '172.16.0.2') },
      { ...right, ...to('192.0.2.0/24', '172.16.0.1') },
    ];
    const question = ask(a.end, { kind: 'address', address: '192.0.2.9', name: '192.0.2.9' });
    expect(asked({ networks: [red, blue, transit], routers, vms: [a] }, question).sentence).toContain('in a circle');
  });

  it('a next hop that is an instance is known only to its guest', () => {
    const hosts = subnet('red-4', '10.0.0.0/24', {
      gateway: '10.0.0.1',
      hostRoutes: [{ destination: '10.1.0.0/24', nexthop: '10.0.0.5' }],
    });
    const found = asked({ networks: [network('red', [hosts]), blue], vms: [a, b, c] }, ask(a.end, c.end));
    expect(found.verdict).toBe('unknown');
    expect(found.decisive?.because).toContain('whether it forwards');
  });
});

describe('to and from the world outside', () => {
  const fip = floating('203.0.113.50', b.port.id, '10.0.0.5');
  const cloud = { networks: [red, world], routers: [r1], vms: [a, b], floatings: [fip] };

  it('an instance leaves with the address of its router, and the answer is translated back', () => {
    const found = asked(cloud, ask(a.end, outside('198.51.100.7'), tcp(443)));
    expect(found.verdict).toBe('reachable');
    const translated = found.steps.filter((s) => s.verdict === 'translated');
    expect(translated.map((s) => s.way)).toEqual(['there', 'back']);
    expect(translated[0]?.because).toContain('203.0.113.10');
  });

  it('with a floating address it leaves with that', () => {
    const found = asked(cloud, ask(b.end, outside('198.51.100.7'), tcp(443)));
    expect(found.steps.find((s) => s.verdict === 'translated')?.object).toMatchObject({
      kind: 'floating-ip',
      id: fip.id,
    });
    expect(found.verdict).toBe('reachable');
  });

  it('where the router does not translate, only the routers outside know a way back', () => {
    const plain = router('r1', [{ net: red, address: '10.0.0.1' }], {
      outer: { net: world, address: '203.0.113.10', snat: false },
    });
    const found = asked({ ...cloud, routers: [plain] }, ask(a.end, outside('198.51.100.7')));
    expect(found).toMatchObject({ verdict: 'unknown', decisive: { way: 'back' } });
  });

  it('from outside an instance is reached by its floating address only', () => {
    expect(asked(cloud, ask(outside('198.51.100.7'), b.end)).verdict).toBe('reachable');
    expect(asked(cloud, ask(outside('198.51.100.7'), a.end)).sentence).toContain('without a floating IP');
  });

  it('the rules see the outside address; anywhere is not one of them', () => {
    const picky = group(
      'picky',
      rule({ protocol: 'tcp', portMin: 22, portMax: 22, remoteIpPrefix: '198.51.100.0/24' }),
    );
    const shy = vm('b', red, '10.0.0.5', { groups: [picky] });
    const of = { ...cloud, vms: [a, shy] };
    expect(asked(of, ask(outside('198.51.100.7'), shy.end, tcp(22))).verdict).toBe('reachable');
    expect(asked(of, ask(outside('192.0.2.7'), shy.end, tcp(22))).verdict).toBe('unreachable');
    expect(asked(of, ask(outside(), shy.end, tcp(22))).verdict).toBe('unknown');
  });

  it('a floating address from the same network comes back in with the address of the router', () => {
    const picky = group('picky', rule({ remoteIpPrefix: '203.0.113.10/32' }));
    const shy = vm('b', red, '10.0.0.5', { groups: [picky] });
    const question = ask(a.end, { kind: 'address', address: fip.address, name: fip.address });
    expect(asked({ ...cloud, vms: [a, shy] }, question).verdict).toBe('reachable');
  });

  it('without translation of the source, the answer goes past the router and is thrown away', () => {
    const plain = router('r1', [{ net: red, address: '10.0.0.1' }], {
      outer: { net: world, address: '203.0.113.10', snat: false },
    });
    const question = ask(a.end, { kind: 'address', address: fip.address, name: fip.address });
    const found = asked({ ...cloud, routers: [plain] }, question);
    expect(found).toMatchObject({ verdict: 'unreachable', decisive: { way: 'back', object: { kind: 'router' } } });
    expect(found.sentence).toContain('goes past the router');
  });

  it('a floating address that leads nowhere is told so', () => {
    const { portId: _, fixed: __, routerId: ___, ...loose } = fip;
    const question = ask(outside('198.51.100.7'), { kind: 'address', address: fip.address, name: fip.address });
    expect(asked({ ...cloud, floatings: [loose] }, question).sentence).toContain('associated with nothing');
  });

  it('one that leads to single ports only is not known', () => {
    const { portId: _, fixed: __, ...forwarding } = fip;
    const question = ask(outside('198.51.100.7'), { kind: 'address', address: fip.address, name: fip.address });
    const found = asked({ ...cloud, floatings: [forwarding] }, question);
    expect(found).toMatchObject({
      verdict: 'unknown',
      decisive: { tell: expect.stringContaining('port forwarding list') },
    });
  });

  it('an instance on the external network is a neighbour of everybody there', () => {
    const edge = vm('edge', world, '203.0.113.60');
    const of = { ...cloud, vms: [a, edge] };
    expect(asked(of, ask(outside('203.0.113.1'), edge.end)).verdict).toBe('reachable');
    const found = asked(of, ask(a.end, edge.end));
    expect(found.verdict).toBe('reachable');
    expect(found.steps.filter((s) => s.verdict === 'translated')).toHaveLength(2);
  });
});

describe('ports that OVN binds to no host', () => {
  const service = (id: string, owner: AtlasPort['owner'], address: string): AtlasPort => {
    const { host: _, ...port } = vm(id, red, address, { secured: false, vifType: 'unbound', filter: 'unknown' }).port;
    return { ...port, owner, status: 'DOWN' };
  };
  const metadataPort = service('meta', 'metadata', '10.0.0.2');
  const leg = service('leg', 'router', '10.0.0.1');
  const end = (port: AtlasPort, address: string): End => ({
    kind: 'port',
    portId: port.id,
    address,
    name: port.name,
  });
  const r = router('r', [{ net: red, address: '10.0.0.1' }]);

  it('send all the same: the metadata port on every host, and a router of a network that has such a port', () => {
    const cloud = { networks: [red], routers: [r], vms: [a], services: [metadataPort, { ...leg, deviceId: r.id }] };
    expect(asked(cloud, ask(end(metadataPort, '10.0.0.2'), a.end)).verdict).toBe('reachable');
    expect(asked(cloud, ask(end(leg, '10.0.0.1'), a.end)).verdict).toBe('reachable');
  });

  it('are lost elsewhere: a router that no agent has', () => {
    const cloud = { networks: [red], routers: [r], vms: [a], services: [{ ...leg, deviceId: r.id }] };
    const found = asked(cloud, ask(end(leg, '10.0.0.1'), a.end));
    expect(found).toMatchObject({
      verdict: 'unreachable',
      decisive: { because: 'the port is bound to no host (unbound)' },
    });
    const lost = vm('b', red, '10.0.0.5', { vifType: 'unbound' });
    expect(asked({ networks: [red], vms: [a, lost], services: [metadataPort] }, ask(a.end, lost.end)).verdict).toBe(
      'unreachable',
    );
  });

  it('stand for the DHCP server, which is flows', () => {
    const found = asked(
      { networks: [red], vms: [a], services: [metadataPort] },
      ask(a.end, end(metadataPort, '10.0.0.2'), { ...udp(67), sourcePort: 68 }),
    );
    expect(found.verdict).toBe('reachable');
    expect(found.steps.map((s) => s.because)).toContain('OVN gives leases for 10.0.0.0/24');
  });

  it('are not asked for a lease past the rules: OVN has no exemption for that', () => {
    const mute = vm('a', red, '10.0.0.4', { groups: [{ id: 'g', name: 'mute', rules: [] }], filter: 'ovn' });
    const found = asked(
      { networks: [red], vms: [mute], services: [metadataPort] },
      ask(mute.end, end(metadataPort, '10.0.0.2'), { ...udp(67), sourcePort: 68 }),
    );
    expect(found).toMatchObject({ verdict: 'unreachable', decisive: { at: 'source-tap', topic: 'rules' } });
  });
});

describe('a rule for an address group behind OVN', () => {
  it('may let everybody in: not every release of its driver heeds it', () => {
    const grouped = group('friends', rule({ remoteAddressGroupId: 'list' }));
    const to = vm('b', red, '10.0.0.5', { groups: [grouped], filter: 'ovn' });
    const members = new Map([['list', ['192.0.2.1']]]);
    const found = asked({ networks: [red], vms: [a, to], members }, ask(a.end, to.end));
    expect(found.verdict).toBe('unknown');
    expect(found.decisive?.because).toContain("not every release of Neutron's OVN driver heeds address groups");
  });
});

describe('the services of a network', () => {
  const dhcp: AtlasPort = {
    ...a.port,
    id: 'port-of-dhcp',
    name: 'the DHCP server',
    owner: 'dhcp',
    addresses: [{ subnetId: 'red-4', address: '10.0.0.2' }],
    security: { ...a.port.security, enabled: false },
  };
  const dhcpEnd = { kind: 'port', portId: dhcp.id, address: '10.0.0.2', name: dhcp.name } as const;
  const metadata = { kind: 'metadata', address: '169.254.169.254', name: 'the metadata service' } as const;
  const mute = vm('a', red, '10.0.0.4', { groups: [{ id: 'g', name: 'mute', rules: [] }] });

  it('a lease is asked for past every group', () => {
    const question = ask(mute.end, dhcpEnd, { ...udp(67), sourcePort: 68 });
    expect(asked({ networks: [red], vms: [mute], services: [dhcp] }, question).verdict).toBe('reachable');
  });

  it('and given only where DHCP is on', () => {
    const dry = network('red', [subnet('red-4', '10.0.0.0/24', { dhcp: false })]);
    const question = ask(mute.end, dhcpEnd, { ...udp(67), sourcePort: 68 });
    expect(asked({ networks: [dry], vms: [mute], services: [dhcp] }, question).sentence).toContain('DHCP is off');
  });

  it('metadata is taken by the router, and only over tcp/80', () => {
    const cloud = { networks: [red, world], routers: [r1], vms: [a], services: [dhcp] };
    expect(asked(cloud, ask(a.end, metadata, tcp(80))).verdict).toBe('reachable');
    const silent = vm('a', red, '10.0.0.4', {
      groups: [{ id: 'g', name: 'no-web', rules: [out({ protocol: 'icmp' })] }],
    });
    expect(asked({ ...cloud, vms: [silent] }, ask(silent.end, metadata, tcp(80))).decisive?.at).toBe('source-tap');
  });

  it('without a router it hangs on a setting of the DHCP agent', () => {
    const found = asked({ networks: [red], vms: [a], services: [dhcp] }, ask(a.end, metadata, tcp(80)));
    expect(found.decisive).toMatchObject({ verdict: 'unknown', object: { kind: 'port', id: dhcp.id } });
    expect(found.decisive?.tell).toContain('enable_isolated_metadata');
  });

  it('the router itself is pinged past every rule but those of the instance', () => {
    const leg = { kind: 'port', portId: 'leg-0-of-r1', address: '10.0.0.1', name: 'router r1' } as const;
    const cloud = { networks: [red, world], routers: [r1], vms: [a, mute] };
    expect(asked({ ...cloud, vms: [a] }, ask(leg, a.end)).verdict).toBe('reachable');
    expect(asked({ ...cloud, vms: [a] }, ask(a.end, leg)).verdict).toBe('reachable');
    expect(asked({ ...cloud, vms: [mute] }, ask(leg, mute.end)).verdict).toBe('unreachable');
  });
});

describe('what is not known', () => {
  it('is wanted, and the answer holds only once it is had', () => {
    const whole = atlasOf({ networks: [red], vms: [a, b] });
    const blank: Atlas = { ...whole, networks: new Map(), rules: new Map() };
    const found = reach(blank, ask(a.end, b.end));
    expect(found.verdict).toBe('unknown');
    expect(found.wants).toEqual(
      expect.arrayContaining([
        { of: 'rules', key: a.port.id },
        { of: 'networks', key: 'red' },
      ]),
    );
  });

  it('is said with what would tell where it cannot be had', () => {
    const whole = atlasOf({ networks: [red], vms: [a, b] });
    const because = { known: false, because: 'these credentials may not see it', tell: 'role admin' } as const;
    const found = reach({ ...whole, rules: new Map([...whole.rules, [b.port.id, because]]) }, ask(a.end, b.end));
    expect(found).toMatchObject({
      verdict: 'unknown',
      wants: [],
      decisive: { tell: 'role admin', at: 'destination-tap' },
    });
  });

  it('a remote group whose members nobody could list leaves it open', () => {
    const friends = vm('b', red, '10.0.0.5', { groups: [group('friends', rule({ remoteGroupId: 'x' }))] });
    expect(asked({ networks: [red], vms: [a, friends] }, ask(a.end, friends.end)).verdict).toBe('unknown');
    const members = new Map([['x', ['10.0.0.4']]]);
    expect(asked({ networks: [red], vms: [a, friends], members }, ask(a.end, friends.end)).verdict).toBe('reachable');
  });

  it('a drop is a drop, whatever else is not known', () => {
    const mute = vm('a', red, '10.0.0.4', { groups: [{ id: 'g', name: 'mute', rules: [] }] });
    const down = vm('b', red, '10.0.0.5', { status: 'DOWN', groups: [open] });
    expect(asked({ networks: [red], vms: [mute, down] }, ask(mute.end, down.end)).verdict).toBe('unreachable');
  });
});
