import type { EbtablesRule } from '../../nodes/parse/ebtables.ts';
import type { IptablesRule } from '../../nodes/parse/iptables.ts';

/**
 * Whose a rule is. neutron, libvirt, containers: makers that every such node has and whose drops are theirs to make.
 * host-firewall: ufw, firewalld and the like, which an operator put there and which may well be in the way.
 * nobody: no maker we know.
 */
export type Owner = 'neutron' | 'libvirt' | 'containers' | 'host-firewall' | 'nobody';

const CHAINS: readonly (readonly [Owner, RegExp])[] = [
  ['neutron', /^(?:neutron-|neutronMAC-|neutronARP-|nova-)/],
  ['libvirt', /^(?:LIBVIRT_|FW[IOX]_|F[IJOP]-|H[IJ]-|[IJOP]-(?:vnet|tap|[0-9a-f]{2})|libvirt)/],
  // DOCKER-USER is where people put rules of their own.
  ['nobody', /^DOCKER-USER$/],
  ['containers', /^(?:DOCKER|KUBE-|cali-|CILIUM_|OLD_CILIUM|FLANNEL|CNI-|NETAVARK|PODMAN|WEAVE|lxd_)/],
  ['host-firewall', /^(?:ufw6?-|f2b-|fail2ban|TRIPLEO_|SHOREWALL)/],
  // firewalld: IN_public_deny, FWDI_public, FORWARD_direct, INPUT_ZONES, PRE_public …
  [
    'host-firewall',
    /^(?:(?:IN|FWD[IO]?|FWDI|FWDO|PRE|POST|OUT)_[a-z]\w*|(?:INPUT|OUTPUT|FORWARD|PREROUTING|POSTROUTING)_(?:direct|ZONES|IN_ZONES|OUT_ZONES|POLICIES)\w*)$/,
  ],
];

/** Bridges of container runtimes and of libvirt's own networks; rules about them never touch an instance of ours. */
const DEVICES: readonly (readonly [Owner, RegExp])[] = [
  ['libvirt', /^virbr\d/],
  ['containers', /^(?:docker\d|br-[0-9a-f]{12}$|lxcbr|lxdbr|cni\d|cni-|podman\d|flannel|cali)/],
];

const NFT_TABLES: readonly (readonly [Owner, RegExp])[] = [
  ['libvirt', /^libvirt_/],
  ['containers', /^(?:docker|netavark|kube-|cilium|calico|lxd|incus)/],
  ['host-firewall', /^(?:firewalld|ufw|fail2ban|f2b-)/],
];

function firstOf(list: readonly (readonly [Owner, RegExp])[], name: string): Owner | undefined {
  return list.find(([, pattern]) => pattern.test(name))?.[0];
}

export function ownerOfChain(chain: string): Owner {
  return firstOf(CHAINS, chain) ?? 'nobody';
}

export function ownerOfNftTable(table: string): Owner {
  return firstOf(NFT_TABLES, table) ?? 'nobody';
}

/** The numbers and the comment of the firewall that TripleO lays on its nodes: `999 drop all`. */
const TRIPLEO_COMMENT = /^\d{3} [a-z]/;

/** Whose an iptables rule is, by its chain, the device it is about and its comment. */
export function ownerOfIptables(rule: IptablesRule): Owner {
  const byChain = ownerOfChain(rule.chain);
  if (byChain === 'neutron') return isNeutrons(rule) ? 'neutron' : 'nobody';
  if (byChain !== 'nobody') return byChain;
  for (const device of [rule.in, rule.out]) {
    const owner = device === undefined ? undefined : firstOf(DEVICES, device);
    if (owner) return owner;
  }
  return TRIPLEO_COMMENT.test(rule.comment ?? '') ? 'host-firewall' : 'nobody';
}

export function ownerOfEbtables(rule: EbtablesRule): Owner {
  return ownerOfChain(rule.chain);
}

const L2_CHAIN = /^neutron-(?:linuxbri|openvswi)-(.+)$/;

/**
 * A rule in one of Neutron's chains is Neutron's, unless it is a drop of a kind that Neutron does not make there: in
 * the port chains only for invalid packets, DHCP servers, router advertisements and wrong senders; elsewhere in the
 * chains of the L2 agents only in `sg-fallback` (neutron/agent/linux/iptables_firewall.py).
 */
function isNeutrons(rule: IptablesRule): boolean {
  if (rule.target !== 'DROP' && rule.target !== 'REJECT') return true;
  if (rule.chain === 'neutron-filter-top' || rule.chain === 'neutron-postrouting-bottom') return false;
  const chain = L2_CHAIN.exec(rule.chain)?.[1];
  if (chain === undefined || chain === 'sg-fallback') return true;
  if (rule.target === 'REJECT') return false;
  const bare = rule.protocol === undefined && rule.source === undefined && rule.destination === undefined;
  if (/^s[0-9a-f]{8}-/.test(chain)) return bare && rule.ctstate === undefined;
  if (!/^[io][0-9a-f]{8}-/.test(chain)) return false;
  if (bare && rule.ctstate?.length === 1 && rule.ctstate[0] === 'INVALID') return true;
  const fromServer = rule.sport?.[0]?.from === 67 || rule.sport?.[0]?.from === 547;
  const advertisement = rule.icmpType?.split('/')[0] === '134';
  return chain.startsWith('o') && (fromServer || advertisement);
}
