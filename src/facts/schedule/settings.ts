import { observed } from '../../engine/fact.ts';
import type { SchedulerSettings } from '../../schedule/estate.ts';
import { releaseDefaults } from '../../schedule/release.ts';
import { computeServices } from '../cloud-api.ts';
import { hostLayout, hostProcesses } from '../host.ts';
import { type Ran, run, type Store, source } from '../io.ts';
import { type CloudSubject, theCloud } from '../subject.ts';
import { inShort } from './in-short.ts';

/**
 * Options of nova.conf that bear on scheduling, from files and folders in the order given. What is printed is chosen on the node: passwords
 * and URLs of the same files never leave it. Constant; the names are positional arguments. Read as oslo.config's iniparser.py reads it: a line
 * that begins with a blank goes on with the value before it, an empty line ends it, the first of = and : parts key from value.
 */
export const readOptions = `for f in "$@"; do
if [ -d "$f" ]; then set -- "$f"/*.conf; else set -- "$f"; fi
for c in "$@"; do [ -f "$c" ] && [ -r "$c" ] || continue
printf '@%s\\n' "$c"
awk 'BEGIN { s = "DEFAULT" }
{ sub(/[ \\t\\r]+$/, "") }
$0 == "" { w = 0; next }
/^[ \\t]/ { if (w) { sub(/^[ \\t]+/, ""); print "+" $0 } next }
{ w = 0 }
/^\\[/ { s = substr($0, 2); sub(/\\].*$/, "", s); next }
/^[#;]/ { next }
{ i = match($0, /[=:]/); if (!i) next
k = substr($0, 1, i - 1); v = substr($0, i + 1)
gsub(/^[ \\t]+|[ \\t]+$/, "", k); sub(/^[ \\t]+/, "", v)
if (k ~ /passw|secret|token|credential|connection|_url/) next
if (s == "filter_scheduler" || s == "scheduler" || s == "workarounds" || s == "pci" && k == "alias" || s == "cinder" && k == "cross_az_attach" || s == "DEFAULT" && k ~ /^(scheduler_|(initial_)?(cpu|ram|disk)_allocation_ratio$|default_(availability|schedule)_zone$|service_down_time$|max_(io_ops|instances)_per_host$)/) { w = 1; print s "\\t" k "\\t" v } }' "$c"
done
done`;

/** Options by `section.name` and the files they were read from; what a later line says wins (oslo.config, "Option Value Sources"). */
export function parseOptions(stdout: string): {
  readonly files: readonly string[];
  readonly options: ReadonlyMap<string, string>;
} {
  const files: string[] = [];
  const options = new Map<string, string>();
  let last: string | undefined;
  for (const line of stdout.split('\n')) {
    const [section = '', key = '', ...value] = line.split('\t');
    if (line.startsWith('@')) {
      files.push(line.slice(1));
      last = undefined;
    } else if (line.startsWith('+')) {
      if (last !== undefined) options.set(last, `${options.get(last) ?? ''}\n${line.slice(1)}`);
    } else if (key !== '') {
      last = `${section}.${key}`;
      options.set(last, unquoted(value.join('\t')));
    }
  }
  return { files, options };
}

const unquoted = (value: string): string => {
  const [first] = value;
  return value.length > 1 && (first === '"' || first === "'") && value.endsWith(first) ? value.slice(1, -1) : value;
};

/** A list of oslo.config: commas part it; lines that go on count as blanks. */
export const listOf = (value: string): readonly string[] =>
  value
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

const program = 'nova-scheduler';

/** oslo.config's own places (find_config_files, find_config_dirs), and RDO's file of defaults before them. */
const usualFiles = ['/usr/share/nova/nova-dist.conf', '/etc/nova/nova.conf', `/etc/nova/${program}.conf`];
const usualFolders = ['/etc/nova/nova.conf.d', `/etc/nova/${program}.conf.d`];

/** Files and folders that a command line makes oslo.config read, in order: those it names take the place of the usual ones of their kind. */
export function configurationOf(args: string): readonly string[] {
  const words = args.split(/\s+/);
  const named: { readonly folder: boolean; readonly path: string }[] = [];
  for (const [index, word] of words.entries()) {
    const match = /^--config-(file|dir)(?:=(.*))?$/.exec(word);
    const path = match === null ? undefined : (match[2] ?? words[index + 1]);
    if (match !== null && path !== undefined && path !== '') named.push({ folder: match[1] === 'dir', path });
  }
  return [
    ...(named.some((n) => !n.folder) ? [] : usualFiles),
    ...(named.some((n) => n.folder) ? [] : usualFolders),
    ...named.map((n) => n.path),
  ];
}

/** A command line whose program it is, run by itself or by an interpreter. */
const runsScheduler = (args: string): boolean =>
  args
    .split(/\s+/)
    .slice(0, 2)
    .some((word) => word === program || word.endsWith(`/${program}`));

/** Where a deployment tool keeps the file on the host itself, for a container that cannot be entered. */
const onHost = {
  kolla: '/etc/kolla/nova-scheduler/nova.conf',
  tripleo: '/var/lib/config-data/puppet-generated/nova/etc/nova/nova.conf',
} as const;

async function readOn(facts: Store, host: string): Promise<Ran | undefined> {
  const [layout, processes] = await Promise.all([facts.get(hostLayout, host), facts.get(hostProcesses, host)]);
  if (!layout.ok) return undefined;
  const how = layout.value.value;
  // Processes of containers are seen on their host, too.
  const running = (processes.ok ? processes.value.value : []).find((p) => runsScheduler(p.args));
  const paths = configurationOf(running?.args ?? program);
  const read = (within: readonly string[], from: readonly string[]) => {
    const [first = 'sh', ...rest] = [...within, 'sh', '-c', readOptions, 'sh', ...from];
    return run(facts, host, { argv: [first, ...rest], impact: 'read', become: true });
  };
  const usable = (ran: Awaited<ReturnType<typeof read>>): Ran | undefined =>
    ran.ok && ran.value.result.stdout.startsWith('@') ? ran.value : undefined;
  const inside = usable(await read(how.within(program), paths));
  if (inside !== undefined || how.name === 'systemd' || how.name === 'devstack') return inside;
  return usable(await read([], [onHost[how.name]]));
}

/** Hosts on which Nova says that a scheduler runs, those that report first. */
export async function schedulerHosts(facts: Store): Promise<readonly string[]> {
  const services = await facts.get(computeServices, theCloud);
  const mine = (services.ok ? services.value.value : []).filter((s) => s.binary === program);
  const rank = (state: string): number => (state === 'up' ? 0 : 1);
  mine.sort((a, b) => rank(a.state) - rank(b.state) || (a.host < b.host ? -1 : 1));
  return [...new Set(mine.map((s) => s.host))];
}

/** nova.conf as the scheduler reads it, from the first of its nodes that lets us; else what its release has by default. Never fails. */
export const schedulerSettings = source<CloudSubject, SchedulerSettings>(
  'schedule.settings',
  () => '',
  async (_, facts) => {
    const [version, hosts] = await Promise.all([facts.io.cloud.version('compute'), schedulerHosts(facts)]);
    const release = version.ok ? version.value.value.release?.toLowerCase() : undefined;
    const told = release === undefined ? {} : { release };
    for (const host of hosts) {
      const ran = await readOn(facts, host);
      if (ran === undefined) continue;
      const { files, options } = parseOptions(ran.result.stdout);
      // The name it had before Ocata.
      const set = options.get('filter_scheduler.enabled_filters') ?? options.get('DEFAULT.scheduler_default_filters');
      return observed<SchedulerSettings>(
        {
          from: 'configuration',
          where: `${files.join(', ')} on ${host}`,
          enabledFilters: set === undefined ? releaseDefaults(release) : listOf(set),
          options,
          ...told,
        },
        inShort(ran, ['grep', '-H', 'filters', ...files]).evidence,
      );
    }
    return observed<SchedulerSettings>(
      {
        from: 'defaults',
        where: release === undefined ? 'defaults of Nova' : `defaults of Nova ${release}`,
        enabledFilters: releaseDefaults(release),
        options: new Map(),
        ...told,
      },
      ...(version.ok ? [version.value.evidence] : []),
    );
  },
);
