import type { EbtablesChain } from '../../../nodes/parse/ebtables.ts';
import type { Flow } from '../../../nodes/parse/flows.ts';
import type { IptablesDump } from '../../../nodes/parse/iptables.ts';
import type { NftRuleset } from '../../../nodes/parse/nft.ts';
import type { Qdisc, TcFilter } from '../../../nodes/parse/tc.ts';
import type { Family } from '../../addresses.ts';
import type { Owner } from '../owners.ts';
import { type Answer, any } from '../packet.ts';

/** Everything on one node that may drop or divert packets, as far as it was read. */
export interface NodeRules {
  /** Of the host and of its namespaces. */
  readonly iptables?: readonly { readonly family: Family; readonly netns?: string; readonly dump: IptablesDump }[];
  readonly nft?: readonly { readonly netns?: string; readonly ruleset: NftRuleset }[];
  readonly ebtables?: readonly EbtablesChain[];
  readonly bridges?: readonly BridgeFlows[];
  readonly qdiscs?: readonly Qdisc[];
  readonly filters?: readonly {
    readonly dev: string;
    readonly netns?: string;
    readonly direction: 'ingress' | 'egress';
    readonly filters: readonly TcFilter[];
  }[];
}

export interface BridgeFlows {
  readonly name: string;
  readonly flows: readonly Flow[];
  /** What `ovs-ofctl -O` needs when the bridge does not speak OpenFlow 1.0: `OpenFlow13`. */
  readonly version?: string;
}

/** A rule that nobody in Neutron ordered, and that may take packets away. */
export interface Stranger {
  readonly tool: 'iptables' | 'nft' | 'ebtables' | 'ovs' | 'tc';
  /** `filter FORWARD #1`, `br-int table 0`, `qrouter-… nat PREROUTING #2`. */
  readonly where: string;
  /** The same text that `counters.ts` keys its counters by, for this rule. */
  readonly key: string;
  readonly raw: string;
  readonly packets: number;
  readonly effect: 'drops' | 'rejects' | 'diverts' | 'degrades';
  /** DROP, REJECT, DNAT, `drop`, …, or the actions of a flow. */
  readonly target: string;
  /** containers: only of a policy, which Docker sets for everybody. */
  readonly owner: Exclude<Owner, 'neutron' | 'libvirt'>;
  /** possible: another program that we cannot tell from a hand may have made it. */
  readonly certainty: 'certain' | 'possible';
  /** Could it take the packet that was asked about? unknown when none was. */
  readonly matches: Answer;
  /** Deletes exactly this rule. */
  readonly remove: readonly [string, ...string[]];
}

/** Any of the ways that the packet takes, inside and in its tunnel; unknown when there is no packet. */
export function answered<Way>(ways: readonly Way[], answer: (way: Way) => Answer | undefined): Answer {
  return ways.length === 0 ? 'unknown' : any(ways.map((way) => answer(way) ?? 'no'));
}

export const stranger = (owner: Owner): owner is 'nobody' | 'host-firewall' =>
  owner === 'nobody' || owner === 'host-firewall';

export function inNamespace(
  netns: string | undefined,
  argv: readonly [string, ...string[]],
): readonly [string, ...string[]] {
  return netns === undefined ? argv : ['ip', 'netns', 'exec', netns, ...argv];
}
