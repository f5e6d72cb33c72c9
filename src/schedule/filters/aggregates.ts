import type { ScheduleChange } from '../../engine/schedule.ts';
import type { Aggregate } from '../estate.ts';
import { judged, type Obstacle, passes, unknown } from '../judgement.ts';
import type { Scene } from '../scene.ts';
import { matches, satisfying } from './extra-specs-ops.ts';
import type { Filter } from './filter.ts';

type Way = readonly [ScheduleChange, ...ScheduleChange[]];

const scope = 'aggregate_instance_extra_specs';

/** aggregate_instance_extra_specs.py: every extra spec without a namespace, or with this filter's own, is one of an aggregate of the host. */
export const aggregateInstanceExtraSpecsFilter: Filter = {
  title: 'extra specs',
  isWhole: true,
  judge: ({ host }, scene) => {
    const specs = Object.entries(scene.wish.flavor.extraSpecs).flatMap(([key, value]) => {
      const at = key.indexOf(':');
      if (at < 0) return [{ key, name: key, value }];
      return key.slice(0, at) === scope ? [{ key, name: key.slice(at + 1), value }] : [];
    });
    if (specs.length === 0) return passes;
    const metadata = scene.metadataOf(host);
    return judged(
      specs.flatMap(({ key, name, value }): Obstacle[] => {
        const values = [...(metadata.get(name) ?? [])];
        if (values.some((v) => matches(v, value))) return [];
        return [
          {
            kind: `aggregate ${name}`,
            of: 'extra-spec',
            because: values.length === 0 ? `no ${name}` : `${name}: ${values.join(', ')}`,
            wanted: `${key}=${value} in an aggregate`,
            has: values.length === 0 ? `no aggregate of it has ${name}` : `${name}=${values.join(', ')}`,
            ways: [
              [{ kind: 'extra-spec', on: 'request', key, value }],
              ...intoMatching(name, value, host, scene),
              ...withProperty(name, value, host, scene),
            ],
          },
        ];
      }),
    );
  },
};

/** Into an aggregate that has what is wanted. */
const intoMatching = (name: string, wanted: string, host: string, scene: Scene): Way[] =>
  scene.estate.aggregates
    .filter(
      (a) => !a.hosts.includes(host) && (a.metadata[name] ?? '').split(',').some((v) => matches(v.trim(), wanted)),
    )
    .slice(0, 2)
    .map((a): Way => [{ kind: 'aggregate-host', on: 'cloud', aggregate: a.name, host }]);

/** What is wanted, into an aggregate that the host is in. */
const withProperty = (name: string, wanted: string, host: string, scene: Scene): Way[] => {
  const value = satisfying(wanted);
  if (value === undefined) return [];
  return scene
    .aggregatesOf(host)
    .slice(0, 2)
    .map((a): Way => [withValue(a, name, value)]);
};

/** One more value of a property, behind those that the aggregate has. */
const withValue = ({ name, metadata }: Aggregate, key: string, value: string): ScheduleChange => ({
  kind: 'aggregate-property',
  on: 'cloud',
  aggregate: name,
  key,
  value: [metadata[key], value].filter(Boolean).join(','),
});

/** What a property keeps a host for, and the aggregate that could keep it for one more. */
function keptBy(
  key: string,
  values: readonly string[],
  joining: string,
  host: string,
  scene: Scene,
): Pick<Obstacle, 'has' | 'ways'> {
  const [aggregate] = scene.aggregatesOf(host).filter((a) => Object.hasOwn(a.metadata, key));
  const has = `${key}=${values.join(',')}`;
  if (aggregate === undefined) return { has, ways: [] };
  return {
    has: `${has} of aggregate ${aggregate.name}`,
    ways: [[withValue(aggregate, key, joining)]],
  };
}

/** aggregate_multitenancy_isolation.py: a host whose aggregates name projects takes those alone. */
export const aggregateMultiTenancyIsolation: Filter = {
  title: 'tenant',
  isWhole: true,
  judge: ({ host }, scene) => {
    const projects = scene.metadataOf(host, 'filter_tenant_id').get('filter_tenant_id');
    if (projects === undefined || projects.size === 0) return passes;
    const { project } = scene.wish;
    if (project === undefined)
      return unknown('the project of the request is not known', 'openstack server show, as an administrator');
    if (projects.has(project)) return passes;
    return judged([
      {
        kind: `tenant ${project}`,
        of: 'aggregate',
        because: 'kept for other projects',
        wanted: `a host for project ${project}`,
        ...keptBy('filter_tenant_id', [...projects], project, host, scene),
      },
    ]);
  },
};

/** type_filter.py AggregateTypeAffinityFilter: aggregates that name flavors (instance_type) take those alone. */
export const aggregateTypeAffinityFilter: Filter = {
  title: 'flavor',
  isWhole: true,
  judge: ({ host }, scene) => {
    const values = scene.valuesOf(host, 'instance_type');
    const { name } = scene.wish.flavor;
    if (values.length === 0 || values.some((v) => v.split(',').some((word) => word.trim() === name))) return passes;
    return judged([
      {
        kind: 'aggregate instance_type',
        of: 'aggregate',
        because: `kept for ${values.join(', ')}`,
        wanted: `flavor ${name}`,
        ...keptBy('instance_type', values, name, host, scene),
      },
    ]);
  },
};
