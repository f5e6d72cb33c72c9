import { describe, expect, it } from 'vitest';
import { type Around, type End, journeysOf, type Outside } from '../../../src/path/ovn/journeys.ts';
import type { Probe, Verdict } from '../../../src/path/secgroup/model.ts';

const allowed: Verdict = { kind: 'allowed', because: 'exempt', exemption: 'port-security-off', extent: 'whole' };
const denied: Verdict = { kind: 'denied', because: 'no-rule', groups: [], misses: [] };

const end = (name: string, address: string, mac: string, id: string, host = 'cmp1'): End => ({
  name,
  address,
  mac,
  place: { kind: 'port', id, host, network: 'net' },
});
const own = end('web-1', '10.0.0.148', 'fa:16:3e:28:ae:76', 'p');
const gateway = { address: '10.0.0.1', mac: 'fa:16:3e:14:e7:22', physical: false };
const metadata = end('the metadata port', '10.0.0.2', 'fa:16:3e:97:d6:31', 'm');
const outside = (floating: boolean): Outside => ({
  address: '198.19.0.1',
  mac: '02:00:00:00:00:01',
  place: { kind: 'outside', host: 'net1', network: 'ext', physical: 'physnet1' },
  known: { address: floating ? '198.19.0.189' : own.address, mac: 'fa:16:3e:9c:e9:2b', reachable: floating },
});
const around = (more: Partial<Around> = {}): Around => ({
  own,
  family: 4,
  dhcp: true,
  gateway,
  metadata,
  outside: outside(true),
  services: [{ protocol: 'icmp' }, { protocol: 'tcp', port: 22 }],
  verdict: () => allowed,
  verdictOfPeer: () => allowed,
  ...more,
});
const names = (a: Around): readonly string[] => journeysOf(a).map((j) => j.name);
const journey = (a: Around, name: string) => journeysOf(a).find((j) => j.name === name);

describe('the packets that matter to an instance', () => {
  it('are what it begins, what comes in, and the answers to both', () => {
    expect(names(around())).toEqual([
      'the DHCP request of web-1',
      'the ARP request of web-1 for its gateway 10.0.0.1',
      'the connection to tcp/80 from web-1 to the metadata port',
      'the answer to the connection to tcp/80 from the metadata port to web-1',
      'the ping from the metadata port to web-1',
      'the answer to the ping from web-1 to the metadata port',
      'the ping from web-1 to 198.19.0.1',
      'the answer to the ping from 198.19.0.1 to web-1',
      'the ping from 198.19.0.1 to web-1',
      'the answer to the ping from web-1 to 198.19.0.1',
      'the connection to tcp/22 from 198.19.0.1 to web-1',
      'the answer to the connection to tcp/22 from web-1 to 198.19.0.1',
    ]);
  });

  it('are none that the security groups do not surely let through', () => {
    const shut = names(around({ verdict: () => denied }));
    expect(shut).toEqual(['the DHCP request of web-1', 'the ARP request of web-1 for its gateway 10.0.0.1']);
    const noPing = (probe: Probe): Verdict => (probe.protocol === 'icmp' ? denied : allowed);
    expect(names(around({ verdict: noPing }))).toContain('the connection to tcp/443 from web-1 to 198.19.0.1');
    const part: Verdict = { kind: 'depends', on: [], unseenGroups: [], surely: [] };
    expect(names(around({ verdict: () => part }))).toEqual(shut);
  });

  it('go to the floating address from outside, and come back from its own', () => {
    const there = journey(around(), 'the ping from 198.19.0.1 to web-1');
    expect(there?.packet).toMatchObject({ destination: '198.19.0.189', destinationMac: 'fa:16:3e:9c:e9:2b' });
    expect([there?.enters.kind, there?.answer]).toEqual(['outside', false]);
    const back = journey(around(), 'the answer to the ping from web-1 to 198.19.0.1');
    expect(back?.packet).toMatchObject({ source: '10.0.0.148', destinationMac: gateway.mac, icmpType: 0 });
    expect(back?.answer).toBe(true);
  });

  it('come from the nearest neighbour where nothing can come in from outside', () => {
    const inside = names(around({ outside: outside(false) }));
    expect(inside).toContain('the connection to tcp/22 from the metadata port to web-1');
    expect(inside).not.toContain('the connection to tcp/22 from 198.19.0.1 to web-1');
    expect(inside).toContain('the answer to the ping from 198.19.0.1 to web-1');
  });

  it('are those of a pair, both ways, when both ends let them through', () => {
    const peer = { ...end('db-1', '10.0.0.67', 'fa:16:3e:8f:ea:4b', 'q', 'cmp2'), routed: false };
    const both = names(around({ peer })).slice(-4);
    expect(both).toEqual([
      'the ping from web-1 to db-1',
      'the answer to the ping from db-1 to web-1',
      'the ping from db-1 to web-1',
      'the answer to the ping from web-1 to db-1',
    ]);
    const oneWay = names(around({ peer, verdictOfPeer: (p) => (p.direction === 'egress' ? allowed : denied) }));
    expect(oneWay).not.toContain('the ping from web-1 to db-1');
    expect(oneWay).toContain('the ping from db-1 to web-1');
  });

  it('of an instance on a physical network go to the wire of its own host', () => {
    const wire = { kind: 'outside', host: 'cmp1', network: 'net', physical: 'physnet1', vlan: 101 } as const;
    const { metadata: _, ...bare } = around({ gateway: { ...gateway, physical: true }, dhcp: false });
    const known = { address: own.address, mac: own.mac, reachable: true };
    const all = journeysOf({ ...bare, outside: { ...outside(false), place: wire, known } });
    expect(all.map((j) => j.leaves.kind)).toEqual(['outside', 'outside', 'port', 'port', 'outside', 'port', 'outside']);
    expect(all[0]?.name).toBe('the ARP request of web-1 for its gateway 10.0.0.1');
    expect(all.find((j) => j.enters.kind === 'outside')?.enters).toEqual(wire);
  });

  it('of IPv6 need no DHCP and no ARP', () => {
    const six = end('web-1', 'fd00::5', own.mac, 'p');
    const { metadata: _m, outside: _o, ...bare } = around();
    expect(
      names({ ...bare, own: six, family: 6, gateway: { address: 'fd00::1', mac: gateway.mac, physical: false } }),
    ).toEqual([]);
  });
});
