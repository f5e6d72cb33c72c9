/** Where an observation came from. `argv` is data: it is quoted only when it is shown. */
export type EvidenceSource =
  | {
      readonly kind: 'api';
      readonly service: string;
      readonly method: string;
      readonly path: string;
      readonly status: number;
      readonly requestId?: string;
    }
  | {
      readonly kind: 'command';
      readonly host: string;
      readonly argv: readonly string[];
      readonly code: number | null;
    }
  | { readonly kind: 'derived'; readonly from: string };

/** One observation a stranger can repeat: where it was made, when, and the lines that show it. */
export interface Evidence {
  readonly source: EvidenceSource;
  /** ISO 8601, UTC, from the clock of the machine that runs the doctor. */
  readonly at: string;
  /** The lines that matter, already free of control characters; at most a few hundred bytes. */
  readonly excerpt: string;
}
