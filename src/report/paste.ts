import { safeText } from '../ui/safe-text.ts';
import type { Page } from './page.ts';

const plain = /^[A-Za-z0-9_@%+=:,./-]+$/;
const quoteArgv = (argv: readonly string[]): string =>
  argv.map((word) => (plain.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');

/**
 * A command as one line to paste into a shell. A word with characters that do not show here (control sequences,
 * direction overrides, anything but ASCII on an ASCII terminal) is written as bash's `$'…'` with escapes: what is seen
 * is what will run.
 */
export const pasteable = (argv: readonly string[], page: Page): string =>
  argv.map((word) => (shows(word, page) ? quoteArgv([word]) : escaped(word, page))).join(' ');

const shows = (text: string, { theme }: Page): boolean =>
  safeText(text) === text && !text.includes('\n') && theme.spell(text) === text;

function escaped(word: string, page: Page): string {
  const letters = [...word].map((c) => {
    if (c === '\\' || c === "'") return `\\${c}`;
    if (shows(c, page)) return c;
    return [...new TextEncoder().encode(c)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  });
  return `$'${letters.join('')}'`;
}
