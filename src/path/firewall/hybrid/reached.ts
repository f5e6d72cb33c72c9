import { type IptablesDump, type IptablesRule, ruleWords } from '../../../nodes/parse/iptables.ts';
import { type ChainOwner, type Family, familyOf } from '../../addresses.ts';
import type { NotEnforced, WantedFirewall } from '../enforcement.ts';
import { walk } from '../iptables-walk.ts';
import type { Packet } from '../packet.ts';
import type { Chains, IptablesNode } from './node.ts';

/** Why packets of the port do not come to its chains, or not all of them. */
export function notEnforcedBy(
  filter: Chains,
  owner: ChainOwner,
  device: string,
  names: { readonly ingress: string; readonly egress: string },
  node: IptablesNode,
  family: Family,
): readonly NotEnforced[] {
  const reasons: NotEnforced[] = [];
  const key = `net.bridge.bridge-nf-call-ip${family === 6 ? '6' : ''}tables`;
  if (node.sysctl && node.sysctl[key] !== '1') {
    reasons.push({ by: 'bridge-netfilter-off', key, value: node.sysctl[key] });
  }
  const forward = `${owner}-FORWARD`;
  const shared = `${owner}-sg-chain`;
  const jump = (from: string, to: string, on?: 'physdevOut' | 'physdevIn'): IptablesRule | undefined =>
    filter
      .get(from)
      ?.rules.find(
        (rule) =>
          rule.target === to && (on ? rule[on] === device && !rule.negated.includes(on) : isUnconditional(rule)),
      );
  if (!jump('FORWARD', forward)) {
    reasons.push({ by: 'no-jump', from: 'FORWARD', to: forward, device, direction: 'both' });
  }
  for (const [direction, on] of [
    ['ingress', 'physdevOut'],
    ['egress', 'physdevIn'],
  ] as const) {
    const chain = names[direction];
    if (!filter.has(chain)) continue;
    const first = jump(forward, shared, on);
    if (!first) reasons.push({ by: 'no-jump', from: forward, to: shared, device, direction });
    if (!jump(shared, chain, on)) reasons.push({ by: 'no-jump', from: shared, to: chain, device, direction });
    for (const rule of filter.get(forward)?.rules ?? []) {
      const before = !first || rule.index < first.index;
      if (rule.target === 'ACCEPT' && rule[on] === device && before) {
        reasons.push({ by: 'unfiltered', where: `filter ${forward}`, raw: rule.raw });
      }
    }
  }
  return reasons;
}

/** Does a fresh packet of the port come to Neutron's chain at all, or does another rule surely accept it before? */
export function acceptedBefore(
  filter: Chains,
  owner: ChainOwner,
  device: string,
  dump: IptablesDump,
  wanted: WantedFirewall,
): readonly NotEnforced[] {
  const jump = filter.get('FORWARD')?.rules.find(({ target }) => target === `${owner}-FORWARD`);
  if (jump === undefined) return [];
  const address = wanted.security.fixedIps.find((ip) => familyOf(ip) === wanted.family);
  const packets: Packet[] = (['icmp', 'tcp', 'udp'] as const).flatMap((protocol): Packet[] => [
    {
      family: wanted.family,
      protocol,
      state: 'NEW',
      bridgeOut: device,
      ...(address === undefined ? {} : { destination: address }),
    },
    {
      family: wanted.family,
      protocol,
      state: 'NEW',
      bridgeIn: device,
      ...(address === undefined ? {} : { source: address }),
    },
  ]);
  const found = new Map<IptablesRule, NotEnforced>();
  for (const packet of packets) {
    const { rules } = walk(dump, packet);
    if (rules.has(jump)) continue;
    for (const [rule, taken] of rules) {
      if (rule.table !== 'filter' || rule.target !== 'ACCEPT' || taken !== 'yes' || rule.chain.startsWith('neutron-'))
        continue;
      const remove = ['iptables', '-D', ...ruleWords(rule.raw).slice(1)] as const;
      found.set(rule, {
        by: 'accepted-before',
        where: `filter ${rule.chain} #${rule.index}`,
        raw: rule.raw,
        packets: rule.packets,
        remove: wanted.family === 6 ? ['ip6tables', ...remove.slice(1)] : remove,
      });
    }
  }
  return [...found.values()];
}

const isUnconditional = (rule: IptablesRule): boolean =>
  rule.negated.length === 0 &&
  rule.otherMatches.length === 0 &&
  [rule.in, rule.out, rule.physdevIn, rule.physdevOut, rule.source, rule.destination, rule.protocol].every(
    (match) => match === undefined,
  );
