import { familyOf, normalCidr, normalMac } from '../addresses.ts';
import { type Difference, type Mend, setWords, short } from './difference.ts';
import type { Chassis, LogicalView, PortBinding, SouthView } from './model.ts';
import {
  type ApiPort,
  type ApiSubnet,
  dropGroup,
  groupName,
  isExternal,
  isSecured,
  isTrusted,
  switchName,
} from './ordered.ts';

/** A row of Logical_Switch_Port as Neutron orders it (ovn_client.py _get_port_options), as far as it decides anything. */
export interface OrderedPort {
  readonly type: string;
  readonly enabled: boolean;
  readonly addresses: readonly string[];
  /** The MAC and its addresses may stand beside `unknown`, or not: releases differ. */
  readonly open: boolean;
  readonly portSecurity: readonly string[];
  readonly requestedChassis: string;
  readonly parentName: string | undefined;
  readonly tag: number | undefined;
}

export function orderedPort(port: ApiPort): OrderedPort {
  const { mac_address: mac } = port;
  const own = [mac, ...port.fixed_ips.map((f) => f.ip_address)].join(' ');
  const pairs = port.allowed_address_pairs ?? [];
  const others = pairs.filter((p) => p.mac_address !== undefined && p.mac_address !== mac);
  const secured = isSecured(port);
  const profile = port['binding:profile'] ?? {};
  const type = port.device_owner === 'network:distributed' ? 'localport' : isExternal(port) ? 'external' : '';
  return {
    type,
    enabled: port.admin_state_up,
    addresses: secured ? [own, ...new Set(others.map((p) => p.mac_address ?? ''))] : type === '' ? ['unknown'] : [own],
    open: !secured && type === '',
    portSecurity: secured
      ? [
          [own, ...pairs.filter((p) => !others.includes(p)).map((p) => p.ip_address)].join(' '),
          ...others.map((p) => `${p.mac_address} ${p.ip_address}`),
        ]
      : [],
    requestedChassis: port['binding:vnic_type'] === 'remote-managed' ? '' : (port['binding:host_id'] ?? ''),
    parentName: typeof profile.parent_name === 'string' ? profile.parent_name : undefined,
    tag: typeof profile.tag === 'number' ? profile.tag : undefined,
  };
}

/** `MAC IP…` entries as pairs that do not depend on order or spelling. */
const pairsOf = (entries: readonly string[]): ReadonlySet<string> =>
  new Set(
    entries.flatMap((entry) => {
      const [first = '', ...ips] = entry.trim().split(/\s+/);
      const mac = normalMac(first) ?? first;
      return [mac, ...ips.map((ip) => `${mac} ${normalCidr(ip)}`)];
    }),
  );

const sameEntries = (a: readonly string[], b: readonly string[]): boolean => {
  const [left, right] = [pairsOf(a), pairsOf(b)];
  return left.size === right.size && [...left].every((p) => right.has(p));
};

/** With port security off only `unknown` counts: it is what lets frames for any MAC in. */
const addressesFit = (ordered: OrderedPort, found: readonly string[]): boolean =>
  ordered.open ? found.includes('unknown') : sameEntries(ordered.addresses, found);

/** Options of a port that Neutron never writes, and that change what becomes of its packets (ovn-nb(5)). */
const meddling = [
  'arp_proxy',
  'disable_arp_nd_rsp',
  'qos_max_rate',
  'qos_burst',
  'force_fdb_lookup',
  'disable_garp_rarp',
];

const quoted = (id: string): string => `"${id}"`;

/** Makes the row again, whole: with what Neutron and its metadata agents read in it, in its groups, with its DHCP options. */
function makingAgain(port: ApiPort, ordered: OrderedPort, subnets: readonly ApiSubnet[], view: LogicalView): Mend {
  const { id } = port;
  const list = (items: readonly string[]): string => items.map((item) => JSON.stringify(item)).join(',');
  const cidrs = port.fixed_ips.map((f) => {
    const prefix = subnets.find((s) => s.id === f.subnet_id)?.cidr.split('/')[1];
    return prefix === undefined ? f.ip_address : `${f.ip_address}/${prefix}`;
  });
  const ids: readonly (readonly [string, string])[] = [
    ['cidrs', cidrs.join(' ')],
    ['device_id', port.device_id ?? ''],
    ['device_owner', port.device_owner],
    ['network_name', switchName(port.network_id)],
    ['port_name', port.name ?? ''],
    ['project_id', port.project_id ?? ''],
    ['security_group_ids', (port.security_groups ?? []).join(' ')],
  ];
  const dhcp = (['dhcpv4_options', 'dhcpv6_options'] as const).flatMap((column) => {
    const family = column === 'dhcpv4_options' ? 4 : 6;
    const row = view.dhcp.find(
      (d) => familyOf(d.cidr) === family && port.fixed_ips.some((f) => d.externalIds.get('subnet_id') === f.subnet_id),
    );
    return row === undefined || isTrusted(port) ? [] : [`${column}=${row.uuid}`];
  });
  const groups = isSecured(port) ? [dropGroup, ...(port.security_groups ?? []).map(groupName)] : [];
  return {
    by: 'ovn-nbctl',
    title: 'make the row again as Neutron had it',
    argv: [
      '--id=@port',
      'create',
      'Logical_Switch_Port',
      `name=${quoted(id)}`,
      `addresses=${list(ordered.addresses)}`,
      ...(ordered.portSecurity.length === 0 ? [] : [`port_security=${list(ordered.portSecurity)}`]),
      ...(ordered.type === '' ? [] : [`type=${ordered.type}`]),
      `enabled=${ordered.enabled}`,
      'options:mcast_flood_reports=true',
      ...(ordered.requestedChassis === '' ? [] : [`options:requested-chassis=${ordered.requestedChassis}`]),
      ...dhcp,
      ...ids.map(([key, value]) => `external_ids:neutron\\:${key}=${quoted(value)}`),
      ...['--', 'add', 'Logical_Switch', switchName(port.network_id), 'ports', '@port'],
      ...groups.flatMap((name) => ['--', 'add', 'Port_Group', name, 'ports', '@port']),
    ],
  };
}

const setting = (title: string, ...argv: [string, ...string[]]): Mend => ({ by: 'ovn-nbctl', title, argv });

/** The row of the port itself against what Neutron ordered. */
export function comparePort(
  port: ApiPort,
  name: string,
  subnets: readonly ApiSubnet[],
  view: LogicalView,
): readonly Difference[] {
  const ordered = orderedPort(port);
  const { port: found } = view;
  const base = { layer: 'northbound', table: 'Logical_Switch_Port', object: `Logical_Switch_Port ${port.id}` } as const;
  if (found === undefined) {
    return [
      {
        ...base,
        kind: 'port-missing',
        summary: `The Northbound has no logical switch port for ${name}: Neutron ordered it, OVN does not know it`,
        ordered: ordered.addresses.join(', '),
        found: 'no such row',
        mends: [makingAgain(port, ordered, subnets, view), { by: 'sync' }],
      },
    ];
  }
  const differences: Difference[] = [];
  const differs = (column: string, wanted: string, has: string, effect: string, mend: Mend, more = {}): void => {
    differences.push({
      ...base,
      kind: 'port-differs',
      summary: `${column} of the logical switch port of ${name} is ${has}; Neutron ordered ${wanted}: ${effect}`,
      ordered: `${column} ${wanted}`,
      found: `${column} ${has}`,
      mends: [mend],
      ...more,
    });
  };
  const { id } = port;
  if (!addressesFit(ordered, found.addresses)) {
    differs(
      'addresses',
      setWords(ordered.addresses),
      setWords(found.addresses),
      'packets for it are led nowhere, or ARP for it is answered wrongly',
      setting('set the addresses again', 'lsp-set-addresses', id, ...ordered.addresses),
    );
  }
  if (!sameEntries(ordered.portSecurity, found.portSecurity)) {
    const off = ordered.portSecurity.length > 0 && found.portSecurity.length === 0;
    differs(
      'port_security',
      setWords(ordered.portSecurity),
      setWords(found.portSecurity),
      off ? 'it may use any address' : 'packets from or to an address that is not in it are dropped',
      ordered.portSecurity.length === 0
        ? setting('clear it', 'lsp-set-port-security', id)
        : setting('set it again', 'lsp-set-port-security', id, ...ordered.portSecurity),
      off ? { severity: 'warning' } : {},
    );
  }
  if ((found.enabled ?? true) !== ordered.enabled) {
    differs(
      'enabled',
      String(ordered.enabled),
      String(found.enabled ?? true),
      ordered.enabled ? 'all its packets are dropped' : 'it carries packets although it is down in Neutron',
      setting('set it again', 'lsp-set-enabled', id, ordered.enabled ? 'enabled' : 'disabled'),
      ordered.enabled ? {} : { severity: 'warning' },
    );
  }
  if (
    !isTrusted(port) &&
    found.type !== ordered.type &&
    !(found.type === 'virtual' && ordered.requestedChassis === '')
  ) {
    differs(
      'type',
      ordered.type || '(empty)',
      found.type || '(empty)',
      'its chassis treats it as another kind of port',
      setting('set it again', 'lsp-set-type', id, ordered.type),
    );
  }
  const requested = found.options.get('requested-chassis') ?? '';
  // While it migrates, the destination stands behind the source.
  if (ordered.requestedChassis !== '' && requested.split(',')[0] !== ordered.requestedChassis) {
    differs(
      'options:requested-chassis',
      ordered.requestedChassis,
      requested || '(unset)',
      requested === '' ? 'any chassis may take the port' : `no other chassis than ${requested} may take the port`,
      setting(
        'name the chassis of its host again',
        'set',
        'Logical_Switch_Port',
        id,
        `options:requested-chassis=${ordered.requestedChassis}`,
      ),
      requested === '' ? { severity: 'warning' } : {},
    );
  }
  if (found.parentName !== ordered.parentName || (ordered.parentName !== undefined && found.tag !== ordered.tag)) {
    differs(
      'parent_name and tag',
      `${ordered.parentName ?? '(none)'} ${ordered.tag ?? ''}`.trim(),
      `${found.parentName ?? '(none)'} ${found.tag ?? ''}`.trim(),
      'its packets are looked for at another device',
      ordered.parentName === undefined
        ? setting('clear them', 'clear', 'Logical_Switch_Port', id, 'parent_name', 'tag', 'tag_request')
        : setting(
            'set them again',
            'set',
            'Logical_Switch_Port',
            id,
            `parent_name=${quoted(ordered.parentName)}`,
            ...(ordered.tag === undefined ? [] : [`tag=${ordered.tag}`]),
          ),
    );
  }
  for (const option of meddling) {
    const value = found.options.get(option);
    if (value === undefined) continue;
    differs(
      `options:${option}`,
      '(unset)',
      value,
      'Neutron writes no such option',
      setting('remove it, once its maker agrees', 'remove', 'Logical_Switch_Port', id, 'options', option),
    );
  }
  return differences;
}

/** The chassis of a host of Neutron: northd looks `requested-chassis` up by name, then by hostname. */
export const chassisOfHost = (south: SouthView, host: string): Chassis | undefined =>
  south.chassis.find((c) => c.name === host) ?? south.chassis.find((c) => c.hostname === host);

const binds = (binding: PortBinding, south: SouthView): string => {
  const chassis = south.chassis.find((c) => c.uuid === binding.chassis);
  return chassis?.hostname ?? binding.chassis ?? '(none)';
};

/** The Southbound's binding of the port against the Northbound and against the host that Neutron bound it on. */
export function compareBinding(
  port: ApiPort,
  name: string,
  host: string | undefined,
  view: LogicalView,
  south: SouthView,
): readonly Difference[] {
  const { port: lsp, lswitch } = view;
  if (lsp === undefined) return [];
  const base = { layer: 'southbound', table: 'Port_Binding', object: `Port_Binding ${port.id}` } as const;
  const binding = south.bindings.get(port.id);
  const stale = (what: string, ordered: string, found: string): Difference => ({
    ...base,
    kind: 'not-carried-over',
    summary: `The Southbound has ${what} of ${name} otherwise than the Northbound: ${found} instead of ${ordered}; ovn-northd has not carried it over`,
    ordered: `Northbound: ${ordered}`,
    found: `Southbound: ${found}`,
    mends: [],
  });
  if (binding === undefined) return [stale('the binding', lsp.name, 'no row')];
  const differences: Difference[] = [];
  if (!sameEntries(lsp.addresses, binding.mac)) {
    differences.push(stale('mac', setWords(lsp.addresses), setWords(binding.mac)));
  }
  if (!sameEntries(lsp.portSecurity, binding.portSecurity)) {
    differences.push(stale('port_security', setWords(lsp.portSecurity), setWords(binding.portSecurity)));
  }
  if (lsp.type !== binding.type) {
    differences.push(stale('the type', lsp.type || '(empty)', binding.type || '(empty)'));
  }
  const datapath = south.datapaths.get(binding.datapath);
  if (
    lswitch !== undefined &&
    datapath !== undefined &&
    datapath.of.uuid !== lswitch.uuid &&
    lswitch.ports.includes(lsp.uuid) &&
    // Where the switch has none at all, that is told of the switch.
    [...south.datapaths.values()].some((d) => d.of.uuid === lswitch.uuid)
  ) {
    differences.push(stale('the datapath', lswitch.name, datapath.externalIds.get('name') ?? datapath.of.uuid));
  }
  if (host === undefined || lsp.type !== '' || lsp.parentName !== undefined) return differences;
  const wanted = chassisOfHost(south, host);
  const unbound = (summary: string, found: string, more: Partial<Difference> = {}): void => {
    differences.push({
      ...base,
      kind: 'not-bound',
      summary,
      ordered: `chassis ${wanted?.hostname ?? host}`,
      found,
      mends: [],
      host,
      ...more,
    });
  };
  if (wanted === undefined) {
    unbound(
      `No chassis of the Southbound is ${host}, the host of ${name}: nothing can bind the port there`,
      `chassis: ${setWords(south.chassis.map((c) => c.hostname))}`,
    );
  } else if (binding.chassis === undefined) {
    unbound(`No chassis has bound ${name}: its host ${host} has not claimed it`, 'chassis (none), up false');
  } else if (binding.chassis !== wanted.uuid && !binding.additionalChassis.includes(wanted.uuid)) {
    unbound(
      `${name} is bound on chassis ${binds(binding, south)}; Neutron bound it on ${host}`,
      `chassis ${binds(binding, south)}`,
    );
  } else if (binding.up === false) {
    unbound(`${host} has claimed ${name} and has not set it up: its flows are not all in br-int`, 'up false', {
      confidence: 'likely',
    });
  } else if (lsp.up === false) {
    differences.push(stale('the state', 'up false', 'up true'));
  }
  return differences;
}

/** An interface of Open vSwitch on the port's host, as far as ovn-controller reads it. */
export interface SeenInterface {
  readonly name: string;
  readonly externalIds: ReadonlyMap<string, string>;
}

/** The port's tap on its chassis: which port it says it is (`iface-id`), for ovn-controller binds by nothing else. */
export function compareInterface(
  port: ApiPort,
  name: string,
  host: string,
  tap: string,
  interfaces: readonly SeenInterface[],
): readonly Difference[] {
  const base = { layer: 'chassis', table: 'Interface', object: `Interface ${tap}@${host}`, host } as const;
  const mine = interfaces.filter((i) => i.externalIds.get('iface-id') === port.id);
  const device = interfaces.find((i) => i.name === tap);
  const says = device?.externalIds.get('iface-id');
  const title = 'tie the device to its port again';
  const tying: Mend = {
    by: 'chassis',
    title,
    host,
    argv: ['ovs-vsctl', 'set', 'Interface', tap, `external_ids:iface-id=${port.id}`],
  };
  if (device !== undefined && says !== port.id) {
    return [
      {
        ...base,
        kind: 'interface-wrong',
        summary:
          says === undefined
            ? `${tap} on ${host} does not say which port it is (no iface-id): ovn-controller binds nothing to ${name}`
            : `${tap} on ${host} says that it is port ${short(says)} (iface-id); it is ${name}'s`,
        ordered: `iface-id ${port.id}`,
        found: `iface-id ${says ?? '(none)'}`,
        mends: [tying],
      },
    ];
  }
  const [first, second] = mine;
  if (first !== undefined && second !== undefined) {
    const stranger = mine.find((i) => i.name !== tap) ?? second;
    return [
      {
        ...base,
        kind: 'interface-twice',
        summary: `${mine.map((i) => i.name).join(' and ')} on ${host} both say that they are ${name} (iface-id): ovn-controller takes one of them`,
        ordered: `iface-id ${port.id} on ${tap} alone`,
        found: `iface-id ${port.id} on ${setWords(mine.map((i) => i.name))}`,
        mends: [
          {
            by: 'chassis',
            title: `take the port's id off ${stranger.name}, once its maker agrees`,
            host,
            argv: ['ovs-vsctl', 'remove', 'Interface', stranger.name, 'external_ids', 'iface-id'],
          },
        ],
      },
    ];
  }
  const mac = device?.externalIds.get('attached-mac');
  if (device !== undefined && mac !== undefined && normalMac(mac) !== normalMac(port.mac_address)) {
    return [
      {
        ...base,
        kind: 'interface-wrong',
        summary: `${tap} on ${host} was plugged in with MAC ${mac}; ${name} has ${port.mac_address}`,
        ordered: `attached-mac ${port.mac_address}`,
        found: `attached-mac ${mac}`,
        mends: [
          {
            ...tying,
            argv: ['ovs-vsctl', 'set', 'Interface', tap, `external_ids:attached-mac="${port.mac_address}"`],
          },
        ],
        severity: 'warning',
      },
    ];
  }
  const status = device?.externalIds.get('iface-status');
  if (device !== undefined && status === 'inactive') {
    return [
      {
        ...base,
        kind: 'interface-wrong',
        summary: `${tap} on ${host} is marked inactive (iface-status): Nova has not attached ${name} there`,
        ordered: 'iface-status active',
        found: 'iface-status inactive',
        mends: [{ ...tying, argv: ['ovs-vsctl', 'set', 'Interface', tap, 'external_ids:iface-status=active'] }],
        severity: 'warning',
      },
    ];
  }
  return [];
}

/** Interfaces of other hosts that say they are the port: where no chassis is requested, they take it from each other. */
export function compareClaimants(
  port: ApiPort,
  name: string,
  host: string | undefined,
  seen: readonly { readonly at: string; readonly interfaces: readonly SeenInterface[] }[],
): readonly Difference[] {
  // While it migrates, both hosts have it.
  if (port['binding:profile']?.migrating_to !== undefined) return [];
  return seen
    .filter((s) => s.at !== host)
    .flatMap((s) =>
      s.interfaces
        .filter((i) => i.externalIds.get('iface-id') === port.id)
        .map(
          (i): Difference => ({
            kind: 'interface-twice',
            layer: 'chassis',
            table: 'Interface',
            object: `Interface ${i.name}@${s.at}`,
            host: s.at,
            summary: `${i.name} on ${s.at} says that it is ${name} (iface-id), too: ${s.at} takes the port from ${host ?? 'its host'}`,
            ordered: `iface-id ${port.id} on ${host ?? 'its host'} alone`,
            found: `iface-id ${port.id} on ${i.name} of ${s.at}`,
            mends: [
              {
                by: 'chassis',
                title: `take the port's id off ${i.name}, once its maker agrees`,
                host: s.at,
                argv: ['ovs-vsctl', 'remove', 'Interface', i.name, 'external_ids', 'iface-id'],
              },
            ],
          }),
        ),
    );
}
