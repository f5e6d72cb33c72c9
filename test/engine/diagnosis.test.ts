import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conclude, diagnose, explains } from '../../src/engine/diagnosis.ts';
import type { Evidence } from '../../src/engine/evidence.ts';
import type { Confidence, Explains, Finding, FindingSpec, Severity } from '../../src/engine/finding.ts';
import type { Outcome } from '../../src/engine/outcome.ts';
import type { CheckReport } from '../../src/engine/report.ts';

const spec = (code: string, nature: FindingSpec['nature'], explained: readonly Explains[] = []): FindingSpec => ({
  code,
  severity: 'error',
  nature,
  title: code,
  meaning: code,
  evidence: code,
  mend: code,
  explains: explained,
  refs: [],
});

/** A small world: an agent explains a server, the server a lease, the lease a ping; a stranger explains nothing. */
const specs = new Map(
  [
    spec('AGENT', 'cause', [{ code: 'SERVER', over: ['agent'] }]),
    spec('SERVER', 'cause', [{ code: 'LEASE', over: ['network'] }]),
    spec('LEASE', 'symptom', [{ code: 'PING-*', over: ['port'] }]),
    spec('PING-1', 'symptom'),
    spec('STRANGER', 'cause'),
  ].map((s) => [s.code, s]),
);

const finding = (code: string, more: Partial<Finding> = {}): Finding => ({
  code,
  severity: 'error',
  nature: specs.get(code)?.nature ?? 'cause',
  confidence: 'certain',
  summary: code,
  subject: code,
  scope: { agent: ['a'], network: ['n'], port: ['p'], host: ['h'] },
  evidence: [{ source: { kind: 'derived', from: 'a test' }, at: '2026-01-01T00:00:00.000Z', excerpt: code }],
  remedies: [],
  verify: '',
  ...more,
});

const layers = ['AGENT', 'SERVER', 'LEASE', 'PING-1', 'STRANGER'];
const layerOf = (f: Finding): number => layers.indexOf(f.code);
const run = (findings: readonly Finding[]) => diagnose(findings, specs, layerOf);

const anyFinding = fc
  .record({
    code: fc.constantFrom(...layers),
    severity: fc.constantFrom<Severity>('error', 'warning', 'info'),
    confidence: fc.constantFrom<Confidence>('certain', 'likely', 'possible'),
    subject: fc.constantFrom('x', 'y'),
    agent: fc.constantFrom('a', 'b'),
    network: fc.constantFrom('n', 'm'),
    port: fc.constantFrom('p', 'q'),
  })
  .map(({ code, severity, confidence, subject, agent, network, port }) =>
    finding(code, { severity, confidence, subject, scope: { agent: [agent], network: [network], port: [port] } }),
  );

describe('the diagnosis', () => {
  it('names the first link of a chain and folds the rest under it', () => {
    const { causes } = run([finding('PING-1'), finding('LEASE'), finding('AGENT'), finding('SERVER')]);
    expect(causes.map((c) => c.finding.code)).toEqual(['AGENT']);
    expect(causes[0]?.explains.map((f) => f.code).sort()).toEqual(['LEASE', 'PING-1', 'SERVER']);
  });

  it('leaves a finding on another agent unexplained', () => {
    const { causes } = run([finding('AGENT'), finding('SERVER', { scope: { agent: ['another'] } })]);
    expect(causes.map((c) => c.finding.code).sort()).toEqual(['AGENT', 'SERVER']);
  });

  it('bets on a cause that explains symptoms before one that explains none', () => {
    const { causes } = run([finding('STRANGER'), finding('SERVER'), finding('LEASE')]);
    expect(causes[0]?.finding.code).toBe('SERVER');
  });

  it('names a symptom only when nothing explains it', () => {
    expect(run([finding('PING-1')]).causes.map((c) => c.finding.code)).toEqual(['PING-1']);
    expect(run([finding('PING-1'), finding('LEASE')]).causes.map((c) => c.finding.code)).toEqual(['LEASE']);
  });

  it('keeps what is no error and explains none among the remarks', () => {
    const { causes, remarks } = run([finding('STRANGER', { severity: 'warning' })]);
    expect(causes).toEqual([]);
    expect(remarks.map((f) => f.code)).toEqual(['STRANGER']);
  });

  it('takes one thing seen from two ports for one finding that concerns both', () => {
    const { causes } = run([
      finding('LEASE', { scope: { port: ['p'] } }),
      finding('LEASE', { scope: { port: ['q'] } }),
      finding('PING-1', { scope: { port: ['q'] } }),
    ]);
    expect(causes.map((c) => [c.finding.code, c.finding.scope.port])).toEqual([['LEASE', ['p', 'q']]]);
    expect(causes[0]?.explains.map((f) => f.code)).toEqual(['PING-1']);
  });

  it('does not depend on the order of findings', () => {
    fc.assert(
      fc.property(fc.array(anyFinding, { maxLength: 7 }), fc.integer(), (findings, seed) => {
        const shuffled = findings
          .map((f, i) => [Math.sin(seed + i * 7919), f] as const)
          .sort(([a], [b]) => a - b)
          .map(([, f]) => f);
        expect(run(shuffled)).toEqual(run(findings));
      }),
    );
  });

  it('loses no finding: each is a cause, a remark, or below one', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyFinding, { maxLength: 7, selector: (f) => f.code + f.subject }), (findings) => {
        const { causes, remarks } = run(findings);
        const told = new Set([...causes.flatMap((c) => [c.finding, ...c.explains]), ...remarks]);
        const below = (f: Finding): boolean => findings.some((other) => explains(other, f, specs));
        for (const f of findings) {
          const same = [...told].some((t) => t.code === f.code && t.subject === f.subject);
          expect(same || below(f)).toBe(true);
        }
      }),
    );
  });

  it('is not changed in what stands first by a remark that explains nothing', () => {
    fc.assert(
      fc.property(fc.array(anyFinding, { maxLength: 6 }), (findings) => {
        const idle = finding('STRANGER', { severity: 'info', subject: 'idle', scope: { host: ['elsewhere'] } });
        expect(run([...findings, idle]).causes[0]).toEqual(run(findings).causes[0]);
      }),
    );
  });

  it('never puts an error among the remarks', () => {
    fc.assert(
      fc.property(fc.array(anyFinding, { maxLength: 7 }), (findings) => {
        expect(run(findings).remarks.filter((f) => f.severity === 'error')).toEqual([]);
      }),
    );
  });
});

describe('what is ruled out', () => {
  const shown = (excerpt: string): Evidence => ({
    source: { kind: 'command', host: 'cmp1', argv: ['ip', 'link'], code: 0 },
    at: '2026-01-01T00:00:00.000Z',
    excerpt,
  });
  const checked = (id: string, subject: string, outcome: Outcome): CheckReport => ({ id, title: id, subject, outcome });
  const fine = (what: string, ...evidence: Evidence[]): Outcome => ({
    status: 'ok',
    note: '',
    evidence,
    rulesOut: [what],
  });
  const ruledOut = (...checks: CheckReport[]) => conclude([{ id: 's', title: 's', checks }], specs).exclusions;

  it('carries the observations that rule it out, each once', () => {
    const found = ruledOut(
      checked('a.one', 'port p', fine('binding', shown('up'))),
      checked('a.one', 'port q', fine('binding', shown('up'))),
    );
    expect(found).toEqual([{ what: 'binding', evidence: [shown('up')] }]);
  });

  it('is nothing that no observation shows', () => {
    expect(ruledOut(checked('a.one', 'port p', fine('binding')))).toEqual([]);
  });

  it('is nothing that the same check found, or could not look at, on another port', () => {
    const sick: Outcome = { status: 'problem', note: '', findings: [finding('SERVER')], evidence: [] };
    const blind: Outcome = { status: 'blocked', failures: [{ kind: 'unsupported', because: 'a test' }] };
    for (const other of [sick, blind]) {
      expect(
        ruledOut(checked('a.one', 'port p', fine('binding', shown('up'))), checked('a.one', 'port q', other)),
      ).toEqual([]);
    }
  });

  it('may come from a finding that excludes something else', () => {
    const outcome: Outcome = {
      status: 'problem',
      note: '',
      findings: [finding('SERVER')],
      evidence: [],
      exclusions: [{ what: 'host cmp1 as a whole', evidence: [shown('5 received')] }],
    };
    expect(ruledOut(checked('a.one', 'port p', outcome)).map((e) => e.what)).toEqual(['host cmp1 as a whole']);
  });
});
