import type { Layout, LogPlace, ServiceName } from './layout.ts';
import { hostLogs, hostUnits, parseUnits, serviceState, showUnits, sockets, type UnitSets } from './systemd-units.ts';

/** DevStack's short names (devstack, lib/neutron and lib/nova); OVS and OVN may be built from source, then theirs is `devstack@`, too. */
const units: Readonly<Record<ServiceName, UnitSets>> = {
  'neutron-server': [['devstack@q-svc'], ['devstack@neutron-api', 'devstack@neutron-rpc-server']],
  'neutron-linuxbridge-agent': [['devstack@q-agt']],
  'neutron-openvswitch-agent': [['devstack@q-agt']],
  'neutron-l3-agent': [['devstack@q-l3']],
  'neutron-dhcp-agent': [['devstack@q-dhcp']],
  'neutron-metadata-agent': [['devstack@q-meta']],
  'neutron-ovn-metadata-agent': [['devstack@q-ovn-metadata-agent'], ['devstack@q-ovn-agent']],
  'neutron-sriov-nic-agent': [['devstack@q-sriov-agt']],
  'nova-compute': [['devstack@n-cpu']],
  'nova-scheduler': [['devstack@n-sch']],
  'nova-conductor': [['devstack@n-super-cond'], ['devstack@n-cond'], ['devstack@n-cond-cell1']],
  'nova-api': [['devstack@n-api']],
  'nova-api-metadata': [['devstack@n-api-meta'], ['devstack@n-api']],
  libvirtd: hostUnits.libvirtd,
  'ovs-vswitchd': [['devstack@ovs-vswitchd'], ...hostUnits['ovs-vswitchd']],
  'ovsdb-server': [['devstack@ovsdb-server'], ...hostUnits['ovsdb-server']],
  'ovn-controller': [['devstack@ovn-controller'], ...hostUnits['ovn-controller']],
  'ovn-northd': [['devstack@ovn-northd'], ...hostUnits['ovn-northd']],
  // Built from source, ovn-northd's unit runs the databases, too (devstack, lib/neutron_plugins/ovn_agent).
  'ovn-ovsdb-server-nb': [...hostUnits['ovn-ovsdb-server-nb'], ['devstack@ovn-northd']],
  'ovn-ovsdb-server-sb': [...hostUnits['ovn-ovsdb-server-sb'], ['devstack@ovn-northd']],
};

/** Either of two agents runs as q-agt; its command line tells which. */
const shared: readonly ServiceName[] = ['neutron-linuxbridge-agent', 'neutron-openvswitch-agent'];

const logPlace = (service: ServiceName): LogPlace => {
  switch (service) {
    case 'libvirtd':
    case 'ovs-vswitchd':
    case 'ovsdb-server':
    case 'ovn-controller':
    case 'ovn-northd':
    case 'ovn-ovsdb-server-nb':
    case 'ovn-ovsdb-server-sb':
      return hostLogs[service];
    default:
      return { kind: 'journal', unit: `${units[service][0]?.[0] ?? service}.service` };
  }
};

/** DevStack: `devstack@` units, all logs in the journal. */
export const devstackLayout: Layout = {
  name: 'devstack',
  statusCommand: (services) =>
    showUnits(services.flatMap((service) => [...units[service].flat(), ...sockets(service)])),
  parseStatus(stdout, services) {
    const shown = parseUnits(stdout);
    return services.map((service) => {
      const mine = shared.includes(service)
        ? shown.filter((unit) => unit.id !== 'devstack@q-agt.service' || unit.command.includes(service))
        : shown;
      return serviceState(service, units[service], mine);
    });
  },
  logPlace,
  restart: (service) => ['systemctl', 'restart', units[service][0]?.[0] ?? service],
  within: () => [],
};
