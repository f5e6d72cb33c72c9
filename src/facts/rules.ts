import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import type { Command } from '../nodes/command.ts';
import { parseEbtables } from '../nodes/parse/ebtables.ts';
import { parseFlows } from '../nodes/parse/flows.ts';
import { parseIptables } from '../nodes/parse/iptables.ts';
import { parseNft } from '../nodes/parse/nft.ts';
import { parseQdiscs } from '../nodes/parse/tc.ts';
import { namespaceName } from '../path/addresses.ts';
import type { NodeRules } from '../path/firewall/strangers.ts';
import { hostOvs } from './host.ts';
import { read, type Store, source } from './io.ts';
import { pathHosts, placement } from './placement.ts';
import type { PortSubject } from './subject.ts';

export interface RulesOfHost {
  readonly rules: NodeRules;
  /** By the place it is evidence of: `iptables`, `nft`, `ebtables`, `tc`, a namespace or a bridge. */
  readonly evidence: ReadonlyMap<string, Evidence>;
}

/**
 * Everything on a host that may take a packet away, with its counters: iptables of the host and of the namespaces of the
 * path, nft, ebtables, qdiscs, and the flows of the bridges. What cannot be read (a tool that is not there) is left out.
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
  const [own, inside, nft, ebtables, qdiscs, flows] = await Promise.all([
    look('iptables', root('iptables-save', '-c'), parseIptables),
    Promise.all(
      namespaces.map(async (netns) => ({
        netns,
        dump: await look(netns, { argv: ['iptables-save', '-c'], impact: 'read', netns }, parseIptables),
      })),
    ),
    look('nft', root('nft', '-j', 'list', 'ruleset'), parseNft),
    look('ebtables', root('ebtables-save', '-c'), parseEbtables),
    look('tc', { argv: ['tc', '-s', '-j', 'qdisc', 'show'], impact: 'read' }, parseQdiscs),
    Promise.all(
      bridges.map(async (name) => ({
        name,
        flows: await look(name, root('ovs-ofctl', '--timeout=5', 'dump-flows', name), parseFlows),
      })),
    ),
  ]);
  const iptables = [
    ...(own === undefined ? [] : [{ family: 4 as const, dump: own }]),
    ...inside.flatMap(({ netns, dump }) => (dump === undefined ? [] : [{ family: 4 as const, netns, dump }])),
  ];
  return {
    rules: {
      iptables,
      ...(nft === undefined ? {} : { nft: [{ ruleset: nft }] }),
      ...(ebtables === undefined ? {} : { ebtables }),
      ...(qdiscs === undefined ? {} : { qdiscs }),
      bridges: flows.flatMap((b) => (b.flows === undefined ? [] : [{ name: b.name, flows: b.flows }])),
    },
    evidence,
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
    const [hosts, place] = await Promise.all([facts.get(pathHosts, subject), facts.get(placement, subject)]);
    if (!hosts.ok) return hosts;
    if (!place.ok) return place;
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
