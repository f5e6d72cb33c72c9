import { ok, type Result } from '../../engine/result.ts';
import { decimal, linesOf, type ParseFailure, parseFailure, present } from './parsing.ts';

export interface DatapathCounters {
  readonly packets?: number;
  readonly bytes?: number;
  readonly errors?: number;
  readonly dropped?: number;
}

export interface DatapathPort {
  readonly number: number;
  readonly name: string;
  /** `tap`, `internal`, `vxlan`, …; absent for a device of the system. */
  readonly type?: string;
  /** What the datapath does not count (`?`, and all without `-s`) is absent. */
  readonly rx: DatapathCounters;
  readonly tx: DatapathCounters;
}

export interface Datapath {
  /** `system@ovs-system` (kernel) or `netdev@ovs-netdev` (user space). */
  readonly name: string;
  readonly hit: number;
  readonly missed: number;
  /** Packets that the kernel could not hand to ovs-vswitchd: they are gone. */
  readonly lost: number;
  readonly flows: number;
  readonly ports: readonly DatapathPort[];
}

const SHOW = 'ovs-appctl dpctl/show -s';

/** Output of `ovs-appctl dpctl/show -s` (or `ovs-dpctl show -s`). */
export function parseDatapaths(stdout: string): Result<readonly Datapath[], ParseFailure> {
  const datapaths: Datapath[] = [];
  for (const line of linesOf(stdout)) {
    const text = line.trim();
    if (text === '') continue;
    const name = /^(\S+@\S+):$/.exec(line)?.[1];
    if (name !== undefined) {
      datapaths.push({ name, hit: 0, missed: 0, lost: 0, flows: 0, ports: [] });
      continue;
    }
    const last = datapaths.pop();
    if (last === undefined || !/^\s/.test(line)) return parseFailure(SHOW, line);
    datapaths.push(withLine(last, text));
  }
  return ok(datapaths);
}

function withLine(datapath: Datapath, text: string): Datapath {
  const lookups = /^lookups: hit:(\d+) missed:(\d+) lost:(\d+)$/.exec(text);
  if (lookups !== null) {
    const [hit = 0, missed = 0, lost = 0] = lookups.slice(1).map(Number);
    return { ...datapath, hit, missed, lost };
  }
  const flows = decimal(/^flows: (\d+)$/.exec(text)?.[1]);
  if (flows !== undefined) return { ...datapath, flows };
  const port = /^port (\d+): (\S+)(?: \((\w+)(?:[:,].*)?\))?/.exec(text);
  if (port !== null) {
    const added = present({ number: Number(port[1]), name: port[2] ?? '', type: port[3], rx: {}, tx: {} });
    return { ...datapath, ports: [...datapath.ports, added] };
  }
  const last = datapath.ports.at(-1);
  if (last === undefined) return datapath;
  const counted = { ...last, rx: counters(last.rx, text, 'RX'), tx: counters(last.tx, text, 'TX') };
  return { ...datapath, ports: [...datapath.ports.slice(0, -1), counted] };
}

/** `RX packets:1955 errors:0 dropped:0 …` on one line, `RX bytes:379118 (370.2 KiB)  TX bytes:…` on another. */
function counters(before: DatapathCounters, text: string, direction: 'RX' | 'TX'): DatapathCounters {
  const bytes = decimal(new RegExp(`\\b${direction} bytes:(\\d+)`).exec(text)?.[1]) ?? before.bytes;
  if (!text.startsWith(`${direction} packets:`)) return present({ ...before, bytes });
  const value = (key: string): number | undefined => decimal(new RegExp(`\\b${key}:(\\d+)`).exec(text)?.[1]);
  return present({ packets: value('packets'), bytes, errors: value('errors'), dropped: value('dropped') });
}

export interface OvsFdbEntry {
  /** OpenFlow port, or `LOCAL`. */
  readonly port: string;
  readonly vlan: number;
  readonly mac: string;
  /** Seconds since it was last seen; absent for a static entry. */
  readonly age?: number;
}

/** Output of `ovs-appctl fdb/show BRIDGE`: what the NORMAL action has learned. */
export function parseOvsFdb(stdout: string): Result<readonly OvsFdbEntry[], ParseFailure> {
  const entries: OvsFdbEntry[] = [];
  for (const line of linesOf(stdout)) {
    if (line.trim() === '' || /^\s*port\s+VLAN\s+MAC\s+Age\s*$/.test(line)) continue;
    const matched = /^\s*(\S+)\s+(\d+)\s+((?:[\da-f]{2}:){5}[\da-f]{2})\s+(\d+|static)\s*$/i.exec(line);
    if (matched === null) return parseFailure('ovs-appctl fdb/show', line);
    const [, port = '', vlan, mac = '', age] = matched;
    entries.push(present({ port, vlan: Number(vlan), mac, age: decimal(age) }));
  }
  return ok(entries);
}
