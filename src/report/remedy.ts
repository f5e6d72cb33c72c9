import type { Remedy, RemedyStep } from '../engine/finding.ts';
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
      const again = index > 0 && shown[index - 1]?.sufficient === remedy.sufficient;
      return oneRemedy(remedy, again ? 'or' : remedy.sufficient ? 'MEND' : 'LOOK', page);
    }),
    ...moreWithV(ordered.length - shown.length, page),
  ];
}

const riskRole: Readonly<Record<Remedy['risk'], Role>> = {
  none: 'dim',
  reversible: 'warn',
  'brief-interruption': 'warn',
  disruptive: 'problem',
};

function oneRemedy(remedy: Remedy, label: 'MEND' | 'LOOK' | 'or', page: Page): string[] {
  const { theme } = page;
  const [place, ...further] = new Set(remedy.steps.map((step) => placeWords(step, page)));
  const only = further.length === 0 ? place : undefined;
  const risk = theme.paint(riskRole[remedy.risk], riskWords[remedy.risk]);
  const remark = only === undefined ? risk : `${theme.paint('host', only)} ${theme.glyphs.dot} ${risk}`;
  const title = labelled(label, label === 'or' ? 'dim' : 'strong', page.say(remedy.title), page);
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
