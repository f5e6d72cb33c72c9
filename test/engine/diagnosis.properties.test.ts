import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/engine/diagnosis.ts';
import type { Confidence, Explains, Finding, FindingSpec, Relation, Severity } from '../../src/engine/finding.ts';

const relations = ['host', 'network', 'port'] as const satisfies readonly Relation[];
const codes = ['C0', 'C1', 'C2', 'C3', 'C4', 'C5', 'C6'] as const;

interface World {
  readonly specs: ReadonlyMap<string, FindingSpec>;
  readonly findings: readonly Finding[];
}

/** Any registry without a cycle (a code explains only later ones), and any findings of its codes. */
const anyWorld: fc.Arbitrary<World> = fc
  .record({
    natures: fc.array(fc.constantFrom<FindingSpec['nature']>('cause', 'symptom'), {
      minLength: codes.length,
      maxLength: codes.length,
    }),
    edges: fc.array(
      fc.record({
        from: fc.nat(codes.length - 1),
        to: fc.nat(codes.length - 1),
        over: fc.uniqueArray(fc.constantFrom<Relation>(...relations, 'run'), { minLength: 1, maxLength: 2 }),
      }),
      { maxLength: 10 },
    ),
    seeds: fc.array(
      fc.record({
        code: fc.nat(codes.length - 1),
        severity: fc.constantFrom<Severity>('error', 'error', 'warning', 'info'),
        confidence: fc.constantFrom<Confidence>('certain', 'likely', 'possible'),
        subject: fc.constantFrom('x', 'y'),
        host: fc.constantFrom('h1', 'h2'),
        network: fc.constantFrom('n1', 'n2'),
        port: fc.constantFrom('p1', 'p2'),
        seen: fc.constantFrom('here', 'there'),
      }),
      { maxLength: 8 },
    ),
  })
  .map(({ natures, edges, seeds }) => {
    const explained = (i: number): Explains[] =>
      edges.flatMap((e) => (e.from === i && e.to > i ? [{ code: codes[e.to] ?? '', over: e.over }] : []));
    const specs = new Map(
      codes.map((code, i): [string, FindingSpec] => [
        code,
        {
          code,
          severity: 'error',
          nature: natures[i] ?? 'cause',
          title: code,
          meaning: code,
          evidence: code,
          mend: code,
          explains: explained(i),
          refs: [],
        },
      ]),
    );
    const findings = seeds.map((s): Finding => {
      const code = codes[s.code] ?? 'C0';
      return {
        code,
        severity: s.severity,
        nature: specs.get(code)?.nature ?? 'cause',
        confidence: s.confidence,
        summary: `${code} of ${s.subject}`,
        subject: s.subject,
        scope: { host: [s.host], network: [s.network], port: [s.port] },
        evidence: [{ source: { kind: 'derived', from: s.seen }, at: '2026-01-01T00:00:00.000Z', excerpt: s.seen }],
        remedies: [],
        verify: '',
      };
    });
    return { specs, findings };
  });

const layerOf = (f: Finding): number => codes.indexOf(f.code as (typeof codes)[number]);
const run = ({ specs, findings }: World) => diagnose(findings, specs, layerOf);
const holds = (property: (world: World) => void) =>
  fc.assert(
    fc.property(anyWorld, (world) => {
      property(world);
    }),
    { numRuns: 500 },
  );
const of = (f: Finding): string => `${f.code} ${f.subject}`;

describe('whatever the codes and the findings', () => {
  it('the order in which findings come does not matter', () => {
    fc.assert(
      fc.property(anyWorld, fc.infiniteStream(fc.nat()), (world, random) => {
        const shuffled = world.findings
          .map((f) => [random.next().value ?? 0, f] as const)
          .sort(([a], [b]) => a - b)
          .map(([, f]) => f);
        expect(run({ ...world, findings: shuffled })).toEqual(run(world));
      }),
    );
  });

  it('the same finding twice is the same finding', () => {
    holds((world) => {
      expect(run({ ...world, findings: [...world.findings, ...world.findings] })).toEqual(run(world));
    });
  });

  it('what was merged does not change when it is merged again', () => {
    holds((world) => {
      const { causes, remarks } = run(world);
      const told = [...causes.flatMap((c) => [c.finding, ...c.explains]), ...remarks];
      const again = run({ ...world, findings: told });
      expect(again.causes).toEqual(causes);
    });
  });

  it('a finding of a code that explains nothing, and that nothing explains, never changes what stands first', () => {
    holds((world) => {
      const [first] = run(world).causes;
      if (first === undefined) return;
      // Where nothing but such findings was known, any of them may stand first.
      const idle = (f: Finding): boolean => f.nature === 'cause' && world.specs.get(f.code)?.explains.length === 0;
      if (idle(first.finding)) return;
      for (const nature of ['cause', 'symptom'] as const) {
        const spec = { ...world.specs.get('C0'), code: 'IDLE', nature, explains: [] } as FindingSpec;
        const specs = new Map([...world.specs, ['IDLE', spec]]);
        for (const severity of ['error', 'warning', 'info'] as const) {
          if (nature === 'symptom' && severity === 'error') continue;
          const [model] = world.findings;
          if (model === undefined) return;
          const stranger: Finding = {
            ...model,
            code: 'IDLE',
            nature,
            severity,
            confidence: 'certain',
            summary: 'idle',
          };
          expect(run({ specs, findings: [stranger, ...world.findings] }).causes[0]).toEqual(first);
        }
      }
    });
  });

  it('a cause that is only possible never hides one that is certain', () => {
    holds((world) => {
      const { causes, remarks } = run(world);
      const told = new Set([...causes.map((c) => c.finding), ...remarks]);
      for (const cause of causes) {
        if (cause.finding.confidence !== 'possible') continue;
        for (const f of cause.explains) {
          if (f.nature !== 'cause' || f.confidence !== 'certain') continue;
          const byOthers = causes.some((c) => c.finding.confidence !== 'possible' && c.explains.includes(f));
          expect(told.has(f) || byOthers, `${of(f)} under ${of(cause.finding)}`).toBe(true);
        }
      }
    });
  });

  it('a symptom never hides a cause, nor a note an error', () => {
    holds((world) => {
      for (const { finding, explains } of run(world).causes) {
        if (finding.nature === 'symptom') expect(explains.filter((f) => f.nature === 'cause')).toEqual([]);
        if (finding.severity === 'info') expect(explains.filter((f) => f.severity !== 'info')).toEqual([]);
      }
    });
  });

  it('every error is told: as a cause, or under one', () => {
    holds((world) => {
      const { causes } = run(world);
      const told = new Set(causes.flatMap((c) => [c.finding, ...c.explains]).map(of));
      for (const f of world.findings) if (f.severity === 'error') expect(told.has(of(f)), of(f)).toBe(true);
    });
  });

  it('what is folded under a cause is no cause beside it', () => {
    holds((world) => {
      const { causes } = run(world);
      const roots = new Set(causes.map((c) => c.finding));
      for (const c of causes) expect(c.explains.filter((f) => roots.has(f)).map(of)).toEqual([]);
    });
  });

  it('two causes of which neither explains the other both appear', () => {
    holds((world) => {
      const alone = new Map([...world.specs].map(([code, spec]) => [code, { ...spec, explains: [] }]));
      const { causes } = run({ specs: alone, findings: world.findings });
      const errors = new Set(world.findings.filter((f) => f.severity === 'error').map(of));
      expect(new Set(causes.map((c) => of(c.finding)))).toEqual(errors);
    });
  });

  it('a cause that explains no error never stands before one that explains some', () => {
    holds((world) => {
      const { causes } = run(world);
      const explainsErrors = (i: number): boolean => causes[i]?.explains.some((f) => f.severity === 'error') ?? false;
      causes.forEach((c, i) => {
        if (c.finding.nature !== 'cause' || explainsErrors(i)) return;
        const later = causes.findIndex((o, j) => j > i && o.finding.nature === 'cause' && explainsErrors(j));
        expect(later).toBe(-1);
      });
    });
  });
});
