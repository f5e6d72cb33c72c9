import { describe, expect, it } from 'vitest';
import { section, updated } from '../lab/score/render.ts';
import {
  exitOf,
  type FaultRow,
  type HealthyRow,
  merged,
  type Result,
  remaining,
  totalsOf,
} from '../lab/score/result.ts';

const fault = (name: string, row: Partial<FaultRow> = {}): FaultRow => ({
  fault: name,
  area: 'C',
  title: name,
  expected: 'OSD-HOST-014',
  verdict: 'right',
  rightCode: true,
  rightSubject: true,
  falseCauses: [],
  saidWell: false,
  exit: 1,
  seconds: 8,
  first: {
    code: 'OSD-HOST-014',
    severity: 'error',
    subject: `rule of ${name}`,
    summary: '',
    confidence: 'certain',
    remedies: [],
  },
  took: {},
  ...row,
});
const healthy: HealthyRow = { target: 'web-1', clean: true, exit: 0, seconds: 3, wrong: [], warnings: [], blocked: [] };

const result = (faults: FaultRow[], over: Partial<Result> = {}): Result => ({
  schemaVersion: 2,
  variant: 'lb',
  whole: true,
  startedAt: '2026-01-01T10:00:00.000Z',
  doctor: '0.1.0',
  commit: 'abc1234',
  seconds: 600,
  typesRemedies: true,
  planned: faults.map((f) => f.fault),
  healthyWanted: 1,
  healthy: [healthy],
  faults,
  totals: totalsOf([healthy], faults),
  ...over,
});

const { rightCode: _code, rightSubject: _subject, ...unjudged } = fault('shy');
const unhurt: FaultRow = { ...unjudged, verdict: 'lab', why: 'it does not hurt' };
const unhealed = fault('deep', { notHealed: 'not well: port' });

describe('the totals', () => {
  it('count what could be scored, and subjects only where one is expected', () => {
    const { rightSubject: _, ...subjectless } = fault('b');
    const t = totalsOf(
      [healthy],
      [fault('a'), subjectless, fault('c', { verdict: 'wrong', rightCode: false }), unhurt],
    );
    expect(t).toMatchObject({ faults: 4, scored: 3, right: 2, wrong: 1, lab: 1, rightCode: 2 });
    expect(t.withSubject).toBe(2);
  });

  it('count remedies that were typed, not those that were advice', () => {
    const rows = [
      fault('a', { remedy: 'yes' }),
      fault('b', { remedy: 'no: it still hurts' }),
      fault('c', { remedy: 'advice' }),
    ];
    expect(totalsOf([], rows)).toMatchObject({ typed: 2, healed: 1 });
  });

  it('let an honest localisation pass, but nothing wrong, no alarm and no error of a fault', () => {
    const status = (...rows: FaultRow[]) => exitOf(totalsOf([healthy], rows));
    expect(status(fault('a'), fault('b', { verdict: 'localised', rightCode: false }))).toBe(0);
    expect(status(fault('a', { verdict: 'wrong' }))).toBe(1);
    expect(status(unhurt)).toBe(1);
    expect(status(unhealed)).toBe(1);
    expect(exitOf(totalsOf([{ ...healthy, clean: false }], [fault('a')]))).toBe(1);
  });
});

describe('a run that was cut off', () => {
  it('goes on with what has no row, and tries again what failed by itself', () => {
    const cut = result([fault('a'), unhurt, unhealed], { planned: ['a', 'b', 'deep', 'shy'] });
    expect(remaining(cut).kept.map((f) => f.fault)).toEqual(['a']);
    expect(remaining(cut).faults).toEqual(['b', 'deep', 'shy']);
  });
});

describe('rows of a later run', () => {
  const whole = result([fault('a', { verdict: 'wrong', rightCode: false }), fault('b')]);
  const later = result([fault('a')], { whole: false, startedAt: '2026-01-02T10:00:00.000Z', commit: 'def5678' });

  it('replace their own, and the section says so', () => {
    const both = merged(whole, later);
    expect(both.totals.right).toBe(2);
    expect(both.commit).toBe('abc1234');
    const text = section(both);
    expect(text).toContain('| a † |');
    expect(text).toContain('† 1 rows were run at another time (2026-01-02, commit def5678)');
  });
});

describe('the table', () => {
  it('says what was an error of the fault, and does not let a name break it', () => {
    const text = section(result([unhurt, unhealed, fault('odd', { falseCauses: ['OSD-X-001 a|b\nc'] })]));
    expect(text).toContain('**error of the fault**: it does not hurt');
    expect(text).toContain('after its heal not well: port');
    expect(text).toContain('OSD-X-001 a\\|b c');
  });

  it('keeps the sections of other variants', () => {
    const first = updated('', result([fault('a')]));
    const both = updated(first, result([fault('b')], { variant: 'ovs' }));
    expect(both.match(/^## .*/gm)).toEqual(['## lb', '## ovs']);
    const again = updated(both, result([fault('c')]));
    expect(again).toContain('rule of b');
    expect(again).not.toContain('rule of a');
    expect(updated(again, result([fault('c')]))).toBe(again);
  });
});
