import { ok, type Result } from '../../engine/result.ts';
import {
  decimal,
  type Json,
  linesOf,
  looksLikeJson,
  numberAt,
  objectAt,
  objectsAt,
  type ParseFailure,
  parseFailure,
  present,
  readEach,
  textAt,
  textsAt,
  wordAfter,
  wordsOf,
} from './parsing.ts';

export interface NextHop {
  readonly via?: string;
  readonly dev?: string;
  readonly weight: number;
  /** `dead`, `linkdown`, `onlink`, … */
  readonly flags: readonly string[];
}

export interface Route {
  /** unicast, local, broadcast, anycast, multicast, nat, and those that refuse: blackhole, unreachable, prohibit, throw. */
  readonly type: string;
  readonly family: 4 | 6;
  /** `default`, an address, or a prefix. */
  readonly destination: string;
  readonly via?: string;
  readonly dev?: string;
  /** `main`, `local`, or a name or number of `/etc/iproute2/rt_tables`. */
  readonly table: string;
  readonly metric?: number;
  readonly protocol?: string;
  readonly scope?: string;
  /** Preferred source address. */
  readonly source?: string;
  readonly flags: readonly string[];
  /** Several ways for one destination; empty for an ordinary route. */
  readonly nexthops: readonly NextHop[];
}

const WHAT = 'ip -j route show table all';
const TYPES = new Set([
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'nat',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
]);
const FLAGS = ['dead', 'linkdown', 'onlink', 'pervasive', 'offload', 'trap', 'notify', 'unresolved'];

/** True for a route that answers with a refusal or with silence instead of forwarding. */
export function refuses(route: Route): boolean {
  return ['blackhole', 'unreachable', 'prohibit', 'throw'].includes(route.type);
}

/** Output of `ip -j route show table all`, or of `ip route show table all`. */
export function parseRoutes(stdout: string): Result<readonly Route[], ParseFailure> {
  return looksLikeJson(stdout) ? readEach(WHAT, stdout, routeOf) : fromText(stdout);
}

/** The family is not printed: it shows in any address, and a route of IPv6 alone has a router preference. */
function familyOf(addresses: readonly (string | undefined)[], preference: boolean): 4 | 6 {
  const known = addresses.filter((address) => address !== undefined && address !== 'default');
  if (known.length > 0) return known.some((address) => address?.includes(':')) ? 6 : 4;
  return preference ? 6 : 4;
}

function routeOf(object: Json): Route | undefined {
  const destination = textAt(object, 'dst');
  if (destination === undefined) return undefined;
  const via = gatewayOf(object);
  const source = textAt(object, 'prefsrc');
  const nexthops = objectsAt(object, 'nexthops').map(nextHopOf);
  return present({
    type: textAt(object, 'type') ?? 'unicast',
    family: familyOf(
      [destination, source, textAt(object, 'gateway'), ...nexthops.map((hop) => hop.via)],
      object.pref !== undefined,
    ),
    destination,
    via,
    dev: textAt(object, 'dev'),
    table: tableOf(object),
    metric: numberAt(object, 'metric'),
    protocol: textAt(object, 'protocol'),
    scope: textAt(object, 'scope'),
    source,
    flags: textsAt(object, 'flags'),
    nexthops,
  });
}

function tableOf(object: Json): string {
  const number = numberAt(object, 'table');
  return textAt(object, 'table') ?? (number === undefined ? 'main' : String(number));
}

function gatewayOf(object: Json): string | undefined {
  const via = objectAt(object, 'via');
  return textAt(object, 'gateway') ?? (via === undefined ? undefined : textAt(via, 'host'));
}

function nextHopOf(object: Json): NextHop {
  return present({
    via: gatewayOf(object),
    dev: textAt(object, 'dev'),
    weight: numberAt(object, 'weight') ?? 1,
    flags: textsAt(object, 'flags'),
  });
}

function fromText(stdout: string): Result<readonly Route[], ParseFailure> {
  const routes: (Route & { readonly nexthops: NextHop[] })[] = [];
  for (const line of linesOf(stdout)) {
    const words = wordsOf(line);
    if (words.length === 0) continue;
    if (words[0] === 'nexthop') {
      const route = routes.at(-1);
      if (route === undefined) return parseFailure(WHAT, line);
      route.nexthops.push(nextHopOfText(words));
      continue;
    }
    const [first = ''] = words;
    const type = TYPES.has(first) ? first : 'unicast';
    const destination = TYPES.has(first) ? words[1] : first;
    if (destination === undefined || !/^(?:default|[\da-f.:]+(?:\/\d+)?)$/i.test(destination)) {
      return parseFailure(WHAT, line);
    }
    const via = viaOfText(words);
    const source = wordAfter(words, 'src');
    const gateway = wordAfter(words, 'via') === via ? via : undefined;
    const nexthops: NextHop[] = [];
    routes.push(
      present({
        type,
        family: familyOf([destination, source, gateway], words.includes('pref')),
        destination,
        via,
        dev: wordAfter(words, 'dev'),
        table: wordAfter(words, 'table') ?? 'main',
        metric: decimal(wordAfter(words, 'metric')),
        protocol: wordAfter(words, 'proto'),
        scope: wordAfter(words, 'scope'),
        source,
        flags: FLAGS.filter((flag) => words.includes(flag)),
        nexthops,
      }),
    );
  }
  return ok(routes.map((route) => ({ ...route, family: familyOfText(route) })));
}

/** Where the route itself shows no address, its next hops do. */
function familyOfText(route: Route): 4 | 6 {
  const via = route.nexthops.map((hop) => hop.via);
  return via.length === 0 ? route.family : familyOf([route.destination, route.source, ...via], route.family === 6);
}

/** `via 10.0.0.1`, or `via inet6 fe80::1` when the gateway is of the other family. */
function viaOfText(words: readonly string[]): string | undefined {
  const via = wordAfter(words, 'via');
  return via === 'inet6' || via === 'inet' ? wordAfter(words, via) : via;
}

function nextHopOfText(words: readonly string[]): NextHop {
  return present({
    via: viaOfText(words),
    dev: wordAfter(words, 'dev'),
    weight: decimal(wordAfter(words, 'weight')) ?? 1,
    flags: FLAGS.filter((flag) => words.includes(flag)),
  });
}
