import { containerFormat, containerState, parseContainers } from './containers.ts';
import type { Layout, LogPlace, ServiceName } from './layout.ts';

/** Names of Kolla-Ansible's containers (ansible/roles, defaults/main.yml, container_name). */
const containers: Readonly<Record<ServiceName, readonly [string, ...string[]]>> = {
  'neutron-server': ['neutron_server'],
  'neutron-linuxbridge-agent': ['neutron_linuxbridge_agent'],
  'neutron-openvswitch-agent': ['neutron_openvswitch_agent'],
  'neutron-l3-agent': ['neutron_l3_agent'],
  'neutron-dhcp-agent': ['neutron_dhcp_agent'],
  'neutron-metadata-agent': ['neutron_metadata_agent'],
  'neutron-ovn-metadata-agent': ['neutron_ovn_metadata_agent', 'neutron_ovn_agent'],
  'neutron-sriov-nic-agent': ['neutron_sriov_agent'],
  'nova-compute': ['nova_compute', 'nova_compute_ironic'],
  'nova-scheduler': ['nova_scheduler'],
  'nova-conductor': ['nova_conductor'],
  'nova-api': ['nova_api'],
  'nova-api-metadata': ['nova_metadata', 'nova_api'],
  libvirtd: ['nova_libvirt'],
  'ovs-vswitchd': ['openvswitch_vswitchd', 'ovsdpdk_vswitchd'],
  'ovsdb-server': ['openvswitch_db', 'ovsdpdk_db'],
  'ovn-controller': ['ovn_controller'],
  'ovn-northd': ['ovn_northd'],
  'ovn-ovsdb-server-nb': ['ovn_nb_db'],
  'ovn-ovsdb-server-sb': ['ovn_sb_db'],
};

const log = (folder: string, ...names: readonly string[]): LogPlace => ({
  kind: 'files',
  paths: names.map((name) => `/var/log/kolla/${folder}/${name}.log`),
});

const logPlace = (service: ServiceName): LogPlace => {
  switch (service) {
    case 'libvirtd':
      return log('libvirt', 'libvirtd');
    case 'ovs-vswitchd':
    case 'ovsdb-server':
    case 'ovn-controller':
    case 'ovn-northd':
      return log('openvswitch', service);
    case 'ovn-ovsdb-server-nb':
      return log('openvswitch', 'ovn-nb-db', 'ovsdb-server-nb');
    case 'ovn-ovsdb-server-sb':
      return log('openvswitch', 'ovn-sb-db', 'ovsdb-server-sb');
    case 'neutron-sriov-nic-agent':
      return log('neutron', 'neutron-sriov-nic-agent', 'neutron-sriov-agent');
    case 'nova-api':
      return log('nova', 'nova-api', 'nova-api-wsgi');
    case 'nova-api-metadata':
      return log('nova', 'nova-metadata', 'nova-metadata-wsgi', 'nova-api');
    case 'nova-compute':
    case 'nova-scheduler':
    case 'nova-conductor':
      return log('nova', service);
    default:
      return log('neutron', service);
  }
};

/** Kolla-Ansible: a container per service under Docker or, since 2023.1, Podman; logs in the volume behind /var/log/kolla. */
export const kollaLayout = (engine: 'docker' | 'podman'): Layout => ({
  name: 'kolla',
  statusCommand: () => [engine, 'ps', '-a', '--format', containerFormat],
  parseStatus(stdout, services) {
    const all = parseContainers(stdout);
    return services.map((service) => containerState(service, containers[service], all));
  },
  logPlace,
  restart: (service) => [engine, 'restart', containers[service][0]],
  within: (service) => [engine, 'exec', containers[service][0]],
});
