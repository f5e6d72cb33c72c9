import type { WishOption } from '../../src/facts/io.ts';
import { type SyntheticCloud, syntheticHost, usualTraits } from '../support/synthetic-cloud.ts';

/** A request that no host takes, and what must be said of it. */
export interface ScheduleCase {
  readonly says: string;
  readonly code: string;
  readonly names: string;
  readonly cloud: Partial<SyntheticCloud>;
  readonly wish: Partial<WishOption>;
}

const flavor = (name: string, extra: Readonly<Record<string, string>> = {}, ram = 512) => ({
  ...{ name, vcpus: 1, ram, disk: 1, extra },
});
const hosts = (options: Parameters<typeof syntheticHost>[1]) =>
  ['cmp1', 'cmp2'].map((name) => syntheticHost(name, options));
const stray = '00000000-5747-4a11-8000-00000000dead';

export const scheduleCases: readonly ScheduleCase[] = [
  {
    says: 'more memory than any host has',
    code: 'OSD-SCHED-001',
    names: '40000',
    cloud: { flavors: [flavor('huge', {}, 40_000)] },
    wish: { flavor: 'huge' },
  },
  {
    says: 'a trait that is required, and nobody has',
    code: 'OSD-SCHED-002',
    names: 'CUSTOM_GOLD',
    cloud: { flavors: [flavor('gold', { 'trait:CUSTOM_GOLD': 'required' })], hosts: hosts({ traits: usualTraits }) },
    wish: { flavor: 'gold' },
  },
  {
    says: 'hosts that are all disabled',
    code: 'OSD-SCHED-004',
    names: 'maintenance',
    cloud: { hosts: hosts({ disabled: 'maintenance', traits: [...usualTraits, 'COMPUTE_STATUS_DISABLED'] }) },
    wish: {},
  },
  {
    says: 'a zone that nobody has heard of',
    code: 'OSD-SCHED-005',
    names: 'az9',
    cloud: {},
    wish: { zone: 'az9' },
  },
  {
    says: 'capabilities that no hypervisor has',
    code: 'OSD-SCHED-006',
    names: 'ComputeCapabilitiesFilter',
    cloud: { flavors: [flavor('picky', { 'capabilities:hypervisor_type': 'xen' })] },
    wish: { flavor: 'picky' },
  },
  {
    says: 'an image for another hypervisor',
    code: 'OSD-SCHED-007',
    names: 'ImagePropertiesFilter',
    cloud: { images: [{ name: 'hyperv', img_hv_type: 'hyperv', disk_format: 'qcow2', status: 'active' }] },
    wish: { image: 'hyperv' },
  },
  {
    says: 'a group with a member on every host',
    code: 'OSD-SCHED-008',
    names: 'apart',
    cloud: {
      groups: [{ name: 'apart', policy: 'anti-affinity', members: ['one', 'two'] }],
      instances: { one: 'cmp1', two: 'cmp2' },
    },
    wish: { hints: ['group=apart'] },
  },
  {
    says: 'a host that does not exist',
    code: 'OSD-SCHED-009',
    names: 'cmp9',
    cloud: {},
    wish: { host: 'cmp9' },
  },
  {
    says: 'hosts that were never discovered',
    code: 'OSD-SCHED-010',
    names: 'cmp1',
    cloud: { hosts: hosts({ unmapped: true }) },
    wish: {},
  },
  {
    says: 'allocations of nothing on both hosts',
    code: 'OSD-SCHED-011',
    names: stray,
    cloud: { hosts: hosts({ memory: { used: 15_800 }, strays: { [stray]: { MEMORY_MB: 15_800 } } }) },
    wish: {},
  },
  {
    says: 'a physical network that no host maps',
    code: 'OSD-SCHED-014',
    names: 'physnet9',
    cloud: { networks: [{ name: 'far', type: 'vlan', physical: 'physnet9' }] },
    wish: { networks: ['far'] },
  },
  {
    says: 'too much memory, and an image for another hypervisor',
    code: 'OSD-SCHED-016',
    names: 'no single change',
    cloud: {
      flavors: [flavor('huge', {}, 40_000)],
      images: [{ name: 'hyperv', img_hv_type: 'hyperv', disk_format: 'qcow2', status: 'active' }],
    },
    wish: { flavor: 'huge', image: 'hyperv' },
  },
  {
    says: 'forty instances where thirty have room',
    code: 'OSD-SCHED-017',
    names: '40',
    cloud: { flavors: [flavor('half', {}, 1024)] },
    wish: { flavor: 'half', count: 40 },
  },
];

/** Two hosts on which a small request fits, but for what is said otherwise. */
export const cloudOf = ({ cloud }: Pick<ScheduleCase, 'cloud'>): SyntheticCloud => ({
  hosts: hosts({}),
  aggregates: [],
  flavors: [flavor('tiny')],
  ...cloud,
});
export const wishOf = ({ wish }: Pick<ScheduleCase, 'wish'>): WishOption => ({
  flavor: 'tiny',
  networks: [],
  hints: [],
  count: 1,
  ...wish,
});
