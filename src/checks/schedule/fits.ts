import { blocked, defineCheck, judged, passed } from '../../engine/check.ts';
import type { Io } from '../../facts/io.ts';
import { explainedWish } from '../../facts/schedule/explained.ts';
import { typedWish } from '../../facts/schedule/typed.ts';
import type { CloudSubject } from '../../facts/subject.ts';
import { quoteArgv } from '../../nodes/quote.ts';
import { fitsWords } from '../../schedule/in-words.ts';
import { scheduleSpecs } from './codes.ts';
import { scheduleFinding } from './judge.ts';
import { cannotTell } from './untold.ts';

const needs = { schedule: explainedWish, typed: typedWish };

export default defineCheck<Io, CloudSubject, typeof needs>({
  id: 'schedule.fits',
  per: 'cloud',
  title: 'A host could take what is asked for',
  needs,
  findings: scheduleSpecs,
  judge: ({ facts, now }) => {
    const { value: schedule, evidence } = facts.schedule;
    const finding = scheduleFinding(schedule, {
      evidence,
      said: [],
      scope: {},
      at: new Date(now).toISOString(),
      verify: quoteArgv(['ostk-doctor', 'schedule', ...facts.typed.value]),
    });
    if (finding !== undefined) return judged([finding], '', evidence);
    return schedule.verdict === 'fits' ? passed(fitsWords(schedule), evidence) : blocked(cannotTell(schedule));
  },
});
