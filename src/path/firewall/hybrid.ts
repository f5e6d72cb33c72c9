import type { IptablesRule } from '../../nodes/parse/iptables.ts';
import { type ChainOwner, deviceName, portChain } from '../addresses.ts';
import type { RuleRef } from '../secgroup/model.ts';
import { type Enforcement, type ExtraRule, type MissingRule, type WantedFirewall, wantedRules } from './enforcement.ts';
import { isBaseRule, missingBaseRules, pairMatches, pairsOf, pairText } from './hybrid/base.ts';
import type { Chains, IptablesNode } from './hybrid/node.ts';
import { acceptedBefore, notEnforcedBy } from './hybrid/reached.ts';
import { lookFor, missingRule } from './hybrid/rules.ts';

/**
 * Compares what the linuxbridge agent or the OVS agent with the hybrid driver (`qbr` bridges) put into iptables for a
 * port with what the API says. The rules looked for are those that neutron/agent/linux/iptables_firewall.py makes; they
 * are compared by meaning, so counters, comments, order and the spelling of the release do not matter.
 */
export function compareIptables(wanted: WantedFirewall, node: IptablesNode): Enforcement {
  const device = node.device ?? deviceName('tap', wanted.portId);
  const filter = new Map(
    node.dump.tables.find(({ name }) => name === 'filter')?.chains.map((chain) => [chain.name, chain]) ?? [],
  );
  const owner = ownerOf(filter, wanted.portId);
  if (!wanted.security.enabled) return unfilteredPort(filter, owner, device);

  const names = {
    ingress: portChain(owner, 'i', wanted.portId),
    egress: portChain(owner, 'o', wanted.portId),
    spoofing: portChain(owner, 's', wanted.portId),
  };
  // A port without addresses of this family has no pairs to guard, and so no chain for them.
  const needed = pairsOf(wanted).length > 0 ? Object.values(names) : [names.ingress, names.egress];
  const chainsMissing = needed.filter((name) => !filter.has(name));
  const missing: MissingRule[] = [];
  const extra: ExtraRule[] = [];
  const found: RuleRef[] = [];
  const undecided: RuleRef[] = [];
  const baseMissing: string[] = [];

  for (const direction of ['ingress', 'egress'] as const) {
    const chain = filter.get(names[direction]);
    if (!chain) continue;
    const refs = wantedRules(wanted).filter(({ rule }) => rule.direction === direction);
    const explained = new Set<IptablesRule>();
    const passes = chain.rules.filter(({ target }) => target === 'RETURN' || target === 'ACCEPT');
    for (const of of refs) {
      const outcome = lookFor(of, passes, wanted, node);
      for (const rule of outcome.explained) explained.add(rule);
      if (outcome.kind === 'missing') missing.push(missingRule(of, outcome.expected, chain));
      else if (outcome.kind === 'found') found.push(of);
      else undecided.push(of);
    }
    for (const rule of chain.rules) {
      if (explained.has(rule) || isBaseRule(rule, direction, owner, wanted)) continue;
      const effect = effectOf(rule);
      if (effect) extra.push({ where: `filter ${chain.name}`, raw: rule.raw, packets: rule.packets, effect });
    }
    baseMissing.push(...missingBaseRules(chain, direction, owner, wanted));
  }
  const spoofing = filter.get(names.spoofing);
  if (spoofing) {
    const pairs = pairsOf(wanted);
    const isPair = (rule: IptablesRule): boolean => pairs.some((pair) => pairMatches(pair, rule));
    for (const pair of pairs) {
      if (!spoofing.rules.some((rule) => rule.target === 'RETURN' && pairMatches(pair, rule))) {
        baseMissing.push(pairText(pair, spoofing.name));
      }
    }
    for (const rule of spoofing.rules) {
      if (rule.target === 'RETURN' && !isPair(rule)) {
        extra.push({
          where: `filter ${spoofing.name}`,
          raw: rule.raw,
          packets: rule.packets,
          effect: 'lets through',
        });
      }
    }
  }
  const notEnforced = [
    ...notEnforcedBy(filter, owner, device, names, node, wanted.family),
    ...acceptedBefore(filter, owner, device, node.dump, wanted),
  ];
  return { missing, extra, chainsMissing, notEnforced, baseMissing, found, undecided };
}

/** The agent whose chains these are: that of the port's own chain, else whichever agent has been here. */
function ownerOf(filter: Chains, portId: string): ChainOwner {
  const owners: readonly ChainOwner[] = ['neutron-linuxbri', 'neutron-openvswi'];
  return (
    owners.find((owner) => filter.has(portChain(owner, 'i', portId))) ??
    owners.find((owner) => filter.has(`${owner}-sg-chain`)) ??
    'neutron-openvswi'
  );
}

function effectOf(rule: IptablesRule): ExtraRule['effect'] | undefined {
  if (rule.target === 'RETURN' || rule.target === 'ACCEPT') return 'lets through';
  if (rule.target === 'DROP' || rule.target === 'REJECT') return 'drops';
  // Logging and counting change nothing.
  return rule.target === undefined || rule.target === 'LOG' || rule.target === 'NFLOG' ? undefined : 'diverts';
}

/** Port security off: nothing may filter the port any more. */
function unfilteredPort(filter: Chains, owner: ChainOwner, device: string): Enforcement {
  const extra: ExtraRule[] = [];
  for (const rule of filter.get(`${owner}-FORWARD`)?.rules ?? []) {
    const ours = rule.physdevIn === device || rule.physdevOut === device;
    if (ours && rule.target === `${owner}-sg-chain`) {
      extra.push({ where: `filter ${rule.chain}`, raw: rule.raw, packets: rule.packets, effect: 'drops' });
    }
  }
  return { missing: [], extra, chainsMissing: [], notEnforced: [], baseMissing: [], found: [], undecided: [] };
}
