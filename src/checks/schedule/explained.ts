import { blocked, defineCheck, judged, passed } from '../../engine/check.ts';
import { server } from '../../facts/instance-api.ts';
import type { Io } from '../../facts/io.ts';
import { explainedInstance } from '../../facts/schedule/explained.ts';
import { schedulerSaid } from '../../facts/schedule/said.ts';
import { isUnplaced } from '../../facts/schedule/unplaced.ts';
import type { InstanceSubject } from '../../facts/subject.ts';
import { fitsWords } from '../../schedule/in-words.ts';
import { noValidHost } from '../instance/codes.ts';
import { scheduleSpecs } from './codes.ts';
import { unplacedFinding } from './instance.ts';
import { cannotTell } from './untold.ts';

const needs = { server, schedule: explainedInstance };
const optional = { said: schedulerSaid };

export default defineCheck<Io, InstanceSubject, typeof needs, typeof optional>({
  id: 'schedule.explained',
  per: 'instance',
  title: 'Every host was held against what the instance asks for',
  needs,
  optional,
  findings: [noValidHost, ...scheduleSpecs],
  judge: ({ subject, facts, maybe, now }) => {
    const { server: s, schedule } = facts;
    const { value, evidence } = schedule;
    if (!isUnplaced(s.value)) {
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
