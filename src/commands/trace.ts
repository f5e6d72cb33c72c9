import { UserError } from '../engine/error.ts';
import type { TraceOption } from '../facts/io.ts';
import { quoteArgv } from '../nodes/quote.ts';
import { parseAddress } from '../path/addresses.ts';
import type { WalkCommand } from './walk.ts';
import type { WalkOptions } from './walk-options.ts';

export interface TraceCommandOptions extends Omit<WalkOptions, 'probe' | 'trace'> {
  readonly probe?: string;
  readonly count?: string;
  readonly size?: string;
  readonly bothWays?: boolean;
  readonly inject?: boolean;
}

/** Ends that are no instance: what Neutron has around one. */
const places = ['router', 'dhcp', 'gateway', 'metadata', 'outside'] as const;
type Place = (typeof places)[number];
const placeOf = (text: string): Place | undefined => places.find((p) => p === text);

function probeOf(text: string): TraceOption['probe'] {
  if (text === 'icmp' || text === 'arp' || text === 'dhcp' || text === 'metadata') return { protocol: text };
  const match = /^(tcp|udp)\/(\d{1,5})$/.exec(text);
  const port = Number(match?.[2] ?? 0);
  if (match === null || port < 1 || port > 65_535) {
    throw new UserError(`--probe ${text} is not a kind of packet that can be traced.`, {
      hint: 'icmp, arp, tcp/PORT, udp/PORT, dhcp or metadata; e.g. tcp/22',
    });
  }
  return { protocol: match[1] === 'udp' ? 'udp' : 'tcp', port };
}

/** What an instance begins by itself has one far end, and one form. */
function begun(
  protocol: 'dhcp' | 'metadata',
  target: string,
  place: Place | undefined,
  size: string | undefined,
): void {
  const right = quoteArgv(['ostk-doctor', 'trace', target, protocol, '--probe', protocol]);
  if (place !== protocol) {
    const what = protocol === 'dhcp' ? 'its DHCP server' : 'who serves it metadata';
    throw new UserError(`--probe ${protocol} goes between an instance and ${what}.`, { hint: right });
  }
  if (size !== undefined) {
    throw new UserError(`--size says nothing of --probe ${protocol}.`, {
      why: 'its packets have one size',
      hint: right,
    });
  }
}

function numberOf(option: string, text: string, least: number, most: number): number {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most)) {
    throw new UserError(`${option} ${text} does not do.`, { hint: `a number from ${least} to ${most}` });
  }
  return number;
}

/** Packets per stretch where nobody says; connections are dearer than pings. */
const usualCount = { icmp: 5, udp: 5, arp: 3, tcp: 3, dhcp: 3, metadata: 3 } as const;

/**
 * `trace <from> <to>` as a walk: the one that is an instance is the target, the other its far end. An address is taken for the far
 * end where the other is a name.
 */
export function traceCommand(from: string, to: string, o: TraceCommandOptions): WalkCommand {
  const { probe: what, count, size, bothWays, inject, ...walk } = o;
  const [near, far] = [placeOf(from), placeOf(to)];
  if (near !== undefined && far !== undefined) {
    throw new UserError('A trace needs an instance at one end.', {
      why: `${from} and ${to} are both places of Neutron`,
      hint: 'ostk-doctor trace router web-1',
    });
  }
  const reversed =
    near !== undefined || (far === undefined && parseAddress(from) !== undefined && parseAddress(to) === undefined);
  const [target, other] = reversed ? [to, from] : [from, to];
  const place = reversed ? near : far;
  const probe = probeOf(what ?? 'icmp');
  if (probe.protocol === 'dhcp' || probe.protocol === 'metadata') begun(probe.protocol, target, place, size);
  return {
    verb: 'trace',
    target,
    steps: undefined,
    allowPort: true,
    options: {
      ...walk,
      ...(place === undefined ? { to: other } : {}),
      ...(probe.port === undefined || probe.protocol === 'arp' ? {} : { probe: [`${probe.protocol}/${probe.port}`] }),
      trace: {
        other: place ?? 'peer',
        reversed,
        ...(parseAddress(target) === undefined ? {} : { address: target }),
        everyWay: bothWays === true,
        inject: inject === true,
        whole: walk.keepCaptures !== undefined,
        probe,
        count: count === undefined ? usualCount[probe.protocol] : numberOf('--count', count, 1, 100),
        ...(size === undefined ? {} : { size: numberOf('--size', size, 68, 65_535) }),
      },
    },
  };
}
