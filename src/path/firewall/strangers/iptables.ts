import { type IptablesChain, type IptablesDump, type IptablesRule, ruleWords } from '../../../nodes/parse/iptables.ts';
import type { Family } from '../../addresses.ts';
import { iptablesPlace, keys } from '../counters.ts';
import { isBuiltIn, walk } from '../iptables-walk.ts';
import { ownerOfChain, ownerOfIptables } from '../owners.ts';
import type { Packet } from '../packet.ts';
import { answered, inNamespace, type Stranger, stranger } from './stranger.ts';

const EFFECTS: Readonly<Record<string, Stranger['effect']>> = {
  DROP: 'drops',
  TARPIT: 'drops',
  REJECT: 'rejects',
  DNAT: 'diverts',
  SNAT: 'diverts',
  MASQUERADE: 'diverts',
  NETMAP: 'diverts',
  REDIRECT: 'diverts',
  TPROXY: 'diverts',
  QUEUE: 'diverts',
  NFQUEUE: 'diverts',
};

export function strangersInIptables(
  { family, netns, dump }: { readonly family: Family; readonly netns?: string; readonly dump: IptablesDump },
  seen: readonly Packet[],
): readonly Stranger[] {
  const tool = family === 6 ? 'ip6tables' : 'iptables';
  const place = iptablesPlace(family, netns);
  const walks = seen.map((packet) => (packet.family === family && !packet.arp ? walk(dump, packet) : undefined));
  const strangers: Stranger[] = [];
  const keyOf = keys();
  const rule = (given: IptablesRule): void => {
    const key = keyOf(`${place}${given.table} ${given.raw}`);
    const effect = EFFECTS[given.target ?? ''];
    const owner = ownerOfIptables(given);
    if (!effect || !stranger(owner)) return;
    strangers.push({
      tool: 'iptables',
      where: `${place}${given.table} ${given.chain} #${given.index}`,
      key,
      raw: given.raw,
      packets: given.packets,
      effect,
      target: given.target ?? '',
      owner,
      certainty: 'certain',
      matches: answered(walks, (way) => way?.rules.get(given)),
      remove: inNamespace(netns, [tool, ...tableOption(given.table), '-D', ...ruleWords(given.raw).slice(1)]),
    });
  };
  const policy = (chain: IptablesChain): void => {
    if (!isBuiltIn(chain.name) || chain.policy !== 'DROP') return;
    strangers.push({
      tool: 'iptables',
      where: `${place}${chain.table} ${chain.name} policy`,
      key: `${place}${chain.table} -P ${chain.name}`,
      raw: `-P ${chain.name} DROP`,
      packets: chain.packets,
      effect: 'drops',
      target: 'DROP',
      owner: policyMaker(dump),
      certainty: 'certain',
      matches: answered(walks, (way) => way?.policies.get(chain)),
      remove: inNamespace(netns, [tool, ...tableOption(chain.table), '-P', chain.name, 'ACCEPT']),
    });
  };
  for (const { chains } of dump.tables) {
    for (const chain of chains) {
      chain.rules.forEach(rule);
      policy(chain);
    }
  }
  return strangers;
}

/** Who set a policy is not written anywhere; a firewall or Docker (FORWARD DROP since 1.13) on the host is the likely one. */
function policyMaker(dump: IptablesDump): Stranger['owner'] {
  const owners = new Set(dump.tables.flatMap(({ chains }) => chains.map(({ name }) => ownerOfChain(name))));
  return owners.has('host-firewall') ? 'host-firewall' : owners.has('containers') ? 'containers' : 'nobody';
}

export const tableOption = (table: string): readonly string[] => (table === 'filter' ? [] : ['-t', table]);
