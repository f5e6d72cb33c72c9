import type { Flow } from '../../../nodes/parse/flows.ts';
import { keys } from '../counters.ts';
import { flowTakes } from '../flow-match.ts';
import type { Packet } from '../packet.ts';
import { answered, type BridgeFlows, type Stranger } from './stranger.ts';

/** Agents choose their cookie at random out of 64 bits; a hand leaves it 0 or types a short one. */
const SHORTEST_RANDOM_COOKIE = 0x1_0000_0000n;
/** A program that shares the bridge with the agent (an extension, an agent being restarted) has more flows than this. */
const A_FEW = 2;

export function strangersInFlows(bridge: BridgeFlows, seen: readonly Packet[]): readonly Stranger[] {
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
export function flowSpec(flow: Flow): string {
  const match = Object.entries(flow.match).map(([field, value]) => (value === '' ? field : `${field}=${value}`));
  return [`table=${flow.table}`, `priority=${flow.priority}`, ...match].join(',');
}
