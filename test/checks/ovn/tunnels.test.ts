import { describe, expect, it } from 'vitest';
import tunnels from '../../../src/checks/ovn/tunnels.ts';
import type { FactResult } from '../../../src/engine/fact.ts';
import type { TunnelTrial } from '../../../src/facts/ovn/tunnels.ts';
import type { RulesOfHost } from '../../../src/facts/rules.ts';
import { parseFlows } from '../../../src/nodes/parse/flows.ts';
import type { Ping } from '../../../src/nodes/parse/ping.ts';
import {
  codes,
  ends,
  findings,
  hosts,
  judge,
  mending,
  onHosts,
  registeredAs,
  row,
  seen,
  told,
  view,
  viewed,
} from './stub.ts';

const pinged = (received: number) => ({
  ping: { sent: 5, received, duplicates: 0, errors: [] } as Ping,
  evidence: seen('cmp1', 'ping'),
});
const trial = (from: 'cmp1' | 'net1', to: 'cmp1' | 'net1', more: Partial<TunnelTrial> = {}): TunnelTrial => ({
  from,
  to,
  fromEnd: ends[from],
  toEnd: ends[to],
  type: 'geneve',
  ping: pinged(5),
  full: { ...pinged(5), size: 1500 },
  knock: { arrived: 5, evidence: [seen(from, 'bash', '/dev/udp'), seen(to, 'ovs-ofctl', 'dump-ports')] },
  rules: new Map(),
  ...more,
});
const lost = { arrived: 0, evidence: [seen('net1', 'bash', '/dev/udp')] } as const;

const judged = (trials: readonly TunnelTrial[], more: Readonly<Record<string, FactResult<unknown>>> = {}) =>
  judge(tunnels, {
    'port.ovn.hosts': told(hosts),
    'port.ovn.registered': told(registeredAs(row('cmp1'), row('net1'))),
    'port.ovn.ovn.chassis-view': viewed(view('cmp1'), view('net1')),
    'port.ovn.tunnel-trials': told({ trials }),
    'port.ovn.host.ovs': onHosts({ cmp1: told({ bridges: [] }), net1: told({ bridges: [] }) }),
    ...more,
  });
const well = [trial('cmp1', 'net1'), trial('net1', 'cmp1')];

/** `ovs-ofctl dump-flows br-phy` of a chassis of the lab on which Geneve from net1 is dropped by hand. */
const dropping = parseFlows(
  'NXST_FLOW reply (xid=0x4):\n cookie=0x0, duration=12.5s, table=0, n_packets=9, n_bytes=900, priority=1000,udp,nw_src=198.18.1.20,tp_dst=6081 actions=drop\n cookie=0x0, duration=4000s, table=0, n_packets=99, n_bytes=9000, priority=0 actions=NORMAL\n',
);
const rulesOfCmp1: RulesOfHost = {
  rules: { bridges: [{ name: 'br-phy', flows: dropping.ok ? dropping.value : [] }] },
  evidence: new Map([['br-phy', seen('cmp1', 'ovs-ofctl', 'dump-flows', 'br-phy')]]),
};

describe('the tunnels between chassis', () => {
  it('are well when both ways carry packets', async () => {
    expect((await judged(well)).status).toBe('ok');
  });

  it('are told missing by the end that has no port for the other', async () => {
    const outcome = await judged(well, {
      'port.ovn.ovn.chassis-view': viewed(view('cmp1', { tunnels: [] }), view('net1')),
    });
    expect(codes(outcome)).toEqual(['OSD-OVN-017']);
    expect(mending(outcome)).toEqual(['systemctl restart ovn-controller']);
  });

  it('are not called missing where Open vSwitch could not be asked', async () => {
    const outcome = await judged(well, {
      'port.ovn.ovn.chassis-view': viewed(view('cmp1', { tunnels: [] }), view('net1')),
      'port.ovn.host.ovs': onHosts({}),
    });
    expect(outcome.status).toBe('ok');
  });

  it('are told to lead astray where the port has an address that the far chassis does not have', async () => {
    const [port, ...rest] = view('cmp1').tunnels;
    const astray = port === undefined ? [] : [{ ...port, remoteIp: '198.18.1.99' }, ...rest];
    const outcome = await judged(well, {
      'port.ovn.ovn.chassis-view': viewed(view('cmp1', { tunnels: astray }), view('net1')),
    });
    expect(findings(outcome)[0]?.summary).toContain('leads to 198.18.1.99, while net1 is at 198.18.1.20');
  });

  it('name the flow that takes their packets', async () => {
    const outcome = await judged([
      trial('cmp1', 'net1'),
      trial('net1', 'cmp1', { knock: lost, rules: new Map([['cmp1', rulesOfCmp1]]) }),
    ]);
    expect(codes(outcome)).toEqual(['OSD-OVN-019']);
    expect(findings(outcome)[0]?.summary).toContain('cmp1 drops Geneve packets from net1 to cmp1');
    expect(mending(outcome)[0]).toContain('ovs-ofctl --strict del-flows br-phy');
  });

  it('tell of packets lost in between where no rule takes them', async () => {
    const outcome = await judged([trial('cmp1', 'net1'), trial('net1', 'cmp1', { knock: lost })]);
    expect(findings(outcome)[0]?.summary).toContain('do not arrive at cmp1, though a plain ping passes');
  });

  it('lie dead where the underlay does', async () => {
    const dead = { ping: pinged(0), full: { ...pinged(0), size: 1500 }, knock: lost };
    expect(codes(await judged([trial('cmp1', 'net1', dead)]))).toEqual(['OSD-OVN-018']);
  });

  it('are one trouble where nothing passes either way', async () => {
    const dead = { ping: pinged(0), full: { ...pinged(0), size: 1500 }, knock: lost };
    const [only, ...more] = findings(await judged([trial('cmp1', 'net1', dead), trial('net1', 'cmp1', dead)]));
    expect(only?.summary).toContain('cmp1 does not reach net1');
    expect(only?.summary).toContain('nor the other way');
    expect(only?.evidence.length).toBe(4);
    expect(more).toEqual([]);
  });

  it('need no ping to be answered where their own packets arrive', async () => {
    expect((await judged([trial('cmp1', 'net1', { ping: pinged(0) }), trial('net1', 'cmp1')])).status).toBe('ok');
  });

  it('are too narrow where only small packets pass the underlay', async () => {
    const outcome = await judged([trial('cmp1', 'net1', { full: { ...pinged(0), size: 1500 } })]);
    expect(codes(outcome)).toEqual(['OSD-OVN-020']);
  });

  it('show that their ends no longer hear each other', async () => {
    const quiet = view('cmp1').tunnels.map((t) => ({ ...t, bfd: 'down' }));
    const outcome = await judged(well, {
      'port.ovn.ovn.chassis-view': viewed(view('cmp1', { tunnels: quiet }), view('net1')),
    });
    expect(codes(outcome)).toEqual(['OSD-OVN-021']);
  });
});
