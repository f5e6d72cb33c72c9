import { deviceName } from '../addresses.ts';
import type { Backend } from './backend.ts';

/** ML2/OVN: no agents with namespaces; the switch is one br-int per chassis and the router is logical flows. */
export const ovn: Backend = {
  name: 'ovn',
  title: 'OVN',
  family: 'ovn',
  firewall: 'ovn-acl',
  agents: (role) => (role === 'compute' ? ['ovn-controller', 'neutron-ovn-metadata-agent'] : ['ovn-controller']),
  recognises: (port, l2Binaries) =>
    port.drivers.includes('ovn') || (port.drivers.length === 0 && l2Binaries.includes('ovn-controller')),
  attachment: (port) => [
    { name: deviceName('tap', port.id), role: 'tap', in: { bridge: port.bridgeName ?? 'br-int', driver: 'ovs' } },
  ],
  serviceAttachment: () => [],
  serviceDevice: (portId) => deviceName('tap', portId),
  tunnel: (segment) =>
    segment.type === 'geneve' || segment.type === 'vxlan'
      ? { kind: segment.type, by: { kind: 'ovs', bridge: 'br-int' } }
      : undefined,
  hops: (port, segment, host) => [
    { kind: 'tap', label: deviceName('tap', port.id), host, device: deviceName('tap', port.id), join: 'local' },
    { kind: 'bridge', label: port.bridgeName ?? 'br-int', host, device: port.bridgeName ?? 'br-int', join: 'local' },
    {
      kind: 'tunnel',
      label: `${segment.type ?? 'segment'} ${segment.id ?? ''}`.trim(),
      host,
      device: 'br-int',
      join: 'local',
    },
  ],
};
