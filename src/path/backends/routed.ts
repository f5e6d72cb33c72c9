import { deviceName } from '../addresses.ts';
import type { Backend } from './backend.ts';

/** Routed /32 endpoints (Calico and its like): no bridge, no tunnel; the host has a route to the tap. */
export const routed: Backend = {
  name: 'routed',
  title: 'routed /32 endpoints',
  family: 'routed',
  firewall: 'iptables',
  agents: () => ['calico-felix'],
  recognises: (port, l2Binaries) => port.vifType === 'tap' || l2Binaries.includes('calico-felix'),
  attachment: (port) => [{ name: deviceName('tap', port.id), role: 'tap' }],
  serviceAttachment: () => [],
  serviceDevice: (portId) => deviceName('ns-', portId),
  tunnel: () => undefined,
  hops: (port, _segment, host) => [
    { kind: 'tap', label: deviceName('tap', port.id), host, device: deviceName('tap', port.id), join: 'local' },
  ],
};
