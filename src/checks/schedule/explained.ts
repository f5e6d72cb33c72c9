import { blocked, defineCheck, judged, passed } from '../../engine/check.ts';
import { server } from '../../facts/instance-api.ts';
import type { Io } from '../../facts/io.ts';
import { buriedCell, isBuried } from '../../facts/schedule/cells.ts';
import { explainedInstance } from '../../facts/schedule/explained.ts';
import { schedulerSaid } from '../../facts/schedule/said.ts';
import { isUnplaced } from '../../facts/schedule/unplaced.ts';
import type { InstanceSubject } from '../../facts/subject.ts';
import { fitsWords } from '../../schedule/in-words.ts';
import { buriedFinding } from '../instance/buried.ts';
import { cellDown, noValidHost } from '../instance/codes.ts';
import { instanceScope, verifyWith } from '../scope.ts';
import { scheduleSpecs } from './codes.ts';
import { unplacedFinding } from './instance.ts';
import { scheduleFinding } from './judge.ts';
import { cannotTell } from './untold.ts';

const needs = { server };
const optional = { schedule: explainedInstance, said: schedulerSaid, cell: buriedCell };

export default defineCheck<Io, InstanceSubject, typeof needs, typeof optional>({
  id: 'schedule.explained',
  per: 'instance',
  title: 'Every host was held against what the instance asks for',
  needs,
  optional,
  findings: [noValidHost, cellDown, ...scheduleSpecs],
  judge: ({ subject, facts, maybe, now }) => {
    const { server: s } = facts;
    const verify = verifyWith('schedule', subject);
    if (isBuried(s.value)) {
      const located = maybe.cell.ok ? { located: maybe.cell.value } : {};
      return judged([buriedFinding({ subject, server: s, ...located, verify })], '');
    }
    if (!maybe.schedule.ok) return blocked(maybe.schedule.error);
    const schedule = maybe.schedule.value;
    const { value, evidence } = schedule;
    if (!isUnplaced(s.value)) {
      const cannotMove =
        value.asked.movesFrom === undefined
          ? undefined
          : scheduleFinding(value, {
              evidence,
              said: [],
              scope: instanceScope(subject),
              at: new Date(now).toISOString(),
              verify,
            });
      if (cannotMove !== undefined) return judged([cannotMove], '', evidence);
      if (value.asked.movesFrom !== undefined && value.verdict === 'unknown') return blocked(cannotTell(value));
      const host = s.value['OS-EXT-SRV-ATTR:host'];
      return passed(
        `it has a host${host ? `, ${host}` : ''}; the same request once more: ${fitsWords(value)}`,
        evidence,
      );
    }
    const said = maybe.said.ok ? maybe.said.value.evidence : [];
    if (s.value.status !== 'ERROR' && value.verdict !== 'no-host')
      return value.verdict === 'fits'
        ? passed(`it waits for a host; ${fitsWords(value)}`, evidence)
        : blocked(cannotTell(value));
    return judged([unplacedFinding({ subject, server: s, schedule, said, now })], '', evidence);
  },
});
