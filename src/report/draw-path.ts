import type { DrawnHop, DrawnPath } from '../engine/report.ts';
import { clip, columns, type Page, padEnd, spaces } from './page.ts';
import { plural } from './words.ts';

const left = 2;
const longestLabel = 32;
const longestHost = 20;

/**
 * Paths as hops with what was found at each: on one line with the states under it where the width allows, else one row
 * per host. Among several paths only those with something to see are drawn; the others are named.
 */
export function drawPaths(paths: readonly DrawnPath[], page: Page): string[] {
  const drawn = paths.filter((path) => path.hops.length > 0);
  const telling = drawn.filter((path) => path.hops.some((h) => h.state === 'problem' || h.state === 'blocked'));
  const full = page.verbosity > 0 ? drawn : telling.length > 0 ? telling : drawn.slice(0, 1);
  const named = drawn.filter((path) => !full.includes(path));
  const title = ({ title }: DrawnPath): string =>
    page.theme.paint('dim', clip(page.say(title), page.width - left, page));
  return [
    ...full.flatMap((path) => [
      ...(full.length > 1 ? [`${spaces(left)}${title(path)}`] : []),
      ...(onOneLine(path, page) ?? rowPerHost(path, page)),
    ]),
    ...nameOthers(named, page),
  ];
}

function nameOthers(paths: readonly DrawnPath[], page: Page): string[] {
  const { theme } = page;
  const isOk = (path: DrawnPath): boolean => path.hops.every((h) => h.state === 'ok');
  const line = (mark: string, words: string, some: readonly DrawnPath[]): string[] => {
    const names = some
      .map((p) => `${page.say(p.title)} (${plural(p.hops.length, 'hop')})`)
      .join(` ${theme.glyphs.dot} `);
    return some.length === 0
      ? []
      : [`${spaces(left)}${mark}  ${clip(`${words}: ${names}`, page.width - left - 4, page)}`];
  };
  return [
    ...line(theme.paint('ok', theme.marks.ok), 'also ok', paths.filter(isOk)),
    ...line(
      theme.paint('dim', theme.glyphs.unseen),
      'not all seen',
      paths.filter((path) => !isOk(path)),
    ),
  ];
}

interface Cell {
  readonly hop: DrawnHop;
  /** How it is joined to the cell before; empty at the start. */
  readonly joint: string;
  readonly label: string;
}

function cellsOf(hops: readonly DrawnHop[], page: Page): Cell[] {
  const { theme } = page;
  let broken = false;
  return hops.map((hop) => {
    const text = clip(page.say(hop.label), page.verbosity > 0 ? page.width - 24 : longestLabel, page);
    const line = hop.join === 'underlay' ? theme.glyphs.underlay : theme.glyphs.cable;
    const joint = hop.join === 'start' ? '' : broken ? theme.paint('dim', line) : line;
    broken ||= hop.state === 'problem';
    return { hop, joint, label: hop.state === 'problem' ? theme.paint('problem', text) : text };
  });
}

/** Labels, and under them the states with the name of each host where the packet comes to it. */
function onOneLine(path: DrawnPath, page: Page): string[] | undefined {
  let labels = spaces(left);
  let states = spaces(left);
  let host: string | undefined;
  for (const { hop, joint, label } of cellsOf(path.hops, page)) {
    const arrives = hop.host !== undefined && hop.host !== host && !hop.label.includes(hop.host);
    host = hop.host ?? host;
    const where = arrives ? ` ${page.theme.paint('host', clip(page.say(hop.host ?? ''), longestHost, page))}` : '';
    const state = `${stateMark(hop.state, page)}${where}`;
    const width = Math.max(columns(label), columns(state));
    const before = joint === '' ? '' : ` ${joint} `;
    labels += before + padEnd(label, width);
    states += spaces(columns(before)) + padEnd(state, width);
  }
  return columns(labels.trimEnd()) > page.width ? undefined : [labels.trimEnd(), states.trimEnd()];
}

/** One row per host, the worst state in front; states under the hops only where they differ. */
function rowPerHost(path: DrawnPath, page: Page): string[] {
  const groups: Cell[][] = [];
  let host: string | undefined;
  for (const cell of cellsOf(path.hops, page)) {
    const group = groups.at(-1);
    const moves = cell.hop.host !== undefined && cell.hop.host !== host && host !== undefined;
    host = cell.hop.host ?? host;
    if (group === undefined || moves) groups.push([cell]);
    else group.push(cell);
  }
  const hostOf = (group: readonly Cell[]): string =>
    clip(page.say(group.find((c) => c.hop.host !== undefined)?.hop.host ?? ''), longestHost, page);
  const hostWidth = Math.max(0, ...groups.map((g) => columns(hostOf(g))));
  return groups.flatMap((group, index) => {
    const head = `${stateMark(worst(group), page)}  ${page.theme.paint('host', padEnd(hostOf(group), hostWidth))}  `;
    return groupRows(group, `${spaces(left)}${head}`, groups[index + 1]?.[0]?.joint ?? '', page);
  });
}

function groupRows(group: readonly Cell[], head: string, leadsOn: string, page: Page): string[] {
  const column = columns(head);
  const uniform = group.every((cell) => cell.hop.state === group[0]?.hop.state);
  const lines: string[] = [];
  let labels = head;
  let states = spaces(column);
  const flush = (): void => {
    lines.push(labels.trimEnd());
    if (!uniform || page.verbosity > 0) lines.push(states.trimEnd());
  };
  for (const [index, cell] of group.entries()) {
    const before = index === 0 || cell.joint === '' ? '' : ` ${cell.joint} `;
    const mark = stateMark(cell.hop.state, page);
    const width = Math.max(columns(cell.label), columns(mark));
    if (columns(labels) + columns(before) + width + 3 > page.width && index > 0) {
      flush();
      labels = spaces(column + 1);
      states = spaces(column + 1);
    }
    labels += before + padEnd(cell.label, width);
    states += spaces(columns(before)) + padEnd(mark, width);
  }
  if (leadsOn !== '') labels = `${labels.trimEnd()} ${leadsOn}`;
  flush();
  return lines;
}

function worst(group: readonly Cell[]): DrawnHop['state'] {
  const states = group.map((cell) => cell.hop.state);
  return (['problem', 'blocked', 'unseen', 'ok'] as const).find((state) => states.includes(state)) ?? 'unseen';
}

function stateMark(state: DrawnHop['state'], { theme }: Page): string {
  return state === 'unseen' ? theme.paint('dim', theme.glyphs.unseen) : theme.paint(state, theme.marks[state]);
}
