import {
  cidrContains,
  familyOf,
  normalAddress,
  normalCidr,
  parseCidr,
  sameAddress,
  sameCidr,
  sameMac,
} from '../addresses.ts';
import { argvOf, type Difference, type Mend, setWords } from './difference.ts';
import type { LogicalRouter, LogicalView, Nat, SouthView, StaticRoute } from './model.ts';
import {
  type ApiFloatingIp,
  type ApiPort,
  type ApiRouter,
  type ApiSubnet,
  routerName,
  routerPortName,
  switchName,
} from './ordered.ts';

/** A router of Neutron that serves the port, with its ports and as many of their subnets as were looked at. */
export interface OrderedRouter {
  readonly router: ApiRouter;
  readonly ports: readonly ApiPort[];
  readonly subnets: readonly ApiSubnet[];
  /** Floating IPs of the instance's port on this router. */
  readonly floating: readonly ApiFloatingIp[];
  /** Whether the instance's own chassis meets the external network, so that it may answer for its floating IPs. */
  readonly local?: boolean;
}

const isGatewayPort = (p: ApiPort): boolean => p.device_owner === 'network:router_gateway';
const isLeg = (p: ApiPort): boolean => isGatewayPort(p) || p.device_owner.startsWith('network:router_interface');

const row = (title: string, ...words: readonly string[]): Mend => ({ by: 'ovn-nbctl', title, argv: argvOf(words) });

/** The logical router and everything that hangs on it against the API. */
export function compareRouter(
  ordered: OrderedRouter,
  port: ApiPort,
  name: string,
  view: LogicalView,
  south: SouthView | undefined,
): readonly Difference[] {
  const { router } = ordered;
  const rowName = routerName(router.id);
  const found = view.routers.get(router.id);
  const base = {
    layer: 'northbound',
    table: 'Logical_Router',
    object: `Logical_Router ${rowName}`,
    router: router.id,
  } as const;
  if (found === undefined) {
    return [
      {
        ...base,
        kind: 'router-missing',
        summary: `The Northbound has no logical router for ${router.name}`,
        ordered: rowName,
        found: 'no such row',
        mends: [{ by: 'sync' }],
      },
    ];
  }
  const differences: Difference[] = [];
  if ((found.enabled ?? true) !== router.admin_state_up) {
    differences.push({
      ...base,
      kind: 'router-missing',
      summary: `The logical router of ${router.name} is ${found.enabled === false ? 'disabled' : 'enabled'}; Neutron ordered it ${router.admin_state_up ? 'up' : 'down'}`,
      ordered: `enabled ${router.admin_state_up}`,
      found: `enabled ${found.enabled ?? true}`,
      mends: [row('set it again', 'set', 'Logical_Router', rowName, `enabled=${router.admin_state_up}`)],
    });
  }
  const chassis = found.options.get('chassis');
  if (chassis !== undefined) {
    differences.push({
      ...base,
      kind: 'router-missing',
      summary: `The logical router of ${router.name} is pinned to chassis ${chassis} (options:chassis), which Neutron did not order: it routes there alone`,
      ordered: 'no options:chassis',
      found: `options:chassis=${chassis}`,
      mends: [row('remove it, once its maker agrees', 'remove', 'Logical_Router', rowName, 'options', 'chassis')],
    });
  }
  differences.push(
    ...compareLegs(ordered, found, view, south),
    ...compareRoutes(ordered, found),
    ...comparePolicies(ordered, found),
    ...compareNat(ordered, port, name, found),
  );
  return differences;
}

const prefixOf = (subnet: ApiSubnet | undefined): number | undefined =>
  subnet === undefined ? undefined : parseCidr(subnet.cidr)?.prefix;

/** The legs of a router: `lrp-<port id>`, and the switch's port of type router that is the other end of each. */
function compareLegs(
  { router, ports, subnets }: OrderedRouter,
  found: LogicalRouter,
  view: LogicalView,
  south: SouthView | undefined,
): readonly Difference[] {
  const differences: Difference[] = [];
  for (const leg of ports.filter(isLeg)) {
    const legName = routerPortName(leg.id);
    const role = isGatewayPort(leg) ? 'outside' : 'inside';
    const addresses = leg.fixed_ips.map((f) => {
      const prefix = prefixOf(subnets.find((s) => s.id === f.subnet_id));
      return prefix === undefined ? f.ip_address : `${f.ip_address}/${prefix}`;
    });
    const what = `the ${role} port ${setWords(addresses)} of router ${router.name}`;
    const base = {
      layer: 'northbound',
      table: 'Logical_Router_Port',
      object: `Logical_Router_Port ${legName}`,
      router: router.id,
    } as const;
    const legRow = found.ports.find((p) => p.name === legName);
    const making = row(
      'make it again',
      'lrp-add',
      routerName(router.id),
      legName,
      leg.mac_address,
      ...addresses,
      ...['--', 'lsp-set-type', leg.id, 'router', '--', 'lsp-set-addresses', leg.id, 'router'],
      ...['--', 'lsp-set-options', leg.id, `router-port=${legName}`],
      ...(role === 'outside' ? ['nat-addresses=router', 'exclude-lb-vips-from-garp=true'] : []),
      ...['--', 'set', 'Logical_Router_Port', legName],
      `external_ids:neutron\\:router_name="${router.id}"`,
      `external_ids:neutron\\:network_name="${switchName(leg.network_id)}"`,
      `external_ids:neutron\\:subnet_ids="${leg.fixed_ips.map((f) => f.subnet_id).join(' ')}"`,
    );
    if (legRow === undefined) {
      differences.push({
        ...base,
        kind: 'router-port-differs',
        summary: `The Northbound has no router port for ${what}`,
        ordered: `${legName} ${leg.mac_address} ${addresses.join(' ')}`,
        found: setWords(found.ports.map((p) => p.name)),
        mends: [making, { by: 'sync' }],
      });
      continue;
    }
    const differs = (column: string, wanted: string, has: string, mend: Mend, more: Partial<Difference> = {}): void => {
      differences.push({
        ...base,
        kind: 'router-port-differs',
        summary: `${column} of ${what} is ${has}; Neutron ordered ${wanted}`,
        ordered: `${column} ${wanted}`,
        found: `${column} ${has}`,
        mends: [mend],
        ...more,
      });
    };
    if (!sameMac(legRow.mac, leg.mac_address)) {
      differs(
        'mac',
        leg.mac_address,
        legRow.mac,
        row('set it again', 'set', 'Logical_Router_Port', legName, `mac="${leg.mac_address}"`),
      );
    }
    const bare = (n: string): string => normalAddress(n.replace(/\/.*$/, ''));
    const same =
      legRow.networks.length === addresses.length &&
      addresses.every((a) =>
        legRow.networks.some((n) => bare(n) === bare(a) && (!a.includes('/') || n.split('/')[1] === a.split('/')[1])),
      );
    if (!same) {
      differs(
        'networks',
        setWords(addresses),
        setWords(legRow.networks),
        row(
          'set them again',
          'set',
          'Logical_Router_Port',
          legName,
          `networks=${addresses.map((a) => JSON.stringify(a)).join(',')}`,
        ),
      );
    }
    // Neutron never disables a leg: it takes it away.
    if (legRow.enabled === false) {
      differs('enabled', 'true', 'false', row('enable it', 'lrp-set-enabled', legName, 'enabled'));
    }
    if (legRow.peer !== undefined) {
      differs('peer', '(none)', legRow.peer, row('clear it', 'clear', 'Logical_Router_Port', legName, 'peer'));
    }
    const mtu = legRow.options.get('gateway_mtu');
    const redirect = legRow.options.get('redirect-type');
    if (redirect === 'bridged' && role === 'inside') {
      differs(
        'options:redirect-type',
        '(unset)',
        redirect,
        row('remove it', 'remove', 'Logical_Router_Port', legName, 'options', 'redirect-type'),
      );
    }
    if (mtu !== undefined && Number(mtu) < 1280) {
      differs(
        'options:gateway_mtu',
        'the MTU of the network, if any',
        mtu,
        row('remove it', 'remove', 'Logical_Router_Port', legName, 'options', 'gateway_mtu'),
      );
    }
    const end = view.servicePorts.find((p) => p.name === leg.id);
    const joining = row(
      'join the two again',
      ...['lsp-set-type', leg.id, 'router', '--', 'lsp-set-addresses', leg.id, 'router'],
      ...['--', 'lsp-set-options', leg.id, `router-port=${legName}`],
      ...(role === 'outside' ? ['nat-addresses=router', 'exclude-lb-vips-from-garp=true'] : []),
      ...['--', 'lsp-set-enabled', leg.id, 'enabled'],
    );
    const endBase = { table: 'Logical_Switch_Port', object: `Logical_Switch_Port ${leg.id}` } as const;
    if (end !== undefined) {
      if (end.type !== 'router' || end.options.get('router-port') !== legName) {
        differs(
          "the switch's end",
          `type router, router-port=${legName}`,
          `type ${end.type || '(empty)'}, router-port=${end.options.get('router-port') ?? '(none)'}`,
          joining,
          endBase,
        );
      } else if (end.enabled === false && leg.admin_state_up) {
        differs("the switch's end", 'enabled', 'disabled', joining, endBase);
      } else if (
        !end.addresses.some((a) => a === 'router' || a.toLowerCase().startsWith(leg.mac_address.toLowerCase()))
      ) {
        differs("the switch's end", 'addresses router', `addresses ${setWords(end.addresses)}`, joining, endBase);
      }
    } else if (leg.network_id === portNetworkOf(view)) {
      differs(
        "the switch's end",
        `type router, router-port=${legName}`,
        'no such port on the switch',
        { by: 'sync' },
        endBase,
      );
    } else if (south !== undefined) {
      const far = south.bindings.get(legName);
      if (far !== undefined && far.options.get('peer') !== leg.id) {
        differs("the switch's end", `peer ${leg.id}`, `peer ${far.options.get('peer') ?? '(none)'}`, joining, endBase);
      }
    }
    if (south !== undefined && south.bindings.get(legName) === undefined) {
      differences.push({
        ...base,
        layer: 'southbound',
        table: 'Port_Binding',
        kind: 'not-carried-over',
        summary: `The Southbound has no binding for ${what}: ovn-northd has not carried it over`,
        ordered: `Northbound: ${legName}`,
        found: 'Southbound: no such row',
        mends: [],
      });
    }
  }
  return differences;
}

const portNetworkOf = (view: LogicalView): string | undefined => view.lswitch?.name.replace(/^neutron-/, '');

const anywhere = (family: 4 | 6 | undefined): string => (family === 6 ? '::/0' : '0.0.0.0/0');

/** `ovn-nbctl lr-route-list` in one line. */
const routeWords = (r: StaticRoute): string =>
  `${r.prefix} via ${r.nexthop}${r.outputPort === undefined ? '' : ` ${r.outputPort}`}${r.policy === 'src-ip' ? ' src-ip' : ''}${r.routeTable === '' ? '' : ` table ${r.routeTable}`}`;

const byHand = (r: StaticRoute): boolean => !r.externalIds.has('ic-learned-route');

/** Routes: the default one to each external gateway, and the router's extra routes; nothing else. */
function compareRoutes({ router, subnets }: OrderedRouter, found: LogicalRouter): readonly Difference[] {
  const base = { layer: 'northbound', table: 'Logical_Router_Static_Route', router: router.id } as const;
  const wanted = [
    ...(router.external_gateway_info?.external_fixed_ips ?? []).flatMap((f) => {
      const subnet = subnets.find((s) => s.id === f.subnet_id);
      const via = subnet?.gateway_ip;
      return subnet === undefined || !via ? [] : [{ to: anywhere(familyOf(via)), via, of: subnet.id }];
    }),
    ...(router.routes ?? []).map((r) => ({ to: r.destination, via: r.nexthop, of: undefined })),
  ];
  const serves = (r: StaticRoute, w: { readonly to: string; readonly via: string }): boolean =>
    sameCidr(r.prefix, w.to) && sameAddress(r.nexthop, w.via) && r.policy === 'dst-ip' && r.routeTable === '';
  const differences: Difference[] = [];
  const spoken = new Set<StaticRoute>();
  for (const w of wanted) {
    if (found.routes.some((r) => serves(r, w))) continue;
    const instead = found.routes.find((r) => sameCidr(r.prefix, w.to) && !wanted.some((o) => serves(r, o)));
    if (instead !== undefined) spoken.add(instead);
    const whole = normalCidr(w.to) === anywhere(familyOf(w.to));
    differences.push({
      ...base,
      kind: 'route-missing',
      object: `route ${normalCidr(w.to)} of router ${router.name}`,
      summary:
        instead === undefined
          ? `The logical router of ${router.name} has no ${whole ? 'default route' : `route to ${w.to}`}; Neutron ordered it via ${w.via}`
          : `The ${whole ? 'default route' : `route to ${w.to}`} of the logical router of ${router.name} leads to ${instead.nexthop} instead of ${w.via}`,
      ordered: `${w.to} via ${w.via}`,
      found: setWords(found.routes.map(routeWords)),
      mends: [
        row(
          'put the route back',
          ...(instead === undefined
            ? ([] as const)
            : (['remove', 'Logical_Router', routerName(router.id), 'static_routes', instead.uuid, '--'] as const)),
          '--id=@route',
          'create',
          'Logical_Router_Static_Route',
          `ip_prefix=${JSON.stringify(w.to)}`,
          `nexthop=${JSON.stringify(w.via)}`,
          ...(w.of === undefined
            ? []
            : ['external_ids:neutron\\:is_ext_gw="true"', `external_ids:neutron\\:subnet_id="${w.of}"`]),
          ...['--', 'add', 'Logical_Router', routerName(router.id), 'static_routes', '@route'],
        ),
      ],
    });
  }
  // Without the external subnets nobody knows which default route is the ordered one.
  const known = (router.external_gateway_info?.external_fixed_ips ?? []).every((f) =>
    subnets.some((s) => s.id === f.subnet_id),
  );
  for (const r of found.routes) {
    if (spoken.has(r) || wanted.some((w) => serves(r, w)) || !byHand(r)) continue;
    if (!known && r.externalIds.get('neutron:is_ext_gw') === 'true') continue;
    differences.push({
      ...base,
      kind: 'route-stranger',
      object: `route ${r.prefix} of router ${router.name}`,
      summary: `The logical router of ${router.name} has a route that Neutron did not order: ${r.nexthop === 'discard' ? `it throws away what goes ${r.policy === 'src-ip' ? 'out of' : 'to'} ${r.prefix}` : routeWords(r)}`,
      ordered: setWords(wanted.map((w) => `${w.to} via ${w.via}`)),
      found: routeWords(r),
      mends: [
        row(
          'take the route away, once its maker agrees',
          'remove',
          'Logical_Router',
          routerName(router.id),
          'static_routes',
          r.uuid,
        ),
      ],
    });
  }
  return differences;
}

/** Neutron makes no policies (but for some of its own, which it marks as its). */
function comparePolicies({ router }: OrderedRouter, found: LogicalRouter): readonly Difference[] {
  return found.policies
    .filter((p) => ![...p.externalIds.keys()].some((key) => key.startsWith('neutron:')))
    .map((p) => ({
      kind: 'route-stranger',
      layer: 'northbound',
      table: 'Logical_Router_Policy',
      object: `policy ${p.priority} of router ${router.name}`,
      summary: `The logical router of ${router.name} has a policy that Neutron did not order: it ${p.action === 'drop' ? 'drops' : p.action === 'reroute' ? `leads to ${setWords(p.nexthops)}` : 'lets by the routes'} ${p.action === 'allow' ? '' : 'what matches '}"${p.match}"`,
      ordered: 'no policy',
      found: `${p.priority} (${p.match}) ${p.action} ${p.nexthops.join(' ')}`.trim(),
      mends: [
        row(
          'take the policy away, once its maker agrees',
          'remove',
          'Logical_Router',
          routerName(router.id),
          'policies',
          p.uuid,
        ),
      ],
      router: router.id,
      ...(p.action === 'allow' ? { severity: 'warning' as const } : {}),
    }));
}

const natWords = (n: Nat): string =>
  `${n.type} ${n.externalIp} ⇄ ${n.logicalIp}${n.logicalPort === undefined ? '' : ` port ${n.logicalPort}`}${n.externalMac === undefined ? '' : ` mac ${n.externalMac}`}`;

/** Address translation of the port's own addresses: what Neutron ordered, and what else would catch its packets. */
function compareNat(
  { router, ports, subnets, floating, local }: OrderedRouter,
  port: ApiPort,
  name: string,
  found: LogicalRouter,
): readonly Difference[] {
  const differences: Difference[] = [];
  const base = { layer: 'northbound', table: 'NAT', router: router.id } as const;
  const gateway = router.external_gateway_info;
  const outside = (gateway?.external_fixed_ips ?? []).map((f) => f.ip_address).filter((a) => familyOf(a) === 4);
  const own = port.fixed_ips.map((f) => f.ip_address);
  const inside = subnets.filter(
    (s) =>
      s.ip_version === 4 &&
      port.fixed_ips.some((f) => f.subnet_id === s.id) &&
      ports.some((p) => !isGatewayPort(p) && p.fixed_ips.some((f) => f.subnet_id === s.id)),
  );
  const adding = (type: string, external: string, logical: string, ...more: string[]): [string, ...string[]] => [
    '--id=@nat',
    'create',
    'NAT',
    `type=${type}`,
    `external_ip=${JSON.stringify(external)}`,
    `logical_ip=${JSON.stringify(logical)}`,
    ...more,
    ...['--', 'add', 'Logical_Router', routerName(router.id), 'nat', '@nat'],
  ];
  const removing = (n: Nat): string[] => ['remove', 'Logical_Router', routerName(router.id), 'nat', n.uuid];
  const spoken = new Set<Nat>();
  for (const subnet of gateway?.enable_snat === false ? [] : inside) {
    for (const external of outside) {
      const there = found.nat.find(
        (n) => n.type === 'snat' && sameAddress(n.externalIp, external) && sameCidr(n.logicalIp, subnet.cidr),
      );
      if (there !== undefined) {
        spoken.add(there);
        continue;
      }
      const instead = found.nat.find((n) => n.type === 'snat' && sameCidr(n.logicalIp, subnet.cidr));
      if (instead !== undefined) spoken.add(instead);
      differences.push({
        ...base,
        kind: 'nat-missing',
        object: `SNAT ${subnet.cidr} of router ${router.name}`,
        summary:
          instead === undefined
            ? `The logical router of ${router.name} does not translate what ${subnet.cidr} sends out: the row for ${external} is missing`
            : `The logical router of ${router.name} translates what ${subnet.cidr} sends out to ${instead.externalIp} instead of ${external}`,
        ordered: `snat ${external} ⇄ ${subnet.cidr}`,
        found: setWords(found.nat.map(natWords)),
        mends: [
          {
            by: 'ovn-nbctl',
            title: 'put the translation back',
            argv: argvOf([
              ...(instead === undefined ? [] : [...removing(instead), '--']),
              ...adding('snat', external, subnet.cidr),
            ]),
          },
        ],
      });
    }
  }
  for (const f of floating) {
    const fixed = f.fixed_ip_address;
    if (!fixed) continue;
    const external = f.floating_ip_address;
    const rows = found.nat.filter((n) => n.type === 'dnat_and_snat' && sameAddress(n.externalIp, external));
    const there = rows.find((n) => sameAddress(n.logicalIp, fixed));
    const instead = there ?? rows[0];
    if (instead !== undefined) spoken.add(instead);
    const object = `NAT ${external} of router ${router.name}`;
    const mac = instead?.externalIds.get('neutron:fip_external_mac');
    const restored: string[] = [
      `logical_port=${port.id}`,
      `external_ids:neutron\\:fip_id="${f.id}"`,
      `external_ids:neutron\\:fip_port_id="${port.id}"`,
      `external_ids:neutron\\:router_name="${routerName(router.id)}"`,
      `external_ids:neutron\\:fip_network_id="${gateway?.network_id ?? ''}"`,
      ...(mac === undefined ? [] : [`external_ids:neutron\\:fip_external_mac="${mac}"`]),
    ];
    if (there === undefined) {
      differences.push({
        ...base,
        kind: 'nat-missing',
        object,
        summary:
          instead === undefined
            ? `The logical router of ${router.name} has no translation for floating IP ${external} of ${name}`
            : `The logical router of ${router.name} translates floating IP ${external} to ${instead.logicalIp} instead of ${fixed}`,
        ordered: `dnat_and_snat ${external} ⇄ ${fixed}`,
        found: setWords(found.nat.map(natWords)),
        mends: [
          {
            by: 'ovn-nbctl',
            title: 'put the translation back (detaching and attaching the floating IP makes Neutron do so, too)',
            argv: argvOf([
              ...(instead === undefined ? [] : [...removing(instead), '--']),
              ...adding('dnat_and_snat', external, fixed, ...restored),
            ]),
          },
        ],
      });
      continue;
    }
    if (there.logicalPort !== undefined && there.logicalPort !== port.id) {
      differences.push({
        ...base,
        kind: 'nat-missing',
        object,
        summary: `The translation of floating IP ${external} belongs to port ${there.logicalPort} in the Northbound; Neutron ordered ${name}`,
        ordered: `logical_port ${port.id}`,
        found: natWords(there),
        mends: [row('name the port again', 'set', 'NAT', there.uuid, `logical_port=${port.id}`)],
      });
    }
    if (there.externalMac !== undefined && mac !== undefined && !sameMac(there.externalMac, mac)) {
      differences.push({
        ...base,
        kind: 'nat-missing',
        object,
        summary: `The chassis of ${name} answers for floating IP ${external} with MAC ${there.externalMac}; Neutron ordered ${mac}`,
        ordered: `external_mac ${mac}`,
        found: natWords(there),
        mends: [
          local === true
            ? row('set it again', 'set', 'NAT', there.uuid, `external_mac="${mac}"`)
            : row('let the gateway chassis answer for it', 'clear', 'NAT', there.uuid, 'external_mac'),
        ],
      });
    }
    if (there.externalMac !== undefined && there.logicalPort === undefined) {
      differences.push({
        ...base,
        kind: 'nat-missing',
        object,
        summary: `The translation of floating IP ${external} names a MAC and no port in the Northbound: no chassis answers for it`,
        ordered: `logical_port ${port.id}`,
        found: natWords(there),
        mends: [row('name the port again', 'set', 'NAT', there.uuid, `logical_port=${port.id}`)],
      });
    }
    for (const exempt of ['exemptedExtIps', 'allowedExtIps'] as const) {
      const set = there[exempt];
      if (set === undefined) continue;
      const column = exempt === 'exemptedExtIps' ? 'exempted_ext_ips' : 'allowed_ext_ips';
      differences.push({
        ...base,
        kind: 'nat-stranger',
        object,
        summary: `The translation of floating IP ${external} has ${column}, which Neutron did not order: it holds for some ends only`,
        ordered: `no ${column}`,
        found: `${column} ${set}`,
        mends: [row('clear it, once its maker agrees', 'clear', 'NAT', there.uuid, column)],
      });
    }
  }
  const claimed = [...outside, ...floating.map((f) => f.floating_ip_address)];
  for (const n of found.nat) {
    if (spoken.has(n)) continue;
    const ofOwn = own.some((ip) => cidrContains(n.logicalIp, ip));
    const catches =
      n.type === 'snat'
        ? ofOwn
        : own.some((ip) => sameAddress(n.logicalIp, ip)) || claimed.some((ip) => sameAddress(n.externalIp, ip));
    if (!catches) continue;
    // Neutron's row of a floating IP that was just taken away, or of a snat that is switched off.
    differences.push({
      ...base,
      kind: 'nat-stranger',
      object: `NAT ${n.externalIp} of router ${router.name}`,
      summary: `The logical router of ${router.name} has a translation that the API does not explain and that catches packets of ${name}: ${natWords(n)}`,
      ordered: setWords([
        ...(gateway?.enable_snat === false ? [] : inside.flatMap((s) => outside.map((o) => `snat ${o} ⇄ ${s.cidr}`))),
        ...floating.map((f) => `dnat_and_snat ${f.floating_ip_address} ⇄ ${f.fixed_ip_address ?? ''}`),
      ]),
      found: natWords(n),
      mends: [row('take it away, once its maker agrees', ...removing(n))],
    });
  }
  return differences;
}
