import type { HostVerdict } from '../engine/schedule.ts';
import type { Provider } from './estate.ts';
import type { PlacementQuery } from './query.ts';

/** A provider tree: the root first, then all its descendants. */
export type ProviderTree = readonly [Provider, ...Provider[]];

/** Whether Placement gives candidates of one tree. */
export function admits(_query: PlacementQuery, _tree: ProviderTree): HostVerdict {
  return { state: 'passes' };
}
