import { argvOf, type Difference, setWords } from './difference.ts';
import { concerns } from './match.ts';
import type { LogicalView, SouthView, SwitchPort } from './model.ts';
import { type ApiNetwork, type ApiPort, switchName } from './ordered.ts';

/** Keys of other_config that Neutron writes, in any release; others change what the switch does. */
const ordinary = new Set([
  'mcast_snoop',
  'mcast_flood_unregistered',
  'vlan-passthru',
  'fdb_age_threshold',
  'broadcast-arps-to-all-routers',
]);

/** The port's logical switch: that it is there, holds the port, and has nothing that Neutron did not order. */
export function compareSwitch(
  port: ApiPort,
  name: string,
  network: ApiNetwork,
  view: LogicalView,
  south: SouthView | undefined,
): readonly Difference[] {
  const wanted = switchName(port.network_id);
  const object = `Logical_Switch ${wanted}`;
  const { lswitch, port: lsp } = view;
  if (lswitch === undefined) {
    return [
      {
        kind: 'switch-differs',
        layer: 'northbound',
        table: 'Logical_Switch',
        object,
        summary: `The Northbound has no logical switch for network ${network.name}`,
        ordered: wanted,
        found: 'no such row',
        mends: [{ by: 'sync' }],
      },
    ];
  }
  const differences: Difference[] = [];
  if (lsp !== undefined && (lswitch.name !== wanted || !lswitch.ports.includes(lsp.uuid))) {
    differences.push({
      kind: 'switch-differs',
      layer: 'northbound',
      table: 'Logical_Switch',
      object,
      summary: `The logical switch port of ${name} is not on the switch of its network ${network.name}${lswitch.name === wanted ? '' : ` but on ${lswitch.name}`}`,
      ordered: `${port.id} among the ports of ${wanted}`,
      found: lswitch.name === wanted ? 'among the ports of another switch' : `on ${lswitch.name}`,
      mends: [
        {
          by: 'ovn-nbctl',
          title: 'move it to the switch of its network',
          argv: argvOf([
            ...(lswitch.name === wanted
              ? ([] as const)
              : (['remove', 'Logical_Switch', lswitch.name, 'ports', lsp.uuid, '--'] as const)),
            'add',
            'Logical_Switch',
            wanted,
            'ports',
            lsp.uuid,
          ]),
        },
        { by: 'sync' },
      ],
    });
  }
  if (south !== undefined && ![...south.datapaths.values()].some((d) => d.of.uuid === lswitch.uuid)) {
    differences.push({
      kind: 'not-carried-over',
      layer: 'southbound',
      table: 'Datapath_Binding',
      object: `Datapath_Binding ${wanted}`,
      summary: `The Southbound has no datapath for network ${network.name}: ovn-northd has not carried its switch over`,
      ordered: `Northbound: ${wanted} ${lswitch.uuid}`,
      found: 'Southbound: no such row',
      mends: [],
    });
  }
  differences.push(...compareLocalnets(network, wanted, view.servicePorts));
  for (const acl of view.switchAcls) {
    if (
      !concerns(
        acl.match,
        port.id,
        view.portGroups.map((g) => g.name),
      )
    )
      continue;
    const drops = acl.action === 'drop' || acl.action === 'reject';
    differences.push({
      kind: 'acl-stranger',
      layer: 'northbound',
      table: 'ACL',
      object: `ACL ${acl.uuid.slice(0, 8)} of ${wanted}`,
      summary: `An ACL on the switch of network ${network.name}, which Neutron did not order, ${drops ? `${acl.action}s` : 'lets through'} packets of ${name}: ${acl.direction} ${acl.priority} "${acl.match}"`,
      ordered: 'no ACL on the switch: security groups are port groups',
      found: `${acl.direction} ${acl.priority} ${acl.match} ${acl.action}`,
      mends: [
        {
          by: 'ovn-nbctl',
          title: 'take the ACL off the switch, once its maker agrees',
          argv: ['remove', 'Logical_Switch', wanted, 'acls', acl.uuid],
        },
      ],
      ...(drops ? {} : { severity: 'warning' }),
    });
  }
  for (const [key, value] of lswitch.otherConfig) {
    if (ordinary.has(key)) continue;
    differences.push({
      kind: 'switch-stranger',
      layer: 'northbound',
      table: 'Logical_Switch',
      object,
      summary: `The switch of network ${network.name} has other_config:${key}=${value}, which Neutron did not order`,
      ordered: `no other_config:${key}`,
      found: `other_config:${key}=${value}`,
      mends: [
        {
          by: 'ovn-nbctl',
          title: 'remove it, once its maker agrees',
          argv: ['remove', 'Logical_Switch', wanted, 'other_config', key],
        },
      ],
      severity: 'warning',
    });
  }
  return differences;
}

/** How a network meets the wires: a localnet port per segment with a physical network (create_provnet_port). */
export function compareLocalnets(
  network: ApiNetwork,
  lswitch: string,
  ports: readonly SwitchPort[],
): readonly Difference[] {
  const type = network['provider:network_type'];
  // Hidden from an ordinary project, or in `segments` of a network that has several.
  if (type === undefined || type === null) return [];
  const localnets = ports.filter((p) => p.type === 'localnet');
  const physical = network['provider:physical_network'] ?? undefined;
  const tag = type === 'vlan' ? (network['provider:segmentation_id'] ?? undefined) : undefined;
  const base = { kind: 'localnet-differs', layer: 'northbound', table: 'Logical_Switch_Port' } as const;
  const words = (net: string | undefined, vlan: number | undefined): string =>
    `network_name ${net ?? '(none)'}${vlan === undefined ? '' : ` tag ${vlan}`}`;
  const wordsOf = (p: SwitchPort): string => words(p.options.get('network_name'), p.tag);
  if (physical === undefined) {
    return localnets.map((p) => ({
      ...base,
      object: `Logical_Switch_Port ${p.name}`,
      summary: `The switch of network ${network.name} has a localnet port ${p.name}, which Neutron did not order: its packets leave onto ${p.options.get('network_name') ?? 'a wire'} instead of through tunnels`,
      ordered: `no localnet port: the network is ${type}`,
      found: `${p.name} ${wordsOf(p)}`,
      mends: [{ by: 'ovn-nbctl', title: 'delete it, once its maker agrees', argv: ['lsp-del', p.name] }],
    }));
  }
  const fits = (p: SwitchPort): boolean => p.options.get('network_name') === physical && p.tag === tag;
  if (localnets.some((p) => fits(p) && p.enabled !== false)) return [];
  const [first] = localnets;
  const setTag = tag === undefined ? [] : [`tag=${tag}`];
  if (first === undefined) {
    return [
      {
        ...base,
        object: `localnet port of ${lswitch}`,
        summary: `The switch of network ${network.name} has no localnet port: nothing joins it to physical network ${physical}`,
        ordered: words(physical, tag),
        found: 'no localnet port',
        mends: [
          {
            by: 'ovn-nbctl',
            title:
              'make it again; its name ends in the id of the segment (openstack network segment list), which the network may have instead',
            argv: [
              ...(['lsp-add', lswitch, `provnet-${network.id}`] as const),
              ...['--', 'lsp-set-type', `provnet-${network.id}`, 'localnet'],
              ...['--', 'lsp-set-addresses', `provnet-${network.id}`, 'unknown'],
              ...['--', 'lsp-set-options', `provnet-${network.id}`, `network_name=${physical}`],
              ...(tag === undefined ? [] : ['--', 'set', 'Logical_Switch_Port', `provnet-${network.id}`, ...setTag]),
            ],
          },
        ],
      },
    ];
  }
  if (fits(first)) {
    return [
      {
        ...base,
        object: `Logical_Switch_Port ${first.name}`,
        summary: `The localnet port ${first.name} of network ${network.name} is disabled: nothing passes to physical network ${physical}`,
        ordered: 'enabled',
        found: 'enabled false',
        mends: [{ by: 'ovn-nbctl', title: 'enable it', argv: ['lsp-set-enabled', first.name, 'enabled'] }],
      },
    ];
  }
  return [
    {
      ...base,
      object: `Logical_Switch_Port ${first.name}`,
      summary: `The localnet port of network ${network.name} has ${wordsOf(first)}; Neutron ordered ${words(physical, tag)}`,
      ordered: words(physical, tag),
      found: setWords(localnets.map((p) => `${p.name} ${wordsOf(p)}`)),
      mends: [
        {
          by: 'ovn-nbctl',
          title: 'set it again',
          argv: [
            ...(['set', 'Logical_Switch_Port', first.name, `options:network_name=${physical}`, ...setTag] as const),
            ...(tag === undefined && first.tag !== undefined
              ? ['--', 'clear', 'Logical_Switch_Port', first.name, 'tag', 'tag_request']
              : []),
          ],
        },
      ],
    },
  ];
}
