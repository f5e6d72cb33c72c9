import type { RecordedConfig } from '../cloud/config/recorded.ts';
import type { Headers, HttpFailure, HttpRequest } from '../cloud/http.ts';
import type { RunReport } from '../engine/report.ts';
import type { Command, CommandResult, Impact } from '../nodes/command.ts';
import type { NodeFailure } from '../nodes/nodes.ts';
import { withoutTags } from './redact.ts';

/**
 * A bundle is a `.tgz` of one run:
 *
 *     manifest.json              what was run, when, against what
 *     api/NNNN.json              one HTTP exchange (or why there was none); a long body is beside it in NNNN.body
 *     nodes/<dir>/NNNN.json      one command and its result; long outputs in NNNN.stdout, NNNN.stderr
 *     nodes/<dir>/connect.json   why the host could not be reached at all
 *
 * Files are sorted by what was asked, not by when it was answered: the same run gives the same bytes.
 */
export const BUNDLE_VERSION = 1;

/** What the run says of itself; secrets have no place here, and are taken out again when it is written. */
export interface RunManifest {
  readonly toolVersion: string;
  /** The command line as data, without the program: `['net', 'web-1', '--output', 'json']`. */
  readonly command: readonly string[];
  /** ISO 8601: the moment at which a replay's clock stands still. */
  readonly startedAt: string;
  readonly elapsedMs: number;
  /** What the command line came to: JSON, in the command's own shape. */
  readonly request?: unknown;
  /** Where the cloud was asked, without what proves who asks. */
  readonly cloud: RecordedConfig;
  /** By the API's host names. Hosts that were talked to are listed even when nothing is said of them here. */
  readonly hosts?: Readonly<Record<string, HostFacts>>;
  /** The bounds the run kept: deadlines in seconds, output in bytes. */
  readonly limits?: Readonly<Record<string, number>>;
  /** How many requests, connections and commands it took; a replay reports these, not its own. */
  readonly traffic?: RunReport['traffic'];
}

export interface HostFacts {
  /** Name of the layout that was detected or set. */
  readonly layout?: string;
  /** The SSH address as it was asked. */
  readonly address?: string;
}

export interface RecordedHost extends HostFacts {
  readonly name: string;
  /** Folder under `nodes/`. */
  readonly dir: string;
}

export interface Manifest extends Omit<RunManifest, 'toolVersion' | 'hosts'> {
  readonly bundleVersion: number;
  readonly tool: { readonly name: 'ostk-doctor'; readonly version: string };
  readonly hosts: readonly RecordedHost[];
  /** Records left out because the bundle would have grown past its bound. */
  readonly dropped?: number;
}

/** What was asked of an API: enough to look the answer up, nothing that proves who asked. */
export interface ApiQuestion {
  readonly kind: HttpRequest['kind'];
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: string;
  /** Those request headers that decide the answer: microversion and media type. */
  readonly headers: Headers;
  /** Whether a token came with it. */
  readonly authenticated: boolean;
  /** Lines of console asked for. */
  readonly lines?: number;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  readonly startedAt: string;
  readonly ms: number;
}

export interface ApiRecord extends ApiQuestion {
  readonly outcome:
    | { readonly ok: true; readonly value: ApiAnswer }
    | { readonly ok: false; readonly error: HttpFailure };
}

export interface NodeRecord {
  readonly argv: readonly string[];
  readonly netns?: string;
  readonly impact: Impact;
  readonly round?: string;
  /** Its output is bytes, in base64. */
  readonly encoding?: 'base64';
  readonly outcome:
    | { readonly ok: true; readonly value: CommandResult }
    /** `batch`: the failure of the whole channel, not of this command. */
    | { readonly ok: false; readonly error: NodeFailure; readonly batch: boolean };
}

/** Headers of requests that decide what is answered. */
const DECIDING = ['accept', 'openstack-api-version', 'x-openstack-nova-api-version', 'x-openstack-ironic-api-version'];

/** Headers of answers that anything reads: ids for the logs, clocks, retries, versions, who stands in front. */
const TOLD = [
  'content-type',
  'date',
  'location',
  'openstack-api-version',
  'retry-after',
  'server',
  'vary',
  'via',
  'www-authenticate',
  'x-compute-request-id',
  'x-openstack-nova-api-version',
  'x-openstack-request-id',
  'x-subject-token',
];

const pick = (headers: Headers, names: readonly string[]): Record<string, string> => {
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const out: Record<string, string> = {};
  for (const name of names) {
    const value = lower.get(name);
    if (value !== undefined) out[name] = value;
  }
  return out;
};

export const answerHeaders = (headers: Headers): Record<string, string> => pick(headers, TOLD);

/** The recorded part of a request. */
export function questionOf(request: HttpRequest): ApiQuestion {
  return {
    kind: request.kind,
    method: request.kind === 'read' ? request.method : 'POST',
    url: request.url,
    headers: pick(request.headers, DECIDING),
    authenticated: Object.keys(request.headers).some((name) => name.toLowerCase() === 'x-auth-token'),
    ...(request.kind === 'console' ? { lines: request.lines } : {}),
  };
}

/** A URL whose query is in one order, whoever wrote it. */
export function normalUrl(url: string): string {
  try {
    const parsed = new URL(url);
    const query = [...parsed.searchParams].map(
      ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
    );
    parsed.search = query.sort().join('&');
    parsed.hash = '';
    return parsed.href;
  } catch {
    return url;
  }
}

/** What an API answer is looked up by. Answers to the same question are told apart by their order. */
export function apiKey(question: ApiQuestion): string {
  const microversion =
    question.headers['openstack-api-version'] ??
    question.headers['x-openstack-nova-api-version'] ??
    question.headers['x-openstack-ironic-api-version'] ??
    '';
  return withoutTags(
    JSON.stringify([question.method, normalUrl(question.url), microversion, question.kind, question.lines ?? 0]),
  );
}

/** What a command's result is looked up by, within one host. `redact` is applied to the words first, so that live and recorded words meet. */
export function commandKey(
  command:
    | Pick<Command, 'argv' | 'netns' | 'round' | 'encoding'>
    | Pick<NodeRecord, 'argv' | 'netns' | 'round' | 'encoding'>,
  redact: (argv: readonly string[]) => readonly string[],
): string {
  const encoding = command.encoding === undefined ? [] : [command.encoding];
  return withoutTags(JSON.stringify([redact(command.argv), command.netns ?? '', command.round ?? '', ...encoding]));
}

/** Folder names for hosts whose names come from the API and may hold anything. */
export function hostDirs(names: readonly string[]): ReadonlyMap<string, string> {
  const dirs = new Map<string, string>();
  const taken = new Set<string>();
  for (const name of [...names].sort()) {
    const base =
      name
        .replace(/[^A-Za-z0-9._-]/g, '_')
        .replace(/^[.-]/, '_')
        .slice(0, 100) || '_';
    let dir = base;
    for (let n = 2; taken.has(dir.toLowerCase()); n += 1) dir = `${base}~${n}`;
    taken.add(dir.toLowerCase());
    dirs.set(name, dir);
  }
  return dirs;
}
