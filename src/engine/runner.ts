import type { Check } from './check.ts';
import type { RunEvent } from './events.ts';
import type { FactStore } from './fact.ts';
import type { Outcome } from './outcome.ts';
import type { CheckReport, StepReport } from './report.ts';

/** One check bound to its subject; `run` is closed over the subject so that the plan can mix kinds of subject. */
export interface PlannedCheck {
  readonly id: string;
  readonly title: string;
  readonly subject: string;
  /** False: it has nothing to say of this subject, and is left out of the walk. */
  readonly applies?: () => Promise<boolean>;
  readonly run: () => Promise<Outcome>;
}

export interface PlannedStep {
  readonly id: string;
  readonly title: string;
  /** Why this step does not apply, when it does not. */
  readonly unless?: Promise<string | undefined>;
  readonly checks: readonly PlannedCheck[];
}

export const plan = <Io, S>(
  check: Check<Io, S>,
  subject: S,
  label: string,
  facts: FactStore<Io>,
  now: number,
): PlannedCheck => ({
  id: check.id,
  title: check.title,
  subject: label,
  run: () => check.run(subject, facts, now),
});

/** Our own bug in one check must not cost the others: it becomes `unknown`, and the exit code says so. */
async function guarded(run: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await run();
  } catch (error) {
    return { status: 'unknown', error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** Runs everything at once and reports in the declared order of the walk. */
export async function runSteps(steps: readonly PlannedStep[], emit: (event: RunEvent) => void): Promise<StepReport[]> {
  const started = steps.map((step) => ({
    step,
    outcomes: step.checks.map(async (check) => {
      if ((await check.applies?.()) === false) return undefined;
      const reason = await step.unless;
      return reason === undefined ? guarded(check.run) : ({ status: 'skipped', reason } satisfies Outcome);
    }),
  }));
  const reports: StepReport[] = [];
  for (const { step, outcomes } of started) {
    const checks: CheckReport[] = [];
    for (const [index, check] of step.checks.entries()) {
      const outcome = await outcomes[index];
      if (outcome === undefined) continue;
      const report: CheckReport = { id: check.id, title: check.title, subject: check.subject, outcome };
      checks.push(report);
      emit({ type: 'check.end', step: step.id, check: report });
    }
    reports.push({ id: step.id, title: step.title, checks });
  }
  return reports;
}
