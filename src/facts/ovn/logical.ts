import { observed } from '../../engine/fact.ts';
import type { OvsdbRow } from '../../nodes/parse/ovsdb.ts';
import { ovsdbMap } from '../../nodes/parse/ovsdb.ts';
import type {
  Acl,
  GatewayCandidate,
  LogicalRouter,
  LogicalView,
  PortGroup,
  RouterPort,
  SwitchPort,
} from '../../path/ovn/model.ts';
import {
  aclOf,
  count,
  dhcpOptionsOf,
  natOf,
  progressOf,
  routerPolicyOf,
  staticRouteOf,
  switchOf,
  switchPortOf,
  text,
  texts,
  uuidOf,
} from '../../path/ovn/rows.ts';
import { source } from '../io.ts';
import { portSubnets, servingRouters } from '../port-api.ts';
import { type PortSubject, theCloud } from '../subject.ts';
import { ask, equals, keyed, listing, ovnDatabases } from './databases.ts';

/** Names that Neutron gives its rows (neutron/common/ovn/utils.py, ovn_name, ovn_port_group_name). */
export const neutronName = (id: string): string => `neutron-${id}`;
export const portGroupName = (securityGroup: string): string => `pg_${securityGroup.replaceAll('-', '_')}`;
/** Neutron's group of all ports with port security: it drops what no rule allows. */
export const dropGroup = 'neutron_pg_drop';

type Tables = ReadonlyMap<string, readonly OvsdbRow[]>;

/** What the NB has of the port and all it leans on, in three looks: by Neutron's names, by what those name, by what that names. */
export const logicalView = source<PortSubject, LogicalView>(
  'port.ovn.logical',
  (subject) => subject.id,
  async (subject, facts) => {
    const [databases, subnets, serving] = await Promise.all([
      facts.get(ovnDatabases, theCloud),
      facts.get(portSubnets, subject),
      facts.get(servingRouters, subject),
    ]);
    if (!databases.ok) return databases;
    const { nb } = databases.value.value;
    if (!nb.ok) return nb;
    const way = nb.value;
    const { network_id, security_groups } = subject.port.value;
    const subnetIds = subnets.ok
      ? subnets.value.value.map((s) => s.id)
      : subject.port.value.fixed_ips.map((f) => f.subnet_id);
    const routers = serving.ok ? serving.value.value.map((s) => s.router) : [];
    const outsideIds = [...new Set(routers.flatMap((r) => r.external_gateway_info?.network_id ?? []))];
    const groupNames = [...(security_groups ?? []).map(portGroupName), dropGroup];
    const evidence = [...databases.value.evidence];

    /** One look: tables by a name of ours, several commands may fill one. */
    const look = async (commands: readonly (readonly [string, readonly string[]])[]) => {
      const answer = await ask(
        facts,
        way,
        'nb',
        commands.map(([, words]) => words),
      );
      if (!answer.ok) return answer;
      evidence.push(...answer.value.evidence);
      const tables = new Map<string, OvsdbRow[]>();
      for (const [at, rows] of answer.value.value.entries()) {
        const name = commands[at]?.[0] ?? '';
        tables.set(name, [...(tables.get(name) ?? []), ...rows]);
      }
      return observed<Tables>(tables);
    };
    const named = (as: string, table: string, names: readonly string[]) =>
      names.map((name) => [as, ['find', table, equals('name', name)]] as const);
    const listed = (as: string, table: string, uuids: readonly string[]) =>
      listing(table, uuids).map((words) => [as, words] as const);
    const inNetwork = (network: string) => keyed('external_ids', 'neutron:network_name', neutronName(network));

    const first = await look([
      ['global', ['find', 'NB_Global']],
      ...named('port', 'Logical_Switch_Port', [subject.id]),
      ...named('switch', 'Logical_Switch', [network_id, ...outsideIds].map(neutronName)),
      ['service', ['find', 'Logical_Switch_Port', 'type!=""', inNetwork(network_id)]],
      // Those of provider networks carry no name of their network.
      ['localnet', ['find', 'Logical_Switch_Port', 'type=localnet']],
      ...named('group', 'Port_Group', groupNames),
      ...subnetIds.map((id) => ['dhcp', ['find', 'DHCP_Options', keyed('external_ids', 'subnet_id', id)]] as const),
      ...named(
        'router',
        'Logical_Router',
        routers.map((r) => neutronName(r.id)),
      ),
    ]);
    if (!first.ok) return first;
    const one = first.value.value;
    const rows = (tables: Tables, name: string): readonly OvsdbRow[] => tables.get(name) ?? [];
    const port = rows(one, 'port').map(switchPortOf)[0];
    const switches = rows(one, 'switch').map(switchOf);
    const lswitch = switches.find((s) => s.name === neutronName(network_id));
    const routerRows = rows(one, 'router');
    const dhcpKnown = rows(one, 'dhcp').map(uuidOf);
    const dhcpNamed = [port?.dhcpv4, port?.dhcpv6].filter((id) => id !== undefined && !dhcpKnown.includes(id));

    const second = await look([
      ...(port === undefined ? [] : [['member', ['find', 'Port_Group', `ports{>=}${port.uuid}`]] as const]),
      ...listed('acl', 'ACL', [...rows(one, 'group').flatMap((g) => texts(g, 'acls')), ...(lswitch?.acls ?? [])]),
      ...listed('dhcp', 'DHCP_Options', dhcpNamed as string[]),
      ...listed(
        'leg',
        'Logical_Router_Port',
        routerRows.flatMap((r) => texts(r, 'ports')),
      ),
      ...listed(
        'nat',
        'NAT',
        routerRows.flatMap((r) => texts(r, 'nat')),
      ),
      ...listed(
        'route',
        'Logical_Router_Static_Route',
        routerRows.flatMap((r) => texts(r, 'static_routes')),
      ),
      ...listed(
        'policy',
        'Logical_Router_Policy',
        routerRows.flatMap((r) => texts(r, 'policies')),
      ),
    ]);
    if (!second.ok) return second;
    const two = second.value.value;
    const groupRows = new Map([...rows(one, 'group'), ...rows(two, 'member')].map((row) => [uuidOf(row), row]));
    const aclsKnown = new Set(rows(two, 'acl').map(uuidOf));
    const legs = rows(two, 'leg');

    const third = await look([
      ...listed(
        'acl',
        'ACL',
        [...groupRows.values()].flatMap((g) => texts(g, 'acls')).filter((id) => !aclsKnown.has(id)),
      ),
      ...listed(
        'candidate',
        'Gateway_Chassis',
        legs.flatMap((l) => texts(l, 'gateway_chassis')),
      ),
      ...listed(
        'ha',
        'HA_Chassis_Group',
        legs.flatMap((l) => texts(l, 'ha_chassis_group')),
      ),
    ]);
    if (!third.ok) return third;
    const three = third.value.value;
    const haRows = rows(three, 'ha');
    const fourth = await look(
      listed(
        'member',
        'HA_Chassis',
        haRows.flatMap((g) => texts(g, 'ha_chassis')),
      ),
    );
    if (!fourth.ok) return fourth;

    const byUuid = (...lists: readonly (readonly OvsdbRow[])[]) =>
      new Map(lists.flat().map((row) => [uuidOf(row), row] as const));
    const aclRows = byUuid(rows(two, 'acl'), rows(three, 'acl'));
    const aclsOf = (ids: readonly string[], owner: string): readonly Acl[] =>
      ids.flatMap((id) => {
        const row = aclRows.get(id);
        return row === undefined ? [] : [aclOf(row, owner)];
      });
    const groups = [...groupRows.values()].map(
      (row): PortGroup => ({
        uuid: uuidOf(row),
        name: text(row, 'name'),
        ports: texts(row, 'ports'),
        acls: aclsOf(texts(row, 'acls'), text(row, 'name')),
        externalIds: ovsdbMap(row, 'external_ids'),
      }),
    );
    const candidateRows = byUuid(rows(three, 'candidate'), rows(fourth.value.value, 'member'));
    const haById = byUuid(haRows);
    const candidatesOf = (leg: OvsdbRow): readonly GatewayCandidate[] =>
      [
        ...texts(leg, 'gateway_chassis'),
        ...texts(leg, 'ha_chassis_group').flatMap((id) => {
          const group = haById.get(id);
          return group === undefined ? [] : texts(group, 'ha_chassis');
        }),
      ]
        .flatMap((id): GatewayCandidate[] => {
          const row = candidateRows.get(id);
          return row === undefined ? [] : [{ chassis: text(row, 'chassis_name'), priority: count(row, 'priority') }];
        })
        .sort((a, b) => b.priority - a.priority);
    const legOf = (row: OvsdbRow): RouterPort => {
      const enabled = row.get('enabled');
      const peer = text(row, 'peer');
      return {
        uuid: uuidOf(row),
        name: text(row, 'name'),
        mac: text(row, 'mac'),
        networks: texts(row, 'networks'),
        options: ovsdbMap(row, 'options'),
        ipv6RaConfigs: ovsdbMap(row, 'ipv6_ra_configs'),
        candidates: candidatesOf(row),
        externalIds: ovsdbMap(row, 'external_ids'),
        ...(typeof enabled === 'boolean' ? { enabled } : {}),
        ...(peer === '' ? {} : { peer }),
      };
    };
    const tables = {
      leg: byUuid(legs),
      nat: byUuid(rows(two, 'nat')),
      route: byUuid(rows(two, 'route')),
      policy: byUuid(rows(two, 'policy')),
    };
    const referred = <T>(row: OvsdbRow, column: string, table: keyof typeof tables, make: (row: OvsdbRow) => T): T[] =>
      texts(row, column).flatMap((id) => {
        const found = tables[table].get(id);
        return found === undefined ? [] : [make(found)];
      });
    const routerOf = (row: OvsdbRow): LogicalRouter => {
      const enabled = row.get('enabled');
      return {
        uuid: uuidOf(row),
        name: text(row, 'name'),
        options: ovsdbMap(row, 'options'),
        ports: referred(row, 'ports', 'leg', legOf),
        nat: referred(row, 'nat', 'nat', natOf),
        routes: referred(row, 'static_routes', 'route', staticRouteOf),
        policies: referred(row, 'policies', 'policy', routerPolicyOf),
        externalIds: ovsdbMap(row, 'external_ids'),
        ...(typeof enabled === 'boolean' ? { enabled } : {}),
      };
    };
    const localnets = rows(one, 'localnet').map(switchPortOf);
    const ofSwitch = (members: readonly string[], ports: readonly SwitchPort[]) =>
      ports.filter((p) => members.includes(p.uuid));
    const service = rows(one, 'service')
      .map(switchPortOf)
      .filter((p) => p.uuid !== port?.uuid);
    return observed(
      {
        port,
        lswitch,
        servicePorts:
          lswitch === undefined
            ? service
            : ofSwitch(lswitch.ports, [...service.filter((p) => p.type !== 'localnet'), ...localnets]),
        portGroups: port === undefined ? [] : groups.filter((g) => g.ports.includes(port.uuid)),
        securityGroups: new Map(groupNames.map((name) => [name, groups.find((g) => g.name === name)])),
        switchAcls: lswitch === undefined ? [] : aclsOf(lswitch.acls, lswitch.name),
        dhcp: [...byUuid(rows(one, 'dhcp'), rows(two, 'dhcp')).values()].map(dhcpOptionsOf),
        routers: new Map(
          routers.map((r) => {
            const row = routerRows.find((found) => text(found, 'name') === neutronName(r.id));
            return [r.id, row === undefined ? undefined : routerOf(row)];
          }),
        ),
        outside: new Map(
          outsideIds.map((id) => {
            const found = switches.find((s) => s.name === neutronName(id));
            return [id, { lswitch: found, localnets: found === undefined ? [] : ofSwitch(found.ports, localnets) }];
          }),
        ),
        progress: progressOf(rows(one, 'global')[0]),
      },
      ...evidence,
    );
  },
);
