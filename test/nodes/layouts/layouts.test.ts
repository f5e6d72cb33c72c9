import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { detectLayoutName } from '../../../src/nodes/layouts/detect.ts';
import { devstackLayout } from '../../../src/nodes/layouts/devstack.ts';
import type { Layout, ServiceName } from '../../../src/nodes/layouts/layout.ts';
import { layouts } from '../../../src/nodes/layouts/layouts.ts';
import { systemdLayout } from '../../../src/nodes/layouts/systemd.ts';
import { timestamp } from '../../../src/nodes/layouts/systemd-units.ts';
import { tripleoLayout } from '../../../src/nodes/layouts/tripleo.ts';

const recorded = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8');
const state = (layout: Layout, stdout: string, service: ServiceName) => {
  const [found] = layout.parseStatus(stdout, [service]);
  if (found === undefined) throw new Error('no state');
  return found;
};
const brief = (layout: Layout, stdout: string, service: ServiceName) => {
  const { unit, state: is } = state(layout, stdout, service);
  return `${unit} ${is}`;
};
/** A block of `systemctl show`, as systemctl(1) prints it. */
const unit = (id: string, active = 'active', sub = 'running', more: Record<string, string> = {}): string =>
  Object.entries({
    MainPID: '1234',
    Result: 'success',
    Id: id,
    Names: id,
    LoadState: 'loaded',
    ActiveState: active,
    SubState: sub,
    StateChangeTimestamp: '',
    ...more,
  })
    .map(([key, value]) => `${key}=${value}`)
    .join('\n');
const absent = (id: string) => unit(id, 'inactive', 'dead', { LoadState: 'not-found', MainPID: '0' });
const show = (...blocks: string[]) => `${blocks.join('\n\n')}\n`;
const services: readonly ServiceName[] = [
  'neutron-server',
  'neutron-linuxbridge-agent',
  'neutron-openvswitch-agent',
  'neutron-l3-agent',
  'neutron-dhcp-agent',
  'neutron-metadata-agent',
  'neutron-ovn-metadata-agent',
  'neutron-sriov-nic-agent',
  'nova-compute',
  'nova-scheduler',
  'nova-conductor',
  'nova-api',
  'nova-api-metadata',
  'libvirtd',
  'ovs-vswitchd',
  'ovsdb-server',
  'ovn-controller',
  'ovn-northd',
];

describe('services of distribution packages', () => {
  it('are read from what real nodes say', () => {
    const cmp1 = recorded('systemctl-show-cmp1.txt');
    expect(state(systemdLayout, cmp1, 'nova-compute')).toEqual({
      service: 'nova-compute',
      unit: 'nova-compute',
      state: 'active',
      pid: 204,
      since: '2026-11-21T02:46:09.000Z',
      detail: 'active (running)',
    });
    expect(brief(systemdLayout, cmp1, 'neutron-linuxbridge-agent')).toBe('neutron-linuxbridge-agent active');
    expect(brief(systemdLayout, cmp1, 'libvirtd')).toBe('libvirtd active');
    expect(brief(systemdLayout, cmp1, 'ovs-vswitchd')).toBe('ovs-vswitchd absent');
    expect(brief(systemdLayout, cmp1, 'neutron-l3-agent')).toBe('neutron-l3-agent absent');
    expect(brief(systemdLayout, recorded('systemctl-show-net1.txt'), 'neutron-l3-agent')).toBe(
      'neutron-l3-agent active',
    );
    expect(brief(systemdLayout, recorded('systemctl-show-ctl.txt'), 'neutron-server')).toBe('neutron-server active');
  });

  it('are asked for in one command, each unit once', () => {
    const argv = systemdLayout.statusCommand(services);
    expect(argv.slice(0, 3)).toEqual(['systemctl', 'show', '--no-pager']);
    const units = argv.slice(argv.indexOf('--') + 1);
    expect(new Set(units).size).toBe(units.length);
    for (const name of [
      'neutron-l3-agent.service',
      'openstack-nova-compute.service',
      'virtqemud.socket',
      'openvswitch-switch.service',
    ]) {
      expect(units).toContain(name);
    }
  });

  it('go by other names on RDO', () => {
    const out = show(
      absent('nova-compute.service'),
      unit('openstack-nova-compute.service'),
      absent('libvirtd.service'),
      unit('virtqemud.service'),
      unit('openvswitch.service', 'active', 'exited'),
      unit('ovs-vswitchd.service', 'failed', 'failed', { Result: 'exit-code', MainPID: '0' }),
    );
    expect(brief(systemdLayout, out, 'nova-compute')).toBe('openstack-nova-compute active');
    expect(brief(systemdLayout, out, 'libvirtd')).toBe('virtqemud active');
    expect(
      state(
        systemdLayout,
        show(unit('ovs-vswitchd.service', 'failed', 'failed', { Result: 'exit-code', MainPID: '0' })),
        'ovs-vswitchd',
      ),
    ).toEqual({
      service: 'ovs-vswitchd',
      unit: 'ovs-vswitchd',
      state: 'failed',
      detail: 'failed (failed), last result: exit-code',
    });
  });

  it('in parts are as well as their worst part', () => {
    const out = show(
      absent('neutron-server.service'),
      unit('neutron-api.service'),
      unit('neutron-rpc-server.service', 'failed', 'failed'),
    );
    expect(brief(systemdLayout, out, 'neutron-server')).toBe('neutron-rpc-server failed');
  });

  it("of OVN's databases are their own where they have some, whatever northd's says", () => {
    const northd = unit('ovn-northd.service');
    const down = unit('ovn-ovsdb-server-sb.service', 'failed', 'failed', { MainPID: '0' });
    expect(brief(systemdLayout, show(northd, down), 'ovn-ovsdb-server-sb')).toBe('ovn-ovsdb-server-sb failed');
    const none = absent('ovn-ovsdb-server-sb.service');
    expect(brief(systemdLayout, show(northd, none), 'ovn-ovsdb-server-sb')).toBe('ovn-northd active');
  });

  it('that start on demand are not down while their socket listens', () => {
    const idle = unit('libvirtd.service', 'inactive', 'dead', { MainPID: '0' });
    expect(state(systemdLayout, show(idle, unit('libvirtd.socket', 'active', 'listening')), 'libvirtd')).toMatchObject({
      state: 'active',
      detail: 'inactive (dead), starts on demand: libvirtd.socket is active',
    });
    expect(state(systemdLayout, show(idle, unit('libvirtd.socket', 'inactive', 'dead')), 'libvirtd').state).toBe(
      'inactive',
    );
  });

  it('that crash and restart are not active', () => {
    const out = show(unit('neutron-l3-agent.service', 'activating', 'auto-restart', { Result: 'exit-code' }));
    expect(state(systemdLayout, out, 'neutron-l3-agent')).toMatchObject({
      state: 'activating',
      detail: 'activating (auto-restart), last result: exit-code',
    });
    expect(
      state(
        systemdLayout,
        show(unit('neutron-l3-agent.service', 'inactive', 'dead', { LoadState: 'masked' })),
        'neutron-l3-agent',
      ),
    ).toMatchObject({
      state: 'inactive',
      detail: 'inactive (dead), masked',
    });
  });

  it('are all absent where systemctl says nothing', () => {
    for (const one of systemdLayout.parseStatus('', services)) expect(one.state).toBe('absent');
  });

  it('log where Debian and RDO put it', () => {
    expect(systemdLayout.logPlace('neutron-l3-agent')).toEqual({
      kind: 'files',
      paths: ['/var/log/neutron/neutron-l3-agent.log', '/var/log/neutron/l3-agent.log'],
    });
    expect(systemdLayout.logPlace('nova-compute')).toEqual({
      kind: 'files',
      paths: ['/var/log/nova/nova-compute.log'],
    });
    expect(systemdLayout.logPlace('libvirtd')).toMatchObject({ kind: 'journal' });
  });

  it.each([
    ['Sat 2026-11-21 02:45:40 UTC', '2026-11-21T02:45:40.000Z'],
    ['Sat 2026-11-21 03:45:40 CET', '2026-11-21T02:45:40.000Z'],
    ['Sat 2026-11-20 23:45:40 -03', '2026-11-21T02:45:40.000Z'],
    ['Sat 2026-11-21 10:45:40 CST', undefined],
    ['', undefined],
    ['n/a', undefined],
  ])('change at %j', (text, at) => expect(timestamp(text)).toBe(at));
});

describe('services of DevStack', () => {
  const agent = (binary: string) =>
    unit('devstack@q-agt.service', 'active', 'running', {
      ExecStart: `{ path=/opt/stack/data/venv/bin/${binary} ; argv[]=/opt/stack/data/venv/bin/${binary} --config-file /etc/neutron/neutron.conf ; ignore_errors=no }`,
    });

  it('are units of one template; the command line of q-agt tells which agent it is', () => {
    const out = show(agent('neutron-openvswitch-agent'), unit('devstack@n-cpu.service'), unit('libvirtd.service'));
    expect(brief(devstackLayout, out, 'neutron-openvswitch-agent')).toBe('devstack@q-agt active');
    expect(brief(devstackLayout, out, 'neutron-linuxbridge-agent')).toBe('devstack@q-agt absent');
    expect(brief(devstackLayout, out, 'nova-compute')).toBe('devstack@n-cpu active');
    expect(brief(devstackLayout, out, 'libvirtd')).toBe('libvirtd active');
  });

  it('log to the journal', () => {
    expect(devstackLayout.logPlace('neutron-dhcp-agent')).toEqual({ kind: 'journal', unit: 'devstack@q-dhcp.service' });
    expect(devstackLayout.restart('nova-compute')).toEqual(['systemctl', 'restart', 'devstack@n-cpu']);
  });
});

describe('services in containers', () => {
  // docker-ps(1) and podman-ps(1): what the Status column says.
  const kolla = [
    'neutron_l3_agent\tUp 2 weeks (healthy)',
    'neutron_openvswitch_agent\tUp 3 hours (unhealthy)',
    'neutron_dhcp_agent\tExited (1) 5 minutes ago',
    'neutron_metadata_agent\tExited (0) 2 days ago',
    'openvswitch_vswitchd\tUp 2 weeks (healthy)',
    'nova_libvirt\tRestarting (1) 12 seconds ago',
    'nova_compute\tUp 4 seconds (health: starting)',
    'ovn_controller\tUp 5 days (Paused)',
    'neutron_server\tCreated',
  ].join('\n');

  it.each([
    ['neutron-l3-agent', 'neutron_l3_agent active'],
    ['neutron-openvswitch-agent', 'neutron_openvswitch_agent failed'],
    ['neutron-dhcp-agent', 'neutron_dhcp_agent failed'],
    ['neutron-metadata-agent', 'neutron_metadata_agent inactive'],
    ['ovs-vswitchd', 'openvswitch_vswitchd active'],
    ['libvirtd', 'nova_libvirt activating'],
    ['nova-compute', 'nova_compute activating'],
    ['ovn-controller', 'ovn_controller inactive'],
    ['neutron-server', 'neutron_server inactive'],
    ['neutron-linuxbridge-agent', 'neutron_linuxbridge_agent absent'],
  ] as const)('of Kolla: %s is %s', (service, said) => expect(brief(layouts.kolla, kolla, service)).toBe(said));

  it('of Kolla are spoken to through the engine that runs them', () => {
    expect(layouts.kolla.statusCommand(services)[0]).toBe('docker');
    expect(layouts['kolla-podman'].within('ovs-vswitchd')).toEqual(['podman', 'exec', 'openvswitch_vswitchd']);
    expect(layouts.kolla.restart('neutron-l3-agent')).toEqual(['docker', 'restart', 'neutron_l3_agent']);
    expect(layouts.kolla.logPlace('neutron-l3-agent')).toEqual({
      kind: 'files',
      paths: ['/var/log/kolla/neutron/neutron-l3-agent.log'],
    });
    expect(layouts.kolla.logPlace('ovn-controller')).toEqual({
      kind: 'files',
      paths: ['/var/log/kolla/openvswitch/ovn-controller.log'],
    });
  });

  it('of TripleO are under Podman, but Open vSwitch is on the host', () => {
    const out = `ovn_metadata_agent\tUp 4 weeks ago\nnova_virtqemud\tUp 4 weeks ago\nneutron_dhcp\tExited (137) 2 hours ago\n\n${show(unit('ovs-vswitchd.service'))}`;
    expect(brief(tripleoLayout, out, 'neutron-ovn-metadata-agent')).toBe('ovn_metadata_agent active');
    expect(brief(tripleoLayout, out, 'libvirtd')).toBe('nova_virtqemud active');
    expect(brief(tripleoLayout, out, 'neutron-dhcp-agent')).toBe('neutron_dhcp failed');
    expect(brief(tripleoLayout, out, 'ovs-vswitchd')).toBe('ovs-vswitchd active');
    expect(tripleoLayout.restart('neutron-l3-agent')).toEqual(['systemctl', 'restart', 'tripleo_neutron_l3_agent']);
    expect(tripleoLayout.within('ovs-vswitchd')).toEqual([]);
    expect(tripleoLayout.statusCommand(['nova-compute'])[0]).toBe('podman');
    expect(tripleoLayout.statusCommand(['nova-compute', 'ovs-vswitchd']).slice(0, 2)).toEqual(['sh', '-c']);
  });
});

describe('every layout', () => {
  it.each(Object.entries(layouts))('%s answers for every service', (_, layout) => {
    expect(layout.parseStatus('', services).map((each) => [each.service, each.state])).toEqual(
      services.map((service) => [service, 'absent']),
    );
    for (const service of services) {
      const place = layout.logPlace(service);
      expect(place.kind === 'files' ? place.paths.length : place.unit.length).toBeGreaterThan(0);
      expect(layout.restart(service).length).toBeGreaterThan(2);
    }
  });
});

describe('the layout of a node', () => {
  it.each(['ctl', 'net1', 'cmp1'])('is told from what %s of a Debian cloud shows', (host) => {
    expect(detectLayoutName(recorded(`detect-${host}.txt`))).toBe('systemd');
  });

  it.each([
    ['', 'systemd'],
    ['unit devstack@q-agt.service loaded\nunit neutron-x.service not-found', 'devstack'],
    ['unit tripleo_nova_compute.service loaded\ntool podman\npath /var/lib/tripleo-config', 'tripleo'],
    ['path /etc/kolla\npath /var/log/kolla\ntool docker', 'kolla'],
    ['path /etc/kolla\ntool podman\nunit kolla-neutron_l3_agent-container.service loaded', 'kolla-podman'],
    ['unit kolla-neutron_l3_agent-container.service loaded\ntool docker', 'kolla'],
    ['path /etc/kolla\ntool docker\nunit neutron-l3-agent.service loaded', 'systemd'],
    ['path /etc/kolla', 'systemd'],
    ['path /var/log/containers/nova\ntool podman', 'tripleo'],
    ['unit neutron-l3-agent.service not-found\npath /etc/kolla\ntool docker', 'kolla'],
  ])('%j is %s', (stdout, name) => expect(detectLayoutName(stdout)).toBe(name));
});
