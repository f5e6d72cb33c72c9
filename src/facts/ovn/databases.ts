import type { Evidence } from '../../engine/evidence.ts';
import type { FactResult } from '../../engine/fact.ts';
import { observed } from '../../engine/fact.ts';
import type { FactFailure } from '../../engine/failure.ts';
import { err, ok, type Result } from '../../engine/result.ts';
import type { Command } from '../../nodes/command.ts';
import { type OvsdbRow, parseOvsdbTables } from '../../nodes/parse/ovsdb.ts';
import type { OvnTls } from '../../path/ovn/connection.ts';
import { northOf, tlsOfArgs, tlsOptions, wordsOfIni } from '../../path/ovn/connection.ts';
import { agents, computeServices } from '../cloud-api.ts';
import { hostLayout, hostProcesses } from '../host.ts';
import { commandFailure, read, run, type Store, source } from '../io.ts';
import { type CloudSubject, theCloud } from '../subject.ts';
import { openVswitch } from './open-vswitch.ts';

export type OvnTool = 'ovn-nbctl' | 'ovn-sbctl' | 'ovn-trace';

/** One way to one database: on which node, in which container, by which remote. */
export interface OvnWay {
  readonly host: string;
  /** Words in front of the command: the container where the tools and the socket are. */
  readonly within: readonly string[];
  /** Options that name the database; none for the socket of the node itself. */
  readonly options: readonly string[];
}

/** A way that did not lead there. */
export interface OvnMiss {
  readonly way: OvnWay;
  readonly failure: FactFailure;
}

export interface OvnDatabases {
  readonly nb: Result<OvnWay, FactFailure>;
  readonly sb: Result<OvnWay, FactFailure>;
  readonly missed: { readonly nb: readonly OvnMiss[]; readonly sb: readonly OvnMiss[] };
  /** What Neutron is told of the SB (ovn_sb_connection), where a controller's files say so. */
  readonly southByNeutron: string | undefined;
}

type Database = 'nb' | 'sb';
const tools = { nb: 'ovn-nbctl', sb: 'ovn-sbctl' } as const;
const globals = { nb: 'NB_Global', sb: 'SB_Global' } as const;
const words = { nb: 'northbound', sb: 'southbound' } as const;

/** Seconds to wait for a database: connecting is part of it. */
const patience = 6;

/**
 * A tool of OVN's on a way to a database, as data. Followers of a cluster are asked as well as its leader: they may be
 * a moment behind, and one answers where there is no leader.
 */
export function ovnCommand(way: OvnWay, tool: OvnTool, ...args: readonly string[]): Command {
  // ovn-trace has no --timeout of its own; the node ends what takes too long.
  const bounds = tool === 'ovn-trace' ? [] : [`--timeout=${patience}`];
  const [first, ...rest] = [...way.within, tool, '--no-leader-only', ...bounds, ...way.options, ...args];
  return { argv: [first ?? tool, ...rest], impact: 'read', become: true, timeoutSeconds: patience + 4 };
}

/** A look that is repeated, and how long the node waits before it looks. */
export interface Again {
  readonly afterSeconds: number;
}

const later = ({ argv, ...rest }: Command, { afterSeconds }: Again): Command => ({
  ...rest,
  argv: ['sh', '-c', 'sleep "$0"; exec "$@"', String(afterSeconds), ...argv],
  parallel: true,
  timeoutSeconds: (rest.timeoutSeconds ?? patience) + afterSeconds,
  round: 'again',
});

/** Commands of ovn-nbctl or ovn-sbctl (`find`, `list`) in one call, which is one look at the database: a table for each. */
export async function ask(
  facts: Store,
  way: OvnWay,
  database: Database,
  asked: readonly (readonly string[])[],
  again?: Again,
): Promise<FactResult<readonly (readonly OvsdbRow[])[]>> {
  const tool = tools[database];
  if (asked.length === 0) return observed([]);
  const separated = asked.flatMap((words, at) => (at === 0 ? words : ['--', ...words]));
  // Options of the first command stand behind `--`, else they would be the tool's own.
  const command = ovnCommand(way, tool, '--format=json', '--', ...separated);
  const answer = await read(facts, way.host, again === undefined ? command : later(command, again), (stdout) =>
    parseOvsdbTables(`${tool} --format=json`, stdout),
  );
  if (!answer.ok) return answer;
  const { value } = answer.value;
  // Whoever repeats it has no need to wait.
  const evidence = answer.value.evidence.map(
    (e): Evidence => (e.source.kind === 'command' ? { ...e, source: { ...e.source, argv: command.argv } } : e),
  );
  if (value.length === asked.length) return ok({ value, evidence });
  return err({
    kind: 'parse',
    what: `${tool} --format=json`,
    line: `${value.length} tables of ${asked.length}`,
  });
}

/** `column="value"` for `find`, whatever the value holds. */
export const equals = (column: string, value: string): string => `${column}=${JSON.stringify(value)}`;
/** `column:"key"="value"`: a key of a map. */
export const keyed = (column: string, key: string, value: string): string =>
  `${column}:${JSON.stringify(key)}=${JSON.stringify(value)}`;
/** `list TABLE UUID…`, without those that are gone; nothing when there are none, for `list TABLE` is all of it. */
export const listing = (table: string, uuids: readonly string[]): readonly string[][] =>
  uuids.length === 0 ? [] : [['--if-exists', 'list', table, ...uuids]];

/** Files that may say how Neutron reaches the databases: packages, Kolla, TripleO. */
const files = [
  '/etc/neutron/neutron.conf',
  '/etc/neutron/plugin.ini',
  '/etc/neutron/plugins/ml2/ml2_conf.ini',
  '/etc/kolla/neutron-server/ml2_conf.ini',
  '/var/lib/config-data/puppet-generated/neutron/etc/neutron/plugins/ml2/ml2_conf.ini',
];
const ovnOptions = '^[[:space:]]*ovn_(nb|sb)_(connection|private_key|certificate|ca_cert)[[:space:]]*=';

const iniWords = (facts: Store, host: string) =>
  read(
    facts,
    host,
    { argv: ['sh', '-c', 'grep -hsE -- "$@" || true', 'sh', ovnOptions, ...files], impact: 'read', become: true },
    (stdout) => ok(wordsOfIni(stdout)),
  );

/** Certificates that a chassis shows to the SB: of its own OVSDB, else of ovn-controller's command line. */
export async function tlsOfChassis(facts: Store, host: string): Promise<OvnTls | undefined> {
  const [shown, processes] = await Promise.all([
    read(facts, host, { argv: ['ovs-vsctl', '--timeout=5', 'get-ssl'], impact: 'read', become: true }, (stdout) =>
      ok(wordsOfIni(stdout.replaceAll(':', '='))),
    ),
    facts.get(hostProcesses, host),
  ]);
  const args = processes.ok
    ? processes.value.value.map((p) => p.args).find((text) => /(?:^|\/)ovn-controller\s/.test(text))
    : undefined;
  const ofArgs = args === undefined ? undefined : tlsOfArgs(args);
  if (ofArgs !== undefined) return ofArgs;
  if (!shown.ok) return undefined;
  const [key, certificate, authority] = ['Private key', 'Certificate', 'CA Certificate'].map((w) =>
    shown.value.value.get(w),
  );
  return key === undefined || certificate === undefined || authority === undefined
    ? undefined
    : { key, certificate, authority };
}

/**
 * How NB and SB are reached: the socket of a controller first (it needs neither network nor certificate), then as Neutron
 * is told to, then as a chassis is. The first way that answers is taken.
 */
export const ovnDatabases = source<CloudSubject, OvnDatabases>(
  'ovn.databases',
  () => '',
  async (_, facts) => {
    const missed: { nb: OvnMiss[]; sb: OvnMiss[] } = { nb: [], sb: [] };
    const found: { nb?: OvnWay; sb?: OvnWay } = {};
    const attempt = async (database: Database, way: OvnWay): Promise<void> => {
      const command = ovnCommand(way, tools[database], '--format=json', 'list', globals[database]);
      const ran = await run(facts, way.host, command);
      if (ran.ok && ran.value.result.code === 0) found[database] ??= way;
      else
        missed[database].push({
          way,
          failure: ran.ok ? commandFailure(way.host, command, ran.value.result) : ran.error,
        });
    };
    // One that takes the connection and says nothing will not answer on another way either.
    const lacking = (): Database[] =>
      (['nb', 'sb'] as const).filter((database) => found[database] === undefined && !missed[database].some(hangs));

    const controllers = await controllerHosts(facts);
    const inis = new Map<string, ReadonlyMap<string, string>>();
    await Promise.all(
      controllers.map(async (host) => {
        const layout = await facts.get(hostLayout, host);
        if (!layout.ok) {
          const way = { host, within: [], options: [] };
          for (const database of ['nb', 'sb'] as const) missed[database].push({ way, failure: layout.error });
          return;
        }
        const { within } = layout.value.value;
        const [, , ini] = await Promise.all([
          attempt('nb', { host, within: within('ovn-ovsdb-server-nb'), options: [] }),
          attempt('sb', { host, within: within('ovn-ovsdb-server-sb'), options: [] }),
          iniWords(facts, host),
        ]);
        if (ini.ok) inis.set(host, ini.value.value);
      }),
    );

    for (const database of lacking()) {
      for (const [host, ini] of inis) {
        const remote = ini.get(`ovn_${database}_connection`);
        if (remote === undefined || found[database] !== undefined) continue;
        const layout = await facts.get(hostLayout, host);
        const within = layout.ok ? layout.value.value.within(`ovn-ovsdb-server-${database}`) : [];
        const options = [`--db=${remote}`, ...tlsOptions(remote, tlsOfIni(ini, database))];
        await attempt(database, { host, within, options });
      }
    }

    if (lacking().length > 0) {
      const list = await facts.get(agents, theCloud);
      const chassis = (list.ok ? list.value.value : [])
        .filter((a) => a.binary === 'ovn-controller')
        .sort((a, b) => Number(b.alive) - Number(a.alive))
        .map((a) => a.host);
      const told = [...inis.values()].map((ini) => ini.get('ovn_nb_connection')).find((remote) => remote !== undefined);
      for (const host of [...new Set(chassis)].slice(0, chassisTried)) {
        if (lacking().length === 0) break;
        const [own, layout, tls] = await Promise.all([
          facts.get(openVswitch, host),
          facts.get(hostLayout, host),
          tlsOfChassis(facts, host),
        ]);
        if (!own.ok || !layout.ok) {
          const failure = own.ok ? (layout.ok ? nothing : layout.error) : own.error;
          for (const database of lacking()) missed[database].push({ way: { host, within: [], options: [] }, failure });
          continue;
        }
        const within = layout.value.value.within('ovn-controller');
        const remote = own.value.value.externalIds.get('ovn-remote');
        if (remote === undefined) continue;
        await Promise.all(
          lacking().map((database) => {
            const there = database === 'sb' ? remote : (told ?? northOf(remote));
            return attempt(database, { host, within, options: [`--db=${there}`, ...tlsOptions(there, tls)] });
          }),
        );
      }
    }
    const outcome = (database: Database): Result<OvnWay, FactFailure> => {
      const way = found[database];
      return way === undefined ? err(unreached(database, missed[database])) : ok(way);
    };
    const southByNeutron = [...inis.values()]
      .map((ini) => ini.get('ovn_sb_connection'))
      .find((told) => told !== undefined);
    return observed({ nb: outcome('nb'), sb: outcome('sb'), missed, southByNeutron });
  },
);

/** Where Neutron finds the SB. */
export const neutronRemote = source<CloudSubject, string>(
  'ovn.neutron-remote',
  () => '',
  async (subject, facts) => {
    const databases = await facts.get(ovnDatabases, subject);
    if (!databases.ok) return databases;
    const { southByNeutron } = databases.value.value;
    return southByNeutron === undefined
      ? err({ kind: 'unsupported', because: "no file of a controller names Neutron's southbound database" })
      : observed(southByNeutron, ...databases.value.evidence);
  },
);

/** The tool's own alarm ended it, for the database did not answer. */
const hangs = ({ failure }: OvnMiss): boolean =>
  failure.kind === 'timeout' || (failure.kind === 'command' && /SIGALRM|alarm clock/i.test(failure.detail));

/** Chassis that are asked before a database is given up. */
const chassisTried = 3;
const nothing: FactFailure = { kind: 'unsupported', because: 'nothing says how it is reached' };

const tlsOfIni = (ini: ReadonlyMap<string, string>, database: Database): OvnTls | undefined => {
  const [key, certificate, authority] = ['private_key', 'certificate', 'ca_cert'].map((w) =>
    ini.get(`ovn_${database}_${w}`),
  );
  return key === undefined || certificate === undefined || authority === undefined
    ? undefined
    : { key, certificate, authority };
};

/** The hosts that Nova names as conductors and schedulers: where Neutron's server and OVN's databases mostly are. */
export async function controllerHosts(facts: Store): Promise<readonly string[]> {
  const known = await facts.get(computeServices, theCloud);
  if (!known.ok) return [];
  const hosts = known.value.value.filter((s) => s.binary === 'nova-conductor' || s.binary === 'nova-scheduler');
  return [...new Set(hosts.map((s) => s.host))].sort();
}

const wayWords = (way: OvnWay): string => {
  const remote = way.options.find((o) => o.startsWith('--db='))?.slice('--db='.length);
  return remote === undefined ? `${way.host}'s own socket` : `${remote} from ${way.host}`;
};

/** Why a database was not reached: the ways that were tried, each with its failure; a host that is not reachable says how it would be. */
function unreached(database: Database, missed: readonly OvnMiss[]): FactFailure {
  const commands = missed.flatMap(({ way, failure }) =>
    failure.kind === 'command' ? [{ way, failure, words: `${wayWords(way)}: ${failure.detail}` }] : [],
  );
  const [first] = commands;
  if (first !== undefined) {
    const detail = `OVN's ${words[database]} database is not reached (${commands.map((c) => c.words).join('; ')})`;
    return { ...first.failure, detail };
  }
  return (
    missed[0]?.failure ?? { kind: 'unsupported', because: `nothing says where OVN's ${words[database]} database is` }
  );
}
