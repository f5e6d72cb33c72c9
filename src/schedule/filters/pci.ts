import type { ScheduleChange } from '../../engine/schedule.ts';
import type { HostFacts } from '../estate.ts';
import { type Judgement, judged, type Obstacle, passes, unknown } from '../judgement.ts';
import type { Scene } from '../scene.ts';
import type { WishedPort } from '../wish.ts';
import type { Filter } from './filter.ts';
import { aliasesOf, type DeviceRequest, fitting, givenDevices, specificationsOf } from './pci-devices.ts';

/** Ports that take a PCI device (nova/network/model.py VNIC_TYPES_SRIOV). */
const devicePorts = new Set(['direct', 'macvtap', 'direct-physical', 'virtio-forwarder', 'vdpa', 'remote-managed']);

/** Drivers whose nova-compute tells of PCI devices: libvirt's and Hyper-V's (nova/virt). */
const givesDevices = /^(qemu|kvm|lxc|parallels|hyperv)$/i;

const aliasKey = 'pci_passthrough:alias';

interface Wanted extends DeviceRequest {
  readonly way: readonly [ScheduleChange, ...ScheduleChange[]];
}

/** What a port asks for: a device on its physical network, null where it has none (nova/network/neutron.py create_resource_requests). */
function ofPort(port: WishedPort): Wanted {
  const networks = port.segments.flatMap((s) => s.physicalNetwork ?? []);
  const type = port.vnicType === 'direct-physical' ? 'type-pf' : port.vnicType === 'vdpa' ? 'vdpa' : undefined;
  return {
    words: `a ${port.vnicType} port on ${networks.join(', ') || port.networkName}`,
    count: 1,
    any: (networks.length === 0 ? [''] : networks).map((physical_network) => ({
      physical_network: physical_network.toLowerCase(),
      ...(type === undefined ? {} : { dev_type: type }),
      ...(port.vnicType === 'remote-managed' ? { remote_managed: 'true' } : {}),
    })),
    way: [
      port.id === undefined
        ? { kind: 'network', on: 'request', network: port.networkName, because: 'it needs a PCI device' }
        : { kind: 'port', on: 'request', port: port.id, because: 'it needs a PCI device' },
    ],
  };
}

/** What the request asks for; `unknownAlias`: what nova.conf of the scheduler's node does not have. */
function wantedDevices({ wish, estate }: Scene): {
  readonly wanted: readonly Wanted[];
  readonly unknownAlias: readonly string[];
} {
  const alias = wish.flavor.extraSpecs[aliasKey];
  const aliases = aliasesOf(estate.scheduler.options);
  const way = [{ kind: 'extra-spec', on: 'request', key: aliasKey, value: alias ?? '' }] as const;
  const unknownAlias: string[] = [];
  const ofFlavor = (alias === undefined ? [] : alias.split(',')).flatMap((word): Wanted[] => {
    const [name = '', count = '1'] = word.split(':').map((w) => w.trim());
    const any = aliases.get(name);
    if (any === undefined && estate.scheduler.from === 'configuration') unknownAlias.push(name);
    return [{ words: `alias ${name}`, count: Number(count) || 1, any: any ?? [], way }];
  });
  const ports = wish.ports.filter((p) => devicePorts.has(p.vnicType)).map(ofPort);
  return { wanted: [...ofFlavor, ...ports], unknownAlias };
}

const lacks = ({ words, way }: Wanted, kind: string, because: string, has: string): Obstacle => ({
  kind: `device ${kind} ${words}`,
  of: 'device',
  because,
  wanted: words,
  has,
  ways: [way],
});

/**
 * pci_passthrough_filter.py: what nova-compute's own configuration gives of the devices that are in the node. How many of them are free is in
 * Nova's database alone.
 */
export const pciPassthroughFilter: Filter = {
  title: 'pci',
  isWhole: false,
  judge: (host, scene): Judgement => {
    const { wanted, unknownAlias } = wantedDevices(scene);
    const isHidden = wanted.length === 0 && scene.wish.deviceHidden === true;
    if (wanted.length === 0 && !isHidden) return passes;
    const hidden: Obstacle = {
      kind: 'device hidden',
      of: 'device',
      because: 'no PCI devices',
      wanted: 'a PCI device, for a port or an alias that the API does not tell of any more',
      has: '',
      ways: [],
    };
    const all = (because: string, has: string): Judgement =>
      judged(isHidden ? [{ ...hidden, because, has }] : wanted.map((w) => lacks(w, 'none', because, has)));
    if (unknownAlias.length > 0)
      return judged(
        wanted
          .filter((w) => unknownAlias.some((name) => w.words === `alias ${name}`))
          .map((w) => lacks(w, 'alias', `no PCI ${w.words}`, `no such [pci]alias in ${scene.estate.scheduler.where}`)),
      );
    const { type } = host.hypervisor;
    if (type !== undefined && !givesDevices.test(type))
      return all('no PCI devices', `hypervisor ${type}, which tells of no PCI devices`);
    const node = scene.estate.nodes?.get(host.host);
    if (node?.options === undefined) return withoutNode(host, scene, wanted);
    if (specificationsOf(node).length === 0)
      return all('no PCI devices', `[pci]device_spec is not set in ${node.where}`);
    if (node.devices === undefined) return notTold(host, wanted, 'the devices of the node are not known');
    const given = givenDevices(node);
    const short = wanted.flatMap((w): Obstacle[] => {
      if (w.any.length === 0) return [];
      const fit = fitting(given, w).length;
      return fit >= w.count
        ? []
        : [lacks(w, 'few', `${w.count} > ${fit} PCI devices`, `${fit} of ${given.length} that [pci]device_spec gives`)];
    });
    if (short.length > 0) return judged(short);
    const isFree = host.instances?.length === 0 && wanted.length <= 1 && wanted.every((w) => w.any.length > 0);
    return isFree && !isHidden
      ? passes
      : notTold(host, wanted, `${given.length} PCI devices are given, free ones are not told`);
  },
};

const notTold = (host: HostFacts, wanted: readonly Wanted[], because: string): Judgement => {
  const [first, ...more] = wanted.flatMap((w) => w.way);
  return unknown(
    `${wanted.map((w) => w.words).join(', ') || 'a PCI device'}: ${because}`,
    `SELECT address, status FROM pci_devices in the database of the cell of ${host.host}, or nova-scheduler at DEBUG: "doesn't have the required PCI devices"`,
    first === undefined ? [] : [[first, ...more]],
  );
};

/** Without the node's own word: where no agent of the host maps the physical network of a port with a virtual function, there is no device on it. */
function withoutNode({ host, ...rest }: HostFacts, { wish, estate }: Scene, wanted: readonly Wanted[]): Judgement {
  const mapped = estate.agents?.get(host)?.flatMap((a) => a.physicalNetworks);
  const obstacles = wish.ports.flatMap((port): Obstacle[] => {
    const networks = port.segments.flatMap((s) => s.physicalNetwork ?? []);
    if (mapped === undefined || port.vnicType !== 'direct' || networks.length === 0) return [];
    if (networks.some((n) => mapped.includes(n))) return [];
    return [
      {
        kind: `device ${networks.join(',')}`,
        of: 'device',
        because: `no device on ${networks.join(', ')}`,
        wanted: `a ${port.vnicType} port on ${networks.join(', ')}`,
        has: mapped.length === 0 ? 'no physical network is mapped' : `maps ${mapped.join(', ')}`,
        ways: [ofPort(port).way, [{ kind: 'mapping', on: 'cloud', host, physicalNetwork: networks[0] ?? '' }]],
      },
    ];
  });
  return obstacles.length > 0
    ? judged(obstacles)
    : notTold({ host, ...rest }, wanted, 'pools of PCI devices are not told by any API');
}
