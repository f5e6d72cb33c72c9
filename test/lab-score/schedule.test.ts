import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cases } from '../lab/schedule/cases.ts';
import type { Recorded } from '../lab/schedule/record.ts';
import { type Truth, truthOf } from '../lab/schedule/truth.ts';

const fixtures = fileURLToPath(new URL('../fixtures/schedule/', import.meta.url));

const text = (name: string, file: string): string => {
  const path = `${fixtures}${name}/${file}`;
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};

function recorded(name: string): Recorded {
  const json = (file: string) => JSON.parse(text(name, file) || 'null');
  const { status, body } = json('answer.json');
  const servers = json('servers.json')?.servers ?? [];
  return {
    made: {
      flavor: json('flavor.json').flavor.id,
      image: json('image.json').id,
      body: json('request.json'),
      status,
      answer: body,
      request: json('action.json')?.instanceAction.request_id,
      servers: servers.map((s: { id: string }) => s.id),
    },
    servers,
    services: json('os-services.json'),
    hypervisors: json('hypervisors.json'),
    aggregates: json('aggregates.json'),
    providers: json('providers.json').resource_providers,
    queries: json('allocation-candidates.json') ?? [],
    scheduler: text(name, 'nova-scheduler.log'),
    conductor: text(name, 'nova-conductor.log'),
    compute: Object.fromEntries(
      readdirSync(`${fixtures}${name}`).flatMap((file) => {
        const host = /^nova-compute-(.*)\.log$/.exec(file)?.[1];
        return host === undefined ? [] : [[host, text(name, file)]];
      }),
    ),
  };
}

const recordedCases = cases.filter(({ name }) => existsSync(`${fixtures}${name}`));
const truth = (name: string): Truth => truthOf(recorded(name));
const stopsOf = (name: string) =>
  Object.fromEntries(Object.entries(truth(name).hosts).map(([host, { stop }]) => [host, stop ?? '']));

describe("what Nova's own logs tell of a request that it could not place", () => {
  it.each(recordedCases)('$name: whether its API refused it, or the build failed', ({ name, refused }) => {
    expect(truth(name).outcome).toBe(refused ? 'refused' : 'failed');
  });

  // With `forced-unknown` Nova ends before it asks Placement; of `count` there are hosts, only not enough.
  const told = recordedCases.filter((c) => c.refused !== true && !['forced-unknown', 'count'].includes(c.name));
  it.each(told)('$name: the step at which no host is left', ({ name, step }) => {
    expect(truth(name).narrowest).toBe(step);
  });

  it.each(told)('$name: no host is left that it has not said where it was dropped, or tried', ({ name }) => {
    const { hosts, narrowest } = truth(name);
    const left = Object.values(hosts).filter(({ stop }) => stop === undefined);
    expect(left.length === 0 || narrowest === 'build' || narrowest === 'network').toBe(true);
    for (const { stop, passed } of Object.values(hosts)) expect(passed).not.toContain(stop);
  });
});

describe('where Nova dropped each host', () => {
  const others = { cmp1: 'placement', cmp2: 'placement', 'sched-f2': 'placement' };

  it('is Placement for all that are no candidates', () => {
    expect(stopsOf('ram')).toEqual({ ...others, 'sched-f1': 'placement', 'sched-c2': 'placement' });
    expect(truth('ram').hosts.cmp1?.passed).toEqual([]);
  });

  it('is the filter that left it out, though another filter then left none', () => {
    expect(stopsOf('no-namespace-attribute')).toEqual({
      cmp1: 'AggregateInstanceExtraSpecsFilter',
      cmp2: 'AggregateInstanceExtraSpecsFilter',
      'sched-f1': 'ComputeCapabilitiesFilter',
      'sched-f2': 'AggregateInstanceExtraSpecsFilter',
      'sched-c2': 'AggregateInstanceExtraSpecsFilter',
    });
  });

  it('has the steps before it, in the order in which Nova took them', () => {
    expect(truth('anti-affinity').hosts['sched-f1']?.passed).toEqual([
      'placement',
      'cell',
      'ComputeFilter',
      'AvailabilityZoneFilter',
      'AggregateMultiTenancyIsolation',
      'AggregateInstanceExtraSpecsFilter',
      'ComputeCapabilitiesFilter',
      'ImagePropertiesFilter',
      'AggregateImagePropertiesIsolation',
    ]);
  });

  it('is told of filters that left some, by those that were left at the end', () => {
    expect(stopsOf('late-architecture')).toEqual({
      cmp1: 'build',
      cmp2: 'build',
      'sched-f1': 'ImagePropertiesFilter',
      'sched-f2': 'ImagePropertiesFilter',
      'sched-c2': 'ImagePropertiesFilter',
    });
  });

  it('is the cell of a host that is mapped to none, or whose cell the scheduler left out', () => {
    expect(stopsOf('not-discovered')).toEqual({ ...others, 'sched-f1': 'cell', 'sched-c2': 'placement' });
    expect(stopsOf('cell-down')).toEqual({ ...others, 'sched-f1': 'placement', 'sched-c2': 'cell' });
  });

  it('is the network, not the build, where it was the network that failed', () => {
    expect(stopsOf('binding')).toMatchObject({ cmp1: 'network', cmp2: 'placement' });
    expect(stopsOf('no-address')).toMatchObject({ cmp1: '', cmp2: 'network' });
    expect(stopsOf('late-libvirt')).toMatchObject({ cmp1: 'build', cmp2: 'build' });
  });

  it('is nowhere for a host that could have taken some of several', () => {
    expect(truth('count').narrowest).toBeUndefined();
    expect(stopsOf('count')).toEqual({ ...others, 'sched-f1': '', 'sched-c2': '' });
  });

  it('is not told where the API refused', () => {
    expect(truth('zone-unknown')).toMatchObject({
      hosts: {},
      message: expect.stringContaining('The requested availability zone is not available'),
    });
  });
});
