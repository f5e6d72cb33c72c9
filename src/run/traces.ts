import type { FactStore } from '../engine/fact.ts';
import type { Trace } from '../engine/trace.ts';
import type { Io } from '../facts/io.ts';
import type { PortSubject } from '../facts/subject.ts';
import { followedLegs } from '../facts/trace/followed.ts';
import { logicalWords, opinions } from '../facts/trace/opinions.ts';
import { isTraceable } from './conditions.ts';

/** The stretches that were followed, where a trace was asked for. */
export async function tracesOf(ports: readonly PortSubject[], facts: FactStore<Io>): Promise<Trace[]> {
  if (facts.io.options.trace === undefined) return [];
  const found = await Promise.all(
    ports.filter(isTraceable).map(async (port) => {
      const [legs, asked] = await Promise.all([facts.get(followedLegs, port), facts.get(opinions, port)]);
      const said = asked.ok ? asked.value.value : [];
      return (legs.ok ? legs.value.value : []).map(({ run, trace }): Trace => {
        const opinion = said.find((o) => o.leg.run.planned === run.planned);
        const words = opinion === undefined ? undefined : logicalWords(opinion);
        return words === undefined ? trace : { ...trace, notes: [...trace.notes, `Asked about it, ${words}.`] };
      });
    }),
  );
  return found.flat();
}
