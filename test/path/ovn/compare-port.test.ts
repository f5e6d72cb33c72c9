import { describe, expect, it } from 'vitest';
import { compareBinding, compareClaimants, compareInterface, comparePort } from '../../../src/path/ovn/compare-port.ts';
import type { PortBinding, SwitchPort } from '../../../src/path/ovn/model.ts';
import { api, host, name, south, view } from '../../support/ovn-ordered.ts';

const kinds = (differences: readonly { readonly kind: string }[]): string[] => differences.map((d) => d.kind);
const lsp = view.port as SwitchPort;
const withPort = (changed: Partial<SwitchPort>) => ({ ...view, port: { ...lsp, ...changed } });
const compare = (changed: Partial<SwitchPort>, port = api.port) =>
  comparePort(port, name, api.subnets, withPort(changed));

describe('a logical switch port against what Neutron ordered', () => {
  it('is the same where Neutron made it', () => {
    expect(comparePort(api.port, name, api.subnets, view)).toEqual([]);
    expect(compareBinding(api.port, name, host, view, south)).toEqual([]);
  });

  it('is made again whole, with its groups and its DHCP options, where the row is gone', () => {
    const [missing] = comparePort(api.port, name, api.subnets, { ...view, port: undefined });
    expect(missing?.kind).toBe('port-missing');
    const [mend] = missing?.mends ?? [];
    const words = mend?.by === 'ovn-nbctl' ? mend.argv.join(' ') : '';
    expect(words).toContain(`addresses=${JSON.stringify(lsp.addresses[0])}`);
    expect(words).toContain(`dhcpv4_options=${lsp.dhcpv4}`);
    expect(words).toContain('add Port_Group neutron_pg_drop ports @port');
    expect(words).toContain('external_ids:neutron\\:cidrs="10.33.0.154/24"');
  });

  it.each<[string, Partial<SwitchPort>]>([
    ['addresses', { addresses: ['fa:16:3e:00:00:99 10.33.0.154'] }],
    ['port_security', { portSecurity: [`${api.port.mac_address} 10.33.0.7`] }],
    ['enabled', { enabled: false }],
    ['type', { type: 'localport' }],
    ['options:requested-chassis', { options: new Map([['requested-chassis', 'cmp2']]) }],
    ['parent_name', { parentName: 'somebody' }],
    ['options:qos_max_rate', { options: new Map([...lsp.options, ['qos_max_rate', '1000']]) }],
  ])('differs in %s', (column, changed) => {
    const found = compare(changed);
    expect(kinds(found)).toEqual(['port-differs']);
    expect(found[0]?.summary).toContain(column);
    expect(found[0]?.mends).toHaveLength(1);
  });

  it('does not mind order, case and spelling of addresses', () => {
    const two = { ...api.port, fixed_ips: [...api.port.fixed_ips, { subnet_id: 'x', ip_address: 'fd00::0:5' }] };
    const addresses = [`${api.port.mac_address.toUpperCase()} fd00::5 10.33.0.154`];
    expect(compare({ addresses, portSecurity: addresses }, two)).toEqual([]);
  });

  it('knows that pairs of another MAC are entries of their own, and that unknown stands for no port security', () => {
    const pair = { ip_address: '10.33.0.77', mac_address: 'fa:16:3e:00:00:01' };
    const paired = { ...api.port, allowed_address_pairs: [pair] };
    const entries = {
      addresses: [...lsp.addresses, pair.mac_address],
      portSecurity: [...lsp.portSecurity, `${pair.mac_address} ${pair.ip_address}`],
    };
    expect(compare(entries, paired)).toEqual([]);
    expect(kinds(compare({}, paired))).toEqual(['port-differs', 'port-differs']);
    const open = { ...api.port, port_security_enabled: false, security_groups: [] };
    expect(compare({ addresses: ['unknown'], portSecurity: [] }, open)).toEqual([]);
    expect(kinds(compare({ portSecurity: [] }, open))).toEqual(['port-differs']);
  });
});

describe('the binding of a port', () => {
  const binding = south.bindings.get(api.port.id) as PortBinding;
  const withBinding = (changed: Partial<PortBinding>) => ({
    ...south,
    bindings: new Map([...south.bindings, [api.port.id, { ...binding, ...changed }]]),
  });
  const { chassis: _chassis, ...unclaimed } = binding;

  it('is not carried over where the Southbound has no row, or other columns', () => {
    const none = { ...south, bindings: new Map() };
    expect(kinds(compareBinding(api.port, name, host, view, none))).toEqual(['not-carried-over']);
    const other = withBinding({ mac: ['fa:16:3e:00:00:99 10.33.0.154'] });
    expect(kinds(compareBinding(api.port, name, host, view, other))).toEqual(['not-carried-over']);
  });

  it('is told where no chassis, another one, or none of that name has it', () => {
    const nobody = { ...south, bindings: new Map([...south.bindings, [api.port.id, unclaimed]]) };
    const elsewhere = withBinding({ chassis: south.chassis.find((c) => c.hostname === 'cmp2')?.uuid ?? '' });
    for (const seen of [nobody, elsewhere]) {
      expect(kinds(compareBinding(api.port, name, host, view, seen))).toEqual(['not-bound']);
    }
    expect(kinds(compareBinding(api.port, name, 'cmp9', view, south))).toEqual(['not-bound']);
  });
});

describe('the device of a port', () => {
  const tap = 'tapdd8c8e88-3a';
  const device = (ids: Record<string, string>, called = tap) => ({
    name: called,
    externalIds: new Map(Object.entries(ids)),
  });
  const ok = { 'iface-id': api.port.id, 'attached-mac': api.port.mac_address, 'iface-status': 'active' };

  it('says which port it is, once', () => {
    expect(compareInterface(api.port, name, host, tap, [device(ok)])).toEqual([]);
    expect(kinds(compareInterface(api.port, name, host, tap, [device({ ...ok, 'iface-id': 'x' })]))).toEqual([
      'interface-wrong',
    ]);
    expect(kinds(compareInterface(api.port, name, host, tap, [device({})]))).toEqual(['interface-wrong']);
    expect(kinds(compareInterface(api.port, name, host, tap, [device(ok), device(ok, 'thief')]))).toEqual([
      'interface-twice',
    ]);
  });

  it('is on its host alone, unless the port migrates', () => {
    const seen = [{ at: 'cmp2', interfaces: [device(ok, 'thief')] }];
    expect(kinds(compareClaimants(api.port, name, host, seen))).toEqual(['interface-twice']);
    const migrating = { ...api.port, 'binding:profile': { migrating_to: 'cmp2' } };
    expect(compareClaimants(migrating, name, host, seen)).toEqual([]);
  });
});
