import type { IptablesChain, IptablesDump } from '../../../nodes/parse/iptables.ts';

export interface IptablesNode {
  /** `iptables-save -c` of the host for family 4, `ip6tables-save -c` for 6. */
  readonly dump: IptablesDump;
  /** Values of `net.bridge.bridge-nf-call-*`, by key; left out when they were not read. */
  readonly sysctl?: Readonly<Record<string, string>>;
  /** Members of an ipset of the host; undefined when the set does not exist or was not read. */
  readonly setMembers?: (name: string) => readonly string[] | undefined;
  /** The bridge port of the instance; its tap by default. */
  readonly device?: string;
}

/** Of the table `filter`, by name. */
export type Chains = ReadonlyMap<string, IptablesChain>;
