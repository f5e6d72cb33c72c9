import { ok, type Result } from '../../engine/result.ts';
import { linesOf, type ParseFailure, parseFailure, present } from './parsing.ts';

/** A line of Neutron's `host` file: what dnsmasq gives to whom (dnsmasq(8), --dhcp-host). */
export interface DhcpHost {
  readonly mac: string;
  /** DHCP client id (`id:ff:00:…`), which InfiniBand needs; `*` ignores the client's. */
  readonly clientId?: string;
  /** Tags that are set for this host (`set:port-…`), which choose its options. */
  readonly tags: readonly string[];
  readonly name?: string;
  /** IPv4 and IPv6, the latter without brackets. */
  readonly addresses: readonly string[];
  /** dnsmasq never answers this host. */
  readonly ignored: boolean;
}

export interface DhcpOption {
  /** Tags that must be set (`tag:subnet-…`); empty for every host. */
  readonly tags: readonly string[];
  /** `router`, `dns-server`, `classless-static-route`, `mtu`, a number, or with `option6:` for DHCPv6. */
  readonly option: string;
  readonly version: 4 | 6;
  readonly values: readonly string[];
}

export interface DhcpLease {
  /** Seconds since 1970 when it ends; 0 never ends. */
  readonly expires: number;
  /** For IPv6 the IAID stands here instead. */
  readonly mac: string;
  readonly address: string;
  readonly name?: string;
  readonly clientId?: string;
}

const MAC = /^(?:[\da-f]{2}-)?[\da-f]{2}(?::[\da-f]{2}){5,19}$/i;

/** Neutron's `…/dhcp/<network>/host`. */
export function parseDhcpHosts(stdout: string): Result<readonly DhcpHost[], ParseFailure> {
  const hosts: DhcpHost[] = [];
  for (const line of linesOf(stdout)) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    const host = hostOf(text);
    if (host === undefined) return parseFailure('dnsmasq host file', line);
    hosts.push(host);
  }
  return ok(hosts);
}

function hostOf(line: string): DhcpHost | undefined {
  let mac: string | undefined;
  let clientId: string | undefined;
  let name: string | undefined;
  let ignored = false;
  const tags: string[] = [];
  const addresses: string[] = [];
  for (const field of hostFields(line)) {
    if (field === 'ignore') ignored = true;
    else if (field.startsWith('id:')) clientId = field.slice(3);
    else if (field.startsWith('set:') || field.startsWith('net:')) tags.push(field.slice(4));
    else if (field.startsWith('tag:')) continue;
    else if (field.startsWith('[')) addresses.push(field.replace(/^\[|\]$/g, ''));
    else if (MAC.test(field)) mac ??= field.toLowerCase();
    else if (/^\d+\.\d+\.\d+\.\d+$/.test(field)) addresses.push(field);
    else if (/^(?:\d+[smhdw]?|infinite)$/.test(field)) continue;
    else name ??= field;
  }
  return mac === undefined ? undefined : present({ mac, clientId, tags, name, addresses, ignored });
}

/** Fields at commas. Neutron writes several IPv6 addresses as `[2001:db8::5],[2001:db8::6]`. */
function hostFields(line: string): readonly string[] {
  return line
    .split(',')
    .map((field) => field.trim())
    .filter((field) => field !== '');
}

/** Neutron's `…/dhcp/<network>/opts`. */
export function parseDhcpOptions(stdout: string): Result<readonly DhcpOption[], ParseFailure> {
  const options: DhcpOption[] = [];
  for (const line of linesOf(stdout)) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    const fields = text.split(',');
    const tags: string[] = [];
    while (fields[0] !== undefined && /^(?:tag|vendor|net):/.test(fields[0])) {
      tags.push((fields.shift() ?? '').replace(/^\w+:/, ''));
    }
    const first = fields.shift();
    const matched = /^(?:(option6?):)?([\w-]+)$/.exec(first ?? '');
    if (matched === null) return parseFailure('dnsmasq opts file', line);
    options.push({
      tags,
      option: matched[2] ?? '',
      version: matched[1] === 'option6' ? 6 : 4,
      values: fields.map((field) => field.trim()),
    });
  }
  return ok(options);
}

/** Neutron's `…/dhcp/<network>/leases`. */
export function parseDhcpLeases(stdout: string): Result<readonly DhcpLease[], ParseFailure> {
  const leases: DhcpLease[] = [];
  for (const line of linesOf(stdout)) {
    const text = line.trim();
    if (text === '' || text.startsWith('duid ')) continue;
    const matched = /^(\d+) (\S+) (\S+)(?: (\S+))?(?: (\S+))?$/.exec(text);
    if (matched === null) return parseFailure('dnsmasq leases file', line);
    const [, expires, mac = '', address = '', name, clientId] = matched;
    leases.push(
      present({
        expires: Number(expires),
        mac: mac.toLowerCase(),
        address,
        name: name === '*' ? undefined : name,
        clientId: clientId === '*' ? undefined : clientId,
      }),
    );
  }
  return ok(leases);
}
