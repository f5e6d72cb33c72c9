import type { Json } from './cloud.ts';
import { hosts } from './ground.ts';
import { entries, type Recorded } from './record.ts';

/** What Nova made of one host. */
export interface Fate {
  /** The step at which it dropped the host: `placement`, a filter, `cell`, `network`, `build`; absent where it dropped it at none. */
  readonly stop?: string;
  /** Steps that the host has passed. */
  readonly passed: readonly string[];
}

export interface Truth {
  /** refused: by Nova's API, at once. */
  readonly outcome: 'refused' | 'failed' | 'booted';
  readonly message: string;
  readonly hosts: Readonly<Record<string, Fate>>;
  /** The step at which Nova had no host left. */
  readonly narrowest?: string;
}

/** Without time, level and request: `(cmp1, cmp1) ram: … fails …`. */
const body = (entry: string): string => entry.replace(/^.*? \[(?:None )?req-[^\]]*\] /s, '');

/** The first round of filters of a request: which hosts each filter left. */
function rounds(
  log: string,
):
  | { readonly start: readonly string[]; readonly filters: readonly (readonly [string, readonly string[]])[] }
  | undefined {
  const lines = entries(log).map(body);
  const states = [
    ...new Set(
      lines.flatMap((l) =>
        l.startsWith('Update host state from compute node') ? [/[(,]host='([^']+)'/.exec(l)?.[1] ?? ''] : [],
      ),
    ),
  ].filter((h) => h !== '');
  const begins = lines.findIndex((l) => /^Starting with \d+ host/.test(l));
  if (begins < 0) return states.length === 0 ? undefined : { start: states, filters: [] };
  const rest = lines.slice(begins + 1);
  const ends = rest.findIndex((l) => /^Filtered \[/.test(l));
  const round = ends < 0 ? rest : rest.slice(0, ends + 1);
  const whole = round.find((l) => /Filter results: \[\(/.test(l));
  if (whole !== undefined) {
    const filters = [...whole.matchAll(/\('(\w+)', (?:None|\[((?:\('[^']*', '[^']*'\)(?:, )?)*)\])\)/g)].map(
      ([, name = '', left]) =>
        [name, left === undefined ? [] : [...left.matchAll(/\('([^']*)', '[^']*'\)/g)].map((m) => m[1] ?? '')] as const,
    );
    return { start: states, filters };
  }
  // Some were left: each filter says how many, and before that names those that it drops.
  const survivors = [...(round.at(-1) ?? '').matchAll(/\(([^,()]+), [^()]+\) ram:/g)].map((m) => m[1] ?? '');
  let alive: readonly string[] = states;
  let since = 0;
  const filters: [string, readonly string[]][] = [];
  round.forEach((line, at) => {
    const [, name = '', count] = /^Filter (\w+) returned (\d+) host/.exec(line) ?? [];
    if (count === undefined) return;
    if (Number(count) < alive.length) {
      const named = round.slice(since, at).flatMap((l) => [/\(([^,()]+), [^()]+\) ram:/.exec(l)?.[1] ?? '']);
      const doomed = alive.filter((h) => !survivors.includes(h));
      const gone = doomed.length === alive.length - Number(count) ? doomed : doomed.filter((h) => named.includes(h));
      if (alive.length - gone.length !== Number(count))
        throw new Error(`the log does not tell which hosts ${name} dropped`);
      alive = alive.filter((h) => !gone.includes(h));
    }
    filters.push([name, alive]);
    since = at + 1;
  });
  return { start: states, filters };
}

/** Of the last traceback of a host: was it the network that failed? */
const network =
  /PortBindingFailed|NoMoreFixedIps|NoMoreNetworks|PortNotUsable|VirtualInterfaceCreateException|FixedIpLimit|NetworksWithNoHost/;

/** What Nova decided, host by host, from its own logs and Placement's answers. */
export function truthOf(recorded: Recorded): Truth {
  const { made, servers, queries, scheduler, conductor, compute } = recorded;
  const server: Json = servers[0];
  const fault = servers.map((s: Json) => s.fault).find((f) => f !== undefined);
  if (server === undefined) return { outcome: 'refused', message: JSON.stringify(made.answer), hosts: {} };
  const fates: Record<string, { stop?: string; passed: string[] }> = Object.fromEntries(
    hosts.map((h) => [h, { passed: [] }]),
  );
  const drop = (host: string, step: string): void => {
    const fate = fates[host];
    if (fate !== undefined) fate.stop ??= step;
  };
  const candidates = new Set(
    queries.flatMap((q) => (q.answer?.allocation_requests ?? []).flatMap((r: Json) => Object.keys(r.allocations))),
  );
  const providers: Json[] = recorded.providers;
  for (const host of hosts) {
    const uuid = providers.find((p: Json) => p.name === host)?.uuid;
    if (candidates.has(uuid)) fates[host]?.passed.push('placement');
    else drop(host, 'placement');
  }
  let narrowest = candidates.size === 0 ? 'placement' : undefined;
  const round = rounds(scheduler);
  if (round !== undefined && candidates.size > 0) {
    for (const host of hosts) {
      if (round.start.includes(host)) fates[host]?.passed.push('cell');
      else drop(host, 'cell');
    }
    if (round.start.length === 0) narrowest = 'cell';
    for (const [filter, left] of round.filters) {
      for (const host of hosts)
        if (fates[host]?.stop === undefined) {
          if (left.includes(host)) fates[host]?.passed.push(filter);
          else drop(host, filter);
        }
      if (left.length === 0) narrowest ??= filter;
    }
  } else if (candidates.size > 0) {
    for (const host of hosts) drop(host, 'cell');
    narrowest = 'cell';
  }
  for (const [, host = ''] of conductor.matchAll(/No host-to-cell mapping found for selected host (\S+?)\./g)) {
    const fate = fates[host];
    if (fate !== undefined) fate.passed = fate.passed.filter((s) => s !== 'cell');
    drop(host, 'cell');
    narrowest ??= 'cell';
  }
  for (const [, host = '', trace = ''] of conductor.matchAll(/Error from last host: (\S+) \(node [^)]*\): (\[.*)/g)) {
    drop(host, network.test(trace) ? 'network' : 'build');
    narrowest ??= network.test(trace) ? 'network' : 'build';
  }
  for (const [host, log] of Object.entries(compute))
    if (/ERROR nova\.compute\.manager/.test(log)) {
      const step = network.test(log) ? 'network' : 'build';
      drop(host, step);
      narrowest ??= step;
    }
  return {
    outcome: servers.every((s: Json) => s.status === 'ACTIVE') ? 'booted' : 'failed',
    message: fault?.message ?? server.status,
    hosts: fates,
    ...(narrowest === undefined ? {} : { narrowest }),
  };
}
