import type { Layout, LogPlace, ServiceName } from './layout.ts';
import { hostLogs, hostUnits, parseUnits, serviceState, showUnits, sockets, type UnitSets } from './systemd-units.ts';

/** Debian and Ubuntu first, then RDO, where they differ. */
const units: Readonly<Record<ServiceName, UnitSets>> = {
  'neutron-server': [['neutron-server'], ['neutron-api', 'neutron-rpc-server']],
  'neutron-linuxbridge-agent': [['neutron-linuxbridge-agent'], ['neutron-plugin-linuxbridge-agent']],
  'neutron-openvswitch-agent': [['neutron-openvswitch-agent'], ['neutron-plugin-openvswitch-agent']],
  'neutron-l3-agent': [['neutron-l3-agent'], ['neutron-vpn-agent']],
  'neutron-dhcp-agent': [['neutron-dhcp-agent']],
  'neutron-metadata-agent': [['neutron-metadata-agent']],
  'neutron-ovn-metadata-agent': [
    ['neutron-ovn-metadata-agent'],
    ['networking-ovn-metadata-agent'],
    ['neutron-ovn-agent'],
  ],
  'neutron-sriov-nic-agent': [['neutron-sriov-nic-agent'], ['neutron-sriov-agent']],
  'nova-compute': [['nova-compute'], ['openstack-nova-compute']],
  'nova-scheduler': [['nova-scheduler'], ['openstack-nova-scheduler']],
  'nova-conductor': [['nova-conductor'], ['openstack-nova-conductor']],
  'nova-api': [['nova-api'], ['openstack-nova-api'], ['apache2'], ['httpd']],
  // Where it is a part of nova-api it has no unit of its own: nova-api's state would say nothing of it.
  'nova-api-metadata': [['nova-api-metadata'], ['openstack-nova-metadata-api']],
  ...hostUnits,
};

const neutronLog = (...names: readonly string[]): LogPlace => ({
  kind: 'files',
  paths: names.map((name) => `/var/log/neutron/${name}.log`),
});
const novaLog = (...names: readonly string[]): LogPlace => ({
  kind: 'files',
  paths: names.map((name) => `/var/log/nova/${name}.log`),
});

/** Debian names its logs by the service; RDO leaves `neutron-` away. Files that are not there are passed over by the reader. */
const logs: Readonly<Record<ServiceName, LogPlace>> = {
  'neutron-server': neutronLog('neutron-server', 'neutron-api', 'neutron-rpc-server', 'server'),
  'neutron-linuxbridge-agent': neutronLog('neutron-linuxbridge-agent', 'linuxbridge-agent'),
  'neutron-openvswitch-agent': neutronLog('neutron-openvswitch-agent', 'openvswitch-agent'),
  'neutron-l3-agent': neutronLog('neutron-l3-agent', 'l3-agent'),
  'neutron-dhcp-agent': neutronLog('neutron-dhcp-agent', 'dhcp-agent'),
  'neutron-metadata-agent': neutronLog('neutron-metadata-agent', 'metadata-agent'),
  'neutron-ovn-metadata-agent': neutronLog(
    'neutron-ovn-metadata-agent',
    'ovn-metadata-agent',
    'networking-ovn-metadata-agent',
  ),
  'neutron-sriov-nic-agent': neutronLog('neutron-sriov-nic-agent', 'neutron-sriov-agent', 'sriov-nic-agent'),
  'nova-compute': novaLog('nova-compute'),
  'nova-scheduler': novaLog('nova-scheduler'),
  'nova-conductor': novaLog('nova-conductor'),
  'nova-api': novaLog('nova-api', 'nova-api-wsgi', 'nova-api-os-compute'),
  'nova-api-metadata': novaLog('nova-api-metadata', 'nova-metadata-wsgi', 'nova-metadata-api'),
  ...hostLogs,
};

/** Distribution packages: systemd units, logs in /var/log. */
export const systemdLayout: Layout = {
  name: 'systemd',
  statusCommand: (services) =>
    showUnits(services.flatMap((service) => [...units[service].flat(), ...sockets(service)])),
  parseStatus(stdout, services) {
    const shown = parseUnits(stdout);
    return services.map((service) => serviceState(service, units[service], shown));
  },
  logPlace: (service) => logs[service],
  restart: (service) => ['systemctl', 'restart', units[service][0]?.[0] ?? service],
  within: () => [],
};
