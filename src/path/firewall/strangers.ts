import { type Answer, outerPacket, type Packet } from './packet.ts';
import { strangersInEbtables } from './strangers/ebtables.ts';
import { strangersInFlows } from './strangers/flows.ts';
import { strangersInIptables } from './strangers/iptables.ts';
import { strangersInNft } from './strangers/nft.ts';
import type { NodeRules, Stranger } from './strangers/stranger.ts';
import { strangersInTc } from './strangers/tc.ts';

/**
 * All strangers of a node, and which of them could take the packet: as it is inside, or in its tunnel. Strangers that
 * surely match come first, then those that may.
 */
export function strangersOf(node: NodeRules, packet?: Packet): readonly Stranger[] {
  const seen: readonly Packet[] = packet
    ? [packet, ...(packet.encapsulated ? [outerPacket(packet.encapsulated)] : [])]
    : [];
  const found = [
    ...(node.iptables ?? []).flatMap((dump) => strangersInIptables(dump, seen)),
    ...(node.nft ?? []).flatMap((dump) => strangersInNft(dump, seen)),
    ...strangersInEbtables(node.ebtables ?? [], seen),
    ...(node.bridges ?? []).flatMap((bridge) => strangersInFlows(bridge, seen)),
    ...strangersInTc(node, seen),
  ];
  const rank: Readonly<Record<Answer, number>> = { yes: 0, unknown: 1, no: 2 };
  return found.sort((a, b) => rank[a.matches] - rank[b.matches]);
}
