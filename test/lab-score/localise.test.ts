import { describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/engine/report.ts';
import type { Trace } from '../../src/engine/trace.ts';
import { chance, oneOf } from '../lab/localise/chance.ts';
import { type Drop, dropsOf } from '../lab/localise/drops.ts';
import { encloses, judge, saidEdge } from '../lab/localise/judge.ts';
import * as packet from '../lab/localise/packet.ts';
import { edgeName, mediaOf, pointStation, stationOf, turnsOf } from '../lab/localise/stations.ts';
import { page, type Result, type Row, section, shareRight } from '../lab/localise/table.ts';
import { lostBehind, tracePoint, traceThrough } from '../path/trace/traced.ts';

const inside = { netns: 'qrouter-1' };
const outer = { wears: 'vxlan 369' };

const linuxbridge = traceThrough([
  tracePoint('net1', 'qr-a', inside),
  tracePoint('net1', 'tapa'),
  tracePoint('net1', 'vxlan-369'),
  tracePoint('net1', 'eth1', outer),
  tracePoint('cmp1', 'eth1', outer),
  tracePoint('cmp1', 'vxlan-369'),
  tracePoint('cmp1', 'tapweb'),
]);

const floating = traceThrough(
  [
    tracePoint('net1', 'eth2'),
    tracePoint('net1', 'qg-b', inside),
    tracePoint('net1', 'qr-a', inside),
    tracePoint('net1', 'eth1', outer),
    tracePoint('cmp1', 'eth1', outer),
    tracePoint('cmp1', 'qvoweb'),
    tracePoint('cmp1', 'qvbweb'),
    tracePoint('cmp1', 'tapweb'),
  ],
  { sender: { host: 'this machine' }, probe: { protocol: 'icmp', from: '', to: '198.19.0.9', size: 84 } },
);

const key = { wears: 'geneve 2, back 3' };
/** On OVN: translated on the gateway chassis, between its provider bridge and the tunnel. */
const byGateway = traceThrough(
  [
    tracePoint('net1', 'eth2'),
    tracePoint('net1', 'eth1', key),
    tracePoint('cmp1', 'eth1', key),
    tracePoint('cmp1', 'tapweb'),
  ],
  {
    sender: { host: 'this machine' },
    probe: { protocol: 'icmp', from: '', to: '198.19.0.9', size: 84 },
    changes: [{ way: 'there', after: 0, before: 1, what: 'destination', from: '198.19.0.9', to: '10.0.0.94' }],
  },
);
const metadata = traceThrough(
  [tracePoint('cmp1', 'tapnet1', { netns: 'ovnmeta-1' }), tracePoint('cmp1', 'tapnet0'), tracePoint('cmp1', 'tapweb')],
  { sender: { host: 'cmp1', netns: 'ovnmeta-1' } },
);
/** Put in behind the tap. */
const putIn = traceThrough(
  [
    tracePoint('cmp1', 'tapweb', { only: 'back' }),
    tracePoint('cmp1', 'eth1', key),
    tracePoint('cmp2', 'eth1', key),
    tracePoint('cmp2', 'tapdb'),
  ],
  { sender: { host: 'cmp1', port: 'port 3 of br-int' } },
);

const edges = (drops: readonly Drop[], trace: Trace, kind: string, device: string): string[] =>
  drops.filter((d) => d.kind === kind && d.device === device).map((d) => edgeName(d.edge, trace));

describe('the path of a trace', () => {
  it('is read with Linux bridges', () => {
    const media = mediaOf(linuxbridge, 'lb');
    expect(media).toEqual(['local', 'veth', 'bridge', 'encap', 'fabric', 'decap', 'bridge', 'beyond']);
    expect(turnsOf(media, linuxbridge)).toEqual(['out', 'in', 'out', 'out', 'in', 'in', 'out']);
  });

  it('is read with Open vSwitch, through a router and hybrid plugging', () => {
    const media = mediaOf(floating, 'ovs');
    expect(media).toEqual(['beyond', 'ovs', 'routed', 'ovs', 'fabric', 'ovs', 'veth', 'bridge', 'beyond']);
    expect(turnsOf(media, floating)).toEqual(['in', 'in', 'out', 'out', 'in', 'out', 'in', 'out']);
  });

  it('is read with OVN, in and out of a metadata namespace', () => {
    expect(mediaOf(metadata, 'ovn')).toEqual(['local', 'veth', 'ovs', 'beyond']);
    expect(mediaOf(byGateway, 'ovn')).toEqual(['beyond', 'ovs', 'fabric', 'ovs', 'beyond']);
  });

  it('counts its stations as a line, there and back', () => {
    expect(pointStation(0, 7, 'there')).toBe(1);
    expect(pointStation(6, 7, 'back')).toBe(9);
    expect(stationOf({ at: 'answerer' }, 7, 'there')).toBe(8);
    expect(stationOf({ at: 'sender' }, 7, 'back')).toBe(16);
  });
});

describe('a drop', () => {
  const drops = dropsOf({ trace: linuxbridge, variant: 'lb', narrow: false });

  it('lies between two neighbours of the path', () => {
    for (const { edge } of drops) expect(edge.before - edge.after).toBe(1);
  });

  it('on ingress leaves the device having seen the packet', () => {
    expect(edges(drops, linuxbridge, 'tc bpf ingress', 'tapa')).toEqual(['tapa@net1 > vxlan-369@net1 (there)']);
    expect(edges(drops, linuxbridge, 'nft netdev ingress', 'tapweb')).toEqual(['tapweb@cmp1 > vxlan-369@cmp1 (back)']);
  });

  it('on egress takes the packet before the device is seen to send it', () => {
    expect(edges(drops, linuxbridge, 'tc bpf egress', 'tapweb')).toEqual(['vxlan-369@cmp1 > tapweb@cmp1 (there)']);
    expect(edges(drops, linuxbridge, 'tc bpf egress', 'qr-a')).toEqual(['sender > qr-a@net1 (there)']);
  });

  it('between the hosts is no node’s rule', () => {
    const hidden = drops.filter((d) => d.host === 'fabric');
    expect(hidden.map((d) => edgeName(d.edge, linuxbridge))).toEqual([
      'eth1@net1 > eth1@cmp1 (there)',
      'eth1@cmp1 > eth1@net1 (back)',
    ]);
    expect(hidden.every((d) => d.mark === undefined)).toBe(true);
  });

  it('by a link that is down ends packets before the end of the cable that should send them', () => {
    expect(edges(drops, linuxbridge, 'link down', 'tapa')).toEqual(['sender > qr-a@net1 (there)']);
    expect(edges(drops, linuxbridge, 'link down', 'tapweb')).toEqual(['vxlan-369@cmp1 > tapweb@cmp1 (there)']);
    expect(edges(drops, linuxbridge, 'link down', 'eth1')).toEqual([]);
  });

  it('is healed by what names exactly what was made', () => {
    const kinds = new Set(drops.map((d) => d.kind));
    expect(kinds.size).toBeGreaterThan(25);
    for (const d of drops) expect(d.heal).not.toBe('');
  });

  it('is not placed where Open vSwitch reads its ports before any filter', () => {
    const found = dropsOf({ trace: floating, variant: 'ovs', behind: '10.0.0.94', narrow: false });
    expect(edges(found, floating, 'nft netdev ingress', 'eth1')).toEqual([]);
    expect(edges(found, floating, 'nft netdev egress', 'eth1')).toHaveLength(2);
    expect(edges(found, floating, 'flow on br-ex', 'br-ex')).toEqual([
      'eth2@net1 > qg-b@net1 (there)',
      'qg-b@net1 > eth2@net1 (back)',
    ]);
  });

  it('in a table of OVN matches the address that the packet has there', () => {
    const drops = dropsOf({ trace: byGateway, variant: 'ovn', behind: '10.0.0.94', narrow: false });
    const at = (kind: string, way: string) =>
      drops
        .filter((d) => d.host === 'net1' && d.kind === kind && d.way === way)
        .map((d) => /nw_(?:dst|src)=([\d.]+)/.exec(d.inject)?.[1]);
    expect(at('flow on br-int', 'there')).toEqual(['198.19.0.9']);
    expect(at('flow on br-int table 37', 'there')).toEqual(['10.0.0.94']);
    expect(at('flow on br-int', 'back')).toEqual(['10.0.0.94']);
    expect(at('flow on br-ex', 'back')).toEqual(['198.19.0.9']);
  });

  it('of what is put in behind a device lies behind it on the way there, and before it on the way back', () => {
    const drops = dropsOf({ trace: putIn, variant: 'ovn', narrow: false });
    expect(edges(drops, putIn, 'flow on br-int', 'eth1')).toContain('sender > eth1@cmp1 (there)');
    expect(edges(drops, putIn, 'flow on br-int table 65', 'tapweb')).toEqual(['eth1@cmp1 > tapweb@cmp1 (back)']);
    expect(drops.filter((d) => d.device === 'tapweb' && d.way === 'there')).toEqual([]);
  });

  it('matches the address that the packet has on its side of the translation', () => {
    const found = dropsOf({ trace: floating, variant: 'ovs', behind: '10.0.0.94', narrow: false });
    const rule = (kind: string, way: string) => found.find((d) => d.kind === kind && d.way === way)?.inject;
    expect(rule('iptables raw PREROUTING', 'there')).toContain('-d 198.19.0.9 ');
    expect(rule('iptables filter FORWARD', 'there')).toContain('-d 10.0.0.94 ');
    expect(rule('iptables raw PREROUTING', 'back')).toContain('-s 10.0.0.94 ');
  });
});

describe('the packets of a probe', () => {
  const ping = { protocol: 'icmp', way: 'there', far: '10.0.0.94', own: '10.0.0.1' } as const;
  const answer = { protocol: 'tcp', port: 22, way: 'back', far: '10.0.0.94' } as const;

  it('are matched in every tool’s own words', () => {
    expect(packet.iptables(ping)).toBe('-s 10.0.0.1 -d 10.0.0.94 -p icmp --icmp-type 8');
    expect(packet.iptables(answer)).toBe('-s 10.0.0.94 -p tcp --sport 22');
    expect(packet.nft(answer)).toBe('ip saddr 10.0.0.94 tcp sport 22');
    expect(packet.ebtables(answer)).toBe('-p IPv4 --ip-src 10.0.0.94 --ip-proto tcp --ip-sport 22');
    expect(packet.pcap(ping)).toBe('icmp and icmp[0]=8 and src host 10.0.0.1 and dst host 10.0.0.94');
    expect(packet.u32(answer)).toBe('match ip protocol 6 0xff match ip src 10.0.0.94 match ip sport 22 0xffff');
    expect(packet.ovs(ping)).toBe('icmp,nw_src=10.0.0.1,nw_dst=10.0.0.94,icmp_type=8');
  });

  it('are matched inside VXLAN, and inside Geneve with an option', () => {
    expect(packet.iptablesInVxlan(answer)).toBe(
      "-p udp --dport 4789 -m u32 --u32 '56&0xFF=6&&62=0x0a00005e&&70>>16=22'",
    );
    expect(packet.nftInside(packet.vxlan, { ...ping, far: '10.0.0.94' })).toBe(
      'udp dport 4789 @th,312,8 1 @th,336,32 0x0a000001 @th,368,32 0x0a00005e @th,400,8 8',
    );
    expect(packet.pcapInside(packet.geneve, answer)).toBe(
      'udp dst port 6081 and udp[47]=6 and udp[50:4]=0x0a00005e and udp[58:2]=22',
    );
    expect(packet.pcapInside(packet.vxlan, answer)).toBe(
      'udp dst port 4789 and udp[39]=6 and udp[42:4]=0x0a00005e and udp[50:2]=22',
    );
  });
});

describe('what the doctor said', () => {
  const drop = { after: 2, before: 3 };

  it('is right when it names the edge of the drop', () => {
    const said = { ...linuxbridge, stop: lostBehind(1) };
    expect(saidEdge(said)).toEqual(drop);
    expect(encloses({ after: 2, before: 3 }, drop, said)).toBe(true);
  });

  it('is wrong one hop beside it', () => {
    const said = { ...linuxbridge, stop: lostBehind(1) };
    expect(encloses({ after: 1, before: 2 }, drop, said)).toBe(false);
    expect(encloses({ after: 1, before: 3 }, drop, said)).toBe(false);
    expect(encloses({ after: 2, before: 4 }, drop, said)).toBe(false);
  });

  it('may be wider where it could not look', () => {
    const said = { ...linuxbridge, stop: lostBehind(1, 'there', { blind: [1] }) };
    expect(encloses({ after: 1, before: 3 }, drop, said)).toBe(true);
    expect(
      encloses({ after: 2, before: 4 }, drop, { ...linuxbridge, stop: lostBehind(1, 'there', { blind: [1] }) }),
    ).toBe(false);
  });

  it('is nothing when it lost nothing', () => {
    const report = { diagnosis: { causes: [], remarks: [] }, steps: [], traces: [linuxbridge] };
    const [one] = dropsOf({ trace: linuxbridge, variant: 'lb', narrow: false });
    if (one === undefined) throw new Error('no drop');
    expect(judge(report as unknown as RunReport, linuxbridge, one)).toMatchObject({
      said: '-',
      right: false,
      named: 'no',
      first: '-',
    });
  });
});

describe('the rounds', () => {
  const row: Row = {
    round: 1,
    asked: 'trace router web-1',
    title: linuxbridge.title,
    kind: 'tc bpf egress',
    host: 'cmp1',
    device: 'tapweb',
    way: 'there',
    expected: 'a > b (there)',
    said: 'a > b (there)',
    right: true,
    named: 'first',
    first: 'OSD-HOST-014 rule x|y@cmp1',
    seconds: 9,
  };
  const result: Result = {
    variant: 'ovs',
    seed: 's',
    started: '2026-01-02T03:04:05.000Z',
    version: '1.0.0',
    commit: 'abc',
    rows: [row, { ...row, round: 2, right: false, named: 'no' }],
    duds: [],
  };

  it('depend on nothing but the seed', () => {
    const draw = () => {
      const next = chance('s/1');
      return Array.from({ length: 20 }, () => oneOf([1, 2, 3, 4, 5], next));
    };
    expect(draw()).toEqual(draw());
    expect(new Set(draw()).size).toBeGreaterThan(2);
  });

  it('are counted', () => {
    expect(shareRight(result)).toBe(0.5);
    expect(section(result)).toContain('| edge right | 1 of 2 (50 %) |');
    expect(section(result)).toContain('rule x\\|y@cmp1');
  });

  it('of one variant leave those of the others as they are', () => {
    const both = page(page('', { ...result, variant: 'lb' }), result);
    expect(both.match(/^## .*$/gm)).toEqual(['## lb', '## ovs']);
    expect(page(both, result)).toBe(both);
    expect(page(both, { ...result, rows: [] })).toContain(section({ ...result, variant: 'lb' }));
  });
});
