import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import type { Command } from '../nodes/command.ts';
import { parseEbtables } from '../nodes/parse/ebtables.ts';
import { parseFlows } from '../nodes/parse/flows.ts';
import { parseIptables } from '../nodes/parse/iptables.ts';
import { parseNft } from '../nodes/parse/nft.ts';
import { parseQdiscs, parseTcFilters } from '../nodes/parse/tc.ts';
import { namespaceName } from '../path/addresses.ts';
import type { NodeRules } from '../path/firewall/strangers/stranger.ts';
import { hostOvs } from './host.ts';
import { read, type Store, source } from './io.ts';
import { pathHosts, placement } from './placement.ts';
import { metadataPorts, servicePorts } from './port-api.ts';
import type { PortSubject } from './subject.ts';

export interface RulesOfHost {
  readonly rules: NodeRules;
  /**
   * By the place it is evidence of: `iptables`, `ip6tables`, `nft`, `ebtables`, `tc`, `tc DEVICE`, a bridge; of a namespace its
   * name alone for iptables, and `NAMESPACE ip6tables`, `NAMESPACE nft`, `NAMESPACE tc`, `NAMESPACE tc DEVICE`.
   */
  readonly evidence: ReadonlyMap<string, Evidence>;
}

/**
 * Everything on a host that may take a packet away, with its counters: iptables of the host and of the namespaces of the
 * path, nft, ebtables, qdiscs, and the flows of the bridges. In a round of the second look also ip6tables, and in the
 * namespaces nft and tc; and the tc filters of every device that has any. What cannot be read (a tool that is not there) is left out.
 */
export async function readRules(
  facts: Store,
  host: string,
  namespaces: readonly string[],
  bridges: readonly string[],
  round?: string,
): Promise<RulesOfHost> {
  const evidence = new Map<string, Evidence>();
  const look = async <T>(
    place: string,
    command: Command,
    parse: Parameters<typeof read<T>>[3],
  ): Promise<T | undefined> => {
    const found = await read(facts, host, { ...command, ...(round === undefined ? {} : { round }) }, parse);
    if (!found.ok) return undefined;
    const [first] = found.value.evidence;
    if (first !== undefined) evidence.set(place, first);
    return found.value.value;
  };
  const root = (...argv: [string, ...string[]]): Command => ({ argv, impact: 'read', become: true });
  const within = (netns: string, ...argv: [string, ...string[]]): Command => ({ argv, impact: 'read', netns });
  const closely = round !== undefined;
  const [own, own6, nft, ebtables, qdiscs, inside, flows] = await Promise.all([
    look('iptables', root('iptables-save', '-c'), parseIptables),
    closely ? look('ip6tables', root('ip6tables-save', '-c'), parseIptables) : undefined,
    look('nft', root('nft', '-j', 'list', 'ruleset'), parseNft),
    look('ebtables', root('ebtables-save', '-c'), parseEbtables),
    look('tc', { argv: ['tc', '-s', '-j', 'qdisc', 'show'], impact: 'read' }, parseQdiscs),
    Promise.all(
      namespaces.map(async (netns) => {
        const [dump, dump6, ruleset, disciplines] = await Promise.all([
          look(netns, within(netns, 'iptables-save', '-c'), parseIptables),
          closely ? look(`${netns} ip6tables`, within(netns, 'ip6tables-save', '-c'), parseIptables) : undefined,
          closely ? look(`${netns} nft`, within(netns, 'nft', '-j', 'list', 'ruleset'), parseNft) : undefined,
          closely ? look(`${netns} tc`, within(netns, 'tc', '-s', '-j', 'qdisc', 'show'), parseQdiscs) : undefined,
        ]);
        return { netns, dump, dump6, ruleset, disciplines };
      }),
    ),
    Promise.all(
      bridges.map(async (name) => ({
        name,
        flows: await look(name, root('ovs-ofctl', '--timeout=5', 'dump-flows', name), parseFlows),
      })),
    ),
  ]);
  // Only ingress and clsact hold filters that may take packets; hardly any device has one (a limit of OVS or libvirt does).
  const filtered = [
    ...(qdiscs ?? []).map((q) => ({ ...q, netns: undefined })),
    ...inside.flatMap(({ netns, disciplines }) => (disciplines ?? []).map((q) => ({ ...q, netns }))),
  ].filter((q) => closely && (q.kind === 'ingress' || q.kind === 'clsact'));
  const filters = await Promise.all(
    filtered.flatMap(({ dev, kind, netns }) =>
      (kind === 'ingress' ? (['ingress'] as const) : (['ingress', 'egress'] as const)).map(async (direction) => {
        const argv = ['tc', '-s', '-j', 'filter', 'show', 'dev', dev, direction] as const;
        const place = `${netns === undefined ? '' : `${netns} `}tc ${dev} ${direction}`;
        const command: Command = { argv, impact: 'read', ...(netns === undefined ? {} : { netns }) };
        const found = await look(place, command, parseTcFilters);
        return { dev, direction, ...(netns === undefined ? {} : { netns }), filters: found ?? [] };
      }),
    ),
  );
  const iptables = [
    ...(own === undefined ? [] : [{ family: 4 as const, dump: own }]),
    ...(own6 === undefined ? [] : [{ family: 6 as const, dump: own6 }]),
    ...inside.flatMap(({ netns, dump, dump6 }) => [
      ...(dump === undefined ? [] : [{ family: 4 as const, netns, dump }]),
      ...(dump6 === undefined ? [] : [{ family: 6 as const, netns, dump: dump6 }]),
    ]),
  ];
  const rulesets = [
    ...(nft === undefined ? [] : [{ ruleset: nft }]),
    ...inside.flatMap(({ netns, ruleset }) => (ruleset === undefined ? [] : [{ netns, ruleset }])),
  ];
  return {
    rules: {
      iptables,
      ...(rulesets.length === 0 ? {} : { nft: rulesets }),
      ...(ebtables === undefined ? {} : { ebtables }),
      ...(qdiscs === undefined
        ? {}
        : {
            qdiscs: [
              ...qdiscs,
              ...inside.flatMap(({ netns, disciplines }) => (disciplines ?? []).map((q) => ({ ...q, netns }))),
            ],
          }),
      ...(filters.length === 0 ? {} : { filters }),
      bridges: flows.flatMap((b) => (b.flows === undefined ? [] : [{ name: b.name, flows: b.flows }])),
    },
    // Not in the order in which answers came, which a report must not depend on.
    evidence: new Map([...evidence].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** Where rules must be read on each host of the path. */
export interface RulePlaces {
  readonly host: string;
  readonly namespaces: readonly string[];
  readonly bridges: readonly string[];
}

export const rulePlaces = source<PortSubject, readonly RulePlaces[]>(
  'port.rule-places',
  (subject) => subject.id,
  async (subject, facts) => {
    const [hosts, place, around] = await Promise.all([
      facts.get(pathHosts, subject),
      facts.get(placement, subject),
      facts.get(servicePorts, subject),
    ]);
    if (!hosts.ok) return hosts;
    if (!place.ok) return place;
    const metadata = metadataPorts(around.ok ? around.value.value : []).length > 0;
    const usesOvs = place.value.value.backend.name.startsWith('ov');
    const places = await Promise.all(
      hosts.value.value.all.map(async (host): Promise<RulePlaces> => {
        const ovs = usesOvs ? await facts.get(hostOvs, host) : undefined;
        return {
          host,
          namespaces: [
            ...(hosts.value.value.dhcp.includes(host) ? [namespaceName('qdhcp', subject.port.value.network_id)] : []),
            ...[...hosts.value.value.routers]
              .filter(([, at]) => at === host)
              .map(([id]) => namespaceName('qrouter', id)),
            ...(metadata && host === hosts.value.value.compute
              ? [namespaceName('ovnmeta', subject.port.value.network_id)]
              : []),
          ],
          bridges: ovs?.ok === true ? ovs.value.value.bridges.map((b) => b.name) : [],
        };
      }),
    );
    return observed(places, ...hosts.value.evidence);
  },
);

/** The rules of every host of the path, as they stand. */
export const pathRules = source<PortSubject, ReadonlyMap<string, RulesOfHost>>(
  'port.path-rules',
  (subject) => subject.id,
  async (subject, facts) => {
    const places = await facts.get(rulePlaces, subject);
    if (!places.ok) return places;
    const found = await Promise.all(
      places.value.value.map(async (p) => [p.host, await readRules(facts, p.host, p.namespaces, p.bridges)] as const),
    );
    return observed(new Map(found), ...found.flatMap(([, r]) => [...r.evidence.values()]));
  },
);
