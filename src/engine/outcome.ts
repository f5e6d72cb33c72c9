import type { Evidence } from './evidence.ts';
import type { FactFailure } from './failure.ts';
import type { Finding } from './finding.ts';

/** What could have been the cause and is not, with the observations that exclude it. */
export interface Exclusion {
  readonly what: string;
  readonly evidence: readonly [Evidence, ...Evidence[]];
}

/** What a check came to. Closed: every reporter switches over all five. */
export type Outcome =
  | {
      readonly status: 'ok';
      readonly note: string;
      readonly evidence: readonly Evidence[];
      /** What this evidence excludes as the cause. */
      readonly rulesOut?: readonly string[];
      /** What is excluded by observations of its own. */
      readonly exclusions?: readonly Exclusion[];
    }
  | {
      readonly status: 'problem';
      readonly note: string;
      readonly findings: readonly [Finding, ...Finding[]];
      readonly evidence: readonly Evidence[];
      /** Finding one thing may exclude others. */
      readonly exclusions?: readonly Exclusion[];
    }
  | { readonly status: 'skipped'; readonly reason: string }
  | { readonly status: 'blocked'; readonly failures: readonly [FactFailure, ...FactFailure[]] }
  | { readonly status: 'unknown'; readonly error: string };
