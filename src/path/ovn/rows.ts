import { type OvsdbRow, ovsdbAtom, ovsdbAtoms, ovsdbMap } from '../../nodes/parse/ovsdb.ts';
import type {
  Acl,
  Datapath,
  DhcpOptions,
  Encap,
  LogicalBfd,
  MacBinding,
  Nat,
  PortBinding,
  Progress,
  RouterPolicy,
  StaticRoute,
  Switch,
  SwitchPort,
} from './model.ts';

/** Rows as `ovn-nbctl` and `ovn-sbctl` print them, in the model's words. Columns that an older schema lacks are as if unset. */

export const uuidOf = (row: OvsdbRow): string => String(ovsdbAtom(row, '_uuid') ?? '');
export const text = (row: OvsdbRow, column: string): string => String(ovsdbAtom(row, column) ?? '');
const maybeText = (row: OvsdbRow, column: string): string | undefined => text(row, column) || undefined;
export const texts = (row: OvsdbRow, column: string): readonly string[] => ovsdbAtoms(row, column).map(String);
export const count = (row: OvsdbRow, column: string): number => Number(ovsdbAtom(row, column) ?? 0);
const flag = (row: OvsdbRow, column: string): boolean | undefined => {
  const value = ovsdbAtom(row, column);
  return typeof value === 'boolean' ? value : undefined;
};

type Defined<T> = { [K in keyof T]: undefined extends T[K] ? Exclude<T[K], undefined> : T[K] };
/** Leaves out what is not set. */
const some = <T extends object>(fields: T): Partial<Defined<T>> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<Defined<T>>;

export const switchPortOf = (row: OvsdbRow): SwitchPort => ({
  uuid: uuidOf(row),
  name: text(row, 'name'),
  type: text(row, 'type'),
  addresses: texts(row, 'addresses'),
  portSecurity: texts(row, 'port_security'),
  options: ovsdbMap(row, 'options'),
  externalIds: ovsdbMap(row, 'external_ids'),
  ...some({
    enabled: flag(row, 'enabled'),
    up: flag(row, 'up'),
    tag: ovsdbAtom(row, 'tag') === undefined ? undefined : count(row, 'tag'),
    parentName: maybeText(row, 'parent_name'),
    dhcpv4: maybeText(row, 'dhcpv4_options'),
    dhcpv6: maybeText(row, 'dhcpv6_options'),
  }),
});

export const switchOf = (row: OvsdbRow): Switch => ({
  uuid: uuidOf(row),
  name: text(row, 'name'),
  ports: texts(row, 'ports'),
  acls: texts(row, 'acls'),
  qosRules: texts(row, 'qos_rules'),
  loadBalancers: texts(row, 'load_balancer'),
  otherConfig: ovsdbMap(row, 'other_config'),
  externalIds: ovsdbMap(row, 'external_ids'),
});

export const aclOf = (row: OvsdbRow, owner: string): Acl => ({
  uuid: uuidOf(row),
  owner,
  direction: text(row, 'direction') === 'from-lport' ? 'from-lport' : 'to-lport',
  priority: count(row, 'priority'),
  match: text(row, 'match'),
  action: text(row, 'action'),
  externalIds: ovsdbMap(row, 'external_ids'),
  ...some({ tier: ovsdbAtom(row, 'tier') === undefined ? undefined : count(row, 'tier') }),
});

export const dhcpOptionsOf = (row: OvsdbRow): DhcpOptions => ({
  uuid: uuidOf(row),
  cidr: text(row, 'cidr'),
  options: ovsdbMap(row, 'options'),
  externalIds: ovsdbMap(row, 'external_ids'),
});

const natTypes = { snat: 'snat', dnat: 'dnat', dnat_and_snat: 'dnat_and_snat' } as const;
export function natOf(row: OvsdbRow): Nat {
  const type = text(row, 'type');
  return {
    uuid: uuidOf(row),
    type: type === 'snat' || type === 'dnat' ? natTypes[type] : natTypes.dnat_and_snat,
    externalIp: text(row, 'external_ip'),
    logicalIp: text(row, 'logical_ip'),
    options: ovsdbMap(row, 'options'),
    externalIds: ovsdbMap(row, 'external_ids'),
    ...some({
      externalMac: maybeText(row, 'external_mac'),
      logicalPort: maybeText(row, 'logical_port'),
      exemptedExtIps: maybeText(row, 'exempted_ext_ips'),
      allowedExtIps: maybeText(row, 'allowed_ext_ips'),
    }),
  };
}

export const staticRouteOf = (row: OvsdbRow): StaticRoute => ({
  uuid: uuidOf(row),
  prefix: text(row, 'ip_prefix'),
  nexthop: text(row, 'nexthop'),
  policy: text(row, 'policy') === 'src-ip' ? 'src-ip' : 'dst-ip',
  routeTable: text(row, 'route_table'),
  options: ovsdbMap(row, 'options'),
  externalIds: ovsdbMap(row, 'external_ids'),
  ...some({ outputPort: maybeText(row, 'output_port') }),
});

export const routerPolicyOf = (row: OvsdbRow): RouterPolicy => ({
  uuid: uuidOf(row),
  priority: count(row, 'priority'),
  match: text(row, 'match'),
  action: text(row, 'action'),
  nexthops: [...texts(row, 'nexthops'), ...texts(row, 'nexthop')],
  externalIds: ovsdbMap(row, 'external_ids'),
});

export const progressOf = (row: OvsdbRow | undefined): Progress => ({
  nbCfg: row === undefined ? 0 : count(row, 'nb_cfg'),
  nbAt: row === undefined ? 0 : count(row, 'nb_cfg_timestamp'),
  sbCfg: row === undefined ? 0 : count(row, 'sb_cfg'),
  sbAt: row === undefined ? 0 : count(row, 'sb_cfg_timestamp'),
  hvCfg: row === undefined ? 0 : count(row, 'hv_cfg'),
  hvAt: row === undefined ? 0 : count(row, 'hv_cfg_timestamp'),
  options: row === undefined ? new Map() : ovsdbMap(row, 'options'),
});

export const portBindingOf = (row: OvsdbRow): PortBinding => ({
  uuid: uuidOf(row),
  logicalPort: text(row, 'logical_port'),
  type: text(row, 'type'),
  datapath: text(row, 'datapath'),
  tunnelKey: count(row, 'tunnel_key'),
  mac: texts(row, 'mac'),
  portSecurity: texts(row, 'port_security'),
  additionalChassis: texts(row, 'additional_chassis'),
  options: ovsdbMap(row, 'options'),
  natAddresses: texts(row, 'nat_addresses'),
  externalIds: ovsdbMap(row, 'external_ids'),
  ...some({
    chassis: maybeText(row, 'chassis'),
    requestedChassis: maybeText(row, 'requested_chassis'),
    up: flag(row, 'up'),
  }),
});

export function datapathOf(row: OvsdbRow): Datapath {
  const externalIds = ovsdbMap(row, 'external_ids');
  const router = externalIds.get('logical-router');
  return {
    uuid: uuidOf(row),
    tunnelKey: count(row, 'tunnel_key'),
    of:
      router === undefined
        ? { kind: 'switch', uuid: externalIds.get('logical-switch') ?? '' }
        : { kind: 'router', uuid: router },
    externalIds,
  };
}

export const encapOf = (row: OvsdbRow): Encap => ({
  type: text(row, 'type'),
  ip: text(row, 'ip'),
  options: ovsdbMap(row, 'options'),
});

export const logicalBfdOf = (row: OvsdbRow): LogicalBfd => ({
  uuid: uuidOf(row),
  logicalPort: text(row, 'logical_port'),
  destination: text(row, 'dst_ip'),
  status: text(row, 'status'),
});

export const macBindingOf = (row: OvsdbRow): MacBinding => ({
  uuid: uuidOf(row),
  logicalPort: text(row, 'logical_port'),
  ip: text(row, 'ip'),
  mac: text(row, 'mac'),
  datapath: text(row, 'datapath'),
});
