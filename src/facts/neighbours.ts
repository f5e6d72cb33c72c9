import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import type { FactFailure } from '../engine/failure.ts';
import type { Matrix, MatrixCell, MatrixRow, MatrixSource, MatrixTarget } from '../engine/matrix.ts';
import { err } from '../engine/result.ts';
import { parseConsoleLog } from '../nodes/parse/console-log.ts';
import { namespaceName, parseAddress } from '../path/addresses.ts';
import { readMatrix } from '../path/read-matrix.ts';
import { groupFromApi, portSecurityFromApi } from '../path/secgroup/from-api.ts';
import type { Verdict } from '../path/secgroup/model.ts';
import { verdictOf } from '../path/secgroup/verdict.ts';
import { consoleText, ports } from './instance-api.ts';
import { type Store, source } from './io.ts';
import { nsExists } from './namespace.ts';
import { resolutions } from './neighbour.ts';
import {
  type PingRun,
  pingsFromDhcp,
  pingsFromRouter,
  pingsOfFloating,
  pingsOfGateway,
  type Sender,
  sendPing,
} from './ping.ts';
import {
  dhcpHosts,
  remoteMembers,
  routerHost,
  type ServingRouter,
  securityGroups,
  servingRouters,
} from './port-api.ts';
import { serverAnswer } from './schemas/compute.ts';
import { type ApiSecurityGroup, type Port, port, securityGroup } from './schemas/network.ts';
import { allAnswered, secondLook } from './second-look.ts';
import { echoInto } from './silence.ts';
import { computeHostOf, type PortSubject, shortId } from './subject.ts';

/** Enough to see two of them disagree. */
const perClass = 2;
/** Candidates of a class that Nova is asked about: some may be off. */
const candidatesPerClass = 4;
/** A large network is not listed to its end. */
const mostPorts = 200;
const serverMicroversion = '2.79';

/** A place to send from, with the addresses its pings carry by network. */
interface From {
  readonly source: MatrixSource;
  readonly sender: Sender;
  /** Addresses of the sender in a network; empty where it has none there. */
  addressesIn(networkId: string): readonly string[];
}

interface Neighbour {
  readonly kind: Extract<MatrixTarget, 'same-host' | 'other-host' | 'other-network'>;
  readonly port: Port;
  readonly name: string;
  readonly groups: readonly ApiSecurityGroup[] | undefined;
}

const notAsked = (because: string): MatrixCell => ({ state: 'not-asked', because });

const reason = (failure: FactFailure): string => {
  switch (failure.kind) {
    case 'unsupported':
      return failure.because;
    case 'unreachable':
      return `${failure.host} cannot be reached`;
    case 'not-found':
      return `${failure.what} is not there`;
    case 'timeout':
      return `no answer in ${failure.seconds} s`;
    case 'command':
    case 'sudo':
    case 'api':
    case 'shape':
      return failure.detail;
    case 'forbidden':
    case 'missing-tool':
    case 'parse':
      return failure.kind;
  }
};

/** Only a rule that lets every such echo in makes a silence worth anything. */
const letsIn = (verdict: Verdict): boolean => verdict.kind === 'allowed' && verdict.extent === 'whole';

const cellOf = (run: { ping: PingRun['ping']; evidence: Evidence }): MatrixCell => ({
  state: run.ping.received === 0 ? 'lost' : run.ping.received < run.ping.sent ? 'partly' : 'ok',
  sent: run.ping.sent,
  received: run.ping.received,
  evidence: run.evidence,
});

/** The places this run has pinged from already: at most two of each kind, in the order of the API. */
async function sourcesOf(facts: Store, subject: PortSubject): Promise<readonly From[]> {
  const [hosts, routers] = await Promise.all([facts.get(dhcpHosts, subject), facts.get(servingRouters, subject)]);
  const netns = namespaceName('qdhcp', subject.port.value.network_id);
  const found: From[] = [];
  for (const { host, port: own } of (hosts.ok ? hosts.value.value : []).slice(0, perClass)) {
    found.push({
      source: { kind: 'qdhcp', name: 'qdhcp', host },
      sender: { from: 'qdhcp', host, netns },
      addressesIn: (id) => (own !== undefined && own.network_id === id ? own.fixed_ips.map((f) => f.ip_address) : []),
    });
  }
  for (const serving of (routers.ok ? routers.value.value : []).slice(0, perClass)) {
    const host = routerHost(serving);
    if (host === undefined) continue;
    found.push({
      source: { kind: 'qrouter', name: serving.router.name, host },
      sender: { from: 'qrouter', host, netns: namespaceName('qrouter', serving.router.id) },
      addressesIn: (id) =>
        serving.ports.filter((p) => p.network_id === id).flatMap((p) => p.fixed_ips.map((f) => f.ip_address)),
    });
  }
  return found;
}

const listPorts = async (facts: Store, query: Record<string, string | readonly string[]>): Promise<readonly Port[]> => {
  const answer = await facts.io.cloud.list({
    service: 'network',
    path: '/ports',
    query: { status: 'ACTIVE', limit: String(mostPorts), ...query },
    items: 'ports',
    schema: port,
    limit: mostPorts,
  });
  return answer.ok ? answer.value.value : [];
};

/** Instances that share something with this one, are running, and whose groups can be read; at most two of each class. */
async function neighboursOf(
  facts: Store,
  subject: PortSubject,
  routers: readonly ServingRouter[],
): Promise<readonly Neighbour[]> {
  const host = computeHostOf(subject);
  const own = subject.port.value;
  const others = [
    ...new Set(
      routers.flatMap((r) =>
        r.ports.filter((p) => p.device_owner.startsWith('network:router_interface')).map((p) => p.network_id),
      ),
    ),
  ]
    .filter((id) => id !== own.network_id)
    .slice(0, perClass);
  const [here, everywhere, away] = await Promise.all([
    host === undefined ? [] : listPorts(facts, { network_id: own.network_id, 'binding:host_id': host }),
    listPorts(facts, { network_id: own.network_id }),
    others.length === 0 ? [] : listPorts(facts, { network_id: others }),
  ]);
  const usable = (p: Port): boolean =>
    p.device_owner.startsWith('compute:') &&
    p.device_id !== own.device_id &&
    p.id !== own.id &&
    p.admin_state_up &&
    p.status === 'ACTIVE' &&
    p.fixed_ips.length > 0;
  // The same project first: its instances are the ones the operator is most likely to know.
  const sorted = (list: readonly Port[]): Port[] =>
    list
      .filter(usable)
      .sort(
        (a, b) =>
          Number(a.tenant_id !== own.tenant_id) - Number(b.tenant_id !== own.tenant_id) || (a.id < b.id ? -1 : 1),
      )
      .slice(0, candidatesPerClass);
  const bound = (p: Port): string | undefined => p['binding:host_id'] || undefined;
  const classes: readonly { kind: Neighbour['kind']; ports: readonly Port[] }[] = [
    { kind: 'same-host', ports: sorted(here.filter((p) => host !== undefined && bound(p) === host)) },
    { kind: 'other-host', ports: sorted(everywhere.filter((p) => bound(p) !== undefined && bound(p) !== host)) },
    { kind: 'other-network', ports: sorted(away.filter((p) => bound(p) !== undefined)) },
  ];
  const candidates = classes.flatMap(({ kind, ports }) => ports.map((p) => ({ kind, port: p })));
  if (candidates.length === 0) return [];
  const [servers, groups] = await Promise.all([
    Promise.all(
      candidates.map(async ({ port: p }) => {
        const answer = await facts.io.cloud.get({
          service: 'compute',
          path: `/servers/${encodeURIComponent(p.device_id)}`,
          schema: serverAnswer,
          microversion: serverMicroversion,
        });
        return answer.ok ? answer.value.value.server : undefined;
      }),
    ),
    facts.io.cloud.list({
      service: 'network',
      path: '/security-groups',
      query: { id: [...new Set(candidates.flatMap((c) => c.port.security_groups ?? []))].sort() },
      items: 'security_groups',
      schema: securityGroup,
    }),
  ]);
  return candidates.flatMap(({ kind, port: p }, i): Neighbour[] => {
    const server = servers[i];
    const running =
      server === undefined || (server.status === 'ACTIVE' && !server['OS-EXT-STS:task_state'] && poweredOn(server));
    if (!running) return [];
    const wanted = p.security_groups ?? [];
    return [
      {
        kind,
        port: p,
        name: server?.name ?? `port ${shortId(p.id)}`,
        groups: groups.ok ? groups.value.value.filter((g) => wanted.includes(g.id)) : undefined,
      },
    ];
  });
}

/** Nova's power state 1 is running; without the right to see it, ACTIVE has to do. */
const poweredOn = (server: { readonly 'OS-EXT-STS:power_state'?: number | null | undefined }): boolean =>
  (server['OS-EXT-STS:power_state'] ?? 1) === 1;

const lettingIn = (neighbour: Neighbour, address: string, from: From): boolean => {
  if (neighbour.groups === undefined) return false;
  const own = sameFamily(from.addressesIn(neighbour.port.network_id), address);
  return letsIn(
    verdictOf(
      echoInto(address, own),
      portSecurityFromApi(neighbour.port),
      neighbour.groups.map(groupFromApi),
      () => undefined,
    ),
  );
};

const sameFamily = (addresses: readonly string[], like: string): string | undefined =>
  addresses.find((a) => parseAddress(a)?.family === parseAddress(like)?.family);

/** An address of the neighbour of the family that the instance is asked by. */
const addressOf = (p: Port, like: string): string | undefined =>
  sameFamily(
    p.fixed_ips.map((f) => f.ip_address),
    like,
  );

/** The second looks of the instance's other ports: their counters must not count these packets either. */
async function otherLooks(facts: Store, { instance, id }: PortSubject): Promise<void> {
  if (instance === undefined) return;
  const all = await facts.get(ports, instance);
  if (!all.ok) return;
  const { value, evidence } = all.value;
  const bound = value.filter((p) => p.id !== id && !/^(unbound|binding_failed)$/.test(p['binding:vif_type'] ?? ''));
  await Promise.all(
    bound.map((p) => facts.get(secondLook, { kind: 'port', id: p.id, port: { value: p, evidence }, instance })),
  );
}

/**
 * Differential diagnosis: where the instance does not answer, its neighbours are pinged from the same places. Who answers
 * splits the field: same host, other host, other network, gateway, outside. Nothing of it is sent on a healthy run, and
 * all of it in one wave after the counters of the second look are read, which must not count these packets.
 */
export const neighbours = source<PortSubject, Matrix>(
  'port.neighbours',
  (subject) => subject.id,
  async (subject, facts) => {
    const [fromDhcp, fromRouter, ofGateway, ofFloating] = await Promise.all([
      facts.get(pingsFromDhcp, subject),
      facts.get(pingsFromRouter, subject),
      facts.get(pingsOfGateway, subject),
      facts.get(pingsOfFloating, subject),
    ]);
    const runsOf = (pings: typeof fromDhcp): readonly PingRun[] => (pings.ok ? pings.value.value.runs : []);
    const inside = [...runsOf(fromDhcp), ...runsOf(fromRouter)];
    const outside = [...runsOf(ofGateway), ...runsOf(ofFloating)];
    if (inside.length + outside.length === 0) {
      const failure = [fromDhcp, fromRouter].find((p) => !p.ok);
      return failure?.ok === false ? failure : err({ kind: 'unsupported', because: 'nothing could be pinged' });
    }
    if ([...inside, ...outside].every((r) => r.ping.received === r.ping.sent))
      return err({ kind: 'unsupported', because: allAnswered });

    const [groups, members, resolved, routers, froms] = await Promise.all([
      facts.get(securityGroups, subject),
      facts.get(remoteMembers, subject),
      facts.get(resolutions, subject),
      facts.get(servingRouters, subject),
      sourcesOf(facts, subject),
    ]);
    const own = subject.port.value;
    const arpOf = (run: PingRun) =>
      resolved.ok
        ? resolved.value.value.find((r) => r.run.from === run.from && r.run.host === run.host && r.run.to === run.to)
        : undefined;
    const expected = (to: string, from: string | undefined): Verdict | undefined =>
      groups.ok
        ? verdictOf(echoInto(to, from), portSecurityFromApi(own), groups.value.value.map(groupFromApi), (id) =>
            members.ok ? members.value.value.get(id) : undefined,
          )
        : undefined;
    /** Silence that the security groups ask for is no answer at all, unless not even ARP is answered. */
    const ownCell = (run: PingRun, from: string | undefined): MatrixCell => {
      if (run.ping.received > 0) return cellOf(run);
      const arp = arpOf(run);
      if (arp?.arp === 'failed') return { state: 'lost', sent: run.ping.sent, received: 0, evidence: arp.evidence };
      const verdict = expected(run.to, from);
      if (verdict !== undefined && letsIn(verdict)) return cellOf(run);
      if (arp?.arp === 'answered')
        return { state: 'ok', sent: run.ping.sent, received: 0, by: 'ARP', evidence: arp.evidence };
      return notAsked('its security groups let no ping in');
    };
    const gatewayCell = (run: PingRun): MatrixCell => {
      const arp = arpOf(run);
      return run.ping.received === 0 && arp?.arp === 'answered'
        ? { state: 'ok', sent: run.ping.sent, received: 0, by: 'ARP', evidence: arp.evidence }
        : cellOf(run);
    };
    const here: From = {
      source: { kind: 'operator', name: 'here', host: 'here' },
      sender: { from: 'operator', host: 'here' },
      addressesIn: () => [],
    };
    const operator = runsOf(ofFloating).length > 0;
    const places: readonly From[] = operator ? [...froms, here] : froms;
    const at = (run: PingRun, from: From): boolean =>
      run.from === from.sender.from && run.host === from.sender.host && run.netns === from.sender.netns;
    const known = (
      runs: readonly PingRun[],
      to: string,
      make: (run: PingRun, from: From) => MatrixCell,
      otherwise: (from: From) => string,
    ): MatrixCell[] =>
      places.map((from) => {
        const run = runs.find((r) => r.to === to && at(r, from));
        return run === undefined ? notAsked(otherwise(from)) : make(run, from);
      });
    const [first] = own.fixed_ips;
    const address = inside.find((r) => r.ping.received < r.ping.sent)?.to ?? inside[0]?.to ?? first?.ip_address ?? '';
    const name = subject.instance?.name ?? `port ${shortId(subject.id)}`;
    const host = computeHostOf(subject);
    const instance: MatrixRow = {
      kind: 'this-instance',
      name,
      address,
      ...(host === undefined ? {} : { host }),
      cells: known(
        inside,
        address,
        (run, from) => ownCell(run, sameFamily(from.addressesIn(own.network_id), run.to)),
        (from) => (from.source.kind === 'operator' ? 'not reached from here without a router' : 'it could not be sent'),
      ),
    };
    const once = <T>(list: readonly T[]): T[] => [...new Set(list)];
    const outsideRow = (kind: MatrixTarget, what: PingRun['what'], label: string): MatrixRow[] =>
      once(outside.filter((r) => r.what === what).map((r) => r.to)).map((to) => ({
        kind,
        name: label,
        address: to,
        cells: known(
          outside,
          to,
          (run) =>
            kind === 'floating-ip' && expected(first?.ip_address ?? '', undefined)?.kind !== 'allowed'
              ? run.ping.received > 0
                ? cellOf(run)
                : notAsked('its security groups let not every ping in')
              : gatewayCell(run),
          () => 'not asked from there',
        ),
      }));
    const beyond = [
      ...outsideRow('outside', 'gateway', 'external gateway'),
      ...outsideRow('router-outside', 'router-outside', "router's outside"),
      ...outsideRow('floating-ip', 'floating-ip', name),
    ];
    const isSick = (cell: MatrixCell): boolean => cell.state === 'lost' || cell.state === 'partly';
    const noLease = async (): Promise<boolean> => {
      if (subject.instance === undefined || instance.cells.some((c) => c.state === 'ok')) return false;
      const text = await facts.get(consoleText, subject.instance);
      const log = text.ok ? parseConsoleLog(text.value.value) : undefined;
      return log?.ok === true && log.value.noLease && log.value.lease === undefined;
    };
    // A machine that reaches nothing outside says nothing of the instance: the router's own address is the control.
    const reaches = beyond.some((r) => r.kind === 'router-outside' && r.cells.some((c) => c.state === 'ok'));
    const telling = beyond.filter((r) => r.kind === 'outside' || (r.kind === 'floating-ip' && reaches));
    if (![instance, ...telling].some((row) => row.cells.some(isSick)) && !(await noLease()))
      return err({ kind: 'unsupported', because: allAnswered });

    const found = await neighboursOf(facts, subject, routers.ok ? routers.value.value : []);
    const again = await facts.get(secondLook, subject);
    await otherLooks(facts, subject);
    const lostWhole = [instance, ...telling].some((row) => row.cells.some((c) => c.state === 'lost'));
    // One packet that is lost once is no reason to look for a half that is sick.
    if (!lostWhole && again.ok && again.value.value.repeated.every((r) => r.again.received === r.again.sent))
      return err({ kind: 'unsupported', because: 'what was lost came through when it was sent again' });
    const standing = await Promise.all(
      places.map(async ({ sender }): Promise<string | undefined> => {
        if (sender.netns === undefined) return undefined;
        const exists = await facts.get(nsExists, { host: sender.host, name: sender.netns });
        if (!exists.ok) return reason(exists.error);
        return exists.value.value ? undefined : `no namespace ${sender.netns.slice(0, 16)}… on ${sender.host}`;
      }),
    );
    const ask = (to: string, why: (from: From) => string | undefined): Promise<MatrixCell[]> =>
      Promise.all(
        places.map(async (from, i): Promise<MatrixCell> => {
          const against = standing[i] ?? why(from);
          if (against !== undefined) return notAsked(against);
          const sent = await sendPing(facts, from.sender, to, [], 'neighbours');
          return sent.ok ? cellOf(sent.value) : notAsked(reason(sent.error));
        }),
      );
    const fromHere = (from: From): string | undefined =>
      from.source.kind === 'operator' ? 'not reached from here without a router' : undefined;
    const neighbourRows: Promise<MatrixRow>[] = (['same-host', 'other-host', 'other-network'] as const).flatMap(
      (kind) =>
        found
          .flatMap((n) => {
            const to = addressOf(n.port, address);
            if (n.kind !== kind || to === undefined) return [];
            const why = (from: From): string | undefined =>
              fromHere(from) ??
              (from.addressesIn(n.port.network_id).length === 0
                ? 'not in its network'
                : lettingIn(n, to, from)
                  ? undefined
                  : 'its security groups let no ping in from there');
            return places.some((from) => why(from) === undefined) ? [{ n, to, why }] : [];
          })
          .slice(0, perClass)
          .map(async ({ n, to, why }) => ({
            kind,
            name: n.name,
            address: to,
            ...(n.port['binding:host_id'] ? { host: n.port['binding:host_id'] } : {}),
            cells: await ask(to, why),
          })),
    );
    const serviceRow = async (
      kind: MatrixTarget,
      label: string,
      at: string | undefined,
      to: string,
    ): Promise<MatrixRow> => ({
      kind,
      name: label,
      address: to,
      ...(at === undefined ? {} : { host: at }),
      cells: await ask(
        to,
        (from) => fromHere(from) ?? (from.addressesIn(own.network_id).includes(to) ? 'its own address' : undefined),
      ),
    });
    const dhcp = await facts.get(dhcpHosts, subject);
    const services = [
      ...(routers.ok ? routers.value.value : []).slice(0, perClass).flatMap((serving) => {
        const to = sameFamily(
          serving.insides.flatMap((p) => p.fixed_ips.map((f) => f.ip_address)),
          address,
        );
        return to === undefined ? [] : [serviceRow('router-inside', serving.router.name, routerHost(serving), to)];
      }),
      ...(dhcp.ok ? dhcp.value.value : []).slice(0, perClass).flatMap(({ host: there, port: p }) => {
        const to = p === undefined ? undefined : addressOf(p, address);
        return to === undefined ? [] : [serviceRow('dhcp', 'DHCP', there, to)];
      }),
    ];
    const rows = [instance, ...(await Promise.all([...neighbourRows, ...services])), ...beyond];
    const matrix: Matrix = {
      title: `${name} ${address}`,
      sources: places.map((p) => p.source),
      rows,
    };
    const reading = readMatrix(matrix);
    const evidence = rows.flatMap((r) => r.cells.flatMap((c) => (c.state === 'not-asked' ? [] : [c.evidence])));
    return observed(reading === undefined ? matrix : { ...matrix, reading: reading.words }, ...evidence);
  },
);
