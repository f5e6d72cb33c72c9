import type { FactSource } from '../engine/fact.ts';
import type { FactFailure } from '../engine/failure.ts';
import { err, ok, type Result } from '../engine/result.ts';
import type { Command } from '../nodes/command.ts';
import type { Layout, ServiceName, ServiceState } from '../nodes/layouts/layout.ts';
import { type InterfaceAddress, parseAddresses } from '../nodes/parse/addresses.ts';
import { type FdbEntry, parseFdb } from '../nodes/parse/fdb.ts';
import { type Flow, parseFlows } from '../nodes/parse/flows.ts';
import { type IptablesDump, parseIptables } from '../nodes/parse/iptables.ts';
import { type Link, parseLinks } from '../nodes/parse/links.ts';
import { parseNetns } from '../nodes/parse/netns.ts';
import { type NftRuleset, parseNft } from '../nodes/parse/nft.ts';
import { type OvsState, parseOvs } from '../nodes/parse/ovsdb.ts';
import { type Process, parseProcesses } from '../nodes/parse/processes.ts';
import { parseSysctl } from '../nodes/parse/sysctl.ts';
import { type Io, read, run, source } from './io.ts';

/** Facts of one host, by the name the API gives it. All that is asked in one wave travels in one channel. */
const itself = (host: string): string => host;

const reading = <T>(
  name: string,
  command: Command,
  parse: (stdout: string) => Result<T, FactFailure>,
): FactSource<Io, string, T> => source(name, itself, (host, facts) => read(facts, host, command, parse));

const look = (...argv: [string, ...string[]]): Command => ({ argv, impact: 'read' });
const lookAsRoot = (...argv: [string, ...string[]]): Command => ({ argv, impact: 'read', become: true });

export const hostLinks: FactSource<Io, string, readonly Link[]> = reading(
  'host.links',
  look('ip', '-d', '-s', '-j', 'link', 'show'),
  parseLinks,
);
export const hostAddresses: FactSource<Io, string, readonly InterfaceAddress[]> = reading(
  'host.addresses',
  look('ip', '-j', 'addr', 'show'),
  parseAddresses,
);
export const hostFdb: FactSource<Io, string, readonly FdbEntry[]> = reading(
  'host.fdb',
  look('bridge', '-j', 'fdb', 'show'),
  parseFdb,
);
export const hostNamespaces: FactSource<Io, string, readonly string[]> = reading(
  'host.namespaces',
  look('ip', 'netns', 'list'),
  parseNetns,
);
export const hostProcesses: FactSource<Io, string, readonly Process[]> = reading(
  'host.processes',
  look('ps', '-ww', '-eo', 'pid,ppid,user,lstart,args'),
  parseProcesses,
);
export const hostIptables: FactSource<Io, string, IptablesDump> = reading(
  'host.iptables',
  lookAsRoot('iptables-save', '-c'),
  parseIptables,
);
export const hostIp6tables: FactSource<Io, string, IptablesDump> = reading(
  'host.ip6tables',
  lookAsRoot('ip6tables-save', '-c'),
  parseIptables,
);
export const hostNft: FactSource<Io, string, NftRuleset> = reading(
  'host.nft',
  lookAsRoot('nft', '-j', 'list', 'ruleset'),
  parseNft,
);

/** Switches of the kernel that decide whether packets pass at all. `-e`: those that do not exist are left out. */
export const hostSysctl: FactSource<Io, string, Readonly<Record<string, string>>> = reading(
  'host.sysctl',
  look(
    'sysctl',
    '-e',
    'net.bridge.bridge-nf-call-iptables',
    'net.bridge.bridge-nf-call-ip6tables',
    'net.ipv4.ip_forward',
    'net.ipv4.conf.all.rp_filter',
    'net.netfilter.nf_conntrack_count',
    'net.netfilter.nf_conntrack_max',
  ),
  parseSysctl,
);

/** OVSDB as three JSON tables joined: bridges with their ports and interfaces. */
export const hostOvs = source<string, OvsState>('host.ovs', itself, async (host, facts) => {
  const list = (table: string) =>
    run(facts, host, lookAsRoot('ovs-vsctl', '--timeout=5', '--format=json', 'list', table));
  const [bridges, ports, interfaces] = await Promise.all([list('Bridge'), list('Port'), list('Interface')]);
  for (const ran of [bridges, ports, interfaces]) {
    if (!ran.ok) return ran;
    if (ran.value.result.code !== 0) {
      return err({
        kind: 'command',
        host,
        argv: ran.value.evidence.source.kind === 'command' ? ran.value.evidence.source.argv : [],
        code: ran.value.result.code,
        detail: ran.value.result.stderr.trim().split('\n')[0] ?? '',
      });
    }
  }
  if (!bridges.ok || !ports.ok || !interfaces.ok) return bridges.ok ? (ports.ok ? err(noOvs) : ports) : bridges;
  const parsed = parseOvs(bridges.value.result.stdout, ports.value.result.stdout, interfaces.value.result.stdout);
  return parsed.ok ? ok({ value: parsed.value, evidence: [ports.value.evidence, interfaces.value.evidence] }) : parsed;
});
const noOvs: FactFailure = { kind: 'unsupported', because: 'Open vSwitch does not answer' };

export interface BridgeOnHost {
  readonly host: string;
  readonly bridge: string;
}

/** Flows of one bridge, with counters. */
export const bridgeFlows = source<BridgeOnHost, readonly Flow[]>(
  'host.flows',
  ({ host, bridge }) => `${host} ${bridge}`,
  ({ host, bridge }, facts) =>
    read(facts, host, lookAsRoot('ovs-ofctl', '--timeout=5', 'dump-flows', bridge), parseFlows),
);

export interface ServicesOnHost {
  readonly host: string;
  readonly services: readonly ServiceName[];
}

export const hostLayout = source<string, Layout>('host.layout', itself, async (host, facts) => {
  const layout = await facts.io.nodes.layout(host);
  return layout.ok ? ok({ value: layout.value, evidence: [] }) : layout;
});

/** Services that may stand on a node of an OpenStack cloud; asked for in one command. */
const nodeServices: readonly ServiceName[] = [
  'neutron-linuxbridge-agent',
  'neutron-openvswitch-agent',
  'neutron-l3-agent',
  'neutron-dhcp-agent',
  'neutron-metadata-agent',
  'neutron-ovn-metadata-agent',
  'nova-compute',
  'libvirtd',
  'ovs-vswitchd',
  'ovsdb-server',
  'ovn-controller',
];

/** What runs on this node, as its own service manager says. */
export const hostServices = source<string, readonly ServiceState[]>('host.services', itself, async (host, facts) => {
  const layout = await facts.get(hostLayout, host);
  if (!layout.ok) return layout;
  const how = layout.value.value;
  const command: Command = { argv: how.statusCommand(nodeServices), impact: 'read', become: how.name !== 'systemd' };
  const ran = await run(facts, host, command);
  if (!ran.ok) return ran;
  return ok({ value: how.parseStatus(ran.value.result.stdout, nodeServices), evidence: [ran.value.evidence] });
});

/** The node's own clock and its zone: `date +%s.%N %z`, as seconds since the epoch and minutes east of UTC. */
export interface NodeClock {
  readonly epochSeconds: number;
  readonly zoneMinutes: number;
  /** Node minus doctor, seconds, as seen when the answer came. */
  readonly aheadSeconds: number;
}

export const hostClock = source<string, NodeClock>('host.clock', itself, (host, facts) =>
  read(facts, host, look('date', '+%s.%N %z'), (stdout) => {
    const match = /^(\d+(?:\.\d+)?) ([+-])(\d\d)(\d\d)$/m.exec(stdout.trim());
    if (match === null) return err({ kind: 'parse', what: 'date', line: stdout.slice(0, 80) });
    const epochSeconds = Number(match[1]);
    const minutes = Number(match[3]) * 60 + Number(match[4]);
    return ok({
      epochSeconds,
      zoneMinutes: match[2] === '-' ? -minutes : minutes,
      aheadSeconds: epochSeconds - facts.io.clock.now() / 1000,
    });
  }),
);
