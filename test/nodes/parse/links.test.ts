import { describe, expect, test } from 'vitest';
import { type Link, parseLinks } from '../../../src/nodes/parse/links.ts';
import { expectNeverThrows, fixture, fixtures, understood } from './fixtures.ts';

const links = (name: string): readonly Link[] => understood(parseLinks(fixture('ip-link', name)));
const link = (file: string, name: string): Link | undefined => links(file).find((found) => found.name === name);
const withoutCounters = ({ rx: _rx, tx: _tx, ...rest }: Link) => rest;

describe('ip -d -s link', () => {
  test('a tap in its bridge is up with carrier although its state is UNKNOWN', () => {
    const tap = links('lb-cmp1-links.json').find(({ name }) => name.startsWith('tap'));
    expect(tap).toMatchObject({ up: true, carrier: true, operstate: 'UNKNOWN', kind: 'tun', portState: 'forwarding' });
    expect(tap?.mac).toMatch(/^fe:16:3e:/);
    expect(tap?.master).toMatch(/^brq/);
  });

  test('a VXLAN device tells its VNI, addresses, port and underlay device', () => {
    expect(link('iproute2-6.1-devices.json', 'vx300')?.vxlan).toEqual({
      vni: 300,
      local: '192.0.2.1',
      remote: '192.0.2.9',
      port: 4789,
      dev: 'v1',
      learning: true,
    });
    expect(link('iproute2-6.1-devices.json', 'vx301')?.vxlan).toEqual({
      vni: 301,
      group: '239.1.1.1',
      port: 8472,
      dev: 'v1',
      learning: false,
    });
  });

  test('a VXLAN device that carries any VNI has none of its own', () => {
    expect(link('iproute2-6.1-devices.json', 'vxext')?.vxlan).toEqual({ port: 4790, learning: false });
  });

  test('the ends of a veth pair point at each other, in one namespace and across two', () => {
    const [v0, v1] = [link('iproute2-6.1-devices.json', 'v0'), link('iproute2-6.1-devices.json', 'v1')];
    expect(v0?.peerIndex).toBe(v1?.index);
    expect(v1?.peerIndex).toBe(v0?.index);
    const inside = links('lb-net1-qdhcp-links.json').find(({ name }) => name.startsWith('ns-'));
    const outside = links('lb-net1-links.json').find(({ index }) => index === inside?.peerIndex);
    expect(outside?.name).toBe(`tap${inside?.name.slice('ns-'.length)}`);
    expect(outside?.peerIndex).toBe(inside?.index);
  });

  test('a device that is down has neither flag', () => {
    expect(link('iproute2-6.1-devices.json', 'vx301')).toMatchObject({ up: false, carrier: false, operstate: 'DOWN' });
    expect(link('iproute2-6.1-devices.json', 'tapdeadbeef-01')).toMatchObject({ up: true, carrier: false });
  });

  test('the text of an old iproute2 gives the same links as its JSON', () => {
    for (const name of [
      'iproute2-6.1-devices',
      'lb-cmp1-links',
      'lb-net1-links',
      'lb-net1-qrouter-links',
      'ovs-cmp1-links',
    ]) {
      const [json, text] = [links(`${name}.json`), links(`${name}.txt`)];
      expect(text.map(withoutCounters), name).toEqual(json.map(withoutCounters));
      for (const [at, { rx, tx }] of text.entries()) {
        // Taken one after the other on a living host, so counters may only have risen.
        expect(rx.packets).toBeGreaterThanOrEqual(json[at]?.rx.packets ?? Number.NaN);
        expect(tx.bytes).toBeGreaterThanOrEqual(json[at]?.tx.bytes ?? Number.NaN);
      }
    }
    expect(links('iproute2-6.1-devices.txt')).toEqual(links('iproute2-6.1-devices.json'));
  });

  test('counters are read with their errors and drops', () => {
    expect(link('iproute2-6.1-devices.json', 'vx300')?.tx).toEqual({ packets: 4, bytes: 272, errors: 3, dropped: 0 });
    expect(link('iproute2-6.1-devices.txt', 'vx300')?.tx).toEqual({ packets: 4, bytes: 272, errors: 3, dropped: 0 });
  });

  test('without -s everything is counted as zero', () => {
    const without = links('ovs-cmp1-without-statistics.txt');
    expect(without.length).toBeGreaterThan(5);
    expect(without.every(({ rx, tx }) => rx.packets === 0 && tx.packets === 0)).toBe(true);
  });

  test('a VLAN device tells its id and what it sits on', () => {
    const vlan =
      '7: eth1.2113@eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000\n    link/ether fa:16:3e:00:00:01 brd ff:ff:ff:ff:ff:ff promiscuity 0 minmtu 0 maxmtu 65535 \n    vlan protocol 802.1Q id 2113 <REORDER_HDR> addrgenmode eui64 numtxqueues 1 numrxqueues 1 \n';
    expect(understood(parseLinks(vlan))[0]).toMatchObject({ kind: 'vlan', vlanId: 2113, parent: 'eth1' });
    const json =
      '[{"ifindex":7,"link":"eth1","ifname":"eth1.2113","flags":["UP"],"mtu":1500,"operstate":"UP","link_type":"ether","address":"fa:16:3e:00:00:01","linkinfo":{"info_kind":"vlan","info_data":{"protocol":"802.1Q","id":2113,"flags":["REORDER_HDR"]}}}]';
    expect(understood(parseLinks(json))[0]).toMatchObject({ kind: 'vlan', vlanId: 2113, parent: 'eth1' });
  });

  test('an InfiniBand device without kind is IPoIB', () => {
    const text =
      '5: ib0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 2044 qdisc mq state UP mode DEFAULT group default qlen 256\n    link/infiniband 80:00:02:08:fe:80:00:00:00:00:00:00:7c:fe:90:03:00:be:d0:11 brd 00:ff:ff:ff:ff:12:40:1b:ff:ff:00:00:00:00:00:00:ff:ff:ff:ff\n';
    expect(understood(parseLinks(text))[0]).toMatchObject({ name: 'ib0', kind: 'ipoib', mtu: 2044 });
  });

  test('the empty objects of an old iproute2 are no links, and nothing is no link', () => {
    expect(
      understood(parseLinks('[{},{"ifindex":1,"ifname":"lo","flags":["UP"]},{}]')).map(({ name }) => name),
    ).toEqual(['lo']);
    expect(understood(parseLinks(''))).toEqual([]);
    expect(understood(parseLinks('[]\n'))).toEqual([]);
  });

  test('output that is cut off in the middle of its JSON is a parse failure, not fewer links', () => {
    const whole = fixture('ip-link', 'lb-cmp1-links.json');
    expect(parseLinks(whole.slice(0, whole.length / 2)).ok).toBe(false);
    expect(parseLinks('RTNETLINK answers: Operation not permitted\n')).toMatchObject({
      ok: false,
      error: { kind: 'parse', line: 'RTNETLINK answers: Operation not permitted' },
    });
  });

  test('no input makes it throw', () => {
    expectNeverThrows(
      parseLinks,
      fixtures('ip-link').map(({ text }) => text),
    );
  });
});
