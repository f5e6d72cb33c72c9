import type { Family } from '../addresses.ts';
import type { MembersOf, PortSecurity, RuleRef, SecurityGroup } from '../secgroup/model.ts';

/** What the API wants for one port, and what is needed to know what that means on the node. */
export interface WantedFirewall {
  readonly portId: string;
  readonly security: PortSecurity;
  readonly groups: readonly SecurityGroup[];
  readonly family: Family;
  readonly membersOf?: MembersOf;
}

/** A rule of the API that the node does not have, or not wholly. */
export interface MissingRule {
  readonly of: RuleRef;
  /** What should be there, as the tool on the node would print it. */
  readonly expected: readonly string[];
  /** Chain (`filter neutron-linuxbri-i789390a7-5`) or table (`br-int table 82`) where it should be. */
  readonly where: string;
  /** What stands there for the same protocol instead, as printed. */
  readonly instead: readonly string[];
}

/** A rule on the node that nothing in the API explains. */
export interface ExtraRule {
  readonly where: string;
  readonly raw: string;
  readonly packets: number;
  readonly effect: 'lets through' | 'drops' | 'diverts';
}

/** Why rules that are there do not act on the port's packets. */
export type NotEnforced =
  /** `sysctl net.bridge.bridge-nf-call-iptables` is 0 or missing: bridged packets never see iptables. */
  | { readonly by: 'bridge-netfilter-off'; readonly key: string; readonly value: string | undefined }
  /** No rule leads the port's packets into its chain. */
  | {
      readonly by: 'no-jump';
      readonly from: string;
      readonly to: string;
      readonly device: string;
      readonly direction: 'ingress' | 'egress' | 'both';
    }
  /** A rule that no agent made accepts the port's packets before they come to its chain. */
  | {
      readonly by: 'accepted-before';
      readonly where: string;
      readonly raw: string;
      readonly packets: number;
      readonly remove: readonly [string, ...string[]];
    }
  /** The port is let through as if its port security were off. */
  | { readonly by: 'unfiltered'; readonly where: string; readonly raw: string };

/** The firewall of one port and family on its node, against the API. Empty lists: all is as it should be. */
export interface Enforcement {
  readonly missing: readonly MissingRule[];
  readonly extra: readonly ExtraRule[];
  /** Chains (or the port's flows as a whole) that do not exist. */
  readonly chainsMissing: readonly string[];
  readonly notEnforced: readonly NotEnforced[];
  /** What every port needs besides its rules (DHCP, its own addresses, replies) and this one lacks. */
  readonly baseMissing: readonly string[];
  /** API rules that were found on the node. */
  readonly found: readonly RuleRef[];
  /** API rules that could not be compared because the members of their remote group are not known. */
  readonly undecided: readonly RuleRef[];
}

/** True when the node does what the API says. */
export function isEnforced(enforcement: Enforcement): boolean {
  return (
    enforcement.missing.length === 0 &&
    enforcement.extra.length === 0 &&
    enforcement.chainsMissing.length === 0 &&
    enforcement.notEnforced.length === 0 &&
    enforcement.baseMissing.length === 0
  );
}

/** The firewalls of both families of one port as one; what both lack or have in the same words is said once. */
export function together(parts: readonly Enforcement[]): Enforcement {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const each = <K extends keyof Enforcement>(key: K): Enforcement[K][number][] => {
    const said = new Map(parts.flatMap((p) => [...p[key]]).map((item) => [JSON.stringify(item), item]));
    return [...said.values()];
  };
  return {
    missing: each('missing'),
    extra: each('extra'),
    chainsMissing: each('chainsMissing'),
    notEnforced: each('notEnforced'),
    baseMissing: each('baseMissing'),
    found: each('found'),
    undecided: each('undecided'),
  };
}

/** Says with each difference which tool shows it, where chains of both families have the same names. */
export const named = (e: Enforcement, tool: string): Enforcement => ({
  ...e,
  missing: e.missing.map((m) => ({ ...m, where: `${tool} ${m.where}` })),
  extra: e.extra.map((x) => ({ ...x, where: `${tool} ${x.where}` })),
  chainsMissing: e.chainsMissing.map((c) => `${tool} ${c}`),
  baseMissing: e.baseMissing.map((b) => `${tool} ${b}`),
  notEnforced: e.notEnforced.map((n) => ('where' in n ? { ...n, where: `${tool} ${n.where}` } : n)),
});

/** The API rules that concern this port in this family, with their groups. */
export function wantedRules(wanted: WantedFirewall): readonly RuleRef[] {
  const ethertype = wanted.family === 4 ? 'IPv4' : 'IPv6';
  return wanted.security.groups.flatMap((id) => {
    const group = wanted.groups.find((candidate) => candidate.id === id);
    if (!group) return [];
    return group.rules
      .filter((rule) => rule.ethertype === ethertype)
      .map((rule) => ({ group: { id: group.id, name: group.name }, rule }));
  });
}
