import { type Clock, frozenClock, wallClock } from '../engine/clock.ts';
import { UserError } from '../engine/error.ts';

/**
 * Time as a live run sees it. OSTK_DOCTOR_NOW (ISO 8601) lets it stand at the moment of a recording, so that the agents
 * of a served demo cloud are as alive as they were then.
 */
export function clockOf(env: Readonly<Record<string, string | undefined>>): Clock {
  const stated = env.OSTK_DOCTOR_NOW;
  if (stated === undefined || stated === '') return wallClock;
  if (Number.isNaN(Date.parse(stated))) {
    throw new UserError(`OSTK_DOCTOR_NOW is not a time: ${stated}`, { hint: 'unset it; only a demo cloud needs it' });
  }
  return frozenClock(stated);
}
