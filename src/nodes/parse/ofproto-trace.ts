import { ok, type Result } from '../../engine/result.ts';
import { linesOf, type ParseFailure, parseFailure } from './parsing.ts';

/** A flow that the packet met in the switch's own account of its way. */
export interface TracedFlow {
  readonly bridge: string;
  readonly table: number;
  /** Match and priority as printed, without the cookie; `no match` where no flow of the table took it. */
  readonly match: string;
  /** As printed; absent where the flow has none. */
  readonly cookie?: string;
  readonly priority?: number;
  /** OpenFlow ports that it puts the packet out by: numbers, names, `LOCAL`. */
  readonly outputs: readonly string[];
  /** It hands the packet to the controller of the bridge: with these `userdata`, empty where it gives none. */
  readonly punts?: string;
}

/** One copy that leaves the switch, with its header as it is by then: fields of ovs-fields(7), protocols with an empty value. */
export interface Departure {
  readonly header: ReadonlyMap<string, string>;
  /** Where it goes into a tunnel: outer addresses (`source` where the datapath is told it), key, and what Geneve carries besides. */
  readonly tunnel?: {
    readonly source?: string;
    readonly destination: string;
    readonly key?: number;
    /** Data of the option of class 0x102, type 0x80 (ovn-architecture(7), "Tunnel Encapsulations"). */
    readonly option?: string;
  };
}

/** What the switch says it would do with one packet. */
export interface OfprotoTrace {
  /** Some copy of it leaves through a port or a tunnel. */
  readonly delivers: boolean;
  /** How many copies leave: of what is flooded several do, and not each by its name. */
  readonly copies: number;
  /** Far ends of the tunnels that copies leave by. */
  readonly tunnels: readonly string[];
  /** What the datapath would be told in the end: `drop`, `ct(commit,zone=2),6`. */
  readonly actions: string;
  /** The flows in the order in which they were met. */
  readonly flows: readonly TracedFlow[];
  /** Every copy that leaves, in the order in which they do. */
  readonly departures: readonly Departure[];
}

const WHAT = 'ovs-appctl ofproto/trace';

/** The actions of a list, each with what stands in its parentheses: `clone(tnl_push(…),4)` → `clone`, `tnl_push(…),4`. */
function topLevel(actions: string): { readonly name: string; readonly inside: string }[] {
  const words: string[] = [];
  let depth = 0;
  let word = '';
  for (const letter of actions) {
    if (letter === '(') depth += 1;
    else if (letter === ')') depth -= 1;
    if (letter === ',' && depth === 0) {
      words.push(word);
      word = '';
    } else word += letter;
  }
  return [...words, word]
    .map((w) => w.trim())
    .filter((w) => w !== '')
    .map((w) => ({ name: w.replace(/\(.*$/s, ''), inside: /\((.*)\)$/s.exec(w)?.[1] ?? '' }));
}

/**
 * odp actions (ovs-actions(7), lib/odp-util.c): a number is a port; a tunnel of the userspace datapath is pushed on the way to one. What is
 * cloned leaves when one of the clone's actions does: a clone may also go to connection tracking alone.
 */
const copiesOf = (actions: string, deepest = 16): number =>
  topLevel(actions).reduce((sum, { name, inside }, at, all) => {
    if (name === 'clone') return sum + (deepest > 0 ? copiesOf(inside, deepest - 1) : 0);
    // What is pushed into a tunnel goes on to the port that follows.
    const goesOn = /^\d+$/.test(name) && all[at - 1]?.name === 'tnl_push';
    return /^\d+$/.test(name) || name === 'tnl_push' || name === 'lb_output' ? sum + (goesOn ? 0 : 1) : sum;
  }, 0);

/** `tnl_push(…ipv4(src=A,dst=B,…` of the userspace datapath, `set(tunnel(…src=A,dst=B,…` of the kernel's. */
const tunnelsIn = (actions: string): string[] =>
  [...actions.matchAll(/(?:header\(.*?ipv[46]\(|set\(tunnel\()[^)]*?(?:ipv6_)?dst=([0-9a-fA-F.:]+)/g)].flatMap(
    (m) => m[1] ?? [],
  );

/** `icmp,in_port=3,dl_src=…`: fields with their values. */
const fieldsOf = (text: string): Map<string, string> =>
  new Map(
    text
      .split(',')
      .filter((word) => word !== '')
      .map((word) => {
        const at = word.indexOf('=');
        return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
      }),
  );

/** Fields of `set(…)` of the datapath by their names in OpenFlow. */
const SET: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  eth: { src: 'dl_src', dst: 'dl_dst' },
  ipv4: { src: 'nw_src', dst: 'nw_dst', ttl: 'nw_ttl' },
  ipv6: { src: 'ipv6_src', dst: 'ipv6_dst', hlimit: 'nw_ttl' },
  arp: { sip: 'arp_spa', tip: 'arp_tpa', op: 'arp_op', sha: 'arp_sha', tha: 'arp_tha' },
  tcp: { src: 'tp_src', dst: 'tp_dst' },
  udp: { src: 'tp_src', dst: 'tp_dst' },
  icmp: { type: 'icmp_type', code: 'icmp_code' },
  icmpv6: { type: 'icmp_type', code: 'icmp_code' },
};

const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));

/** Of `geneve(…vni=0x3,options({class=0x102,type=0x80,len=4,0x30002}))` or `tunnel(tun_id=0x3,…geneve({class=0x102,…}))`. */
function tunnelOf(inside: string): Departure['tunnel'] {
  const outer = /ipv[46]\(([^)]*)\)/.exec(inside)?.[1] ?? inside;
  const destination = /(?:^|,)(?:ipv6_)?dst=([\da-f.:]+)/i.exec(outer)?.[1];
  if (destination === undefined) return undefined;
  const source = /(?:^|,)(?:ipv6_)?src=([\da-f.:]+)/i.exec(outer)?.[1];
  const key = number(/\b(?:vni|tun_id|key)=(0x[\da-f]+|\d+)/i.exec(inside)?.[1]);
  const option = /class=0x0*102,type=0x0*80,len=4,(0x[\da-f]+)/i.exec(inside)?.[1];
  return {
    destination,
    ...(source === undefined ? {} : { source }),
    ...(key === undefined ? {} : { key }),
    ...(option === undefined ? {} : { option }),
  };
}

/** The copies that leave by a list of datapath actions; `header` is changed as the actions go. */
function departuresOf(header: Map<string, string>, actions: string, deepest = 16): Departure[] {
  const found: Departure[] = [];
  let tunnel: Departure['tunnel'];
  let pushed = false;
  for (const { name, inside } of topLevel(actions)) {
    if (name === 'clone' && deepest > 0) found.push(...departuresOf(new Map(header), inside, deepest - 1));
    else if (name === 'set') {
      const [, kind = '', values = ''] = /^([a-z0-9_]+)\((.*)\)$/s.exec(inside) ?? [];
      if (kind === 'tunnel') tunnel = tunnelOf(values);
      for (const [field, value] of fieldsOf(values)) {
        const known = SET[kind]?.[field];
        if (known !== undefined) header.set(known, value.split('/')[0] ?? value);
      }
    } else if (name === 'tnl_push') {
      const into = tunnelOf(inside);
      found.push({ header: new Map(header), ...(into === undefined ? {} : { tunnel: into }) });
      pushed = true;
      continue;
    } else if ((/^\d+$/.test(name) && !pushed) || name === 'lb_output') {
      found.push({ header: new Map(header), ...(tunnel === undefined ? {} : { tunnel }) });
    }
    pushed = false;
  }
  return found;
}

type Open<T> = { -readonly [K in keyof T]: T[K] };

const indentOf = (line: string): number => line.length - line.trimStart().length;

/**
 * Output of `ovs-appctl ofproto/trace BRIDGE FLOW` (ovs-vswitchd(8)). A packet that goes through connection tracking is
 * resumed in a second part; what the datapath does in the last part is what becomes of it.
 */
export function parseOfprotoTrace(stdout: string): Result<OfprotoTrace, ParseFailure> {
  const flows: (Open<Omit<TracedFlow, 'outputs'>> & { readonly outputs: string[] })[] = [];
  const outcomes: string[] = [];
  const departures: Departure[] = [];
  const resuming = new Map<string, string>();
  let header = new Map<string, string>();
  // Bridges that the packet is in, each told further to the right than the one that it came from.
  let bridges: { readonly name: string; readonly indent: number }[] = [];
  for (const line of linesOf(stdout)) {
    const indent = indentOf(line);
    const entered = /^\s*bridge\("([^"]+)"\)/.exec(line)?.[1];
    if (entered !== undefined) bridges = [...bridges.filter((b) => b.indent < indent), { name: entered, indent }];
    else if (line.trim() !== '' && !/^\s*-+$/.test(line)) {
      bridges = bridges.filter((b) => b.indent === 0 || b.indent < indent);
    }
    const bridge = bridges.at(-1)?.name ?? '';
    // A resumed packet is told under the bridge that it came in by, and goes on in the one that sent it to be tracked.
    const frozen = /^\s*ct\(.*\btable=(\d+)/.exec(line)?.[1];
    if (frozen !== undefined) resuming.set(frozen, bridge);
    const thawed = /^\s*Resuming from table (\d+)/.exec(line)?.[1];
    if (thawed !== undefined) bridges = [{ name: resuming.get(thawed) ?? bridge, indent: 0 }];
    const met =
      /^\s*(\d+)\. (.*?),? ?cookie (0x[0-9a-f]+)$/.exec(line) ??
      /^\s*(\d+)\. (.*priority \d+)$/.exec(line) ??
      /^\s*(\d+)\. (No match)\.$/.exec(line);
    if (met !== null) {
      const [, table, said = '', cookie] = met;
      const priority = number(/\bpriority (\d+)/.exec(said)?.[1]);
      flows.push({
        bridge,
        table: Number(table),
        match: said === 'No match' ? 'no match' : said.replace(/,$/, ''),
        ...(cookie === undefined ? {} : { cookie }),
        ...(priority === undefined ? {} : { priority }),
        outputs: [],
      });
    }
    const at = flows.at(-1);
    const output = /^\s*(?:output:(?=\S)|(?=LOCAL$))(\S+)$/.exec(line)?.[1];
    if (output !== undefined) at?.outputs.push(output);
    const punt = /^\s*(?:controller\((.*)\)|CONTROLLER:\d+)$/i.exec(line);
    if (punt !== null && at !== undefined) at.punts = /userdata=([\da-f.]+)/i.exec(punt[1] ?? '')?.[1] ?? '';
    const flow = /^Flow: (.*)$/.exec(line)?.[1];
    if (flow !== undefined) header = fieldsOf(flow);
    const actions = /^Datapath actions: (.*)$/.exec(line)?.[1];
    if (actions !== undefined) {
      outcomes.push(actions.trim());
      departures.push(...departuresOf(new Map(header), actions.trim()));
    }
  }
  const last = outcomes.at(-1);
  if (last === undefined) return parseFailure(WHAT, linesOf(stdout)[0] ?? '');
  const copies = Math.max(...outcomes.map((actions) => copiesOf(actions)));
  return ok({
    delivers: copies > 0,
    copies,
    tunnels: [...new Set(outcomes.flatMap(tunnelsIn))],
    actions: last,
    flows,
    departures,
  });
}
