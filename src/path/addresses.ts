import { createHash } from 'node:crypto';
import ipaddr from 'ipaddr.js';

export type Family = 4 | 6;

/** One address as a number, so that comparing two spellings is comparing two values. */
export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** The addresses from `first` to `last`; always aligned to `prefix`, whatever host bits were written. */
export interface Cidr {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
  readonly prefix: number;
}

/** One allocation pool of a subnet (Neutron API `allocation_pools[]`), both ends included. */
export interface AllocationPool {
  readonly start: string;
  readonly end: string;
}

const bitsOf = (family: Family): number => (family === 4 ? 32 : 128);

function numberOf(bytes: readonly number[]): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/**
 * Reads an address as Neutron, iproute2 and iptables write it: dotted quad, IPv6 in any legal spelling, a zone index
 * (`fe80::1%eth0`) dropped. The loose BSD forms (`10.1`, `0x7f.1`, leading zeroes) are refused: there they are typos.
 */
export function parseAddress(text: string): Address | undefined {
  const bare = text.trim().replace(/%.*$/, '');
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) {
    return { family: 4, value: numberOf(ipaddr.IPv4.parse(bare).toByteArray()) };
  }
  if (bare.includes(':') && ipaddr.IPv6.isValid(bare)) {
    return { family: 6, value: numberOf(ipaddr.IPv6.parse(bare).toByteArray()) };
  }
  return undefined;
}

/** Reads `address/prefix`, `address/netmask` (IPv4, as iptables may print it) or a bare address (one host). */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (!address) return undefined;
  const bits = bitsOf(address.family);
  const prefix = slash < 0 ? bits : prefixLength(text.slice(slash + 1).trim(), address.family);
  if (prefix === undefined) return undefined;
  const host = (1n << BigInt(bits - prefix)) - 1n;
  const last = address.value | host;
  return { family: address.family, first: last - host, last, prefix };
}

function prefixLength(text: string, family: Family): number | undefined {
  if (/^\d{1,3}$/.test(text)) return Number(text) <= bitsOf(family) ? Number(text) : undefined;
  if (family === 4 && ipaddr.IPv4.isValidFourPartDecimal(text)) {
    return ipaddr.IPv4.parse(text).prefixLengthFromSubnetMask() ?? undefined;
  }
  return undefined;
}

/** The canonical text of an address: dotted quad, or RFC 5952. */
export function formatAddress(address: Address): string {
  const bytes: number[] = [];
  for (let shift = bitsOf(address.family) - 8; shift >= 0; shift -= 8) {
    bytes.push(Number((address.value >> BigInt(shift)) & 0xffn));
  }
  return address.family === 4 ? bytes.join('.') : new ipaddr.IPv6(bytes).toRFC5952String();
}

export function formatCidr(cidr: Cidr): string {
  return `${formatAddress({ family: cidr.family, value: cidr.first })}/${cidr.prefix}`;
}

/** Canonical spelling of an address; text that is none comes back as it is, trimmed. */
export function normalAddress(text: string): string {
  const address = parseAddress(text);
  return address ? formatAddress(address) : text.trim();
}

/** Canonical spelling of a network (`10.0.0.7/24` → `10.0.0.0/24`, `10.0.0.7` → `10.0.0.7/32`); see `normalAddress`. */
export function normalCidr(text: string): string {
  const cidr = parseCidr(text);
  return cidr ? formatCidr(cidr) : text.trim();
}

export function familyOf(text: string): Family | undefined {
  return parseCidr(text)?.family;
}

/** The same address, however spelled. Two texts that are no addresses are never the same. */
export function sameAddress(a: string, b: string): boolean {
  const left = parseAddress(a);
  const right = parseAddress(b);
  return left !== undefined && right !== undefined && left.family === right.family && left.value === right.value;
}

/** The same network, host bits ignored. */
export function sameCidr(a: string, b: string): boolean {
  return cidrContains(a, b) && cidrContains(b, a);
}

/** True when every address of `inner` (an address or a network) lies in `outer`. False across families. */
export function cidrContains(outer: string, inner: string): boolean {
  const o = parseCidr(outer);
  const i = parseCidr(inner);
  return o !== undefined && i !== undefined && o.family === i.family && o.first <= i.first && i.last <= o.last;
}

/** True when the two networks share an address. */
export function cidrsOverlap(a: string, b: string): boolean {
  const left = parseCidr(a);
  const right = parseCidr(b);
  return (
    left !== undefined &&
    right !== undefined &&
    left.family === right.family &&
    left.first <= right.last &&
    right.first <= left.last
  );
}

/** The lowest address of a network: its number, and in IPv4 not for hosts. */
export function firstAddress(cidr: string): string | undefined {
  const parsed = parseCidr(cidr);
  return parsed && formatAddress({ family: parsed.family, value: parsed.first });
}

/** The highest address of a network: in IPv4 its broadcast address. */
export function lastAddress(cidr: string): string | undefined {
  const parsed = parseCidr(cidr);
  return parsed && formatAddress({ family: parsed.family, value: parsed.last });
}

/** True when Neutron may hand out `address` from this pool. */
export function inPool(address: string, pool: AllocationPool): boolean {
  const at = parseAddress(address);
  const start = parseAddress(pool.start);
  const end = parseAddress(pool.end);
  if (!at || !start || !end || at.family !== start.family || at.family !== end.family) return false;
  return start.value <= at.value && at.value <= end.value;
}

export function inAnyPool(address: string, pools: readonly AllocationPool[]): boolean {
  return pools.some((pool) => inPool(address, pool));
}

/** Lower case with colons, from any usual spelling (`FA-16-3E-…`, `fa16.3e74.89ef`, twelve digits); undefined if none. */
export function normalMac(text: string): string | undefined {
  const digits = text.trim().toLowerCase().replace(/[:.-]/g, '');
  if (!/^[0-9a-f]{12}$/.test(digits)) return undefined;
  return digits.replace(/(..)(?!$)/g, '$1:');
}

export function sameMac(a: string, b: string): boolean {
  const left = normalMac(a);
  return left !== undefined && left === normalMac(b);
}

/** The address a host makes for itself out of its MAC in `prefix` (modified EUI-64, RFC 4291 appendix A). */
export function eui64Address(mac: string, prefix: string): string | undefined {
  const normal = normalMac(mac);
  const network = parseCidr(prefix);
  if (!normal || network?.family !== 6) return undefined;
  const bytes = normal.split(':').map((byte) => Number.parseInt(byte, 16));
  const [a = 0, b = 0, c = 0, ...rest] = bytes;
  const identifier = numberOf([a ^ 0x02, b, c, 0xff, 0xfe, ...rest]);
  return formatAddress({ family: 6, value: ((network.first >> 64n) << 64n) | identifier });
}

/** The IPv6 link-local address that goes with a MAC; Neutron lets a port use it without asking. */
export function linkLocal(mac: string): string | undefined {
  return eui64Address(mac, 'fe80::/64');
}

/** neutron_lib LINUX_DEV_LEN: every device name Neutron makes is cut to this. */
const DEVICE_LENGTH = 14;

/**
 * tap, qvo, qvb, qbr, qr-, qg-, sg-, fg-, ha-, ns- are named after a port, brq after a network, rfp- and fpr- after a
 * router.
 */
export type DevicePrefix =
  | 'tap'
  | 'qvo'
  | 'qvb'
  | 'qbr'
  | 'brq'
  | 'qr-'
  | 'qg-'
  | 'sg-'
  | 'fg-'
  | 'ha-'
  | 'ns-'
  | 'rfp-'
  | 'fpr-';

/** The device Neutron or Nova makes for a thing: `deviceName('tap', portId)` → `tap5652dd5f-cd`. */
export function deviceName(prefix: DevicePrefix, id: string): string {
  return `${prefix}${id}`.slice(0, DEVICE_LENGTH);
}

/** The beginning of the id that a device name carries, for looking it up; undefined when the name is not of that kind. */
export function idStartOf(device: string): { readonly prefix: DevicePrefix; readonly idStart: string } | undefined {
  const match = /^(tap|qvo|qvb|qbr|brq|qr-|qg-|sg-|fg-|ha-|ns-|rfp-|fpr-)([0-9a-f]{8}-[0-9a-f]{1,2})$/.exec(device);
  return match ? { prefix: match[1] as DevicePrefix, idStart: match[2] ?? '' } : undefined;
}

/** `netns` name of a network's DHCP server, a router, its SNAT part, an external network's FIP part, or OVN metadata. */
export function namespaceName(kind: 'qdhcp' | 'qrouter' | 'snat' | 'fip' | 'ovnmeta', id: string): string {
  return `${kind}-${id}`;
}

/** What the agents put in front of their iptables chains: the first 16 characters of their program's name. */
export type ChainOwner = 'neutron-linuxbri' | 'neutron-openvswi' | 'neutron-l3-agent' | 'neutron-dhcp-age';

/**
 * The chain of a port in the filter table: i = into the instance, o = out of it, s = anti-spoofing. Wrapped chain names
 * are cut to 11 characters after the owner (neutron_lib MAX_IPTABLES_CHAIN_LEN_WRAP), so the id keeps ten.
 */
export function portChain(owner: ChainOwner, kind: 'i' | 'o' | 's', portId: string): string {
  return `${owner}-${`${kind}${portId}`.slice(0, 11)}`;
}

/** The ipset that holds the members of a remote group (neutron ipset_manager.get_name: 29 characters at most). */
export function ipsetName(groupId: string, family: Family): string {
  return `NIPv${family}${groupId}`.slice(0, 29);
}

/** The OVS port of a tunnel: `vxlan-` and the remote address in hexadecimal; for IPv6 a hash (get_tunnel_hash). */
export function tunnelPortName(type: 'vxlan' | 'gre' | 'geneve', remote: string): string | undefined {
  const address = parseAddress(remote);
  if (!address) return undefined;
  if (address.family === 4) return `${type}-${address.value.toString(16).padStart(8, '0')}`;
  return `${type}-${base32(createHash('sha1').update(remote).digest())}`.slice(0, 15);
}

function base32(bytes: Uint8Array): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  return (bits.match(/.{5}/g) ?? [])
    .map((five) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(five, 2)])
    .join('');
}
