import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import type { HttpClient, HttpFailure, HttpRequest, HttpResponse } from '../cloud/http.ts';
import { UserError } from '../engine/error.ts';
import { err, ok, type Result } from '../engine/result.ts';
import type { Command, CommandResult } from '../nodes/command.ts';
import type { NodeFailure, NodeTransport } from '../nodes/nodes.ts';
import { pack } from './archive.ts';
import {
  type ApiQuestion,
  type ApiRecord,
  answerHeaders,
  apiKey,
  BUNDLE_VERSION,
  commandKey,
  type HostFacts,
  hostDirs,
  type Manifest,
  type NodeRecord,
  questionOf,
  type RunManifest,
} from './format.ts';
import { createRedactor, type Redactor } from './redact.ts';

/** What is held in memory at most; later records are counted and left out. */
const HELD_BYTES = 192 * 1024 * 1024;
/** Longer texts get a file of their own, where a person can read them. */
const INLINE_CHARACTERS = 4096;

type HttpOutcome = Result<HttpResponse, HttpFailure>;
type CommandOutcome = Result<CommandResult, NodeFailure>;

/** Keeps what crosses the boundary in one run. Everything it is given is redacted before it is kept. */
export interface Recorder {
  readonly redactor: Redactor;
  /** Notes that a request was sent; the returned function notes its answer and gives back what the run may see of it. */
  asked(request: HttpRequest): (outcome: HttpOutcome) => HttpOutcome;
  /** The same for one command on one host; `batch` marks a failure of the whole channel. */
  ran(host: string, command: Command): (outcome: CommandOutcome, batch: boolean) => CommandOutcome;
  /** Notes why a host could not be reached, also when no command was on its way. */
  unreachable(host: string, failure: NodeFailure): void;
  /** Notes how a host was addressed and how its services are laid out. */
  host(name: string, facts: HostFacts): void;
  /** What was captured so far, by host in the order of the captures. */
  captures(): readonly { readonly host: string; readonly record: NodeRecord }[];
  /** The bundle as bytes: the same for the same records, in whatever order they came. */
  bytes(manifest: RunManifest): Promise<Buffer>;
  /** Writes the bundle, mode 0600, whole or not at all. Fails when the file cannot be written. */
  write(file: string, manifest: RunManifest): Promise<Result<void, UserError>>;
}

interface Slot<T> {
  record: T | undefined;
}

interface HostSlots {
  readonly slots: Slot<NodeRecord>[];
  facts: HostFacts;
  unreachable: NodeFailure | undefined;
}

export function createRecorder(options: { readonly redactor?: Redactor; readonly heldBytes?: number } = {}): Recorder {
  const redactor = options.redactor ?? createRedactor();
  const heldBytes = options.heldBytes ?? HELD_BYTES;
  const api: Slot<ApiRecord>[] = [];
  const hosts = new Map<string, HostSlots>();
  let held = 0;
  let dropped = 0;

  /** Whether so many more characters may be kept. */
  const room = (characters: number): boolean => {
    held += characters;
    if (held <= heldBytes) return true;
    held -= characters;
    dropped += 1;
    return false;
  };

  const hostSlots = (name: string): HostSlots => {
    let known = hosts.get(name);
    if (!known) {
      known = { slots: [], facts: {}, unreachable: undefined };
      hosts.set(name, known);
    }
    return known;
  };

  const recorder: Recorder = {
    redactor,

    asked(request) {
      learnFrom(request, redactor);
      const asked = questionOf(request);
      const question: ApiQuestion = { ...asked, url: redactor.text(asked.url) };
      const slot: Slot<ApiRecord> = { record: undefined };
      api.push(slot);
      return (outcome) => {
        if (!outcome.ok) {
          const error = redactor.deep(outcome.error);
          if (room(200)) slot.record = { ...question, outcome: err(error) };
          return err(error);
        }
        const token = outcome.value.headers['x-subject-token'];
        if (token !== undefined) redactor.learn(token);
        const seen: HttpResponse = {
          ...outcome.value,
          headers: safeHeaders(outcome.value.headers, redactor),
          body: redactor.body(outcome.value.body),
        };
        if (room(seen.body.length + 500)) slot.record = { ...question, outcome: ok(answerOf(seen)) };
        // only the session may hold the token, and only from a sign-in
        if (request.kind !== 'sign-in' || token === undefined) return ok(seen);
        return ok({ ...seen, headers: { ...seen.headers, 'x-subject-token': token } });
      };
    },

    captures: () =>
      [...hosts].flatMap(([host, { slots }]) =>
        slots.flatMap(({ record }) => (record?.impact === 'capture' ? [{ host, record }] : [])),
      ),

    ran(host, command) {
      const slot: Slot<NodeRecord> = { record: undefined };
      hostSlots(host).slots.push(slot);
      const asked = {
        argv: redactor.argv(command.argv),
        ...(command.netns === undefined ? {} : { netns: command.netns }),
        impact: command.impact,
        ...(command.round === undefined ? {} : { round: command.round }),
        ...(command.encoding === undefined ? {} : { encoding: command.encoding }),
      };
      return (outcome, batch) => {
        if (!outcome.ok) {
          const error = redactor.deep(outcome.error);
          if (room(500)) slot.record = { ...asked, outcome: { ok: false, error, batch } };
          return err(error);
        }
        const value: CommandResult = {
          code: outcome.value.code,
          // Bytes are kept as they are: what may be captured at all is decided where the command is made.
          stdout: command.encoding === undefined ? redactor.text(outcome.value.stdout) : outcome.value.stdout,
          stderr: redactor.text(outcome.value.stderr),
          truncated: outcome.value.truncated,
          timedOut: outcome.value.timedOut,
          startedAt: outcome.value.startedAt,
          ms: outcome.value.ms,
        };
        if (room(value.stdout.length + value.stderr.length + 500)) slot.record = { ...asked, outcome: ok(value) };
        return ok(value);
      };
    },

    unreachable(host, failure) {
      hostSlots(host).unreachable ??= redactor.deep(failure);
    },

    host(name, facts) {
      const known = hostSlots(name);
      known.facts = { ...known.facts, ...facts };
    },

    async bytes(run) {
      const files = new Map<string, Buffer>();
      for (const [name, facts] of Object.entries(run.hosts ?? {})) recorder.host(name, facts);
      const dirs = hostDirs([...hosts.keys()]);

      const exchanges = sortedBy(recorded(api), apiKey);
      for (const [n, record] of exchanges.entries()) writeExchange(files, `api/${numbered(n)}`, record);

      for (const [name, known] of hosts) {
        const dir = `nodes/${dirs.get(name)}`;
        const records = sortedBy(recorded(known.slots), (record) => commandKey(record, (argv) => argv));
        for (const [n, record] of records.entries()) writeCommand(files, `${dir}/${numbered(n)}`, record);
        const reached = records.some((record) => record.outcome.ok || !record.outcome.batch);
        if (known.unreachable && !reached) files.set(`${dir}/connect.json`, json(known.unreachable));
      }

      const manifest: Manifest = {
        bundleVersion: BUNDLE_VERSION,
        tool: { name: 'ostk-doctor', version: run.toolVersion },
        command: redactor.argv(run.command),
        startedAt: run.startedAt,
        elapsedMs: run.elapsedMs,
        ...(run.request === undefined ? {} : { request: redactor.deep(run.request) }),
        cloud: redactor.deep(run.cloud),
        ...(run.limits === undefined ? {} : { limits: run.limits }),
        ...(run.traffic === undefined ? {} : { traffic: run.traffic }),
        hosts: [...dirs].map(([name, dir]) => ({ name, dir, ...redactor.deep(hosts.get(name)?.facts ?? {}) })),
        ...(dropped === 0 ? {} : { dropped }),
      };
      files.set('manifest.json', json(manifest));
      return pack(files);
    },

    async write(file, run) {
      const bytes = await recorder.bytes(run);
      const beside = `${file}.${randomBytes(4).toString('hex')}.part`;
      try {
        await writeFile(beside, bytes, { mode: 0o600, flag: 'wx' });
        await rename(beside, file);
        return ok(undefined);
      } catch (error) {
        await rm(beside, { force: true });
        const why = error instanceof Error ? error.message : String(error);
        return err(
          new UserError(`cannot write the bundle ${file}`, { why, hint: 'choose another file or free some space' }),
        );
      }
    },
  };
  return recorder;
}

/** Puts a recorder around a client. What is answered is what is recorded, but for the token of a sign-in. */
export function recordHttp(inner: HttpClient, recorder: Recorder): HttpClient {
  return {
    async request(request, signal) {
      const answered = recorder.asked(request);
      return answered(await inner.request(request, signal));
    },
    close: () => inner.close(),
  };
}

/** Puts a recorder around a transport. What the run sees is what is recorded: redacted, so that a replay sees the same. */
export function recordTransport(inner: NodeTransport, recorder: Recorder): NodeTransport {
  return {
    // a transport may change its kind when it falls back to another way
    get kind() {
      return inner.kind;
    },
    host: inner.host,
    ...(inner.warm === undefined ? {} : { warm: () => inner.warm?.() }),
    async runBatch(commands, signal, onResult, enough) {
      const notes = commands.map((command) => recorder.ran(inner.host, command));
      const seen = new Map<number, CommandOutcome>();
      /** Each command is noted once: as soon as it answers, or with the batch. */
      const settle = (index: number, outcome: CommandOutcome, batch: boolean): CommandOutcome => {
        const known = seen.get(index);
        if (known) return known;
        const note = notes[index];
        if (!note) throw new Error(`${inner.host} answered command ${index + 1} of ${commands.length}`);
        const noted = note(outcome, batch);
        seen.set(index, noted);
        return noted;
      };
      const tell = (index: number, early: CommandOutcome) => onResult?.(index, settle(index, early, false));
      const outcome = await inner.runBatch(commands, signal, tell, enough);
      if (outcome.ok) return ok(outcome.value.map((result, index) => settle(index, result, false)));
      for (const index of commands.keys()) settle(index, outcome, true);
      const error = recorder.redactor.deep(outcome.error);
      recorder.unreachable(inner.host, error);
      return err(error);
    },
    close: () => inner.close(),
  };
}

/** The secrets of the sign-in itself, so that they are found wherever they turn up. */
function learnFrom(request: HttpRequest, redactor: Redactor): void {
  for (const [name, value] of Object.entries(request.headers)) {
    if (/^(?:x-auth-token|x-subject-token|authorization)$/i.test(name)) redactor.learn(value.replace(/^\S+ /, ''));
  }
  if (request.kind !== 'sign-in') return;
  let body: unknown;
  try {
    body = JSON.parse(request.body);
  } catch {
    return;
  }
  const visit = (node: unknown, parent: string): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [name, inner] of Object.entries(node)) {
      const secret = /^(?:password|secret|passcode)$/.test(name) || (parent === 'token' && name === 'id');
      if (typeof inner === 'string' && secret) redactor.learn(inner);
      else visit(inner, name);
    }
  };
  visit(body, '');
}

function safeHeaders(headers: HttpResponse['headers'], redactor: Redactor): Record<string, string> {
  const out = answerHeaders(headers);
  for (const [name, value] of Object.entries(out)) {
    out[name] = name === 'x-subject-token' ? redactor.tag(value) : redactor.text(value);
  }
  return out;
}

const answerOf = (response: HttpResponse) => ({
  status: response.status,
  headers: response.headers,
  body: response.body,
  startedAt: response.startedAt,
  ms: response.ms,
});

const recorded = <T>(slots: readonly Slot<T>[]): T[] =>
  slots.flatMap((slot) => (slot.record === undefined ? [] : [slot.record]));

/** Stable: records of one key stay in the order in which they were asked. */
function sortedBy<T>(records: readonly T[], key: (record: T) => string): T[] {
  const keyed = records.map((record) => ({ record, key: key(record) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ record }) => record);
}

const numbered = (n: number): string => String(n + 1).padStart(4, '0');

const json = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);

/** Puts a long text, or the bytes it stands for, into a file of its own, if it survives that; says whether it did. */
function beside(files: Map<string, Buffer>, file: string, text: string, encoding: 'utf8' | 'base64' = 'utf8'): boolean {
  if (text.length <= INLINE_CHARACTERS) return false;
  const bytes = Buffer.from(text, encoding);
  if (bytes.toString(encoding) !== text) return false;
  files.set(file, bytes);
  return true;
}

function writeExchange(files: Map<string, Buffer>, stem: string, record: ApiRecord): void {
  const { outcome, ...question } = record;
  if (!outcome.ok) {
    files.set(`${stem}.json`, json({ ...question, failure: outcome.error }));
    return;
  }
  const { body, ...answer } = outcome.value;
  const apart = beside(files, `${stem}.body`, body);
  files.set(`${stem}.json`, json({ ...question, answer: apart ? answer : { ...answer, body } }));
}

function writeCommand(files: Map<string, Buffer>, stem: string, record: NodeRecord): void {
  const { outcome, ...asked } = record;
  if (!outcome.ok) {
    files.set(`${stem}.json`, json({ ...asked, failure: outcome.error, batch: outcome.batch }));
    return;
  }
  const { stdout, stderr, ...result } = outcome.value;
  const apart = {
    ...(beside(files, `${stem}.stdout`, stdout, record.encoding) ? {} : { stdout }),
    ...(beside(files, `${stem}.stderr`, stderr) ? {} : { stderr }),
  };
  files.set(`${stem}.json`, json({ ...asked, result: { ...result, ...apart } }));
}
