import type { FactStore } from '../engine/fact.ts';
import type { Trace } from '../engine/trace.ts';
import type { Io } from '../facts/io.ts';
import type { PortSubject } from '../facts/subject.ts';
import { followedLegs } from '../facts/trace/followed.ts';
import { isTraceable } from './conditions.ts';

/** The stretches that were followed, where a trace was asked for. */
export async function tracesOf(ports: readonly PortSubject[], facts: FactStore<Io>): Promise<Trace[]> {
  if (facts.io.options.trace === undefined) return [];
  const found = await Promise.all(ports.filter(isTraceable).map((port) => facts.get(followedLegs, port)));
  return found.flatMap((legs) => (legs.ok ? legs.value.value.map(({ trace }) => trace) : []));
}
