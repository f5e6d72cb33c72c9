import type { EbtablesChain, EbtablesRule } from '../../nodes/parse/ebtables.ts';
import type { Flow } from '../../nodes/parse/flows.ts';
import { type IptablesChain, type IptablesDump, type IptablesRule, ruleWords } from '../../nodes/parse/iptables.ts';
import type { NftChain, NftRule, NftRuleset } from '../../nodes/parse/nft.ts';
import type { Qdisc, TcFilter } from '../../nodes/parse/tc.ts';
import type { Family } from '../addresses.ts';
import { iptablesPlace, keys, qdiscKey } from './counters.ts';
import { isBuiltInEbtables, walkEbtables } from './ebtables-match.ts';
import { flowTakes } from './flow-match.ts';
import { isBuiltIn, walk } from './iptables-walk.ts';
import { walkNft } from './nft-match.ts';
import { type Owner, ownerOfChain, ownerOfEbtables, ownerOfIptables, ownerOfNftTable } from './owners.ts';
import { type Answer, any, outerPacket, type Packet } from './packet.ts';

/** Everything on one node that may drop or divert packets, as far as it was read. */
export interface NodeRules {
  /** Of the host and of its namespaces. */
  readonly iptables?: readonly { readonly family: Family; readonly netns?: string; readonly dump: IptablesDump }[];
  readonly nft?: readonly { readonly netns?: string; readonly ruleset: NftRuleset }[];
  readonly ebtables?: readonly EbtablesChain[];
  readonly bridges?: readonly BridgeFlows[];
  readonly qdiscs?: readonly Qdisc[];
  readonly filters?: readonly {
    readonly dev: string;
    readonly netns?: string;
    readonly direction: 'ingress' | 'egress';
    readonly filters: readonly TcFilter[];
  }[];
}

export interface BridgeFlows {
  readonly name: string;
  readonly flows: readonly Flow[];
  /** What `ovs-ofctl -O` needs when the bridge does not speak OpenFlow 1.0: `OpenFlow13`. */
  readonly version?: string;
}

/** A rule that nobody in Neutron ordered, and that may take packets away. */
export interface Stranger {
  readonly tool: 'iptables' | 'nft' | 'ebtables' | 'ovs' | 'tc';
  /** `filter FORWARD #1`, `br-int table 0`, `qrouter-… nat PREROUTING #2`. */
  readonly where: string;
  /** The same text that `counters.ts` keys its counters by, for this rule. */
  readonly key: string;
  readonly raw: string;
  readonly packets: number;
  readonly effect: 'drops' | 'rejects' | 'diverts' | 'degrades';
  /** DROP, REJECT, DNAT, `drop`, …, or the actions of a flow. */
  readonly target: string;
  /** containers: only of a policy, which Docker sets for everybody. */
  readonly owner: Exclude<Owner, 'neutron' | 'libvirt'>;
  /** possible: another program that we cannot tell from a hand may have made it. */
  readonly certainty: 'certain' | 'possible';
  /** Could it take the packet that was asked about? unknown when none was. */
  readonly matches: Answer;
  /** Deletes exactly this rule. */
  readonly remove: readonly [string, ...string[]];
}

/**
 * All strangers of a node, and which of them could take the packet: as it is inside, or in its tunnel. Strangers that
 * surely match come first, then those that may.
 */
export function strangersOf(node: NodeRules, packet?: Packet): readonly Stranger[] {
  const seen: readonly Packet[] = packet
    ? [packet, ...(packet.encapsulated ? [outerPacket(packet.encapsulated)] : [])]
    : [];
  const found = [
    ...(node.iptables ?? []).flatMap((dump) => strangersInIptables(dump, seen)),
    ...(node.nft ?? []).flatMap((dump) => strangersInNft(dump, seen)),
    ...strangersInEbtables(node.ebtables ?? [], seen),
    ...(node.bridges ?? []).flatMap((bridge) => strangersInFlows(bridge, seen)),
    ...strangersInTc(node, seen),
  ];
  const rank: Readonly<Record<Answer, number>> = { yes: 0, unknown: 1, no: 2 };
  return found.sort((a, b) => rank[a.matches] - rank[b.matches]);
}

/** Any of the ways that the packet takes, inside and in its tunnel; unknown when there is no packet. */
function answered<Way>(ways: readonly Way[], answer: (way: Way) => Answer | undefined): Answer {
  return ways.length === 0 ? 'unknown' : any(ways.map((way) => answer(way) ?? 'no'));
}

const stranger = (owner: Owner): owner is 'nobody' | 'host-firewall' => owner === 'nobody' || owner === 'host-firewall';

function inNamespace(netns: string | undefined, argv: readonly [string, ...string[]]): readonly [string, ...string[]] {
  return netns === undefined ? argv : ['ip', 'netns', 'exec', netns, ...argv];
}

// iptables

const EFFECTS: Readonly<Record<string, Stranger['effect']>> = {
  DROP: 'drops',
  TARPIT: 'drops',
  REJECT: 'rejects',
  DNAT: 'diverts',
  SNAT: 'diverts',
  MASQUERADE: 'diverts',
  NETMAP: 'diverts',
  REDIRECT: 'diverts',
  TPROXY: 'diverts',
  QUEUE: 'diverts',
  NFQUEUE: 'diverts',
};

function strangersInIptables(
  { family, netns, dump }: { readonly family: Family; readonly netns?: string; readonly dump: IptablesDump },
  seen: readonly Packet[],
): readonly Stranger[] {
  const tool = family === 6 ? 'ip6tables' : 'iptables';
  const place = iptablesPlace(family, netns);
  const walks = seen.map((packet) => (packet.family === family && !packet.arp ? walk(dump, packet) : undefined));
  const strangers: Stranger[] = [];
  const keyOf = keys();
  const rule = (given: IptablesRule): void => {
    const key = keyOf(`${place}${given.table} ${given.raw}`);
    const effect = EFFECTS[given.target ?? ''];
    const owner = ownerOfIptables(given);
    if (!effect || !stranger(owner)) return;
    strangers.push({
      tool: 'iptables',
      where: `${place}${given.table} ${given.chain} #${given.index}`,
      key,
      raw: given.raw,
      packets: given.packets,
      effect,
      target: given.target ?? '',
      owner,
      certainty: 'certain',
      matches: answered(walks, (way) => way?.rules.get(given)),
      remove: inNamespace(netns, [tool, ...tableOption(given.table), '-D', ...ruleWords(given.raw).slice(1)]),
    });
  };
  const policy = (chain: IptablesChain): void => {
    if (!isBuiltIn(chain.name) || chain.policy !== 'DROP') return;
    strangers.push({
      tool: 'iptables',
      where: `${place}${chain.table} ${chain.name} policy`,
      key: `${place}${chain.table} -P ${chain.name}`,
      raw: `-P ${chain.name} DROP`,
      packets: chain.packets,
      effect: 'drops',
      target: 'DROP',
      owner: policyMaker(dump),
      certainty: 'certain',
      matches: answered(walks, (way) => way?.policies.get(chain)),
      remove: inNamespace(netns, [tool, ...tableOption(chain.table), '-P', chain.name, 'ACCEPT']),
    });
  };
  for (const { chains } of dump.tables) {
    for (const chain of chains) {
      chain.rules.forEach(rule);
      policy(chain);
    }
  }
  return strangers;
}

/** Who set a policy is not written anywhere; a firewall or Docker (FORWARD DROP since 1.13) on the host is the likely one. */
function policyMaker(dump: IptablesDump): Stranger['owner'] {
  const owners = new Set(dump.tables.flatMap(({ chains }) => chains.map(({ name }) => ownerOfChain(name))));
  return owners.has('host-firewall') ? 'host-firewall' : owners.has('containers') ? 'containers' : 'nobody';
}

const tableOption = (table: string): readonly string[] => (table === 'filter' ? [] : ['-t', table]);

// nft

function strangersInNft(
  { netns, ruleset }: { readonly netns?: string; readonly ruleset: NftRuleset },
  seen: readonly Packet[],
): readonly Stranger[] {
  const place = netns === undefined ? '' : `${netns} `;
  const walks = seen.map((packet) => walkNft(ruleset, packet));
  const strangers: Stranger[] = [];
  const keyOf = keys();
  const rule = (given: NftRule, owner: Stranger['owner']): void => {
    const chain = `${place}nft ${given.family} ${given.table} ${given.chain}`;
    const key = keyOf(`${chain} ${given.handle ?? given.expression}`);
    const effect = nftEffect(given);
    if (!effect) return;
    const handle = given.handle === undefined ? [] : ['handle', String(given.handle)];
    strangers.push({
      tool: 'nft',
      where: [chain, ...handle].join(' '),
      key,
      raw: given.expression,
      packets: given.packets ?? 0,
      effect,
      target: given.verdict ?? given.expression,
      owner,
      certainty: 'certain',
      matches: answered(walks, (way) => way.rules.get(given)),
      // Without its handle (`nft -a`) a rule cannot be named; then the handle is what to look for first.
      remove: inNamespace(
        netns,
        handle.length > 0
          ? ['nft', 'delete', 'rule', given.family, given.table, given.chain, ...handle]
          : ['nft', '-a', 'list', 'chain', given.family, given.table, given.chain],
      ),
    });
  };
  const policy = (chain: NftChain, owner: Stranger['owner']): void => {
    if (chain.hook === undefined || chain.policy !== 'drop') return;
    const name = `${place}nft ${chain.family} ${chain.table} ${chain.name}`;
    strangers.push({
      tool: 'nft',
      where: `${name} policy`,
      key: `${name} policy`,
      raw: `hook ${chain.hook} policy drop`,
      packets: 0,
      effect: 'drops',
      target: 'drop',
      owner,
      certainty: 'certain',
      matches: answered(walks, (way) => way.policies.get(chain)),
      remove: inNamespace(netns, ['nft', 'chain', chain.family, chain.table, chain.name, '{ policy accept ; }']),
    });
  };
  for (const table of ruleset.tables) {
    const owner = ownerOfNftTable(table.name);
    if (table.iptables || !stranger(owner)) continue;
    for (const chain of table.chains) {
      for (const given of chain.rules) rule(given, owner);
      policy(chain, owner);
    }
  }
  return strangers;
}

function nftEffect(rule: NftRule): Stranger['effect'] | undefined {
  if (rule.verdict === 'drop') return 'drops';
  if (rule.verdict === 'reject') return 'rejects';
  if (rule.verdict === 'queue') return 'diverts';
  return /\b(?:dnat|snat|masquerade|redirect|tproxy|fwd)\b/.test(rule.expression.replace(/"[^"]*"/g, ''))
    ? 'diverts'
    : undefined;
}

// ebtables

function strangersInEbtables(chains: readonly EbtablesChain[], seen: readonly Packet[]): readonly Stranger[] {
  const walks = seen.map((packet) => walkEbtables(chains, packet));
  const strangers: Stranger[] = [];
  const keyOf = keys();
  const rule = (given: EbtablesRule): void => {
    const key = keyOf(`ebtables ${given.table} ${given.chain} ${given.raw}`);
    const effect = EBTABLES_EFFECTS[given.target ?? ''];
    const owner = ownerOfEbtables(given);
    if (!effect || !stranger(owner)) return;
    strangers.push({
      tool: 'ebtables',
      where: `ebtables ${given.table} ${given.chain} #${given.index}`,
      key,
      raw: given.raw,
      packets: given.packets,
      effect,
      target: given.target ?? '',
      owner,
      certainty: 'certain',
      matches: answered(walks, (way) => way.rules.get(given)),
      remove: ['ebtables', ...tableOption(given.table), '-D', given.chain, ...given.raw.split(/\s+/)],
    });
  };
  for (const chain of chains) {
    chain.rules.forEach(rule);
    if (!isBuiltInEbtables(chain.name) || chain.policy !== 'DROP') continue;
    strangers.push({
      tool: 'ebtables',
      where: `ebtables ${chain.table} ${chain.name} policy`,
      key: `ebtables ${chain.table} -P ${chain.name}`,
      raw: `-P ${chain.name} DROP`,
      packets: 0,
      effect: 'drops',
      target: 'DROP',
      owner: 'nobody',
      certainty: 'certain',
      matches: answered(walks, (way) => way.policies.get(chain)),
      remove: ['ebtables', ...tableOption(chain.table), '-P', chain.name, 'ACCEPT'],
    });
  }
  return strangers;
}

const EBTABLES_EFFECTS: Readonly<Record<string, Stranger['effect']>> = {
  DROP: 'drops',
  dnat: 'diverts',
  snat: 'diverts',
  redirect: 'diverts',
};

// Open vSwitch

/** Agents choose their cookie at random out of 64 bits; a hand leaves it 0 or types a short one. */
const SHORTEST_RANDOM_COOKIE = 0x1_0000_0000n;
/** A program that shares the bridge with the agent (an extension, an agent being restarted) has more flows than this. */
const A_FEW = 2;

function strangersInFlows(bridge: BridgeFlows, seen: readonly Packet[]): readonly Stranger[] {
  const { name, flows } = bridge;
  const maker = flows.some(({ match }) => match.metadata !== undefined) ? 'ovn' : agentCookie(flows);
  const counts = new Map<string, number>();
  for (const { cookie } of flows) counts.set(cookie, (counts.get(cookie) ?? 0) + 1);
  const keyOf = keys();
  return flows.flatMap((flow) => {
    const key = keyOf(`${name} ${flow.raw}`);
    const certainty = maker === 'ovn' ? inOvnPipeline(flow) : besideAgent(flow, maker, counts.get(flow.cookie) ?? 0);
    if (!certainty) return [];
    const version = bridge.version === undefined ? [] : ['-O', bridge.version];
    return {
      tool: 'ovs' as const,
      where: `${name} table ${flow.table}`,
      key,
      raw: flow.raw,
      packets: flow.packets,
      effect: drops(flow) ? ('drops' as const) : ('diverts' as const),
      target: flow.actions,
      owner: 'nobody' as const,
      certainty,
      matches: answered(seen, (packet) => flowTakes(flow, flows, packet)),
      remove: ['ovs-ofctl', ...version, '--strict', 'del-flows', name, flowSpec(flow)] as const,
    };
  });
}

const drops = (flow: Flow): boolean => flow.actions === 'drop' || flow.actions === '';

/** The cookie of the OVS agent: the one that most flows of the bridge have. */
export function agentCookie(flows: readonly Flow[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { cookie } of flows) if (BigInt(cookie) !== 0n) counts.set(cookie, (counts.get(cookie) ?? 0) + 1);
  const [first] = [...counts].sort(([, a], [, b]) => b - a);
  return first && first[1] >= A_FEW ? first[0] : undefined;
}

/** A bridge that the OVS agent fills, or nobody does: what does not have the agent's cookie. */
function besideAgent(flow: Flow, agent: string | undefined, sameCookie: number): Stranger['certainty'] | undefined {
  // ovs-vswitchd gives a new bridge one flow that makes it a plain switch.
  if (flow.cookie === agent || isCatchAll(flow)) return undefined;
  const random = BigInt(flow.cookie) >= SHORTEST_RANDOM_COOKIE;
  if (agent === undefined) return drops(flow) && !random ? 'certain' : undefined;
  if (!random) return drops(flow) || changesWay(flow) ? 'certain' : undefined;
  return drops(flow) && sameCookie <= A_FEW ? 'possible' : undefined;
}

/**
 * In OVN's br-int the cookie is the beginning of the logical flow's or the binding's id; OVN's own flows without one
 * either take everything that is left in a table, or pass it on.
 */
function inOvnPipeline(flow: Flow): Stranger['certainty'] | undefined {
  if (BigInt(flow.cookie) !== 0n || isCatchAll(flow)) return undefined;
  if (drops(flow)) return 'certain';
  const pipeline = /resubmit|METADATA|NXM_NX_REG|conjunction|learn|controller|set_field/.test(flow.actions);
  return !pipeline && changesWay(flow) ? 'certain' : undefined;
}

const isCatchAll = (flow: Flow): boolean => flow.priority === 0 && Object.keys(flow.match).length === 0;

const changesWay = (flow: Flow): boolean =>
  /\b(?:output|NORMAL|LOCAL|FLOOD|ALL|IN_PORT|CONTROLLER|mod_|set_)/i.test(flow.actions);

/** Table, priority and match, as `del-flows --strict` takes them. */
function flowSpec(flow: Flow): string {
  const match = Object.entries(flow.match).map(([field, value]) => (value === '' ? field : `${field}=${value}`));
  return [`table=${flow.table}`, `priority=${flow.priority}`, ...match].join(',');
}

// tc

/** Disciplines that only ever lose, hold or delay packets: no agent and no libvirt makes one. */
const HARMFUL = new Set(['netem', 'blackhole', 'plug']);
/** Limits of bandwidth: Neutron's QoS and libvirt's <bandwidth> make them too, so one is a stranger only where nobody ordered any. */
const SHAPERS = new Set(['tbf', 'htb', 'hfsc', 'cbq']);

/**
 * netem is never Neutron's, nor are filters that drop or lead elsewhere: Neutron's QoS polices, OVS offload uses flower. What an
 * ingress or clsact qdisc dropped is counted by itself: a bpf filter leaves no other trace.
 */
function strangersInTc(node: NodeRules, seen: readonly Packet[]): readonly Stranger[] {
  const passes = (dev: string): Answer =>
    answered(seen, (packet) => {
      const devices = [packet.in, packet.out, packet.bridgeIn, packet.bridgeOut];
      if (devices.includes(dev)) return 'unknown';
      // It passes more devices than those we know it by.
      const known = (a?: string, b?: string): boolean => a !== undefined && b !== undefined;
      return known(packet.bridgeIn, packet.bridgeOut) || known(packet.in, packet.out) ? 'no' : 'unknown';
    });
  const disciplines = (node.qdiscs ?? []).flatMap((qdisc): Stranger[] => {
    const harmful = HARMFUL.has(qdisc.kind);
    if (!harmful && !(SHAPERS.has(qdisc.kind) && qdisc.parent === undefined)) return [];
    const at = qdisc.parent === undefined ? ['root'] : ['parent', qdisc.parent, 'handle', qdisc.handle];
    const place = `${qdisc.netns === undefined ? '' : `${qdisc.netns} `}tc ${qdisc.dev}`;
    return [
      {
        tool: 'tc',
        where: `${place} ${at.join(' ')}`,
        key: qdiscKey(qdisc),
        raw: `qdisc ${qdisc.kind} ${qdisc.handle} dev ${qdisc.dev} ${at.join(' ')}`,
        packets: qdisc.drops,
        effect: 'degrades',
        target: qdisc.kind,
        owner: 'nobody',
        certainty: harmful ? 'certain' : 'possible',
        matches: passes(qdisc.dev),
        remove: inNamespace(qdisc.netns, ['tc', 'qdisc', 'del', 'dev', qdisc.dev, ...at]),
      },
    ];
  });
  const filters = (node.filters ?? []).flatMap(({ dev, netns, direction, filters: list }) => {
    const home = node.qdiscs?.find(
      (q) => q.dev === dev && q.netns === netns && (q.kind === 'clsact' || q.kind === 'ingress'),
    );
    return list.flatMap((filter): Stranger[] => {
      const action = filter.actions.find((a) => a === 'drop' || a === 'redirect' || a === 'direct-action');
      if (action === undefined) return [];
      const at = [direction, 'protocol', filter.protocol, 'pref', String(filter.pref)];
      const place = `${netns === undefined ? '' : `${netns} `}tc ${dev} ${direction}`;
      const silent = action === 'direct-action';
      return [
        {
          tool: 'tc',
          where: place,
          key: silent && home !== undefined ? qdiscKey(home) : `${place} ${at.join(' ')} ${filter.kind}`,
          raw: `filter ${at.join(' ')} ${filter.kind} ${filter.actions.join(' ')}`,
          packets: silent ? (home?.drops ?? 0) : action === 'redirect' ? filter.packets : filter.drops,
          effect: action === 'redirect' ? 'diverts' : 'drops',
          target: action,
          owner: 'nobody',
          certainty: filter.kind === 'flower' || silent ? 'possible' : 'certain',
          matches: passes(dev),
          remove: inNamespace(netns, ['tc', 'filter', 'del', 'dev', dev, ...at]),
        },
      ];
    });
  });
  return [...disciplines, ...filters];
}
