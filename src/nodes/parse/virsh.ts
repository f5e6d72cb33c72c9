import { ok, type Result } from '../../engine/result.ts';
import { linesOf, type ParseFailure, parseFailure, present } from './parsing.ts';

/** `virsh domstate` and `virsh list` in the C locale. */
export type DomainState =
  | 'running'
  | 'idle'
  | 'paused'
  | 'in shutdown'
  | 'shut off'
  | 'crashed'
  | 'pmsuspended'
  | 'no state';

const STATES: readonly DomainState[] = [
  'running',
  'idle',
  'paused',
  'in shutdown',
  'shut off',
  'crashed',
  'pmsuspended',
  'no state',
];

export interface DomainInterface {
  /** `bridge`, `ethernet`, `hostdev`, `direct`, `vhostuser`, … */
  readonly type: string;
  readonly mac: string;
  /** Bridge it is plugged into; absent for a NIC that is a PCI device. */
  readonly sourceBridge?: string;
  /** The tap. */
  readonly target?: string;
  readonly model?: string;
  /** `openvswitch`, `802.1Qbh`, … */
  readonly virtualport?: string;
  /** The Neutron port's id, which OVS gets as `iface-id`. */
  readonly interfaceId?: string;
  readonly mtu?: number;
  /** Absent when nobody set it: then it is up. */
  readonly linkState?: 'up' | 'down';
}

export interface Domain {
  readonly name: string;
  /** The instance's id. */
  readonly uuid: string;
  /** Name that Nova gave in its metadata. */
  readonly novaName?: string;
  readonly interfaces: readonly DomainInterface[];
}

export interface ListedDomain {
  /** Absent when it does not run. */
  readonly id?: number;
  readonly name: string;
  readonly state: DomainState;
}

/** Output of `virsh domstate`, also with `--reason` (`shut off (crashed)`). */
export function parseDomainState(stdout: string): Result<DomainState, ParseFailure> {
  const line = linesOf(stdout).find((text) => text.trim() !== '') ?? '';
  const state = STATES.find((known) => line.trim() === known || line.trim().startsWith(`${known} (`));
  return state === undefined ? parseFailure('virsh domstate', line) : ok(state);
}

/** Output of `virsh list --all`; names of Nova's domains have no spaces. */
export function parseDomainList(stdout: string): Result<readonly ListedDomain[], ParseFailure> {
  const domains: ListedDomain[] = [];
  for (const line of linesOf(stdout)) {
    if (line.trim() === '' || /^\s*Id\s+Name\s+State\s*$/.test(line) || /^-+$/.test(line.trim())) continue;
    if (line.length > LONGEST_LINE) return parseFailure('virsh list --all', line);
    const matched =
      /^\s*(-|\d+)\s+(\S.*?)\s{2,}(\S.*?)\s*$/.exec(line) ?? /^\s*(-|\d+)\s+(\S+)\s+(\S.*?)\s*$/.exec(line);
    const state = STATES.find((known) => known === matched?.[3]);
    if (matched === null || state === undefined) return parseFailure('virsh list --all', line);
    domains.push(present({ id: matched[1] === '-' ? undefined : Number(matched[1]), name: matched[2] ?? '', state }));
  }
  return ok(domains);
}

/** The NICs of `virsh dumpxml`, in their order. */
export function parseDomainInterfaces(stdout: string): Result<readonly DomainInterface[], ParseFailure> {
  const domain = parseDomainXml(stdout);
  return domain.ok ? ok(domain.value.interfaces) : domain;
}

/** The parts of `virsh dumpxml` that say how the instance is plugged in. */
export function parseDomainXml(stdout: string): Result<Domain, ParseFailure> {
  const what = 'virsh dumpxml';
  const elements = elementsOf(stdout);
  const root = elements.find((element) => element.path === '/domain');
  if (root === undefined) return parseFailure(what, linesOf(stdout).find((line) => line.trim() !== '') ?? '');
  if (!/<\/domain>\s*$/.test(stdout)) return parseFailure(what, 'no </domain> at the end');
  const textOf = (path: string): string | undefined => elements.find((element) => element.path === path)?.text;
  const name = textOf('/domain/name');
  const uuid = textOf('/domain/uuid');
  if (name === undefined || uuid === undefined) return parseFailure(what, 'no <name> or no <uuid>');
  const interfaces: DomainInterface[] = [];
  elements.forEach((element, at) => {
    if (element.path !== '/domain/devices/interface') return;
    const inside: XmlElement[] = [];
    for (const child of elements.slice(at + 1)) {
      if (!child.path.startsWith(`${element.path}/`)) break;
      inside.push(child);
    }
    const attribute = (path: string, key: string): string | undefined =>
      inside.find((child) => child.path === `${element.path}/${path}`)?.attributes.get(key);
    const mtu = attribute('mtu', 'size');
    const state = attribute('link', 'state');
    const linkState: DomainInterface['linkState'] = state === 'up' || state === 'down' ? state : undefined;
    interfaces.push(
      present({
        type: element.attributes.get('type') ?? '',
        mac: attribute('mac', 'address') ?? '',
        sourceBridge: attribute('source', 'bridge'),
        target: attribute('target', 'dev'),
        model: attribute('model', 'type'),
        virtualport: attribute('virtualport', 'type'),
        interfaceId: attribute('virtualport/parameters', 'interfaceid'),
        mtu: mtu === undefined ? undefined : Number(mtu),
        linkState,
      }),
    );
  });
  return ok(
    present({
      name,
      uuid,
      novaName: elements.find((element) => element.path === '/domain/metadata/nova:instance/nova:name')?.text,
      interfaces,
    }),
  );
}

/** A NUMA cell of the host, as `virsh capabilities` prints it. */
export interface HostCell {
  readonly id: number;
  readonly memoryKb: number;
  readonly pages: readonly { readonly sizeKb: number; readonly total: number }[];
  /** `siblings`: those of its core, itself among them, as a list of CPUs (`0,4-5`). */
  readonly cpus: readonly { readonly id: number; readonly siblings: string }[];
}

const UNITS: Readonly<Record<string, number>> = { KiB: 1, MiB: 1024, GiB: 1_048_576 };

/** The NUMA cells of `virsh capabilities`; none where libvirt tells none. */
export function parseCapabilities(stdout: string): Result<readonly HostCell[], ParseFailure> {
  const what = 'virsh capabilities';
  const elements = elementsOf(stdout);
  if (!elements.some((element) => element.path === '/capabilities') || !/<\/capabilities>\s*$/.test(stdout))
    return parseFailure(what, linesOf(stdout).find((line) => line.trim() !== '') ?? '');
  const at = '/capabilities/host/topology/cells/cell';
  const cells: {
    id: number;
    memoryKb: number;
    pages: HostCell['pages'][number][];
    cpus: HostCell['cpus'][number][];
  }[] = [];
  for (const { path, attributes, text } of elements) {
    const cell = cells.at(-1);
    const unit = UNITS[attributes.get('unit') ?? 'KiB'] ?? 1;
    const id = Number(attributes.get('id'));
    if (path === at) cells.push({ id, memoryKb: 0, pages: [], cpus: [] });
    else if (path === `${at}/memory` && cell !== undefined) cell.memoryKb = Number(text) * unit;
    else if (path === `${at}/pages`)
      cell?.pages.push({ sizeKb: Number(attributes.get('size')) * unit, total: Number(text) });
    else if (path === `${at}/cpus/cpu`) cell?.cpus.push({ id, siblings: attributes.get('siblings') ?? `${id}` });
  }
  return ok(cells);
}

interface XmlElement {
  /** `/domain/devices/interface`. */
  readonly path: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Text up to the first child or the end tag, trimmed. */
  readonly text: string;
}

/**
 * Elements of an XML text in document order: enough for what libvirt prints (no DTD, no entities of its own), and
 * nothing more: entities other than the five of XML stay as they are, comments and CDATA are left out.
 */
function elementsOf(text: string): readonly XmlElement[] {
  const xml = without(without(text, '<!--', '-->'), '<![CDATA[', ']]>');
  const elements: XmlElement[] = [];
  const open: string[] = [];
  // `<` stands in no attribute and no text, so every attempt ends at the next one.
  const tag = /<(\/?)([\w:.-]+)((?:[^<>"']|"[^"<]*"|'[^'<]*')*)>([^<]*)/g;
  for (const [, closing, name = '', inside = '', content = ''] of xml.matchAll(tag)) {
    if (closing === '/') {
      open.pop();
      continue;
    }
    const attributes = new Map<string, string>();
    for (const [, key = '', double, single] of inside.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
      attributes.set(key, plain(double ?? single ?? ''));
    }
    open.push(name);
    if (open.length <= DEEPEST) {
      elements.push({ path: `/${open.join('/')}`, attributes, text: plain(content.trim()) });
    }
    if (inside.trimEnd().endsWith('/')) open.pop();
  }
  return elements;
}

/** The text without what stands between these marks; from an opening mark that is never closed, without the rest. */
function without(text: string, opening: string, closing: string): string {
  const kept: string[] = [];
  let from = 0;
  for (;;) {
    const start = text.indexOf(opening, from);
    if (start < 0) break;
    kept.push(text.slice(from, start));
    const end = text.indexOf(closing, start + opening.length);
    from = end < 0 ? text.length : end + closing.length;
  }
  return kept.concat(text.slice(from)).join('');
}

const DEEPEST = 16;
const LONGEST_LINE = 1000;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function plain(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ENTITIES[name] ?? '');
}
