import type { Trace } from '../../engine/trace.ts';
import { timeWords } from '../../path/trace/words.ts';
import type { Role } from '../../ui/theme.ts';
import { clip, type Page } from '../page.ts';
import { cellOf, expectedWords, type TraceCell } from './cell.ts';
import { changeWords, rowOfStop, senderName, stopTitle, tellingChanges } from './place.ts';

const widestDevice = 32;

/** One line of the drawing before it is laid out. All but a row run over all columns. */
export type Line =
  | { readonly kind: 'lane'; readonly text: string }
  | {
      readonly kind: 'row';
      readonly name: string;
      readonly wears: string;
      readonly cells: readonly [Shown, Shown, Shown, Shown];
    }
  /** Parts are not broken where they fit on a line. */
  | { readonly kind: 'remark'; readonly role: Role; readonly mark: string; readonly parts: readonly string[] }
  | { readonly kind: 'stop'; readonly text: string };

/** Of one column: what it says, and what can be left out where there is no room. */
export interface Shown {
  readonly role: Role;
  readonly text: string;
  readonly more: string;
}

export const nothing: Shown = { role: 'dim', text: '', more: '' };

const roles: Readonly<Record<TraceCell['state'], Role>> = {
  seen: 'ok',
  part: 'warn',
  lost: 'problem',
  beyond: 'dim',
  blind: 'blocked',
};

/** The sender, the points under their hosts with what changed behind them, the stop where it is, the answerer. */
export function linesOf(trace: Trace, page: Page): Line[] {
  const { points, sender, answerer, stop, sent, answered } = trace;
  const arrows = page.theme.unicode ? { there: '↓', back: '↑' } : { there: 'v', back: '^' };
  const stopRow = stop === undefined ? -1 : rowOfStop(stop, points.length);
  const loud = (row: number): Line[] =>
    row === stopRow ? [{ kind: 'stop', text: page.say(stopTitle(trace, arrows)) }] : [];
  const lines: Line[] = [];
  let lane: string | undefined;
  const enter = (host: string, netns: string | undefined): void => {
    const text = page.say(netns === undefined ? host : `${host} ${netns}`);
    if (text !== lane) lines.push({ kind: 'lane', text });
    lane = text;
  };
  const changes = tellingChanges(trace, page.verbosity > 0);
  enter(sender.host, sender.netns ?? sender.port);
  lines.push({
    kind: 'row',
    name: page.say(senderName(trace)),
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
      const parts = [page.say(`${m.what} ${m.seen}, should be ${m.expected}`)];
      lines.push({ kind: 'remark', role: 'warn', mark: arrows[m.way], parts });
    }
    for (const way of ['there', 'back'] as const) {
      const here = changes.filter((c) => c.way === way && Math.min(c.after, c.before) === p);
      const parts = here.map((c) => page.say(changeWords(c)));
      if (parts.length > 0) lines.push({ kind: 'remark', role: 'dim', mark: arrows[way], parts });
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
