/** Time as the run sees it: the wall clock when live, the recorded moment when a bundle is replayed. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export const wallClock: Clock = { now: () => Date.now() };

/** A clock that stands still at the moment a bundle was recorded. */
export const frozenClock = (iso: string): Clock => {
  const at = Date.parse(iso);
  return { now: () => at };
};
