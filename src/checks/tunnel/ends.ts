import type { InterfaceAddress } from '../../nodes/parse/addresses.ts';
import type { Link } from '../../nodes/parse/links.ts';
import type { OvsState } from '../../nodes/parse/ovsdb.ts';
import { cidrContains } from '../../path/addresses.ts';
import type { Way } from './way.ts';

/** An end of the underlay that its host itself shows to be wrong. */
export interface SickEnd {
  readonly host: string;
  readonly words: string;
  /** The interface that is administratively down. */
  readonly down?: string;
  /** The address that the host has in the network of the other endpoint, where its agent names another. */
  readonly instead?: string;
}

/** An endpoint in another network than the far one, on a host that does have an address in that network. */
function strayEnd(
  host: string,
  endpoint: string,
  addresses: readonly InterfaceAddress[],
  far: InterfaceAddress | undefined,
): SickEnd[] {
  if (far === undefined || far.prefix >= 31) return [];
  const cidr = `${far.address}/${far.prefix}`;
  if (cidrContains(cidr, endpoint)) return [];
  const fitting = addresses.find((a) => a.family === far.family && cidrContains(cidr, a.address));
  if (fitting === undefined) return [];
  return [
    {
      host,
      words: `the agent of ${host} names ${endpoint}, while ${host} has ${fitting.address} on ${fitting.dev} in the network of ${far.address}/${far.prefix}`,
      instead: fitting.address,
    },
  ];
}

/** What is wrong with a host's own end of the underlay: the interface of its endpoint's address, and those under it. */
function sickEnd(
  host: string,
  endpoint: string,
  addresses: readonly InterfaceAddress[],
  links: readonly Link[],
  ovs: OvsState | undefined,
): SickEnd[] {
  const holder = addresses.find((a) => a.address === endpoint)?.dev;
  if (holder === undefined) return [{ host, words: `no interface of ${host} has the address ${endpoint}` }];
  const members = ovs?.bridges.find((b) => b.name === holder)?.ports.flatMap((p) => p.interfaces) ?? [];
  const parent = links.find((l) => l.name === holder)?.parent;
  const under = new Set([
    holder,
    ...(parent === undefined ? [] : [parent]),
    ...members.filter((i) => i.type === '' || i.type === 'system').map((i) => i.name),
  ]);
  // A tap of a guest that is off may be a port of the bridge, too: what is there for the machine itself has no master or this one.
  const below = links.filter((l) => under.has(l.name) || l.master === holder);
  const off = below.find((l) => !l.up);
  if (off !== undefined) return [{ host, words: `${off.name} of ${host} is down`, down: off.name }];
  const dead = below.find((l) => l.name === holder && !l.carrier) ?? below.find((l) => under.has(l.name) && !l.carrier);
  return dead === undefined ? [] : [{ host, words: `${dead.name} of ${host} has no carrier` }];
}

/** What was read on the hosts; undefined where it was not. */
export interface HostsSeen {
  addressesOf(host: string): readonly InterfaceAddress[] | undefined;
  linksOf(host: string): readonly Link[] | undefined;
  ovsOf(host: string): OvsState | undefined;
}

/** The ends of a tunnel that cannot be reached, for a reason that is seen on their own host; the sending one first. */
export function sickEnds(way: Way, seen: HostsSeen): readonly SickEnd[] {
  const ends = [
    { host: way.from, endpoint: way.ownEnd, other: way.to, otherEndpoint: way.farEnd },
    { host: way.to, endpoint: way.farEnd, other: way.from, otherEndpoint: way.ownEnd },
  ];
  return ends.flatMap(({ host, endpoint, other, otherEndpoint }) => {
    const addresses = seen.addressesOf(host);
    if (addresses === undefined) return [];
    const far = seen.addressesOf(other)?.find((a) => a.address === otherEndpoint);
    const stray = strayEnd(host, endpoint, addresses, far);
    // The stray one is a host address (/32) more often than not; the network is told by the other side's prefix.
    if (stray.length > 0 && far?.dev !== 'lo') return stray;
    const links = seen.linksOf(host);
    return links === undefined ? [] : sickEnd(host, endpoint, addresses, links, seen.ovsOf(host));
  });
}
