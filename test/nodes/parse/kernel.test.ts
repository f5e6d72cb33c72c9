import { describe, expect, test } from 'vitest';
import { parseEpoch, parseTimedatectl } from '../../../src/nodes/parse/clock.ts';
import { parseConntrackUse } from '../../../src/nodes/parse/conntrack.ts';
import { parseEthtoolStatistics } from '../../../src/nodes/parse/ethtool.ts';
import { parseNstat } from '../../../src/nodes/parse/nstat.ts';
import { parseSockets } from '../../../src/nodes/parse/sockets.ts';
import { parseSysctl } from '../../../src/nodes/parse/sysctl.ts';
import { parseQdiscs, parseTcFilters } from '../../../src/nodes/parse/tc.ts';
import { expectNeverThrows, fixture, fixtures, understood } from './fixtures.ts';

const texts = (tool: string): readonly string[] => fixtures(tool).map(({ text }) => text);

describe('sysctl', () => {
  test('values by key; a key that the kernel does not have is absent', () => {
    const values = understood(parseSysctl(fixture('sysctl', 'lb-cmp1-all.txt')));
    expect(values['net.bridge.bridge-nf-call-iptables']).toBe('1');
    expect(values['net.ipv4.ip_forward']).toBe('0');
    expect(Object.hasOwn(values, 'no.such.key')).toBe(false);
  });

  test('values with spaces, and hostile keys', () => {
    const values = understood(
      parseSysctl('net.ipv4.tcp_rmem = 4096\t131072\t6291456\n__proto__ = 1\nnet.ipv4.conf.eth1/2113.rp_filter = 1\n'),
    );
    expect(values['net.ipv4.tcp_rmem']).toBe('4096\t131072\t6291456');
    expect(values['net.ipv4.conf.eth1/2113.rp_filter']).toBe('1');
    expect(Object.getPrototypeOf(values)).toBe(Object.prototype);
  });

  test('no input makes it throw', () => expectNeverThrows(parseSysctl, texts('sysctl')));
});

describe('ss', () => {
  test('what listens in the DHCP namespace, on which address and interface, and who', () => {
    const sockets = understood(parseSockets(fixture('ss', 'lb-net1-qdhcp-sockets.txt')));
    expect(sockets).toHaveLength(13);
    expect(sockets.find(({ port }) => port === 67)).toEqual({
      protocol: 'udp',
      state: 'UNCONN',
      address: '0.0.0.0',
      port: 67,
      processes: [{ name: 'dnsmasq', pid: 442 }],
    });
    expect(sockets.find(({ dev }) => dev !== undefined)).toMatchObject({ address: 'fe80::a9fe:a9fe', port: 53 });
  });

  test('the metadata proxy of a router, and the kernel’s own VXLAN socket without a process', () => {
    expect(understood(parseSockets(fixture('ss', 'lb-net1-qrouter-sockets.txt')))).toEqual([
      { protocol: 'tcp', state: 'LISTEN', address: '*', port: 9697, processes: [{ name: 'haproxy', pid: 467 }] },
    ]);
    expect(understood(parseSockets(fixture('ss', 'lb-net1-sockets.txt')))[0]).toMatchObject({
      port: 4789,
      processes: [],
    });
  });

  test('an ss that knows no -H prints its head line', () => {
    const head = 'Netid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n';
    expect(understood(parseSockets(head))).toEqual([]);
  });

  test('no input makes it throw', () => expectNeverThrows(parseSockets, texts('ss')));
});

describe('traffic control', () => {
  test('qdiscs with their drops, text and JSON alike', () => {
    const json = understood(parseQdiscs(fixture('tc', 'iproute2-6.1-qdiscs.json')));
    expect(json.map(({ dev, kind }) => `${dev} ${kind}`)).toEqual(
      expect.arrayContaining(['v1 tbf', 'v1 ingress', 'lo noqueue']),
    );
    expect(understood(parseQdiscs(fixture('tc', 'iproute2-6.1-qdiscs.txt')))).toEqual(json);
    const dropped =
      'qdisc netem 1: dev tap1 root refcnt 2 limit 1000 loss 10%\n Sent 4200 bytes 50 pkt (dropped 5, overlimits 1 requeues 0) \n';
    expect(understood(parseQdiscs(dropped))).toEqual([
      { dev: 'tap1', kind: 'netem', handle: '1:', packets: 50, bytes: 4200, drops: 5, overlimits: 1 },
    ]);
  });

  test('filters with what they do, heads and hash tables left out', () => {
    const text =
      '[{"protocol":"ip","pref":7,"kind":"u32","chain":0},{"protocol":"ip","pref":7,"kind":"u32","chain":0,"options":{"fh":"800:","ht_divisor":1}},' +
      '{"protocol":"ip","pref":7,"kind":"u32","chain":0,"options":{"fh":"800::800","actions":[{"order":1,"kind":"gact","control_action":{"type":"drop"},"index":1,' +
      '"stats":{"bytes":420,"packets":5,"drops":5,"overlimits":0}}]}},' +
      '{"protocol":"all","pref":9,"kind":"matchall","chain":0,"options":{"actions":[{"kind":"police","control_action":{"type":"drop"},"stats":{"packets":9,"drops":1}}]}}]';
    expect(understood(parseTcFilters(text))).toEqual([
      { protocol: 'ip', pref: 7, kind: 'u32', actions: ['drop'], packets: 5, drops: 5 },
      { protocol: 'all', pref: 9, kind: 'matchall', actions: ['police'], packets: 9, drops: 1 },
    ]);
    expect(understood(parseTcFilters(fixture('tc', 'iproute2-6.1-filters.json')))).toEqual([]);
    expect(understood(parseTcFilters(''))).toEqual([]);
  });

  test('no input makes them throw', () => {
    expectNeverThrows(parseQdiscs, texts('tc'));
    expectNeverThrows(parseTcFilters, texts('tc'));
  });
});

describe('counters and clocks', () => {
  test('protocol counters, text and JSON', () => {
    const counters = understood(parseNstat(fixture('nstat', 'lb-cmp1-all.txt')));
    expect(counters.IpInReceives).toBeGreaterThan(0);
    expect(counters.TcpExtIPReversePathFilter).toBe(0);
    expect(understood(parseNstat('{"kernel":{"IpInReceives":5}}'))).toEqual({ IpInReceives: 5 });
  });

  test('counters of a driver', () => {
    const counters = understood(parseEthtoolStatistics(fixture('ethtool', 'lb-cmp1-eth1-statistics.txt')));
    expect(counters).toMatchObject({ peer_ifindex: 9, rx_queue_0_drops: 0 });
    expect(understood(parseEthtoolStatistics('no stats available\n'))).toEqual({});
  });

  test('the conntrack table: how full, how big', () => {
    const files = fixture('conntrack', 'lb-cmp1-count.txt') + fixture('conntrack', 'lb-cmp1-max.txt');
    expect(understood(parseConntrackUse(files))).toEqual({ count: 34, max: 262144 });
    expect(parseConntrackUse(fixture('conntrack', 'lb-cmp1-count.txt')).ok).toBe(false);
  });

  test('the clock of a node and whether somebody keeps it', () => {
    expect(understood(parseEpoch(fixture('date', 'lb-cmp1-epoch.txt')))).toBeCloseTo(1795229604.06, 1);
    expect(parseEpoch('date: invalid date\n').ok).toBe(false);
    expect(understood(parseTimedatectl(fixture('date', 'lb-cmp1-timedatectl.txt')))).toEqual({
      synchronised: false,
      service: 'n/a',
    });
    expect(understood(parseTimedatectl('Timezone=Etc/UTC\nNTP=yes\nNTPSynchronized=yes\n'))).toEqual({
      synchronised: true,
      service: 'yes',
    });
  });

  test('no input makes them throw', () => {
    expectNeverThrows(parseNstat, texts('nstat').slice(0, 1));
    expectNeverThrows(parseEthtoolStatistics, texts('ethtool'));
    expectNeverThrows(parseConntrackUse, texts('conntrack'));
    expectNeverThrows(parseEpoch, texts('date'));
    expectNeverThrows(parseTimedatectl, texts('date'));
  });
});
