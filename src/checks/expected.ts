import type { ApiSecurityGroup, Port } from '../facts/schemas/network.ts';
import { parseAddress } from '../path/addresses.ts';
import { groupFromApi, portSecurityFromApi } from '../path/secgroup/from-api.ts';
import type { MembersOf, Probe, Verdict } from '../path/secgroup/model.ts';
import { verdictOf } from '../path/secgroup/verdict.ts';

/** What the port's security groups say of a packet: the column "expected" of every probe. */
export function expected(
  port: Port,
  groups: readonly ApiSecurityGroup[],
  members: ReadonlyMap<string, readonly string[]> | undefined,
  probe: Probe,
): Verdict {
  const membersOf: MembersOf = (id) => members?.get(id);
  return verdictOf(probe, portSecurityFromApi(port), groups.map(groupFromApi), membersOf);
}

/** Which of its own addresses a sender speaks to `to` from: one of the same family, of the same subnet where it has one. */
export function sourceTowards(own: readonly Port[], to: string, fixed: Port['fixed_ips'] = []): string | undefined {
  const family = parseAddress(to)?.family;
  const subnet = fixed.find((f) => f.ip_address === to)?.subnet_id;
  const addresses = own.flatMap((p) => p.fixed_ips).filter((f) => parseAddress(f.ip_address)?.family === family);
  return (addresses.find((f) => f.subnet_id === subnet) ?? addresses[0])?.ip_address;
}

/** An echo request into the instance from `source`. */
export const echoFrom = (source: string | undefined, to: string): Probe => {
  const family = parseAddress(to)?.family ?? 4;
  return {
    protocol: 'icmp',
    family,
    direction: 'ingress',
    icmpType: family === 4 ? 8 : 128,
    ...(source === undefined ? {} : { remote: source }),
  };
};
