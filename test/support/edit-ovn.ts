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
