import { ok, type Result } from '../../engine/result.ts';
import {
  decimal,
  type Json,
  jsonFailure,
  linesOf,
  looksLikeJson,
  numberAt,
  objectAt,
  objectsAt,
  type ParseFailure,
  parseFailure,
  present,
  readEach,
  readJsonObjects,
  textAt,
} from './parsing.ts';

export interface Qdisc {
  readonly dev: string;
  /** The namespace it was read in, where it was not the host's own. */
  readonly netns?: string;
  /** noqueue, fq_codel, tbf, htb, netem, ingress, clsact, … */
  readonly kind: string;
  readonly handle: string;
  readonly parent?: string;
  readonly packets: number;
  readonly bytes: number;
  readonly drops: number;
  readonly overlimits: number;
}

export interface TcFilter {
  readonly protocol: string;
  readonly pref: number;
  /** u32, flower, matchall, bpf, … */
  readonly kind: string;
  /**
   * `drop`, `pass`, `redirect`, `police`, … in their order; `direct-action` of a bpf program that decides by itself, and counts nothing
   * (tc-bpf(8)): its device's qdisc counts what it drops.
   */
  readonly actions: readonly string[];
  /** Packets that its actions saw, and those they dropped. */
  readonly packets: number;
  readonly drops: number;
}

const QDISC = 'tc -s -j qdisc show';
const FILTER = 'tc -s -j filter show';

/** Output of `tc -s -j qdisc show`, or of `tc -s qdisc show` where iproute2 is too old for JSON. */
export function parseQdiscs(stdout: string): Result<readonly Qdisc[], ParseFailure> {
  return looksLikeJson(stdout) ? readEach(QDISC, stdout, qdiscOf) : qdiscsFromText(stdout);
}

function qdiscOf(object: Json): Qdisc | undefined {
  const dev = textAt(object, 'dev');
  const kind = textAt(object, 'kind');
  if (dev === undefined || kind === undefined) return undefined;
  return present({
    dev,
    kind,
    handle: textAt(object, 'handle') ?? '',
    parent: textAt(object, 'parent'),
    packets: numberAt(object, 'packets') ?? 0,
    bytes: numberAt(object, 'bytes') ?? 0,
    drops: numberAt(object, 'drops') ?? 0,
    overlimits: numberAt(object, 'overlimits') ?? 0,
  });
}

function qdiscsFromText(stdout: string): Result<readonly Qdisc[], ParseFailure> {
  const qdiscs: Qdisc[] = [];
  for (const line of linesOf(stdout)) {
    if (line.trim() === '') continue;
    const head = /^qdisc (\S+) (\S+) dev (\S+)(?: (?:root|parent (\S+)))?/.exec(line);
    if (head !== null) {
      const [, kind = '', handle = '', dev = '', parent] = head;
      qdiscs.push(present({ dev, kind, handle, parent, packets: 0, bytes: 0, drops: 0, overlimits: 0 }));
      continue;
    }
    const last = qdiscs.pop();
    if (last === undefined || !/^\s/.test(line)) return parseFailure(QDISC, line);
    const sent = /Sent (\d+) bytes (\d+) pkts? \(dropped (\d+), overlimits (\d+)/.exec(line);
    const count = (at: number, otherwise: number): number => decimal(sent?.[at]) ?? otherwise;
    qdiscs.push({
      ...last,
      bytes: count(1, last.bytes),
      packets: count(2, last.packets),
      drops: count(3, last.drops),
      overlimits: count(4, last.overlimits),
    });
  }
  return ok(qdiscs);
}

/**
 * Output of `tc -s -j filter show dev X ingress`. A filter prints one object for its head, which has no `options`, and
 * one for each of its entries; u32 also one for each hash table. Only entries are returned.
 */
export function parseTcFilters(stdout: string): Result<readonly TcFilter[], ParseFailure> {
  const objects = readJsonObjects(FILTER, stdout);
  if (!objects.ok) return objects;
  const filters: TcFilter[] = [];
  for (const object of objects.value) {
    const kind = textAt(object, 'kind');
    if (kind === undefined) return jsonFailure(FILTER, object);
    const options = objectAt(object, 'options');
    if (options === undefined || 'ht_divisor' in options) continue;
    const actions = objectsAt(options, 'actions');
    const statistics = actions.map((action) => objectAt(action, 'stats') ?? {});
    filters.push({
      protocol: textAt(object, 'protocol') ?? 'all',
      pref: numberAt(object, 'pref') ?? 0,
      kind,
      actions: [...(options['direct-action'] === true ? ['direct-action'] : []), ...actions.map(actionOf)],
      packets: statistics.reduce((most, counted) => Math.max(most, numberAt(counted, 'packets') ?? 0), 0),
      drops: statistics.reduce((sum, counted) => sum + (numberAt(counted, 'drops') ?? 0), 0),
    });
  }
  return ok(filters);
}

/** A generic action is named by what it decides (`drop`), mirred by what it does (`redirect`, `mirror`), any other by its kind (`police`). */
function actionOf(action: Json): string {
  const kind = textAt(action, 'kind') ?? '';
  if (kind === 'mirred') return textAt(action, 'mirred_action') ?? kind;
  return kind === 'gact' ? (textAt(objectAt(action, 'control_action') ?? {}, 'type') ?? kind) : kind;
}
