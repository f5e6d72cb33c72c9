import { observed } from '../../engine/fact.ts';
import type { SchedulerSettings } from '../../schedule/estate.ts';
import { releaseDefaults } from '../../schedule/release.ts';
import { computeServices } from '../cloud-api.ts';
import { hostLayout, hostProcesses } from '../host.ts';
import { type Ran, run, type Store, source } from '../io.ts';
import { type CloudSubject, theCloud } from '../subject.ts';
import { inShort } from './in-short.ts';

/**
 * Options of nova.conf that bear on scheduling, or on what a compute node gives, from files and folders in the order given. What is printed is chosen on the node: passwords
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
if (s == "filter_scheduler" || s == "scheduler" || s == "workarounds" || s == "pci" && k ~ /^(alias|device_spec|passthrough_whitelist)$/ || s == "compute" && k ~ /^cpu_(dedicated|shared)_set$/ || s == "cinder" && k == "cross_az_attach" || s == "DEFAULT" && k ~ /^(scheduler_|(initial_)?(cpu|ram|disk)_allocation_ratio$|default_(availability|schedule)_zone$|service_down_time$|max_(io_ops|instances)_per_host$|vcpu_pin_set$|reserved_huge_pages$|log_(file|dir)$|logfile$|logdir$|use_journal$|pci_(alias|passthrough_whitelist)$)/) { w = 1; print s "\\t" k "\\t" v } }' "$c"
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
      const text = unquoted(value.join('\t'));
      const before = severalTimes.has(last) ? options.get(last) : undefined;
      options.set(last, before === undefined ? text : `${before}\n${text}`);
    }
  }
  return { files, options };
}

/** Options that come as often as there are values (oslo.config, MultiOpt). */
const severalTimes = new Set([
  'pci.alias',
  'pci.device_spec',
  'pci.passthrough_whitelist',
  'DEFAULT.pci_alias',
  'DEFAULT.pci_passthrough_whitelist',
  'DEFAULT.reserved_huge_pages',
]);

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

type Program = 'nova-scheduler' | 'nova-conductor' | 'nova-compute';

/** oslo.config's own places (find_config_files, find_config_dirs), and RDO's file of defaults before them. */
const usualFiles = (program: Program): readonly string[] => [
  '/usr/share/nova/nova-dist.conf',
  '/etc/nova/nova.conf',
  `/etc/nova/${program}.conf`,
];
const usualFolders = (program: Program): readonly string[] => ['/etc/nova/nova.conf.d', `/etc/nova/${program}.conf.d`];

/** Files and folders that a command line makes oslo.config read, in order: those it names take the place of the usual ones of their kind. */
export function configurationOf(args: string, program: Program = 'nova-scheduler'): readonly string[] {
  const words = args.split(/\s+/);
  const named: { readonly folder: boolean; readonly path: string }[] = [];
  for (const [index, word] of words.entries()) {
    const match = /^--config-(file|dir)(?:=(.*))?$/.exec(word);
    const path = match === null ? undefined : (match[2] ?? words[index + 1]);
    if (match !== null && path !== undefined && path !== '') named.push({ folder: match[1] === 'dir', path });
  }
  return [
    ...(named.some((n) => !n.folder) ? [] : usualFiles(program)),
    ...(named.some((n) => n.folder) ? [] : usualFolders(program)),
    ...named.map((n) => n.path),
  ];
}

/** A command line whose program it is, run by itself or by an interpreter. */
const runs = (args: string, program: Program): boolean =>
  args
    .split(/\s+/)
    .slice(0, 2)
    .some((word) => word === program || word.endsWith(`/${program}`));

/** Where a deployment tool keeps the file on the host itself, for a container that cannot be entered. */
const onHost = {
  kolla: (program: Program): string => `/etc/kolla/${program}/nova.conf`,
  tripleo: (program: Program): string =>
    `/var/lib/config-data/puppet-generated/nova${program === 'nova-compute' ? '_libvirt' : ''}/etc/nova/nova.conf`,
} as const;

/** What `readOptions` prints of the files that a service of Nova reads on a host; undefined where none can be read. */
export async function readConfiguration(facts: Store, host: string, program: Program): Promise<Ran | undefined> {
  const [layout, processes] = await Promise.all([facts.get(hostLayout, host), facts.get(hostProcesses, host)]);
  if (!layout.ok) return undefined;
  const how = layout.value.value;
  // Processes of containers are seen on their host, too.
  const running = (processes.ok ? processes.value.value : []).find((p) => runs(p.args, program));
  const paths = configurationOf(running?.args ?? program, program);
  const read = (within: readonly string[], from: readonly string[]) => {
    const [first = 'sh', ...rest] = [...within, 'sh', '-c', readOptions, 'sh', ...from];
    return run(facts, host, { argv: [first, ...rest], impact: 'read', become: true });
  };
  const usable = (ran: Awaited<ReturnType<typeof read>>): Ran | undefined =>
    ran.ok && ran.value.result.stdout.startsWith('@') ? ran.value : undefined;
  const inside = usable(await read(how.within(program), paths));
  if (inside !== undefined || how.name === 'systemd' || how.name === 'devstack') return inside;
  return usable(await read([], [onHost[how.name](program)]));
}

/** Where Nova's API is. */
async function apiHosts(facts: Store): Promise<readonly string[]> {
  const endpoints = await facts.io.cloud.endpoints();
  const compute = (endpoints.ok ? endpoints.value.value : []).find((e) => e.service === 'compute');
  return compute === undefined ? [] : [new URL(compute.url).hostname];
}

/** Hosts on which Nova says that a scheduler runs, those that report first; where it lists none in time, its API's own. */
export async function schedulerHosts(facts: Store): Promise<readonly string[]> {
  const services = await facts.get(computeServices, theCloud);
  if (!services.ok) return services.error.kind === 'forbidden' ? [] : apiHosts(facts);
  const mine = services.value.value.filter((s) => s.binary === 'nova-scheduler');
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
      const ran = await readConfiguration(facts, host, 'nova-scheduler');
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
