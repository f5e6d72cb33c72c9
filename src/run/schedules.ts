import type { FactStore } from '../engine/fact.ts';
import type { Schedule } from '../engine/schedule.ts';
import type { Io } from '../facts/io.ts';
import { explainedInstance, explainedWish } from '../facts/schedule/explained.ts';
import { wishOfInstance, wishOfOptions } from '../facts/schedule/wish.ts';
import { theCloud } from '../facts/subject.ts';
import type { Target } from './target.ts';

/** Finds what was named of a request before anything else is asked. @throws UserError when there is no such flavor, image, network ... */
export async function resolveWish(target: Target | undefined, facts: FactStore<Io>): Promise<void> {
  if (facts.io.options.wish === undefined) return;
  if (target === undefined) await facts.get(wishOfOptions, theCloud);
  else if (target.kind === 'instance') await facts.get(wishOfInstance, target.instance);
}

/** What the scheduling was explained to be; nothing where it could not be, which the check says. */
export async function scheduleOf(target: Target | undefined, facts: FactStore<Io>): Promise<Schedule | undefined> {
  if (target?.kind === 'port') return undefined;
  const found = await (target === undefined
    ? facts.get(explainedWish, theCloud)
    : facts.get(explainedInstance, target.instance));
  return found.ok ? found.value.value : undefined;
}
