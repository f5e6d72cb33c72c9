import type { HttpClient } from '../cloud/http.ts';
import { type Clock, frozenClock } from '../engine/clock.ts';
import { err, ok } from '../engine/result.ts';
import type { NodeFailure, NodeTransport } from '../nodes/nodes.ts';
import { type ApiRecord, apiKey, commandKey, type NodeRecord, questionOf } from './format.ts';
import type { Bundle } from './open.ts';
import { createRedactor } from './redact.ts';

/**
 * Recorded outcomes by what was asked. The first time a thing is asked gives the first outcome, the second time the
 * second; when it is asked more often than it was recorded, the last outcome stands.
 */
export interface Answers<T> {
  get(key: string): T | undefined;
}

/** The index is made once; each reader counts its own askings. */
export function answersBy<T>(records: readonly T[], keyOf: (record: T) => string): () => Answers<T> {
  const index = new Map<string, T[]>();
  for (const record of records) {
    const key = keyOf(record);
    const same = index.get(key);
    if (same) same.push(record);
    else index.set(key, [record]);
  }
  return () => {
    const asked = new Map<string, number>();
    return {
      get(key) {
        const same = index.get(key);
        if (!same) return undefined;
        const n = asked.get(key) ?? 0;
        asked.set(key, n + 1);
        return same[Math.min(n, same.length - 1)];
      },
    };
  };
}

export const apiAnswers = (bundle: Bundle): (() => Answers<ApiRecord>) => answersBy(bundle.api, apiKey);

/** What is asked live is redacted before it is looked up, as it was before it was recorded. */
const redactor = createRedactor(Buffer.alloc(32));

export const keyOfCommand = (command: Parameters<typeof commandKey>[0]): string => commandKey(command, redactor.argv);

export const nodeAnswers = (bundle: Bundle, host: string): (() => Answers<NodeRecord>) =>
  answersBy(bundle.hosts.get(host)?.commands ?? [], keyOfCommand);

/** The moment at which a replay of this bundle happens. */
export const replayClock = (bundle: Bundle): Clock => frozenClock(bundle.manifest.startedAt);

/** The APIs as they answered when the bundle was made. Never fails but by values. */
export function replayHttp(bundle: Bundle): HttpClient {
  const answers = apiAnswers(bundle)();
  return {
    async request(request) {
      const asked = questionOf(request);
      const question = { ...asked, url: redactor.text(asked.url) };
      const record = answers.get(apiKey(question));
      if (record) return record.outcome;
      const version = question.headers['openstack-api-version'];
      const detail = `not in this bundle: ${question.method} ${question.url}${version ? ` (${version})` : ''}`;
      return err({ kind: 'other', host: hostOf(question.url), detail });
    },
    async close() {},
  };
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

/** One host as it answered when the bundle was made. A command that was not recorded fails alone. */
export function replayTransport(bundle: Bundle, host: string): NodeTransport {
  const recorded = bundle.hosts.get(host);
  const answers = nodeAnswers(bundle, host)();
  const lost = channelFailure(recorded?.commands ?? []);
  return {
    kind: 'replay',
    host,
    async runBatch(commands) {
      if (recorded?.unreachable) return err(recorded.unreachable);
      if (!recorded || recorded.commands.length === 0) return err(notRecorded(host));
      const found = commands.map((command) => answers.get(keyOfCommand(command))?.outcome);
      const failure = commonFailure(found);
      if (failure) return err(failure);
      return ok(
        found.map((outcome, index) => {
          if (outcome) return outcome.ok ? outcome : err(outcome.error);
          return err(lost ?? missing(host, commands[index]?.argv ?? []));
        }),
      );
    },
    async close() {},
  };
}

const notRecorded = (host: string): NodeFailure => ({
  kind: 'unreachable',
  host,
  stage: 'name',
  detail: 'not in this bundle: nothing was asked of this host when it was recorded',
  fix: 'ask the live cloud, or record a new bundle',
});

const missing = (host: string, argv: readonly string[]): NodeFailure => ({
  kind: 'command',
  host,
  argv,
  code: null,
  detail: 'not in this bundle',
});

/** Why a host stopped answering: what would have been asked of it afterwards was never sent, so it is not recorded. */
function channelFailure(records: readonly NodeRecord[]): NodeFailure | undefined {
  for (const { outcome } of records) if (!outcome.ok && outcome.batch) return outcome.error;
  return undefined;
}

/** The failure of the whole channel, when that is how each of these commands failed. */
function commonFailure(outcomes: readonly (NodeRecord['outcome'] | undefined)[]): NodeFailure | undefined {
  const [first] = outcomes;
  if (!first || first.ok || !first.batch) return undefined;
  const text = JSON.stringify(first.error);
  const all = outcomes.every(
    (outcome) => outcome && !outcome.ok && outcome.batch && JSON.stringify(outcome.error) === text,
  );
  return all ? first.error : undefined;
}
