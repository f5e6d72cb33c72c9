import type { Trace } from '../../engine/trace.ts';
import { timeWords } from '../../path/trace/words.ts';
import type { Role } from '../../ui/theme.ts';
import { clip, columns, indent, type Page, padEnd, spaces, wrap } from '../page.ts';
import { cellOf, expectedWords, type TraceCell } from './cell.ts';
import { changeWords, probeWords, rowOfStop, stopTitle, tellingChanges } from './place.ts';

const left = 2;
const inner = 4;
const gap = 2;
const widestDevice = 32;

/**
 * Each trace as a column of hops, both ways side by side. Where one of several stops, the others take a line each,
 * unless `-v`.
 */
export function traceLines(traces: readonly Trace[], page: Page): string[] {
  const stops = traces.some((trace) => trace.stop !== undefined);
  const whole = traces.filter((trace) => page.verbosity > 0 || !stops || trace.stop !== undefined);
  const others = traces.filter((trace) => !whole.includes(trace));
  const blocks = whole.map((trace) => drawTrace(trace, page));
  const named = others.map((trace) => {
    const mark = page.theme.paint('ok', page.theme.marks.ok);
    return `${spaces(left)}${mark}  ${clip(page.say(`${trace.title}: ${trace.reading}`), page.width - left - 4, page)}`;
  });
  return [...blocks, ...(named.length > 0 ? [named] : [])].flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]));
}

/** The hops, what was expected and what was seen at each, a loud line where it stops, and what came of it in words. */
export function drawTrace(trace: Trace, page: Page): string[] {
  const { theme } = page;
  const title = clip(`TRACE  ${page.say(trace.title)}`, page.width, page);
  const probe = clip(page.say(probeWords(trace)), page.width - left, page);
  const bad = trace.stop !== undefined || trace.early !== undefined;
  const reading = wrap(page.say(trace.reading), page.width - left).map((line) =>
    theme.paint(bad ? 'problem' : 'ok', line),
  );
  return [
    theme.paint('strong', title),
    `${spaces(left)}${theme.paint('dim', probe)}`,
    ...hops(trace, page),
    ...indent(reading, left),
    ...indent(
      trace.notes.flatMap((note) => bullet(note, page)),
      left,
    ),
    ...(page.verbosity > 0 ? indent(details(trace, page), left) : []),
  ];
}

const bullet = (note: string, page: Page): string[] => {
  const [first = '', ...rest] = wrap(page.say(note), page.width - left - 2);
  return [`${page.theme.glyphs.bullet} ${first}`, ...indent(rest, 2)].map((line) => page.theme.paint('dim', line));
};

/** Reasons of what was expected, and how far clocks differ. */
function details(trace: Trace, page: Page): string[] {
  const reasons = (trace.expected ?? []).map((e) => {
    const way = e.way === 'back' ? ', on the way back' : '';
    return `expected at ${trace.points[e.point]?.device ?? ''}${way}: ${e.verdict}: ${e.because}`;
  });
  const clocks = trace.clocks.map(({ host, aheadUs }) => {
    const ahead = aheadUs < 0 ? 'behind' : 'ahead of';
    return `clock of ${host}: ${timeWords(Math.abs(aheadUs))} ${ahead} the one of ${trace.sender.host} (taken out)`;
  });
  return [...reasons, ...clocks].flatMap((line) => bullet(line, page));
}

/** One row of the table before it is laid out. A `line` runs over all columns. */
type Line =
  | { readonly kind: 'lane'; readonly text: string }
  | {
      readonly kind: 'row';
      readonly name: string;
      readonly wears: string;
      readonly cells: readonly [Shown, Shown, Shown, Shown];
    }
  | { readonly kind: 'line'; readonly role: Role; readonly text: string; readonly loud: boolean };

/** Of one column: what it says, and what can be left out where there is no room. */
interface Shown {
  readonly role: Role;
  readonly text: string;
  readonly more: string;
}

const nothing: Shown = { role: 'dim', text: '', more: '' };

const roles: Readonly<Record<TraceCell['state'], Role>> = {
  seen: 'ok',
  part: 'warn',
  lost: 'problem',
  beyond: 'dim',
  blind: 'blocked',
};

function hops(trace: Trace, page: Page): string[] {
  const lines = linesOf(trace, page);
  const heads = ['expected', 'there', 'back', 'stopped'];
  const used = heads.map((_, c) =>
    lines.some((line) => line.kind === 'row' && (line.cells[c]?.text ?? '') !== '' && (c > 0 || isExpectation(line))),
  );
  for (const form of forms) {
    const table = asTable(lines, heads, used, form, page);
    if (table !== undefined) return table;
  }
  return asList(lines, heads, used, page);
}

const isExpectation = (line: Line): boolean => line.kind === 'row' && line.cells[0].text !== '';

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

function linesOf(trace: Trace, page: Page): Line[] {
  const { points, sender, answerer, stop, sent, answered } = trace;
  const arrows = page.theme.unicode ? { there: '↓', back: '↑' } : { there: 'v', back: '^' };
  const stopRow = stop === undefined ? -1 : rowOfStop(stop, points.length);
  const loud = (row: number): Line[] =>
    row === stopRow ? [{ kind: 'line', role: 'problem', text: page.say(stopTitle(trace, arrows)), loud: true }] : [];
  const lines: Line[] = [];
  let lane: string | undefined;
  const enter = (host: string, netns: string | undefined): void => {
    const text = page.say(netns === undefined ? host : `${host} ${netns}`);
    if (text !== lane) lines.push({ kind: 'lane', text });
    lane = text;
  };
  const changes = tellingChanges(trace, page.verbosity > 0);
  enter(sender.host, sender.netns);
  lines.push({
    kind: 'row',
    name: page.say(trace.probe.from),
    wears: '',
    cells: [
      nothing,
      { role: 'dim', text: `${sent} sent`, more: '' },
      { role: 'dim', text: `${answered} answered`, more: '' },
      nothing,
    ],
  });
  points.forEach((point, p) => {
    lines.push(...loud(p));
    enter(point.host, point.netns);
    const wanted = expectedWords(trace, p);
    lines.push({
      kind: 'row',
      name: clip(page.say(point.device), widestDevice, page),
      wears: point.wears === undefined ? '' : page.say(point.wears),
      cells: [
        {
          role: wanted.includes('dropped') ? 'warn' : wanted.includes('unknown') ? 'blocked' : 'dim',
          text: wanted.join('/'),
          more: '',
        },
        shown(cellOf(trace, p, 'there'), page),
        shown(cellOf(trace, p, 'back'), page),
        stop !== undefined && stop.kind === 'edge' && stop.before.at === 'point' && stop.before.point === p
          ? { role: 'problem', text: `${arrows[stop.way]} ${stop.lost} of ${stop.of}`, more: '' }
          : nothing,
      ],
    });
    for (const m of trace.misfits.filter((misfit) => misfit.point === p)) {
      const text = `${arrows[m.way]} ${m.what} ${page.say(m.seen)}, should be ${page.say(m.expected)}`;
      lines.push({ kind: 'line', role: 'warn', text: page.theme.spell(text), loud: false });
    }
    for (const way of ['there', 'back'] as const) {
      const here = changes.filter((c) => c.way === way && Math.min(c.after, c.before) === p).map(changeWords);
      if (here.length > 0) {
        const text = `${arrows[way]} ${page.say(here.join(', '))}`;
        lines.push({ kind: 'line', role: 'dim', text, loud: false });
      }
    }
  });
  lines.push(...loud(points.length));
  lines.push({ kind: 'lane', text: page.say(answerer.name) });
  const took = trace.turnaroundUs === undefined ? '' : `took ${timeWords(trace.turnaroundUs)}`;
  const silent = stop !== undefined && stop.kind === 'answerer';
  lines.push({
    kind: 'row',
    name: page.say(trace.probe.to),
    wears: '',
    cells: [
      nothing,
      nothing,
      { role: 'dim', text: page.theme.spell(took), more: '' },
      silent ? { role: 'problem', text: `${stop.lost} of ${stop.of}`, more: '' } : nothing,
    ],
  });
  return lines;
}

function shown(cell: TraceCell, { theme }: Page): Shown {
  const mark = {
    seen: theme.marks.ok,
    part: theme.marks.warn,
    lost: theme.marks.problem,
    beyond: theme.glyphs.unseen,
    blind: theme.marks.blocked,
  }[cell.state];
  return {
    role: roles[cell.state],
    text: cell.words === '' ? mark : `${mark} ${cell.words}`,
    more: cell.time === undefined ? '' : theme.spell(cell.time),
  };
}

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
  if (line.kind === 'lane') return [`${spaces(left)}${theme.paint('host', clip(line.text, page.width - left, page))}`];
  if (!line.loud) {
    return indent(
      wrap(line.text, page.width - inner - 2).map((text) => theme.paint(line.role, text)),
      inner + 2,
    );
  }
  const rule = theme.unicode ? '━' : '=';
  const text = clip(`${rule}${rule} ${theme.marks.problem} ${line.text} `, Math.min(page.width, 120) - left, page);
  return [
    `${spaces(left)}${theme.paint(line.role, text + rule.repeat(Math.max(0, Math.min(width, page.width) - left - columns(text))))}`,
  ];
}
