import type { Matrix, MatrixCell, MatrixRow, MatrixTarget } from '../engine/matrix.ts';
import type { Role } from '../ui/theme.ts';
import { clip, columns, indent, type Page, padEnd, spaces, wrap } from './page.ts';

const left = 2;
const gap = 2;
const widestSource = 14;
const widestName = 28;

/** What a row is, in words that fit a column. */
export const kindWords: Readonly<Record<MatrixTarget, string>> = {
  'this-instance': 'this instance',
  'same-host': 'same host',
  'other-host': 'other host',
  'other-network': 'other network',
  'router-inside': 'router',
  dhcp: 'DHCP port',
  outside: 'outside',
  'floating-ip': 'floating IP',
  'router-outside': "router's outside",
};

/** `ok`, `ok (ARP)`, `lost`, `partly 3/5`, `not asked`. */
export function cellWords(cell: MatrixCell): string {
  switch (cell.state) {
    case 'ok':
      return cell.by === undefined ? 'ok' : `ok (${cell.by})`;
    case 'lost':
      return 'lost';
    case 'partly':
      return `partly ${cell.received}/${cell.sent}`;
    case 'not-asked':
      return 'not asked';
  }
}

const roleOf: Readonly<Record<MatrixCell['state'], Role>> = {
  ok: 'ok',
  lost: 'problem',
  partly: 'warn',
  'not-asked': 'dim',
};

/**
 * Who answers whom: a row per target, a column per sender. Rows that nobody asked are left out without `-v`; where
 * columns do not fit, each target takes a line per sender instead.
 */
export function matrixLines(matrices: readonly Matrix[], page: Page): string[] {
  return matrices.flatMap((matrix) => {
    const rows = page.verbosity > 0 ? matrix.rows : matrix.rows.filter(isAsked);
    if (rows.length < 2) return [];
    const title = page.theme.paint('strong', clip(`WHO ANSWERS around ${page.say(matrix.title)}`, page.width, page));
    const reading =
      matrix.reading === undefined
        ? []
        : indent(
            wrap(page.say(matrix.reading), page.width - left).map((l) => page.theme.paint('dim', l)),
            left,
          );
    return [
      title,
      ...(asTable(matrix, rows, page) ?? asList(matrix, rows, page)),
      ...(page.verbosity > 0 ? reasons(matrix, rows, page) : []),
      ...reading,
    ];
  });
}

const isAsked = (row: MatrixRow): boolean => row.cells.some((c) => c.state !== 'not-asked');

const nameOf = (row: MatrixRow, page: Page): string =>
  page.say(row.host === undefined ? row.name : `${row.name} on ${row.host}`);

const cellText = (cell: MatrixCell, page: Page): string =>
  page.theme.spell(cell.state === 'not-asked' ? '·' : cellWords(cell));

function asTable(matrix: Matrix, rows: readonly MatrixRow[], page: Page): string[] | undefined {
  const { theme } = page;
  const kinds = rows.map((row) => kindWords[row.kind]);
  const names = rows.map((row) => clip(nameOf(row, page), widestName, page));
  const heads = matrix.sources.map((source) => [
    clip(page.say(source.name), widestSource, page),
    source.host === source.name ? '' : clip(page.say(source.host), widestSource, page),
  ]);
  const kindWidth = Math.max(0, ...kinds.map(columns));
  const nameWidth = Math.max(0, ...names.map(columns));
  const widths = matrix.sources.map((_, i) =>
    Math.max(
      ...(heads[i] ?? []).map(columns),
      ...rows.map((row) => columns(cellText(row.cells[i] ?? { state: 'not-asked', because: '' }, page))),
    ),
  );
  const total = left + kindWidth + gap + nameWidth + widths.reduce((sum, w) => sum + gap + w, 0);
  if (total > page.width) return undefined;
  const head = (line: 0 | 1): string => {
    const words = heads.map((h) => h[line] ?? '');
    const end = words.findLastIndex((word) => word !== '');
    return `${spaces(left + kindWidth + gap + nameWidth)}${words
      .slice(0, end + 1)
      .map(
        (word, i) =>
          `${spaces(gap)}${word === '' ? '' : theme.paint('host', word)}${i === end ? '' : spaces((widths[i] ?? 0) - columns(word))}`,
      )
      .join('')}`;
  };
  return [
    head(0),
    ...(heads.some(([, host]) => host !== '') ? [head(1)] : []),
    ...rows.map((row, r) => {
      const cells = widths.map((w, i) => {
        const cell = row.cells[i] ?? { state: 'not-asked' as const, because: '' };
        const text = cellText(cell, page);
        const last = i === widths.length - 1;
        return `${spaces(gap)}${theme.paint(roleOf[cell.state], text)}${last ? '' : spaces(w - columns(text))}`;
      });
      const kind = theme.paint('dim', padEnd(kinds[r] ?? '', kindWidth));
      return `${spaces(left)}${kind}${spaces(gap)}${padEnd(names[r] ?? '', nameWidth)}${cells.join('')}`;
    }),
  ];
}

/** For narrow screens: the target, and under it who asked it. */
function asList(matrix: Matrix, rows: readonly MatrixRow[], page: Page): string[] {
  return rows.flatMap((row) => [
    ...indent(wrap(`${nameOf(row, page)} (${kindWords[row.kind]})`, page.width - left), left),
    ...matrix.sources.flatMap((source, i) => {
      const cell = row.cells[i];
      if (cell === undefined || (cell.state === 'not-asked' && page.verbosity === 0)) return [];
      const text = cellWords(cell);
      const from = clip(
        page.say(source.host === source.name ? source.name : `${source.name} ${source.host}`),
        page.width - left * 2 - columns(text) - 6,
        page,
      );
      return [`${spaces(left * 2)}${page.theme.paint(roleOf[cell.state], text)} from ${from}`];
    }),
  ]);
}

/** Why cells are empty; each reason once. */
function reasons(matrix: Matrix, rows: readonly MatrixRow[], page: Page): string[] {
  const said = new Map<string, string[]>();
  for (const row of rows) {
    row.cells.forEach((cell, i) => {
      if (cell.state !== 'not-asked') return;
      const where = `${row.name} from ${matrix.sources[i]?.name ?? ''}`;
      said.set(cell.because, [...(said.get(cell.because) ?? []), where]);
    });
  }
  return [...said].flatMap(([because, where]) =>
    indent(
      wrap(page.say(`not asked: ${where.join(', ')}: ${because}`), page.width - left).map((l) =>
        page.theme.paint('dim', l),
      ),
      left,
    ),
  );
}
