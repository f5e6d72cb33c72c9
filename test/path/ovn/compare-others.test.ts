import { describe, expect, it } from 'vitest';
import {
  compareAcls,
  compareAddressSets,
  compareStrangerGroups,
  orderedMatch,
} from '../../../src/path/ovn/compare-acls.ts';
import { compareDhcp } from '../../../src/path/ovn/compare-dhcp.ts';
import { compareLoadBalancers, compareQos, compareStaticNeighbours } from '../../../src/path/ovn/compare-extras.ts';
import { compareGateway, compareNeighbours, type GatewayScene } from '../../../src/path/ovn/compare-gateway.ts';
import { compareRouter } from '../../../src/path/ovn/compare-router.ts';
import { compareLocalnets, compareSwitch } from '../../../src/path/ovn/compare-switch.ts';
import { sameMatch } from '../../../src/path/ovn/match.ts';
import type { Acl, LogicalRouter, LogicalView, PortGroup } from '../../../src/path/ovn/model.ts';
import { dropGroup, groupName } from '../../../src/path/ovn/ordered.ts';
import { addressSets, api, found, groups, name, router, south, view, withRouter } from '../../support/ovn-ordered.ts';

const kinds = (differences: readonly { readonly kind: string }[]): string[] => differences.map((d) => d.kind);
const id = api.port.id;

describe('the logical switch', () => {
  it('is as ordered', () => {
    expect(compareSwitch(api.port, name, api.network, view, south)).toEqual([]);
    for (const { localnets } of view.outside.values())
      expect(compareLocalnets(api.outside, 'x', localnets)).toEqual([]);
  });

  it('is missing, or does not hold the port', () => {
    expect(kinds(compareSwitch(api.port, name, api.network, { ...view, lswitch: undefined }, south))).toEqual([
      'switch-differs',
    ]);
    const without = { ...view, lswitch: view.lswitch === undefined ? undefined : { ...view.lswitch, ports: [] } };
    expect(kinds(compareSwitch(api.port, name, api.network, without, south))).toEqual(['switch-differs']);
  });

  it('has an ACL that acts on the port, and none that acts on another', () => {
    const acl = (match: string): Acl => ({
      uuid: 'a',
      owner: 's',
      direction: 'to-lport',
      priority: 2000,
      match,
      action: 'drop',
      externalIds: new Map(),
    });
    const of = (match: string) =>
      compareSwitch(api.port, name, api.network, { ...view, switchAcls: [acl(match)] }, south);
    expect(kinds(of(`outport == "${id}" && icmp4`))).toEqual(['acl-stranger']);
    expect(kinds(of('arp'))).toEqual(['acl-stranger']);
    expect(of('outport == "another"')).toEqual([]);
  });

  it('joins its network to the wire by name and tag', () => {
    const [outside] = [...view.outside.values()];
    const [localnet] = outside?.localnets ?? [];
    if (localnet === undefined) throw new Error('no localnet port');
    const named = { ...localnet, options: new Map([['network_name', 'physnet9']]) };
    expect(kinds(compareLocalnets(api.outside, 'x', [named]))).toEqual(['localnet-differs']);
    expect(kinds(compareLocalnets(api.outside, 'x', [{ ...localnet, tag: 7 }]))).toEqual(['localnet-differs']);
    expect(kinds(compareLocalnets(api.outside, 'x', []))).toEqual(['localnet-differs']);
    expect(kinds(compareLocalnets(api.network, 'x', [localnet]))).toEqual(['localnet-differs']);
  });

  it('has a QoS rule that nobody signed', () => {
    const rule = {
      uuid: 'q',
      direction: 'to-lport',
      priority: 1,
      match: `outport == "${id}"`,
      bandwidth: new Map([['rate', '1']]),
      action: new Map(),
      externalIds: new Map<string, string>(),
    };
    const of = (qos: typeof rule) =>
      compareQos(api.port, name, api.network, [], { qos: [qos], loadBalancers: [], staticMacBindings: [] });
    expect(kinds(of(rule))).toEqual(['switch-stranger']);
    expect(of({ ...rule, externalIds: new Map([['neutron:port_id', id]]) })).toEqual([]);
  });
});

describe('security groups as ACLs', () => {
  const own = groupName(api.port.security_groups?.[0] ?? '');
  const group = view.securityGroups.get(own) as PortGroup;
  const withGroup = (changed: Partial<PortGroup>): LogicalView => ({
    ...view,
    securityGroups: new Map([...view.securityGroups, [own, { ...group, ...changed }]]),
  });
  const clean = { missing: [], extra: [], chainsMissing: [], notEnforced: [] };

  it('are those that the API orders: every expression is as Neutron writes it', () => {
    const e = compareAcls(api.port, groups, view);
    expect(e).toMatchObject(clean);
    expect(e.found).toHaveLength(5);
    const written = group.acls.map((a) => a.match);
    for (const rule of groups[0]?.rules ?? []) expect(written).toContain(orderedMatch(own, rule));
  });

  it('lack a rule whose ACL is gone, narrowed, or of another priority', () => {
    const icmp = group.acls.filter((a) => a.match.includes('icmp4'));
    const rest = group.acls.filter((a) => !a.match.includes('icmp4'));
    const changed = (change: Partial<Acl>) => [...rest, ...icmp.map((a) => ({ ...a, ...change }))];
    for (const acls of [
      rest,
      changed({ match: `${icmp[0]?.match} && ip4.src == 10.9.9.9` }),
      changed({ priority: 900 }),
    ]) {
      const e = compareAcls(api.port, groups, withGroup({ acls }));
      expect(e.missing.map((m) => m.of.rule.protocol)).toEqual(['icmp']);
      expect(e.mends.length).toBeGreaterThan(0);
    }
  });

  it('may leave out an address group, which Zed does not know', () => {
    const grouped = groups.map((g) => ({
      ...g,
      rules: g.rules.map((r) =>
        r.protocol === 'icmp' ? { ...r, remoteIpPrefix: null, remoteAddressGroupId: 'ag-1' } : r,
      ),
    }));
    expect(compareAcls(api.port, grouped, view)).toMatchObject(clean);
  });

  it('hold an ACL that no rule explains', () => {
    const stale: Acl = {
      ...(group.acls[0] as Acl),
      uuid: 'stale',
      match: `outport == @${own} && ip4 && tcp`,
      externalIds: new Map(),
    };
    const e = compareAcls(api.port, groups, withGroup({ acls: [...group.acls, stale] }));
    expect(e.extra.map((x) => x.effect)).toEqual(['lets through']);
  });

  it('do not hold the port where it is no member, and do not drop where the drop is gone', () => {
    expect(compareAcls(api.port, groups, withGroup({ ports: [] })).chainsMissing).toHaveLength(1);
    const out = { ...view, portGroups: view.portGroups.filter((g) => g.name !== dropGroup) };
    expect(compareAcls(api.port, groups, out).notEnforced).toHaveLength(1);
    const open = { ...api.port, port_security_enabled: false, security_groups: [] };
    expect(compareAcls(open, [], view).extra.map((x) => x.effect)).toEqual(['drops']);
  });

  it('stand beside a stranger that drops, which counts only where it is asked first or sees more than IP', () => {
    const uuid = view.port?.uuid ?? '';
    const strange = (priority: number, match: string): LogicalView => ({
      ...view,
      portGroups: [
        ...view.portGroups,
        {
          uuid: 'g',
          name: 'quarantine',
          ports: [uuid],
          externalIds: new Map(),
          acls: [
            {
              uuid: 'a',
              owner: 'quarantine',
              direction: 'from-lport',
              priority,
              match,
              action: 'drop',
              externalIds: new Map(),
            },
          ],
        },
      ],
    });
    expect(compareStrangerGroups(api.port, name, view)).toEqual([]);
    expect(kinds(compareStrangerGroups(api.port, name, strange(3000, 'inport == @quarantine && ip4')))).toEqual([
      'acl-stranger',
    ]);
    expect(compareStrangerGroups(api.port, name, strange(10, 'inport == @quarantine && ip4'))).toEqual([]);
    expect(kinds(compareStrangerGroups(api.port, name, strange(10, 'inport == @quarantine')))).toEqual([
      'acl-stranger',
    ]);
  });

  it('name address sets that hold the members', () => {
    const members = new Map([[api.port.security_groups?.[0] ?? '', ['10.33.0.154']]]);
    expect(compareAddressSets(name, groups, members, addressSets)).toEqual([]);
    const more = new Map([[api.port.security_groups?.[0] ?? '', ['10.33.0.154', '10.33.0.9']]]);
    expect(kinds(compareAddressSets(name, groups, more, addressSets))).toEqual(['address-set-stale']);
  });

  it('are compared by what they say, not by how it is written', () => {
    expect(sameMatch('outport == @a && ip4 && ip4.src == 0.0.0.0/0 && tcp', 'ip4 && tcp&&outport==@a')).toBe(true);
    expect(sameMatch('outport == @a && ip4', 'outport == @a && ip6')).toBe(false);
    expect(sameMatch('ip4 || ip6', 'ip6 || ip4')).toBe(false);
  });
});

describe("OVN's DHCP", () => {
  const metadata = () => api.metadata[0]?.fixed_ips[0]?.ip_address;
  const compare = (changed: LogicalView, port = api.port, subnets = api.subnets) =>
    compareDhcp(port, name, api.network, subnets, metadata, changed);
  const [row] = view.dhcp;
  if (row === undefined || view.port === undefined) throw new Error('no row');
  const withOption = (option: string, value: string | undefined): LogicalView => {
    const options = new Map(row.options);
    if (value === undefined) options.delete(option);
    else options.set(option, value);
    return { ...view, dhcp: [{ ...row, options }] };
  };
  const { dhcpv4: _named, ...nameless } = view.port;

  it('is as ordered', () => expect(compare(view)).toEqual([]));

  it('is not set where the port names no row, or the subnet has none', () => {
    const [unset] = compare({ ...view, port: nameless });
    expect(unset?.mends[0]).toMatchObject({ argv: ['lsp-set-dhcpv4-options', id, row.uuid] });
    const [gone] = compare({ ...view, port: nameless, dhcp: [] });
    expect(gone).toMatchObject({ kind: 'dhcp-unset', mends: [{ by: 'openstack' }] });
  });

  it.each([
    ['router', '10.33.0.99'],
    ['mtu', '1500'],
    ['dns_server', '{9.9.9.9}'],
    ['server_id', '10.33.0.99'],
    ['classless_static_route', '{0.0.0.0/0,10.33.0.1}'],
    ['lease_time', '10'],
    ['server_mac', undefined],
  ])('hands out another %s', (option, value) => {
    expect(kinds(compare(withOption(option, value)))).toEqual(['dhcp-differs']);
  });

  it('does not mind how a set is written, and lets the port have its own options', () => {
    expect(compare(withOption('dns_server', '198.19.0.1'))).toEqual([]);
    const own = { ...api.port, extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1400', ip_version: 4 }] };
    expect(compare(withOption('mtu', '1400'), own)).toEqual([]);
  });

  it('is off where the subnet or the port says so', () => {
    const off = api.subnets.map((s) => ({ ...s, enable_dhcp: false }));
    expect(compare({ ...view, port: nameless, dhcp: [] }, api.port, off)).toEqual([]);
    expect(kinds(compare(view, api.port, off))).toEqual(['dhcp-differs']);
    const disabled = {
      ...api.port,
      extra_dhcp_opts: [{ opt_name: 'dhcp_disabled', opt_value: 'True', ip_version: 4 }],
    };
    expect(compare({ ...view, port: nameless }, disabled)).toEqual([]);
  });
});

describe('the logical router', () => {
  const compare = (changed: Partial<LogicalRouter>) =>
    compareRouter(router, api.port, name, withRouter(changed), south);
  const [inside] = found.ports.filter((p) => p.candidates.length === 0);
  if (inside === undefined) throw new Error('no inside port');
  const leg = (change: object) => ({ ports: found.ports.map((p) => (p === inside ? { ...p, ...change } : p)) });
  const [route] = found.routes;
  if (route === undefined) throw new Error('no route');
  const fip = found.nat.find((n) => n.type === 'dnat_and_snat');
  const snat = found.nat.find((n) => n.type === 'snat');
  if (fip === undefined || snat === undefined) throw new Error('no NAT');

  it('is as ordered', () => expect(compareRouter(router, api.port, name, view, south)).toEqual([]));

  it('is missing, disabled or pinned', () => {
    const none = { ...view, routers: new Map([[api.router.id, undefined]]) };
    expect(kinds(compareRouter(router, api.port, name, none, south))).toEqual(['router-missing']);
    expect(kinds(compare({ enabled: false }))).toEqual(['router-missing']);
    expect(kinds(compare({ options: new Map([...found.options, ['chassis', 'x']]) }))).toEqual(['router-missing']);
  });

  it.each([
    ['mac', { mac: 'fa:16:3e:00:00:01' }],
    ['networks', { networks: ['10.33.0.99/24'] }],
    ['enabled', { enabled: false }],
  ])('has a leg with another %s', (_, change) => expect(kinds(compare(leg(change)))).toEqual(['router-port-differs']));

  it('lacks a leg, or one is not joined to its switch', () => {
    expect(kinds(compare({ ports: found.ports.filter((p) => p !== inside) }))).toEqual(['router-port-differs']);
    const servicePorts = view.servicePorts.map((p) =>
      p.type === 'router' ? { ...p, options: new Map([['router-port', 'lrp-nowhere']]) } : p,
    );
    expect(kinds(compareRouter(router, api.port, name, { ...view, servicePorts }, south))).toEqual([
      'router-port-differs',
    ]);
  });

  it('lacks its default route, or has a route or a policy that nobody ordered', () => {
    expect(kinds(compare({ routes: [] }))).toEqual(['route-missing']);
    expect(kinds(compare({ routes: [{ ...route, nexthop: '198.19.0.9' }] }))).toEqual(['route-missing']);
    const hole = { ...route, uuid: 'r', prefix: '198.51.100.0/24', nexthop: 'discard', externalIds: new Map() };
    expect(kinds(compare({ routes: [route, hole] }))).toEqual(['route-stranger']);
    const policy = {
      uuid: 'p',
      priority: 100,
      match: 'ip4.dst == 10.33.0.154',
      action: 'drop',
      nexthops: [],
      externalIds: new Map(),
    };
    expect(kinds(compare({ policies: [policy] }))).toEqual(['route-stranger']);
  });

  it('lacks a translation, or has one that leads elsewhere', () => {
    expect(kinds(compare({ nat: [snat] }))).toEqual(['nat-missing']);
    expect(kinds(compare({ nat: [fip] }))).toEqual(['nat-missing']);
    expect(kinds(compare({ nat: [snat, { ...fip, logicalIp: '10.33.0.99' }] }))).toEqual(['nat-missing']);
    expect(kinds(compare({ nat: [snat, { ...fip, externalMac: 'fa:16:3e:77:77:77' }] }))).toEqual(['nat-missing']);
  });

  it("has a translation that catches the port's packets, and does not mind those of others", () => {
    const other = { ...fip, uuid: 'o', externalIp: '198.19.0.250', externalIds: new Map() };
    expect(kinds(compare({ nat: [snat, fip, other] }))).toEqual(['nat-stranger']);
    expect(compare({ nat: [snat, fip, { ...other, logicalIp: '10.33.0.9' }] })).toEqual([]);
  });

  it('has a load balancer or a neighbour that somebody made by hand', () => {
    const extras = { qos: [], loadBalancers: [], staticMacBindings: [] };
    const balancer = {
      uuid: 'l',
      name: 'lb',
      protocol: 'tcp',
      vips: new Map([[`${fip.externalIp}:80`, '10.33.0.9:80']]),
      externalIds: new Map<string, string>(),
      on: ['Logical_Router x'],
    };
    expect(kinds(compareLoadBalancers(name, [fip.externalIp], { ...extras, loadBalancers: [balancer] }))).toEqual([
      'nat-stranger',
    ]);
    const signed = { ...balancer, externalIds: new Map([['neutron:fip_id', 'f']]) };
    expect(compareLoadBalancers(name, [fip.externalIp], { ...extras, loadBalancers: [signed] })).toEqual([]);
    const binding = { uuid: 'm', logicalPort: inside.name, ip: '198.19.0.1', mac: '02:00:00:00:00:01' };
    expect(
      kinds(
        compareStaticNeighbours(api.router, api.routerPorts, name, api.port, {
          ...extras,
          staticMacBindings: [binding],
        }),
      ),
    ).toEqual(['neighbour-wrong']);
  });
});

describe('the gateway', () => {
  const scene: GatewayScene = {
    router: api.router,
    ports: api.routerPorts,
    network: api.outside,
    found,
    south,
    alive: () => true,
    spareBridge: () => undefined,
    distributed: undefined,
  };
  const withCandidates = (
    candidates: readonly { readonly chassis: string; readonly priority: number }[],
  ): GatewayScene => ({
    ...scene,
    found: { ...found, ports: found.ports.map((p) => (p.candidates.length > 0 ? { ...p, candidates } : p)) },
  });
  const chassis = (hostname: string) => {
    const row = south.chassis.find((c) => c.hostname === hostname);
    if (row === undefined) throw new Error(`no chassis ${hostname}`);
    return row;
  };
  const bare = (hostname: string): GatewayScene => ({
    ...scene,
    south: { ...south, chassis: south.chassis.map((c) => (c.hostname === hostname ? { ...c, config: new Map() } : c)) },
  });

  it('is held by the first living candidate that has the wire', () => expect(compareGateway(scene)).toEqual([]));

  it('is scheduled to nobody, or to somebody who is no more', () => {
    expect(
      kinds(
        compareGateway({
          ...withCandidates([]),
          found: { ...found, ports: found.ports.map((p) => ({ ...p, candidates: [] })) },
        }),
      ),
    ).toEqual(['gateway-unscheduled']);
    expect(kinds(compareGateway(withCandidates([{ chassis: 'gone', priority: 1 }])))).toEqual(['gateway-unscheduled']);
  });

  it('is held by nobody, by a dead chassis, or by one of lower priority', () => {
    const cr = [...south.bindings].map(([key, b]) => {
      const { chassis: _, ...rest } = b;
      return [key, key.startsWith('cr-') ? rest : b] as const;
    });
    expect(kinds(compareGateway({ ...scene, south: { ...south, bindings: new Map(cr) } }))).toEqual(['gateway-unheld']);
    expect(kinds(compareGateway({ ...scene, alive: () => false }))).toEqual(['gateway-unheld']);
    const [first, second] = found.ports.flatMap((p) => p.candidates);
    if (first === undefined || second === undefined) throw new Error('two candidates expected');
    const turned = withCandidates([
      { ...second, priority: 9 },
      { ...first, priority: 1 },
    ]);
    expect(kinds(compareGateway(turned))).toEqual(['gateway-failed-over']);
  });

  it('is on a chassis without a mapping, or one answers for a floating IP without one', () => {
    const found = compareGateway(bare('net1'));
    expect(kinds(found)).toContain('candidate-unfit');
    expect(found[0]?.summary).toContain('the one that serves');
    expect(kinds(compareGateway({ ...scene, distributed: { host: 'cmp1', nat: ['n'] } }))).toEqual(
      chassis('cmp1').config.get('ovn-bridge-mappings') ? [] : ['candidate-unfit'],
    );
  });

  it('is known to the router by the MAC that answers for it', () => {
    const mac = south.macBindings[0]?.mac ?? '';
    const ip = south.macBindings[0]?.ip ?? '';
    expect(compareNeighbours(api.router, [ip], south, new Map([[ip, [mac]]]))).toEqual([]);
    expect(kinds(compareNeighbours(api.router, [ip], south, new Map([[ip, ['02:00:00:00:00:09']]])))).toEqual([
      'neighbour-wrong',
    ]);
    expect(compareNeighbours(api.router, [ip], south, new Map([[ip, []]]))).toEqual([]);
  });
});
