import type { ServiceLog } from '../facts/logs.ts';
import type { LogRecord } from '../nodes/parse/oslo-log.ts';

/** Age in seconds of a record, by the node's own clock and zone; undefined when it carries no date. */
export const ageOf = (record: LogRecord, log: ServiceLog, now: number): number | undefined => {
  const local = Date.parse(`${record.at.replace(',', '.')}Z`);
  if (Number.isNaN(local)) return undefined;
  const nodeNow = now / 1000 + log.clock.aheadSeconds + log.clock.zoneMinutes * 60;
  return nodeNow - local / 1000;
};
