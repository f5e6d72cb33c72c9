import type { MatrixCell, MatrixRow, MatrixTarget } from '../../engine/matrix.ts';
import type { Store } from '../io.ts';
import { nsExists } from '../namespace.ts';
import { sendPing } from '../ping.ts';
import { dhcpHosts, routerHost, type ServingRouter } from '../port-api.ts';
import type { PortSubject } from '../subject.ts';
import { addressOf, lettingIn, type Neighbour } from './candidates.ts';
import { cellOf, notAsked, reason } from './cells.ts';
import { type From, perClass, sameFamily } from './places.ts';

const fromHere = (from: From): string | undefined =>
  from.source.kind === 'operator' ? 'not reached from here without a router' : undefined;

/** Why a neighbour's silence would tell nothing. */
const against = (n: Neighbour, to: string, from: From): string | undefined =>
  fromHere(from) ??
  (from.addressesIn(n.port.network_id).length === 0
    ? 'not in its network'
    : lettingIn(n, to, from)
      ? undefined
      : 'its security groups let no ping in from there');

/** Neighbours and services of the network, pinged from every place in one wave. */
export async function askedRows(
  facts: Store,
  subject: PortSubject,
  {
    places,
    address,
    found,
    routers,
  }: {
    readonly places: readonly From[];
    /** Of the instance; its neighbours are asked by their address of the same family. */
    readonly address: string;
    readonly found: readonly Neighbour[];
    readonly routers: readonly ServingRouter[];
  },
): Promise<readonly MatrixRow[]> {
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
        const not = standing[i] ?? why(from);
        if (not !== undefined) return notAsked(not);
        const sent = await sendPing(facts, from.sender, to, [], 'neighbours');
        return sent.ok ? cellOf(sent.value) : notAsked(reason(sent.error));
      }),
    );
  const neighbours = (['same-host', 'other-host', 'other-network'] as const).flatMap((kind) =>
    found
      .flatMap((n) => {
        const to = addressOf(n.port, address);
        if (n.kind !== kind || to === undefined) return [];
        return places.some((from) => against(n, to, from) === undefined) ? [{ n, to }] : [];
      })
      .slice(0, perClass)
      .map(
        async ({ n, to }): Promise<MatrixRow> => ({
          kind,
          name: n.name,
          address: to,
          ...(n.port['binding:host_id'] ? { host: n.port['binding:host_id'] } : {}),
          cells: await ask(to, (from) => against(n, to, from)),
        }),
      ),
  );
  const service = async (
    kind: MatrixTarget,
    name: string,
    host: string | undefined,
    to: string,
  ): Promise<MatrixRow> => ({
    kind,
    name,
    address: to,
    ...(host === undefined ? {} : { host }),
    cells: await ask(
      to,
      (from) =>
        fromHere(from) ??
        (from.addressesIn(subject.port.value.network_id).includes(to) ? 'its own address' : undefined),
    ),
  });
  const dhcp = await facts.get(dhcpHosts, subject);
  const services = [
    ...routers.slice(0, perClass).flatMap((serving) => {
      const inside = serving.insides.flatMap((p) => p.fixed_ips.map((f) => f.ip_address));
      const to = sameFamily(inside, address);
      return to === undefined ? [] : [service('router-inside', serving.router.name, routerHost(serving), to)];
    }),
    ...(dhcp.ok ? dhcp.value.value : []).slice(0, perClass).flatMap(({ host, port }) => {
      const to = port === undefined ? undefined : addressOf(port, address);
      return to === undefined ? [] : [service('dhcp', 'DHCP', host, to)];
    }),
  ];
  return Promise.all([...neighbours, ...services]);
}
