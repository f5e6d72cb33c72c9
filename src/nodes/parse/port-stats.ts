import { ok, type Result } from '../../engine/result.ts';
import { linesOf, type ParseFailure, parseFailure } from './parsing.ts';

/** Live counters of one port of an OVS bridge. OVSDB's own statistics lag by five seconds (ovs-vswitchd.conf.db(5)). */
export interface PortStats {
  /** OpenFlow number, `LOCAL`, or a name where ovs-ofctl prints names. */
  readonly port: string;
  readonly rx: number;
  readonly tx: number;
  readonly rxDropped: number;
  readonly txDropped: number;
}

const WHAT = 'ovs-ofctl dump-ports';
const count = (line: string, key: string): number => Number(new RegExp(`\\b${key}=(\\d+)`).exec(line)?.[1] ?? 0);

/** Output of `ovs-ofctl dump-ports BRIDGE`: two lines a port, `rx …` and `tx …`; `?` where a port does not count. */
export function parsePortStats(stdout: string): Result<readonly PortStats[], ParseFailure> {
  const found: PortStats[] = [];
  const lines = linesOf(stdout);
  for (const [index, line] of lines.entries()) {
    const head = /^\s*port\s+(\S+?):\s+rx (pkts=.*)$/.exec(line);
    if (head === null) continue;
    const [, port = '', rx = ''] = head;
    const tx = lines[index + 1] ?? '';
    if (!/^\s*tx pkts=/.test(tx)) return parseFailure(WHAT, tx || line);
    found.push({
      port: port.replaceAll('"', ''),
      rx: count(rx, 'pkts'),
      tx: count(tx, 'pkts'),
      rxDropped: count(rx, 'drop'),
      txDropped: count(tx, 'drop'),
    });
  }
  return ok(found);
}
