import { type FactSource, mapFact } from '../engine/fact.ts';
import type { FactFailure } from '../engine/failure.ts';
import type { Result } from '../engine/result.ts';
import { type InterfaceAddress, parseAddresses } from '../nodes/parse/addresses.ts';
import { type IptablesDump, parseIptables } from '../nodes/parse/iptables.ts';
import { type Link, parseLinks } from '../nodes/parse/links.ts';
import { type Neighbour, parseNeighbours } from '../nodes/parse/neighbours.ts';
import { parseRoutes, type Route } from '../nodes/parse/routes.ts';
import { parseRules, type RoutingRule } from '../nodes/parse/rules.ts';
import { parseSysctl } from '../nodes/parse/sysctl.ts';
import { hostNamespaces } from './host.ts';
import { type Io, read, source } from './io.ts';

/** A network namespace on a host, e.g. `qrouter-<router id>`. */
export interface Namespace {
  readonly host: string;
  readonly name: string;
}

const key = ({ host, name }: Namespace): string => `${host} ${name}`;

const inside = <T>(
  name: string,
  argv: readonly [string, ...string[]],
  parse: (stdout: string) => Result<T, FactFailure>,
): FactSource<Io, Namespace, T> =>
  source(name, key, ({ host, name: netns }, facts) => read(facts, host, { argv, impact: 'read', netns }, parse));

export const nsLinks: FactSource<Io, Namespace, readonly Link[]> = inside(
  'namespace.links',
  ['ip', '-d', '-s', '-j', 'link', 'show'],
  parseLinks,
);
export const nsAddresses: FactSource<Io, Namespace, readonly InterfaceAddress[]> = inside(
  'namespace.addresses',
  ['ip', '-j', 'addr', 'show'],
  parseAddresses,
);
export const nsRoutes: FactSource<Io, Namespace, readonly Route[]> = inside(
  'namespace.routes',
  ['ip', '-j', 'route', 'show', 'table', 'all'],
  parseRoutes,
);
export const nsRules: FactSource<Io, Namespace, readonly RoutingRule[]> = inside(
  'namespace.rules',
  ['ip', '-j', 'rule', 'show'],
  parseRules,
);
export const nsIptables: FactSource<Io, Namespace, IptablesDump> = inside(
  'namespace.iptables',
  ['iptables-save', '-c'],
  parseIptables,
);
export const nsSysctl: FactSource<Io, Namespace, Readonly<Record<string, string>>> = inside(
  'namespace.sysctl',
  ['sysctl', '-e', 'net.ipv4.ip_forward', 'net.ipv4.conf.all.rp_filter', 'net.ipv6.conf.all.forwarding'],
  parseSysctl,
);

/** Neighbours as they stand after the pings of this run: asked for only where one failed. */
export const nsNeighboursAfter = source<Namespace, readonly Neighbour[]>(
  'namespace.neighbours-after',
  key,
  ({ host, name: netns }, facts) =>
    read(facts, host, { argv: ['ip', '-j', 'neigh', 'show'], impact: 'read', netns, round: 'after' }, parseNeighbours),
);

/** True when the namespace is there: a missing one is a fact, not a failure. */
export const nsExists = source<Namespace, boolean>('namespace.exists', key, async ({ host, name }, facts) =>
  mapFact(await facts.get(hostNamespaces, host), (names) => names.includes(name)),
);
