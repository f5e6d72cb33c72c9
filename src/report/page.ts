import sliceAnsi from 'slice-ansi';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { safeLine, safeText } from '../ui/safe-text.ts';
import type { Theme } from '../ui/theme.ts';

/** 0: the verdict. 1: evidence of everything, skipped steps, whole ids, absolute times. 2: every command and request. */
export type Verbosity = 0 | 1 | 2;

export interface PageOptions {
  readonly width: number;
  readonly theme: Theme;
  readonly verbosity: Verbosity;
}

/** Longer lines are hard to follow, and a code at the far right of a wide terminal is not seen. */
const widest = 120;

/** What every part of a report is laid out on. Texts are made safe here, once, and painted after they are laid out. */
export interface Page {
  readonly width: number;
  readonly theme: Theme;
  readonly verbosity: Verbosity;
  /** One safe line of prose; ids are shortened unless `-v`. */
  say(text: string): string;
  /** Safe lines as they are, empty ones at both ends dropped. */
  lines(text: string): string[];
}

export function pageOf({ width, theme, verbosity }: PageOptions): Page {
  return {
    width: Math.min(width, widest),
    theme,
    verbosity,
    say: (text) => theme.spell(verbosity === 0 ? shortIds(safeLine(text)) : safeLine(text)),
    lines: (text) => {
      const safe = safeText(text)
        .split('\n')
        .map((line) => theme.spell(line.trimEnd()));
      const first = safe.findIndex((line) => line !== '');
      return first < 0 ? [] : safe.slice(first, safe.findLastIndex((line) => line !== '') + 1);
    },
  };
}

const uuid = /\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi;

/** The first eight digits of a UUID tell it apart; `-v` shows all of it. */
export const shortIds = (text: string): string => text.replace(uuid, '$1');

export const spaces = (count: number): string => ' '.repeat(Math.max(0, count));

/** Columns a text takes; colour codes take none, wide characters two. */
export const columns = (text: string): number => stringWidth(text);

export const padEnd = (text: string, width: number): string => text + spaces(width - columns(text));

/** Cuts to `width` columns, with an ellipsis where something is missing. */
export function clip(text: string, width: number, page: Page): string {
  if (columns(text) <= width) return text;
  const { ellipsis } = page.theme.glyphs;
  return `${sliceAnsi(text, 0, Math.max(0, width - columns(ellipsis))).trimEnd()}${ellipsis}`;
}

/** Breaks unpainted text between words (inside a word only when it is longer than a line). */
export function wrap(text: string, width: number, firstWidth = width): string[] {
  if (columns(text) <= firstWidth) return [text];
  const options = { hard: true, trim: true } as const;
  if (firstWidth === width) return wrapAnsi(text, width, options).split('\n');
  const first = wrapAnsi(text, firstWidth, options).split('\n')[0] ?? '';
  const rest = text.trimStart().slice(first.length).trimStart();
  return rest === '' ? [first] : [first, ...wrapAnsi(rest, width, options).split('\n')];
}

/** Puts a short painted remark at the right end of the last line, or on a line of its own where it does not fit. */
export function withRemark(lines: readonly string[], remark: string, width: number): string[] {
  const last = lines.at(-1) ?? '';
  const gap = width - columns(last) - columns(remark);
  if (gap >= 2) return [...lines.slice(0, -1), `${last}${spaces(gap)}${remark}`];
  return [...lines, `${spaces(width - columns(remark))}${remark}`];
}

export const indent = (lines: readonly string[], by: number): string[] =>
  lines.map((line) => (line === '' ? '' : `${spaces(by)}${line}`));
