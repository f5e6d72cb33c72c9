import type { TracePlace } from '../../engine/trace.ts';

/**
 * How far a place is on the walk there and back: 0 is the sender, then the points, the answerer, the points again; the
 * sender at the end of it where that is meant.
 */
export function stationOf(place: TracePlace, points: number, atEnd: boolean): number {
  if (place.at === 'answerer') return points + 1;
  if (place.at === 'sender') return atEnd ? 2 * points + 2 : 0;
  return place.way === 'there' ? place.point + 1 : 2 * points + 1 - place.point;
}
