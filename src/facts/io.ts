import type { Cloud } from '../cloud/cloud.ts';
import type { BackendName } from '../engine/backend-name.ts';
import type { Clock } from '../engine/clock.ts';
import type { Evidence } from '../engine/evidence.ts';
import type { FactResult, FactSource, FactStore } from '../engine/fact.ts';
import type { FactFailure } from '../engine/failure.ts';
import { err, ok, type Result } from '../engine/result.ts';
import type { Symptom } from '../engine/symptom.ts';
import { fullArgv } from '../nodes/batch.ts';
import type { Command, CommandResult } from '../nodes/command.ts';
import type { Nodes } from '../nodes/nodes.ts';
import type { Peer } from './peer.ts';

/** What the operator asked to be tried. */
export interface ProbeOption {
  readonly protocol: 'icmp' | 'tcp' | 'udp';
  readonly port?: number;
}

/** What a trace follows: the target's packets to and from one other end. */
export interface TraceOption {
  /** peer: what `to` names. */
  readonly other: 'router' | 'dhcp' | 'gateway' | 'metadata' | 'outside' | 'peer';
  /** The address by which the target was named: of its families that one is traced. */
  readonly address?: string;
  /** The target was named second: `trace router web-1`. */
  readonly reversed: boolean;
  /** dhcp and metadata: the conversations that a guest itself begins. */
  readonly probe: {
    readonly protocol: 'icmp' | 'tcp' | 'udp' | 'arp' | 'dhcp' | 'metadata';
    readonly port?: number;
  };
  /** Packets per stretch. */
  readonly count: number;
  /** Bytes of the IP packet; of an ordinary ping when left out. */
  readonly size?: number;
  /** From every namespace that can send to either end, not from the nearest alone. */
  readonly everyWay: boolean;
  /** The operator agrees that packets are put in at the instance's port, in its name. */
  readonly inject: boolean;
  /** The operator keeps the captures, and wants whole packets. */
  readonly whole: boolean;
}

/**
 * A request to Nova that nobody has made: `schedule --flavor m1.small --image tiny`. Beside an instance it holds what is
 * to be taken in the place of what the instance asked for, or what the API does not tell of its request.
 */
export interface WishOption {
  /** Name or id; left out only beside an instance. */
  readonly flavor?: string;
  readonly image?: string;
  /** Networks, by name or id. */
  readonly networks: readonly string[];
  /** `zone`, `zone:host`, `zone:host:node` or `zone::node`, as Nova takes it. */
  readonly zone?: string;
  /** `name=value`, as often as there are values. */
  readonly hints: readonly string[];
  /** As `openstack server create --host`: filters still run. */
  readonly host?: string;
  readonly count: number;
}

export interface RunOptions {
  /** Age limit of log evidence, seconds. */
  readonly sinceSeconds: number;
  /** Traffic whose verdict is computed; defaults to ICMP and TCP/22. */
  readonly probes: readonly ProbeOption[];
  /** The operator named them himself. */
  readonly explicitProbes: boolean;
  /** Where the unhappy client is: an address or CIDR. */
  readonly from?: string;
  /** What the operator complains of. */
  readonly symptom?: Symptom;
  /** The peer that cannot be reached, as typed: an instance, a port or an address. */
  readonly to?: string;
  /** The backend as the operator names it, where what binds the ports is told wrongly or not at all. */
  readonly backend?: BackendName;
  readonly trace?: TraceOption;
  readonly wish?: WishOption;
  /** False under `--no-probe`: nothing is sent, counters and pings are skipped. */
  readonly mayProbe: boolean;
  /** False unless captures are asked for: no tcpdump is started. */
  readonly mayCapture: boolean;
}

/** What fact sources may look with. */
export interface Io {
  readonly cloud: Cloud;
  readonly nodes: Nodes;
  readonly clock: Clock;
  readonly options: RunOptions;
  /** The other end of `--to`, once it is found. */
  readonly peer?: Peer;
  /** Sends from the machine the doctor runs on (the operator's place), when it may. */
  readonly operator: { run(command: Command): Promise<Result<CommandResult, FactFailure>> };
}

export type Store = FactStore<Io>;

export const source = <S, T>(
  name: string,
  key: (subject: S) => string,
  collect: (subject: S, facts: Store) => Promise<FactResult<T>>,
): FactSource<Io, S, T> => ({ name, key, collect });

const excerptLimit = 600;

/** The same observation with other lines shown. */
export const showing = (evidence: Evidence, lines: string | readonly string[]): Evidence => {
  const text = typeof lines === 'string' ? lines : lines.join('\n');
  return { ...evidence, excerpt: text.length > excerptLimit ? `${text.slice(0, excerptLimit)} …` : text };
};

export interface Ran {
  readonly result: CommandResult;
  readonly evidence: Evidence;
}

export const commandEvidence = (host: string, command: Command, result: CommandResult): Evidence =>
  showing(
    {
      source: { kind: 'command', host, argv: fullArgv(command), code: result.code },
      at: result.startedAt,
      excerpt: '',
    },
    (result.stdout.trim() === '' || command.encoding !== undefined ? result.stderr : result.stdout).trim(),
  );

/** A command that ended as it should not have, with the first line of what it said. */
export const commandFailure = (host: string, command: Command, result: CommandResult): FactFailure => ({
  kind: 'command',
  host,
  argv: fullArgv(command),
  code: result.code,
  detail: (result.stderr.trim() || result.stdout.trim()).split('\n')[0] ?? '',
});

/** Why no packet is sent where the operator wants none. */
export const probesOff: FactFailure = { kind: 'unsupported', because: 'probes are off (--no-probe)' };

/** Runs a command on a node whatever its exit code. */
export async function run(facts: Store, host: string, command: Command): Promise<Result<Ran, FactFailure>> {
  const answer = await facts.io.nodes.run(host, command);
  if (!answer.ok) return answer;
  const result = answer.value;
  if (result.timedOut) {
    return err({
      kind: 'timeout',
      what: `${fullArgv(command).join(' ')} on ${host}`,
      seconds: command.timeoutSeconds ?? 10,
    });
  }
  return ok({ result, evidence: commandEvidence(host, command, result) });
}

/** Runs a command that must succeed, and parses what it said. */
export async function read<T>(
  facts: Store,
  host: string,
  command: Command,
  parse: (stdout: string) => Result<T, FactFailure>,
): Promise<FactResult<T>> {
  const ran = await run(facts, host, command);
  if (!ran.ok) return ran;
  const { result, evidence } = ran.value;
  if (result.code !== 0) return err(commandFailure(host, command, result));
  const parsed = parse(result.stdout);
  return parsed.ok ? ok({ value: parsed.value, evidence: [evidence] }) : parsed;
}
