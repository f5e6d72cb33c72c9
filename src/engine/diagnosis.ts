import type { FactFailure } from './failure.ts';
import type { Finding } from './finding.ts';

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
  readonly couldNotLook: readonly CouldNotLook[];
}

export interface CouldNotLook {
  readonly what: string;
  readonly failure: FactFailure;
}
