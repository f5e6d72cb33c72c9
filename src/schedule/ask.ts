import type { Estate } from './estate.ts';
import type { PlacementQuery } from './query.ts';
import type { Wish } from './wish.ts';

/** What Nova's scheduler asks Placement for a request (nova/scheduler/utils.py ResourceRequest, nova/scheduler/request_filter.py). */
export function placementQuery(_wish: Wish, _estate: Estate): PlacementQuery {
  return { constraints: [] };
}
