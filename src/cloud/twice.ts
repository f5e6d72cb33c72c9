import type { FactFailure } from '../engine/failure.ts';
import type { Result } from '../engine/result.ts';
import type { Answer } from './cloud.ts';

/** Nova reads when a service last reported first and says whether that is long ago last: of a slow answer `down` means nothing. */
const slowMs = 30_000;

/**
 * Asks Nova once more for what it collects from all cells, where it took too long. The first question after the database of a cell has
 * gone silent waits for a connection that is dead (CELL_TIMEOUT of nova/context.py, 60 s), the next for a new one (10 s,
 * connect_timeout of PyMySQL).
 */
export async function twice<T>(
  ask: () => Promise<Result<Answer<T>, FactFailure>>,
): Promise<Result<Answer<T>, FactFailure>> {
  const first = await ask();
  const isSlow = first.ok ? first.value.ms > slowMs : first.error.kind === 'timeout';
  if (!isSlow) return first;
  const second = await ask();
  return second.ok || !first.ok ? second : first;
}
