import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { WishOption } from '../../../src/facts/io.ts';
import { explainedInstance, explainedWish } from '../../../src/facts/schedule/explained.ts';
import { theCloud } from '../../../src/facts/subject.ts';
import { caseOf, recorded } from './recorded-case.ts';

const root = fileURLToPath(new URL('../../fixtures/schedule/', import.meta.url));
/** Requests of instances that failed, each with what Placement was asked for it. */
const cases = readdirSync(root)
  .filter((name) => existsSync(`${root}${name}/allocation-candidates.json`))
  .filter((name) => recorded(`${name}/servers.json`).servers[0]?.status === 'ERROR')
  // While a cell is down Nova may answer the list of hypervisors with 500, and tells single ones alone, which are not recorded.
  .filter((name) => recorded(`${name}/hypervisors.json`).hypervisors !== undefined)
  .sort();

/** What the API does not tell of the request, as an operator who knows it would add it. */
function flagsOf(name: string): WishOption {
  const { server, 'os:scheduler_hints': hints = {} } = recorded(`${name}/request.json`);
  return {
    networks: [],
    count: 1,
    hints: Object.entries(hints).flatMap(([key, value]) => [value].flat().map((each) => `${key}=${each}`)),
    ...(server.availability_zone === undefined ? {} : { zone: server.availability_zone }),
    ...(server.host === undefined ? {} : { host: server.host }),
  };
}

describe('a request that Nova could not place', () => {
  it.each(cases)('%s: is put to Placement as Nova put it', async (name) => {
    const { facts, subject, asked } = caseOf(name, { options: { wish: flagsOf(name) } });
    const found = await facts.get(explainedInstance, subject);
    if (!found.ok) throw new Error(JSON.stringify(found.error));
    const whole = asked.api.find((path) => path.startsWith('/allocation_candidates?') && path.includes('&'));
    // Nova leaves the limit out where a group or the hosts of others count (nova/scheduler/utils.py); the answer is the same.
    const parts = (path: string) =>
      [...new URLSearchParams(path.split('?')[1])]
        .filter(([key]) => key !== 'limit')
        .map(([key, value]) => `${key}=${value}`)
        .sort();
    const [nova] = recorded(`${name}/allocation-candidates.json`);
    expect(whole === undefined ? [] : parts(whole)).toEqual(nova === undefined ? [] : parts(nova.path));
    expect(found.value.value.said.length).toBeGreaterThan(0);
  });

  it('is proposed nothing that Placement does not confirm', async () => {
    const { facts, subject } = caseOf('ram');
    const found = await facts.get(explainedInstance, subject);
    expect(found).toMatchObject({ ok: true, value: { value: { verdict: 'no-host', hosts: 5 } } });
    const { facts: refusing } = caseOf('ram', {
      answers: { '/allocation_candidates': { allocation_requests: [], provider_summaries: {} } },
    });
    const none = await refusing.get(explainedInstance, subject);
    if (!none.ok) throw new Error('not explained');
    expect(none.value.value.relaxations.filter((r) => r.changes.every((c) => c.on === 'request'))).toEqual([]);
  });

  it('of which Placement refuses a trait that nobody knows has no candidate either', async () => {
    const { facts, subject } = caseOf('ram', { answers: { '/allocation_candidates': 400 } });
    expect(await facts.get(explainedInstance, subject)).toMatchObject({
      ok: true,
      value: { value: { verdict: 'no-host' } },
    });
  });
});

describe('a request that nobody has made', () => {
  it('is told the hosts that would take it', async () => {
    const flavor = { ...recorded('ram/flavor.json').flavor, ram: 64 };
    const wish = { flavor: flavor.name, networks: [], hints: [], count: 1 };
    const providers = recorded('ram/providers.json').resource_providers;
    const roots = providers.map((p: { uuid: string }) => p.uuid);
    const candidates = {
      allocation_requests: roots.map((uuid: string) => ({ allocations: { [uuid]: {} } })),
      provider_summaries: Object.fromEntries(
        roots.map((uuid: string) => [uuid, { resources: {}, traits: [], root_provider_uuid: uuid }]),
      ),
    };
    const { facts, asked } = caseOf('ram', {
      options: { wish },
      answers: { '/flavors/detail': { flavors: [flavor] }, '/allocation_candidates': candidates },
    });
    const found = await facts.get(explainedWish, theCloud);
    if (!found.ok) throw new Error(JSON.stringify(found.error));
    expect(found.value.value.verdict).not.toBe('no-host');
    expect(found.value.value.asked).toMatchObject({ flavor: flavor.name, ramMb: 64 });
    // Every host is a candidate: nothing need be left out.
    expect(asked.api.filter((path) => path.includes('root_required='))).toHaveLength(1);
  });

  it('is computed where Placement names only the first of very many candidates', async () => {
    const flavor = { ...recorded('ram/flavor.json').flavor, ram: 64 };
    const wish = { flavor: flavor.name, networks: [], hints: [], count: 1 };
    const requests = Array.from({ length: 1000 }, (_, i) => ({ allocations: { [`p${i}`]: {} } }));
    const { facts, asked } = caseOf('ram', {
      options: { wish },
      answers: {
        '/flavors/detail': { flavors: [flavor] },
        '/allocation_candidates': { allocation_requests: requests, provider_summaries: {} },
      },
    });
    const found = await facts.get(explainedWish, theCloud);
    if (!found.ok) throw new Error(JSON.stringify(found.error));
    expect(found.value.value.verdict).not.toBe('no-host');
    expect(asked.api.filter((path) => path.includes('root_required='))).toHaveLength(1);
  });
});
