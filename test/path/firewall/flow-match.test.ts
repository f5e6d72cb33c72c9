import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flowMatches, flowTakes, maskedMatches } from '../../../src/path/firewall/flow-match.ts';
import type { Answer, Packet } from '../../../src/path/firewall/packet.ts';
import { flows, text } from './samples.ts';

const flow = (match: string) => {
  const [first] = flows(` cookie=0x1, table=0, n_packets=0, n_bytes=0, priority=10,${match} actions=drop\n`);
  if (!first) throw new Error(match);
  return first;
};

const SSH: Packet = {
  family: 4,
  protocol: 'tcp',
  source: '10.0.0.6',
  destination: '192.0.2.1',
  sourcePort: 40_000,
  destinationPort: 22,
  sourceMac: 'fa:16:3e:04:d9:ca',
  destinationMac: 'fa:16:3e:e9:8c:ac',
  inPort: '4',
};
const PING6: Packet = { family: 6, protocol: 'icmp', source: 'fd00::6', destination: 'fd00::1', icmpType: 128 };

describe('a flow and a packet', () => {
  test.each<[string, Packet, Answer]>([
    ['tcp,nw_src=10.0.0.0/24,tp_dst=22', SSH, 'yes'],
    ['tcp,tp_dst=0x10/0xfff0', SSH, 'yes'],
    ['tcp,tp_dst=0x20/0xfff0', SSH, 'no'],
    ['tcp6,tp_dst=22', SSH, 'no'],
    ['udp,tp_dst=22', SSH, 'no'],
    ['ip,nw_proto=6', SSH, 'yes'],
    ['dl_type=0x0800', SSH, 'yes'],
    ['dl_type=0x86dd', SSH, 'no'],
    ['arp,arp_spa=10.0.0.6', SSH, 'no'],
    ['in_port=4,dl_src=fa:16:3e:04:d9:ca', SSH, 'yes'],
    ['in_port="tap71998dc9-4d"', SSH, 'no'],
    ['dl_dst=01:00:00:00:00:00/01:00:00:00:00:00', SSH, 'no'],
    ['dl_dst=00:00:00:00:00:00/01:00:00:00:00:00', SSH, 'yes'],
    ['dl_vlan=2', SSH, 'unknown'],
    ['dl_vlan=2', { ...SSH, vlan: 2 }, 'yes'],
    ['dl_vlan=4095', SSH, 'no'],
    ['vlan_tci=0x0fff/0x1fff', SSH, 'no'],
    ['ip,reg5=0x4', SSH, 'unknown'],
    ['ct_state=+new-est,udp', SSH, 'no'],
    ['icmp6,icmp_type=128', PING6, 'yes'],
    ['icmp6,icmp_type=135', PING6, 'no'],
    ['ipv6,ipv6_dst=fd00::/64', PING6, 'yes'],
    ['icmp', PING6, 'no'],
    ['tun_id=0x12f', { ...PING6, tunnelId: 303 }, 'yes'],
  ])('%s', (match, packet, answer) => {
    expect(flowMatches(flow(match), packet)).toBe(answer);
  });

  test('a value under a mask matches the numbers that agree with it in the mask’s bits', () => {
    const bits = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(bits, bits, bits, (value, mask, found) => {
        const agree = [...Array(16).keys()].every(
          (bit) => !((mask >> bit) & 1) || ((value >> bit) & 1) === ((found >> bit) & 1),
        );
        expect(maskedMatches(`0x${value.toString(16)}/0x${mask.toString(16)}`, found)).toBe(agree ? 'yes' : 'no');
      }),
    );
  });

  test('of a packet of which only the protocol is known nothing else is taken for granted', () => {
    const decided = flows(text('ovn', 'net1', 'ovs-ofctl-dump-flows-br-int.txt'))
      .filter((real) => flowMatches(real, { family: 4, protocol: 'tcp' }) === 'yes')
      .flatMap(({ match }) => Object.keys(match));
    expect(decided.filter((field) => field !== 'ip' && field !== 'tcp')).toEqual([]);
  });
});

describe('a flow among the others of its table', () => {
  const table = (...lines: string[]) =>
    flows(lines.map((line) => ` cookie=0x1, table=0, n_packets=0, n_bytes=0, ${line}`).join('\n'));

  test('the highest priority goes first', () => {
    const [low, high] = table('priority=1,tcp actions=drop', 'priority=9,ip actions=NORMAL');
    if (!low || !high) throw new Error();
    expect(flowTakes(low, [low, high], SSH)).toBe('no');
    expect(flowTakes(high, [low, high], SSH)).toBe('yes');
  });

  test('what may go first leaves it open', () => {
    const [low, high] = table('priority=1,tcp actions=drop', 'priority=9,ip,reg5=0x4 actions=NORMAL');
    if (!low || !high) throw new Error();
    expect(flowTakes(low, [low, high], SSH)).toBe('unknown');
  });
});
