import type { Evidence } from '../engine/evidence.ts';
import { type FactResult, mapFact, observed } from '../engine/fact.ts';
import { err } from '../engine/result.ts';
import type { Command } from '../nodes/command.ts';
import { haproxyOf, type Process } from '../nodes/parse/processes.ts';
import { parseSockets } from '../nodes/parse/sockets.ts';
import { namespaceName } from '../path/addresses.ts';
import { type Controllers, controllerServices } from './controllers.ts';
import { hostProcesses } from './host.ts';
import { commandEvidence, probesOff, read, type Store, showing, source } from './io.ts';
import { nsExists } from './namespace.ts';
import { dhcpHosts, portSubnets, routerHost, servingRouters } from './port-api.ts';
import { type PortSubject, theCloud } from './subject.ts';

/** What one HTTP request on the metadata path came to. */
export type MetadataAnswer =
  | { readonly kind: 'http'; readonly status: number }
  | { readonly kind: 'refused' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'error'; readonly detail: string };

/** Where a proxy passes requests of instances on to the metadata agent of its host. */
export interface ProxyPlace {
  readonly host: string;
  /** chassis: of a network on the instance's own host, under OVN. */
  readonly by: 'router' | 'dhcp' | 'chassis';
  /** Router or network id: the proxy's configuration is named after it. */
  readonly owner: string;
}

export interface MetadataPath extends ProxyPlace {
  readonly netns: string;
  readonly namespaceExists: boolean;
  readonly proxy: Process | undefined;
  /** Ids that the proxy's configuration puts into its headers; recordings of older versions do not have them. */
  readonly named: FactResult<readonly string[]>;
  /** Does anything listen at the proxy's port in the namespace. */
  readonly listens: FactResult<boolean>;
  /** Asked at the agent's socket in the name of the instance, as the proxy would. */
  readonly agentAnswer: FactResult<MetadataAnswer>;
}

/** How each kind of proxy is made (neutron/agent/metadata/driver.py and neutron/agent/ovn/metadata/driver.py). */
const proxies = {
  router: { prefix: 'qrouter', port: 9697, header: 'X-Neutron-Router-ID', folder: 'ns-metadata-proxy' },
  dhcp: { prefix: 'qdhcp', port: 80, header: 'X-Neutron-Network-ID', folder: 'ns-metadata-proxy' },
  chassis: { prefix: 'ovnmeta', port: 80, header: 'X-OVN-Network-ID', folder: 'ovn-metadata-proxy' },
} as const;
const agentSocket = '/var/lib/neutron/metadata_proxy';

/** `http_code`, and curl's exit code where there was no answer (curl(1): 7 refused, 28 timed out). */
async function ask(facts: Store, host: string, command: Command): Promise<FactResult<MetadataAnswer>> {
  const ran = await facts.io.nodes.run(host, command);
  if (!ran.ok) return ran;
  const { stdout, stderr, code } = ran.value;
  const status = Number(/^(\d{3})\b/m.exec(stdout)?.[1] ?? 0);
  const evidence: Evidence = showing(
    commandEvidence(host, command, ran.value),
    status === 0 ? stderr.trim() || `no answer (curl status ${code ?? 'none'})` : `HTTP ${status}`,
  );
  if (status !== 0) return observed({ kind: 'http', status }, evidence);
  if (code === 7) return observed({ kind: 'refused' }, evidence);
  if (code === 28) return observed({ kind: 'silent' }, evidence);
  return observed({ kind: 'error', detail: stderr.trim() }, evidence);
}

/**
 * Seconds to wait for an answer; and once more where there was none, for a cloud under load may just be slow. Under OVN the
 * agent answers from the databases, and its first answers wait until it has read them.
 */
const patience = { first: 5, again: 8, chassis: 15 } as const;

const curl = (seconds: number, ...more: string[]): readonly [string, ...string[]] => [
  'curl',
  '-s',
  '-S',
  '-m',
  String(seconds),
  '-o',
  '/dev/null',
  '-w',
  '%{http_code}\\n',
  ...more,
];

/** Listening sockets of a namespace. A connection would wake the agent, which takes seconds to refuse a stranger. */
async function listening(facts: Store, host: string, netns: string, port: number): Promise<FactResult<boolean>> {
  const sockets = await read(facts, host, { argv: ['ss', '-Hlntup'], impact: 'read', netns }, parseSockets);
  return mapFact(sockets, (list) => list.some((s) => s.protocol === 'tcp' && s.port === port));
}

/** The file is named after the router or network, and names it in a header. */
const proxyNames = (facts: Store, { host, by, owner }: ProxyPlace): Promise<FactResult<readonly string[]>> =>
  read(
    facts,
    host,
    { argv: ['cat', `/var/lib/neutron/${proxies[by].folder}/${owner}.conf`], impact: 'read', become: true },
    (stdout) => ({
      ok: true,
      value: [...stdout.matchAll(/(?:set|add)-header X-(?:Neutron|OVN)-(?:Router|Network)-ID (\S+)/g)].map(
        (m) => m[1] ?? '',
      ),
    }),
  );

/** The control plane, where the metadata agent passes a request on and gets an error back. */
export const novaSide = source<PortSubject, Controllers>(
  'port.nova-side',
  (subject) => subject.id,
  async (subject, facts) => {
    const paths = await facts.get(metadataPaths, subject);
    if (!paths.ok) return paths;
    return behind(facts, paths.value.value);
  },
);

/** Asked only where an agent gets an error of Nova's. */
export const behind = async (facts: Store, paths: readonly MetadataPath[]): Promise<FactResult<Controllers>> =>
  paths.some(({ agentAnswer: a }) => a.ok && a.value.value.kind === 'http' && a.value.value.status >= 500)
    ? facts.get(controllerServices, theCloud)
    : err({ kind: 'unsupported', because: 'Nova answers the metadata agent' });

/** A proxy and the agent behind it, asked in the name of the instance that has the address. */
export async function lookAtProxy(facts: Store, place: ProxyPlace, address: string): Promise<MetadataPath> {
  const { prefix, port, header } = proxies[place.by];
  const netns = namespaceName(prefix, place.owner);
  const [exists, processes, named, listens, agentAnswer] = await Promise.all([
    facts.get(nsExists, { host: place.host, name: netns }),
    facts.get(hostProcesses, place.host),
    proxyNames(facts, place),
    listening(facts, place.host, netns, port),
    askTwice(),
  ]);
  return {
    ...place,
    netns,
    namespaceExists: exists.ok ? exists.value.value : true,
    proxy: processes.ok ? haproxyOf(processes.value.value, place.owner) : undefined,
    named,
    listens,
    agentAnswer,
  };

  async function askTwice(): Promise<FactResult<MetadataAnswer>> {
    const once = (seconds: number, round?: string) =>
      ask(facts, place.host, {
        argv: curl(
          seconds,
          '--unix-socket',
          agentSocket,
          '-H',
          `X-Forwarded-For: ${address}`,
          '-H',
          `${header}: ${place.owner}`,
          'http://169.254.169.254/openstack',
        ),
        impact: 'probe',
        become: true,
        parallel: true,
        ...(round === undefined ? {} : { round }),
      });
    const answer = await once(patience.first);
    if (!answer.ok || answer.value.value.kind !== 'silent') return answer;
    const second = await once(place.by === 'chassis' ? patience.chassis : patience.again, 'again');
    return second.ok ? second : answer;
  }
}

/** The hosts and namespaces that serve metadata to the port: its routers', or the DHCP server's on isolated networks. */
export const metadataPaths = source<PortSubject, readonly MetadataPath[]>(
  'port.metadata',
  (subject) => subject.id,
  async (subject, facts) => {
    if (!facts.io.options.mayProbe) return err(probesOff);
    const [routers, subnets] = await Promise.all([facts.get(servingRouters, subject), facts.get(portSubnets, subject)]);
    if (!routers.ok) return routers;
    if (!subnets.ok) return subnets;
    const address = subject.port.value.fixed_ips.find((f) => !f.ip_address.includes(':'))?.ip_address;
    if (address === undefined) return err({ kind: 'unsupported', because: 'the port has no IPv4 address' });
    const gateways = new Set(subnets.value.value.map((s) => s.gateway_ip));
    const byRouter = routers.value.value.flatMap((serving) => {
      const host = routerHost(serving);
      const isGateway = serving.insides.some((p) => p.fixed_ips.some((f) => gateways.has(f.ip_address)));
      return host === undefined || !isGateway ? [] : [{ host, by: 'router' as const, owner: serving.router.id }];
    });
    const places = [...byRouter];
    const evidence: Evidence[] = [...routers.value.evidence];
    if (places.length === 0) {
      const hosts = await facts.get(dhcpHosts, subject);
      if (!hosts.ok) return hosts;
      evidence.push(...hosts.value.evidence);
      const owner = subject.port.value.network_id;
      return observed(
        await Promise.all(
          hosts.value.value.map(({ host }) => lookAtProxy(facts, { host, by: 'dhcp', owner }, address)),
        ),
        ...evidence,
      );
    }
    return observed(await Promise.all(places.map((place) => lookAtProxy(facts, place, address))), ...evidence);
  },
);
