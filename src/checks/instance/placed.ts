import { defineCheck, judged, skipped } from '../../engine/check.ts';
import { server } from '../../facts/instance-api.ts';
import type { Io } from '../../facts/io.ts';
import { schedulerSaid } from '../../facts/schedule/said.ts';
import { foundNoHost, isUnplaced, unplacedSchedule } from '../../facts/schedule/unplaced.ts';
import type { InstanceSubject } from '../../facts/subject.ts';
import { scheduleSpecs } from '../schedule/codes.ts';
import { unplacedFinding } from '../schedule/instance.ts';
import { reasonOf } from '../schedule/reason.ts';
import { noValidHost } from './codes.ts';

const needs = { server };
const optional = { schedule: unplacedSchedule, said: schedulerSaid };

export default defineCheck<Io, InstanceSubject, typeof needs, typeof optional>({
  id: 'instance.placed',
  per: 'instance',
  title: 'A host was found for the instance',
  needs,
  optional,
  findings: [noValidHost, ...scheduleSpecs],
  judge: ({ subject, facts, maybe, now }) => {
    const s = facts.server;
    const schedule = maybe.schedule.ok ? maybe.schedule.value : undefined;
    const said = maybe.said.ok ? maybe.said.value.evidence : [];
    // A build that failed late has no host any more, and a fault of its own.
    const isScheduling =
      foundNoHost(s.value) || (isUnplaced(s.value) && schedule !== undefined && reasonOf(schedule.value) !== undefined);
    if (!isScheduling) return skipped('its scheduling did not fail');
    return judged(
      [unplacedFinding({ subject, server: s, ...(schedule === undefined ? {} : { schedule }), said, now })],
      '',
    );
  },
});
