import type { SysPciDevice } from '../../nodes/parse/pci.ts';
import type { ComputeNode } from '../estate.ts';

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** JSON objects of an option that may come more than once, or hold a list; a value goes on over lines until it is whole. */
export function objectsOf(text: string | undefined): readonly Fields[] {
  const found: Fields[] = [];
  let pending = '';
  for (const line of (text ?? '').split('\n')) {
    pending += line;
    try {
      const value: unknown = JSON.parse(pending);
      found.push(...[value].flat().filter(isFields));
      pending = '';
    } catch {
      // It goes on with the next line.
    }
  }
  return found;
}

/** [pci]device_spec of a compute node, under all the names that it has had. */
export const specificationsOf = ({ options }: ComputeNode): readonly Fields[] =>
  ['pci.device_spec', 'pci.passthrough_whitelist', 'DEFAULT.pci_passthrough_whitelist'].flatMap((name) =>
    objectsOf(options?.get(name)),
  );

/** A device that nova-compute gives to guests, as its pool knows it (nova/pci/stats.py). */
export interface GivenDevice {
  readonly address: string;
  readonly properties: Readonly<Record<string, string>>;
}

const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value).toLowerCase());

/** `8086` and `0x8086`; `*`: any. */
const isId = (wanted: unknown, id: string): boolean => {
  const word = text(wanted).trim().replace(/^0x/, '');
  return word === '' || word === '*' || word.padStart(4, '0') === id.toLowerCase();
};

/** domain:bus:slot.function, where a part may be `*`, or left out at the front; or regular expressions by name (nova/pci/devspec.py). */
function isAddress(wanted: unknown, address: string): boolean {
  if (wanted === undefined || wanted === null) return true;
  const [, domain = '', bus = '', slot = '', fn = ''] = /^(\w+):(\w+):(\w+)\.(\w+)$/.exec(address.toLowerCase()) ?? [];
  const parts = { domain, bus, slot, function: fn };
  if (isFields(wanted))
    return Object.entries(parts).every(([name, part]) => {
      const pattern = wanted[name];
      if (typeof pattern !== 'string') return true;
      try {
        return new RegExp(`^(?:${pattern})`, 'i').test(part);
      } catch {
        return false;
      }
    });
  const [front = '', wantedFn = '*'] = text(wanted).split('.');
  const [wantedSlot = '*', wantedBus = '*', wantedDomain = '*'] = front.split(':').reverse();
  const isSame = (pattern: string, part: string): boolean =>
    pattern === '*' || pattern === '' || Number.parseInt(pattern, 16) === Number.parseInt(part, 16);
  return isSame(wantedDomain, domain) && isSame(wantedBus, bus) && isSame(wantedSlot, slot) && isSame(wantedFn, fn);
}

const hardware = new Set(['vendor_id', 'product_id', 'address', 'devname']);

function matches(spec: Fields, device: SysPciDevice): boolean {
  if (!isId(spec.vendor_id, device.vendor) || !isId(spec.product_id, device.product)) return false;
  if (spec.devname !== undefined)
    return device.interface !== undefined && text(spec.devname) === device.interface.toLowerCase();
  return (
    isAddress(spec.address, device.address) || (device.parent !== undefined && isAddress(spec.address, device.parent))
  );
}

/** The devices of a compute node that its configuration gives to guests, each with the tags of the first specification that names it. */
export function givenDevices(node: ComputeNode): readonly GivenDevice[] {
  const specs = specificationsOf(node);
  return (node.devices ?? []).flatMap((device): GivenDevice[] => {
    const spec = specs.find((s) => matches(s, device));
    if (spec === undefined) return [];
    const tags = Object.entries(spec).flatMap(([key, value]) =>
      hardware.has(key) ? [] : [[key, text(value)] as const],
    );
    return [
      {
        address: device.address,
        properties: {
          vendor_id: device.vendor.toLowerCase(),
          product_id: device.product.toLowerCase(),
          dev_type: device.type.toLowerCase(),
          ...Object.fromEntries(tags),
        },
      },
    ];
  });
}

/** One request for devices: any of the specifications, each of properties that have to be equal (nova/pci/utils.py pci_device_prop_match). */
export interface DeviceRequest {
  readonly words: string;
  readonly count: number;
  readonly any: readonly Readonly<Record<string, string>>[];
}

/** Devices that would do for a request. A physical function only for one that asks for such (_filter_pools_for_unrequested_pfs). */
export const fitting = (devices: readonly GivenDevice[], { any }: DeviceRequest): readonly GivenDevice[] =>
  devices.filter(
    ({ properties }) =>
      any.some((spec) => Object.entries(spec).every(([key, value]) => (properties[key] ?? '') === value)) &&
      (properties.dev_type !== 'type-pf' || any.some((spec) => spec.dev_type === 'type-pf')),
  );

/** The aliases of [pci]alias by name, with their specifications (nova/pci/request.py). */
export function aliasesOf(options: ReadonlyMap<string, string>): ReadonlyMap<string, DeviceRequest['any']> {
  const aliases = new Map<string, Readonly<Record<string, string>>[]>();
  for (const { name, numa_policy: _, device_type: type, ...spec } of objectsOf(
    options.get('pci.alias') ?? options.get('DEFAULT.pci_alias'),
  )) {
    if (typeof name !== 'string') continue;
    const properties = Object.fromEntries(
      Object.entries(spec).flatMap(([key, value]) =>
        key === 'capability_type' ? [] : [[key, text(value).replace(/^0x/, '')] as const],
      ),
    );
    const one = { ...properties, ...(type === undefined ? {} : { dev_type: text(type) }) };
    aliases.set(name.trim(), [...(aliases.get(name.trim()) ?? []), one]);
  }
  return aliases;
}
