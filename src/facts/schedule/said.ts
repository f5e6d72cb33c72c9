import { z } from 'zod';
import type { Evidence } from '../../engine/evidence.ts';
import { observed } from '../../engine/fact.ts';
import type { FactFailure } from '../../engine/failure.ts';
import { err } from '../../engine/result.ts';
import type { ScheduleSaid } from '../../engine/schedule.ts';
import type { LogPlace, ServiceName } from '../../nodes/layouts/layout.ts';
import { parseOsloLog } from '../../nodes/parse/oslo-log.ts';
import type { Wish } from '../../schedule/wish.ts';
import { computeServices } from '../cloud-api.ts';
import { hostLayout } from '../host.ts';
import { actions } from '../instance-api.ts';
import { type Ran, run, type Store, showing, source } from '../io.ts';
import { type InstanceSubject, theCloud } from '../subject.ts';
import { inShort } from './in-short.ts';

/**
 * Lines of a log about an instance or its requests that say how its scheduling or its build went. Constant: the words (one on each line, as
 * grep takes them) are its name; its arguments are the program and the files where its log usually is. Logs have any name: what a process of
 * that program keeps open to append to is read, too (/proc/PID/fd, in the mounts of its container), and the journal where there is no file.
 * Before each file's lines stands @ and its name. Bounded from the end of each file: a scheduler at DEBUG writes gigabytes.
 */
export const linesAbout = `n=$1; shift; seen=
about() { grep -aF -e "$0" | grep -aE ' (ERROR|CRITICAL|TRACE|WARNING) |Starting with [0-9]+ host|Filter \\w+ returned|Filtering removed all hosts|Got no allocation candidates|No (hosts|nodes) matched|Host filter ' | cut -c 1-12000 | tail -n 120; }
for p in $(pgrep -f "(^|/)$n( |$)"); do for l in /proc/$p/fd/*; do
f=$(readlink "$l") && [ -f "/proc/$p/root$f" ] && grep -qs '^flags:.*[2367][0-7][0-7][0-7]$' "/proc/$p/fdinfo/\${l##*/}" && set -- "$@" "/proc/$p/root$f"; done; done
for f in "$@"; do [ -r "$f" ] || continue
i=$(stat -Lc %d:%i -- "$f"); case " $seen " in *" $i "*) continue;; esac; seen="$seen $i"
echo "@$f"; tail -c 33554432 -- "$f" | about
done
[ -n "$seen" ] || { echo "@journal"; journalctl --no-pager -o short-iso -n 100000 "_COMM=$n" + "SYSLOG_IDENTIFIER=$n" 2>/dev/null | about; }`;

/** Words are ids of Nova: letters, digits and hyphens. */
async function linesOf(
  facts: Store,
  host: string,
  service: ServiceName,
  words: readonly string[],
): Promise<
  | { readonly ok: true; readonly ran: Ran; readonly lines: readonly string[] }
  | { readonly ok: false; readonly error: FactFailure }
> {
  const layout = await facts.get(hostLayout, host);
  if (!layout.ok) return layout;
  const place: LogPlace = layout.value.value.logPlace(service);
  const ran = await run(facts, host, {
    argv:
      place.kind === 'files'
        ? ['sh', '-c', linesAbout, words.join('\n'), service, ...place.paths]
        : ['journalctl', '--no-pager', '-o', 'short-iso', '-n', '300', '-g', words.join('|'), '-u', place.unit],
    impact: 'read',
    become: true,
  });
  if (!ran.ok) return ran;
  const read = ran.value.result.stdout.split('\n');
  // Named as the process itself names it.
  const files = read.flatMap((line) =>
    /^@\//.test(line) ? [line.slice(1).replace(/^\/proc\/\d+\/root(?=\/)/, '')] : [],
  );
  const named = ['grep', '-aF', ...words.flatMap((word) => ['-e', word])];
  const shown = read.includes('@journal')
    ? ['journalctl', '--no-pager', `_COMM=${service}`]
    : [...named, ...(files.length > 0 ? new Set(files) : place.kind === 'files' ? place.paths : [])];
  const stdout = read.filter((line) => !line.startsWith('@')).join('\n');
  const told: Ran = { ...ran.value, result: { ...ran.value.result, stdout } };
  const lines = read.filter((line) => words.some((word) => line.includes(word)));
  return { ok: true, ran: place.kind === 'files' ? inShort(told, shown) : told, lines };
}

type Filters = ScheduleSaid['filters'];

/** `ComputeFilter: (start: 2, end: 0)`, as the scheduler sums up a request that no host passed (nova/filters.py). */
export const filterResults = (text: string): Filters =>
  [...text.matchAll(/(\w+): \(start: (\d+), end: (\d+)\)/g)].map((m) => ({
    name: m[1] ?? '',
    start: Number(m[2]),
    end: Number(m[3]),
  }));

/** At DEBUG every filter says how many hosts it leaves; a request that is asked anew begins again. */
export function filterSteps(lines: readonly string[]): Filters {
  let left = 0;
  let steps: Filters[number][] = [];
  for (const line of lines) {
    const start = /Starting with (\d+) host/.exec(line);
    const step = /Filter (\w+) returned (\d+) host/.exec(line);
    if (start !== null) {
      left = Number(start[1]);
      steps = [];
    } else if (step !== null) {
      const end = Number(step[2]);
      steps.push({ name: step[1] ?? '', start: left, end });
      left = end;
    }
  }
  return steps;
}

interface Told extends ScheduleSaid {
  readonly evidence: Evidence;
}

const decisive: readonly (readonly [ScheduleSaid['kind'], RegExp])[] = [
  ['no-candidates', /Got no allocation candidates/],
  ['filtered', /Filtering removed all hosts/],
  ['not-mapped', /No host-to-cell mapping found/],
  ['retries', /Exceeded max(?:imum number of retries| scheduling attempts)/],
  ['other', /No (?:hosts|nodes) matched/],
];

/** The last thing that a scheduler or a conductor said of the outcome; the sum of the filters, where it names none, from its steps. */
export function outcomeOf(host: string, lines: readonly string[]): ScheduleSaid | undefined {
  const met = lines.flatMap((line) => {
    const kind = decisive.find(([, pattern]) => pattern.test(line))?.[0];
    return kind === undefined ? [] : [{ kind, line }];
  });
  // At DEBUG the sum comes twice, the first time with every host by name.
  const last = met.findLast((m) => m.kind !== 'filtered' || filterResults(m.line).length > 0) ?? met.at(-1);
  if (last === undefined) return undefined;
  const sum = filterResults(last.line);
  const filters =
    last.kind === 'no-candidates' || last.kind === 'other' ? [] : sum.length > 0 ? sum : filterSteps(lines);
  return { kind: last.kind, host, filters, line: last.line };
}

/** Where the line of an exception begins: its class, by itself or with what it says. */
const exception = /^(?:[a-z_]\w*\.)*[A-Z]\w*(?::|$)/;

/** The last error of a nova-compute about an instance, with the exception that brought it. */
export function lastError(stdout: string): string | undefined {
  const parsed = parseOsloLog(stdout);
  const records = parsed.ok ? parsed.value : [];
  const errors = records.filter((r) => /^(ERROR|CRITICAL|TRACE)$/.test(r.level));
  const worst = errors.findLast((r) => r.more.some((line) => exception.test(bare(line)))) ?? errors.at(-1);
  if (worst === undefined) return undefined;
  const why = worst.more.map(bare).findLast((line) => exception.test(line));
  const message = worst.message.trim();
  const said =
    why === undefined || message.endsWith(why) ? message : [message, why].filter((part) => part !== '').join(': ');
  // oslo.log ends a line with the exception at hand, whose own words may be those before it.
  const twice = /^(.+): (?:[a-z_]\w*\.)+[A-Z]\w*: (.+)$/.exec(said);
  const once = twice?.[1]?.includes(twice[2] ?? said) === true ? twice[1] : said;
  return `${worst.at.replace('T', ' ')} ${worst.logger} ${once.replace(/:: /g, ': ')}`.trim();
}

/** What a conductor says of the host whose build it tries again elsewhere: the host, and in its traceback the reason (populate_retry). */
export function failedBuild(line: string): { readonly host: string; readonly line: string } | undefined {
  const told = /Error from last host: (\S+) \(node [^)]*\): (.*)$/.exec(line);
  if (told?.[1] === undefined) return undefined;
  const reason = /was re-scheduled: (.*?)(?:\\n)?['"]\]?$/.exec(told[2] ?? '')?.[1];
  const at = /^\S+ \S+/.exec(line)?.[0] ?? '';
  return { host: told[1], line: reason === undefined ? line : `${at} build on ${told[1]} failed: ${reason}` };
}

/** Nova repeats the instance on every line of a traceback. */
const bare = (line: string): string => line.replace(/^\[instance: [\da-f-]+\] ?/, '');

const eventSchema = z.looseObject({
  instanceAction: z.looseObject({
    events: z
      .array(
        z.looseObject({
          event: z.string(),
          host: z.string().nullish(),
          result: z.string().nullish(),
          details: z.string().nullish(),
        }),
      )
      .optional(),
  }),
});

/** Hosts on which a build was tried, in order, as the events of the instance's actions name them (2.62; what went wrong: 2.84). */
async function triedHosts(
  facts: Store,
  id: string,
  requests: readonly string[],
): Promise<ReadonlyMap<string, { readonly line: string; readonly evidence?: Evidence }>> {
  const tried = new Map<string, { readonly line: string; readonly evidence?: Evidence }>();
  for (const request of requests) {
    const answer = await facts.io.cloud.get({
      service: 'compute',
      path: `/servers/${encodeURIComponent(id)}/os-instance-actions/${encodeURIComponent(request)}`,
      schema: eventSchema,
      microversion: '2.84',
    });
    for (const e of answer.ok ? (answer.value.value.instanceAction.events ?? []) : []) {
      if (!answer.ok || !e.host || !/build_and_run_instance/.test(e.event)) continue;
      const line = e.details ?? '';
      const words = `${e.event} on ${e.host}: ${e.result ?? 'not finished'}${line === '' ? '' : `, ${line}`}`;
      tried.set(e.host, { line, evidence: showing(answer.value.evidence, words) });
    }
  }
  return tried;
}

/** Actions that ask the scheduler for a host. */
const scheduled = /^(create|unshelve|resize|migrate|live-migration|evacuate|rebuild)$/;

/** The instance's id and the id of the request that last asked for a host; nothing where that is not what it failed over, or it did not fail. */
const wordsOf = source<InstanceSubject, { readonly words: readonly string[]; readonly requests: readonly string[] }>(
  'instance.scheduling-words',
  (s) => s.id,
  async (subject, facts) => {
    const { status } = subject.server.value;
    const nothing = observed({ words: [], requests: [] }, ...subject.server.evidence);
    if (status !== 'ERROR' && status !== 'BUILD') return nothing;
    const asked = await facts.get(actions, subject);
    const [newest] = asked.ok ? asked.value.value : [];
    if (newest !== undefined && !scheduled.test(newest.action)) return nothing;
    const requests = newest !== undefined && /^[\w-]+$/.test(newest.request_id) ? [newest.request_id] : [];
    return observed({ words: [subject.id, ...requests], requests }, ...(asked.ok ? asked.value.evidence : []));
  },
);

interface NodeLog {
  readonly host: string;
  readonly lines: readonly string[];
  readonly evidence: Evidence;
}

interface NodeLogs {
  readonly logs: readonly NodeLog[];
  readonly failure: FactFailure | undefined;
}

/** What the schedulers and conductors of all hosts logged of an instance. */
const controlLogs = source<InstanceSubject, NodeLogs>(
  'instance.scheduling-logs',
  (s) => s.id,
  async (subject, facts) => {
    const [services, about] = await Promise.all([facts.get(computeServices, theCloud), facts.get(wordsOf, subject)]);
    if (!services.ok) return services;
    if (!about.ok) return about;
    const { words } = about.value.value;
    const logs: NodeLog[] = [];
    let failure: FactFailure | undefined;
    const look = async (service: 'nova-scheduler' | 'nova-conductor', host: string): Promise<void> => {
      const found = await linesOf(facts, host, service, words);
      if (found.ok) logs.push({ host, lines: found.lines, evidence: found.ran.evidence });
      else failure ??= found.error;
    };
    const places = new Set(services.value.value.map((s) => `${s.binary} ${s.host}`));
    if (words.length > 0) {
      await Promise.all(
        [...places].map(async (place) => {
          const [binary = '', host = ''] = place.split(' ');
          if (binary === 'nova-scheduler' || binary === 'nova-conductor') await look(binary, host);
        }),
      );
    }
    logs.sort((a, b) => (a.host < b.host ? -1 : 1));
    return observed({ logs, failure }, ...about.value.evidence.slice(0, 1));
  },
);

/** The host that a request named, as the scheduler says when it looks at that one alone (nova/scheduler/host_manager.py get_filtered_hosts). */
export function namedHost(lines: readonly string[]): NonNullable<Wish['destination']> | undefined {
  const text = lines.join('\n');
  const forced =
    /Host filter forcing available hosts to (\S+)/.exec(text) ?? /'force_hosts' value of '([^',]+)/.exec(text);
  const node =
    /Host filter forcing available nodes to (\S+)/.exec(text) ?? /'force_nodes' value of '([^',]+)/.exec(text);
  if (forced?.[1] !== undefined || node?.[1] !== undefined) {
    return {
      kind: 'force',
      ...(forced?.[1] === undefined ? {} : { host: forced[1].replace(/,$/, '') }),
      ...(node?.[1] === undefined ? {} : { node: node[1].replace(/,$/, '') }),
    };
  }
  const asked =
    /Host filter only checking host (\S+) and node (\S+)/.exec(text) ??
    /not matching requested destination \((\S+), ([^)]+)\)/.exec(text);
  if (asked?.[1] === undefined) return undefined;
  return {
    kind: 'requested',
    host: asked[1],
    ...(asked[2] === 'None' || asked[2] === undefined ? {} : { node: asked[2] }),
  };
}

/**
 * The host that the request of an instance named, which no API tells before 2.100: undefined where it named none; a failure where the log does
 * not say, because the filters never ran or it cannot be read.
 */
export const loggedDestination = source<InstanceSubject, Wish['destination'] | undefined>(
  'instance.logged-destination',
  (s) => s.id,
  async (subject, facts) => {
    const found = await facts.get(controlLogs, subject);
    if (!found.ok) return found;
    const { logs } = found.value.value;
    for (const { lines, evidence } of logs) {
      const named = namedHost(lines);
      if (named !== undefined) return observed(named, evidence);
    }
    const ran = logs.find(({ lines }) =>
      lines.some((line) => /Filtering removed all hosts|returned 0 host/.test(line)),
    );
    return ran === undefined
      ? err({ kind: 'unsupported', because: 'the filters did not run, or their log is not at hand' })
      : observed(undefined, ran.evidence);
  },
);

/**
 * What Nova itself logged of an instance that failed or is still without a host: its schedulers, its conductors, and the nova-compute of every
 * host that was tried, whose last error is the fault that "No valid host was found" hides. Nothing of an instance that is well.
 */
export const schedulerSaid = source<InstanceSubject, readonly ScheduleSaid[]>(
  'instance.scheduler-said',
  (s) => s.id,
  async (subject, facts) => {
    const server = subject.server.value;
    const [about, control] = await Promise.all([facts.get(wordsOf, subject), facts.get(controlLogs, subject)]);
    if (!about.ok) return about;
    if (!control.ok) return control;
    const { words, requests } = about.value.value;
    if (words.length === 0) return observed([], ...subject.server.evidence);
    const { logs, failure } = control.value.value;
    const told: Told[] = [];
    const tried = new Map(await triedHosts(facts, subject.id, requests));
    for (const { host, lines, evidence } of logs) {
      const outcome = outcomeOf(host, lines);
      if (outcome !== undefined) told.push({ ...outcome, evidence: showing(evidence, outcome.line) });
      for (const retry of lines.flatMap((line) => failedBuild(line) ?? [])) {
        const known = tried.get(retry.host);
        if (known !== undefined && known.line !== '') continue;
        tried.set(retry.host, { line: retry.line, evidence: showing(evidence, retry.line) });
      }
    }
    const own = server['OS-EXT-SRV-ATTR:host'];
    if (own && !tried.has(own)) tried.set(own, { line: server.fault?.message ?? '' });
    if (server.status === 'ERROR') {
      await Promise.all(
        [...tried].map(async ([host, otherwise]) => {
          const found = await linesOf(facts, host, 'nova-compute', words);
          const error = found.ok ? lastError(found.ran.result.stdout) : undefined;
          const line = error ?? otherwise.line;
          const [api] = subject.server.evidence;
          const evidence =
            found.ok && error !== undefined ? showing(found.ran.evidence, error) : (otherwise.evidence ?? api);
          if (evidence === undefined) return;
          told.push({ kind: 'late', host, filters: [], line: line || `a build was tried on ${host}`, evidence });
        }),
      );
    }
    // Fewer hosts than instances: no filter left none, and only the epilogue says that it failed.
    const [epilogue] = logs.flatMap(({ host, lines, evidence }) => {
      const line = lines.findLast((each) => /Failed to (?:schedule instances|compute_task_build_instances)/.test(each));
      return line === undefined
        ? []
        : [{ kind: 'other' as const, host, filters: [], line, evidence: showing(evidence, line) }];
    });
    if (told.length === 0 && epilogue !== undefined) told.push(epilogue);
    if (told.length === 0 && failure !== undefined) return err(failure);
    const rank = (t: Told): number => (t.kind === 'late' ? 2 : t.kind === 'retries' ? 1 : 0);
    told.sort((a, b) => rank(a) - rank(b) || (a.host < b.host ? -1 : a.host > b.host ? 1 : a.kind < b.kind ? -1 : 1));
    return observed(
      told.map(({ evidence: _, ...said }) => said),
      ...told.map((t) => t.evidence),
    );
  },
);
