import { describe, expect, test } from 'vitest';
import { type OfprotoTrace, parseOfprotoTrace } from '../../../src/nodes/parse/ofproto-trace.ts';
import { expectNeverThrows, fixture, understood } from './fixtures.ts';

const names = ['request', 'answer', 'denied', 'spoofed'];
const text = (name: string): string => fixture('ovs-appctl', `ofproto-trace-${name}.txt`);
const traced = (name: string): OfprotoTrace => understood(parseOfprotoTrace(text(name)));
/** The last line of datapath actions, as it would be for another outcome. */
const ending = (actions: string): OfprotoTrace =>
  understood(parseOfprotoTrace(text('spoofed').replace('Datapath actions: drop', `Datapath actions: ${actions}`)));

describe('what Open vSwitch says that it does with a packet', () => {
  test('it lets a ping out to the instance, behind connection tracking', () => {
    expect(traced('request')).toMatchObject({ delivers: true, actions: 'ct(commit,zone=2),6' });
  });

  test('it lets the answer out, by tunnels of the userspace datapath', () => {
    expect(traced('answer').delivers).toBe(true);
    expect(traced('answer').actions).toMatch(/^push_vlan\(vid=2,pcp=0\),3,pop_vlan,clone\(tnl_push\(/);
  });

  test('it drops what no rule of a group lets in, where the tracked packet is resumed', () => {
    const { delivers, actions, flows } = traced('denied');
    expect({ delivers, actions }).toEqual({ delivers: false, actions: 'drop' });
    expect(flows.at(-1)).toMatchObject({ bridge: 'br-int', table: 93, match: 'priority 0' });
  });

  test('it drops what an instance sends in the name of another', () => {
    expect(traced('spoofed')).toMatchObject({ delivers: false, actions: 'drop' });
    expect(traced('spoofed').flows.slice(-2)).toMatchObject([
      { bridge: 'br-int', table: 71, match: 'reg5=0x8,in_port=8, priority 10' },
      { bridge: 'br-int', table: 93, match: 'priority 0' },
    ]);
  });

  test('flows are told in the order in which they were met, each in its own bridge, without their cookies', () => {
    expect(traced('request').flows.map(({ bridge, table }) => `${bridge} ${table}`)).toEqual([
      ...['br-tun 0', 'br-tun 4', 'br-tun 10'],
      ...['br-int 0', 'br-int 59', 'br-int 60', 'br-int 81', 'br-int 82', 'br-int 92'],
    ]);
    for (const { match } of names.flatMap((name) => traced(name).flows)) expect(match).not.toMatch(/cookie|,$/);
  });

  test('a bridge without cookies has its flows too', () => {
    expect(traced('answer').flows).toContainEqual({
      bridge: 'br-phy',
      table: 0,
      match: 'priority 0',
      priority: 0,
      outputs: ['4'],
    });
  });

  test.each([
    ['drop', false],
    ['', false],
    ['ct(commit,zone=2),recirc(0x3)', false],
    ['userspace(pid=4294962063,slow_path(controller))', false],
    ['clone(ct(commit,zone=2),recirc(0x3))', false],
    ['7', true],
    ['push_vlan(vid=2,pcp=0),3', true],
    ['set(tunnel(tun_id=0xcd,dst=198.18.1.20,ttl=64,tp_dst=4789,flags(df|key))),4', true],
    ['clone(ct(commit),7),recirc(0x3)', true],
    ['lb_output(1)', true],
  ])('of %s it is told whether anything comes out', (actions, delivers) => {
    expect(ending(actions).delivers).toBe(delivers);
  });

  const push = (far: string): string =>
    `tnl_push(tnl_port(2),header(size=50,type=4,eth(dst=02:43:24:71:ae:5f,src=02:44:ab:21:3c:e5,dl_type=0x0800),ipv4(src=198.18.1.31,dst=${far},proto=17,tos=0,ttl=64,frag=0x4000),udp(src=0,dst=4789,csum=0x0),vxlan(flags=0x8000000,vni=0x184)),out_port(5)),4`;

  test.each([
    ['7', 1, []],
    ['push_vlan(vid=2,pcp=0),3,pop_vlan,7', 2, []],
    [push('198.18.1.20'), 1, ['198.18.1.20']],
    [
      `clone(${push('198.18.1.20')}),clone(${push('198.18.1.32')}),push_vlan(vid=2,pcp=0),1`,
      3,
      ['198.18.1.20', '198.18.1.32'],
    ],
    ['set(tunnel(tun_id=0xcd,src=198.18.1.31,dst=198.18.1.20,ttl=64,tp_dst=4789,flags(df|key))),4', 1, ['198.18.1.20']],
    ['set(tunnel(tun_id=0xcd,ipv6_src=fd09::1,ipv6_dst=fd09::2,ttl=64,flags(df|key))),4', 1, ['fd09::2']],
  ])('of %s it is told how many copies come out, and into which tunnels', (actions, copies, tunnels) => {
    expect(ending(actions)).toMatchObject({ copies, tunnels });
  });

  test('on OVN it is told which tunnel a packet goes into, and how it looks by then', () => {
    const [departure, ...more] = traced('ovn-out').departures;
    expect(more).toEqual([]);
    expect(departure?.tunnel).toEqual({
      source: '198.18.1.31',
      destination: '198.18.1.20',
      key: 3,
      option: '0x30002',
    });
    expect(Object.fromEntries(departure?.header ?? [])).toMatchObject({
      icmp: '',
      dl_src: 'fa:16:3e:9c:e9:2b',
      dl_dst: '02:78:94:1c:81:99',
      nw_dst: '198.19.0.1',
      nw_ttl: '63',
    });
  });

  test('of a floating address the packet is told as it is behind the translation', () => {
    const header = traced('ovn-floating').departures[0]?.header;
    expect([header?.get('nw_dst'), header?.get('dl_dst')]).toEqual(['10.0.0.148', 'fa:16:3e:28:ae:76']);
  });

  test('the kernel is told the tunnel before the port', () => {
    const kernel = ending(
      'set(tunnel(tun_id=0x3,dst=198.18.1.20,ttl=64,tp_dst=6081,geneve({class=0x102,type=0x80,len=4,0x30002}),flags(df|csum|key))),set(eth(src=fa:16:3e:00:00:01)),4',
    );
    expect(kernel.departures[0]?.tunnel).toEqual({ destination: '198.18.1.20', key: 3, option: '0x30002' });
    expect(kernel.departures[0]?.header.get('dl_src')).toBe('fa:16:3e:00:00:01');
  });

  test('a flow that puts the packet out says by which port, one that asks the controller with which words', () => {
    const arp = traced('ovn-arp').flows.at(-1);
    expect(arp).toMatchObject({ bridge: 'br-int', table: 65, priority: 100, cookie: '0x625d4f7d', outputs: ['3'] });
    const dhcp = traced('ovn-dhcp').flows.at(-1);
    expect(dhcp?.punts).toMatch(/^00\.00\.00\.02\./);
  });

  test('behind the bridge of a tunnel the packet is in its own bridge again', () => {
    const { flows } = traced('ovn-out');
    expect(flows.slice(-3).map(({ bridge, table }) => `${bridge} ${table}`)).toEqual([
      'br-int 39',
      'br-phy 0',
      'br-int 40',
    ]);
  });

  test('anything else is not understood', () => {
    for (const said of ['', 'ovs-appctl: ovs-vswitchd: server returned an error\n', 'no bridge named br-x\n']) {
      expect(parseOfprotoTrace(said).ok).toBe(false);
    }
    expect(ending(`${'clone('.repeat(20_000)}7${')'.repeat(20_000)}`).delivers).toBe(false);
    expectNeverThrows(parseOfprotoTrace, names.map(text));
  });
});
