import { readFileSync } from 'node:fs';
import { type OvsdbRow, ovsdbAtoms, ovsdbMap, parseOvsdbTable } from '../../src/nodes/parse/ovsdb.ts';
import type { OrderedRouter } from '../../src/path/ovn/compare-router.ts';
import type {
  Acl,
  Chassis,
  LogicalRouter,
  LogicalView,
  PortGroup,
  RouterPort,
  SouthView,
} from '../../src/path/ovn/model.ts';
import type { ApiFloatingIp, ApiNetwork, ApiPort, ApiRouter, ApiSubnet } from '../../src/path/ovn/ordered.ts';
import {
  aclOf,
  count,
  datapathOf,
  dhcpOptionsOf,
  encapOf,
  macBindingOf,
  natOf,
  portBindingOf,
  progressOf,
  routerPolicyOf,
  staticRouteOf,
  switchOf,
  switchPortOf,
  text,
  texts,
  uuidOf,
} from '../../src/path/ovn/rows.ts';
import { type ApiGroup, groupFromApi } from '../../src/path/secgroup/from-api.ts';

interface Recorded {
  readonly api: {
    readonly port: ApiPort;
    readonly network: ApiNetwork;
    readonly subnets: readonly ApiSubnet[];
    readonly router: ApiRouter;
    readonly outside: ApiNetwork;
    readonly outsideSubnets: readonly ApiSubnet[];
    readonly routerPorts: readonly ApiPort[];
    readonly floating: readonly ApiFloatingIp[];
    readonly groups: readonly ApiGroup[];
    readonly metadata: readonly ApiPort[];
  };
  readonly tables: Readonly<Record<string, unknown>>;
}

/** Neutron's answers about one instance with a floating IP, and all rows of OVN's databases that concern it: Zed, OVN 23.03. */
const recorded = JSON.parse(readFileSync(new URL('../fixtures/ovn/ordered.json', import.meta.url), 'utf8')) as Recorded;

export const { api } = recorded;
export const groups = api.groups.map(groupFromApi);
export const name = "o3-1's port dd8c8e88";
export const host = 'cmp1';

function table(database: 'nb' | 'sb', of: string): readonly OvsdbRow[] {
  const parsed = parseOvsdbTable(of, JSON.stringify(recorded.tables[`${database}-${of}`]));
  if (!parsed.ok) throw new Error(`${of} is not read`);
  return parsed.value;
}

const referred = (row: OvsdbRow, column: string, of: string): readonly OvsdbRow[] =>
  table('nb', of).filter((r) => texts(row, column).includes(uuidOf(r)));

const aclsOf = (row: OvsdbRow): readonly Acl[] => referred(row, 'acls', 'ACL').map((r) => aclOf(r, text(row, 'name')));

const legOf = (row: OvsdbRow): RouterPort => ({
  uuid: uuidOf(row),
  name: text(row, 'name'),
  mac: text(row, 'mac'),
  networks: texts(row, 'networks'),
  options: ovsdbMap(row, 'options'),
  ipv6RaConfigs: ovsdbMap(row, 'ipv6_ra_configs'),
  candidates: referred(row, 'gateway_chassis', 'Gateway_Chassis')
    .map((c) => ({ chassis: text(c, 'chassis_name'), priority: count(c, 'priority') }))
    .sort((a, b) => b.priority - a.priority),
  externalIds: ovsdbMap(row, 'external_ids'),
});

function logical(): LogicalView {
  const ports = table('nb', 'Logical_Switch_Port').map(switchPortOf);
  const switches = table('nb', 'Logical_Switch').map(switchOf);
  const lswitch = switches.find((s) => s.name === `neutron-${api.network.id}`);
  const outside = switches.find((s) => s.name === `neutron-${api.outside.id}`);
  const port = ports.find((p) => p.name === api.port.id);
  if (lswitch === undefined || port === undefined) throw new Error('the recording lacks the port');
  const groupRows = table('nb', 'Port_Group').map(
    (row): PortGroup => ({
      uuid: uuidOf(row),
      name: text(row, 'name'),
      ports: texts(row, 'ports'),
      acls: aclsOf(row),
      externalIds: ovsdbMap(row, 'external_ids'),
    }),
  );
  const routers = table('nb', 'Logical_Router').map(
    (row): LogicalRouter => ({
      uuid: uuidOf(row),
      name: text(row, 'name'),
      enabled: ovsdbAtoms(row, 'enabled')[0] !== false,
      options: ovsdbMap(row, 'options'),
      ports: referred(row, 'ports', 'Logical_Router_Port').map(legOf),
      nat: referred(row, 'nat', 'NAT').map(natOf),
      routes: referred(row, 'static_routes', 'Logical_Router_Static_Route').map(staticRouteOf),
      policies: referred(row, 'policies', 'Logical_Router_Policy').map(routerPolicyOf),
      externalIds: ovsdbMap(row, 'external_ids'),
    }),
  );
  return {
    port,
    lswitch,
    servicePorts: ports.filter((p) => p.uuid !== port.uuid && lswitch.ports.includes(p.uuid)),
    portGroups: groupRows.filter((g) => g.ports.includes(port.uuid)),
    securityGroups: new Map(groupRows.map((g) => [g.name, g])),
    switchAcls: [],
    dhcp: table('nb', 'DHCP_Options').map(dhcpOptionsOf),
    routers: new Map([[api.router.id, routers[0]]]),
    outside: new Map([
      [
        api.outside.id,
        { lswitch: outside, localnets: ports.filter((p) => p.type === 'localnet' && outside?.ports.includes(p.uuid)) },
      ],
    ]),
    progress: progressOf(undefined),
  };
}

function southern(): SouthView {
  const encaps = new Map(table('sb', 'Encap').map((row) => [uuidOf(row), encapOf(row)]));
  return {
    bindings: new Map(
      table('sb', 'Port_Binding')
        .map(portBindingOf)
        .map((b) => [b.logicalPort, b]),
    ),
    datapaths: new Map(
      table('sb', 'Datapath_Binding')
        .map(datapathOf)
        .map((d) => [d.uuid, d]),
    ),
    chassis: table('sb', 'Chassis').map(
      (row): Chassis => ({
        uuid: uuidOf(row),
        name: text(row, 'name'),
        hostname: text(row, 'hostname'),
        encaps: texts(row, 'encaps').flatMap((id) => encaps.get(id) ?? []),
        config: ovsdbMap(row, 'other_config'),
        transportZones: texts(row, 'transport_zones'),
      }),
    ),
    bfd: [],
    macBindings: table('sb', 'MAC_Binding').map(macBindingOf),
    nbCfg: 0,
    options: new Map(),
  };
}

export const view: LogicalView = logical();
export const south: SouthView = southern();
export const router: OrderedRouter = {
  router: api.router,
  ports: api.routerPorts,
  subnets: [...api.subnets, ...api.outsideSubnets],
  floating: api.floating,
};
/** `ovn-sbctl list Address_Set` */
export const addressSets: ReadonlyMap<string, readonly string[]> = new Map(
  table('sb', 'Address_Set').map((row) => [text(row, 'name'), texts(row, 'addresses')]),
);
export const found: LogicalRouter = (() => {
  const row = view.routers.get(api.router.id);
  if (row === undefined) throw new Error('the recording lacks the router');
  return row;
})();
export const withRouter = (changed: Partial<LogicalRouter>): LogicalView => ({
  ...view,
  routers: new Map([[api.router.id, { ...found, ...changed }]]),
});
