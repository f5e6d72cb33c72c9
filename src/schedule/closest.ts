import { candidacy } from './admits.ts';
import { placementQuery } from './ask.ts';
import type { Estate, HostFacts } from './estate.ts';
import { sceneOf } from './scene.ts';
import type { Wish } from './wish.ts';

/**
 * Hosts of which Placement gives no candidate over an amount alone, where what is used of that amount is as much as is lacking: those that
 * lack least of what was asked for first. On these an allocation that nothing stands for would matter.
 */
export function closestByAmount(wish: Wish, estate: Estate): readonly HostFacts[] {
  const scene = sceneOf(wish, estate);
  const query = placementQuery(wish, estate);
  const found = estate.hosts.flatMap((host) => {
    const tree = scene.treeOf(host);
    if (tree === undefined) return [];
    const judgement = candidacy(query, tree, scene.sharedWith(tree));
    if (judgement.state !== 'rejects') return [];
    const shares = judgement.obstacles.map(({ kind, amount }) => {
      const resourceClass = kind.split(':').at(-1) ?? '';
      const used = Math.max(0, ...tree.map((p) => p.inventories.get(resourceClass)?.used ?? 0));
      if (amount === undefined || amount.asked - amount.has > used) return Number.POSITIVE_INFINITY;
      return (amount.asked - amount.has) / amount.asked;
    });
    const most = Math.max(...shares);
    return Number.isFinite(most) ? [{ host, most }] : [];
  });
  return found.sort((a, b) => a.most - b.most || (a.host.host < b.host.host ? -1 : 1)).map(({ host }) => host);
}
