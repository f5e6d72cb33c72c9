import type { IptablesChain, IptablesRule } from '../../../nodes/parse/iptables.ts';
import {
  type ChainOwner,
  type Family,
  familyOf,
  linkLocal,
  normalCidr,
  normalMac,
  portChain,
  sameMac,
} from '../../addresses.ts';
import type { WantedFirewall } from '../enforcement.ts';
import { protocolNumber } from '../packet.ts';
import { network } from './rules.ts';

const DHCP: Readonly<Record<Family, { readonly client: number; readonly server: number }>> = {
  4: { client: 68, server: 67 },
  6: { client: 546, server: 547 },
};

const isDhcp = (rule: IptablesRule, from: number, to: number): boolean =>
  protocolNumber(rule.protocol ?? '', 4) === 17 && isPort(rule.sport, from) && isPort(rule.dport, to);

const isPort = (ranges: IptablesRule['sport'], port: number): boolean =>
  ranges?.length === 1 && ranges[0]?.from === port && ranges[0].to === port;

const isReplies = (rule: IptablesRule): boolean =>
  rule.target === 'RETURN' &&
  (rule.ctstate?.includes('ESTABLISHED') ?? false) &&
  rule.ctstate?.includes('NEW') === false;

const isInvalidDrop = (rule: IptablesRule): boolean =>
  rule.target === 'DROP' && rule.ctstate?.length === 1 && rule.ctstate[0] === 'INVALID';

/** ICMPv6 that Neutron lets an instance send or get by itself: neighbour and router discovery, multicast listeners. */
const isDiscovery = (rule: IptablesRule): boolean =>
  protocolNumber(rule.protocol ?? '', 6) === 58 &&
  [130, 131, 132, 133, 134, 135, 136, 143].includes(Number(rule.icmpType?.split('/')[0]));

/** A rule that the agent makes for every port, whatever its groups say. */
export function isBaseRule(
  rule: IptablesRule,
  direction: 'ingress' | 'egress',
  owner: ChainOwner,
  wanted: WantedFirewall,
): boolean {
  const { client, server } = DHCP[wanted.family];
  if (isReplies(rule) || isInvalidDrop(rule) || rule.target === `${owner}-sg-fallback`) return true;
  if (direction === 'ingress') {
    return rule.target === 'RETURN' && (isDhcp(rule, server, client) || (wanted.family === 6 && isDiscovery(rule)));
  }
  if (rule.target === portChain(owner, 's', wanted.portId)) return true;
  if (rule.target === 'RETURN' && isDhcp(rule, client, server)) return true;
  if (rule.target === 'DROP' && isDhcp(rule, server, client)) return true;
  if (wanted.family === 4) return false;
  const everyIcmp = protocolNumber(rule.protocol ?? '', 6) === 58 && rule.icmpType === undefined && !rule.source;
  return isDiscovery(rule) || (everyIcmp && rule.target === 'RETURN');
}

/** Of those rules the ones that are not there, as iptables-save would print them. */
export function missingBaseRules(
  chain: IptablesChain,
  direction: 'ingress' | 'egress',
  owner: ChainOwner,
  wanted: WantedFirewall,
): readonly string[] {
  const { client, server } = DHCP[wanted.family];
  const some = (test: (rule: IptablesRule) => boolean): boolean => chain.rules.some(test);
  const spoofing = portChain(owner, 's', wanted.portId);
  const needs: (readonly [string, boolean])[] = [
    [`-A ${chain.name} -m state --state RELATED,ESTABLISHED -j RETURN`, some(isReplies) || isStateless(wanted)],
  ];
  if (direction === 'ingress') {
    const dhcp = some((rule) => rule.target === 'RETURN' && isDhcp(rule, server, client));
    needs.push([`-A ${chain.name} -p udp -m udp --sport ${server} --dport ${client} -j RETURN`, dhcp]);
  } else {
    const dhcp = some((rule) => rule.target === 'RETURN' && isDhcp(rule, client, server));
    needs.push([`-A ${chain.name} -p udp -m udp --sport ${client} --dport ${server} -j RETURN`, dhcp]);
    const guarded = pairsOf(wanted).length === 0 || some(({ target }) => target === spoofing);
    needs.push([`-A ${chain.name} -j ${spoofing}`, guarded]);
  }
  return needs.filter(([, there]) => !there).map(([text]) => text);
}

const isStateless = (wanted: WantedFirewall): boolean =>
  wanted.groups.some((group) => group.stateful === false && wanted.security.groups.includes(group.id));

interface Pair {
  readonly mac: string;
  /** Undefined: every address. */
  readonly ip: string | undefined;
}

/** Pairs of MAC and address that the port may send from; a port without addresses may send from any. */
export function pairsOf(wanted: WantedFirewall): readonly Pair[] {
  const { security, family } = wanted;
  const given = [
    ...security.allowedAddressPairs.map(({ ip, mac }) => ({ ip, mac: mac ?? security.mac })),
    ...security.fixedIps.map((ip) => ({ ip, mac: security.mac })),
  ].filter(({ ip }) => familyOf(ip) === family);
  const pairs: Pair[] = given.map(({ ip, mac }) => ({ mac, ip: network(ip) }));
  if (family === 6) {
    for (const { mac } of given) {
      const local = linkLocal(mac);
      if (local) pairs.push({ mac, ip: normalCidr(local) });
    }
  }
  if (security.fixedIps.length === 0) pairs.push({ mac: security.mac, ip: undefined });
  return pairs;
}

/** Whether a rule is about just that pair. */
export const pairMatches = (pair: Pair, rule: IptablesRule): boolean =>
  rule.macSource !== undefined && sameMac(rule.macSource, pair.mac) && network(rule.source) === pair.ip;

export function pairText(pair: Pair, chain: string): string {
  const source = pair.ip === undefined ? '' : `-s ${pair.ip} `;
  return `-A ${chain} ${source}-m mac --mac-source ${normalMac(pair.mac) ?? pair.mac} -j RETURN`;
}
