import { describe, expect, it } from 'vitest';
import { placementQuery } from '../../src/schedule/ask.ts';
import { explain } from '../../src/schedule/explain.ts';
import { queryString } from '../../src/schedule/query-string.ts';
import { recorded, recordedNames } from './recorded.ts';

/** Decided by what these files do not tell: a build, the network, cells, or a filter over what no API tells. */
const isDecidedElsewhere = (name: string): boolean =>
  /^(late-|cell-|binding|no-a|not-discovered|pci|numa|pinned)/.test(name);

describe.each(recordedNames)('the request %s, which Nova could not place', (name) => {
  const { wish, estate, truth } = recorded(name);
  const schedule = explain(wish, estate, []);
  const verdictsOf = (host: string) => schedule.rows.find((row) => row.hosts.includes(host))?.verdicts ?? [];
  const hosts = estate.hosts.map((h) => h.host).sort();

  it('is put to Placement in the words that Nova used', () => {
    expect([...new URLSearchParams(queryString(placementQuery(wish, estate)))]).toEqual([
      ...new URLSearchParams(truth.question),
    ]);
  });

  it('has the candidates that Placement gave', () => {
    const given = hosts.filter((h) => verdictsOf(h)[0]?.state === 'passes');
    const roots = new Map(estate.hosts.map((h) => [h.provider, h.host]));
    // A host that is not discovered is none that Nova's API lists.
    expect(given).toEqual(truth.candidates.flatMap((root) => roots.get(root) ?? []).sort());
  });

  it('passes filter by filter where Nova let it pass', () => {
    let left = hosts.filter((h) => verdictsOf(h)[0]?.state === 'passes');
    for (const { name: filter, hosts: passed } of truth.filters) {
      const at = schedule.columns.findIndex((c) => c.id === filter);
      const isOpen = left.some((h) => verdictsOf(h)[at]?.state === 'unknown') || isDecidedElsewhere(name);
      left = left.filter((h) => verdictsOf(h)[at]?.state !== 'rejects');
      if (isOpen)
        expect({ filter, left }).toEqual({
          filter,
          left: expect.arrayContaining([...passed].filter((h) => hosts.includes(h))),
        });
      else expect({ filter, left }).toEqual({ filter, left: passed });
    }
  });

  it.skipIf(isDecidedElsewhere(name))('has no host, and a change is known that gives it one', () => {
    expect(schedule.verdict).toBe('no-host');
    expect(schedule.relaxations.length).toBeGreaterThan(0);
  });
});
