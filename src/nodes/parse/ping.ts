import { ok, type Result } from '../../engine/result.ts';
import { linesOf, type ParseFailure, parseFailure, present } from './parsing.ts';

export interface PingError {
  /** Who refused; absent when it was the sender's own kernel. */
  readonly from?: string;
  readonly kind: 'host-unreachable' | 'net-unreachable' | 'prohibited' | 'frag-needed' | 'ttl' | 'too-long' | 'other';
  /** MTU that was named with `frag-needed` and `too-long`. */
  readonly mtu?: number;
  /** The line as printed. */
  readonly text: string;
}

export interface Ping {
  readonly sent: number;
  readonly received: number;
  readonly duplicates: number;
  /** Milliseconds; absent when nothing came back. */
  readonly rttMs?: { readonly min: number; readonly avg: number; readonly max: number };
  /** One per message, in their order. */
  readonly errors: readonly PingError[];
}

const WHAT = 'ping';

/**
 * Output of iputils' or BusyBox's ping. What the sender's own kernel refused (`message too long`, `Network is
 * unreachable`, `Operation not permitted`) is printed on stderr. A ping that could not begin prints no summary: it is
 * a Ping with nothing sent, and the reason among its errors.
 */
export function parsePing(stdout: string, stderr = ''): Result<Ping, ParseFailure> {
  const lines = [...linesOf(stdout), ...linesOf(stderr)].map((line) => line.trim());
  const errors = lines.flatMap((line) => errorOf(line) ?? []);
  const summary = lines.find((line) => /^\d+ packets transmitted\b/.test(line));
  if (summary === undefined) {
    if (errors.length > 0) return ok({ sent: 0, received: 0, duplicates: 0, errors });
    return parseFailure(WHAT, lines.find((line) => line !== '') ?? '');
  }
  const count = (pattern: RegExp): number => Number(pattern.exec(summary)?.[1] ?? 0);
  return ok(
    present({
      sent: count(/^(\d+) packets transmitted/),
      received: count(/(\d+) (?:packets )?received/),
      duplicates: count(/\+?(\d+) duplicates/),
      rttMs: rttOf(lines),
      errors,
    }),
  );
}

/** iputils: `rtt min/avg/max/mdev = 0.730/3.068/4.747/1.704 ms`; BusyBox: `round-trip min/avg/max = …`. */
function rttOf(lines: readonly string[]): Ping['rttMs'] {
  for (const line of lines) {
    const matched = /^(?:rtt|round-trip) min\/avg\/max(?:\/\w+)? = ([\d.]+)\/([\d.]+)\/([\d.]+)/.exec(line);
    if (matched === null) continue;
    const [min, avg, max] = matched.slice(1, 4).map(Number);
    if (min !== undefined && avg !== undefined && max !== undefined) return { min, avg, max };
  }
  return undefined;
}

function errorOf(line: string): PingError | undefined {
  const local = /^(?:ping6?|connect|sendto|sendmsg)(?:: [\w.-]+)*: (.*)$/i.exec(line);
  if (local !== null) return present({ kind: kindOf(line), mtu: mtuOf(line), text: line });
  // `From 10.0.0.2 icmp_seq=1 Destination Host Unreachable`; with a name: `From gw (10.0.0.1) icmp_seq=1 …`;
  // BusyBox and IPv6: `From 10.0.0.2: icmp_seq=1 …`.
  const remote = /^From (\S+?):? (?:\(([\da-fA-F.:%]+)\):? )?icmp_seq=\d+ (.*)$/.exec(line);
  if (remote === null) return undefined;
  const [, name, address, message = ''] = remote;
  if (/^Redirect\b/.test(message)) return undefined;
  return present({ from: address ?? name, kind: kindOf(message), mtu: mtuOf(message), text: line });
}

function mtuOf(text: string): number | undefined {
  const digits = /mtu ?= ?(\d+)/i.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function kindOf(message: string): PingError['kind'] {
  if (/message too long/i.test(message)) return 'too-long';
  if (/frag(?:mentation)? needed|packet too big/i.test(message)) return 'frag-needed';
  if (/time to live exceeded|time exceeded|hop limit/i.test(message)) return 'ttl';
  if (/prohibited|filtered|operation not permitted|policy/i.test(message)) return 'prohibited';
  if (/net(?:work)?(?: is)? unreachable|no route/i.test(message)) return 'net-unreachable';
  if (/host unreachable|address unreachable/i.test(message)) return 'host-unreachable';
  return 'other';
}
