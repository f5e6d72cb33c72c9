import type { Evidence } from './evidence.ts';
import type { FactFailure } from './failure.ts';
import type { Finding } from './finding.ts';

/** What a check came to. Closed: every reporter switches over all five. */
export type Outcome =
  | {
      readonly status: 'ok';
      readonly note: string;
      readonly evidence: readonly Evidence[];
      readonly rulesOut?: readonly string[];
    }
  | {
      readonly status: 'problem';
      readonly note: string;
      readonly findings: readonly [Finding, ...Finding[]];
      readonly evidence: readonly Evidence[];
    }
  | { readonly status: 'skipped'; readonly reason: string }
  | { readonly status: 'blocked'; readonly failures: readonly [FactFailure, ...FactFailure[]] }
  | { readonly status: 'unknown'; readonly error: string };
