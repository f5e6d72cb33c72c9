import type { MatrixSource } from '../../engine/matrix.ts';
import { namespaceName, parseAddress } from '../../path/addresses.ts';
import type { Store } from '../io.ts';
import type { Sender } from '../ping.ts';
import { dhcpHosts, routerHost, servingRouters } from '../port-api.ts';
import type { PortSubject } from '../subject.ts';

/** Enough to see two of them disagree. */
export const perClass = 2;

/** A place to send from, with the addresses its pings carry by network. */
export interface From {
  readonly source: MatrixSource;
  readonly sender: Sender;
  /** Addresses of the sender in a network; empty where it has none there. */
  addressesIn(networkId: string): readonly string[];
}

/** The places this run has pinged from already: at most two of each kind, in the order of the API. */
export async function sourcesOf(facts: Store, subject: PortSubject): Promise<readonly From[]> {
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

/** The first of them that is of the family of another. */
export const sameFamily = (addresses: readonly string[], like: string): string | undefined =>
  addresses.find((a) => parseAddress(a)?.family === parseAddress(like)?.family);
