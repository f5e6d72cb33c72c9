import type { Role } from '../ui/theme.ts';
import { columns, indent, type Page, spaces, wrap } from './page.ts';

/** Column at which the text of the verdict stands, after its labels. */
export const body = 8;

/** `LABEL   text`, continued at the body's column; a label longer than that pushes its first line to the right. */
export function labelled(label: string, role: Role, text: string, page: Page, textRole?: Role): string[] {
  const gap = spaces(Math.max(2, body - columns(label)));
  const [first = '', ...others] = wrap(text, page.width - body, page.width - columns(label) - gap.length);
  const paint = (line: string): string => (textRole === undefined ? line : page.theme.paint(textRole, line));
  return [`${page.theme.paint(role, label)}${gap}${paint(first)}`, ...indent(others.map(paint), body)];
}

/** A label and a command line to paste, which is never wrapped. */
export const labelledCommand = (label: string, line: string, page: Page): string =>
  `${page.theme.paint('strong', label)}${spaces(Math.max(2, body - columns(label)))}${commandText(line, page)}`;

/** A command that comes as text: one safe line, not shortened. */
export const commandText = (line: string, page: Page): string => page.theme.spell(page.lines(line).join(' '));

/** Says how much `-v` would add, when something was left out. */
export const moreWithV = (count: number, page: Page): string[] =>
  count > 0 ? [page.theme.paint('dim', `${spaces(body)}${count} more with -v`)] : [];
