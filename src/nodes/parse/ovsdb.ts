import { err, ok, type Result } from '../../engine/result.ts';
import { isObject, jsonFailure, linesOf, type ParseFailure, parseFailure, present, readJson } from './parsing.ts';

/** A value of OVSDB (RFC 7047, 5.1) as plain data: an unset optional is an empty list, a UUID is its text. */
export type OvsdbAtom = string | number | boolean;
export type OvsdbValue = OvsdbAtom | readonly OvsdbAtom[] | ReadonlyMap<string, OvsdbAtom>;

export type OvsdbRow = ReadonlyMap<string, OvsdbValue>;

export interface OvsInterface {
  readonly name: string;
  /** Empty for a device of the system; internal, patch, vxlan, geneve, gre, dpdk, … */
  readonly type: string;
  /** OpenFlow port; -1 when OVS could not open the device; absent until it tried. */
  readonly ofport?: number;
  /** Why OVS could not open it. */
  readonly error?: string;
  /** As the device has it, which for a tap is not the guest's. */
  readonly mac?: string;
  readonly externalIds: ReadonlyMap<string, string>;
  readonly options: ReadonlyMap<string, string>;
  readonly statistics: ReadonlyMap<string, number>;
  /** What BFD says of a tunnel, where it runs; absent where there is nothing. */
  readonly bfd?: ReadonlyMap<string, string>;
  readonly adminState?: 'up' | 'down';
  readonly linkState?: 'up' | 'down';
  readonly mtu?: number;
}

export interface OvsPort {
  readonly name: string;
  /** Local VLAN; 4095 is Neutron's dead VLAN. */
  readonly tag?: number;
  readonly trunks: readonly number[];
  readonly vlanMode?: string;
  /** Neutron keeps network, segment and tag of the port here. */
  readonly otherConfig: ReadonlyMap<string, string>;
  /** ovn-controller keeps here what it made the port for; absent where there is nothing. */
  readonly externalIds?: ReadonlyMap<string, string>;
  readonly interfaces: readonly OvsInterface[];
}

export interface OvsBridge {
  readonly name: string;
  /** Empty or `system`: the kernel's; `netdev`: in user space. */
  readonly datapathType: string;
  /** `secure`: forwards nothing without flows; `standalone` (and unset): a plain switch. */
  readonly failMode?: string;
  readonly ports: readonly OvsPort[];
}

export interface OvsState {
  readonly bridges: readonly OvsBridge[];
}

/**
 * Output of `ovs-vsctl --format=json list TABLE` (also `ovn-nbctl`, `ovn-sbctl`, and with `--columns`): one Map per
 * row. The order of the keys `data` and `headings` varies; with no rows some versions print nothing.
 */
export function parseOvsdbTable(what: string, stdout: string): Result<readonly OvsdbRow[], ParseFailure> {
  if (stdout.trim() === '') return ok([]);
  const parsed = readJson(what, stdout);
  if (!parsed.ok) return parsed;
  const table = parsed.value;
  if (!isObject(table) || !Array.isArray(table.headings) || !Array.isArray(table.data)) {
    return parseFailure(what, linesOf(stdout)[0] ?? '');
  }
  const headings = (table.headings as readonly unknown[]).map(String);
  const rows: OvsdbRow[] = [];
  for (const cells of table.data as readonly unknown[]) {
    if (!Array.isArray(cells)) return jsonFailure(what, cells);
    const row = new Map<string, OvsdbValue>();
    for (const [at, heading] of headings.entries()) {
      const value = plainValue(cells[at]);
      if (value === undefined) return jsonFailure(what, cells[at]);
      row.set(heading, value);
    }
    rows.push(row);
  }
  return ok(rows);
}

/** Output of one `ovn-nbctl --format=json find … -- find …` (and its kin): a table per line, in the order asked. */
export function parseOvsdbTables(what: string, stdout: string): Result<readonly (readonly OvsdbRow[])[], ParseFailure> {
  const tables: (readonly OvsdbRow[])[] = [];
  for (const line of linesOf(stdout).filter((text) => text.trim() !== '')) {
    const table = parseOvsdbTable(what, line);
    if (!table.ok) return table;
    tables.push(table.value);
  }
  return ok(tables);
}

function plainValue(cell: unknown): OvsdbValue | undefined {
  const atom = atomOf(cell);
  if (atom !== undefined) return atom;
  if (!Array.isArray(cell) || !Array.isArray(cell[1])) return undefined;
  const [kind, items] = cell as unknown as readonly [unknown, readonly unknown[]];
  if (kind === 'set') {
    const atoms = items.map(atomOf);
    return atoms.every((item) => item !== undefined) ? atoms : undefined;
  }
  if (kind !== 'map') return undefined;
  const map = new Map<string, OvsdbAtom>();
  for (const pair of items) {
    if (!Array.isArray(pair)) return undefined;
    const [key, value] = pair.map(atomOf);
    if (key === undefined || value === undefined) return undefined;
    map.set(String(key), value);
  }
  return map;
}

function atomOf(cell: unknown): OvsdbAtom | undefined {
  if (typeof cell === 'string' || typeof cell === 'number' || typeof cell === 'boolean') return cell;
  if (!Array.isArray(cell)) return undefined;
  const [kind, id] = cell as readonly unknown[];
  return (kind === 'uuid' || kind === 'named-uuid') && typeof id === 'string' ? id : undefined;
}

/** One value of a column, when it has exactly one. */
export function ovsdbAtom(row: OvsdbRow, column: string): OvsdbAtom | undefined {
  const atoms = ovsdbAtoms(row, column);
  return atoms.length === 1 ? atoms[0] : undefined;
}

/** All values of a column that is a set; a set of one is printed bare. */
export function ovsdbAtoms(row: OvsdbRow, column: string): readonly OvsdbAtom[] {
  const value = row.get(column);
  if (value === undefined || isMap(value)) return [];
  return typeof value === 'object' ? value : [value];
}

/** A column that is a map, with its values as text. */
export function ovsdbMap(row: OvsdbRow, column: string): ReadonlyMap<string, string> {
  const value = row.get(column);
  return new Map(isMap(value) ? [...value].map(([key, atom]) => [key, String(atom)]) : []);
}

function isMap(value: OvsdbValue | undefined): value is ReadonlyMap<string, OvsdbAtom> {
  return value instanceof Map;
}

function text(row: OvsdbRow, column: string): string | undefined {
  const atom = ovsdbAtom(row, column);
  return atom === undefined || atom === '' ? undefined : String(atom);
}

function number(row: OvsdbRow, column: string): number | undefined {
  const atom = ovsdbAtom(row, column);
  return typeof atom === 'number' ? atom : undefined;
}

function unlessEmpty<K, V>(map: ReadonlyMap<K, V>): ReadonlyMap<K, V> | undefined {
  return map.size === 0 ? undefined : map;
}

function state(row: OvsdbRow, column: string): 'up' | 'down' | undefined {
  const atom = ovsdbAtom(row, column);
  return atom === 'up' || atom === 'down' ? atom : undefined;
}

/**
 * The tables Bridge, Port and Interface joined, from `ovs-vsctl --format=json list Bridge`, `… list Port` and
 * `… list Interface`. They are read one after the other, so a reference may point at a row that is already gone: such
 * a port or interface is left out.
 */
export function parseOvs(bridges: string, ports: string, interfaces: string): Result<OvsState, ParseFailure> {
  const [bridgeRows, portRows, interfaceRows] = [
    parseOvsdbTable('ovs-vsctl --format=json list Bridge', bridges),
    parseOvsdbTable('ovs-vsctl --format=json list Port', ports),
    parseOvsdbTable('ovs-vsctl --format=json list Interface', interfaces),
  ];
  if (!bridgeRows.ok) return bridgeRows;
  if (!portRows.ok) return portRows;
  if (!interfaceRows.ok) return interfaceRows;
  const interfaceById = byId(interfaceRows.value, interfaceOf);
  const portById = byId(portRows.value, (row) => portOf(row, interfaceById));
  const joined: OvsBridge[] = [];
  for (const row of bridgeRows.value) {
    const name = text(row, 'name');
    if (name === undefined) return err({ kind: 'parse', what: 'ovs-vsctl --format=json list Bridge', line: 'no name' });
    joined.push(
      present({
        name,
        datapathType: text(row, 'datapath_type') ?? '',
        failMode: text(row, 'fail_mode'),
        ports: referred(row, 'ports', portById),
      }),
    );
  }
  return ok({ bridges: joined.sort(byName) });
}

function byId<T>(rows: readonly OvsdbRow[], make: (row: OvsdbRow) => T): ReadonlyMap<string, T> {
  return new Map(rows.map((row) => [String(ovsdbAtom(row, '_uuid') ?? ''), make(row)]));
}

/** Rows come in the order of their UUIDs, which says nothing: by name they compare between two runs. */
function referred<T extends { readonly name: string }>(
  row: OvsdbRow,
  column: string,
  targets: ReadonlyMap<string, T>,
): readonly T[] {
  return ovsdbAtoms(row, column)
    .flatMap((id) => targets.get(String(id)) ?? [])
    .sort(byName);
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function portOf(row: OvsdbRow, interfaces: ReadonlyMap<string, OvsInterface>): OvsPort {
  return present({
    name: text(row, 'name') ?? '',
    tag: number(row, 'tag'),
    trunks: ovsdbAtoms(row, 'trunks').filter((atom) => typeof atom === 'number'),
    vlanMode: text(row, 'vlan_mode'),
    otherConfig: ovsdbMap(row, 'other_config'),
    externalIds: unlessEmpty(ovsdbMap(row, 'external_ids')),
    interfaces: referred(row, 'interfaces', interfaces),
  });
}

function interfaceOf(row: OvsdbRow): OvsInterface {
  const statistics = [...ovsdbMap(row, 'statistics')].map(([key, value]): [string, number] => [key, Number(value)]);
  return present({
    name: text(row, 'name') ?? '',
    type: text(row, 'type') ?? '',
    ofport: number(row, 'ofport'),
    error: text(row, 'error'),
    mac: text(row, 'mac_in_use'),
    externalIds: ovsdbMap(row, 'external_ids'),
    options: ovsdbMap(row, 'options'),
    statistics: new Map(statistics.filter(([, value]) => Number.isFinite(value))),
    bfd: unlessEmpty(ovsdbMap(row, 'bfd_status')),
    adminState: state(row, 'admin_state'),
    linkState: state(row, 'link_state'),
    mtu: number(row, 'mtu'),
  });
}
