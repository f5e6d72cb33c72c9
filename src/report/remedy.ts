import type { Remedy, RemedyStep } from '../engine/finding.ts';
import { hostWords } from '../schedule/in-words.ts';
import type { Role } from '../ui/theme.ts';
import { body, labelled, moreWithV } from './label.ts';
import { indent, type Page, spaces, withRemark, wrap } from './page.ts';
import { pasteable } from './paste.ts';
import { riskWords } from './words.ts';

/** Commands are printed, never run. What only leads on is not called a mend. */
export function remedyLines(remedies: readonly Remedy[], page: Page, limit: number): string[] {
  const ordered = [...remedies].sort((a, b) => Number(b.sufficient) - Number(a.sufficient));
  const shown = ordered.slice(0, limit);
  return [
    ...shown.flatMap((remedy, index) => {
      const before = shown[index - 1];
      const again = before !== undefined && labelOf(before) === labelOf(remedy);
      return oneRemedy(remedy, again ? 'or' : labelOf(remedy), page);
    }),
    ...moreWithV(ordered.length - shown.length, page),
  ];
}

type Label = 'FITS IF' | 'MEND' | 'LOOK';

/** What would give a request a host is a condition, be it a mend or not. */
const labelOf = (remedy: Remedy): Label =>
  remedy.fits !== undefined ? 'FITS IF' : remedy.sufficient ? 'MEND' : 'LOOK';

const riskRole: Readonly<Record<Remedy['risk'], Role>> = {
  none: 'dim',
  reversible: 'warn',
  'brief-interruption': 'warn',
  disruptive: 'problem',
};

function oneRemedy(remedy: Remedy, label: Label | 'or', page: Page): string[] {
  const { theme } = page;
  const [place, ...further] = new Set(remedy.steps.map((step) => placeWords(step, page)));
  const only = further.length === 0 ? place : undefined;
  const risk = theme.paint(riskRole[remedy.risk], riskWords[remedy.risk]);
  const remark = only === undefined ? risk : `${theme.paint('host', only)} ${theme.glyphs.dot} ${risk}`;
  const title = labelled(label, label === 'or' ? 'dim' : 'strong', page.say(titleOf(remedy)), page);
  const lines = withRemark(title, remark, page.width);
  let where = only;
  for (const step of remedy.steps) {
    const here = placeWords(step, page);
    if (here !== where) lines.push(`${spaces(body)}${theme.paint('host', here)}:`);
    where = here;
    lines.push(...indent(stepLines(step, page), body + 2));
  }
  return lines;
}

/** With the hosts that a request would have. */
export const titleOf = ({ title, fits }: Remedy): string =>
  fits === undefined || fits.length === 0 ? title : `${title} (${hostWords(fits)})`;

/** The note as a shell comment, so that both lines can be pasted together. */
function stepLines(step: RemedyStep, page: Page): string[] {
  const note = step.note === undefined ? [] : wrap(page.say(step.note), page.width - body - 4);
  return [
    ...note.map((line) => page.theme.paint('dim', `# ${line}`)),
    ...(step.argv === undefined ? [] : [page.theme.paint('strong', pasteable(step.argv, page))]),
  ];
}

const placeWords = (step: RemedyStep, page: Page): string =>
  step.where.kind === 'operator' ? 'from here' : `on ${page.say(step.where.host)}`;
