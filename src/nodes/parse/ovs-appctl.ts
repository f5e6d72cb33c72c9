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
  const datapaths: OpenDatapath[] = [];
  for (const line of linesOf(stdout)) {
    const text = line.trim();
    if (text === '') continue;
    const name = /^(\S+@\S+):$/.exec(line)?.[1];
    const last = datapaths.at(-1);
    if (name !== undefined) datapaths.push({ name, hit: 0, missed: 0, lost: 0, flows: 0, ports: [] });
    else if (last === undefined || !/^\s/.test(line)) return parseFailure(SHOW, line);
    else readLine(last, text);
  }
  return ok(datapaths);
}

type Open<T> = { -readonly [K in keyof T]: T[K] };
type OpenDatapath = Open<Omit<Datapath, 'ports'>> & { readonly ports: Open<DatapathPort>[] };

function readLine(datapath: OpenDatapath, text: string): void {
  const lookups = /^lookups: hit:(\d+) missed:(\d+) lost:(\d+)$/.exec(text);
  if (lookups !== null) {
    [datapath.hit = 0, datapath.missed = 0, datapath.lost = 0] = lookups.slice(1).map(Number);
  }
  datapath.flows = decimal(/^flows: (\d+)$/.exec(text)?.[1]) ?? datapath.flows;
  const port = /^port (\d+): (\S+)(?: \((\w+)(?:[:,].*)?\))?/.exec(text);
  if (port !== null) {
    const [, number, name = '', type] = port;
    datapath.ports.push(present({ number: Number(number), name, type, rx: {}, tx: {} }));
  }
  const counted = datapath.ports.at(-1);
  if (counted === undefined || port !== null) return;
  counted.rx = counters(counted.rx, text, 'RX');
  counted.tx = counters(counted.tx, text, 'TX');
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
