import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import type { FactFailure } from '../engine/failure.ts';
import { err } from '../engine/result.ts';
import type { Command } from '../nodes/command.ts';
import { namespaceName } from '../path/addresses.ts';
import { commandEvidence, probesOff, showing, source } from './io.ts';
import { nsExists } from './namespace.ts';
import { dhcpHosts, portSubnets, routerHost, servingRouters } from './port-api.ts';
import type { PortSubject } from './subject.ts';

/** One question to one name server, from a namespace of the port's network. */
export interface NameQuestion {
  readonly server: string;
  /** The subnet names it; otherwise it is the network's own dnsmasq, which is what guests get where a subnet names none. */
  readonly named: boolean;
  readonly host: string;
  readonly netns: string;
  readonly routerId?: string;
  readonly answer: 'answered' | 'refused' | 'silent';
  readonly evidence: Evidence;
}

export interface NameService {
  readonly questions: readonly NameQuestion[];
  readonly notAsked: readonly FactFailure[];
}

/** A question for the name servers of the root (RFC 1035, 4.1): whoever speaks DNS answers it, be it with a refusal. Its id is 0x4f53. */
const question = `\\x4f\\x53\\x01\\x00\\x00\\x01${'\\x00'.repeat(7)}\\x00\\x02\\x00\\x01`;
/** Asks one name server one question, and prints the first two bytes of its answer in hexadecimal. */
export const questionCommand = (server: string, netns: string): Command => ({
  argv: [
    'bash',
    '-c',
    'exec 3<>"/dev/udp/$0/53" || exit 1; printf "$1" >&3; timeout 2 head -c 2 <&3 | od -An -tx1',
    server,
    question,
  ],
  impact: 'probe',
  parallel: true,
  timeoutSeconds: 4,
  netns,
});

/**
 * Asks the name servers that guests of the port's network are given, from the router (the guests' own way out), or from the DHCP
 * namespace where there is no router. Asked only where somebody complains of names.
 */
export const nameService = source<PortSubject, NameService>(
  'port.name-service',
  (subject) => subject.id,
  async (subject, facts) => {
    if (!facts.io.options.mayProbe) return err(probesOff);
    const [subnets, routers, dhcp] = await Promise.all([
      facts.get(portSubnets, subject),
      facts.get(servingRouters, subject),
      facts.get(dhcpHosts, subject),
    ]);
    if (!subnets.ok) return subnets;
    const own = new Set(subject.port.value.fixed_ips.map((f) => f.subnet_id));
    const mine = subnets.value.value.filter((s) => own.has(s.id));
    const stated = [...new Set(mine.flatMap((s) => s.dns_nameservers ?? []))];
    const served = (dhcp.ok ? dhcp.value.value : []).flatMap(({ port }) =>
      (port?.fixed_ips ?? []).filter((f) => own.has(f.subnet_id)).map((f) => f.ip_address),
    );
    const servers = stated.length > 0 ? stated : [...new Set(served)];
    const behind = (routers.ok ? routers.value.value : []).flatMap((serving) => {
      const host = routerHost(serving);
      const { id } = serving.router;
      return host === undefined ? [] : [{ host, netns: namespaceName('qrouter', id), routerId: id }];
    });
    const beside = (dhcp.ok ? dhcp.value.value : []).map(({ host }) => ({
      host,
      netns: namespaceName('qdhcp', subject.port.value.network_id),
    }));
    const questions: NameQuestion[] = [];
    const notAsked: FactFailure[] = [];
    await Promise.all(
      (behind.length > 0 ? behind : beside).flatMap((place) =>
        servers.map(async (server) => {
          const exists = await facts.get(nsExists, { host: place.host, name: place.netns });
          if (!exists.ok || !exists.value.value) {
            notAsked.push(
              exists.ok ? { kind: 'not-found', what: `namespace ${place.netns} on ${place.host}` } : exists.error,
            );
            return;
          }
          const command = questionCommand(server, place.netns);
          const ran = await facts.io.nodes.run(place.host, command);
          if (!ran.ok) {
            notAsked.push(ran.error);
            return;
          }
          const { stdout, stderr } = ran.value;
          const answer = /4f\s+53/.test(stdout) ? 'answered' : /Connection refused/.test(stderr) ? 'refused' : 'silent';
          const words = { answered: 'it answers', refused: 'nothing listens there', silent: 'no answer in 2 s' };
          const evidence = showing(
            commandEvidence(place.host, command, ran.value),
            `DNS question to ${server} (UDP 53): ${words[answer]}`,
          );
          questions.push({ server, named: stated.length > 0, ...place, answer, evidence });
        }),
      ),
    );
    const order = (q: NameQuestion): string => `${q.server} ${q.host} ${q.netns}`;
    questions.sort((a, b) => (order(a) < order(b) ? -1 : 1));
    return observed({ questions, notAsked }, ...questions.map((q) => q.evidence));
  },
);
