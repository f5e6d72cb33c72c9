import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import type { FactFailure } from '../engine/failure.ts';
import { err, ok, type Result } from '../engine/result.ts';
import type { Command, CommandResult } from '../nodes/command.ts';
import { familyOf, namespaceName } from '../path/addresses.ts';
import { groupFromApi, portSecurityFromApi } from '../path/secgroup/from-api.ts';
import type { Probe } from '../path/secgroup/model.ts';
import { verdictOf } from '../path/secgroup/verdict.ts';
import { asked } from './asked.ts';
import { commandEvidence, commandFailure, probesOff, type Store, showing, source } from './io.ts';
import { nsExists } from './namespace.ts';
import { type PingNotSent, runAt, type Sender } from './ping.ts';
import { dhcpHosts, floatingIps, remoteMembers, routerHost, securityGroups, servingRouters } from './port-api.ts';
import type { PortSubject } from './subject.ts';

/** How a TCP connection attempt ended. refused: something answered with a reset. silent: nothing came back. */
export type Ending = 'open' | 'refused' | 'silent' | 'unreachable';

/** One connection attempt; nothing is sent over it. */
export interface Connect {
  readonly from: Sender['from'];
  readonly host: string;
  readonly netns?: string;
  readonly to: string;
  readonly port: number;
  readonly ending: Ending;
  readonly ms: number;
  readonly routerId?: string;
  readonly evidence: Evidence;
}

export interface Connects {
  readonly tried: readonly Connect[];
  readonly notTried: readonly (PingNotSent & { readonly port: number })[];
  /** Ports that the security groups do not surely let in from there: an attempt would prove nothing. */
  readonly shut: readonly { readonly from: Sender['from']; readonly port: number }[];
}

/** Longer than the first SYN's repetition (1 s, RFC 6298), so that one lost packet is no silence. */
const patienceSeconds = 3;

/** bash(1), Redirections: /dev/tcp/HOST/PORT. Address and port come as arguments, never as text of the script. */
export const connectCommand = (to: string, port: number, netns: string | undefined, round?: string): Command => ({
  argv: ['bash', '-c', 'exec 3<>"/dev/tcp/$0/$1"', to, String(port)],
  impact: 'probe',
  parallel: true,
  timeoutSeconds: patienceSeconds,
  ...(netns === undefined ? {} : { netns }),
  ...(round === undefined ? {} : { round }),
});

/** strerror(3) in the C locale, as bash prints it. */
export function endingOf(result: Pick<CommandResult, 'code' | 'stderr' | 'timedOut'>): Ending | undefined {
  if (result.timedOut || result.code === 124) return 'silent';
  if (result.code === 0) return 'open';
  // A listener that closes at once may do so before connect(2) has returned.
  if (/Connection (?:refused|reset)/.test(result.stderr)) return 'refused';
  if (/Connection timed out/.test(result.stderr)) return 'silent';
  return /No route to host|Network is unreachable|Host is unreachable|Permission denied/.test(result.stderr)
    ? 'unreachable'
    : undefined;
}

const words: Readonly<Record<Ending, string>> = {
  open: 'connected',
  refused: 'Connection refused',
  silent: `no answer in ${patienceSeconds} s`,
  unreachable: 'No route to host',
};

/** Tries to connect; refusal and silence are results, not failures. */
export async function connect(
  facts: Store,
  sender: Sender,
  to: string,
  port: number,
): Promise<Result<Pick<Connect, 'ending' | 'ms' | 'evidence'>, FactFailure>> {
  const command = connectCommand(to, port, sender.netns);
  const answer = await runAt(facts, sender, command);
  if (!answer.ok) return answer;
  const ending = endingOf(answer.value);
  if (ending === undefined) return err(commandFailure(sender.host, command, answer.value));
  const evidence = showing(commandEvidence(sender.host, command, answer.value), `${to} tcp/${port}: ${words[ending]}`);
  return ok({ ending, ms: answer.value.ms, evidence });
}

interface Wanted {
  readonly sender: Sender;
  readonly to: string;
  readonly source: string | undefined;
  readonly routerId?: string;
}

/**
 * Connection attempts to the TCP ports that were asked about, from the DHCP and router namespaces (and, when somebody asked, from
 * this machine to the floating address): only where the security groups surely let them in.
 */
export const connects = source<PortSubject, Connects>(
  'port.connects',
  (subject) => subject.id,
  async (subject, facts) => {
    if (!facts.io.options.mayProbe) return err(probesOff);
    const [what, hosts, routers, groups, members, floating] = await Promise.all([
      facts.get(asked, subject),
      facts.get(dhcpHosts, subject),
      facts.get(servingRouters, subject),
      facts.get(securityGroups, subject),
      facts.get(remoteMembers, subject),
      facts.get(floatingIps, subject),
    ]);
    if (!what.ok) return what;
    if (!groups.ok) return groups;
    const { probes, explicit } = what.value.value;
    const ports = [...new Set(probes.flatMap((p) => (p.protocol === 'tcp' && p.port !== undefined ? [p.port] : [])))];
    const own = subject.port.value;
    const wanted: Wanted[] = [];
    for (const { host, port } of hosts.ok ? hosts.value.value : []) {
      const sender: Sender = { from: 'qdhcp', host, netns: namespaceName('qdhcp', own.network_id) };
      for (const f of own.fixed_ips) {
        const source = port?.fixed_ips.find((x) => x.subnet_id === f.subnet_id)?.ip_address;
        wanted.push({ sender, to: f.ip_address, source });
      }
    }
    for (const serving of routers.ok ? routers.value.value : []) {
      const host = routerHost(serving);
      if (host === undefined) continue;
      const sender: Sender = { from: 'qrouter', host, netns: namespaceName('qrouter', serving.router.id) };
      for (const f of own.fixed_ips) {
        const inside = serving.insides.flatMap((p) => p.fixed_ips).find((x) => x.subnet_id === f.subnet_id);
        if (inside !== undefined)
          wanted.push({ sender, to: f.ip_address, source: inside.ip_address, routerId: serving.router.id });
      }
    }
    if (explicit) {
      for (const f of floating.ok ? floating.value.value : []) {
        const routerId = f.router_id ? { routerId: f.router_id } : {};
        wanted.push({
          sender: { from: 'operator', host: 'here' },
          to: f.floating_ip_address,
          source: undefined,
          ...routerId,
        });
      }
    }
    const letsIn = (source: string | undefined, to: string, port: number): boolean => {
      const family = familyOf(to) ?? 4;
      const probe: Probe = {
        protocol: 'tcp',
        family,
        direction: 'ingress',
        port,
        ...(source === undefined || familyOf(source) !== family ? {} : { remote: source }),
      };
      const verdict = verdictOf(probe, portSecurityFromApi(own), groups.value.value.map(groupFromApi), (id) =>
        members.ok ? members.value.value.get(id) : undefined,
      );
      return verdict.kind === 'allowed' && verdict.extent === 'whole';
    };
    const tried: Connect[] = [];
    const notTried: (PingNotSent & { port: number })[] = [];
    const shut: { from: Sender['from']; port: number }[] = [];
    await Promise.all(
      ports.flatMap((port) =>
        wanted.map(async ({ sender, to, source: from, routerId }) => {
          if (!letsIn(from, to, port)) {
            shut.push({ from: sender.from, port });
            return;
          }
          if (sender.netns !== undefined) {
            const exists = await facts.get(nsExists, { host: sender.host, name: sender.netns });
            if (!exists.ok || !exists.value.value) {
              const failure: FactFailure = exists.ok
                ? { kind: 'not-found', what: `namespace ${sender.netns} on ${sender.host}` }
                : exists.error;
              notTried.push({ from: sender.from, host: sender.host, to, port, failure });
              return;
            }
          }
          const found = await connect(facts, sender, to, port);
          if (found.ok)
            tried.push({ ...sender, to, port, ...(routerId === undefined ? {} : { routerId }), ...found.value });
          else notTried.push({ from: sender.from, host: sender.host, to, port, failure: found.error });
        }),
      ),
    );
    const order = (c: { from: string; host: string; to: string; port: number }): string =>
      `${c.from} ${c.host} ${c.to} ${c.port}`;
    const sorted = <T extends { from: string; host: string; to: string; port: number }>(list: T[]): T[] =>
      list.sort((a, b) => (order(a) < order(b) ? -1 : 1));
    return observed(
      {
        tried: sorted(tried),
        notTried: sorted(notTried),
        shut: shut.sort((a, b) => a.port - b.port || (a.from < b.from ? -1 : 1)),
      },
      ...tried.map((t) => t.evidence),
    );
  },
);
