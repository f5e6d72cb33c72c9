import type { Bundle } from '../../src/bundle/open.ts';
import { alsoAsked, editing } from '../support/edit-bundle.ts';
import {
  asking,
  editingRows,
  notAsking,
  printed,
  type Row,
  referred,
  setKey,
  withoutRows,
  withRow,
} from '../support/edit-ovn.ts';
import { bundleAt } from '../support/replayed.ts';
import type { Case } from './cases.ts';

const healthy = await bundleAt('demo/ovn-healthy.tgz');
/** Clouds in which somebody did such a thing to OVN, as they were recorded. */
const recorded = {
  aclMissing: await bundleAt('demo/ovn-acl-missing.tgz'),
  aclAdded: await bundleAt('test/fixtures/bundles/ovn-acl-added.tgz'),
  dhcpUnset: await bundleAt('test/fixtures/bundles/ovn-dhcp-options.tgz'),
  natMissing: await bundleAt('test/fixtures/bundles/ovn-nat.tgz'),
  gatewayMoved: await bundleAt('test/fixtures/bundles/ovn-gateway.tgz'),
  staticMacBinding: await bundleAt('test/fixtures/bundles/ovn-static-mac-binding.tgz'),
};

// biome-ignore lint/suspicious/noExplicitAny: bodies of any API, edited by hand
type Body = any;

const answered = (path: RegExp): Body => {
  const record = healthy.api.find((one) => path.test(decodeURIComponent(one.url)));
  if (record?.outcome.ok !== true) throw new Error(`nothing was asked by ${path}`);
  return JSON.parse(record.outcome.value.body);
};
const instance: Body = answered(/\/servers\/detail\?/).servers[0];
const own: Body = answered(new RegExp(`/ports\\?device_id=${instance.id}`)).ports[0];
const router: Body = answered(/\/routers\/[^/]+$/).router;
const legs: readonly Body[] = answered(new RegExp(`/ports\\?device_id=${router.id}`)).ports;
const floating: Body = answered(/\/floatingips\?/).floatingips[0];
const groupId: string = own.security_groups[0];

const host: string = instance['OS-EXT-SRV-ATTR:host'];
const address: string = own.fixed_ips[0].ip_address;
const outside = `lrp-${legs.find((leg) => leg.device_owner === 'network:router_gateway')?.id}`;
const inside = `lrp-${legs.find((leg) => leg.device_owner === 'network:router_interface')?.id}`;
const network = `neutron-${own.network_id}`;
const group = `pg_${groupId.replaceAll('-', '_')}`;
const dropGroup = 'neutron_pg_drop';
const made = '5e9e8f0c-8f5c-4dd4-9c1d-2f1b7c3f1a01';
const uuid = (id: string) => ['uuid', id];
const none = ['set', []];
const map = (entries: Readonly<Record<string, string>>) => ['map', Object.entries(entries)];

/** Each row of that name (or of that value in another column), as it was changed by hand. */
const changing = (
  tool: 'ovn-nbctl' | 'ovn-sbctl',
  table: string,
  [column, value]: readonly [string, string],
  change: (row: Row) => void,
  bundle: Bundle = healthy,
): Bundle => {
  let met = 0;
  const edited = editingRows(bundle, tool, table, (rows) => {
    for (const row of rows.filter((one) => one[column] === value)) {
      met += 1;
      change(row);
    }
    return rows;
  });
  if (met === 0) throw new Error(`no row of ${table} has ${column} ${value}`);
  return edited;
};

const changingPort = (change: (row: Row) => void): Bundle =>
  changing('ovn-nbctl', 'Logical_Switch_Port', ['name', own.id], change);
const changingBinding = (name: string, change: (row: Row) => void): Bundle =>
  changing('ovn-sbctl', 'Port_Binding', ['logical_port', name], change);
const isOwn = (row: Row): boolean => row.name === own.id;

const portRow: string = (() => {
  let found = '';
  changingPort((row) => {
    found = row._uuid[1];
  });
  return found;
})();

/** As `ovn-nbctl lsp-del` leaves it: neither row, nor membership, nor what is asked by its UUID. */
const withoutPort = (): Bundle => {
  let left = editingRows(healthy, 'ovn-nbctl', 'Logical_Switch_Port', (rows) => rows.filter((row) => !isOwn(row)));
  for (const table of ['Logical_Switch', 'Port_Group']) left = withoutMember(left, table, () => true);
  return notAsking(left, 'ovn-nbctl', (words) => words.some((word) => word.startsWith('ports{>=}')));
};
const withoutMember = (bundle: Bundle, table: string, isMeant: (row: Row) => boolean): Bundle =>
  editingRows(bundle, 'ovn-nbctl', table, (rows) => {
    for (const row of rows.filter(isMeant)) {
      row.ports = ['set', referred(row.ports).flatMap((id) => (id === portRow ? [] : [uuid(id)]))];
    }
    return rows;
  });
/** Out of a port group: it is no longer among those that hold the port. */
const outOf = (name: string): Bundle =>
  editingRows(
    withoutMember(healthy, 'Port_Group', (row) => row.name === name),
    'ovn-nbctl',
    'Port_Group',
    (rows, call) => (call.some((word) => word.startsWith('ports{>=}')) ? rows.filter((r) => r.name !== name) : rows),
  );

/** The Open vSwitch of the instance's host. */
const changingInterface = (change: (row: Row) => void): Bundle => {
  const tap = `tap${own.id.slice(0, 11)}`;
  return editingRows(
    healthy,
    'ovs-vsctl',
    'Interface',
    (rows) => {
      for (const row of rows.filter((one) => one.name === tap)) change(row);
      return rows;
    },
    host,
  );
};

/** `ovs-vsctl add-port br-int thief -- set Interface thief external_ids:iface-id=…` */
function withThief(): Bundle {
  const [portId, interfaceId] = [made, made.replace(/01$/, '02')];
  let edited = editingRows(
    healthy,
    'ovs-vsctl',
    'Interface',
    (rows) => {
      const [model] = rows.filter((row) => String(row.name).startsWith('tap'));
      const ids = map({ 'iface-id': own.id });
      return [...rows, { ...model, _uuid: uuid(interfaceId), name: 'thief', external_ids: ids }];
    },
    host,
  );
  edited = editingRows(
    edited,
    'ovs-vsctl',
    'Port',
    (rows) => [...rows, { ...rows[0], _uuid: uuid(portId), name: 'thief', interfaces: uuid(interfaceId) }],
    host,
  );
  return editingRows(
    edited,
    'ovs-vsctl',
    'Bridge',
    (rows) => {
      for (const row of rows.filter((one) => one.name === 'br-int')) {
        row.ports = ['set', [...referred(row.ports), portId].map(uuid)];
      }
      return rows;
    },
    host,
  );
}

const acl = (fields: Row): Row => ({
  _uuid: uuid(made),
  action: 'drop',
  direction: 'to-lport',
  external_ids: map({}),
  label: 0,
  log: false,
  match: '',
  meter: none,
  name: none,
  options: map({}),
  priority: 1002,
  severity: none,
  ...fields,
});
const route = (fields: Row): Row => ({
  _uuid: uuid(made),
  bfd: none,
  external_ids: map({}),
  options: map({}),
  output_port: none,
  policy: none,
  route_table: '',
  ...fields,
});
const nat = (fields: Row): Row => ({
  _uuid: uuid(made),
  allowed_ext_ips: none,
  exempted_ext_ips: none,
  external_ids: map({}),
  external_mac: none,
  external_port_range: '',
  gateway_port: none,
  logical_port: none,
  options: map({}),
  ...fields,
});
const isRouter = (row: Row): boolean => row.name === `neutron-${router.id}`;
const isSwitch = (row: Row): boolean => row.name === network;

/** A rule that lets its own group in, the ACL that Neutron makes of it, and the set as ovn-northd left it. */
function lettingItsGroupIn(members: readonly string[]): Bundle {
  const id = '8d6f4e0b-7c50-4b0e-9f6e-1a2b3c4d5e6f';
  const opened = editing(healthy, `/security-groups?id=${groupId}`, (body) => {
    const [first] = body.security_groups[0].security_group_rules;
    body.security_groups[0].security_group_rules.push({
      ...first,
      id,
      direction: 'ingress',
      ethertype: 'IPv4',
      protocol: 'tcp',
      port_range_min: 5432,
      port_range_max: 5432,
      remote_group_id: groupId,
    });
  });
  const listed = alsoAsked(opened, `/ports?device_id=${instance.id}`, `/v2.0/ports?security_groups=${groupId}`);
  const known = withRow(
    listed,
    ['Port_Group', 'acls'],
    'ACL',
    acl({
      action: 'allow-related',
      external_ids: map({ 'neutron:security_group_rule_id': id }),
      match: `outport == @${group} && ip4 && ip4.src == $${group}_ip4 && tcp && tcp.dst == 5432`,
    }),
    (row) => row.name === group,
  );
  const headings = ['_uuid', 'addresses', 'name'];
  const set = (family: 4 | 6, addresses: readonly string[]) => ({
    words: ['find', 'Address_Set', `name=${JSON.stringify(`${group}_ip${family}`)}`],
    line: printed(headings, [{ _uuid: uuid(made), addresses: ['set', addresses], name: `${group}_ip${family}` }]),
  });
  return asking(known, 'ovn-sbctl', [set(4, members), set(6, [])]);
}

const qosRow: Row = {
  _uuid: uuid(made),
  action: map({}),
  bandwidth: ['map', [['rate', 100]]],
  direction: 'to-lport',
  external_ids: map({}),
  match: `outport == "${own.id}" && ip4`,
  priority: 4000,
};

/** Clouds in which the databases of OVN, or what a chassis says to them, differ in one thing from what Neutron ordered. */
export const ovnOrderedCases: readonly Case[] = [
  {
    says: 'a logical switch port that somebody deleted is missed',
    code: 'OSD-OVN-030',
    names: instance.name,
    bundle: withoutPort,
  },
  {
    says: 'a logical switch port that somebody disabled is told with what Neutron ordered',
    code: 'OSD-OVN-031',
    names: 'enabled of the logical switch port',
    bundle: () =>
      changingPort((row) => {
        row.enabled = false;
      }),
  },
  {
    says: 'a binding that ovn-northd has not carried over is behind the Northbound',
    code: 'OSD-OVN-032',
    names: 'ovn-northd has not carried it over',
    bundle: () =>
      changingBinding(own.id, (row) => {
        row.mac = `fa:16:3e:00:00:99 ${address}`;
      }),
  },
  {
    says: "a router's leg of which the Southbound knows nothing is behind the Northbound",
    code: 'OSD-OVN-032',
    names: router.name,
    bundle: () =>
      editingRows(healthy, 'ovn-sbctl', 'Port_Binding', (rows) => rows.filter((row) => row.logical_port !== outside)),
  },
  {
    says: 'a network whose datapath is not there is behind the Northbound',
    code: 'OSD-OVN-032',
    names: 'has no datapath',
    bundle: () =>
      editingRows(healthy, 'ovn-sbctl', 'Datapath_Binding', (rows) => {
        for (const row of rows) setKey(row, 'external_ids', 'logical-switch', made);
        return rows;
      }),
  },
  {
    says: 'a port that no chassis has claimed is not bound on its host',
    code: 'OSD-OVN-033',
    names: host,
    bundle: () =>
      changingBinding(own.id, (row) => {
        row.chassis = none;
        row.up = false;
      }),
  },
  {
    says: 'a tap that does not say which port it is is tied to nothing',
    code: 'OSD-OVN-034',
    names: 'iface-id',
    bundle: () => changingInterface((row) => setKey(row, 'external_ids', 'iface-id', undefined)),
  },
  {
    says: 'a second device with the id of the port is told by its name',
    code: 'OSD-OVN-035',
    names: 'thief',
    bundle: withThief,
  },
  {
    says: 'a port that was moved off the switch of its network is told',
    code: 'OSD-OVN-036',
    names: 'is not on the switch of its network',
    bundle: () => withoutMember(healthy, 'Logical_Switch', isSwitch),
  },
  {
    says: 'a localnet port that names another wire joins nothing',
    code: 'OSD-OVN-037',
    names: 'physnet9',
    bundle: () =>
      changing('ovn-nbctl', 'Logical_Switch_Port', ['type', 'localnet'], (row) =>
        setKey(row, 'options', 'network_name', 'physnet9'),
      ),
  },
  {
    says: 'a QoS rule that nobody signed holds packets of the port down',
    code: 'OSD-OVN-038',
    names: '100 kbit/s',
    bundle: () => withRow(healthy, ['Logical_Switch', 'qos_rules'], 'QoS', qosRow, isSwitch),
  },
  {
    says: 'an ACL on the switch that no security group accounts for is told by its match',
    code: 'OSD-OVN-039',
    names: 'icmp4',
    bundle: () =>
      withRow(
        healthy,
        ['Logical_Switch', 'acls'],
        'ACL',
        acl({ priority: 2000, match: `outport == "${own.id}" && icmp4` }),
        isSwitch,
      ),
  },
  {
    says: 'an ACL that was put in by hand is told as it was recorded',
    code: 'OSD-OVN-039',
    names: 'drop',
    bundle: () => recorded.aclAdded,
  },
  {
    says: 'an address set that lacks a member of the group is told',
    code: 'OSD-OVN-040',
    names: address,
    bundle: () => lettingItsGroupIn(['10.0.0.9']),
  },
  {
    says: 'a port that names no DHCP options is answered by nobody',
    code: 'OSD-OVN-041',
    names: 'names no DHCP options',
    bundle: () =>
      changingPort((row) => {
        row.dhcpv4_options = none;
      }),
  },
  {
    says: 'DHCP options that were cleared are missed as they were recorded',
    code: 'OSD-OVN-041',
    names: 'names no DHCP options',
    bundle: () => recorded.dhcpUnset,
  },
  {
    says: 'an MTU that DHCP hands out wrongly is told beside the right one',
    code: 'OSD-OVN-042',
    names: 'mtu 9000',
    bundle: () =>
      editingRows(healthy, 'ovn-nbctl', 'DHCP_Options', (rows) => {
        for (const row of rows) setKey(row, 'options', 'mtu', '9000');
        return rows;
      }),
  },
  {
    says: 'a logical router that somebody disabled is told',
    code: 'OSD-OVN-043',
    names: router.name,
    bundle: () =>
      changing('ovn-nbctl', 'Logical_Router', ['name', `neutron-${router.id}`], (row) => {
        row.enabled = false;
      }),
  },
  {
    says: 'a leg of the router with another MAC is told with both',
    code: 'OSD-OVN-044',
    names: 'fa:16:3e:00:00:99',
    bundle: () =>
      changing('ovn-nbctl', 'Logical_Router_Port', ['name', inside], (row) => {
        row.mac = 'fa:16:3e:00:00:99';
      }),
  },
  {
    says: 'a default route that is gone is told with where it led',
    code: 'OSD-OVN-045',
    names: 'has no default route',
    bundle: () => withoutRows(healthy, ['Logical_Router', 'static_routes'], 'Logical_Router_Static_Route'),
  },
  {
    says: 'a route that discards is told by what it discards',
    code: 'OSD-OVN-046',
    names: '198.51.100.0/24',
    bundle: () =>
      withRow(
        healthy,
        ['Logical_Router', 'static_routes'],
        'Logical_Router_Static_Route',
        route({ ip_prefix: '198.51.100.0/24', nexthop: 'discard' }),
        isRouter,
      ),
  },
  {
    says: 'a policy that drops is told by its match',
    code: 'OSD-OVN-046',
    names: `ip4.src == ${address}`,
    bundle: () =>
      withRow(
        healthy,
        ['Logical_Router', 'policies'],
        'Logical_Router_Policy',
        {
          _uuid: uuid(made),
          action: 'drop',
          external_ids: map({}),
          match: `ip4.src == ${address}`,
          nexthop: none,
          nexthops: none,
          options: map({}),
          priority: 1000,
        },
        isRouter,
        'Logical_Router_Port',
      ),
  },
  {
    says: 'a floating IP whose translation is gone is told',
    code: 'OSD-OVN-047',
    names: floating.floating_ip_address,
    bundle: () => withoutRows(healthy, ['Logical_Router', 'nat'], 'NAT', (row) => row.type === 'dnat_and_snat'),
  },
  {
    says: 'a translation that was deleted is missed as it was recorded',
    code: 'OSD-OVN-047',
    names: 'has no translation for floating IP',
    bundle: () => recorded.natMissing,
  },
  {
    says: 'a subnet whose packets are no longer translated on their way out is told',
    code: 'OSD-OVN-047',
    names: 'does not translate what',
    bundle: () => withoutRows(healthy, ['Logical_Router', 'nat'], 'NAT', (row) => row.type === 'snat'),
  },
  {
    says: 'a translation that catches packets of the port, and that nobody ordered, is told',
    code: 'OSD-OVN-048',
    names: '203.0.113.7',
    bundle: () =>
      withRow(
        healthy,
        ['Logical_Router', 'nat'],
        'NAT',
        nat({ type: 'dnat_and_snat', external_ip: '203.0.113.7', logical_ip: address }),
        isRouter,
      ),
  },
  {
    says: 'a load balancer that takes the floating IP is told by where it leads',
    code: 'OSD-OVN-048',
    names: '10.0.0.66:80',
    bundle: () =>
      withRow(
        healthy,
        ['Logical_Router', 'load_balancer'],
        'Load_Balancer',
        {
          _uuid: uuid(made),
          external_ids: map({}),
          health_check: none,
          ip_port_mappings: map({}),
          name: 'by-hand',
          options: map({}),
          protocol: 'tcp',
          selection_fields: none,
          vips: map({ [`${floating.floating_ip_address}:80`]: '10.0.0.66:80' }),
        },
        isRouter,
      ),
  },
  {
    says: 'a gateway for which nobody is scheduled leads nowhere',
    code: 'OSD-OVN-050',
    names: router.name,
    bundle: () => withoutRows(healthy, ['Logical_Router_Port', 'gateway_chassis'], 'Gateway_Chassis'),
  },
  {
    says: 'a gateway that its chassis has not claimed is held by nobody',
    code: 'OSD-OVN-051',
    names: 'No chassis holds the gateway',
    bundle: () =>
      changingBinding(`cr-${outside}`, (row) => {
        row.chassis = none;
        row.up = false;
      }),
  },
  {
    says: 'a gateway that is not on the first of its chassis has failed over',
    code: 'OSD-OVN-052',
    names: 'instead of cmp2',
    bundle: () =>
      withRow(
        healthy,
        ['Logical_Router_Port', 'gateway_chassis'],
        'Gateway_Chassis',
        {
          _uuid: uuid(made),
          chassis_name: chassisName('cmp2'),
          external_ids: map({}),
          name: `${outside}-${chassisName('cmp2')}`,
          options: map({}),
          priority: 2,
        },
        (row) => row.name === outside,
      ),
  },
  {
    says: 'a gateway chassis without a mapping for the wire outside is told by its host',
    code: 'OSD-OVN-053',
    names: 'net1',
    bundle: () =>
      changing('ovn-sbctl', 'Chassis', ['hostname', 'net1'], (row) =>
        setKey(row, 'other_config', 'ovn-bridge-mappings', ''),
      ),
  },
  {
    says: 'a gateway that was moved to a chassis without the wire is told as it was recorded',
    code: 'OSD-OVN-053',
    names: 'is the one that serves',
    bundle: () => recorded.gatewayMoved,
  },
  {
    says: 'a router that knows its gateway by the MAC of somebody else is told who answers',
    code: 'OSD-OVN-054',
    names: '02:00:00:00:66:66',
    bundle: () =>
      changing('ovn-sbctl', 'MAC_Binding', ['logical_port', outside], (row) => {
        row.mac = '02:00:00:00:66:66';
      }),
  },
  {
    says: 'a neighbour of the router that was set by hand is told',
    code: 'OSD-OVN-054',
    names: 'Static_MAC_Binding',
    bundle: () =>
      editingRows(healthy, 'ovn-nbctl', 'Static_MAC_Binding', (rows, call) =>
        call.some((word) => word.includes(inside))
          ? [
              {
                _uuid: uuid(made),
                ip: address,
                logical_port: inside,
                mac: 'fa:16:3e:00:00:99',
                override_dynamic_mac: true,
              },
            ]
          : rows,
      ),
  },
  {
    says: 'a neighbour outside that was set by hand is told as it was recorded',
    code: 'OSD-OVN-054',
    names: 'by hand',
    bundle: () => recorded.staticMacBinding,
  },
  {
    says: 'an ACL of the Northbound that somebody deleted is missed by its rule',
    code: 'OSD-SG-003',
    names: 'The Northbound lacks the ACL',
    bundle: () => recorded.aclMissing,
  },
  {
    says: "a port that was taken out of its security group's port group is told",
    code: 'OSD-SG-003',
    names: 'membership of the port',
    bundle: () => outOf(group),
  },
  {
    says: 'an ACL that lets in more than the API allows is told',
    code: 'OSD-SG-003',
    names: 'still lets through',
    bundle: () =>
      withRow(
        healthy,
        ['Port_Group', 'acls'],
        'ACL',
        acl({ action: 'allow-related', match: `outport == @${group} && ip4 && udp` }),
        (row) => row.name === group,
      ),
  },
  {
    says: 'a port outside of the group that drops what no rule allows is let through',
    code: 'OSD-SG-004',
    names: 'as if its port security were off',
    bundle: () => outOf(dropGroup),
  },
];

/** The name (system-id) of the chassis of a host. */
function chassisName(hostname: string): string {
  let found = '';
  changing('ovn-sbctl', 'Chassis', ['hostname', hostname], (row) => {
    found = row.name;
  });
  return found;
}
