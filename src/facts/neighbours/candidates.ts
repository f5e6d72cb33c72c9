import type { MatrixTarget } from '../../engine/matrix.ts';
import { groupFromApi, portSecurityFromApi } from '../../path/secgroup/from-api.ts';
import { verdictOf } from '../../path/secgroup/verdict.ts';
import type { Store } from '../io.ts';
import type { ServingRouter } from '../port-api.ts';
import { serverAnswer } from '../schemas/compute.ts';
import { type ApiSecurityGroup, type Port, port, securityGroup } from '../schemas/network.ts';
import { echoInto } from '../silence.ts';
import { computeHostOf, type PortSubject, shortId } from '../subject.ts';
import { letsIn } from './cells.ts';
import { type From, perClass, sameFamily } from './places.ts';

/** Candidates of a class that Nova is asked about: some may be off. */
const candidatesPerClass = 4;
/** A large network is not listed to its end. */
const mostPorts = 200;
const serverMicroversion = '2.79';

/** An instance that shares something with the one that does not answer. */
export interface Neighbour {
  readonly kind: Extract<MatrixTarget, 'same-host' | 'other-host' | 'other-network'>;
  readonly port: Port;
  readonly name: string;
  readonly groups: readonly ApiSecurityGroup[] | undefined;
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
export async function neighboursOf(
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

/** Whether a place's pings surely pass the groups of a neighbour. */
export const lettingIn = (neighbour: Neighbour, address: string, from: From): boolean => {
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

/** An address of the neighbour of the family that the instance is asked by. */
export const addressOf = (p: Port, like: string): string | undefined =>
  sameFamily(
    p.fixed_ips.map((f) => f.ip_address),
    like,
  );
