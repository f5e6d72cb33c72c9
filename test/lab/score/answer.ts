import type { Confidence, Finding, Remedy, Severity } from '../../../src/engine/finding.ts';
import type { RunReport } from '../../../src/engine/report.ts';

/** A finding, as far as the score has use for it. */
export interface Named {
  readonly code: string;
  readonly severity: Severity;
  readonly subject: string;
  readonly summary: string;
  readonly confidence: Confidence;
  readonly remedies: readonly Remedy[];
}

/** What the doctor said. With `error` it said nothing that can be judged. */
export interface Answer {
  readonly exit: number;
  readonly seconds: number;
  readonly version?: string;
  readonly causes: readonly Named[];
  /** Every finding of the run, causes or not. */
  readonly findings: readonly Named[];
  /** Checks that failed by themselves, with what they died of. */
  readonly unknown: readonly string[];
  /** Checks that could not look. */
  readonly blocked: readonly string[];
  readonly error?: string;
}

const named = (f: Finding): Named => ({
  code: f.code,
  severity: f.severity,
  subject: f.subject,
  summary: f.summary,
  confidence: f.confidence,
  remedies: f.remedies,
});

const silent = { causes: [], findings: [], unknown: [], blocked: [] } as const;

/** @param stdout of `ostk-doctor net ... --output json` */
export function answerOf(exit: number, stdout: string, stderr: string, seconds: number): Answer {
  let report: RunReport;
  try {
    report = JSON.parse(stdout);
  } catch {
    const complaint = stderr.trim().split('\n')[0];
    return { ...silent, exit, seconds, error: `no JSON on stdout; stderr: ${complaint || '(empty)'}` };
  }
  const checks = (report.steps ?? []).flatMap((step) => step.checks);
  if (report.diagnosis === undefined || checks.length === 0)
    return { ...silent, exit, seconds, error: 'a report without a single check' };
  const findings = [
    ...report.diagnosis.causes.flatMap((c) => [c.finding, ...c.explains]),
    ...report.diagnosis.remarks,
    ...checks.flatMap((c) => (c.outcome.status === 'problem' ? c.outcome.findings : [])),
  ];
  return {
    exit,
    seconds,
    version: report.tool.version,
    causes: report.diagnosis.causes.map((c) => named(c.finding)),
    findings: findings.map(named),
    unknown: checks.flatMap((c) => (c.outcome.status === 'unknown' ? [`${c.id}: ${c.outcome.error}`] : [])),
    blocked: checks.flatMap((c) => (c.outcome.status === 'blocked' ? [c.id] : [])),
  };
}
