import { ok, type Result } from '../../engine/result.ts';
import { integer, linesOf, type ParseFailure, parseFailure } from './parsing.ts';

/** One OpenFlow flow. */
export interface Flow {
  readonly table: number;
  readonly priority: number;
  /** As printed: `0xab9b55d8cc7134e3`; `0x0` when its maker set none. */
  readonly cookie: string;
  readonly packets: number;
  readonly bytes: number;
  /** Match fields by their printed names; a bare protocol (`arp`, `icmp6`) has an empty value. */
  readonly match: Readonly<Record<string, string>>;
  readonly actions: string;
  /** The flow without what changes by itself (duration, ages, counters): it is equal in two dumps of the same version. */
  readonly raw: string;
}

const WHAT = 'ovs-ofctl dump-flows';
const DEFAULT_PRIORITY = 32_768;
/** Keys of a flow that say nothing of what it matches (ovs-ofctl(8), dump-flows). */
const ABOUT = new Set([
  'cookie',
  'duration',
  'table',
  'n_packets',
  'n_bytes',
  'idle_timeout',
  'hard_timeout',
  'idle_age',
  'hard_age',
  'importance',
  'priority',
  'send_flow_rem',
  'check_overlap',
  'reset_counts',
  'no_packet_counts',
  'no_byte_counts',
  'flags',
]);
const CHANGES = new Set(['duration', 'n_packets', 'n_bytes', 'idle_age', 'hard_age']);

/** Output of `ovs-ofctl [-O OpenFlow13] dump-flows BRIDGE`, with or without `--no-stats`. */
export function parseFlows(stdout: string): Result<readonly Flow[], ParseFailure> {
  const flows: Flow[] = [];
  for (const line of linesOf(stdout)) {
    const text = line.trim();
    if (text === '' || /^(?:NXST|OFPST)_FLOW reply\b/.test(text)) continue;
    const flow = flowOf(text);
    if (flow === undefined) return parseFailure(WHAT, line);
    flows.push(flow);
  }
  return ok(flows);
}

function flowOf(line: string): Flow | undefined {
  const at = line.startsWith('actions=') ? 0 : line.indexOf(' actions=');
  if (at < 0) return undefined;
  const head = line.slice(0, at).trim();
  const actions = line.slice(at).trim().slice('actions='.length);
  const fields = fieldsOf(head);
  const about = new Map<string, string>();
  const match: [string, string][] = [];
  for (const [key, value] of fields) {
    if (ABOUT.has(key)) about.set(key, value);
    else match.push([key, value]);
  }
  if (about.size === 0 && match.length === 0) return undefined;
  const table = integer(about.get('table')) ?? 0;
  const kept = fields
    .filter(([key]) => key !== 'table' && key !== 'cookie' && !CHANGES.has(key))
    .map(([key, value]) => (value === '' ? key : `${key}=${value}`));
  const cookie = about.get('cookie') ?? '0x0';
  return {
    table,
    priority: integer(about.get('priority')) ?? DEFAULT_PRIORITY,
    cookie,
    packets: integer(about.get('n_packets')) ?? 0,
    bytes: integer(about.get('n_bytes')) ?? 0,
    match: Object.fromEntries(match),
    actions,
    raw: `${[`cookie=${cookie}`, `table=${table}`, ...kept].join(',')} actions=${actions}`,
  };
}

/** `key=value` and bare words, at commas (statistics have a space after theirs). No value of a match has a comma. */
function fieldsOf(head: string): readonly (readonly [string, string])[] {
  return head
    .split(/[,\s]+/)
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('=');
      return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
    });
}

const VLAN_PRESENT = 0x1000;
const VLAN_MASK = 0x0fff;

/**
 * The VLAN that the flow is about, whichever way it is written: it matches it (`dl_vlan=1`, `vlan_tci=0x0001/0x0fff`
 * of learned flows, `dl_vlan=0x1`), or gives it to the packet (`mod_vlan_vid:1` of OpenFlow 1.0,
 * `push_vlan:0x8100,set_field:4097->vlan_vid` of 1.3, which is 4096 + 1). Absent when it is about none.
 */
export function flowVlan(flow: Flow): number | undefined {
  return matchedVlan(flow) ?? setVlan(flow);
}

function matchedVlan(flow: Flow): number | undefined {
  const plain = integer(flow.match.dl_vlan);
  if (plain !== undefined) return plain;
  const [value, mask] = (flow.match.vlan_tci ?? flow.match.vlan_vid ?? '').split('/');
  const tci = integer(value);
  if (tci === undefined) return undefined;
  const masked = mask === undefined ? 0xffff : (integer(mask) ?? 0xffff);
  return (masked & VLAN_MASK) === VLAN_MASK && (tci & VLAN_MASK) !== 0 ? tci & VLAN_MASK : undefined;
}

function setVlan(flow: Flow): number | undefined {
  const field = /(?:^|,)set_field:(0x[\da-f]+|\d+)(?:\/0x[\da-f]+)?->vlan_vid\b/i.exec(flow.actions)?.[1];
  const vid = integer(field);
  if (vid !== undefined) return vid >= VLAN_PRESENT ? vid - VLAN_PRESENT : vid;
  return integer(/(?:^|,)(?:mod|set)_vlan_vid:(0x[\da-f]+|\d+)/i.exec(flow.actions)?.[1]);
}

/** The tunnel id (VNI) that the flow matches, or else the one it gives to the packet. */
export function flowTunnelId(flow: Flow): number | undefined {
  const matched = integer((flow.match.tun_id ?? flow.match.tunnel_id)?.split('/')[0]);
  if (matched !== undefined) return matched;
  const set =
    /(?:set_field:(0x[\da-f]+|\d+)->tun_id\b|load:(0x[\da-f]+|\d+)->NXM_NX_TUN_ID\[|set_tunnel(?:64)?:(0x[\da-f]+|\d+))/i;
  const found = set.exec(withoutNested(flow.actions));
  return integer(found?.[1] ?? found?.[2] ?? found?.[3]);
}

/** Ports that the flow sends to: numbers, names, `LOCAL`, `IN_PORT`, `NORMAL`, `FLOOD`, …, in their order. */
export function flowOutputs(flow: Flow): readonly string[] {
  const outputs: string[] = [];
  for (const action of withoutNested(flow.actions).split(',')) {
    const port = /^(?:output:)?("?[\w.-]+"?)$/.exec(action)?.[1];
    if (port === undefined) continue;
    if (action.startsWith('output:') || /^(?:NORMAL|FLOOD|ALL|LOCAL|IN_PORT|CONTROLLER|\d+)$/i.test(port)) {
      outputs.push(port.replaceAll('"', ''));
    }
  }
  return outputs;
}

/** Actions without what stands in parentheses (`learn(…)`, `ct(…)`, `resubmit(,20)`): that acts later, or elsewhere. */
function withoutNested(actions: string): string {
  let depth = 0;
  let kept = '';
  for (const character of actions) {
    if (character === '(') depth += 1;
    if (depth === 0) kept += character;
    if (character === ')') depth = Math.max(0, depth - 1);
  }
  return kept;
}
