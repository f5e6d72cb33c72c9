import { err } from '../../engine/result.ts';
import type { Schedule } from '../../engine/schedule.ts';
import { source } from '../io.ts';
import type { Server } from '../schemas/compute.ts';
import type { InstanceSubject } from '../subject.ts';
import { explainedInstance } from './explained.ts';

/** Nova's words where it found no host (nova/exception.py NoValidHost; the conductor's for a full cloud and for builds that failed everywhere). */
export const foundNoHost = (server: Server): boolean =>
  server.status === 'ERROR' &&
  /No valid host was found|Got no allocation candidates|anti-affinity|MaxRetriesExceeded|Exceeded maximum number of retries/i.test(
    server.fault?.message ?? '',
  );

/**
 * Whether an instance never got a host, or lost it when its build failed. Where the host is hidden the fault has to tell.
 * Cells that are down hide it, too: status UNKNOWN is no answer.
 */
export const isUnplaced = (server: Server): boolean => {
  if (server.status !== 'ERROR' && server.status !== 'BUILD') return false;
  const host = server['OS-EXT-SRV-ATTR:host'];
  return host === undefined ? foundNoHost(server) : host === null || host === '';
};

/** The schedule of an instance that has no host; of any other it is nobody's question in a walk for its network. */
export const unplacedSchedule = source<InstanceSubject, Schedule>(
  'instance.unplaced-schedule',
  (subject) => subject.id,
  async (subject, facts) =>
    isUnplaced(subject.server.value)
      ? facts.get(explainedInstance, subject)
      : err({ kind: 'unsupported', because: 'it has a host' }),
);
