import { span } from '../../engine/age.ts';
import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import { observed } from '../../engine/fact.ts';
import type { Finding } from '../../engine/finding.ts';
import { findingOf } from '../../engine/finding-of.ts';
import { agents, computeServices } from '../../facts/cloud-api.ts';
import { actions } from '../../facts/instance-api.ts';
import { type Io, showing, source } from '../../facts/io.ts';
import { pathLogs, type ServiceLog } from '../../facts/logs.ts';
import { type PortSubject, theCloud } from '../../facts/subject.ts';
import { foldLines, type LogFold, type LogRecord, parseOsloLog } from '../../nodes/parse/oslo-log.ts';
import { ageOf } from '../log-age.ts';
import { agentName, ownerName, portScope, verifyWith } from '../scope.ts';
import { errorsAbout, queueUnreachable } from './codes.ts';

const window = source<PortSubject, number>(
  'run.since',
  () => '',
  async (_, facts) => observed(facts.io.options.sinceSeconds),
);

const requests = source<PortSubject, readonly string[]>(
  'port.requests',
  (s) => s.id,
  async (subject, facts) => {
    if (subject.instance === undefined) return observed([]);
    const found = await facts.get(actions, subject.instance);
    return found.ok
      ? observed(
          found.value.value.map((a) => a.request_id),
          ...found.value.evidence,
        )
      : observed([]);
  },
);

/** Services that report again, as `binary@host`: what they logged while they could not is history. */
const reporting = source<PortSubject, ReadonlySet<string>>(
  'port.reporting',
  (s) => s.id,
  async (_, facts) => {
    const [list, computes] = await Promise.all([facts.get(agents, theCloud), facts.get(computeServices, theCloud)]);
    if (!list.ok) return list;
    return observed(
      new Set([
        ...list.value.value.filter((a) => a.alive).map((a) => agentName(a.binary, a.host)),
        ...(computes.ok ? computes.value.value : [])
          .filter((c) => c.state === 'up')
          .map((c) => agentName(c.binary, c.host)),
      ]),
      ...list.value.evidence,
    );
  },
);

const needs = { logs: pathLogs, since: window };
const optional = { requests, reporting };

interface Sighting {
  readonly log: ServiceLog;
  readonly fold: LogFold;
  readonly age: number | undefined;
}

const text = (record: LogRecord): string => [record.message, ...record.more].join('\n');

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'logs.errors',
  per: 'port',
  title: 'The logs of the services on the path are quiet about it',
  needs,
  optional,
  findings: [errorsAbout, queueUnreachable],
  judge: ({ subject, facts, maybe, now }) => {
    const { logs, unseen } = facts.logs.value;
    const since = facts.since.value;
    const ids = [
      subject.id,
      subject.port.value.network_id,
      subject.id.slice(0, 11),
      ...(subject.instance === undefined ? [] : [subject.instance.id]),
    ];
    const asked = new Set(maybe.requests.ok ? maybe.requests.value.value : []);
    let requested = 0;
    const about: Sighting[] = [];
    const queue: Sighting[] = [];
    let others = 0;
    for (const log of logs) {
      const records = parseOsloLog(log.lines.join('\n'));
      if (!records.ok) continue;
      const fresh = records.value.filter((r) => {
        const age = ageOf(r, log, now);
        return age !== undefined && age <= since;
      });
      const mine = fresh.filter(
        (r) =>
          (subject.instance !== undefined && r.instanceId === subject.instance.id) ||
          ids.some((id) => text(r).includes(id)),
      );
      requested += fresh.filter((r) => r.requestId !== undefined && asked.has(r.requestId) && !mine.includes(r)).length;
      const amqp = fresh.filter(
        (r) =>
          r.logger.startsWith('oslo.messaging') &&
          /AMQP server|unreachable|Connection (refused|reset)/i.test(r.message),
      );
      const sight = (rs: readonly LogRecord[]): Sighting[] =>
        foldLines(rs).map((fold) => ({ log, fold, age: ageOf(fold.sample, log, now) }));
      about.push(...sight(mine));
      const again = maybe.reporting.ok && maybe.reporting.value.value.has(agentName(log.service, log.host));
      if (again) others += amqp.length;
      else queue.push(...sight(amqp.filter((r) => !mine.includes(r))));
      others += fresh.length - mine.length - amqp.length;
    }
    const line = (s: Sighting): string =>
      `${s.fold.count} × ${s.fold.level} ${s.fold.logger}: ${s.fold.sample.message.slice(0, 200)} (last ${span(s.age ?? 0)} ago)`;
    const findings: Finding[] = [];
    const verify = verifyWith('logs', subject);
    const byLog = (sightings: readonly Sighting[]): Map<ServiceLog, Sighting[]> => {
      const groups = new Map<ServiceLog, Sighting[]>();
      for (const s of sightings) groups.set(s.log, [...(groups.get(s.log) ?? []), s]);
      return groups;
    };
    for (const [log, sightings] of byLog(queue)) {
      const count = sightings.reduce((n, s) => n + s.fold.count, 0);
      const last = Math.min(...sightings.map((s) => s.age ?? 0));
      findings.push(
        findingOf(queueUnreachable, {
          summary: `${log.service} on ${log.host} could not reach its message queue (${count} lines, last ${span(last)} ago)`,
          subject: `log ${agentName(log.service, log.host)}`,
          scope: portScope(subject, { host: [log.host], agent: [agentName(log.service, log.host)] }),
          evidence: [showing(log.evidence, sightings.slice(-3).map(line))],
          verify,
        }),
      );
    }
    for (const [log, sightings] of byLog(about)) {
      const [first] = sightings;
      if (first === undefined) continue;
      const count = sightings.reduce((n, s) => n + s.fold.count, 0);
      findings.push(
        findingOf(errorsAbout, {
          summary: `${log.service} on ${log.host} has ${count} error line${count === 1 ? '' : 's'} about ${ownerName(subject)}: ${first.fold.sample.message.slice(0, 120)}`,
          subject: `log ${agentName(log.service, log.host)}`,
          scope: portScope(subject, { host: [log.host], agent: [agentName(log.service, log.host)] }),
          severity: 'info',
          evidence: [showing(log.evidence, sightings.slice(0, 4).map(line))],
          verify,
        }),
      );
    }
    const [blind] = unseen;
    if (findings.length === 0 && logs.length === 0 && blind !== undefined) return blocked(blind.failure);
    if (findings.length === 0 && logs.length === 0) return skipped('no log of its path is in reach');
    const where = [...new Set(unseen.map((u) => u.host))];
    const note = `nothing about ${ownerName(subject)} in the last ${span(since)}${requested > 0 ? `; ${requested} error lines of its requests` : ''}${others > 0 ? `; ${others} other error lines` : ''} (${logs.length} logs${where.length === 0 ? '' : `; not seen: ${where.join(', ')}`})`;
    return judged(
      findings,
      note,
      logs.map((l) => l.evidence),
    );
  },
});
