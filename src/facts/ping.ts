import type { Evidence } from '../engine/evidence.ts';
import { type FactResult, observed } from '../engine/fact.ts';
import type { FactFailure } from '../engine/failure.ts';
import { err, ok, type Result } from '../engine/result.ts';
import type { Command, CommandResult } from '../nodes/command.ts';
import { type Ping, parsePing } from '../nodes/parse/ping.ts';
import { namespaceName, parseAddress, sameAddress } from '../path/addresses.ts';
import { fullSizePayload } from '../path/mtu.ts';
import { commandEvidence, commandFailure, type Store, showing, source } from './io.ts';
import { nsAddresses, nsExists } from './namespace.ts';
import {
  dhcpHosts,
  externalSubnets,
  floatingIps,
  metadataPorts,
  portNetwork,
  routerHost,
  servicePorts,
  servingRouters,
} from './port-api.ts';
import { computeHostOf, type PortSubject, withoutHost } from './subject.ts';

/** Packets per ping: enough to tell loss from silence, few enough for a production network. */
export const pingCount = 5;

/** One ping from a namespace (or from the operator's machine), with what came back. */
export interface PingRun {
  readonly from: 'qdhcp' | 'qrouter' | 'ovnmeta' | 'operator';
  readonly host: string;
  readonly netns?: string;
  readonly to: string;
  readonly what: 'instance' | 'gateway' | 'floating-ip' | 'router-outside';
  readonly routerId?: string;
  readonly ping: Ping;
  readonly evidence: Evidence;
}

/** A ping that could not be sent, and why. */
export interface PingNotSent {
  readonly from: PingRun['from'];
  readonly host: string;
  readonly to: string;
  readonly failure: FactFailure;
}

export interface Pings {
  readonly runs: readonly PingRun[];
  readonly notSent: readonly PingNotSent[];
}

/** Seconds that so many packets may take: five a second, a second for the last answer, and as much again for a busy node. */
export const pingSeconds = (count: number): number => Math.max(8, Math.ceil(count / 5) + 3);

/** iputils: `-i 0.2` is the shortest interval without root (ping(8)); `-W 1` waits a second for the last answer. */
export const pingCommand = (
  to: string,
  netns: string | undefined,
  more: readonly string[] = [],
  round?: string,
): Command => ({
  // A count in `more` stands behind this one, and ping(8) heeds the last.
  argv: ['ping', '-n', '-c', String(pingCount), '-i', '0.2', '-W', '1', ...more, to],
  impact: 'probe',
  parallel: true,
  timeoutSeconds: pingSeconds(more.includes('-c') ? Number(more[more.lastIndexOf('-c') + 1]) : pingCount),
  ...(netns === undefined ? {} : { netns }),
  ...(round === undefined ? {} : { round }),
});

export type Sender = { readonly from: PingRun['from']; readonly host: string; readonly netns?: string };

/** Runs a command where the sender is: on its node, or on this machine. */
export const runAt = (
  facts: Store,
  { from, host }: { readonly from: Sender['from'] | 'port'; readonly host: string },
  command: Command,
): Promise<Result<CommandResult, FactFailure>> =>
  from === 'operator' ? facts.io.operator.run(command) : facts.io.nodes.run(host, command);

/** Sends one ping and reads its summary; a ping without any answer exits 1 and is a result, not a failure. */
export async function sendPing(
  facts: Store,
  sender: Sender,
  to: string,
  more: readonly string[] = [],
  round?: string,
): Promise<Result<{ ping: Ping; evidence: Evidence }, FactFailure>> {
  const command = pingCommand(to, sender.netns, more, round);
  const answer = await runAt(facts, sender, command);
  if (!answer.ok) return answer;
  const ping = parsePing(answer.value.stdout, answer.value.stderr);
  if (!ping.ok) return err(commandFailure(sender.host, command, answer.value));
  const lines = answer.value.stdout.split('\n').filter((l) => /transmitted|^From |rtt |round-trip|error|Frag/.test(l));
  return ok({
    ping: ping.value,
    evidence: showing(commandEvidence(sender.host, command, answer.value), lines.slice(0, 4)),
  });
}

const byId = (subject: PortSubject): string => subject.id;

/** Addresses of the port that are worth a ping: all fixed ones. */
const targets = (subject: PortSubject): string[] => subject.port.value.fixed_ips.map((f) => f.ip_address);

async function gather(
  facts: Store,
  wanted: readonly { sender: Sender; to: string; what: PingRun['what']; routerId?: string }[],
): Promise<FactResult<Pings>> {
  const runs: PingRun[] = [];
  const notSent: PingNotSent[] = [];
  await Promise.all(
    wanted.map(async ({ sender, to, what, routerId }) => {
      if (sender.netns !== undefined) {
        const exists = await facts.get(nsExists, { host: sender.host, name: sender.netns });
        const failure: FactFailure | undefined = !exists.ok
          ? exists.error
          : exists.value.value
            ? undefined
            : { kind: 'not-found', what: `namespace ${sender.netns} on ${sender.host}` };
        if (failure !== undefined) {
          notSent.push({ from: sender.from, host: sender.host, to, failure });
          return;
        }
      }
      const sent = await sendPing(facts, sender, to);
      if (sent.ok) {
        runs.push({ ...sender, to, what, ...(routerId === undefined ? {} : { routerId }), ...sent.value });
      } else notSent.push({ from: sender.from, host: sender.host, to, failure: sent.error });
    }),
  );
  const order = (p: { host: string; to: string }): string => `${p.host} ${p.to}`;
  runs.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  notSent.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return observed({ runs, notSent }, ...runs.map((r) => r.evidence));
}

const notAllowed: FactFailure = { kind: 'unsupported', because: 'probes are off (--no-probe)' };

/** Pings every fixed address from every DHCP namespace of the network. */
export const pingsFromDhcp = source<PortSubject, Pings>('port.pings.dhcp', byId, async (subject, facts) => {
  if (!facts.io.options.mayProbe) return err(notAllowed);
  const hosts = await facts.get(dhcpHosts, subject);
  if (!hosts.ok) return hosts;
  const netns = namespaceName('qdhcp', subject.port.value.network_id);
  return gather(
    facts,
    hosts.value.value.flatMap(({ host }) =>
      targets(subject).map((to) => ({ sender: { from: 'qdhcp', host, netns }, to, what: 'instance' }) as const),
    ),
  );
});

/** Pings every fixed address from every router that serves the port. */
export const pingsFromRouter = source<PortSubject, Pings>('port.pings.router', byId, async (subject, facts) => {
  if (!facts.io.options.mayProbe) return err(notAllowed);
  const routers = await facts.get(servingRouters, subject);
  if (!routers.ok) return routers;
  return gather(
    facts,
    routers.value.value.flatMap((serving) => {
      const host = routerHost(serving);
      const served = new Set(serving.insides.flatMap((p) => p.fixed_ips.map((f) => f.subnet_id)));
      const reachable = subject.port.value.fixed_ips.filter((f) => served.has(f.subnet_id)).map((f) => f.ip_address);
      return host === undefined
        ? []
        : reachable.map(
            (to) =>
              ({
                sender: { from: 'qrouter', host, netns: namespaceName('qrouter', serving.router.id) },
                to,
                what: 'instance',
                routerId: serving.router.id,
              }) as const,
          );
    }),
  );
});

/**
 * Pings every fixed address from the namespace of the metadata port on the port's own host: a localport of OVN, which every chassis
 * has for itself and whose packets never leave it (ovn-nb(5), type localport). Networks without such a port have none, and addresses
 * of the port that its namespace does not have send nothing: Zed gives it those of IPv4 alone (neutron/agent/ovn/metadata/agent.py).
 */
export const pingsFromMetadata = source<PortSubject, Pings>('port.pings.metadata', byId, async (subject, facts) => {
  if (!facts.io.options.mayProbe) return err(notAllowed);
  const around = await facts.get(servicePorts, subject);
  if (!around.ok) return around;
  const host = computeHostOf(subject);
  if (host === undefined) return err(withoutHost(subject.instance));
  const netns = namespaceName('ovnmeta', subject.port.value.network_id);
  const own = await facts.get(nsAddresses, { host, name: netns });
  const has = (address: string): boolean => !own.ok || own.value.value.some((a) => sameAddress(a.address, address));
  const senders = metadataPorts(around.value.value).flatMap((p) => p.fixed_ips);
  const subnets = new Set(senders.filter((f) => has(f.ip_address)).map((f) => f.subnet_id));
  const reachable = subject.port.value.fixed_ips.filter((f) => subnets.has(f.subnet_id)).map((f) => f.ip_address);
  return gather(
    facts,
    reachable.map((to) => ({ sender: { from: 'ovnmeta', host, netns }, to, what: 'instance' }) as const),
  );
});

/** Pings the external gateway from every router that has one. */
export const pingsOfGateway = source<PortSubject, Pings>('port.pings.gateway', byId, async (subject, facts) => {
  if (!facts.io.options.mayProbe) return err(notAllowed);
  const [routers, external] = await Promise.all([
    facts.get(servingRouters, subject),
    facts.get(externalSubnets, subject),
  ]);
  if (!routers.ok) return routers;
  if (!external.ok) return external;
  return gather(
    facts,
    routers.value.value.flatMap((serving) => {
      const host = routerHost(serving);
      const gateway = external.value.value.get(serving.router.id)?.gateway_ip;
      return host === undefined || !gateway
        ? []
        : [
            {
              sender: { from: 'qrouter', host, netns: namespaceName('qrouter', serving.router.id) },
              to: gateway,
              what: 'gateway',
              routerId: serving.router.id,
            } as const,
          ];
    }),
  );
});

/**
 * Pings the port's floating addresses from the machine the doctor runs on, and as a control the outside address of the
 * router that holds them: it tells whether this machine reaches the external network at all.
 */
export const pingsOfFloating = source<PortSubject, Pings>('port.pings.floating', byId, async (subject, facts) => {
  if (!facts.io.options.mayProbe) return err(notAllowed);
  const [found, routers] = await Promise.all([facts.get(floatingIps, subject), facts.get(servingRouters, subject)]);
  if (!found.ok) return found;
  const here: Sender = { from: 'operator', host: 'here' };
  const held = new Set(found.value.value.map((f) => f.router_id));
  const outsides = (routers.ok ? routers.value.value : [])
    .filter((serving) => held.has(serving.router.id))
    .flatMap((serving) =>
      (serving.router.external_gateway_info?.external_fixed_ips ?? []).map((f) => ({
        sender: here,
        to: f.ip_address,
        what: 'router-outside' as const,
        routerId: serving.router.id,
      })),
    );
  return gather(facts, [
    ...found.value.value.map((f) => ({
      sender: here,
      to: f.floating_ip_address,
      what: 'floating-ip' as const,
      ...(f.router_id ? { routerId: f.router_id } : {}),
    })),
    ...outsides,
  ]);
});

/** A ping that may not be fragmented, at the full size of the network's MTU. */
export interface FullSizeRun {
  readonly mtu: number;
  readonly run: PingRun;
}

/** From a DHCP namespace on another host than the instance's, else from any: full-size, may-not-fragment. */
export const fullSizePings = source<PortSubject, readonly FullSizeRun[]>(
  'port.pings.full-size',
  byId,
  async (subject, facts) => {
    if (!facts.io.options.mayProbe) return err(notAllowed);
    const [hosts, network] = await Promise.all([facts.get(dhcpHosts, subject), facts.get(portNetwork, subject)]);
    if (!hosts.ok) return hosts;
    if (!network.ok) return network;
    const mtu = network.value.value.mtu;
    if (mtu === undefined) return err({ kind: 'unsupported', because: 'the network has no MTU in the API' });
    const netns = namespaceName('qdhcp', subject.port.value.network_id);
    const runs: FullSizeRun[] = [];
    for (const { host } of hosts.value.value) {
      const exists = await facts.get(nsExists, { host, name: netns });
      if (!exists.ok) return exists;
      if (!exists.value.value) continue;
      await Promise.all(
        targets(subject).map(async (to) => {
          const family = parseAddress(to)?.family ?? 4;
          const sender: Sender = { from: 'qdhcp', host, netns };
          const sent = await sendPing(facts, sender, to, ['-M', 'do', '-s', String(fullSizePayload(mtu, family))]);
          if (sent.ok) runs.push({ mtu, run: { ...sender, to, what: 'instance', ...sent.value } });
        }),
      );
    }
    runs.sort((a, b) => (`${a.run.host} ${a.run.to}` < `${b.run.host} ${b.run.to}` ? -1 : 1));
    return observed(runs, ...runs.map((r) => r.run.evidence));
  },
);
