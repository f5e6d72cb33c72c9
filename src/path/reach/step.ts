/** Where in the cloud a step is decided, so that what is seen there can be put beside it. */
export type Stage = 'source-tap' | 'destination-tap' | 'router' | 'segment';

export type StepVerdict = 'passes' | 'dropped' | 'unknown' | 'translated';

/** The thing of the API that decides a step. */
export interface Decider {
  readonly kind:
    | 'port'
    | 'security-group'
    | 'security-group-rule'
    | 'network'
    | 'subnet'
    | 'router'
    | 'floating-ip'
    | 'address';
  readonly id: string;
  readonly name?: string;
}

/** What a step is about. */
export type Topic = 'port' | 'port-security' | 'rules' | 'route' | 'translation' | 'segment' | 'router' | 'arrival';

/** One decision on the way of a packet, with who takes it. */
export interface Step {
  /** there: the packet itself; back: its answer. */
  readonly way: 'there' | 'back';
  readonly topic: Topic;
  /** `web-1 (10.0.0.148)`, `router r1`, `network private`. */
  readonly where: string;
  readonly at: Stage;
  readonly host?: string;
  readonly verdict: StepVerdict;
  /** A clause without a full stop. */
  readonly because: string;
  readonly object: Decider;
  /** Of what is unknown: what would tell. */
  readonly tell?: string;
}
