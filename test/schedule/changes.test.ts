import { describe, expect, it } from 'vitest';
import type { ScheduleChange } from '../../src/engine/schedule.ts';
import { commandsFor, wordsOf } from '../../src/schedule/changes.ts';

const subject = { flavor: 'm1.gpu', image: 'cirros' };
const typed = (change: ScheduleChange): string[] => commandsFor(change, subject).map((argv) => argv.join(' '));

describe('a change', () => {
  it('of the request is told by what would be asked instead', () => {
    const resource = { kind: 'resource', on: 'request', resource: 'MEMORY_MB', asked: 40_000, atMost: 10_010 } as const;
    expect(wordsOf(resource)).toBe('memory ≤ 10010 MB');
    expect(wordsOf({ ...resource, resource: 'VCPU', atMost: 4 })).toBe('vcpus ≤ 4');
    expect(typed(resource)).toEqual([]);
    const spec = { kind: 'extra-spec', on: 'request', key: 'resources:VGPU', value: '4' } as const;
    expect(wordsOf(spec)).toBe('without resources:VGPU=4');
    expect(typed(spec)).toEqual(['openstack flavor unset m1.gpu --property resources:VGPU']);
    const less = { ...spec, instead: { key: 'resources:VGPU', value: '2' } };
    expect(wordsOf(less)).toBe('resources:VGPU ≤ 2');
    expect(typed(less)).toEqual(['openstack flavor set m1.gpu --property resources:VGPU=2']);
    const property = { kind: 'image-property', on: 'request', key: 'hw_architecture', value: 'ia64' } as const;
    expect(wordsOf(property)).toBe('image without hw_architecture=ia64');
    expect(typed(property)).toEqual(['openstack image unset --property hw_architecture cirros']);
  });

  it('of the cloud is told by the command that makes it', () => {
    expect(typed({ kind: 'service-enabled', on: 'cloud', host: 'cmp1' })).toEqual([
      'openstack compute service set --enable cmp1 nova-compute',
    ]);
    expect(typed({ kind: 'allocation', on: 'cloud', consumer: 'c-1', providers: ['p'] })).toEqual([
      'openstack resource provider allocation delete c-1',
    ]);
    expect(typed({ kind: 'discover', on: 'cloud', host: 'cmp1' })[0]).toMatch(/^nova-manage cell_v2 discover_hosts/);
    expect(typed({ kind: 'aggregate-host', on: 'cloud', aggregate: 'ssd', host: 'cmp1' })).toEqual([
      'openstack aggregate add host ssd cmp1',
    ]);
    expect(typed({ kind: 'aggregate-host', on: 'cloud', aggregate: 'ssd', host: 'cmp1', mirror: true })).toEqual([
      'nova-manage placement sync_aggregates',
    ]);
    expect(
      typed({
        kind: 'inventory',
        on: 'cloud',
        host: 'cmp1',
        provider: 'rp-1',
        resource: 'VCPU',
        field: 'allocation_ratio',
        from: 1,
        to: 4,
      }),
    ).toEqual(['openstack resource provider inventory set rp-1 --amend --resource VCPU:allocation_ratio=4']);
    expect(
      typed({ kind: 'aggregate-property', on: 'cloud', aggregate: 'gpu', key: 'trait:CUSTOM_GPU', value: '' }),
    ).toEqual(['openstack aggregate unset --property trait:CUSTOM_GPU gpu']);
  });

  it('never sets the traits of a provider, for that would take its others away', () => {
    const trait = {
      kind: 'trait',
      on: 'cloud',
      host: 'cmp1',
      provider: 'rp-1',
      trait: 'CUSTOM_GPU',
      present: true,
    } as const;
    expect(typed(trait)).toEqual([]);
    expect(wordsOf(trait)).toBe('cmp1 with trait CUSTOM_GPU');
  });
});
