import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { specsByCode } from '../../src/checks/registry.ts';
import { healthyQuestions, parseExpectation, readExpectations } from '../lab/score/expectation.ts';
import { parseOptions } from '../lab/score/options.ts';
import { sample } from '../lab/score/sample.ts';

const { all, broken } = readExpectations(fileURLToPath(new URL('../lab/faults', import.meta.url)));

describe('the faults of the lab', () => {
  it('can all be read', () => {
    expect([...broken]).toEqual([]);
    expect(all.size).toBeGreaterThan(40);
  });

  it('speak of codes that exist', () => {
    const unknown = [...all].flatMap(([name, e]) =>
      [...e.first, ...e.localised, ...e.also.flat(), ...e.never]
        .filter((code) => !specsByCode.has(code))
        .map((code) => `${name}: ${code}`),
    );
    expect(unknown).toEqual([]);
  });

  it('do not forbid what they expect', () => {
    const torn = [...all].filter(([, e]) =>
      [...e.first, ...e.localised, ...e.also.flat()].some((c) => e.never.includes(c)),
    );
    expect(torn.map(([name]) => name)).toEqual([]);
  });
});

describe('an expect.yaml', () => {
  const text = 'title: a fault\narea: C\nvariants: [lb]\n';

  it('with a key that nobody knows is refused, for it would not be looked at', () => {
    expect(() => parseExpectation(`${text}fisrt: [OSD-AGENT-001]\n`)).toThrow('fisrt');
  });

  it('cannot expect both nothing and something', () => {
    expect(() => parseExpectation(`${text}clean: true\nfirst: [OSD-AGENT-001]\n`)).toThrow('clean');
  });
});

describe('the lines of healthy-targets', () => {
  it('are questions; one with a name that the cloud does not have is left out', () => {
    const lines = '# said of these lines\n\nweb-1\n$APP_ID --mtu\n$GONE\ndb-1 @demo --no-ssh\n';
    expect(healthyQuestions(lines, new Map([['APP_ID', '77']]))).toEqual([
      ['web-1', { target: 'web-1', flags: [], openrc: 'openrc' }],
      ['$APP_ID --mtu', { target: '77', flags: ['--mtu'], openrc: 'openrc' }],
      ['db-1 @demo --no-ssh', { target: 'db-1', flags: ['--no-ssh'], openrc: 'openrc-demo' }],
    ]);
  });
});

describe('a sample of faults', () => {
  const faults = [...all].filter(([, e]) => e.variants.includes('lb') && e.target !== null).map(([name]) => name);
  const areas = (chosen: readonly string[]): Set<string | undefined> => new Set(chosen.map((n) => all.get(n)?.area));

  it('has all areas of the cloud in it when it is big enough, and as many as it can when it is not', () => {
    const every = areas(faults).size;
    for (const seed of ['2026-01-01-abc', '2026-01-02-abc', '2026-01-02-def']) {
      expect(areas(sample(faults, 8, seed, all)).size).toBe(Math.min(every, 8));
      expect(areas(sample(faults, 3, seed, all)).size).toBe(3);
    }
  });

  it('is the same for the same seed, and another one for another', () => {
    expect(sample(faults, 8, 'monday', all)).toEqual(sample([...faults].reverse(), 8, 'monday', all));
    expect(sample(faults, 8, 'tuesday', all)).not.toEqual(sample(faults, 8, 'monday', all));
  });

  it('is never more than there is', () => {
    expect(sample(faults, 1000, 'x', all)).toEqual([...faults].sort());
  });
});

describe('the command line of the score', () => {
  const parsed = (...argv: string[]) => parseOptions(argv, '2026-01-01');

  it('of a whole run asks for 20 healthy runs and types the remedies', () => {
    expect(parsed()).toMatchObject({ whole: true, healthy: 20, remedy: true });
    expect(parsed('--no-remedy', '--variant', 'ovs')).toMatchObject({ whole: true, remedy: false, variant: 'ovs' });
  });

  it('of a partial run asks for two, and types only when told to', () => {
    expect(parsed('--fault', 'no-ram')).toMatchObject({ whole: false, healthy: 2, remedy: false });
    expect(parsed('--sample', '8', '--healthy', '4', '--remedy')).toMatchObject({
      sample: 8,
      healthy: 4,
      remedy: true,
    });
  });

  it('takes several files to render', () => {
    expect(parsed('--render', 'a.json', 'b.json').render).toEqual(['a.json', 'b.json']);
  });

  it.each([['--variant', 'xen'], ['--sample', 'all'], ['--merge'], ['no-ram']])('refuses %s', (...argv) => {
    expect(() => parsed(...argv)).toThrow();
  });
});
