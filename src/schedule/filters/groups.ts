import { judged, type Obstacle, passes, unknown } from '../judgement.ts';
import type { Scene } from '../scene.ts';
import type { Filter } from './filter.ts';

const withoutGroup = (scene: Scene): Obstacle['ways'] => {
  const { group } = scene.wish;
  if (group === undefined) return [];
  return [
    [
      {
        kind: 'group',
        on: 'request',
        group: group.name,
        policy: group.policy,
        ...(group.policy.startsWith('soft-') ? {} : { instead: `soft-${group.policy}` }),
      },
    ],
  ];
};

/** nova/scheduler/filters/affinity_filter.py ServerGroupAntiAffinityFilter, with max_server_per_host. */
export const serverGroupAntiAffinityFilter: Filter = {
  title: 'anti-affinity',
  isWhole: true,
  judge: ({ host, instances }, scene) => {
    const { group, instance } = scene.wish;
    if (group?.policy !== 'anti-affinity') return passes;
    if (instance !== undefined && instances?.includes(instance)) return passes;
    const there = group.memberHosts.filter((h) => h === host).length;
    if (there < group.maxPerHost) return passes;
    return judged([
      {
        kind: `group ${group.id}`,
        of: 'group',
        because: `${there} of ${group.name} here`,
        wanted: `fewer than ${group.maxPerHost} of group ${group.name} (anti-affinity)`,
        has: `${there} of its members`,
        ways: withoutGroup(scene),
      },
    ]);
  },
};

/** ServerGroupAffinityFilter: a group without a member yet may start anywhere. */
export const serverGroupAffinityFilter: Filter = {
  title: 'affinity',
  isWhole: true,
  judge: ({ host }, scene) => {
    const { group } = scene.wish;
    if (group?.policy !== 'affinity' || group.memberHosts.length === 0 || group.memberHosts.includes(host))
      return passes;
    const where = [...new Set(group.memberHosts)].sort().join(', ');
    return judged([
      {
        kind: `group ${group.id}`,
        of: 'group',
        because: `${group.name} is on ${where}`,
        wanted: `a host of group ${group.name} (affinity): ${where}`,
        has: 'none of its members',
        ways: withoutGroup(scene),
      },
    ]);
  },
};

/** A hint that names instances, against those of the host. */
const byInstances = (name: 'same_host' | 'different_host', title: string): Filter => ({
  title,
  isWhole: false,
  judge: ({ instances }, scene) => {
    const named = scene.wish.hints[name] ?? [];
    if (named.length === 0) return passes;
    if (instances === undefined)
      return unknown('instances of the host are not known', 'openstack server list --all-projects --host HOST');
    const there = named.filter((id) => instances.includes(id));
    if (there.length > 0 === (name === 'same_host')) return passes;
    const value = named.join(',');
    return judged([
      {
        kind: `hint ${name}`,
        of: 'hint',
        because: name === 'same_host' ? `has none of ${value}` : `has ${there.join(', ')}`,
        wanted: `hint ${name}=${value}`,
        has: name === 'same_host' ? 'none of these instances' : there.join(', '),
        ways: [[{ kind: 'hint', on: 'request', name, value }]],
      },
    ]);
  },
});

/** affinity_filter.py SameHostFilter, DifferentHostFilter. */
export const sameHostFilter: Filter = byInstances('same_host', 'same host');
export const differentHostFilter: Filter = byInstances('different_host', 'other host');

/** affinity_filter.py SimpleCIDRAffinityFilter: by the address of the hypervisor, which only some APIs tell. */
export const simpleCidrAffinityFilter: Filter = {
  title: 'cidr',
  isWhole: false,
  judge: (_host, scene) =>
    (scene.wish.hints.build_near_host_ip ?? []).length === 0
      ? passes
      : unknown('the address that nova-compute reports is not known', 'host_ip in openstack hypervisor show HOST'),
};
