import type { HostFacts } from '../estate.ts';
import type { Judgement } from '../judgement.ts';
import type { Scene } from '../scene.ts';

/** A filter of nova-scheduler as it judges one host, whatever the filters before it came to. */
export interface Filter {
  /** As a column's head. */
  readonly title: string;
  judge(host: HostFacts, scene: Scene): Judgement;
  /**
   * Whether a pass can be trusted against the scheduler's log: everything that the filter looks at can be seen from outside. What such a
   * filter dropped a while ago and lets pass now has changed in between.
   */
  readonly isWhole: boolean;
}
