import type { PlacementQuery } from './query.ts';

/** Microversion at which Nova asks for allocation candidates (nova/scheduler/client/report.py SAME_SUBTREE_VERSION). */
export const candidatesMicroversion = '1.36';

/**
 * The query of `GET /allocation_candidates?…`, as Nova's report client writes it; undefined where Nova would not ask at all, because
 * a pre-filter found nothing that could satisfy it (an availability zone without a host).
 */
export function queryString(_query: PlacementQuery, _limit = 1000): string | undefined {
  return '';
}
