import { ok, type Result } from '../../engine/result.ts';
import {
  decimal,
  type Json,
  jsonFailure,
  linesOf,
  looksLikeJson,
  numberAt,
  objectAt,
  type ParseFailure,
  parseFailure,
  present,
  readJsonObjects,
  textAt,
  textsAt,
  wordAfter,
  wordsOf,
} from './parsing.ts';

export interface LinkCounters {
  readonly packets: number;
  readonly bytes: number;
  readonly errors: number;
  readonly dropped: number;
}

export interface VxlanDevice {
  /** Absent for a device that carries any VNI (`external`: OVS's `vxlan_sys_4789`). */
  readonly vni?: number;
  readonly local?: string;
  readonly remote?: string;
  readonly group?: string;
  readonly port: number;
  /** Underlay device it is bound to. */
  readonly dev?: string;
  readonly learning: boolean;
}

/**
 * A network device. `operstate` is UNKNOWN on a healthy tap and DOWN on the OVS bridges of a healthy node, so `up` and
 * `carrier` are what tells.
 */
export interface Link {
  readonly name: string;
  readonly index: number;
  readonly mac: string;
  readonly mtu: number;
  /** Administratively up (flag UP). */
  readonly up: boolean;
  /** Something is plugged in at the other end (flag LOWER_UP). */
  readonly carrier: boolean;
  readonly operstate: string;
  readonly master?: string;
  /** `tun`, `bridge`, `vxlan`, `veth`, `vlan`, `bond`, `ipoib`, …; absent for a physical device. */
  readonly kind?: string;
  /** Index of the other end of a veth pair, which may lie in another namespace. */
  readonly peerIndex?: number;
  /** The device a VLAN or VXLAN device sits on, by name when it is in this namespace. */
  readonly parent?: string;
  readonly vxlan?: VxlanDevice;
  readonly vlanId?: number;
  /** State of this port in its Linux bridge: forwarding, disabled, blocking, … */
  readonly portState?: string;
  /** An XDP program is attached: it sees packets before anything that counts does. */
  readonly xdp: boolean;
  /** All zero when the command was run without `-s`. */
  readonly rx: LinkCounters;
  readonly tx: LinkCounters;
}

const WHAT = 'ip -d -s -j link show';
const NOTHING_COUNTED: LinkCounters = { packets: 0, bytes: 0, errors: 0, dropped: 0 };

/** Output of `ip -d -s -j link show`, or of `ip -d -s link show` where iproute2 is too old for JSON (before 4.13). */
export function parseLinks(stdout: string): Result<readonly Link[], ParseFailure> {
  return looksLikeJson(stdout) ? fromJson(stdout) : fromText(stdout);
}

function fromJson(stdout: string): Result<readonly Link[], ParseFailure> {
  const objects = readJsonObjects(WHAT, stdout);
  if (!objects.ok) return objects;
  const indexes = new Map<string, number>();
  for (const object of objects.value) {
    const name = textAt(object, 'ifname');
    const index = numberAt(object, 'ifindex');
    if (name !== undefined && index !== undefined) indexes.set(name, index);
  }
  const links: Link[] = [];
  for (const object of objects.value) {
    const link = linkOf(object, indexes);
    if (link === undefined) return jsonFailure(WHAT, object);
    links.push(link);
  }
  return ok(links);
}

function linkOf(object: Json, indexes: ReadonlyMap<string, number>): Link | undefined {
  const name = textAt(object, 'ifname');
  const index = numberAt(object, 'ifindex');
  if (name === undefined || index === undefined) return undefined;
  const flags = textsAt(object, 'flags');
  const info = objectAt(object, 'linkinfo') ?? {};
  const data = objectAt(info, 'info_data') ?? {};
  const kind = textAt(info, 'info_kind') ?? (textAt(object, 'link_type') === 'infiniband' ? 'ipoib' : undefined);
  const lower = textAt(object, 'link');
  const lowerIndex = numberAt(object, 'link_index');
  const statistics = objectAt(object, 'stats64') ?? objectAt(object, 'stats');
  return present({
    name,
    index,
    mac: textAt(object, 'address') ?? '',
    mtu: numberAt(object, 'mtu') ?? 0,
    up: flags.includes('UP'),
    carrier: flags.includes('LOWER_UP'),
    operstate: textAt(object, 'operstate') ?? 'UNKNOWN',
    master: textAt(object, 'master'),
    kind,
    peerIndex: kind === 'veth' ? (lowerIndex ?? (lower === undefined ? undefined : indexes.get(lower))) : undefined,
    parent: kind === 'veth' ? undefined : lower,
    vxlan: kind === 'vxlan' ? vxlanOf(data) : undefined,
    vlanId: kind === 'vlan' ? numberAt(data, 'id') : undefined,
    portState: textAt(objectAt(info, 'info_slave_data') ?? {}, 'state'),
    xdp: object.xdp !== undefined,
    rx: countersOf(objectAt(statistics ?? {}, 'rx')),
    tx: countersOf(objectAt(statistics ?? {}, 'tx')),
  });
}

function vxlanOf(data: Json): VxlanDevice {
  return present({
    vni: data.external === true ? undefined : numberAt(data, 'id'),
    local: textAt(data, 'local') ?? textAt(data, 'local6'),
    remote: textAt(data, 'remote') ?? textAt(data, 'remote6'),
    group: textAt(data, 'group') ?? textAt(data, 'group6'),
    port: numberAt(data, 'port') ?? 0,
    dev: textAt(data, 'link'),
    learning: data.learning !== false,
  });
}

function countersOf(object: Json | undefined): LinkCounters {
  if (object === undefined) return NOTHING_COUNTED;
  return {
    packets: numberAt(object, 'packets') ?? 0,
    bytes: numberAt(object, 'bytes') ?? 0,
    errors: numberAt(object, 'errors') ?? 0,
    dropped: numberAt(object, 'dropped') ?? 0,
  };
}

const HEADER = /^(\d+): ([^@\s]+?)(?:@(\S+?))?: <([^>]*)> (.*)$/;
const SLAVE = /^\w+_slave\b/;
const KIND = /^[a-z][a-z0-9_-]*$/;
const NO_KIND = new Set(['vf', 'alias', 'altname', 'prog/xdp', 'parentbus', 'promiscuity', 'link-netnsid']);

function fromText(stdout: string): Result<readonly Link[], ParseFailure> {
  const blocks: { header: RegExpExecArray; body: string[] }[] = [];
  for (const line of linesOf(stdout)) {
    const header = HEADER.exec(line);
    if (header !== null) {
      blocks.push({ header, body: [] });
    } else {
      const block = blocks.at(-1);
      if (line.trim() === '') continue;
      if (block === undefined || !/^\s/.test(line)) return parseFailure(WHAT, line);
      block.body.push(line);
    }
  }
  const indexes = new Map(blocks.map(({ header }) => [header[2] ?? '', Number(header[1])]));
  return ok(blocks.map(({ header, body }) => linkOfText(header, body, indexes)));
}

function linkOfText(header: RegExpExecArray, body: readonly string[], indexes: ReadonlyMap<string, number>): Link {
  const [, index, name = '', lower, flagList = '', rest = ''] = header;
  const flags = flagList.split(',');
  const about = wordsOf(rest);
  const address = body.map(wordsOf).find((words) => words[0]?.startsWith('link/') === true) ?? [];
  const details = body.map((line) => line.trim()).filter((line) => !/^(?:link\/|RX:|TX:|\d)/.test(line));
  const slave = details.find((line) => SLAVE.test(line));
  const detail = details.find((line) => {
    const first = wordsOf(line)[0] ?? '';
    return !SLAVE.test(line) && KIND.test(first) && !NO_KIND.has(first);
  });
  const data = wordsOf(detail ?? '');
  const kind = data[0] ?? (address[0] === 'link/infiniband' ? 'ipoib' : undefined);
  const lowerIndex = /^if(\d+)$/.exec(lower ?? '')?.[1];
  const named = lowerIndex === undefined && lower !== 'NONE' ? lower : undefined;
  return present({
    name,
    index: Number(index),
    mac: address[1] ?? '',
    mtu: decimal(wordAfter(about, 'mtu')) ?? 0,
    up: flags.includes('UP'),
    carrier: flags.includes('LOWER_UP'),
    operstate: wordAfter(about, 'state') ?? 'UNKNOWN',
    master: wordAfter(about, 'master'),
    kind,
    peerIndex:
      kind === 'veth' ? (decimal(lowerIndex) ?? (named === undefined ? undefined : indexes.get(named))) : undefined,
    parent: kind === 'veth' ? undefined : named,
    vxlan: kind === 'vxlan' ? vxlanOfText(data) : undefined,
    vlanId: kind === 'vlan' ? decimal(wordAfter(data, 'id')) : undefined,
    portState: slave?.startsWith('bridge_slave') === true ? wordAfter(wordsOf(slave), 'state') : undefined,
    xdp: about.some((word) => word.startsWith('xdp')) || details.some((line) => line.startsWith('prog/xdp')),
    rx: countersOfText(body, 'RX:'),
    tx: countersOfText(body, 'TX:'),
  });
}

function vxlanOfText(words: readonly string[]): VxlanDevice {
  return present({
    vni: words.includes('external') ? undefined : decimal(wordAfter(words, 'id')),
    local: wordAfter(words, 'local'),
    remote: wordAfter(words, 'remote'),
    group: wordAfter(words, 'group'),
    port: decimal(wordAfter(words, 'dstport')) ?? 0,
    dev: wordAfter(words, 'dev'),
    learning: !words.includes('nolearning'),
  });
}

/** Columns differ between releases (`overrun` became `missed`), so the header line names them. */
function countersOfText(body: readonly string[], direction: 'RX:' | 'TX:'): LinkCounters {
  const at = body.findIndex((line) => {
    const words = wordsOf(line);
    return words[0] === direction && words[1] === 'bytes';
  });
  if (at < 0) return NOTHING_COUNTED;
  const names = wordsOf(body[at] ?? '').slice(1);
  const values = wordsOf(body[at + 1] ?? '');
  const value = (name: string): number => decimal(values[names.indexOf(name)]) ?? 0;
  return { packets: value('packets'), bytes: value('bytes'), errors: value('errors'), dropped: value('dropped') };
}
