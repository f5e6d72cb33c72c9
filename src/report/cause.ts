import type { Cause } from '../engine/diagnosis.ts';
import type { Finding } from '../engine/finding.ts';
import { everything, evidenceLines } from './evidence.ts';
import { body, labelled, labelledCommand, moreWithV } from './label.ts';
import { indent, type Page, withRemark, wrap } from './page.ts';
import { remedyLines } from './remedy.ts';
import { asSentence, confidenceWords } from './words.ts';

/** The cause we would bet on: the sentence, what shows it, what it explains, how to mend it, how to prove the mend. */
export function causeLines(cause: Cause, page: Page, label = 'CAUSE'): string[] {
  const { finding } = cause;
  const evidence = page.verbosity > 0 ? everything : { pieces: 4, linesEach: 4 };
  return [
    ...sentence(finding, label, page),
    ...indent(evidenceLines(finding.evidence, page, evidence, page.width - body), body),
    ...indent(explainsLines(cause.explains, page), body),
    ...remedyLines(finding.remedies, page, page.verbosity > 0 ? Number.POSITIVE_INFINITY : 2),
    ...(finding.verify === '' ? [] : [labelledCommand('VERIFY', finding.verify, page)]),
  ];
}

/** The further causes: each with its first evidence and the first way to mend it; with `-v` in full. */
export function otherCauseLines(causes: readonly Cause[], page: Page): string[] {
  const limit = page.verbosity > 0 ? causes.length : 3;
  const shown = causes.slice(0, limit).flatMap((cause, index) => {
    const number = `  ${index + 2}`;
    if (page.verbosity > 0) return causeLines(cause, page, number);
    const { finding } = cause;
    const evidence = evidenceLines(finding.evidence.slice(0, 1), page, { pieces: 1, linesEach: 3 }, page.width - body);
    return [
      ...sentence(finding, number, page),
      ...indent(evidence, body),
      ...remedyLines(finding.remedies.slice(0, 1), page, 1),
    ];
  });
  const title = causes.length === 1 ? 'OTHER CAUSE' : 'OTHER CAUSES';
  return [page.theme.paint('problem', title), ...shown, ...moreWithV(causes.length - limit, page)];
}

/** A symptom that nothing explains is not dressed up as a cause. */
function sentence(finding: Finding, label: string, page: Page): string[] {
  const unknown = finding.nature === 'symptom' ? 'unknown. ' : '';
  const { theme } = page;
  const remark = `${theme.paint('code', page.say(finding.code))} ${theme.glyphs.dot} ${confidenceWords(finding)}`;
  return withRemark(
    labelled(label, 'problem', `${unknown}${asSentence(page.say(finding.summary))}`, page, 'strong'),
    remark,
    page.width,
  );
}

/** Folded symptoms: several of one code are counted under the first of them; with `-v` each on its line, with its code. */
function explainsLines(symptoms: readonly Finding[], page: Page): string[] {
  if (symptoms.length === 0) return [];
  const { theme } = page;
  const room = page.width - body;
  const lines =
    page.verbosity > 0
      ? symptoms.flatMap((f) => oneSymptom(f, page))
      : wrap(`explains: ${brief(symptoms, page)}`, room);
  return [...(page.verbosity > 0 ? ['explains:'] : []), ...lines].map((line) => theme.paint('dim', line));
}

const oneSymptom = (finding: Finding, page: Page): string[] =>
  indent(
    withRemark(wrap(page.say(finding.summary), page.width - body - 2), page.say(finding.code), page.width - body - 2),
    2,
  );

function brief(symptoms: readonly Finding[], page: Page): string {
  const said = counted(symptoms, page);
  const rest = said.length - 3;
  return [...said.slice(0, 3), ...(rest > 0 ? [`${rest} more with -v`] : [])].join(` ${page.theme.glyphs.dot} `);
}

function counted(symptoms: readonly Finding[], page: Page): string[] {
  const byCode = new Map<string, { first: string; more: number }>();
  for (const symptom of symptoms) {
    const known = byCode.get(symptom.code);
    if (known === undefined) byCode.set(symptom.code, { first: page.say(symptom.summary).replace(/\.$/, ''), more: 0 });
    else known.more += 1;
  }
  return [...byCode.values()].map(({ first, more }) => (more > 0 ? `${first} (and ${more} alike)` : first));
}
