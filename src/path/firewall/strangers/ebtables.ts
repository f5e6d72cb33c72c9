import type { EbtablesChain, EbtablesRule } from '../../../nodes/parse/ebtables.ts';
import { keys } from '../counters.ts';
import { isBuiltInEbtables, walkEbtables } from '../ebtables-match.ts';
import { ownerOfEbtables } from '../owners.ts';
import type { Packet } from '../packet.ts';
import { tableOption } from './iptables.ts';
import { answered, type Stranger, stranger } from './stranger.ts';

export function strangersInEbtables(chains: readonly EbtablesChain[], seen: readonly Packet[]): readonly Stranger[] {
  const walks = seen.map((packet) => walkEbtables(chains, packet));
  const strangers: Stranger[] = [];
  const keyOf = keys();
  const rule = (given: EbtablesRule): void => {
    const key = keyOf(`ebtables ${given.table} ${given.chain} ${given.raw}`);
    const effect = EBTABLES_EFFECTS[given.target ?? ''];
    const owner = ownerOfEbtables(given);
    if (!effect || !stranger(owner)) return;
    strangers.push({
      tool: 'ebtables',
      where: `ebtables ${given.table} ${given.chain} #${given.index}`,
      key,
      raw: given.raw,
      packets: given.packets,
      effect,
      target: given.target ?? '',
      owner,
      certainty: 'certain',
      matches: answered(walks, (way) => way.rules.get(given)),
      remove: ['ebtables', ...tableOption(given.table), '-D', given.chain, ...given.raw.split(/\s+/)],
    });
  };
  for (const chain of chains) {
    chain.rules.forEach(rule);
    if (!isBuiltInEbtables(chain.name) || chain.policy !== 'DROP') continue;
    strangers.push({
      tool: 'ebtables',
      where: `ebtables ${chain.table} ${chain.name} policy`,
      key: `ebtables ${chain.table} -P ${chain.name}`,
      raw: `-P ${chain.name} DROP`,
      packets: 0,
      effect: 'drops',
      target: 'DROP',
      owner: 'nobody',
      certainty: 'certain',
      matches: answered(walks, (way) => way.policies.get(chain)),
      remove: ['ebtables', ...tableOption(chain.table), '-P', chain.name, 'ACCEPT'],
    });
  }
  return strangers;
}

const EBTABLES_EFFECTS: Readonly<Record<string, Stranger['effect']>> = {
  DROP: 'drops',
  dnat: 'diverts',
  snat: 'diverts',
  redirect: 'diverts',
};
