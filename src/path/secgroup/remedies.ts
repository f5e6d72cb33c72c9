import type { Family } from '../addresses.ts';
import type { Probe } from './model.ts';

/** The command that lets this probe through by a new rule of `group` (its id, because names need not be unique). */
export function remedyRule(probe: Probe, group: { readonly id: string }): readonly [string, ...string[]] {
  const argv = ['security', 'group', 'rule', 'create', `--${probe.direction}`];
  if (probe.family === 6) argv.push('--ethertype', 'IPv6');
  argv.push('--protocol', probe.protocol === 'icmp' && probe.family === 6 ? 'ipv6-icmp' : probe.protocol);
  if (probe.protocol === 'icmp') {
    if (probe.icmpType !== undefined) argv.push('--icmp-type', String(probe.icmpType));
    if (probe.icmpType !== undefined && probe.icmpCode !== undefined) argv.push('--icmp-code', String(probe.icmpCode));
  } else if (probe.port !== undefined) argv.push('--dst-port', String(probe.port));
  if (probe.remote !== undefined) argv.push('--remote-ip', probe.remote);
  return ['openstack', ...argv, group.id];
}

/** The command that lets everything of one family out, to one address or to anywhere. */
export function remedyEgress(
  family: Family,
  group: { readonly id: string },
  remote?: string,
): readonly [string, ...string[]] {
  const to = remote === undefined ? [] : ['--remote-ip', remote];
  const ethertype = family === 4 ? 'IPv4' : 'IPv6';
  return ['openstack', 'security', 'group', 'rule', 'create', '--egress', '--ethertype', ethertype, ...to, group.id];
}

/** The command that lets a port send from (and be reached at) one more address. */
export function remedyAddressPair(portId: string, address: string, mac?: string): readonly [string, ...string[]] {
  const pair = `ip-address=${address}${mac === undefined ? '' : `,mac-address=${mac}`}`;
  return ['openstack', 'port', 'set', '--allowed-address', pair, portId];
}
