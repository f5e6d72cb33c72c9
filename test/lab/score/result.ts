import type { Named } from './answer.ts';
import type { Variant } from './expectation.ts';
import type { Judgement, Verdict } from './judge.ts';
import { median } from './markdown.ts';

/** One healthy run. */
export interface HealthyRow {
  readonly target: string;
  readonly clean: boolean;
  readonly exit: number;
  readonly seconds: number;
  readonly wrong: readonly string[];
  /** Said beside, and no alarm. */
  readonly warnings: readonly string[];
  readonly blocked: readonly string[];
}

/** Seconds that each part of one fault took. */
export type Took = Partial<Record<Phase, number>>;
export const phases = ['before', 'inject', 'hurt', 'doctor', 'remedy', 'heal', 'well'] as const;
export type Phase = (typeof phases)[number];

/** One fault. */
export interface FaultRow extends Partial<Omit<Judgement, 'verdict'>> {
  readonly fault: string;
  readonly area: string;
  readonly title: string;
  /** In words: codes, or `clean`. */
  readonly expected: string;
  readonly expectedSubject?: string;
  readonly verdict: Verdict;
  readonly exit?: number;
  /** To the verdict. */
  readonly seconds?: number;
  readonly first?: Named;
  readonly others?: readonly Named[];
  readonly blocked?: readonly string[];
  /** `yes`, `no: why`, `advice` where it named no command that suffices; absent where none was typed. */
  readonly remedy?: string;
  /** What was still wrong with the cloud after the fault was healed: an error of the fault. */
  readonly notHealed?: string;
  readonly took: Took;
  /** Where it was not run with the others: when, and with which commit. */
  readonly rerun?: { readonly at: string; readonly commit: string };
}

/** What one run of the score came to; written after every fault, so that a run that was cut off can go on. */
export interface Result {
  readonly schemaVersion: 2;
  readonly variant: Variant;
  /** Every fault of the variant was asked for. */
  readonly whole: boolean;
  readonly startedAt: string;
  readonly doctor: string;
  readonly commit: string;
  readonly seconds: number;
  readonly seed?: string;
  readonly typesRemedies: boolean;
  readonly planned: readonly string[];
  readonly healthyWanted: number;
  readonly healthy: readonly HealthyRow[];
  readonly faults: readonly FaultRow[];
  readonly totals: Totals;
}

export interface Totals {
  readonly healthy: number;
  readonly clean: number;
  readonly faults: number;
  readonly scored: number;
  readonly right: number;
  readonly localised: number;
  readonly wrong: number;
  /** Errors of faults: not scored, or not well after their heal. */
  readonly lab: number;
  readonly notHealed: number;
  readonly rightCode: number;
  readonly withSubject: number;
  readonly rightSubject: number;
  readonly saidWell: number;
  readonly falseCauses: number;
  /** Remedies that were typed, and those after which the next run was clean. */
  readonly typed: number;
  readonly healed: number;
  readonly medianSeconds?: number;
}

export function totalsOf(healthy: readonly HealthyRow[], faults: readonly FaultRow[]): Totals {
  const count = (is: (row: FaultRow) => boolean): number => faults.filter(is).length;
  const typed = faults.filter((f) => f.remedy !== undefined && f.remedy !== 'advice');
  const medianSeconds = median(faults.flatMap((f) => (f.seconds === undefined ? [] : [f.seconds])));
  return {
    healthy: healthy.length,
    clean: healthy.filter((h) => h.clean).length,
    faults: faults.length,
    scored: count((f) => f.verdict !== 'lab'),
    right: count((f) => f.verdict === 'right'),
    localised: count((f) => f.verdict === 'localised'),
    wrong: count((f) => f.verdict === 'wrong'),
    lab: count((f) => f.verdict === 'lab'),
    notHealed: count((f) => f.notHealed !== undefined),
    rightCode: count((f) => f.rightCode === true),
    withSubject: count((f) => f.rightSubject !== undefined),
    rightSubject: count((f) => f.rightSubject === true),
    saidWell: count((f) => f.saidWell === true),
    falseCauses: faults.reduce((sum, f) => sum + (f.falseCauses?.length ?? 0), 0),
    typed: typed.length,
    healed: typed.filter((f) => f.remedy === 'yes').length,
    ...(medianSeconds === undefined ? {} : { medianSeconds }),
  };
}

/** 0 when every healthy run was clean, every fault was scored and mended, and none was named wrongly. */
export const exitOf = (t: Totals): 0 | 1 => (t.clean === t.healthy && t.wrong + t.lab + t.notHealed === 0 ? 0 : 1);

/** What is left to do of a run that was cut off; faults that could not be scored are tried again. */
export function remaining(result: Result): { readonly kept: readonly FaultRow[]; readonly faults: readonly string[] } {
  const kept = result.faults.filter((f) => f.verdict !== 'lab' && f.notHealed === undefined);
  const done = new Set(kept.map((f) => f.fault));
  return { kept, faults: result.planned.filter((name) => !done.has(name)) };
}

/** A whole result with the rows of a later, partial run in the place of its own. */
export function merged(whole: Result, partial: Result): Result {
  const rerun = { at: partial.startedAt, commit: partial.commit };
  const fresh = new Map(partial.faults.map((f) => [f.fault, { ...f, rerun }]));
  const faults = [
    ...whole.faults.map((f) => fresh.get(f.fault) ?? f),
    ...[...fresh.values()].filter((f) => !whole.faults.some((old) => old.fault === f.fault)),
  ].sort((a, b) => (a.fault < b.fault ? -1 : 1));
  return { ...whole, planned: faults.map((f) => f.fault), faults, totals: totalsOf(whole.healthy, faults) };
}
