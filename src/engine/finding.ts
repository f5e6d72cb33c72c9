import type { Evidence } from './evidence.ts';

export type Severity = 'error' | 'warning' | 'info';
export type Confidence = 'certain' | 'likely' | 'possible';
/** How far apart cause and symptom may be: the keys of a finding's scope that must share a value. `run`: always. */
export type Relation = 'run' | 'instance' | 'port' | 'host' | 'network' | 'router' | 'agent' | 'link';

/** What a finding is about, in the words that relate it to other findings. */
export type Scope = Readonly<Partial<Record<Exclude<Relation, 'run'>, readonly string[]>>>;

export interface Explains {
  readonly code: string;
  /** All of these must hold between cause and symptom. */
  readonly over: readonly Relation[];
}

/** One command an operator may paste, and where. */
export interface RemedyStep {
  /** `operator`: the machine the doctor runs on, with the openstack client. */
  readonly where: { readonly kind: 'operator' } | { readonly kind: 'host'; readonly host: string };
  readonly argv?: readonly [string, ...string[]];
  readonly note?: string;
  /** The service that `argv` restarts as distribution packages would; the layout of the host has the last word. */
  readonly restarts?: string;
}

export interface Remedy {
  readonly title: string;
  readonly risk: 'none' | 'reversible' | 'brief-interruption' | 'disruptive';
  readonly steps: readonly RemedyStep[];
  /** True when these steps alone mend the fault; false when they only lead on. */
  readonly sufficient: boolean;
  /** Of a request that no host fits: the hosts that it would have with this. */
  readonly fits?: readonly string[];
}

/** The fixed part of a code. Codes are API: never reused, retired ones stay listed. */
export interface FindingSpec {
  readonly code: string;
  readonly severity: Severity;
  /** What is wrong, in a few words; for lists. */
  readonly title: string;
  /** What it means, for `explain` and the page. */
  readonly meaning: string;
  /** How it is told, and what would look the same. */
  readonly evidence: string;
  /** How it is mended. */
  readonly mend: string;
  readonly explains: readonly Explains[];
  readonly refs: readonly string[];
  /**
   * cause: something broken that somebody can mend. symptom: something that does not work for a reason that lies
   * elsewhere; it is named as a cause only when nothing explains it.
   */
  readonly nature: 'cause' | 'symptom';
}

export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  readonly nature: 'cause' | 'symptom';
  readonly confidence: Confidence;
  /** One sentence that names the thing and the place. */
  readonly summary: string;
  /** Name of the thing, for tables and the score: `agent neutron-l3-agent@net1`, `port 5652dd5f`, `rule …`. */
  readonly subject: string;
  readonly scope: Scope;
  readonly evidence: readonly [Evidence, ...Evidence[]];
  readonly remedies: readonly Remedy[];
  /** Command line of the doctor that proves the mend. */
  readonly verify: string;
}
