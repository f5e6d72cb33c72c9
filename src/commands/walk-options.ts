import type { BackendName } from '../engine/backend-name.ts';
import { UserError } from '../engine/error.ts';
import type { Severity } from '../engine/finding.ts';
import { isSymptom, type Symptom, symptoms } from '../engine/symptom.ts';
import type { ProbeOption, RunOptions, TraceOption, WishOption } from '../facts/io.ts';
import { parseCidr } from '../path/addresses.ts';
import type { WayOptions } from './live.ts';
import type { OutputOptions } from './output.ts';

export interface WalkOptions extends OutputOptions, WayOptions {
  readonly probe?: readonly string[];
  readonly from?: string;
  /** What plugs the ports, by the operator's word. */
  readonly backend?: BackendName;
  readonly symptom?: string;
  readonly to?: string;
  /** Of `trace`: what is followed, and how. */
  readonly trace?: TraceOption;
  /** Of `schedule`: what is asked for. */
  readonly wish?: WishOption;
  /** Folder for the packets that were captured. */
  readonly keepCaptures?: string;
  /** File for the picture of a trace. */
  readonly svg?: string;
  readonly since?: string;
  readonly probePackets?: boolean;
  readonly record?: string;
  readonly failOn?: Severity | 'never';
}

function probeOf(text: string): ProbeOption {
  if (text === 'icmp') return { protocol: 'icmp' };
  const match = /^(tcp|udp)\/(\d{1,5})$/.exec(text);
  const port = Number(match?.[2] ?? 0);
  if (match === null || port < 1 || port > 65_535) {
    throw new UserError(`--probe ${text} is not a kind of traffic.`, {
      hint: 'icmp, tcp/PORT or udp/PORT, e.g. tcp/443',
    });
  }
  return { protocol: match[1] === 'udp' ? 'udp' : 'tcp', port };
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function secondsOf(text: string): number {
  const match = /^(\d+)([smhd])$/.exec(text);
  const unit = unitSeconds[match?.[2] ?? ''];
  if (match === null || unit === undefined)
    throw new UserError(`--since ${text} is not a time.`, { hint: 'a number and a unit: 90s, 30m, 2h, 1d' });
  return Number(match[1]) * unit;
}

const usual: readonly ProbeOption[] = [{ protocol: 'icmp' }, { protocol: 'tcp', port: 22 }];

function symptomOf(o: WalkOptions): Symptom | undefined {
  if (o.symptom === undefined) return undefined;
  if (!isSymptom(o.symptom)) {
    throw new UserError(`--symptom ${o.symptom} is not a symptom.`, { hint: `one of: ${symptoms.join(', ')}` });
  }
  if (o.symptom === 'one-peer' && o.to === undefined) {
    throw new UserError('--symptom one-peer needs the peer that cannot be reached.', {
      hint: 'add --to with an instance, a port or an address',
    });
  }
  return o.symptom;
}

/** Who complains of SSH means its port; whoever names other traffic means that. */
const ssh: readonly ProbeOption[] = [{ protocol: 'tcp', port: 22 }];

/** What the engine is to look at, from what was typed. */
export function runOptionsOf(o: WalkOptions): RunOptions {
  if (o.from !== undefined && parseCidr(o.from) === undefined) {
    throw new UserError(`--from ${o.from} is not an address.`, {
      hint: 'an address or a CIDR, e.g. 10.0.0.200 or 10.0.0.0/24',
    });
  }
  if (o.to !== undefined && o.to.trim() === '') {
    throw new UserError('--to names nothing.', { hint: 'an instance, a port or an address' });
  }
  const symptom = symptomOf(o);
  return {
    sinceSeconds: secondsOf(o.since ?? '1h'),
    probes: o.probe !== undefined ? o.probe.map(probeOf) : symptom === 'ssh-refused' ? ssh : usual,
    explicitProbes: o.probe !== undefined || symptom === 'ssh-refused',
    ...(symptom === undefined ? {} : { symptom }),
    ...(o.to === undefined ? {} : { to: o.to }),
    ...(o.from === undefined ? {} : { from: o.from }),
    ...(o.backend === undefined ? {} : { backend: o.backend }),
    mayProbe: o.probePackets !== false,
    ...(o.trace === undefined ? {} : { trace: o.trace }),
    ...(o.wish === undefined ? {} : { wish: o.wish }),
    mayCapture: o.trace !== undefined,
  };
}
