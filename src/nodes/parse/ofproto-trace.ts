import { ok, type Result } from '../../engine/result.ts';
import { linesOf, type ParseFailure, parseFailure } from './parsing.ts';

/** A flow that the packet met in the switch's own account of its way. */
export interface TracedFlow {
  readonly bridge: string;
  readonly table: number;
  /** Match and priority as printed, without the cookie. */
  readonly match: string;
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

/**
 * Output of `ovs-appctl ofproto/trace BRIDGE FLOW` (ovs-vswitchd(8)). A packet that goes through connection tracking is
 * resumed in a second part; what the datapath does in the last part is what becomes of it.
 */
export function parseOfprotoTrace(stdout: string): Result<OfprotoTrace, ParseFailure> {
  const flows: TracedFlow[] = [];
  const outcomes: string[] = [];
  const resuming = new Map<string, string>();
  let bridge = '';
  for (const line of linesOf(stdout)) {
    bridge = /^\s*bridge\("([^"]+)"\)/.exec(line)?.[1] ?? bridge;
    // A resumed packet is told under the bridge that it came in by, and goes on in the one that sent it to be tracked.
    const frozen = /^\s*ct\(.*\btable=(\d+)/.exec(line)?.[1];
    if (frozen !== undefined) resuming.set(frozen, bridge);
    const thawed = /^\s*Resuming from table (\d+)/.exec(line)?.[1];
    if (thawed !== undefined) bridge = resuming.get(thawed) ?? bridge;
    const met = /^\s*(\d+)\. (.*?),? ?cookie 0x[0-9a-f]+$/.exec(line) ?? /^\s*(\d+)\. (.*priority \d+)$/.exec(line);
    if (met !== null) flows.push({ bridge, table: Number(met[1]), match: (met[2] ?? '').replace(/,$/, '') });
    const actions = /^Datapath actions: (.*)$/.exec(line)?.[1];
    if (actions !== undefined) outcomes.push(actions.trim());
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
  });
}
