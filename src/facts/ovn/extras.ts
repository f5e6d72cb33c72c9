import { observed } from '../../engine/fact.ts';
import type { OvsdbRow } from '../../nodes/parse/ovsdb.ts';
import { ovsdbMap } from '../../nodes/parse/ovsdb.ts';
import type { LogicalExtras } from '../../path/ovn/compare-extras.ts';
import { groupName, routerName, routerPortName, switchName } from '../../path/ovn/ordered.ts';
import { count, text, texts, uuidOf } from '../../path/ovn/rows.ts';
import { source } from '../io.ts';
import { securityGroups, servingRouters } from '../port-api.ts';
import { type PortSubject, theCloud } from '../subject.ts';
import { ask, equals, listing, ovnDatabases } from './databases.ts';

/** QoS, load balancers and static neighbours on the port's switch and routers. */
export const logicalExtras = source<PortSubject, LogicalExtras>(
  'port.ovn.extras',
  (subject) => subject.id,
  async (subject, facts) => {
    const [databases, serving] = await Promise.all([
      facts.get(ovnDatabases, theCloud),
      facts.get(servingRouters, subject),
    ]);
    if (!databases.ok) return databases;
    const { nb } = databases.value.value;
    if (!nb.ok) return nb;
    const routers = serving.ok ? serving.value.value : [];
    const legs = routers.flatMap((s) => s.ports.map((p) => routerPortName(p.id)));
    const owners = await ask(facts, nb.value, 'nb', [
      ['find', 'Logical_Switch', equals('name', switchName(subject.port.value.network_id))],
      ...routers.map((s) => ['find', 'Logical_Router', equals('name', routerName(s.router.id))]),
    ]);
    if (!owners.ok) return owners;
    const rows = owners.value.value.flatMap((table, at) =>
      table.map((row) => ({ row, name: `${at === 0 ? 'Logical_Switch' : 'Logical_Router'} ${text(row, 'name')}` })),
    );
    const qosIds = rows.flatMap(({ row }) => texts(row, 'qos_rules'));
    const lbIds = [...new Set(rows.flatMap(({ row }) => texts(row, 'load_balancer')))];
    const wanted: (readonly [string, readonly string[]])[] = [
      ...listing('QoS', qosIds).map((words) => ['qos', words] as const),
      ...listing('Load_Balancer', lbIds).map((words) => ['lb', words] as const),
    ];
    const [answer, neighbours] = await Promise.all([
      ask(
        facts,
        nb.value,
        'nb',
        wanted.map(([, words]) => words),
      ),
      // The table came with OVN 22.06: a call of its own, whose failure says that there is none.
      ask(
        facts,
        nb.value,
        'nb',
        legs.map((leg) => ['find', 'Static_MAC_Binding', equals('logical_port', leg)]),
      ),
    ]);
    if (!answer.ok) return answer;
    const of = (name: string): readonly OvsdbRow[] =>
      answer.value.value.filter((_, at) => wanted[at]?.[0] === name).flat();
    return observed(
      {
        qos: of('qos').map((row) => ({
          uuid: uuidOf(row),
          direction: text(row, 'direction'),
          priority: count(row, 'priority'),
          match: text(row, 'match'),
          bandwidth: ovsdbMap(row, 'bandwidth'),
          action: ovsdbMap(row, 'action'),
          externalIds: ovsdbMap(row, 'external_ids'),
        })),
        loadBalancers: of('lb').map((row) => ({
          uuid: uuidOf(row),
          name: text(row, 'name'),
          protocol: text(row, 'protocol') || 'tcp',
          vips: ovsdbMap(row, 'vips'),
          externalIds: ovsdbMap(row, 'external_ids'),
          on: rows.filter(({ row: owner }) => texts(owner, 'load_balancer').includes(uuidOf(row))).map((o) => o.name),
        })),
        staticMacBindings: (neighbours.ok ? neighbours.value.value.flat() : []).map((row) => ({
          uuid: uuidOf(row),
          logicalPort: text(row, 'logical_port'),
          ip: text(row, 'ip'),
          mac: text(row, 'mac'),
        })),
      },
      ...owners.value.evidence,
      ...answer.value.evidence,
      ...(neighbours.ok ? neighbours.value.evidence : []),
    );
  },
);

/** The address sets that rules of the port's groups name, by name, as ovn-northd made them. */
export const addressSets = source<PortSubject, ReadonlyMap<string, readonly string[]>>(
  'port.ovn.address-sets',
  (subject) => subject.id,
  async (subject, facts) => {
    const [databases, groups] = await Promise.all([
      facts.get(ovnDatabases, theCloud),
      facts.get(securityGroups, subject),
    ]);
    if (!databases.ok) return databases;
    if (!groups.ok) return groups;
    const { sb } = databases.value.value;
    if (!sb.ok) return sb;
    const remote = new Set(
      groups.value.value.flatMap((g) => g.security_group_rules.flatMap((r) => r.remote_group_id ?? [])),
    );
    const names = [...remote].flatMap((id) => [`${groupName(id)}_ip4`, `${groupName(id)}_ip6`]);
    const answer = await ask(
      facts,
      sb.value,
      'sb',
      names.map((name) => ['find', 'Address_Set', equals('name', name)]),
    );
    if (!answer.ok) return answer;
    return observed(
      new Map(answer.value.value.flat().map((row) => [text(row, 'name'), texts(row, 'addresses')])),
      ...answer.value.evidence,
    );
  },
);
