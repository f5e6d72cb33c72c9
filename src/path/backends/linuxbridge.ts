import { deviceName } from '../addresses.ts';
import type { Hop } from '../hop.ts';
import type { Backend, Segment } from './backend.ts';

const bridgeOf = (segment: Segment): string => deviceName('brq', segment.networkId);

const segmentDevice = (segment: Segment): string | undefined =>
  segment.type === 'vxlan' && segment.id !== undefined ? `vxlan-${segment.id}` : undefined;

/** ML2/linuxbridge: one bridge per network and host, one VXLAN device per network (removed from Neutron in 2025). */
export const linuxbridge: Backend = {
  name: 'linuxbridge',
  title: 'Linux bridge agent',
  family: 'agents',
  firewall: 'iptables',
  agents: (role) =>
    role === 'compute'
      ? ['neutron-linuxbridge-agent']
      : ['neutron-linuxbridge-agent', 'neutron-l3-agent', 'neutron-dhcp-agent', 'neutron-metadata-agent'],
  recognises: (port, l2Binaries) =>
    port.vifType === 'bridge' ||
    port.drivers.includes('linuxbridge') ||
    (port.drivers.length === 0 && l2Binaries.includes('neutron-linuxbridge-agent')),
  attachment: (port, segment) => {
    const bridge = bridgeOf(segment);
    const device = segmentDevice(segment);
    return [
      { name: bridge, role: 'bridge' },
      { name: deviceName('tap', port.id), role: 'tap', in: { bridge, driver: 'linux' } },
      ...(device === undefined ? [] : [{ name: device, role: 'segment', in: { bridge, driver: 'linux' } } as const]),
    ];
  },
  serviceAttachment: (portId, _owner, segment) => {
    const bridge = bridgeOf(segment);
    const device = segmentDevice(segment);
    return [
      { name: bridge, role: 'bridge' },
      { name: deviceName('tap', portId), role: 'bridge-end', in: { bridge, driver: 'linux' } },
      ...(device === undefined ? [] : [{ name: device, role: 'segment', in: { bridge, driver: 'linux' } } as const]),
    ];
  },
  serviceDevice: (portId, owner) => deviceName(owner === 'dhcp' ? 'ns-' : owner === 'router' ? 'qr-' : 'qg-', portId),
  tunnel: (segment) => {
    const device = segmentDevice(segment);
    return device === undefined ? undefined : { kind: 'vxlan', by: { kind: 'device', device } };
  },
  hops: (port, segment, host): readonly Hop[] => {
    const tap = deviceName('tap', port.id);
    const bridge = bridgeOf(segment);
    const device = segmentDevice(segment);
    return [
      { kind: 'tap', label: tap, host, device: tap, join: 'local' },
      { kind: 'bridge', label: bridge, host, device: bridge, join: 'local' },
      ...(device === undefined ? [] : [{ kind: 'tunnel', label: device, host, device, join: 'local' } as const]),
    ];
  },
};
