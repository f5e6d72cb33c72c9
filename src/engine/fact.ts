import type { Evidence } from './evidence.ts';
import type { FactFailure } from './failure.ts';
import { err, ok, type Result } from './result.ts';

/** A value with the observations it was read from. */
export interface Observed<T> {
  readonly value: T;
  readonly evidence: readonly Evidence[];
}

export type FactResult<T> = Result<Observed<T>, FactFailure>;

/**
 * How one fact is obtained. It never judges good or bad. `Io` is what the application gives it to look with
 * (the cloud, the nodes, the options of the run); the engine does not know what that is.
 */
export interface FactSource<Io, S, T> {
  readonly name: string;
  /** Tells subjects apart; the fact is got once per name and key. */
  key(subject: S): string;
  collect(subject: S, facts: FactStore<Io>): Promise<FactResult<T>>;
}

/** Gets every fact once: ten checks that want the port list cost one request (single flight). */
export class FactStore<Io> {
  readonly io: Io;
  readonly #memo = new Map<string, Promise<FactResult<unknown>>>();

  constructor(io: Io) {
    this.io = io;
  }

  get<S, T>(source: FactSource<Io, S, T>, subject: S): Promise<FactResult<T>> {
    const key = `${source.name}\u0000${source.key(subject)}`;
    const known = this.#memo.get(key);
    // The map is keyed by the source's name, which is unique (proved by a test over the registry), so the type is T.
    if (known !== undefined) return known as Promise<FactResult<T>>;
    const fresh = source.collect(subject, this);
    this.#memo.set(key, fresh);
    return fresh;
  }
}

export const observed = <T>(value: T, ...evidence: readonly Evidence[]): FactResult<T> => ok({ value, evidence });
export const failed = <T>(failure: FactFailure): FactResult<T> => err(failure);

/** Applies a pure function to an observed value and keeps its evidence. */
export function mapFact<A, B>(fact: FactResult<A>, f: (value: A) => B): FactResult<B> {
  return fact.ok ? ok({ value: f(fact.value.value), evidence: fact.value.evidence }) : fact;
}
