import type { Evidence } from './evidence.ts';
import type { FactResult, FactSource, FactStore, Observed } from './fact.ts';
import type { FactFailure } from './failure.ts';
import type { Finding, FindingSpec } from './finding.ts';
import type { Outcome } from './outcome.ts';

/** What a check runs once for. */
export type Per = 'cloud' | 'instance' | 'port';

export type Needs<Io, S> = Readonly<Record<string, FactSource<Io, S, unknown>>>;

type ValueOf<F> = F extends FactSource<infer _Io, infer _S, infer T> ? T : never;

export type Facts<N> = { readonly [K in keyof N]: Observed<ValueOf<N[K]>> };
export type MaybeFacts<N> = { readonly [K in keyof N]: FactResult<ValueOf<N[K]>> };

export interface CheckContext<S, N, O> {
  readonly subject: S;
  /** Facts without which the check cannot judge: when one is missing the outcome is `blocked`. */
  readonly facts: Facts<N>;
  /** Facts that refine the judgement. */
  readonly maybe: MaybeFacts<O>;
  /** Milliseconds since the epoch; frozen when a bundle is replayed. */
  readonly now: number;
}

export interface CheckDefinition<Io, S, N extends Needs<Io, S>, O extends Needs<Io, S>> {
  /** `area.kebab-name`, the same as the path of its file. */
  readonly id: string;
  readonly per: Per;
  /** What is verified, as a statement that is true when all is well; no full stop. */
  readonly title: string;
  /** Kinds of backend that it can judge; all when left out. What a family is, the application knows. */
  readonly families?: readonly string[];
  readonly needs: N;
  readonly optional?: O;
  readonly findings: readonly FindingSpec[];
  /** Pure: declared facts in, an outcome out. */
  judge(context: CheckContext<S, N, O>): Outcome;
}

/** A check with its fact types folded away, as the runner and the registry hold it. */
export interface Check<Io, S> {
  readonly id: string;
  readonly per: Per;
  readonly title: string;
  readonly families?: readonly string[];
  readonly findings: readonly FindingSpec[];
  readonly declared: { readonly needs: readonly string[]; readonly optional: readonly string[] };
  /** `read` collects the names of facts that were really looked at, for the test that proves the declarations. */
  run(subject: S, facts: FactStore<Io>, now: number, read?: Set<string>): Promise<Outcome>;
}

export function defineCheck<Io, S, N extends Needs<Io, S>, O extends Needs<Io, S> = Record<string, never>>(
  definition: CheckDefinition<Io, S, N, O>,
): Check<Io, S> {
  const needs = Object.entries(definition.needs);
  const optional = Object.entries(definition.optional ?? {});
  return {
    id: definition.id,
    per: definition.per,
    title: definition.title,
    ...(definition.families === undefined ? {} : { families: definition.families }),
    findings: definition.findings,
    declared: { needs: needs.map(([key]) => key), optional: optional.map(([key]) => key) },
    async run(subject, store, now, read) {
      const [have, may] = await Promise.all([
        Promise.all(needs.map(async ([name, source]) => [name, await store.get(source, subject)] as const)),
        Promise.all(optional.map(async ([name, source]) => [name, await store.get(source, subject)] as const)),
      ]);
      const failures: FactFailure[] = [];
      const facts: Record<string, Observed<unknown>> = {};
      for (const [name, result] of have) {
        if (result.ok) facts[name] = result.value;
        else if (!failures.some((f) => JSON.stringify(f) === JSON.stringify(result.error))) failures.push(result.error);
      }
      const [first, ...rest] = failures;
      if (first !== undefined) return { status: 'blocked', failures: [first, ...rest] };
      const watch = <T extends object>(target: T): T =>
        read === undefined
          ? target
          : new Proxy(target, {
              get(inner, property, receiver) {
                if (typeof property === 'string') read.add(property);
                return Reflect.get(inner, property, receiver) as unknown;
              },
            });
      return definition.judge({
        subject,
        // Each entry was just produced by the source declared under the same name.
        facts: watch(facts) as Facts<N>,
        maybe: watch(Object.fromEntries(may)) as MaybeFacts<O>,
        now,
      });
    },
  };
}

export const passed = (note: string, evidence: readonly Evidence[] = [], rulesOut?: readonly string[]): Outcome => ({
  status: 'ok',
  note,
  evidence,
  ...(rulesOut === undefined ? {} : { rulesOut }),
});

export const skipped = (reason: string): Outcome => ({ status: 'skipped', reason });

export const blocked = (failure: FactFailure): Outcome => ({ status: 'blocked', failures: [failure] });

/** Without a fact: skipped where there is nothing to look at, blocked where nobody could look. */
export const notSeen = (failure: FactFailure): Outcome =>
  failure.kind === 'unsupported' ? skipped(failure.because) : blocked(failure);

/** `problem` when there is a finding, else `ok`. */
export function judged(
  findings: readonly Finding[],
  note: string,
  evidence: readonly Evidence[] = [],
  rulesOut?: readonly string[],
): Outcome {
  const [first, ...rest] = findings;
  if (first === undefined) return passed(note, evidence, rulesOut);
  return { status: 'problem', note: first.summary, findings: [first, ...rest], evidence };
}
