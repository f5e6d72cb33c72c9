import type { FactStore } from '../engine/fact.ts';
import type { Matrix } from '../engine/matrix.ts';
import type { StepReport } from '../engine/report.ts';
import type { Io } from '../facts/io.ts';
import { neighbours } from '../facts/neighbours.ts';
import { type PortSubject, shortId } from '../facts/subject.ts';

/** The matrices that the checks of this run have looked at; nothing is sent for the report alone. */
export async function matricesOf(
  ports: readonly PortSubject[],
  facts: FactStore<Io>,
  steps: readonly StepReport[],
): Promise<Matrix[]> {
  const looked = new Set(
    steps.flatMap((s) =>
      s.checks
        .filter((c) => c.id === 'path.neighbours' && (c.outcome.status === 'ok' || c.outcome.status === 'problem'))
        .map((c) => c.subject),
    ),
  );
  const found = await Promise.all(
    ports.filter((p) => looked.has(`port ${shortId(p.id)}`)).map((p) => facts.get(neighbours, p)),
  );
  return found.flatMap((f) => (f.ok ? [f.value.value] : []));
}
