import { unreachable } from '../../engine/result.ts';
import { clip, columns, type Page, padEnd, spaces, wrap } from '../page.ts';
import { type Line, nothing } from './rows.ts';

const left = 2;
const inner = 4;
const gap = 2;

/** Lays lines out in columns; on narrow screens without what can be spared, at last a hop over two lines. */
export function layTable(lines: readonly Line[], page: Page): string[] {
  const heads = ['expected', 'there', 'back', 'stopped'];
  const used = heads.map((_, c) => lines.some((line) => line.kind === 'row' && (line.cells[c] ?? nothing).text !== ''));
  for (const form of forms) {
    const table = asTable(lines, heads, used, form, page);
    if (table !== undefined) return table;
  }
  return asList(lines, heads, used, page);
}

/** What is left out, the dearest last. */
interface Form {
  readonly stopped: boolean;
  readonly times: boolean;
  readonly wears: boolean;
}

const forms: readonly Form[] = [
  { stopped: true, times: true, wears: true },
  { stopped: false, times: true, wears: true },
  { stopped: false, times: false, wears: true },
  { stopped: false, times: false, wears: false },
];

function asTable(
  lines: readonly Line[],
  heads: readonly string[],
  used: readonly boolean[],
  form: Form,
  page: Page,
): string[] | undefined {
  const { theme } = page;
  const which = [0, 1, 2, 3].filter((c) => used[c] === true && (c < 3 || form.stopped));
  const rows = lines.flatMap((line) => (line.kind === 'row' ? [line] : []));
  const label = (row: (typeof rows)[number]): string =>
    form.wears && row.wears !== '' ? `${row.name}  ${row.wears}` : row.name;
  const nameWidth = Math.max(0, ...rows.map((row) => columns(label(row))));
  const widths = which.map((c) => {
    const text = Math.max(0, ...rows.map((row) => columns(row.cells[c]?.text ?? '')));
    const more = form.times ? Math.max(0, ...rows.map((row) => columns(row.cells[c]?.more ?? ''))) : 0;
    return { text, total: Math.max(columns(heads[c] ?? ''), text + (more > 0 ? more + 1 : 0)) };
  });
  const total = inner + nameWidth + widths.reduce((sum, w) => sum + gap + w.total, 0);
  if (total > page.width) return undefined;
  const row = (name: string, cells: readonly string[]): string =>
    `${spaces(inner)}${padEnd(name, nameWidth)}${cells.map((cell, i) => `${spaces(gap)}${padEnd(cell, widths[i]?.total ?? 0)}`).join('')}`.trimEnd();
  return [
    row(
      '',
      which.map((c) => theme.paint('dim', heads[c] ?? '')),
    ),
    ...lines.flatMap((line): string[] => {
      if (line.kind !== 'row') return overAll(line, Math.max(total, 56), page);
      const name = form.wears && line.wears !== '' ? `${line.name}  ${theme.paint('dim', line.wears)}` : line.name;
      return [
        row(
          name,
          which.map((c, i) => {
            const { role, text, more } = line.cells[c] ?? nothing;
            const time =
              more === '' || !form.times ? '' : `${spaces((widths[i]?.text ?? 0) - columns(text) + 1)}${more}`;
            return `${text === '' ? '' : theme.paint(role, text)}${time === '' ? '' : theme.paint('dim', time)}`;
          }),
        ),
      ];
    }),
  ];
}

/** For narrow screens and long names: the hop, and under it what it shows. */
function asList(lines: readonly Line[], heads: readonly string[], used: readonly boolean[], page: Page): string[] {
  const { theme } = page;
  return lines.flatMap((line): string[] => {
    if (line.kind !== 'row') return overAll(line, page.width, page);
    const name = line.wears === '' ? line.name : `${line.name}  ${line.wears}`;
    const parts = line.cells.flatMap(({ role, text, more }, c) =>
      text === '' || used[c] !== true || c === 3
        ? []
        : [
            `${theme.paint('dim', heads[c] ?? '')} ${theme.paint(role, text)}${more === '' ? '' : theme.paint('dim', ` ${more}`)}`,
          ],
    );
    return [
      `${spaces(inner)}${clip(name, page.width - inner, page)}`,
      ...(parts.length === 0 ? [] : [`${spaces(inner + 2)}${clip(parts.join('  '), page.width - inner - 2, page)}`]),
    ];
  });
}

function overAll(line: Exclude<Line, { readonly kind: 'row' }>, width: number, page: Page): string[] {
  const { theme } = page;
  switch (line.kind) {
    case 'lane':
      return [`${spaces(left)}${theme.paint('host', clip(line.text, page.width - left, page))}`];
    case 'remark': {
      const start = inner + 2;
      const [first = '', ...rest] = packed(line.parts, page.width - start - 2);
      return [
        `${spaces(start)}${theme.paint(line.role, `${line.mark} ${first}`)}`,
        ...rest.map((text) => `${spaces(start + 2)}${theme.paint(line.role, text)}`),
      ];
    }
    case 'stop': {
      const rule = theme.unicode ? '━' : '=';
      const text = clip(`${rule}${rule} ${theme.marks.problem} ${line.text}`, page.width - left, page);
      const room = Math.min(Math.max(width, left + columns(text) + 3), page.width) - left - columns(text) - 1;
      const rest = room > 0 ? ` ${rule.repeat(room)}` : '';
      return [`${spaces(left)}${theme.paint('problem', text + rest)}`];
    }
    default:
      return unreachable(line);
  }
}

/** Fills lines with whole parts, joined by commas. */
function packed(parts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  parts.forEach((part, i) => {
    const text = i < parts.length - 1 ? `${part},` : part;
    const last = lines.at(-1);
    if (last !== undefined && columns(last) + 1 + columns(text) <= width) lines[lines.length - 1] = `${last} ${text}`;
    else lines.push(...wrap(text, width));
  });
  return lines;
}
