import { describe, expect, test } from 'vitest';
import type { Result } from '../../../src/engine/result.ts';
import { parseEbtables } from '../../../src/nodes/parse/ebtables.ts';
import { parseFlows } from '../../../src/nodes/parse/flows.ts';
import { parseIptables } from '../../../src/nodes/parse/iptables.ts';
import { parseNft } from '../../../src/nodes/parse/nft.ts';
import { parseQdiscs, parseTcFilters } from '../../../src/nodes/parse/tc.ts';
import type { Packet } from '../../../src/path/firewall/packet.ts';
import type { NodeRules } from '../../../src/path/firewall/strangers/stranger.ts';
import { strangersOf } from '../../../src/path/firewall/strangers.ts';

const REQUEST: Packet = { family: 4, protocol: '', arp: 'request', destination: '10.0.0.22', bridgeOut: 'tap1' };
const ECHO: Packet = { family: 4, protocol: 'icmp', icmpType: 8, destination: '10.0.0.22', bridgeOut: 'tap1' };

function read<T>(parsed: Result<T, unknown>): T {
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}
const matches = (node: NodeRules, packet: Packet): string[] => strangersOf(node, packet).map((s) => s.matches);

describe('a rule that drops ARP', () => {
  const ebtables = (rule: string): NodeRules => ({
    ebtables: read(parseEbtables(`*filter\n:FORWARD ACCEPT\n-A FORWARD ${rule} -c 3 84\n`)),
  });

  test('of ebtables takes the question who has the address, and no ping', () => {
    expect(matches(ebtables('-p ARP -o tap1 -j DROP'), REQUEST)).toEqual(['yes']);
    expect(matches(ebtables('-p ARP -o tap1 -j DROP'), ECHO)).toEqual(['no']);
    expect(matches(ebtables('-p ARP --arp-ip-dst 10.0.0.99 -j DROP'), REQUEST)).toEqual(['no']);
    expect(matches(ebtables('-p IPv4 --ip-dst 10.0.0.22 -j DROP'), REQUEST)).toEqual(['no']);
  });

  test('as a flow takes it by its target address', () => {
    const flows = (match: string): NodeRules => ({
      bridges: [
        {
          name: 'br-int',
          flows: read(
            parseFlows(
              [
                ` cookie=0x8d0948400caa1f69, duration=1s, table=0, n_packets=1, n_bytes=1, priority=2 actions=resubmit(,60)`,
                ` cookie=0x8d0948400caa1f69, duration=1s, table=60, n_packets=1, n_bytes=1, priority=3 actions=NORMAL`,
                ` cookie=0x0, duration=1s, table=0, n_packets=1, n_bytes=1, priority=40000,${match} actions=drop`,
              ].join('\n'),
            ),
          ),
        },
      ],
    });
    expect(matches(flows('arp,arp_tpa=10.0.0.22'), REQUEST)).toEqual(['yes']);
    expect(matches(flows('arp,arp_tpa=10.0.0.22'), ECHO)).toEqual(['no']);
    expect(matches(flows('arp,arp_op=2'), REQUEST)).toEqual(['no']);
    expect(matches(flows('icmp,nw_dst=10.0.0.22'), REQUEST)).toEqual(['no']);
  });

  test('is none of iptables, nor of an nft table of IP', () => {
    const dump = read(parseIptables('*filter\n:FORWARD ACCEPT [0:0]\n[1:84] -A FORWARD -j DROP\nCOMMIT\n'));
    expect(matches({ iptables: [{ family: 4, dump }] }, REQUEST)).toEqual(['no']);
    const ruleset = read(
      parseNft(
        'table inet x {\n\tchain f {\n\t\ttype filter hook forward priority 0; policy accept;\n\t\tdrop\n\t}\n}\n',
      ),
    );
    expect(matches({ nft: [{ ruleset }] }, REQUEST)).toEqual(['no']);
  });
});

describe('tc', () => {
  const node: NodeRules = {
    qdiscs: read(
      parseQdiscs(
        JSON.stringify([
          { kind: 'clsact', handle: 'ffff:', dev: 'tap1', parent: 'ffff:fff1', drops: 12 },
          { kind: 'tbf', handle: '8001:', dev: 'tap2', root: true, overlimits: 9, drops: 1 },
          { kind: 'fq_codel', handle: '0:', dev: 'eth0', root: true, drops: 4 },
        ]),
      ),
    ),
    filters: [
      {
        dev: 'tap1',
        direction: 'egress',
        filters: read(
          parseTcFilters(
            JSON.stringify([
              { protocol: 'all', pref: 10, kind: 'bpf', chain: 0, options: { handle: '0x1', 'direct-action': true } },
              {
                protocol: 'ip',
                pref: 7,
                kind: 'u32',
                options: { actions: [{ kind: 'mirred', mirred_action: 'redirect', stats: { packets: 5 } }] },
              },
              {
                protocol: 'ip',
                pref: 8,
                kind: 'u32',
                options: { actions: [{ kind: 'mirred', mirred_action: 'mirror', stats: { packets: 5 } }] },
              },
            ]),
          ),
        ),
      },
    ],
  };

  test('a bpf filter that decides by itself is counted by its qdisc; a redirect by itself; a mirror takes nothing', () => {
    expect(strangersOf(node).filter((s) => s.where.includes('tap1'))).toMatchObject([
      { target: 'direct-action', packets: 12, key: 'tc tap1 clsact ffff:', effect: 'drops' },
      { target: 'redirect', packets: 5, effect: 'diverts' },
    ]);
  });

  test('a bucket at the root of a device may be a limit that nobody ordered; a fair queue is none', () => {
    expect(strangersOf(node).filter((s) => !s.where.includes('tap1'))).toMatchObject([
      { target: 'tbf', certainty: 'possible', remove: ['tc', 'qdisc', 'del', 'dev', 'tap2', 'root'] },
    ]);
  });
});
