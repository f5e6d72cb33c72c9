import { quoteArg } from '../nodes/quote.ts';
import { safeText } from '../ui/safe-text.ts';
import type { Page } from './page.ts';

/** An option, or `name=value`: after the first word no shell takes these for anything else, and bare they read well. */
const plainArgument = /^[A-Za-z0-9_/.:,@%+-][A-Za-z0-9_/.:,@%+=-]*$/;

/**
 * A command as one line to paste into a shell. A word with characters that do not show here (control sequences,
 * direction overrides, anything but ASCII on an ASCII terminal) is written as bash's `$'…'` with escapes: what is seen
 * is what will run.
 */
export const pasteable = (argv: readonly string[], page: Page): string =>
  argv
    .map((word, index) => {
      if (index > 0 && plainArgument.test(word)) return word;
      return shows(word, page) ? quoteArg(word) : escaped(word, page);
    })
    .join(' ');

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
