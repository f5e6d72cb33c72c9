import type { CouldNotLook } from '../engine/diagnosis.ts';
import { body, commandText, moreWithV } from './label.ts';
import { columns, indent, type Page, spaces, wrap } from './page.ts';
import { failureWords } from './words.ts';

interface Reason {
  readonly why: string;
  readonly what: string[];
  readonly grant: string | undefined;
}

/** What could not be looked at: one entry per reason, with what would grant it. */
export function couldNotLookLines(items: readonly CouldNotLook[], page: Page, withPurpose: boolean): string[] {
  const reasons = byReason(items, page);
  const shown = page.verbosity > 0 ? reasons : reasons.slice(0, 6);
  return [
    page.theme.paint('strong', 'COULD NOT LOOK'),
    ...shown.flatMap((reason) => reasonLines(reason, page, withPurpose)),
    ...moreWithV(reasons.length - shown.length, page),
  ];
}

function byReason(items: readonly CouldNotLook[], page: Page): Reason[] {
  const reasons = new Map<string, Reason>();
  for (const { what, failure } of items) {
    const { why, grant } = failureWords(failure);
    const reason = reasons.get(why) ?? { why: page.say(why), what: [], grant };
    if (!reason.what.includes(page.say(what))) reason.what.push(page.say(what));
    reasons.set(why, reason);
  }
  return [...reasons.values()];
}

function reasonLines({ why, what, grant }: Reason, page: Page, withPurpose: boolean): string[] {
  const { theme } = page;
  const mark = theme.paint('blocked', theme.marks.blocked);
  const room = page.width - body;
  const [first = '', ...others] = wrap(why, room);
  const [one = '', ...more] = what;
  const purpose =
    page.verbosity > 0 || more.length === 0 ? what.join(` ${theme.glyphs.dot} `) : `${one} (and ${more.length} more)`;
  return [
    `${spaces(2)}${mark}${spaces(body - 2 - columns(mark))}${first}`,
    ...indent(others, body),
    ...(withPurpose ? indent(wrap(`needed to see that ${purpose}`, room), body).map((l) => theme.paint('dim', l)) : []),
    ...(grant === undefined ? [] : indent(grantLines(grant, page), body)),
  ];
}

/** A grant that holds a command to paste (quotes, redirections, options) is not broken; prose is wrapped. */
function grantLines(grant: string, page: Page): string[] {
  const text = `${page.theme.glyphs.arrow} ${commandText(grant, page)}`;
  return /['"`<>|]|(^|\s)--?\w/.test(grant) ? [text] : wrap(text, page.width - body);
}
