import type { NftChain, NftRule, NftRuleset } from '../../../nodes/parse/nft.ts';
import { keys } from '../counters.ts';
import { walkNft } from '../nft-match.ts';
import { ownerOfNftTable } from '../owners.ts';
import type { Packet } from '../packet.ts';
import { answered, inNamespace, type Stranger, stranger } from './stranger.ts';

export function strangersInNft(
  { netns, ruleset }: { readonly netns?: string; readonly ruleset: NftRuleset },
  seen: readonly Packet[],
): readonly Stranger[] {
  const place = netns === undefined ? '' : `${netns} `;
  const walks = seen.map((packet) => walkNft(ruleset, packet));
  const strangers: Stranger[] = [];
  const keyOf = keys();
  const rule = (given: NftRule, owner: Stranger['owner']): void => {
    const chain = `${place}nft ${given.family} ${given.table} ${given.chain}`;
    const key = keyOf(`${chain} ${given.handle ?? given.expression}`);
    const effect = nftEffect(given);
    if (!effect) return;
    const handle = given.handle === undefined ? [] : ['handle', String(given.handle)];
    strangers.push({
      tool: 'nft',
      where: [chain, ...handle].join(' '),
      key,
      raw: given.expression,
      packets: given.packets ?? 0,
      effect,
      target: given.verdict ?? given.expression,
      owner,
      certainty: 'certain',
      matches: answered(walks, (way) => way.rules.get(given)),
      // Without its handle (`nft -a`) a rule cannot be named; then the handle is what to look for first.
      remove: inNamespace(
        netns,
        handle.length > 0
          ? ['nft', 'delete', 'rule', given.family, given.table, given.chain, ...handle]
          : ['nft', '-a', 'list', 'chain', given.family, given.table, given.chain],
      ),
    });
  };
  const policy = (chain: NftChain, owner: Stranger['owner']): void => {
    if (chain.hook === undefined || chain.policy !== 'drop') return;
    const name = `${place}nft ${chain.family} ${chain.table} ${chain.name}`;
    strangers.push({
      tool: 'nft',
      where: `${name} policy`,
      key: `${name} policy`,
      raw: `hook ${chain.hook} policy drop`,
      packets: 0,
      effect: 'drops',
      target: 'drop',
      owner,
      certainty: 'certain',
      matches: answered(walks, (way) => way.policies.get(chain)),
      remove: inNamespace(netns, ['nft', 'chain', chain.family, chain.table, chain.name, '{ policy accept ; }']),
    });
  };
  for (const table of ruleset.tables) {
    const owner = ownerOfNftTable(table.name);
    if (table.iptables || !stranger(owner)) continue;
    for (const chain of table.chains) {
      for (const given of chain.rules) rule(given, owner);
      policy(chain, owner);
    }
  }
  return strangers;
}

function nftEffect(rule: NftRule): Stranger['effect'] | undefined {
  if (rule.verdict === 'drop') return 'drops';
  if (rule.verdict === 'reject') return 'rejects';
  if (rule.verdict === 'queue') return 'diverts';
  return /\b(?:dnat|snat|masquerade|redirect|tproxy|fwd)\b/.test(rule.expression.replace(/"[^"]*"/g, ''))
    ? 'diverts'
    : undefined;
}
