import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import type { Trace, TraceLoss, TracePlace, TraceWay } from '../../engine/trace.ts';
import { stationOf } from '../../path/trace/station.ts';
import { timeWords } from '../../path/trace/words.ts';
import { safeLine } from '../../ui/safe-text.ts';
import { shortIds } from '../page.ts';
import { cellOf, expectedWords, type TraceCell } from './cell.ts';
import { changeWords, probeWords, rowOfStop, senderName, stopTitle, tellingChanges } from './place.ts';

const width = 860;
const margin = 16;
const middle = width / 2;
const boxWidth = 280;
const boxHeight = 42;
const gapHeight = 36;
const lineHeight = 15;
const laneHead = 26;
const lanePad = 10;
/** From the last box of a lane to the first of the next. */
const laneBetween = lanePad + 14 + laneHead;
/** How far left and right of the middle packets go there and back. */
const track = 70;
/** Of the monospaced face at 12 px, a little more than most have. */
const letter = 7.3;
const room = Math.floor((middle - boxWidth / 2 - margin * 2) / letter);
const pageLetters = Math.floor((width - margin * 2) / letter);

interface Palette {
  readonly paper: string;
  readonly ink: string;
  readonly dim: string;
  readonly lane: string;
  readonly line: string;
  readonly box: string;
  readonly ok: string;
  readonly bad: string;
  readonly warn: string;
  readonly blind: string;
}

const light: Palette = {
  paper: '#fff',
  ink: '#1f2328',
  dim: '#59636e',
  lane: '#f6f8fa',
  line: '#d1d9e0',
  box: '#fff',
  ok: '#1a7f37',
  bad: '#cf222e',
  warn: '#9a6700',
  blind: '#8250df',
};

const dark: Palette = {
  paper: '#0d1117',
  ink: '#f0f6fc',
  dim: '#9198a1',
  lane: '#151b23',
  line: '#3d444d',
  box: '#212830',
  ok: '#3fb950',
  bad: '#f85149',
  warn: '#d29922',
  blind: '#ab7df8',
};

/** Plain rules and no custom properties: not only browsers show pictures. */
const colours = (c: Palette): string =>
  `text{fill:${c.ink}}.dim,.beyond{fill:${c.dim}}.seen,.head{fill:${c.ok}}.lost{fill:${c.bad}}.part{fill:${c.warn}}.blind{fill:${c.blind}}
.paper{fill:${c.paper}}.lane{fill:${c.lane};stroke:${c.line}}.box{fill:${c.box};stroke:${c.line}}.out{stroke:${c.bad}}.unseen{stroke:${c.blind}}
.go{stroke:${c.ok}}.gone,.rest{stroke:${c.bad}}.maybe{stroke:${c.blind}}`;

/** Light, or dark where the reader prefers that; the words say the same as the colours. */
const style = `
text{font-family:ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12px}
.title{font-weight:bold;font-size:15px}.strong,.lost{font-weight:bold}
.out{stroke-width:2}.unseen{stroke-dasharray:4 3}
.go,.gone,.rest,.maybe{fill:none;stroke-width:2}.gone{stroke-width:3}.rest{stroke-dasharray:3 5}.maybe{stroke-dasharray:4 4}
${colours(light)}
@media (prefers-color-scheme:dark){
${colours(dark)}
}`;

/**
 * A trace as a picture: hosts as lanes, hops as boxes, packets as arrows there (left, down) and back (right, up), the
 * place where it stops as a broken red arrow. One SVG document that needs nothing else; follows the reader's light or
 * dark scheme.
 */
export function traceSvg(trace: Trace): string {
  const { rows, height } = layOut(trace);
  const parts = [
    `<rect class="paper" width="${width}" height="${height}"/>`,
    text(margin, 28, clipped(trace.title, pageLetters - 20), 'title'),
    text(margin, 46, clipped(probeWords(trace), pageLetters), 'dim'),
    ...lanes(trace, rows),
    ...legend(rows),
    ...gaps(trace, rows),
    ...rows.map((row) => box(trace, row)),
    ...closing(trace, (rows.at(-1)?.bottom ?? 0) + lanePad + 24),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<title>${escaped(plain(trace.title))}</title>
<desc>${escaped(plain(trace.reading))}</desc>
<style>${style}</style>
${parts.join('\n')}
</svg>
`;
}

/** What a row shows: the sender, a point, the answerer. */
type Station =
  | { readonly kind: 'sender' }
  | { readonly kind: 'answerer' }
  | { readonly kind: 'point'; readonly point: number };

interface PlacedRow {
  readonly station: Station;
  readonly lane: string;
  readonly top: number;
  readonly bottom: number;
  /** Changes on the way to the row before and from it, a line each. */
  readonly changes: Readonly<Record<TraceWay, readonly string[]>>;
}

function layOut(trace: Trace): { readonly rows: readonly PlacedRow[]; readonly height: number } {
  const all = tellingChanges(trace, false);
  const stations: readonly Station[] = [
    { kind: 'sender' },
    ...trace.points.map((_, point): Station => ({ kind: 'point', point })),
    { kind: 'answerer' },
  ];
  const changesBefore = (station: Station, way: TraceWay): string[] =>
    station.kind !== 'point'
      ? []
      : all
          .filter((c) => c.way === way && Math.max(c.after, c.before) === station.point)
          .flatMap((c) => wrapped(changeWords(c), room));
  let y = 62;
  let lane: string | undefined;
  const rows = stations.map((station): PlacedRow => {
    const next = laneOf(trace, station);
    const changes = { there: changesBefore(station, 'there'), back: changesBefore(station, 'back') };
    const lines = Math.max(changes.there.length, changes.back.length);
    const extra = Math.max(0, lines - 2) * lineHeight;
    const gap = lane === undefined ? laneHead : next === lane ? gapHeight + extra : laneBetween + extra;
    const top = y + gap;
    lane = next;
    y = top + boxHeight;
    return { station, lane: next, top, bottom: y, changes };
  });
  const lines = closingLines(trace).length;
  return { rows, height: y + lanePad + 24 + lines * (lineHeight + 3) + margin };
}

/** Hosts are lanes; the answerer has one of its own. */
function laneOf({ points, sender, answerer }: Trace, station: Station): string {
  if (station.kind === 'sender') return sender.host;
  return station.kind === 'answerer' ? `\u0000${answerer.name}` : (points[station.point]?.host ?? '');
}

function lanes(trace: Trace, rows: readonly PlacedRow[]): string[] {
  const groups: PlacedRow[][] = [];
  for (const row of rows) {
    const group = groups.at(-1);
    if (group?.[0]?.lane === row.lane) group.push(row);
    else groups.push([row]);
  }
  return groups.flatMap((group) => {
    const [first] = group;
    const last = group.at(-1);
    if (first === undefined || last === undefined) return [];
    const top = first.top - laneHead;
    const name = first.station.kind === 'answerer' ? trace.answerer.kind : first.lane;
    return [
      `<rect class="lane" x="${margin / 2}" y="${top}" width="${width - margin}" height="${last.bottom - top + lanePad}" rx="8"/>`,
      text(margin, top + 18, clipped(name, room), 'strong'),
    ];
  });
}

function legend([first]: readonly PlacedRow[]): string[] {
  const y = (first?.top ?? 0) - 8;
  return [
    text(middle - boxWidth / 2 - 12, y, 'there', 'dim', 'end'),
    text(middle + boxWidth / 2 + 12, y, 'back', 'dim'),
  ];
}

const marks: Readonly<Record<TraceCell['state'], string>> = {
  seen: '✓',
  part: '!',
  lost: '✗',
  beyond: '·',
  blind: '?',
};

function box(trace: Trace, { station, top }: PlacedRow): string {
  const x = middle - boxWidth / 2;
  const letters = Math.floor((boxWidth - 16) / letter);
  const draw = (name: string, more: string, kind: string): string =>
    [
      `<rect class="box${kind}" x="${x}" y="${top}" width="${boxWidth}" height="${boxHeight}" rx="6"/>`,
      text(middle, top + (more === '' ? 26 : 18), clipped(name, letters), 'strong', 'middle'),
      ...(more === '' ? [] : [text(middle, top + 34, clipped(more, letters), 'dim', 'middle')]),
    ].join('\n');
  const beside = (way: TraceWay, words: string, role: string): string =>
    words === ''
      ? ''
      : way === 'there'
        ? text(x - 12, top + 26, words, role, 'end')
        : text(x + boxWidth + 12, top + 26, words, role);
  const { stop } = trace;
  switch (station.kind) {
    case 'sender':
      return [
        draw(senderName(trace), trace.sender.netns ?? 'sender', ''),
        beside('there', `${trace.sent} sent`, 'dim'),
        beside('back', `${trace.answered} answered`, 'dim'),
      ].join('\n');
    case 'answerer': {
      const took = trace.turnaroundUs === undefined ? '' : `answers in ${timeWords(trace.turnaroundUs)}`;
      return [
        draw(trace.answerer.name, trace.probe.to, stop?.kind === 'answerer' ? ' out' : ''),
        beside('back', took, 'dim'),
      ]
        .filter((part) => part !== '')
        .join('\n');
    }
    case 'point': {
      const point = trace.points[station.point];
      if (point === undefined) return '';
      const more = [point.netns ?? '', point.wears ?? ''].filter((part) => part !== '').join(' · ');
      const out = stop !== undefined && stop.kind === 'edge' && isPoint(stop.before, station.point);
      const wanted = expectedWords(trace, station.point);
      const cells = (['there', 'back'] as const).map((way) => {
        const cell = cellOf(trace, station.point, way);
        return beside(way, `${marks[cell.state]} ${cell.words}`.trim(), cell.state);
      });
      const wrong = trace.misfits.filter((m) => m.point === station.point);
      return [
        draw(point.device, more, out ? ' out' : point.watch === 'blind' ? ' unseen' : ''),
        ...(wanted.length === 0
          ? []
          : [text(margin, top + 26, `expected: ${wanted.join('/')}`, wanted.includes('dropped') ? 'part' : 'dim')]),
        ...cells,
        ...wrong
          .slice(0, 1)
          .map((m) =>
            text(x + boxWidth + 12, top + 40, clipped(`${m.what} ${m.seen}, should be ${m.expected}`, room), 'part'),
          ),
      ].join('\n');
    }
  }
}

const isPoint = (place: TracePlace, point: number): boolean => place.at === 'point' && place.point === point;

/** What goes on between two rows, each way. */
function gaps(trace: Trace, rows: readonly PlacedRow[]): string[] {
  const { points, stop } = trace;
  const stopRow = stop === undefined ? -1 : rowOfStop(stop, points.length);
  const stopWay: TraceWay | undefined = stop?.kind === 'answerer' ? 'back' : stop?.way;
  const reached = furthestSeen(trace);
  return rows.slice(1).flatMap((row, r) => {
    const top = rows[r]?.bottom ?? 0;
    const bottom = row.top;
    return (['there', 'back'] as const).flatMap((way) => {
      const x = way === 'there' ? middle - track : middle + track;
      // Edge e of the walk lies between its stations e and e + 1.
      const edge = way === 'there' ? r : 2 * points.length + 1 - r;
      const [from, to] = way === 'there' ? [top + 3, bottom - 3] : [bottom - 3, top + 3];
      const here = r === stopRow && way === stopWay;
      const whole = stop === undefined || stop.lost < stop.of;
      const label =
        here && stop !== undefined ? lossWords(stop) : transitWords(trace, row.station, rows[r]?.station, way);
      const side = way === 'there' ? x - 13 : x + 13;
      const anchor = way === 'there' ? 'end' : 'start';
      // Between lanes: off the lines that bound them.
      const y = row.lane === rows[r]?.lane ? (top + bottom) / 2 + 4 : bottom - 9;
      const arrow =
        here && !whole
          ? broken(x, from, to)
          : edge < reached
            ? straight(x, from, to)
            : stop !== undefined && isBetween(edge, stop, points.length) && !whole
              ? [`<path class="maybe" d="M${x} ${from}V${to}"/>`]
              : [];
      const words = row.changes[way];
      const first = y - ((words.length - 1) * lineHeight) / 2;
      const out = way === 'there' ? middle - boxWidth / 2 - 12 : middle + boxWidth / 2 + 12;
      return [
        ...arrow,
        ...(here && whole ? cross(x, (from + to) / 2) : []),
        ...(label === '' || (arrow.length === 0 && !here) ? [] : [text(side, y, label, here ? 'lost' : 'dim', anchor)]),
        ...words.map((line, i) => text(out, first + i * lineHeight, line, 'part', anchor)),
      ];
    });
  });
}

function straight(x: number, from: number, to: number): string[] {
  const up = to < from ? 1 : -1;
  return [
    `<path class="go" d="M${x} ${from}V${to + up * 6}"/>`,
    `<path class="head" d="M${x - 5} ${to + up * 8}H${x + 5}L${x} ${to}Z"/>`,
  ];
}

/** Goes half of the way, and no further. */
function broken(x: number, from: number, to: number): string[] {
  const half = (from + to) / 2;
  const step = to < from ? -8 : 8;
  return [
    `<path class="gone" d="M${x} ${from}V${half - step}"/>`,
    ...cross(x, half),
    `<path class="rest" d="M${x} ${half + step}V${to}"/>`,
  ];
}

const cross = (x: number, y: number): string[] => [
  `<path class="gone" d="M${x - 7} ${y - 7}L${x + 7} ${y + 7}M${x + 7} ${y - 7}L${x - 7} ${y + 7}"/>`,
];

function lossWords({ kind, lost, of, packet }: TraceLoss): string {
  if (packet !== 'probe') return `${packet}: no further`;
  if (kind !== 'edge') return lost === of ? 'no answer' : `${lost} of ${of} not answered`;
  return lost === of ? `all ${of} lost` : `${lost} of ${of} lost`;
}

/** How long the packet took to the row it comes to, where that was measured from the row next to it. */
function transitWords({ points }: Trace, lower: Station, upper: Station | undefined, way: TraceWay): string {
  const to = way === 'there' ? lower : upper;
  if (to?.kind !== 'point') return '';
  const time = points[to.point]?.[way].transitUs;
  return time === undefined ? '' : timeWords(time);
}

/** The furthest station of the walk there and back to which anything came: the probe, or what asks the way for it. */
function furthestSeen({ points, answered, stop }: Trace): number {
  const n = points.length;
  if (answered > 0 && (stop === undefined || stop.lost < stop.of)) return 2 * n + 2;
  const end = stop === undefined ? 0 : stop.kind === 'answerer' ? n + 1 : stationOf(stop.after, n, false);
  return points.reduce((most, point, p) => {
    const back = point.back.seen > 0 ? 2 * n + 1 - p : 0;
    return Math.max(most, back, point.there.seen > 0 ? p + 1 : 0);
  }, end);
}

const isBetween = (edge: number, { after, before }: TraceLoss, points: number): boolean =>
  edge >= stationOf(after, points, false) && edge < stationOf(before, points, true);

/** What came of it, in words; red where it stops. */
function closingLines(trace: Trace): readonly { readonly words: string; readonly role: string }[] {
  const bad = trace.stop !== undefined || trace.early !== undefined;
  const lines = (words: string, role: string): { readonly words: string; readonly role: string }[] =>
    wrapped(words, pageLetters).map((line) => ({ words: line, role }));
  return [
    ...(trace.stop === undefined ? [] : lines(stopTitle(trace, { there: '↓', back: '↑' }), 'lost')),
    ...lines(trace.reading, bad ? 'strong' : 'seen'),
    ...trace.notes.flatMap((note) => lines(note, 'dim')),
  ];
}

const closing = (trace: Trace, top: number): string[] =>
  closingLines(trace).map(({ words, role }, i) => text(margin, top + i * (lineHeight + 3), words, role));

function text(x: number, y: number, words: string, role: string, anchor: 'start' | 'middle' | 'end' = 'start'): string {
  return `<text x="${x}" y="${y}" class="${role}"${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}>${escaped(plain(words))}</text>`;
}

/** Text from the cloud on one line, without what would act on the reader's screen. */
const plain = (words: string): string => shortIds(safeLine(words));

const wrapped = (words: string, letters: number): string[] =>
  wrapAnsi(plain(words), letters, { hard: true }).split('\n');

function clipped(words: string, letters: number): string {
  const line = plain(words);
  if (stringWidth(line) <= letters) return line;
  let cut = '';
  for (const character of line) {
    if (stringWidth(cut + character) > letters - 1) break;
    cut += character;
  }
  return `${cut.trimEnd()}…`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** What XML 1.0 does not allow at all is left out. */
const escaped = (words: string): string =>
  words.replace(/[\ufffe\uffff]/g, '').replace(/[&<>"']/g, (c) => entities[c] ?? c);
