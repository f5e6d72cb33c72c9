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
    expect(flows.at(-1)).toEqual({ bridge: 'br-int', table: 93, match: 'priority 0' });
  });

  test('it drops what an instance sends in the name of another', () => {
    expect(traced('spoofed')).toMatchObject({ delivers: false, actions: 'drop' });
    expect(traced('spoofed').flows.slice(-2)).toEqual([
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
    expect(traced('answer').flows).toContainEqual({ bridge: 'br-phy', table: 0, match: 'priority 0' });
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

  test('anything else is not understood', () => {
    for (const said of ['', 'ovs-appctl: ovs-vswitchd: server returned an error\n', 'no bridge named br-x\n']) {
      expect(parseOfprotoTrace(said).ok).toBe(false);
    }
    expect(ending(`${'clone('.repeat(20_000)}7${')'.repeat(20_000)}`).delivers).toBe(false);
    expectNeverThrows(parseOfprotoTrace, names.map(text));
  });
});
