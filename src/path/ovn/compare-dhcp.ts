import { familyOf, normalCidr } from '../addresses.ts';
import { type Difference, type Mend, short } from './difference.ts';
import type { DhcpOptions, LogicalView } from './model.ts';
import { type ApiNetwork, type ApiPort, type ApiSubnet, isTrusted } from './ordered.ts';

/** Names of Neutron's extra DHCP options in OVN's words, those that are compared (constants.py SUPPORTED_DHCP_OPTS_MAPPING). */
const extraNames: Readonly<Record<string, string>> = {
  router: 'router',
  '3': 'router',
  'dns-server': 'dns_server',
  '6': 'dns_server',
  '23': 'dns_server',
  mtu: 'mtu',
  '26': 'mtu',
  'server-id': 'server_id',
  '54': 'server_id',
  'lease-time': 'lease_time',
  '51': 'lease_time',
  'classless-static-route': 'classless_static_route',
  '121': 'classless_static_route',
  'domain-name': 'domain_name',
  '15': 'domain_name',
  'bootfile-name': 'bootfile_name',
  '67': 'bootfile_name',
  'tftp-server': 'tftp_server',
  '66': 'tftp_server',
  'ntp-server': 'ntp_server',
  '42': 'ntp_server',
};

/** Values of options that Neutron orders, by OVN's names; undefined: it orders that there is none. */
export type OrderedOptions = ReadonlyMap<string, string | undefined>;

/**
 * What Neutron writes for a subnet, of what the API tells (ovn_client.py _get_ovn_dhcpv4_opts, _get_ovn_dhcpv6_opts). The
 * lease time, resolvers of a subnet that names none, and global options stand in the server's configuration.
 */
export function orderedOptions(network: ApiNetwork, subnet: ApiSubnet, metadata: string | undefined): OrderedOptions {
  const ordered = new Map<string, string | undefined>();
  const names = subnet.dns_nameservers ?? [];
  const none = names.includes('0.0.0.0') || names.includes('::');
  if (none) ordered.set('dns_server', undefined);
  else if (names.length > 0) ordered.set('dns_server', `{${names.join(', ')}}`);
  if (subnet.ip_version === 6) {
    ordered.set('dhcpv6_stateless', subnet.ipv6_address_mode === 'dhcpv6-stateless' ? 'true' : undefined);
    return ordered;
  }
  const gateway = subnet.gateway_ip || undefined;
  const server = gateway ?? metadata;
  if (server !== undefined) ordered.set('server_id', server);
  ordered.set('router', gateway);
  if (network.mtu !== undefined) ordered.set('mtu', String(network.mtu));
  const routes = [
    ...(metadata === undefined ? [] : [`169.254.169.254/32,${metadata}`]),
    ...(subnet.host_routes ?? []).map((r) => `${r.destination},${r.nexthop}`),
  ];
  if (routes.length > 0 && gateway !== undefined) routes.push(`0.0.0.0/0,${gateway}`);
  ordered.set('classless_static_route', routes.length === 0 ? undefined : `{${routes.join(', ')}}`);
  return ordered;
}

/** Sets are written `{a, b}` and sets of one bare; quotes and blanks are of no account, nor is the order of routes. */
function sameValue(option: string, a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const items = (text: string): string[] => {
    const all = text
      .replace(/[{}"]/g, '')
      .split(',')
      .map((word) => word.trim());
    if (option !== 'classless_static_route') return all;
    return all.flatMap((word, at) => (at % 2 === 0 ? [`${normalCidr(word)} ${all[at + 1] ?? ''}`] : [])).sort();
  };
  return JSON.stringify(items(a)) === JSON.stringify(items(b));
}

/** What a wrong option does to an instance. */
const effects: Readonly<Record<string, string>> = {
  server_id: 'its renewals go to a server that is not there',
  router: 'it sends what leaves its subnet astray',
  mtu: 'it sends packets of the wrong size',
  dns_server: 'it asks the wrong servers for names',
  classless_static_route: 'it sends packets astray; without the route to 169.254.169.254 metadata is not reached',
  lease_time: 'its lease is over before it is renewed, or never is',
  server_mac: 'nothing answers its requests',
  dhcpv6_stateless: 'it asks for an address in vain, or for none',
};

const extrasOf = (port: ApiPort, family: 4 | 6): ReadonlyMap<string, string> =>
  new Map(
    (port.extra_dhcp_opts ?? []).flatMap((o): [string, string][] => {
      const name = extraNames[o.opt_name];
      return (o.ip_version ?? 4) !== family || name === undefined || !o.opt_value ? [] : [[name, o.opt_value]];
    }),
  );

const isOff = (port: ApiPort, family: 4 | 6): boolean =>
  isTrusted(port) ||
  (port.extra_dhcp_opts ?? []).some(
    (o) => (o.ip_version ?? 4) === family && o.opt_name === 'dhcp_disabled' && o.opt_value?.toLowerCase() === 'true',
  );

/** Whether ML2/OVN makes a row for the subnet (utils.is_dhcp_options_ignored). */
const isServed = (subnet: ApiSubnet): boolean =>
  subnet.enable_dhcp && !(subnet.ip_version === 6 && subnet.ipv6_address_mode === 'slaac');

/**
 * Makes Neutron write the row of a subnet and what its ports say of it again: any change of the subnet does, one that
 * changes nothing does not (update_subnet, _modify_subnet_dhcp_options).
 */
const rewriting = (subnet: ApiSubnet): Mend => ({
  by: 'openstack',
  title: 'let Neutron write the row again: any change of the subnet makes it, its description for one',
  commands: [['openstack', 'subnet', 'set', '--description', `DHCP of ${subnet.cidr}`, subnet.id]],
});

const words = (row: DhcpOptions): string => [...row.options].map(([k, v]) => `${k}=${v}`).join(' ');

/**
 * What ovn-controller answers the port's DHCP requests with: the row that the port names, for each family, against its
 * subnet, its network and its own extra options. `metadataOf`: the address of the network's metadata port in a subnet.
 */
export function compareDhcp(
  port: ApiPort,
  name: string,
  network: ApiNetwork,
  subnets: readonly ApiSubnet[],
  metadataOf: (subnetId: string) => string | undefined,
  view: LogicalView,
): readonly Difference[] {
  const { port: lsp } = view;
  if (lsp === undefined) return [];
  const differences: Difference[] = [];
  for (const family of [4, 6] as const) {
    const column = family === 4 ? 'dhcpv4_options' : 'dhcpv6_options';
    const setting = family === 4 ? 'lsp-set-dhcpv4-options' : 'lsp-set-dhcpv6-options';
    const own = port.fixed_ips
      .filter((f) => familyOf(f.ip_address) === family)
      .flatMap((f) => subnets.find((s) => s.id === f.subnet_id) ?? []);
    const served = isOff(port, family) ? [] : own.filter(isServed);
    const named = family === 4 ? lsp.dhcpv4 : lsp.dhcpv6;
    const row = view.dhcp.find((d) => d.uuid === named);
    const extras = extrasOf(port, family);
    const base = { layer: 'northbound', table: 'DHCP_Options' } as const;
    const kind = family === 4 ? 'DHCP' : 'DHCPv6';
    const [first] = served;
    if (first === undefined) {
      if (named === undefined) continue;
      differences.push({
        ...base,
        kind: 'dhcp-differs',
        object: `${column} of port ${short(port.id)}`,
        summary: `${name} names ${kind} options in the Northbound, and Neutron ordered none: OVN answers its requests all the same`,
        ordered: `no ${column}`,
        found: `${column} ${named}`,
        mends: [{ by: 'ovn-nbctl', title: 'clear them', argv: [setting, port.id] }],
        severity: 'warning',
      });
      continue;
    }
    const fits = (d: DhcpOptions): boolean => served.some((s) => d.externalIds.get('subnet_id') === s.id);
    const mine = (d: DhcpOptions): boolean => d.externalIds.get('port_id') === port.id;
    const rows = view.dhcp.filter((d) => fits(d) && (d.externalIds.get('port_id') === undefined || mine(d)));
    const wanted = rows.find(mine) ?? rows[0];
    if (row === undefined || !fits(row)) {
      differences.push({
        ...base,
        kind: 'dhcp-unset',
        object: `${column} of port ${short(port.id)}`,
        summary:
          wanted === undefined
            ? `The Northbound has no ${kind} options for subnet ${first.cidr}: OVN answers no request of ${name} for a lease`
            : row === undefined
              ? `The logical switch port of ${name} names no ${kind} options: OVN answers none of its requests for a lease`
              : `The logical switch port of ${name} names the ${kind} options of ${row.cidr}, none of its own subnets`,
        ordered: `${column} ${wanted?.uuid ?? `of subnet ${first.id}`}`,
        found: `${column} ${named ?? '(none)'}${row === undefined ? '' : ` (${row.cidr})`}`,
        mends:
          wanted === undefined
            ? [rewriting(first)]
            : [{ by: 'ovn-nbctl', title: 'name them again', argv: [setting, port.id, wanted.uuid] }],
      });
      continue;
    }
    const subnet = served.find((s) => s.id === row.externalIds.get('subnet_id')) ?? first;
    const ordered = new Map(orderedOptions(network, subnet, metadataOf(subnet.id)));
    for (const [option, value] of extras) ordered.set(option, value);
    const object = `DHCP_Options of ${subnet.cidr}`;
    const differs = (
      option: string,
      value: string | undefined,
      found: string | undefined,
      argv: [string, ...string[]],
    ) =>
      differences.push({
        ...base,
        kind: 'dhcp-differs',
        object: `${object}: ${option}`,
        summary: `OVN's ${kind} hands ${name} ${option} ${found ?? '(none)'}; Neutron ordered ${value ?? '(none)'}: ${effects[option] ?? 'the instance is told otherwise than Neutron says'}`,
        ordered: `${option}=${value ?? '(none)'}`,
        found: words(row),
        mends: [
          {
            by: 'ovn-nbctl',
            title: 'set it again',
            argv,
            remains: 'then renew the lease in the instance: it keeps what it was told',
          },
        ],
      });
    const set = (option: string, value: string): [string, ...string[]] => [
      'set',
      'DHCP_Options',
      row.uuid,
      `options:${option}=${/[{}",: ]/.test(value) ? JSON.stringify(value) : value}`,
    ];
    if (normalCidr(row.cidr) !== normalCidr(subnet.cidr)) {
      differs('cidr', subnet.cidr, row.cidr, ['set', 'DHCP_Options', row.uuid, `cidr=${JSON.stringify(subnet.cidr)}`]);
    }
    for (const [option, value] of ordered) {
      const found = row.options.get(option);
      if (sameValue(option, value, found)) continue;
      differs(
        option,
        value,
        found,
        value === undefined ? ['remove', 'DHCP_Options', row.uuid, 'options', option] : set(option, value),
      );
    }
    if (family === 6) {
      if (row.options.get('server_id') === undefined) {
        differs('server_id', 'a MAC address', undefined, set('server_id', 'fa:16:3e:00:00:01'));
      }
      continue;
    }
    // ovn-controller answers only with all three (ovn-nb(5), DHCP_Options).
    const lease = Number(row.options.get('lease_time'));
    if (!(lease >= 60) && !extras.has('lease_time')) {
      differs(
        'lease_time',
        "Neutron's default, 43200 unless configured",
        row.options.get('lease_time'),
        set('lease_time', '43200'),
      );
    }
    if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(row.options.get('server_mac') ?? '')) {
      differs('server_mac', 'a MAC address', row.options.get('server_mac'), set('server_mac', 'fa:16:3e:00:00:01'));
    }
  }
  return differences;
}
