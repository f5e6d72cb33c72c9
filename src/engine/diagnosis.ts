import type { Evidence } from './evidence.ts';
import type { FactFailure } from './failure.ts';
import type { Finding, FindingSpec, Relation, Scope } from './finding.ts';
import type { Exclusion } from './outcome.ts';
import type { StepReport } from './report.ts';

/** A finding that nothing else explains, with the findings it explains. */
export interface Cause {
  readonly finding: Finding;
  readonly explains: readonly Finding[];
}

export interface Diagnosis {
  /** Ranked: the first one is what we would bet on. Empty when nothing is wrong. */
  readonly causes: readonly Cause[];
  /** Seen, but not what stops this instance: warnings and notes that nothing hangs on. */
  readonly remarks: readonly Finding[];
  /** Possible causes that were looked at and excluded, in words. */
  readonly ruledOut: readonly string[];
  /** The same, each with what excludes it: nothing is ruled out without evidence. */
  readonly exclusions: readonly Exclusion[];
  readonly couldNotLook: readonly CouldNotLook[];
}

export interface CouldNotLook {
  readonly what: string;
  readonly failure: FactFailure;
}

/** Tells what a code explains; codes in edges may end in `*` for a whole area. */
export type Specs = ReadonlyMap<string, FindingSpec>;

const rank = { error: 0, warning: 1, info: 2 } as const;
const trust = { certain: 0, likely: 1, possible: 2 } as const;

export const matchesCode = (pattern: string, code: string): boolean =>
  pattern.endsWith('*') ? code.startsWith(pattern.slice(0, -1)) : pattern === code;

const related = (relation: Relation, a: Scope, b: Scope): boolean =>
  relation === 'run' || (a[relation] ?? []).some((value) => (b[relation] ?? []).includes(value));

/** Does `a` explain `b`? Both the code and the relation of their subjects must fit. */
export function explains(a: Finding, b: Finding, specs: Specs): boolean {
  if (a === b || a.code === b.code) return false;
  const edges = specs.get(a.code)?.explains ?? [];
  return edges.some((e) => matchesCode(e.code, b.code) && e.over.every((r) => related(r, a.scope, b.scope)));
}

/**
 * Is `b` no cause of its own beside `a`? What is only possible hides no cause, a symptom hides none either, and a note of
 * the past hides nothing that is wrong now.
 */
const folds = (a: Finding, b: Finding, specs: Specs): boolean =>
  explains(a, b, specs) &&
  (b.nature === 'symptom' || (a.nature === 'cause' && a.confidence !== 'possible')) &&
  (a.severity !== 'info' || b.severity === 'info');

const identity = (f: Finding): string => `${f.code}\u0000${f.subject}\u0000${f.summary}`;

/** Keys in one order, and what scopes name in one order, so that equal findings have equal text. */
const scopeOf = (scopes: readonly Scope[]): Scope => {
  const keys = new Set(scopes.flatMap((s) => Object.keys(s))) as Set<keyof Scope>;
  return Object.fromEntries(
    [...keys].sort().map((key) => [key, [...new Set(scopes.flatMap((s) => s[key] ?? []))].sort()]),
  );
};

/** The gravest and surest of them first; among equals the order of their text. */
const weightier = (a: Finding, b: Finding): number => {
  const text = (f: Finding): string => JSON.stringify({ ...f, scope: {} });
  return (
    rank[a.severity] - rank[b.severity] || trust[a.confidence] - trust[b.confidence] || (text(a) < text(b) ? -1 : 1)
  );
};

/**
 * The same thing seen from two ports of an instance is one finding that concerns both: it is told as its weightiest part
 * tells it.
 */
function merged(same: readonly [Finding, ...Finding[]]): Finding {
  const [first = same[0]] = [...same].sort(weightier);
  const confidence = [...same].sort((a, b) => trust[a.confidence] - trust[b.confidence])[0]?.confidence;
  return { ...first, scope: scopeOf(same.map((f) => f.scope)), confidence: confidence ?? first.confidence };
}

/** Every finding once, in an order that does not depend on how they came. */
function distinct(findings: readonly Finding[]): readonly Finding[] {
  const found = new Map<string, [Finding, ...Finding[]]>();
  for (const f of findings) {
    const known = found.get(identity(f));
    if (known === undefined) found.set(identity(f), [f]);
    else known.push(f);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, same]) => merged(same));
}

/**
 * Folds symptoms under causes. The order in which findings come never matters, and a finding that explains nothing
 * and is explained by nothing never changes what stands first among the others. `shows`: codes (or areas, `OSD-DHCP-*`)
 * of the symptom that was asked about; causes that have to do with it stand before those that do not.
 */
export function diagnose(
  findings: readonly Finding[],
  specs: Specs,
  layerOf: (finding: Finding) => number,
  shows: readonly string[] = [],
): Pick<Diagnosis, 'causes' | 'remarks'> {
  const asked = (f: Finding): boolean => shows.some((pattern) => matchesCode(pattern, f.code));
  const unique = distinct(findings);
  const explainedBy = (b: Finding): Finding[] => unique.filter((a) => folds(a, b, specs));
  const roots = unique.filter((f) => explainedBy(f).length === 0);
  const below = (root: Finding): Finding[] => {
    const seen = new Set<Finding>();
    const open: Finding[] = [root];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const f of unique) {
        if (!seen.has(f) && f !== root && next !== f && folds(next, f, specs)) {
          seen.add(f);
          open.push(f);
        }
      }
    }
    return unique.filter((f) => seen.has(f));
  };
  const causes = roots.map((finding) => ({ finding, explains: below(finding) }));
  const errors = causes.filter((c) => c.finding.severity === 'error' || c.explains.some((f) => f.severity === 'error'));
  const concerns = (c: Cause): boolean => asked(c.finding) || c.explains.some(asked);
  const count = (c: Cause): number => c.explains.filter((f) => f.severity === 'error').length;
  // A cause of a kind that explains nothing is a trouble of its own: it stands behind symptoms that nobody explains.
  const kind = (c: Cause): number => {
    if (c.finding.nature === 'symptom') return 1;
    return (specs.get(c.finding.code)?.explains ?? []).length === 0 && !concerns(c) ? 2 : 0;
  };
  errors.sort(
    (a, b) =>
      kind(a) - kind(b) ||
      Number(!concerns(a)) - Number(!concerns(b)) ||
      Number(count(a) === 0) - Number(count(b) === 0) ||
      trust[a.finding.confidence] - trust[b.finding.confidence] ||
      rank[a.finding.severity] - rank[b.finding.severity] ||
      count(b) - count(a) ||
      layerOf(a.finding) - layerOf(b.finding) ||
      (identity(a.finding) < identity(b.finding) ? -1 : 1),
  );
  const remarks = causes
    .filter((c) => !errors.includes(c))
    .map((c) => c.finding)
    .sort(
      (a, b) => rank[a.severity] - rank[b.severity] || layerOf(a) - layerOf(b) || (identity(a) < identity(b) ? -1 : 1),
    );
  return { causes: errors, remarks };
}

/** Observations kept for each thing that is ruled out: enough to check it again, without telling the whole run twice. */
const evidenceEach = 3;

/** Everything a run says at its end, from what the steps came to. */
export function conclude(steps: readonly StepReport[], specs: Specs, shows: readonly string[] = []): Diagnosis {
  const findings: Finding[] = [];
  const layer = new Map<string, number>();
  const exclusions = new Map<string, Exclusion>();
  const exclude = (what: string, [first, ...rest]: readonly Evidence[]): void => {
    if (first === undefined) return;
    const known = exclusions.get(what)?.evidence;
    const all = [...(known ?? []), first, ...rest].filter((e) => e.excerpt.trim() !== '');
    const [one = first, ...others] = [...new Map(all.map((e) => [JSON.stringify(e), e])).values()];
    exclusions.set(what, { what, evidence: [one, ...others.slice(0, evidenceEach - 1)] });
  };
  const couldNotLook: CouldNotLook[] = [];
  const sick = new Set(
    steps.flatMap((s) =>
      s.checks.filter((c) => c.outcome.status === 'problem' || c.outcome.status === 'blocked').map((c) => c.id),
    ),
  );
  steps.forEach((step, index) => {
    for (const check of step.checks) {
      switch (check.outcome.status) {
        case 'problem':
          for (const f of check.outcome.findings) {
            findings.push(f);
            if (!layer.has(f.code)) layer.set(f.code, index);
          }
          for (const e of check.outcome.exclusions ?? []) exclude(e.what, e.evidence);
          break;
        case 'ok':
          // What one port is free of may be what ails the other: nothing is ruled out by half.
          if (sick.has(check.id)) break;
          for (const words of check.outcome.rulesOut ?? []) exclude(words, check.outcome.evidence);
          for (const e of check.outcome.exclusions ?? []) exclude(e.what, e.evidence);
          break;
        case 'blocked':
          for (const failure of check.outcome.failures) {
            const known = couldNotLook.some((c) => JSON.stringify(c.failure) === JSON.stringify(failure));
            if (!known) couldNotLook.push({ what: check.title, failure });
          }
          break;
        case 'skipped':
        case 'unknown':
          break;
      }
    }
  });
  return {
    ...diagnose(findings, specs, (f) => layer.get(f.code) ?? 0, shows),
    ruledOut: [...exclusions.keys()],
    exclusions: [...exclusions.values()],
    couldNotLook,
  };
}
