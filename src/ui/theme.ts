import { Chalk, type ChalkInstance } from 'chalk';
import type { ColorLevel } from './terminal.ts';

export type Role = 'ok' | 'problem' | 'warn' | 'blocked' | 'skipped' | 'dim' | 'strong' | 'code' | 'host';
export type Mark = 'ok' | 'problem' | 'warn' | 'blocked' | 'skipped';

/** How things look on one stream. Colour only underlines what symbols and words already say. */
export interface Theme {
  readonly unicode: boolean;
  paint(role: Role, text: string): string;
  /** Two columns at most, not painted. */
  readonly marks: Readonly<Record<Mark, string>>;
  readonly glyphs: Glyphs;
  /** Own words and already safe text, spelled in what the stream can show. */
  spell(text: string): string;
}

export interface Glyphs {
  readonly cable: string;
  readonly underlay: string;
  readonly floating: string;
  readonly unseen: string;
  readonly dot: string;
  readonly arrow: string;
  readonly bullet: string;
  readonly ellipsis: string;
}

const unicodeMarks = { ok: '✓', problem: '✗', warn: '!', blocked: '?', skipped: '–' } as const;
const asciiMarks = { ok: 'ok', problem: 'xx', warn: '!!', blocked: '??', skipped: '--' } as const;

const unicodeGlyphs = {
  cable: '──',
  underlay: '══',
  floating: '⇄',
  unseen: '·',
  dot: '·',
  arrow: '→',
  bullet: '·',
  ellipsis: '…',
} as const;
const asciiGlyphs = {
  cable: '--',
  underlay: '==',
  floating: '<->',
  unseen: '..',
  dot: '|',
  arrow: '->',
  bullet: '-',
  ellipsis: '...',
} as const;

const spellings: Readonly<Record<string, string>> = {
  '→': '->',
  '←': '<-',
  '⇄': '<->',
  '↔': '<->',
  '⇒': '=>',
  '·': '|',
  '…': '...',
  '–': '-',
  '—': '-',
  '−': '-',
  '×': 'x',
  '≥': '>=',
  '≤': '<=',
  '≠': '!=',
  '≈': '~',
  µ: 'u',
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '\u00a0': ' ',
};

const toAscii = (text: string): string => [...text].map((c) => (c <= '\u007f' ? c : (spellings[c] ?? '?'))).join('');

export function createTheme(options: { readonly colorLevel: ColorLevel; readonly unicode: boolean }): Theme {
  // chalk ignores NO_COLOR; the level is decided in terminal.ts.
  const chalk = new Chalk({ level: options.colorLevel });
  const paints: Readonly<Record<Role, ChalkInstance>> = {
    ok: chalk.green,
    problem: chalk.red.bold,
    warn: chalk.yellow,
    blocked: chalk.magenta,
    skipped: chalk.dim,
    dim: chalk.dim,
    strong: chalk.bold,
    code: chalk.yellow,
    host: chalk.cyan,
  };
  return {
    unicode: options.unicode,
    paint: (role, text) => paints[role](text),
    marks: options.unicode ? unicodeMarks : asciiMarks,
    glyphs: options.unicode ? unicodeGlyphs : asciiGlyphs,
    spell: options.unicode ? (text) => text : toAscii,
  };
}
