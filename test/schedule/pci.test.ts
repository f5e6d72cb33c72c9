import { describe, expect, it } from 'vitest';
import type { SysPciDevice } from '../../src/nodes/parse/pci.ts';
import type { ComputeNode } from '../../src/schedule/estate.ts';
import { explain } from '../../src/schedule/explain.ts';
import { aliasesOf, givenDevices, objectsOf } from '../../src/schedule/filters/pci-devices.ts';
import type { Wish } from '../../src/schedule/wish.ts';
import { estateOf, flavor, host, scheduler, wishOf } from './cloud.ts';

const devices: readonly SysPciDevice[] = [
  { address: '0000:81:00.0', vendor: '8086', product: '1572', type: 'type-PF', interface: 'ens1' },
  {
    address: '0000:81:02.0',
    vendor: '8086',
    product: '154c',
    type: 'type-VF',
    parent: '0000:81:00.0',
    interface: 'ens1',
  },
  {
    address: '0000:81:02.1',
    vendor: '8086',
    product: '154c',
    type: 'type-VF',
    parent: '0000:81:00.0',
    interface: 'ens1',
  },
  { address: '0000:3b:00.0', vendor: '10de', product: '1eb8', type: 'type-PCI' },
];
const node = (spec?: string): ComputeNode => ({
  devices,
  options: new Map(spec === undefined ? [] : [['pci.device_spec', spec]]),
  where: '/etc/nova/nova.conf on cmp1',
});
const addresses = (spec: string): readonly string[] => givenDevices(node(spec)).map((d) => d.address);

describe('the devices that a compute node gives', () => {
  it('are those that any specification names, by ids, address, or interface of the physical function', () => {
    expect(addresses('{"vendor_id": "10de", "product_id": "1eb8"}')).toEqual(['0000:3b:00.0']);
    expect(addresses('{"address": "*:81:02.*"}')).toEqual(['0000:81:02.0', '0000:81:02.1']);
    expect(addresses('{"address": "0000:81:00.0"}')).toEqual(['0000:81:00.0', '0000:81:02.0', '0000:81:02.1']);
    expect(addresses('{"address": {"bus": "81", "slot": "0[2-3]"}}')).toEqual(['0000:81:02.0', '0000:81:02.1']);
    expect(addresses('{"devname": "ens1", "physical_network": "physnet1"}')).toHaveLength(3);
    expect(addresses('[{"vendor_id": "10de"}, {"product_id": "154c"}]')).toHaveLength(3);
  });

  it('are read from an option that comes more than once and goes on over lines', () => {
    expect(objectsOf('{"a": "1"}\n{"b":\n"2"}\n[{"c": "3"}]')).toEqual([{ a: '1' }, { b: '2' }, { c: '3' }]);
    expect(objectsOf(undefined)).toEqual([]);
    expect([
      ...aliasesOf(new Map([['pci.alias', '{"name": "t4", "vendor_id": "10de", "device_type": "type-PCI"}']])),
    ]).toEqual([['t4', [{ vendor_id: '10de', dev_type: 'type-pci' }]]]);
  });
});

describe('a request for a PCI device', () => {
  const alias = '{"name": "t4", "vendor_id": "10de", "product_id": "1eb8"}';
  const settings = scheduler({
    from: 'configuration',
    enabledFilters: ['ComputeFilter', 'PciPassthroughFilter'],
    options: new Map([['pci.alias', alias]]),
  });
  const verdictOf = (wish: Wish, own?: ComputeNode, type = 'QEMU') => {
    const cmp1 = host('cmp1', { facts: { instances: [], hypervisor: { type } } });
    const estate = { ...estateOf([cmp1]), scheduler: settings };
    const schedule = explain(wish, own === undefined ? estate : { ...estate, nodes: new Map([['cmp1', own]]) }, []);
    return schedule.rows[0]?.verdicts[schedule.columns.findIndex((c) => c.id === 'PciPassthroughFilter')];
  };
  const asking = (value: string): Wish =>
    wishOf({ flavor: flavor({ extraSpecs: { 'pci_passthrough:alias': value } }) });

  it('is rejected where no device is given, where too few are, and where nobody knows the alias', () => {
    expect(verdictOf(asking('t4:1'), node())).toMatchObject({
      state: 'rejects',
      of: 'device',
      because: 'no PCI devices',
      has: '[pci]device_spec is not set in /etc/nova/nova.conf on cmp1',
    });
    expect(verdictOf(asking('t4:2'), node('{"vendor_id": "10de"}'))).toMatchObject({ because: '2 > 1 PCI devices' });
    expect(verdictOf(asking('a100:1'), node('{"vendor_id": "10de"}'))).toMatchObject({ because: 'no PCI alias a100' });
    expect(verdictOf(asking('t4:1'), undefined, 'VMware vCenter Server')).toMatchObject({ because: 'no PCI devices' });
  });

  it('passes where enough are given on a host without instances, and is open where it has some', () => {
    expect(verdictOf(asking('t4:1'), node('{"vendor_id": "10de"}'))).toMatchObject({ state: 'passes' });
    expect(verdictOf(asking('t4:1'))).toMatchObject({ state: 'unknown' });
  });

  it('of a port wants a virtual function on its physical network', () => {
    const port = {
      network: 'n',
      networkName: 'public',
      vnicType: 'direct',
      segments: [{ type: 'vlan', physicalNetwork: 'physnet1' }],
    };
    const wish = wishOf({ ports: [port] });
    expect(verdictOf(wish, node('{"devname": "ens1", "physical_network": "physnet1"}'))).toMatchObject({
      state: 'passes',
    });
    expect(verdictOf(wish, node('{"devname": "ens1", "physical_network": "physnet2"}'))).toMatchObject({
      because: '1 > 0 PCI devices',
    });
    // A physical function is no virtual one.
    expect(verdictOf(wish, node('{"product_id": "1572", "physical_network": "physnet1"}'))).toMatchObject({
      because: '1 > 0 PCI devices',
    });
  });

  it('that only the log tells of is rejected where no device is given', () => {
    expect(verdictOf(wishOf({ deviceHidden: true }), node())).toMatchObject({ because: 'no PCI devices' });
    expect(verdictOf(wishOf({ deviceHidden: true }), node('{"vendor_id": "10de"}'))).toMatchObject({
      state: 'unknown',
    });
    expect(verdictOf(wishOf(), node())).toMatchObject({ state: 'passes' });
  });
});
