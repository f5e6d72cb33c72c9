import { judged, type Obstacle, passes, unknown } from '../judgement.ts';
import type { Filter } from './filter.ts';

/** Ports that take a PCI device (nova/network/model.py VNIC_TYPES_SRIOV). */
const devicePorts = new Set([
  'direct',
  'macvtap',
  'direct-physical',
  'virtio-forwarder',
  'accelerator-direct',
  'accelerator-direct-physical',
  'remote-managed',
]);

/**
 * pci_passthrough_filter.py: the pools of devices are in no API. Where no agent of the host maps the physical network of a port with a
 * virtual function, there is no device on it.
 */
export const pciPassthroughFilter: Filter = {
  title: 'pci',
  isWhole: false,
  judge: ({ host }, { wish, estate }) => {
    const alias = wish.flavor.extraSpecs['pci_passthrough:alias'];
    const ports = wish.ports.filter((p) => devicePorts.has(p.vnicType));
    if (alias === undefined && ports.length === 0) return passes;
    const mapped = estate.agents?.get(host)?.flatMap((a) => a.physicalNetworks);
    const obstacles = ports.flatMap((port): Obstacle[] => {
      const wanted = port.segments.flatMap((s) => s.physicalNetwork ?? []);
      if (
        mapped === undefined ||
        port.vnicType !== 'direct' ||
        wanted.length === 0 ||
        wanted.some((n) => mapped.includes(n))
      )
        return [];
      return [
        {
          kind: `device ${wanted.join(',')}`,
          of: 'device',
          because: `no device on ${wanted.join(', ')}`,
          wanted: `a ${port.vnicType} port on ${wanted.join(', ')}`,
          has: mapped.length === 0 ? 'no physical network is mapped' : `maps ${mapped.join(', ')}`,
          ways: [
            [
              {
                kind: 'network',
                on: 'request',
                network: port.networkName,
                because: `its ${port.vnicType} port needs a device`,
              },
            ],
            [{ kind: 'mapping', on: 'cloud', host, physicalNetwork: wanted[0] ?? '' }],
          ],
        },
      ];
    });
    if (obstacles.length > 0) return judged(obstacles);
    const what = alias === undefined ? `${ports[0]?.vnicType} port` : `alias ${alias}`;
    const [first, ...more] = [
      ...(alias === undefined
        ? []
        : [{ kind: 'extra-spec', on: 'request', key: 'pci_passthrough:alias', value: alias } as const]),
      ...ports.map((port) =>
        port.id === undefined
          ? ({ kind: 'network', on: 'request', network: port.networkName, because: 'it needs a PCI device' } as const)
          : ({ kind: 'port', on: 'request', port: port.id, because: 'it needs a PCI device' } as const),
      ),
    ];
    return unknown(
      `${what}: pools of PCI devices are not told by any API`,
      'nova-scheduler at DEBUG: "doesn\'t have the required PCI devices"',
      first === undefined ? [] : [[first, ...more]],
    );
  },
};
