import { observed } from '../engine/fact.ts';
import type { Symptom } from '../engine/symptom.ts';
import { type ProbeOption, source } from './io.ts';
import type { PortSubject } from './subject.ts';

/** What the operator wants to know about: the traffic, and where it comes from. */
export interface Asked {
  readonly probes: readonly ProbeOption[];
  /** The operator named the probes himself: each of them matters. */
  readonly explicit: boolean;
  readonly from: string | undefined;
  readonly symptom: Symptom | undefined;
}

export const asked = source<PortSubject, Asked>(
  'run.probes',
  () => '',
  async (_, facts) =>
    observed({
      probes: facts.io.options.probes,
      explicit: facts.io.options.explicitProbes,
      from: facts.io.options.from,
      symptom: facts.io.options.symptom,
    }),
);
