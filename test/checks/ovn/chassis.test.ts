import { describe, expect, it } from 'vitest';
import chassis from '../../../src/checks/ovn/chassis.ts';
import type { FactResult } from '../../../src/engine/fact.ts';
import type { InterfaceAddress } from '../../../src/nodes/parse/addresses.ts';
import type { OvsState } from '../../../src/nodes/parse/ovsdb.ts';
import {
  codes,
  ends,
  findings,
  hosts,
  judge,
  mending,
  onHosts,
  portId,
  registeredAs,
  row,
  told,
  view,
  viewed,
} from './stub.ts';

const held = (address: string): readonly InterfaceAddress[] => [
  { dev: 'br-phy', family: 4, address, prefix: 24, scope: 'global' } as InterfaceAddress,
];

const device = (
  name: string,
  type = '',
  ids: readonly [string, string][] = [],
  options: readonly [string, string][] = [],
) => ({
  name,
  type,
  externalIds: new Map(ids),
  options: new Map(options),
  statistics: new Map<string, number>(),
});
const bridge = (name: string, ...devices: ReturnType<typeof device>[]) => ({
  name,
  datapathType: 'netdev',
  ports: devices.map((d) => ({ name: d.name, trunks: [], otherConfig: new Map(), interfaces: [d] })),
});
const compute: OvsState = { bridges: [bridge('br-int', device('tap608a92c3-83', '', [['iface-id', portId]]))] };
const toOvn = device('patch-provnet-to-br-int', 'patch', [], [['peer', 'patch-br-int-to-provnet']]);
const gateway = (...outside: ReturnType<typeof device>[]): OvsState => ({
  bridges: [bridge('br-ex', device('br-ex', 'internal'), toOvn, ...outside), bridge('br-int')],
});

const judged = (more: Readonly<Record<string, FactResult<unknown>>> = {}) =>
  judge(chassis, {
    'port.ovn.hosts': told(hosts),
    'port.ovn.registered': told(registeredAs(row('cmp1'), row('net1'), row('cmp2'))),
    'port.ovn.ovn.chassis-view': viewed(view('cmp1'), view('net1')),
    'port.ovn.host.addresses': onHosts({ cmp1: told(held(ends.cmp1)), net1: told(held(ends.net1)) }),
    'port.ovn.host.ovs': onHosts({ cmp1: told(compute), net1: told(gateway(device('eth2'))) }),
    'port.provider-networks': told({ own: undefined, outside: new Map([['r1', 'physnet1']]) }),
    'port.ovn.south-host': told('ctl'),
    ...more,
  });

describe('a chassis', () => {
  it('is well when it is registered as its host is', async () => {
    expect((await judged()).status).toBe('ok');
  });

  it('that is not registered is told', async () => {
    expect(codes(await judged({ 'port.ovn.registered': told(registeredAs(row('net1'))) }))).toEqual(['OSD-OVN-012']);
  });

  it('that cannot register because another holds its address names that one', async () => {
    const old = row('cmp2', { name: 'old-cmp1', hostname: '', encaps: row('cmp1').encaps });
    const outcome = await judged({ 'port.ovn.registered': told(registeredAs(old, row('net1'))) });
    expect(codes(outcome)).toEqual(['OSD-OVN-012']);
    expect(mending(outcome)[0]).toBe('ovn-sbctl chassis-del old-cmp1');
  });

  it('under another name than its host is told, with the name that Nova uses', async () => {
    const named = registeredAs(row('cmp1', { hostname: 'cmp1.example.org' }), row('net1'));
    const outcome = await judged({ 'port.ovn.registered': told(named) });
    expect(codes(outcome)).toEqual(['OSD-OVN-013']);
    expect(mending(outcome)).toEqual(['ovs-vsctl set open_vswitch . external_ids:hostname=cmp1']);
  });

  it('that left an old row behind is told', async () => {
    const left = row('cmp1', { name: 'deadbeef', encaps: [{ type: 'geneve', ip: '198.18.1.77', options: new Map() }] });
    const outcome = await judged({ 'port.ovn.registered': told(registeredAs(row('cmp1'), row('net1'), left)) });
    expect(codes(outcome)).toEqual(['OSD-OVN-022']);
    expect(mending(outcome)).toEqual(['ovn-sbctl chassis-del deadbeef']);
  });

  it('with a tunnel address that its host lacks is given the one it has', async () => {
    const outcome = await judged({
      'port.ovn.ovn.chassis-view': viewed(view('cmp1', { encapIps: ['198.18.1.99'] }), view('net1')),
    });
    expect(codes(outcome)).toEqual(['OSD-OVN-014']);
    expect(mending(outcome)).toEqual(['ovs-vsctl set open_vswitch . external_ids:ovn-encap-ip=198.18.1.31']);
  });

  it('with another encapsulation than all others is the one to be changed', async () => {
    const odd = row('cmp1', { encaps: [{ type: 'vxlan', ip: ends.cmp1, options: new Map() }] });
    const outcome = await judged({ 'port.ovn.registered': told(registeredAs(odd, row('net1'), row('cmp2'))) });
    expect(codes(outcome)).toEqual(['OSD-OVN-014']);
    expect(mending(outcome)).toEqual(['ovs-vsctl set open_vswitch . external_ids:ovn-encap-type=geneve']);
  });

  it('in a transport zone of its own is the one to be changed', async () => {
    const odd = row('cmp1', { transportZones: ['zone-a'] });
    const outcome = await judged({ 'port.ovn.registered': told(registeredAs(odd, row('net1'), row('cmp2'))) });
    expect(codes(outcome)).toEqual(['OSD-OVN-017']);
    expect(mending(outcome)).toEqual(['ovs-vsctl remove open_vswitch . external_ids ovn-transport-zones']);
  });

  it('that maps a network to a bridge that does not exist is given the one that does', async () => {
    const outcome = await judged({
      'port.ovn.ovn.chassis-view': viewed(
        view('cmp1'),
        view('net1', { bridgeMappings: new Map([['physnet1', 'br-extern']]) }),
      ),
    });
    expect(codes(outcome)).toEqual(['OSD-OVN-015']);
    expect(mending(outcome)).toEqual(['ovs-vsctl set open_vswitch . external_ids:ovn-bridge-mappings=physnet1:br-ex']);
  });

  it('whose provider bridge has no port to the outside is told', async () => {
    const outcome = await judged({
      'port.ovn.host.ovs': onHosts({ cmp1: told(compute), net1: told(gateway()) }),
    });
    expect(findings(outcome)[0]?.summary).toContain(
      'br-ex of net1, the bridge of physnet1, has no port to the outside',
    );
  });

  it('that works on another bridge than the instance is in is told', async () => {
    const outcome = await judged({
      'port.ovn.ovn.chassis-view': viewed(view('cmp1', { integrationBridge: 'br-ovn' }), view('net1')),
    });
    expect(codes(outcome)).toEqual(['OSD-OVN-016']);
    expect(mending(outcome)).toEqual(['ovs-vsctl set open_vswitch . external_ids:ovn-bridge=br-int']);
  });
});
