/**
 * Why a fact could not be had. A closed union: reporters and exit codes switch over it.
 * "Could not look" is never "fine" and never "broken".
 */
export type FactFailure =
  | { readonly kind: 'forbidden'; readonly what: string; readonly need: string }
  | { readonly kind: 'not-found'; readonly what: string }
  | {
      readonly kind: 'api';
      readonly service: string;
      readonly what: string;
      readonly status?: number;
      readonly detail: string;
      readonly requestId?: string;
    }
  | { readonly kind: 'shape'; readonly what: string; readonly detail: string }
  | {
      readonly kind: 'unreachable';
      readonly host: string;
      readonly stage: NodeFailureStage;
      readonly detail: string;
      /** What would grant access, as a sentence or a command. */
      readonly fix: string;
    }
  | {
      readonly kind: 'command';
      readonly host: string;
      readonly argv: readonly string[];
      readonly code: number | null;
      readonly detail: string;
    }
  | { readonly kind: 'missing-tool'; readonly host: string; readonly tool: string; readonly fix: string }
  | { readonly kind: 'sudo'; readonly host: string; readonly detail: string; readonly fix: string }
  | { readonly kind: 'timeout'; readonly what: string; readonly seconds: number }
  | { readonly kind: 'parse'; readonly what: string; readonly line: string }
  | { readonly kind: 'unsupported'; readonly because: string };

/** The step of reaching a node at which it failed. */
export type NodeFailureStage =
  | 'name'
  | 'tcp'
  | 'handshake'
  | 'host-key'
  | 'auth'
  | 'jump'
  | 'shell'
  | 'timeout'
  | 'lost';
