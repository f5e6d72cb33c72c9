import type { Family } from '../addresses.ts';

export type Direction = 'ingress' | 'egress';

/** One rule of a security group (Neutron API `security_group_rules[]`, in our spelling). */
export interface SecurityGroupRule {
  readonly id: string;
  readonly direction: Direction;
  readonly ethertype: 'IPv4' | 'IPv6';
  /** A name (`tcp`, `icmpv6`), a number (also as text) or null for every protocol. */
  readonly protocol: string | number | null;
  /** First port; for ICMP the type. */
  readonly portMin: number | null;
  /** Last port; for ICMP the code. */
  readonly portMax: number | null;
  readonly remoteIpPrefix: string | null;
  readonly remoteGroupId: string | null;
  readonly remoteAddressGroupId?: string | null;
}

export interface SecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly rules: readonly SecurityGroupRule[];
  /** False: replies are not tracked and need rules of their own (extension `stateful-security-group`). */
  readonly stateful?: boolean;
}

export interface AddressPair {
  /** An address or a network. */
  readonly ip: string;
  /** The port's own MAC when left out. */
  readonly mac?: string;
}

/** What a port says about its own protection. Ports of Neutron itself (`network:*`) have `enabled: false`. */
export interface PortSecurity {
  readonly enabled: boolean;
  /** Ids of its security groups. */
  readonly groups: readonly string[];
  readonly allowedAddressPairs: readonly AddressPair[];
  readonly fixedIps: readonly string[];
  readonly mac: string;
}

/** One packet, or a set of packets, seen from the port. What is left out stands for every value. */
export interface Probe {
  readonly protocol: 'icmp' | 'tcp' | 'udp';
  readonly family: Family;
  /** ingress: into the instance. */
  readonly direction: Direction;
  /** Destination port of tcp and udp. */
  readonly port?: number;
  /** Source port; only DHCP cares. */
  readonly sourcePort?: number;
  /** ICMP type: 8 (128 in IPv6) for a ping. */
  readonly icmpType?: number;
  readonly icmpCode?: number;
  /** The other end: an address or a network; undefined for anywhere. */
  readonly remote?: string;
  /** Source address of an egress packet when it is not the port's own. */
  readonly local?: string;
  readonly localMac?: string;
  /** A reply of a connection that was let through. */
  readonly reply?: boolean;
}

export interface RuleRef {
  readonly group: { readonly id: string; readonly name: string };
  readonly rule: SecurityGroupRule;
}

/** What Neutron lets through without asking any rule. */
export type Exemption = 'port-security-off' | 'reply' | 'dhcp' | 'neighbour-discovery';

/** A rule that fails to let the probe through by one thing only. */
export type Miss =
  | { readonly by: 'remote'; readonly of: RuleRef; readonly allows: string }
  | { readonly by: 'empty-remote-group'; readonly of: RuleRef; readonly remoteGroupId: string }
  | { readonly by: 'port'; readonly of: RuleRef }
  | { readonly by: 'protocol'; readonly of: RuleRef }
  | { readonly by: 'ethertype'; readonly of: RuleRef }
  | { readonly by: 'direction'; readonly of: RuleRef }
  | { readonly by: 'group-without-rules'; readonly group: { readonly id: string; readonly name: string } };

export type Allowed =
  | { readonly kind: 'allowed'; readonly because: 'exempt'; readonly exemption: Exemption; readonly extent: 'whole' }
  | {
      readonly kind: 'allowed';
      readonly because: 'rules';
      readonly by: readonly [RuleRef, ...RuleRef[]];
      /** part: only for some of the remote addresses, ports or ICMP types that were asked about. */
      readonly extent: 'whole' | 'part';
    };

export type Denied =
  | {
      readonly kind: 'denied';
      readonly because: 'no-rule';
      readonly groups: readonly { readonly id: string; readonly name: string }[];
      /** Nearest first. */
      readonly misses: readonly Miss[];
    }
  | { readonly kind: 'denied'; readonly because: 'no-group' }
  | { readonly kind: 'denied'; readonly because: 'spoofed'; readonly source: string }
  | { readonly kind: 'denied'; readonly because: 'dhcp-server' | 'router-advertisement' };

/** It cannot be told from what we were given. */
export type Depends = {
  readonly kind: 'depends';
  /** Rules whose remote group has members we were not told. */
  readonly on: readonly RuleRef[];
  /** Groups of the port whose rules we were not told. */
  readonly unseenGroups: readonly string[];
  /** Rules that let a part through in any case. */
  readonly surely: readonly RuleRef[];
};

export type Verdict = Allowed | Denied | Depends;

/**
 * Addresses and networks of a remote security group or address group: fixed IPs and allowed address pairs of its
 * ports. Undefined: not known.
 */
export type MembersOf = (groupId: string) => readonly string[] | undefined;
