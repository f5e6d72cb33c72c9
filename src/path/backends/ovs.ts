import { deviceName } from '../addresses.ts';
import type { Hop } from '../hop.ts';
import type { Backend, BoundPort, ExpectedDevice, Segment, TunnelShape } from './backend.ts';

const integrationBridge = (port: BoundPort): string => port.bridgeName ?? 'br-int';

const agents: Backend['agents'] = (role) =>
  role === 'compute'
    ? ['neutron-openvswitch-agent']
    : ['neutron-openvswitch-agent', 'neutron-l3-agent', 'neutron-dhcp-agent', 'neutron-metadata-agent'];

const tunnel = (segment: Segment): TunnelShape | undefined => {
  switch (segment.type) {
    case 'vxlan':
    case 'gre':
    case 'geneve':
      return { kind: segment.type, by: { kind: 'ovs', bridge: 'br-tun' } };
    default:
      return undefined;
  }
};

const isOvs = (port: BoundPort, l2Binaries: readonly string[]): boolean =>
  port.drivers.includes('openvswitch') ||
  (port.drivers.length === 0 && l2Binaries.includes('neutron-openvswitch-agent')) ||
  (port.drivers.length === 0 && port.vifType === 'ovs' && l2Binaries.length === 0);

const serviceDevice: Backend['serviceDevice'] = (portId, owner) =>
  deviceName(owner === 'dhcp' ? 'tap' : owner === 'router' ? 'qr-' : 'qg-', portId);

/** DHCP and router ports are internal ports of br-int whose device lives in the namespace. */
const serviceAttachment: Backend['serviceAttachment'] = (portId, owner) => [
  { name: serviceDevice(portId, owner), role: 'switch-end', in: { bridge: 'br-int', driver: 'ovs' } },
];

const onwards = (segment: Segment, host: string, bridge: string): Hop[] => [
  { kind: 'bridge', label: bridge, host, device: bridge, join: 'local' },
  ...(tunnel(segment) === undefined
    ? []
    : [
        {
          kind: 'tunnel',
          label: `br-tun ${segment.type} ${segment.id ?? ''}`.trim(),
          host,
          device: 'br-tun',
          join: 'local',
        } as const,
      ]),
];

/** ML2/OVS with the iptables firewall: a small Linux bridge per port carries the rules (`ovs_hybrid_plug`). */
export const ovsHybrid: Backend = {
  name: 'ovs-hybrid',
  title: 'Open vSwitch agent, iptables firewall',
  family: 'agents',
  firewall: 'iptables',
  agents,
  recognises: (port, l2Binaries) => port.hybridPlug && isOvs(port, l2Binaries),
  attachment: (port): readonly ExpectedDevice[] => {
    const bridge = deviceName('qbr', port.id);
    return [
      { name: bridge, role: 'bridge' },
      { name: deviceName('tap', port.id), role: 'tap', in: { bridge, driver: 'linux' } },
      { name: deviceName('qvb', port.id), role: 'bridge-end', in: { bridge, driver: 'linux' } },
      { name: deviceName('qvo', port.id), role: 'switch-end', in: { bridge: integrationBridge(port), driver: 'ovs' } },
    ];
  },
  serviceAttachment,
  serviceDevice,
  tunnel,
  hops: (port, segment, host) => [
    ...(['tap', 'qbr', 'qvb', 'qvo'] as const).map((prefix): Hop => {
      const device = deviceName(prefix, port.id);
      return { kind: prefix === 'tap' ? 'tap' : 'bridge', label: device, host, device, join: 'local' };
    }),
    ...onwards(segment, host, integrationBridge(port)),
  ],
};

/** ML2/OVS with the native firewall: the tap is a port of br-int, security groups are flows. */
export const ovs: Backend = {
  name: 'ovs',
  title: 'Open vSwitch agent, native firewall',
  family: 'agents',
  firewall: 'ovs-flows',
  agents,
  recognises: (port, l2Binaries) => !port.hybridPlug && isOvs(port, l2Binaries),
  attachment: (port) => [
    { name: deviceName('tap', port.id), role: 'tap', in: { bridge: integrationBridge(port), driver: 'ovs' } },
  ],
  serviceAttachment,
  serviceDevice,
  tunnel,
  hops: (port, segment, host) => [
    { kind: 'tap', label: deviceName('tap', port.id), host, device: deviceName('tap', port.id), join: 'local' },
    ...onwards(segment, host, integrationBridge(port)),
  ],
};
