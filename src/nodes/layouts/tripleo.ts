import { containerFormat, containerState, parseContainers } from './containers.ts';
import type { Layout, LogPlace, ServiceName } from './layout.ts';
import { hostLogs, hostUnits, parseUnits, serviceState, showUnits } from './systemd-units.ts';

/** Names of the containers (tripleo-heat-templates, deployment/*, container_config). Open vSwitch runs on the host itself. */
const containers: Readonly<Record<ServiceName, readonly [string, ...string[]] | undefined>> = {
  'neutron-server': ['neutron_api'],
  'neutron-linuxbridge-agent': ['neutron_linuxbridge_agent'],
  'neutron-openvswitch-agent': ['neutron_ovs_agent'],
  'neutron-l3-agent': ['neutron_l3_agent'],
  'neutron-dhcp-agent': ['neutron_dhcp'],
  'neutron-metadata-agent': ['neutron_metadata_agent'],
  'neutron-ovn-metadata-agent': ['ovn_metadata_agent'],
  'neutron-sriov-nic-agent': ['neutron_sriov_agent'],
  'nova-compute': ['nova_compute'],
  'nova-scheduler': ['nova_scheduler'],
  'nova-conductor': ['nova_conductor'],
  'nova-api': ['nova_api'],
  'nova-api-metadata': ['nova_metadata'],
  libvirtd: ['nova_virtqemud', 'nova_libvirt'],
  'ovs-vswitchd': undefined,
  'ovsdb-server': undefined,
  'ovn-controller': ['ovn_controller'],
  'ovn-northd': ['ovn_cluster_northd', 'ovn-dbs-bundle-podman-0'],
  'ovn-ovsdb-server-nb': ['ovn_cluster_north_db_server', 'ovn-dbs-bundle-podman-0'],
  'ovn-ovsdb-server-sb': ['ovn_cluster_south_db_server', 'ovn-dbs-bundle-podman-0'],
};

const log = (folder: string, ...names: readonly string[]): LogPlace => ({
  kind: 'files',
  paths: names.map((name) => `/var/log/containers/${folder}/${name}.log`),
});

const logs: Readonly<Record<ServiceName, LogPlace>> = {
  'neutron-server': log('neutron', 'server'),
  'neutron-linuxbridge-agent': log('neutron', 'linuxbridge-agent'),
  'neutron-openvswitch-agent': log('neutron', 'openvswitch-agent'),
  'neutron-l3-agent': log('neutron', 'l3-agent'),
  'neutron-dhcp-agent': log('neutron', 'dhcp-agent'),
  'neutron-metadata-agent': log('neutron', 'metadata-agent'),
  'neutron-ovn-metadata-agent': log('neutron', 'ovn-metadata-agent', 'networking-ovn-metadata-agent'),
  'neutron-sriov-nic-agent': log('neutron', 'sriov-nic-agent'),
  'nova-compute': log('nova', 'nova-compute'),
  'nova-scheduler': log('nova', 'nova-scheduler'),
  'nova-conductor': log('nova', 'nova-conductor'),
  'nova-api': log('nova', 'nova-api', 'nova-api-wsgi'),
  'nova-api-metadata': log('nova', 'nova-metadata-api', 'nova-metadata-wsgi'),
  libvirtd: log('libvirt', 'virtqemud', 'libvirtd'),
  'ovs-vswitchd': hostLogs['ovs-vswitchd'],
  'ovsdb-server': hostLogs['ovsdb-server'],
  'ovn-controller': log('openvswitch', 'ovn-controller'),
  'ovn-northd': log('openvswitch', 'ovn-northd'),
  'ovn-ovsdb-server-nb': log('openvswitch', 'ovsdb-server-nb'),
  'ovn-ovsdb-server-sb': log('openvswitch', 'ovsdb-server-sb'),
};

const onHost = (service: ServiceName): service is 'ovs-vswitchd' | 'ovsdb-server' => containers[service] === undefined;

/** Constant; the words of the second command are positional arguments, never text of the script. */
const both = `podman ps -a --format '${containerFormat}'; echo; exec "$@"`;

/** TripleO and director: Podman containers under systemd, logs in /var/log/containers; Open vSwitch on the host. */
export const tripleoLayout: Layout = {
  name: 'tripleo',
  statusCommand(services) {
    const units = services.filter(onHost).flatMap((service) => hostUnits[service].flat());
    if (units.length === 0) return ['podman', 'ps', '-a', '--format', containerFormat];
    return ['sh', '-c', both, 'sh', ...showUnits(units)];
  },
  parseStatus(stdout, services) {
    const all = parseContainers(stdout);
    const units = parseUnits(stdout);
    return services.map((service) =>
      onHost(service)
        ? serviceState(service, hostUnits[service], units)
        : containerState(service, containers[service] ?? [], all),
    );
  },
  logPlace: (service) => logs[service],
  restart(service) {
    const [name] = containers[service] ?? [];
    return [
      'systemctl',
      'restart',
      name === undefined ? (hostUnits['ovs-vswitchd'][0]?.[0] ?? service) : `tripleo_${name}`,
    ];
  },
  within(service) {
    const [name] = containers[service] ?? [];
    return name === undefined ? [] : ['podman', 'exec', name];
  },
};
