import type { Bundle } from '../../src/bundle/open.ts';

type Ran = NonNullable<ReturnType<Bundle['hosts']['get']>>['commands'][number];

// biome-ignore lint/suspicious/noExplicitAny: values as OVSDB writes them (RFC 7047, 5.1), edited by hand
type Value = any;

/** A row as its columns, each value as OVSDB writes it: an atom, `["uuid", …]`, `["set", […]]`, `["map", [[key, value], …]]`. */
export type Row = Record<string, Value>;

type Tool = 'ovn-nbctl' | 'ovn-sbctl' | 'ovs-vsctl';

/** The commands of one call, in the order of the tables that it prints: `-- find SB_Global -- find Chassis`. */
function calls(argv: readonly string[]): readonly (readonly string[])[] {
  const words = argv.slice(argv.indexOf('--format=json') + 1);
  const found: string[][] = [[]];
  for (const word of words) word === '--' ? found.push([]) : found.at(-1)?.push(word);
  return found.map((call) => call.filter((word) => word !== '--if-exists')).filter((call) => call.length > 0);
}

function edited(line: string, edit: (rows: Row[]) => Row[] | undefined): string {
  const { data, headings }: { data: Value[][]; headings: string[] } = JSON.parse(line);
  const rows = data.map((row): Row => Object.fromEntries(headings.map((name, at) => [name, row[at]])));
  const left = edit(rows) ?? rows;
  return JSON.stringify({ data: left.map((row) => headings.map((name) => row[name])), headings });
}

const isOf = (ran: Ran, tool: Tool): boolean => ran.argv.includes(tool) && ran.argv.includes('--format=json');

/**
 * The rows of a table wherever a tool of OVN's (or of Open vSwitch, on one host) printed them: `edit` changes them in
 * place, or returns others. `call` is the command that found them, as `['find', 'Port_Binding', 'type=localnet']`.
 */
export function editingRows(
  bundle: Bundle,
  tool: Tool,
  table: string,
  edit: (rows: Row[], call: readonly string[]) => Row[] | undefined,
  host?: string,
): Bundle {
  let met = 0;
  const ofCommand = (ran: Ran): Ran => {
    if (!isOf(ran, tool) || !ran.outcome.ok) return ran;
    const asked = calls(ran.argv);
    if (!asked.some((call) => call[1] === table)) return ran;
    met += 1;
    const lines = ran.outcome.value.stdout.trimEnd().split('\n');
    const stdout = lines
      .map((line, at) => {
        const call = asked[at];
        return call?.[1] === table ? edited(line, (rows) => edit(rows, call)) : line;
      })
      .join('\n');
    return { ...ran, outcome: { ok: true, value: { ...ran.outcome.value, stdout: `${stdout}\n` } } };
  };
  const hosts = [...bundle.hosts].map(
    ([name, there]) =>
      [
        name,
        host === undefined || host === name ? { ...there, commands: there.commands.map(ofCommand) } : there,
      ] as const,
  );
  if (met === 0) throw new Error(`nothing in ${bundle.file} was asked of ${table} by ${tool}`);
  return { ...bundle, hosts: new Map(hosts) };
}

/** One key of a map; undefined takes it away. */
export function setKey(row: Row, column: string, key: string, value: string | undefined): void {
  const pairs: [string, Value][] = row[column]?.[1] ?? [];
  const others = pairs.filter(([name]) => name !== key);
  row[column] = ['map', value === undefined ? others : [...others, [key, value]]];
}

/** One command of a call, with the words that stand in front of it, and the table that it printed. */
interface Asked {
  readonly words: readonly string[];
  readonly line: string;
}

/** Each call of a tool rewritten: what it asks, and what was printed; a call that asks nothing any more was not made. */
function rewriting(bundle: Bundle, tool: Tool, rewrite: (asked: readonly Asked[]) => readonly Asked[]): Bundle {
  const ofCommand = (ran: Ran): Ran[] => {
    if (!isOf(ran, tool) || !ran.outcome.ok || !ran.argv.includes('--')) return [ran];
    const start = ran.argv.indexOf('--');
    const lines = ran.outcome.value.stdout.trimEnd().split('\n');
    const words: string[][] = [];
    for (const word of ran.argv.slice(start)) word === '--' ? words.push([]) : words.at(-1)?.push(word);
    const asked = words.map((of, at) => ({ words: of, line: lines[at] ?? '' }));
    const left = rewrite(asked);
    if (left.length === 0) return [];
    const argv = [...ran.argv.slice(0, start), ...left.flatMap((one) => ['--', ...one.words])];
    const stdout = `${left.map((one) => one.line).join('\n')}\n`;
    return [{ ...ran, argv, outcome: { ok: true, value: { ...ran.outcome.value, stdout } } }];
  };
  const hosts = [...bundle.hosts].map(
    ([name, there]) => [name, { ...there, commands: there.commands.flatMap(ofCommand) }] as const,
  );
  return { ...bundle, hosts: new Map(hosts) };
}

/** As if a command had not been asked: what it looks for is named by rows that are no more. */
export const notAsking = (bundle: Bundle, tool: Tool, isMeant: (words: readonly string[]) => boolean): Bundle =>
  rewriting(bundle, tool, (asked) => asked.filter(({ words }) => !isMeant(words)));

/** The rows that a column refers to: an unset one, one, or a set. */
export function referred(value: Value): readonly string[] {
  const [kind, of] = value ?? [];
  if (kind === 'uuid') return [of];
  return kind === 'set' ? of.map(([, id]: [string, string]) => id) : [];
}
const referring = (ids: readonly string[]): Value =>
  ids.length === 1 ? ['uuid', ids[0]] : ['set', ids.map((id) => ['uuid', id])];

/** Where a row of the Northbound hangs: `['Logical_Router', 'nat']`. */
type Column = readonly [table: string, column: string];

const isListOf =
  (table: string) =>
  ({ words }: Asked): boolean =>
    words[1] === 'list' && words[2] === table;

/** Without the rows of a table that a column of the Northbound refers to, as far as `isMeant` says: neither row nor reference. */
export function withoutRows(
  bundle: Bundle,
  [owner, column]: Column,
  table: string,
  isMeant: (row: Row) => boolean = () => true,
): Bundle {
  const gone = new Set<string>();
  let left = editingRows(bundle, 'ovn-nbctl', table, (rows) =>
    rows.filter((row) => {
      if (!isMeant(row)) return true;
      gone.add(row._uuid[1]);
      return false;
    }),
  );
  left = editingRows(left, 'ovn-nbctl', owner, (rows) => {
    for (const row of rows) row[column] = referring(referred(row[column]).filter((id) => !gone.has(id)));
    return rows;
  });
  return rewriting(left, 'ovn-nbctl', (asked) =>
    asked.flatMap((one) => {
      if (!isListOf(table)(one)) return [one];
      const words = one.words.filter((word) => !gone.has(word));
      return words.length === 3 ? [] : [{ ...one, words }];
    }),
  );
}

/**
 * With one more row, to which a column of the Northbound refers (of the rows that `isMeant` says). It is listed with
 * those that hang there already; where there are none, at the end of the call that lists `beside`, else by a call of its own.
 */
export function withRow(
  bundle: Bundle,
  [owner, column]: Column,
  table: string,
  row: Row,
  isMeant: (row: Row) => boolean,
  beside?: string,
): Bundle {
  const id: string = row._uuid[1];
  const before = new Set<string>();
  const tied = editingRows(bundle, 'ovn-nbctl', owner, (rows) => {
    for (const one of rows.filter(isMeant)) {
      const there = referred(one[column]);
      for (const other of there) before.add(other);
      one[column] = referring([...there, id]);
    }
    return rows;
  });
  const line = JSON.stringify({ data: [Object.values(row)], headings: Object.keys(row) });
  const listing = { words: ['--if-exists', 'list', table, id], line };
  let met = 0;
  const listed = rewriting(tied, 'ovn-nbctl', (asked) => {
    const isBeside = asked.some((one) => beside !== undefined && isListOf(beside)(one));
    if (!asked.some(isListOf(table))) {
      if (!isBeside) return asked;
      met += 1;
      return [...asked, listing];
    }
    return asked.map((one) => {
      if (!isListOf(table)(one)) return one;
      met += 1;
      const last = one.words.findLastIndex((word) => before.has(word));
      const at = last < 0 ? one.words.length : last + 1;
      return {
        words: [...one.words.slice(0, at), id, ...one.words.slice(at)],
        line: edited(one.line, (rows) => [...rows, row]),
      };
    });
  });
  if (met > 0) return listed;
  return asking(listed, 'ovn-nbctl', [listing]);
}

/** One more call of a tool where it was called before, with the tables that it printed. */
export function asking(bundle: Bundle, tool: Tool, asked: readonly Asked[]): Bundle {
  for (const [name, there] of bundle.hosts) {
    const model = there.commands.find((ran) => isOf(ran, tool) && ran.argv.includes('--'));
    if (model?.outcome.ok !== true) continue;
    const argv = [...model.argv.slice(0, model.argv.indexOf('--')), ...asked.flatMap((one) => ['--', ...one.words])];
    const stdout = `${asked.map((one) => one.line).join('\n')}\n`;
    const record: Ran = { ...model, argv, outcome: { ok: true, value: { ...model.outcome.value, stdout } } };
    return {
      ...bundle,
      hosts: new Map([...bundle.hosts, [name, { ...there, commands: [...there.commands, record] }]]),
    };
  }
  throw new Error(`${tool} is not called in ${bundle.file}`);
}

/** Rows as one line of `--format=json`. */
export const printed = (headings: readonly string[], rows: readonly Row[]): string =>
  JSON.stringify({ data: rows.map((row) => headings.map((name) => row[name])), headings });
