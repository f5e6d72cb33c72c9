/** What happened to the probes between two readings: packets that one sender sent in vain, per ping. */
export interface Round {
  /** Packets that got no answer, one number a ping. */
  readonly lost: readonly number[];
  /** Packets sent, in the same order. */
  readonly sent: readonly number[];
}

/**
 * How a counter's rise fits what was lost. same: in every round it rose by what some of the pings lost. some: it rose in every round,
 * by another number. none: it stood still in one of them at least.
 */
export type Fit = 'same' | 'some' | 'none';

/** A few packets of others may meet the same counter. */
const SLACK = 1;

/**
 * Compares a counter's rises with the rounds. `perConnection`: it counts a ping once, however many packets it has (the nat table
 * sees the first packet of a connection only).
 */
export function fitOf(rises: readonly number[], rounds: readonly Round[], perConnection = false): Fit {
  if (rises.length === 0 || rises.length !== rounds.length || rises.some((rise) => rise <= 0)) return 'none';
  const pings = rounds[0]?.lost.length ?? 0;
  // The same pings must explain the rise in every round: that is what chance seldom does.
  for (let some = 1; some < 1 << Math.min(pings, 6); some += 1) {
    const chosen = Array.from({ length: pings }, (_, at) => at).filter((at) => (some >> at) & 1);
    const fits = rounds.every(({ lost }, at) => {
      const expected = chosen.reduce((sum, ping) => {
        const packets = lost[ping] ?? 0;
        return sum + (perConnection ? Math.min(1, packets) : packets);
      }, 0);
      return expected > 0 && Math.abs((rises[at] ?? 0) - expected) <= SLACK;
    });
    if (fits) return 'same';
  }
  return 'some';
}
