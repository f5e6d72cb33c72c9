import { cidrContains, parseCidr } from '../addresses.ts';
import type { AtlasNetwork, AtlasReader, AtlasRouter, AtlasSubnet, FixedAddress, StaticRoute } from './atlas.ts';

/** Where a routing table sends an address: straight to it, to a next hop, or nowhere. */
export type Route =
  | { readonly kind: 'direct'; readonly networkId: string; readonly subnet: AtlasSubnet; readonly by: RouteBy }
  | { readonly kind: 'via'; readonly nexthop: string; readonly networkId: string; readonly by: RouteBy }
  | { readonly kind: 'none'; readonly because: string }
  | { readonly kind: 'unknown'; readonly because: string; readonly tell: string };

/** What stands behind a route. */
export type RouteBy = 'connected' | 'default' | { readonly route: StaticRoute };

interface Candidate {
  readonly prefix: number;
  readonly route: Route;
}

/** An undefined destination stands for anywhere outside: only a route to everything fits it. */
const covers = (cidr: string, destination: string | undefined): boolean =>
  destination === undefined ? parseCidr(cidr)?.prefix === 0 : cidrContains(cidr, destination);

const longest = (candidates: readonly Candidate[]): Route | undefined =>
  [...candidates].sort((a, b) => b.prefix - a.prefix)[0]?.route;

const prefixOf = (cidr: string): number => parseCidr(cidr)?.prefix ?? 0;

/**
 * The routes of an instance, by what its DHCP server and router tell it: every subnet of its network is at hand, then the
 * host routes of its subnet, then the gateway (neutron/agent/linux/dhcp.py, _generate_opts_per_subnet).
 */
export function routeOfGuest(
  network: AtlasNetwork,
  own: AtlasSubnet | undefined,
  destination: string | undefined,
): Route {
  const candidates: Candidate[] = network.subnets
    .filter((s) => covers(s.cidr, destination))
    .map((subnet) => ({
      prefix: prefixOf(subnet.cidr),
      route: { kind: 'direct', networkId: network.id, subnet, by: 'connected' },
    }));
  for (const route of own?.hostRoutes ?? []) {
    if (!covers(route.destination, destination)) continue;
    const via = { kind: 'via', nexthop: route.nexthop, networkId: network.id, by: { route } } as const;
    candidates.push({ prefix: prefixOf(route.destination), route: via });
  }
  const best = longest(candidates);
  if (best !== undefined) return best;
  if (own === undefined) return { kind: 'none', because: `none of its addresses is in a subnet of ${network.name}` };
  return own.gateway === undefined
    ? { kind: 'none', because: `its subnet ${own.cidr} has no gateway` }
    : { kind: 'via', nexthop: own.gateway, networkId: network.id, by: 'default' };
}

/** The networks a router stands in, with its addresses there. */
const standingIn = (router: AtlasRouter): readonly { networkId: string; addresses: readonly FixedAddress[] }[] => [
  ...router.legs.filter((leg) => leg.adminUp),
  ...(router.gateway === undefined ? [] : [router.gateway]),
];

/** The routing table of a router: its subnets, its extra routes, its external gateway; the longest prefix wins. */
export function routeOfRouter(router: AtlasRouter, reader: AtlasReader, destination: string | undefined): Route {
  const connected: { readonly networkId: string; readonly subnet: AtlasSubnet }[] = [];
  let dark: { because: string; tell: string } | undefined;
  for (const { networkId, addresses } of standingIn(router)) {
    const network = reader.network(networkId);
    if (!network.known) {
      dark = { because: `network ${networkId} is not known: ${network.because}`, tell: network.tell };
      continue;
    }
    for (const { subnetId } of addresses) {
      const subnet = network.value.subnets.find((s) => s.id === subnetId);
      if (subnet !== undefined) connected.push({ networkId, subnet });
    }
  }
  const candidates: Candidate[] = connected
    .filter(({ subnet }) => covers(subnet.cidr, destination))
    .map(({ networkId, subnet }) => ({
      prefix: prefixOf(subnet.cidr),
      route: { kind: 'direct', networkId, subnet, by: 'connected' },
    }));
  for (const route of router.routes) {
    if (!covers(route.destination, destination)) continue;
    const over = connected.find(({ subnet }) => cidrContains(subnet.cidr, route.nexthop));
    const via: Route =
      over === undefined
        ? dark === undefined
          ? { kind: 'none', because: `the next hop ${route.nexthop} of its route is in none of its subnets` }
          : { kind: 'unknown', ...dark }
        : { kind: 'via', nexthop: route.nexthop, networkId: over.networkId, by: { route } };
    candidates.push({ prefix: prefixOf(route.destination), route: via });
  }
  const best = longest(candidates);
  if (best !== undefined) return best;
  // A subnet that cannot be seen might hold the address.
  if (dark !== undefined) return { kind: 'unknown', ...dark };
  const { gateway } = router;
  if (gateway === undefined) {
    return { kind: 'none', because: `router ${router.name} has no route to it, and no external gateway` };
  }
  const family = destination === undefined ? undefined : parseCidr(destination)?.family;
  const out = connected.find(
    ({ networkId, subnet }) =>
      networkId === gateway.networkId && (family === undefined || subnet.family === family) && subnet.gateway,
  );
  return out?.subnet.gateway === undefined
    ? { kind: 'none', because: `the external network of router ${router.name} has no gateway of this family` }
    : { kind: 'via', nexthop: out.subnet.gateway, networkId: out.networkId, by: 'default' };
}
