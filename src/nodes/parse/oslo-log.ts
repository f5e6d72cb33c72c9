import { ok, type Result } from '../../engine/result.ts';
import { linesOf, type ParseFailure, present } from './parsing.ts';

export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'AUDIT' | 'WARNING' | 'ERROR' | 'CRITICAL';

export interface LogRecord {
  /**
   * `2026-11-21T00:27:40.297`, on the node's clock and in its time zone, which oslo.log does not print. Empty when the
   * line has no year (the journal's short form).
   */
  readonly at: string;
  readonly pid?: number;
  readonly level: LogLevel;
  readonly logger: string;
  /** `req-…`, when the line belongs to a request. */
  readonly requestId?: string;
  /** The instance it is about, when Nova says so. */
  readonly instanceId?: string;
  /** First line of the message. */
  readonly message: string;
  /** What followed it: the traceback, without the head that oslo.log repeats on each line. */
  readonly more: readonly string[];
}

/** Records of one shape: the same message but for its numbers, ids, addresses and times. */
export interface LogFold {
  readonly shape: string;
  readonly level: LogLevel;
  readonly logger: string;
  readonly count: number;
  readonly first: string;
  readonly last: string;
  /** The last record of this shape. */
  readonly sample: LogRecord;
}

const LEVELS = '(TRACE|DEBUG|INFO|AUDIT|WARNING|WARN|ERROR|CRITICAL)';
/** `2026-11-21 00:27:40.297 41 ERROR neutron.agent.dhcp.agent [-] …` */
const HEAD = new RegExp(
  `^(\\d{4}-\\d\\d-\\d\\d)[ T](\\d\\d:\\d\\d:\\d\\d(?:[.,]\\d{1,3})?)\\S* (?:(\\d+) )?${LEVELS} ([\\w.:-]+)(?: (.*))?$`,
);
/** What the journal (`-o short` or `short-iso`) and syslog put before a line: time, host, unit[pid]. */
const SYSLOG =
  /^(?:[A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\S*) \S+ [^\s[:]+(?:\[(\d+)\])?: (.*)$/;
/** In the journal the line may leave its time and process to systemd (DevStack's `logging_context_format_string`). */
const TIMELESS_HEAD = new RegExp(`^${LEVELS} ([\\w.:-]+)(?: (.*))?$`);
/** What readers of several containers put before a line: `neutron_server | `. */
const PIPE = /^[\w.-]*\s*\| /;
const COLOUR = /\u001b\[[\d;]*m/g;
/** `[-]`, `[req-…]`, `[None req-… user project …]`; Nova puts `[instance: …]` after it. */
const CONTEXT = /^\[(?!instance: )[^\]]*\](?: |$)/;
const INSTANCE = /^\[instance: ([\da-f-]{36})\] ?/;
const LONGEST_MESSAGE = 2000;
const MOST_MORE = 100;

/**
 * Lines of a log of oslo.log, from a file, a container or the journal. An exception's lines, each of which repeats the
 * head without the context, are joined to the record they belong to; where a tail begins inside an exception, its
 * rest is a record without a message. Lines before the first head are left out.
 */
export function parseOsloLog(stdout: string): Result<readonly LogRecord[], ParseFailure> {
  const records: { record: LogRecord; more: string[] }[] = [];
  for (const raw of linesOf(stdout)) {
    const line = lineOf(raw.replace(COLOUR, ''));
    const last = records.at(-1);
    if (line.head === undefined) {
      if (last !== undefined && last.more.length < MOST_MORE) last.more.push(line.text.slice(0, LONGEST_MESSAGE));
    } else if (last !== undefined && continues(last.record, line.head)) {
      if (last.more.length < MOST_MORE) last.more.push(line.head.record.message);
    } else {
      const { record, contextless } = line.head;
      const headless = contextless && /^(?:$|\s|Traceback \(most recent call last\))/.test(record.message);
      records.push({
        record: headless ? { ...record, message: '' } : record,
        more: headless ? [record.message] : [],
      });
    }
  }
  return ok(records.map(({ record, more }) => ({ ...record, more: more.filter((line) => line.trim() !== '') })));
}

interface Head {
  readonly record: LogRecord;
  readonly contextless: boolean;
}

function lineOf(line: string): { readonly text: string; readonly head?: Head } {
  const syslog = SYSLOG.exec(line);
  const text = (syslog?.[3] ?? line).replace(PIPE, '');
  const head = HEAD.exec(text);
  if (head !== null) {
    const [, day = '', time = '', pid, level = '', logger = '', rest = ''] = head;
    return { text, head: headOf(`${day}T${time.replace(',', '.')}`, pid, level, logger, rest) };
  }
  const timeless = syslog === null ? null : TIMELESS_HEAD.exec(text);
  if (timeless === null) return { text };
  const [, level = '', logger = '', rest = ''] = timeless;
  return { text, head: headOf(syslog?.[1] ?? '', syslog?.[2], level, logger, rest) };
}

function headOf(at: string, pid: string | undefined, level: string, logger: string, rest: string): Head {
  const context = CONTEXT.exec(rest)?.[0] ?? '';
  const said = rest.slice(context.length);
  const instance = INSTANCE.exec(said);
  const record: LogRecord = present({
    at,
    pid: pid === undefined ? undefined : Number(pid),
    level: (level === 'WARN' ? 'WARNING' : level) as LogLevel,
    logger,
    requestId: /\breq-[\da-f-]{36}(?![\da-f-])/.exec(context)?.[0],
    instanceId: instance?.[1],
    message: said.slice(instance?.[0].length ?? 0).slice(0, LONGEST_MESSAGE),
    more: [],
  });
  return { record, contextless: context === '' };
}

/** oslo.log repeats the head, to the millisecond, on every line of an exception; TRACE is the old form of the same. */
function continues(last: LogRecord, { record, contextless }: Head): boolean {
  if (record.logger !== last.logger || record.pid !== last.pid || record.at !== last.at) return false;
  return contextless && (record.level === last.level || record.level === 'TRACE');
}

export interface FoldOptions {
  /** WARNING too; without it only ERROR, CRITICAL, TRACE and records with a traceback. */
  readonly warnings?: boolean;
}

/** Groups records by what they say, the most frequent first; equal counts keep the order of their last record. */
export function foldLines(records: readonly LogRecord[], options: FoldOptions = {}): readonly LogFold[] {
  const folds = new Map<string, { first: string; count: number; shape: string; sample: LogRecord }>();
  for (const record of records) {
    if (!matters(record, options.warnings === true)) continue;
    const shape = shapeOf(record);
    const key = `${record.level} ${record.logger} ${shape}`;
    const fold = folds.get(key);
    folds.set(key, { first: fold?.first ?? record.at, count: (fold?.count ?? 0) + 1, shape, sample: record });
  }
  return [...folds.values()]
    .map(({ first, count, shape, sample }) => ({
      shape,
      level: sample.level,
      logger: sample.logger,
      count,
      first,
      last: sample.at,
      sample,
    }))
    .sort((a, b) => b.count - a.count || (a.last < b.last ? 1 : a.last > b.last ? -1 : 0));
}

function matters(record: LogRecord, warnings: boolean): boolean {
  switch (record.level) {
    case 'ERROR':
    case 'CRITICAL':
    case 'TRACE':
      return true;
    case 'WARNING':
      return warnings || hasTraceback(record);
    case 'INFO':
    case 'DEBUG':
    case 'AUDIT':
      return hasTraceback(record);
  }
}

function hasTraceback(record: LogRecord): boolean {
  return record.more.some((line) => line.startsWith('Traceback (most recent call last)'));
}

const IPV6 =
  /(?<![\w:])(?:[\da-f]{1,4}(?::[\da-f]{1,4}){7}|(?:(?:[\da-f]{1,4}:){1,7}:|::)(?:[\da-f]{1,4}(?::[\da-f]{1,4}){0,6})?)(?:\/\d{1,3})?(?![\w:])/gi;

/** The message, or the last line of the traceback when the message is empty, with what varies replaced. */
function shapeOf(record: LogRecord): string {
  const said = record.message !== '' ? record.message : (record.more.findLast((line) => line.trim() !== '') ?? '');
  return said
    .slice(0, 500)
    .replace(/\b[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\b/gi, '<uuid>')
    .replace(/\b(?:[\da-f]{2}:){5}[\da-f]{2}\b/gi, '<mac>')
    .replace(/\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?/g, '<time>')
    .replace(/\b\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?\b/g, '<ip>')
    .replace(IPV6, '<ip>')
    .replace(/\b0x[\da-f]+\b/gi, '<n>')
    .replace(/\b(?=[a-f]*\d)[\da-f]{12,}\b/gi, '<hex>')
    .replace(/\b(tap|brq|qbr|qvb|qvo|qr-|qg-|ns-|sg-|ha-|rfp-|fpr-|fg-)[\da-f]{8}-[\da-f]{1,3}\b/g, '$1<id>')
    .replace(/\binstance-[\da-f]{8}\b/g, 'instance-<n>')
    .replace(/(?<![A-Za-z\d])\d+(?:\.\d+)?/g, '<n>');
}
