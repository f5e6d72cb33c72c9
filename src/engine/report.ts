import type { Diagnosis } from './diagnosis.ts';
import type { Matrix } from './matrix.ts';
import type { Outcome } from './outcome.ts';
import type { Schedule } from './schedule.ts';
import type { Trace } from './trace.ts';

/** One check on one subject, with what it came to. */
export interface CheckReport {
  readonly id: string;
  readonly title: string;
  /** `web-1`, `port 5652dd5f`, `host cmp1`. */
  readonly subject: string;
  readonly outcome: Outcome;
}

/** A step of the walk: what a person sees as one line when all is well. */
export interface StepReport {
  readonly id: string;
  readonly title: string;
  readonly checks: readonly CheckReport[];
}

/** One hop as it is drawn. */
export interface DrawnHop {
  readonly label: string;
  readonly host?: string;
  /** Worst of what was found there; `unseen` when nothing looked. */
  readonly state: 'ok' | 'problem' | 'blocked' | 'unseen';
  /** How it is joined to the hop before: a cable in one host, the underlay between hosts, or nothing yet. */
  readonly join: 'start' | 'local' | 'underlay';
}

export interface DrawnPath {
  /** What plugs the port, as `--backend` names it. */
  readonly backend?: string;
  readonly title: string;
  readonly hops: readonly DrawnHop[];
}

/** What was diagnosed, in the words of the first line of the report. */
export interface TargetSummary {
  readonly name: string;
  readonly id: string;
  readonly status: string;
  readonly host?: string;
  /** The cell that Nova keeps its record in, where it was asked for: cell0 of one that never got a host. */
  readonly cell?: { readonly name: string; readonly uuid: string };
  readonly project?: string;
  /** Fixed address, and its floating address where it has one. */
  readonly addresses: readonly { readonly fixed: string; readonly floating?: string; readonly network: string }[];
}

/** What the operator asked about beside the instance itself. */
export interface AskedSummary {
  readonly symptom?: { readonly name: string; readonly title: string };
  /** The other end of `--to`, as it was found. */
  readonly peer?: { readonly name: string; readonly address: string; readonly host?: string; readonly id?: string };
}

export type ExitCode = 0 | 1 | 2 | 3 | 4 | 130;

/** The whole result: what every reporter is given, and what `--output json` prints. */
export interface RunReport {
  readonly schemaVersion: 1;
  readonly tool: { readonly name: 'ostk-doctor'; readonly version: string };
  readonly command: string;
  readonly cloud: { readonly name: string; readonly region?: string };
  readonly target?: TargetSummary;
  readonly asked?: AskedSummary;
  readonly startedAt: string;
  readonly elapsedMs: number;
  readonly paths: readonly DrawnPath[];
  readonly steps: readonly StepReport[];
  /** Who answers whom around each port that is sick; empty on a healthy run. */
  readonly matrices: readonly Matrix[];
  /** Probes that were followed through every place; absent where none were. */
  readonly traces?: readonly Trace[];
  /** Every host against every step of Nova's scheduling; absent where nobody asked. */
  readonly schedule?: Schedule;
  readonly diagnosis: Diagnosis;
  readonly counts: Readonly<Record<Outcome['status'], number>>;
  readonly traffic: {
    readonly apiRequests: number;
    readonly sshConnections: number;
    readonly sshChannels: number;
    readonly commands: number;
  };
  /** The next useful command. */
  readonly next: string;
  readonly exitCode: ExitCode;
}
