import { describe, expect, test } from 'vitest';
import { parseAddresses } from '../../../src/nodes/parse/addresses.ts';
import { parseFdb } from '../../../src/nodes/parse/fdb.ts';
import { parseNeighbours } from '../../../src/nodes/parse/neighbours.ts';
import { parseNetns } from '../../../src/nodes/parse/netns.ts';
import { parseRoutes, refuses } from '../../../src/nodes/parse/routes.ts';
import { parseRules } from '../../../src/nodes/parse/rules.ts';
import { expectNeverThrows, fixture, fixtures, understood } from './fixtures.ts';

const texts = (tool: string): readonly string[] => fixtures(tool).map(({ text }) => text);

describe('ip addr', () => {
  test('addresses of both families with prefix and scope', () => {
    const addresses = understood(parseAddresses(fixture('ip-addr', 'lb-cmp1-addresses.json')));
    expect(addresses).toContainEqual({
      dev: 'eth1',
      family: 4,
      address: '198.18.1.31',
      prefix: 24,
      scope: 'global',
      flags: [],
    });
    expect(addresses.find(({ dev, family }) => dev === 'eth0' && family === 6)).toMatchObject({
      prefix: 64,
      scope: 'link',
    });
  });

  test('the DHCP namespace has its own address and that of metadata', () => {
    const addresses = understood(parseAddresses(fixture('ip-addr', 'lb-net1-qdhcp-addresses.json')));
    expect(
      addresses.filter(({ family, scope }) => family === 4 && scope === 'global').map(({ address }) => address),
    ).toEqual(['10.0.0.2', '169.254.169.254']);
  });

  test('text and JSON agree', () => {
    for (const name of ['iproute2-6.1-devices', 'lb-cmp1-addresses', 'lb-net1-addresses']) {
      const json = understood(parseAddresses(fixture('ip-addr', `${name}.json`)));
      expect(understood(parseAddresses(fixture('ip-addr', `${name}.txt`))), name).toEqual(json);
      expect(json.length).toBeGreaterThan(3);
    }
  });

  test('flags are kept, among them a duplicate address that IPv6 found', () => {
    const line = '    inet6 2001:db8::5/64 scope global dadfailed tentative dynamic \n';
    expect(understood(parseAddresses(`2: eth0: <UP> mtu 1500\n${line}`))[0]?.flags).toEqual([
      'dynamic',
      'tentative',
      'dadfailed',
    ]);
    const json =
      '[{"ifname":"eth0","addr_info":[{"family":"inet6","local":"2001:db8::5","prefixlen":64,"scope":"global","dadfailed":true,"tentative":true}]}]';
    expect(understood(parseAddresses(json))[0]?.flags).toEqual(['tentative', 'dadfailed']);
  });

  test('no input makes it throw', () => expectNeverThrows(parseAddresses, texts('ip-addr')));
});

describe('ip route', () => {
  test('the router has its default route and its connected networks', () => {
    const routes = understood(parseRoutes(fixture('ip-route', 'lb-net1-qrouter-routes.json'))).filter(
      ({ table }) => table === 'main',
    );
    expect(routes.find(({ destination }) => destination === 'default')).toMatchObject({ via: '198.19.0.1', family: 4 });
    expect(routes.some(({ destination, scope }) => destination === '10.0.0.0/24' && scope === 'link')).toBe(true);
  });

  test('routes that refuse are told from routes that forward', () => {
    const routes = understood(parseRoutes(fixture('ip-route', 'iproute2-6.1-kinds.json')));
    const refused = routes.filter(refuses).map(({ type, destination, table }) => [type, destination, table]);
    expect(refused).toEqual([
      ['prohibit', '10.12.0.0/16', '100'],
      ['blackhole', '10.10.0.0/16', 'main'],
      ['unreachable', '10.11.0.0/16', 'main'],
      ['blackhole', '2001:db8:dead::/48', 'main'],
    ]);
  });

  test('several next hops, and a next hop of the other family', () => {
    const routes = understood(parseRoutes(fixture('ip-route', 'iproute2-6.1-kinds.json')));
    expect(routes.find(({ destination }) => destination === '10.13.0.0/16')?.nexthops).toEqual([
      { via: '192.0.2.10', dev: 'v1', weight: 2, flags: [] },
      { via: '192.0.2.11', dev: 'v1', weight: 1, flags: [] },
    ]);
    expect(routes.find(({ destination }) => destination === '10.14.0.0/16')).toMatchObject({
      via: '2001:db8::9',
      family: 4,
    });
  });

  test('the family of a default route shows in its gateway', () => {
    const routes = understood(parseRoutes(fixture('ip-route', 'iproute2-6.1-kinds.json')));
    const defaults = routes.filter(({ destination }) => destination === 'default');
    expect(defaults.map(({ family, via, table, metric }) => [family, via, table, metric])).toEqual([
      [4, undefined, '100', undefined],
      [4, '192.0.2.254', 'main', 50],
      [6, '2001:db8::ff', 'main', 1024],
    ]);
  });

  test('text and JSON agree', () => {
    for (const name of ['iproute2-6.1-kinds', 'lb-cmp1-routes', 'lb-net1-routes']) {
      const json = understood(parseRoutes(fixture('ip-route', `${name}.json`)));
      expect(understood(parseRoutes(fixture('ip-route', `${name}.txt`))), name).toEqual(json);
    }
  });

  test('dead next hops and link-down routes keep their flags', () => {
    const text =
      'default proto static metric 100 \n\tnexthop via 192.0.2.1 dev eth0 weight 1 dead linkdown \n10.0.0.0/24 dev eth1 proto kernel scope link src 10.0.0.1 linkdown \n';
    const [first, second] = understood(parseRoutes(text));
    expect(first?.nexthops[0]?.flags).toEqual(['dead', 'linkdown']);
    expect(second?.flags).toEqual(['linkdown']);
  });

  test('no input makes it throw', () => expectNeverThrows(parseRoutes, texts('ip-route')));
});

describe('ip rule', () => {
  test('rules of a distributed router: by source, by mark, and those that refuse', () => {
    const rules = understood(parseRules(fixture('ip-rule', 'iproute2-6.1-kinds.json')));
    expect(rules).toContainEqual({ priority: 71743, inverted: false, from: '192.168.21.18', table: '16' });
    expect(rules).toContainEqual({
      priority: 3232240897,
      inverted: false,
      from: '192.168.21.1/24',
      table: '3232240897',
    });
    expect(rules).toContainEqual({
      priority: 32765,
      inverted: false,
      from: 'all',
      fwmark: '0x1/0xffff',
      iif: 'v1',
      table: '100',
    });
    expect(rules).toContainEqual({
      priority: 32764,
      inverted: false,
      from: 'all',
      to: '10.66.0.0/16',
      action: 'unreachable',
    });
    expect(rules).toContainEqual({ priority: 32763, inverted: true, from: '10.67.0.0/16', action: 'blackhole' });
  });

  test('text and JSON agree', () => {
    for (const name of ['iproute2-6.1-kinds', 'lb-cmp1-rules']) {
      const json = understood(parseRules(fixture('ip-rule', `${name}.json`)));
      expect(understood(parseRules(fixture('ip-rule', `${name}.txt`))), name).toEqual(json);
    }
  });

  test('no input makes it throw', () => expectNeverThrows(parseRules, texts('ip-rule')));
});

describe('ip neigh', () => {
  test('an address that does not answer has a state and no MAC', () => {
    const neighbours = understood(parseNeighbours(fixture('ip-neigh', 'iproute2-6.1-kinds.json')));
    expect(neighbours).toContainEqual({ address: '192.0.2.99', dev: 'v1', state: ['FAILED'] });
    expect(neighbours).toContainEqual({
      address: '192.0.2.7',
      dev: 'v1',
      mac: 'fa:16:3e:00:00:01',
      state: ['PERMANENT'],
    });
  });

  test('text and JSON agree', () => {
    const json = understood(parseNeighbours(fixture('ip-neigh', 'iproute2-6.1-kinds.json')));
    expect(understood(parseNeighbours(fixture('ip-neigh', 'iproute2-6.1-kinds.txt')))).toEqual(json);
    const real = understood(parseNeighbours(fixture('ip-neigh', 'lb-net1-neighbours.txt')));
    expect(real.every(({ mac, dev }) => mac !== undefined && dev.startsWith('eth'))).toBe(true);
  });

  test('statistics of ip -s neigh are no part of the state', () => {
    const line = '192.168.21.2 dev qr-3a70b31c-3f lladdr fa:16:3e:50:61:70 used 556/556/556 probes 0 PERMANENT\n';
    expect(understood(parseNeighbours(line))[0]?.state).toEqual(['PERMANENT']);
  });

  test('no input makes it throw', () => expectNeverThrows(parseNeighbours, texts('ip-neigh')));
});

describe('bridge fdb', () => {
  test('a MAC behind a tunnel stands once in the bridge and once, with its VTEP, in the device', () => {
    const entries = understood(parseFdb(fixture('bridge-fdb', 'lb-net1-fdb.json')));
    const flood = entries.filter(({ mac }) => mac === '00:00:00:00:00:00');
    expect(flood.map(({ dst }) => dst).sort()).toEqual(['198.18.1.31', '198.18.1.32']);
    expect(flood.every(({ self, permanent, master }) => self && permanent && master === undefined)).toBe(true);
    const remote = entries.find(({ dst, mac }) => dst === '198.18.1.31' && mac.startsWith('fa:16:3e'));
    const both = entries.filter(({ mac, dev }) => mac === remote?.mac && dev === remote?.dev);
    expect(both.map(({ self }) => self).sort()).toEqual([false, true]);
  });

  test('a learned entry is not permanent', () => {
    const entries = understood(parseFdb(fixture('bridge-fdb', 'lb-cmp1-fdb.json')));
    const guest = entries.find(({ mac, dev }) => mac.startsWith('fa:16:3e') && dev.startsWith('tap'));
    expect(guest).toMatchObject({ permanent: false, self: false });
    expect(guest?.master).toMatch(/^brq/);
  });

  test('text and JSON agree', () => {
    for (const name of ['iproute2-6.1-kinds', 'lb-cmp1-fdb', 'lb-net1-fdb']) {
      const json = understood(parseFdb(fixture('bridge-fdb', `${name}.json`)));
      expect(understood(parseFdb(fixture('bridge-fdb', `${name}.txt`))), name).toEqual(json);
    }
  });

  test('no input makes it throw', () => expectNeverThrows(parseFdb, texts('bridge-fdb')));
});

describe('ip netns', () => {
  test('names with and without id', () => {
    const names = understood(parseNetns(fixture('ip-netns', 'lb-net1-names.txt')));
    expect(names).toHaveLength(2);
    expect(names[0]).toMatch(/^qrouter-[\da-f-]{36}$/);
    expect(understood(parseNetns('qdhcp-1\nqrouter-2 (id: 10)\n'))).toEqual(['qdhcp-1', 'qrouter-2']);
    expect(understood(parseNetns(''))).toEqual([]);
  });

  test('no input makes it throw', () => expectNeverThrows(parseNetns, texts('ip-netns')));
});
