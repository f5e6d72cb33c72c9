/** One round: what was placed, and what the doctor made of it. */
export interface Row {
  readonly round: number;
  readonly asked: string;
  readonly title: string;
  readonly kind: string;
  readonly host: string;
  readonly device: string;
  readonly way: string;
  readonly expected: string;
  readonly said: string;
  readonly right: boolean;
  readonly named?: 'first' | 'elsewhere' | 'no';
  readonly first: string;
  readonly seconds: number;
}

/** A drop that was placed and did no harm, or could not be placed: nothing is to be found. */
export interface Dud {
  readonly round: number;
  readonly asked: string;
  readonly kind: string;
  readonly host: string;
  readonly device: string;
  readonly way: string;
  readonly why: string;
}

export interface Result {
  readonly variant: string;
  readonly seed: string;
  readonly started: string;
  readonly version: string;
  readonly commit: string;
  readonly rows: readonly Row[];
  readonly duds: readonly Dud[];
}

const percent = (part: number, whole: number): string =>
  whole === 0 ? '-' : `${part} of ${whole} (${Math.round((1000 * part) / whole) / 10} %)`;

const cell = (text: string): string => text.replaceAll('|', '\\|');
const line = (...cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;

export const share = ({ rows }: Pick<Result, 'rows'>): number =>
  rows.length === 0 ? 0 : rows.filter((r) => r.right).length / rows.length;

const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
};

const intro = `# Where a trace says that packets end

Written by \`test/lab/localise.sh\` (see README.md). Each round puts one drop of a random kind somewhere on the path of a random trace, in one direction, proves that the
probe no longer comes back, and runs the trace again. Edge right: the first missing edge that it names is the one around the drop, as packet sockets see it (a filter on
ingress takes what the device was still seen to receive; one on egress takes what it was not yet seen to send). Rule named: where a node counts the drop, whether the
report names that very rule, and whether as its first cause.
`;

export function section({ variant, rows, duds, seed, started, version, commit }: Result): string {
  const counted = rows.filter((r) => r.named !== undefined);
  return [
    `## ${variant}`,
    '',
    `${started.slice(0, 10)}, ostk-doctor ${version}, commit ${commit}, seed ${seed}.`,
    '',
    line('', ''),
    '|---|---|',
    line('rounds', String(rows.length)),
    line('edge right', percent(rows.filter((r) => r.right).length, rows.length)),
    line('rule named', percent(counted.filter((r) => r.named !== 'no').length, counted.length)),
    line('rule is the first cause', percent(counted.filter((r) => r.named === 'first').length, counted.length)),
    line('s to the verdict', `${median(rows.map((r) => r.seconds))} (median)`),
    line('drops that did no harm or could not be placed', String(duds.length)),
    '',
    line(
      'trace',
      'kind',
      'host',
      'device',
      'direction',
      'expected edge',
      'edge said',
      'right',
      'rule named',
      'first cause',
      's',
    ),
    `|${'---|'.repeat(11)}`,
    ...[...rows]
      .sort((a, b) => a.round - b.round)
      .map((r) =>
        line(
          r.asked,
          r.kind,
          r.host,
          r.device,
          r.way,
          r.expected,
          r.said === r.expected ? 'the same' : r.said,
          r.right ? 'yes' : 'NO',
          r.named ?? '',
          r.first,
          String(r.seconds),
        ),
      ),
    '',
  ].join('\n');
}

/** The page with this variant's section in place of its last one. */
export function page(was: string, result: Result): string {
  const order = ['lb', 'ovs', 'ovsfw'];
  const sections = new Map(
    was
      .split(/^(?=## )/m)
      .slice(1)
      .map((text) => [/^## (\S+)/.exec(text)?.[1] ?? '', `${text.trimEnd()}\n`]),
  );
  sections.set(result.variant, section(result));
  return [intro, ...order.flatMap((v) => sections.get(v) ?? [])].join('\n');
}
