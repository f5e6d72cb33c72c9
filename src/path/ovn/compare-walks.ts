import type { TracedFlow } from '../../nodes/parse/ofproto-trace.ts';
import type { LogicalHit, OvnTrace } from '../../nodes/parse/ovn-trace.ts';

/** `0x19e06eb` → `019e06eb`, as rows are named in short; undefined for none, and for what is no row's. */
export const shortUuid = (cookie: string | undefined): string | undefined => {
  const number = BigInt(cookie ?? '0x0');
  return number === 0n || number > 0xffff_ffffn ? undefined : number.toString(16).padStart(8, '0');
};

/** The row of the SB that a flow's cookie names. */
export interface Maker {
  readonly table: string;
  /** Of a Logical_Flow. */
  readonly pipeline?: string;
  readonly tableId?: number;
  readonly priority?: number;
  /** Its actions end the packet. */
  readonly drops?: boolean;
}

/** By the beginning of the row's UUID; what was asked about and not found is empty. */
export type Makers = ReadonlyMap<string, readonly Maker[]>;

/**
 * Why a flow is not of ovn-controller's making. no-cookie: its own flows without one pass on and do not end anything. no-row: no row of the SB
 * begins so. not-as-row: the row is a logical flow of another priority or
 * stage, or one that passes packets on; or no logical flow at all, and those would deliver the packet.
 */
export type Oddity = 'no-cookie' | 'no-row' | 'not-as-row';

/**
 * Flows without a cookie that ovn-controller makes (controller/physical.c): the end of a table, what comes out of a tunnel, and what marks in
 * register 10 send on.
 */
const withoutCookie = (flow: TracedFlow): boolean =>
  flow.priority === 0 || /^(?:in_port=\S+|reg10=\S+), priority \d+$/.test(flow.match);

/**
 * To all members of a multicast group that are here, as ovn-controller makes it (controller/physical.c, consider_mc_group): where none is, as of
 * the wire outside on a chassis without it, nobody gets the packet.
 */
const toMembers = (flow: TracedFlow, row: Maker): boolean =>
  row.table === 'Multicast_Group' && /^reg15=0x[89a-f][0-9a-f]{3},metadata=\S+, priority 100$/.test(flow.match);

/** Which number the first stage of a pipeline has on a chassis; it varies by release. */
function offsets(flows: readonly TracedFlow[], makers: Makers): ReadonlyMap<string, number> {
  const votes = new Map<string, Map<number, number>>();
  for (const flow of flows) {
    const [maker] = makers.get(shortUuid(flow.cookie) ?? '') ?? [];
    if (maker?.pipeline === undefined || maker.tableId === undefined) continue;
    const of = votes.get(maker.pipeline) ?? new Map<number, number>();
    const offset = flow.table - maker.tableId;
    of.set(offset, (of.get(offset) ?? 0) + 1);
    votes.set(maker.pipeline, of);
  }
  return new Map(
    [...votes].flatMap(([pipeline, of]) => {
      const [most] = [...of].sort(([, a], [, b]) => b - a);
      return most === undefined ? [] : [[pipeline, most[0]] as const];
    }),
  );
}

/** What is known of a packet at the flow that is looked at. */
interface At {
  /** Nothing follows: it is dropped there. */
  readonly dropped: boolean;
  readonly putOut: boolean;
  /** The logical flows of the SB deliver it. */
  readonly ordered: boolean;
}

/** Is this flow of the integration bridge a stranger's? */
function oddity(flow: TracedFlow, at: At, makers: Makers, first: ReadonlyMap<string, number>): Oddity | undefined {
  if (flow.match === 'no match') return undefined;
  const short = shortUuid(flow.cookie);
  if (short === undefined) {
    if (BigInt(flow.cookie ?? '0x0') !== 0n) return 'no-row';
    const ends = (at.dropped || at.putOut) && flow.priority !== 0;
    return withoutCookie(flow) && !ends ? undefined : 'no-cookie';
  }
  const rows = makers.get(short);
  if (rows === undefined) return undefined;
  const [row] = rows;
  if (row === undefined) return 'no-row';
  if (toMembers(flow, row)) return undefined;
  if (row.table !== 'Logical_Flow') return at.dropped && at.ordered && flow.priority !== 0 ? 'not-as-row' : undefined;
  const offset = first.get(row.pipeline ?? '');
  const elsewhere = offset !== undefined && row.tableId !== undefined && flow.table - row.tableId !== offset;
  const otherwise = at.dropped && row.drops === false;
  return row.priority !== flow.priority || elsewhere || otherwise ? 'not-as-row' : undefined;
}

/** The first flow on a packet's way through an integration bridge that no row of the SB explains. `ordered`: the SB's logical flows deliver it. */
export function strangerOn(
  flows: readonly TracedFlow[],
  bridge: string,
  makers: Makers,
  ordered = false,
): { readonly flow: TracedFlow; readonly why: Oddity } | undefined {
  const own = flows.filter((f) => f.bridge === bridge);
  const first = offsets(own, makers);
  for (const flow of own) {
    const putOut = flow.outputs.length > 0;
    const dropped = flow === flows.at(-1) && !putOut && flow.punts === undefined;
    const why = oddity(flow, { dropped, putOut, ordered }, makers, first);
    if (why !== undefined) return { flow, why };
  }
  return undefined;
}

/**
 * The logical flow that should have taken the packet where the chassis lost it: the one behind the last that was used. Undefined where it was
 * lost behind the logical flows, on its way to a port or to another chassis.
 */
export function nextUnused(trace: OvnTrace, flows: readonly TracedFlow[]): LogicalHit | undefined {
  const last = flows.at(-1);
  if (last === undefined || (last.match !== 'no match' && shortUuid(last.cookie) === undefined)) return undefined;
  // In step with the switch: a logical flow of many switches is met again in the next of them.
  let at = 0;
  for (const flow of flows) {
    const short = shortUuid(flow.cookie);
    const met = trace.hits.findIndex((hit, n) => n >= at && hit.flow?.uuid.padStart(8, '0') === short);
    if (short !== undefined && met >= 0) at = met + 1;
  }
  return trace.hits.slice(at).find((hit) => hit.flow !== undefined);
}
