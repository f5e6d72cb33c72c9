import type { Evidence } from '../engine/evidence.ts';
import type { Finding, Severity } from '../engine/finding.ts';
import type { CheckReport, RunReport, StepReport } from '../engine/report.ts';
import { unreachable } from '../engine/result.ts';
import type { Mark } from '../ui/theme.ts';
import { everything, evidenceLines } from './evidence.ts';
import { clip, columns, indent, type Page, padEnd, spaces, withRemark, wrap } from './page.ts';
import { failureWords, plural } from './words.ts';

const left = 2;
const widestTitle = 14;
/** Findings of one code that a step shows before it counts the rest. */
const alike = 3;

/** One line of a step. `cut` lines are held to one line; the others take what they need. */
interface Row {
  readonly mark: Mark;
  readonly text: string;
  readonly cut: boolean;
  readonly code?: string;
  readonly evidence?: readonly Evidence[];
}

/** The walk: a step that is fine takes one line, one that is not takes a line per problem; skipped ones need `-v`. */
export function stepLines({ steps, diagnosis }: RunReport, page: Page): string[] {
  const atVerdict = new Set(diagnosis.causes.map((cause) => identity(cause.finding)));
  const title = Math.min(widestTitle, Math.max(0, ...steps.map((step) => columns(page.say(step.title)))));
  return steps.flatMap((step) => {
    const rows = page.verbosity === 0 ? briefRows(step, page) : fullRows(step, page, atVerdict);
    return rows.flatMap((row, index) => rowLines(row, index === 0 ? page.say(step.title) : '', title, page));
  });
}

function rowLines(row: Row, title: string, titleWidth: number, page: Page): string[] {
  const { theme } = page;
  const mark = theme.paint(row.mark, padEnd(theme.marks[row.mark], columns(theme.marks.ok)));
  const column = left + columns(theme.marks.ok) + 2 + titleWidth + 2;
  const head = `${spaces(left)}${mark}  ${padEnd(clip(title, titleWidth, page), titleWidth)}  `;
  const room = page.width - column;
  const code = row.code === undefined ? '' : page.say(row.code);
  const firstRoom = code === '' ? room : room - columns(code) - 2;
  const [first = '', ...others] = row.cut ? [clip(row.text, firstRoom, page)] : wrap(row.text, room, firstRoom);
  const opening =
    code === '' ? [`${head}${first}`] : withRemark([`${head}${first}`], theme.paint('code', code), page.width);
  const limits = page.verbosity > 1 ? everything : { ...everything, linesEach: 4 };
  return [...opening, ...indent([...others, ...evidenceLines(row.evidence ?? [], page, limits, room)], column)];
}

/** Without `-v`: problems, what could not be looked at, and the joined notes of what is fine. */
function briefRows(step: StepReport, page: Page): Row[] {
  const problems: Row[] = [];
  const seen = new Map<string, number>();
  for (const finding of distinctFindings(step)) {
    const count = (seen.get(finding.code) ?? 0) + 1;
    seen.set(finding.code, count);
    if (count <= alike) problems.push(findingRow(finding, page));
  }
  for (const [code, count] of seen) {
    if (count > alike) problems.push({ mark: 'problem', text: `${count - alike} more like this`, cut: true, code });
  }
  const broken = step.checks.flatMap((check) => (check.outcome.status === 'unknown' ? [bugRow(check, page)] : []));
  const unseen = blockedRows(step, page);
  const notes = step.checks.flatMap((check) => (check.outcome.status === 'ok' ? [page.say(check.outcome.note)] : []));
  const fine = [...new Set(notes)].filter((note) => note !== '').join('; ');
  const serious = problems.some((row) => row.mark === 'problem');
  const anyOk = step.checks.some((check) => check.outcome.status === 'ok');
  return [
    ...problems,
    ...broken,
    ...unseen,
    ...(anyOk && !serious && (fine !== '' || problems.length + unseen.length + broken.length === 0)
      ? [{ mark: 'ok', text: fine, cut: true } as const]
      : []),
  ];
}

/** With `-v`: a row per check, with its evidence unless it stands at the verdict anyway. */
function fullRows(step: StepReport, page: Page, atVerdict: ReadonlySet<string>): Row[] {
  return step.checks.flatMap((check): Row[] => {
    const { outcome } = check;
    switch (outcome.status) {
      case 'ok':
        return [{ mark: 'ok', text: page.say(outcome.note), cut: false, evidence: outcome.evidence }];
      case 'problem':
        return outcome.findings.map((f) => ({
          ...findingRow(f, page),
          evidence: atVerdict.has(identity(f)) ? [] : f.evidence,
        }));
      case 'skipped':
        return [
          {
            mark: 'skipped',
            text: `${page.say(check.title)}: not applicable: ${page.say(outcome.reason)}`,
            cut: false,
          },
        ];
      case 'blocked':
        return outcome.failures.map((failure) => ({
          mark: 'blocked',
          text: `${page.say(check.title)}: could not look: ${page.say(failureWords(failure).why)}`,
          cut: false,
        }));
      case 'unknown':
        return [bugRow(check, page)];
      default:
        return unreachable(outcome);
    }
  });
}

const identity = (f: Finding): string => `${f.code} ${f.subject} ${f.summary}`;

function distinctFindings(step: StepReport): readonly Finding[] {
  const all = step.checks.flatMap((check) => (check.outcome.status === 'problem' ? check.outcome.findings : []));
  const rank = (f: Finding): number => (f.severity === 'error' ? 0 : f.severity === 'warning' ? 1 : 2);
  return [...new Map(all.map((f) => [identity(f), f])).values()].sort((a, b) => rank(a) - rank(b));
}

const markOf: Readonly<Record<Severity, Mark>> = { error: 'problem', warning: 'warn', info: 'ok' };

const findingRow = (finding: Finding, page: Page): Row => ({
  mark: markOf[finding.severity],
  text: page.say(finding.summary),
  cut: false,
  code: finding.code,
});

function bugRow(check: CheckReport, page: Page): Row {
  const error = check.outcome.status === 'unknown' ? (check.outcome.error.split('\n')[0] ?? '') : '';
  return {
    mark: 'blocked',
    text: `our own bug in ${page.say(check.id)}: ${page.say(error)}`,
    cut: page.verbosity === 0,
  };
}

/** Checks that could not look for the same reason share a line; what would grant it stands at the verdict. */
function blockedRows(step: StepReport, page: Page): Row[] {
  const counts = new Map<string, number>();
  for (const check of step.checks) {
    if (check.outcome.status !== 'blocked') continue;
    const reasons = new Set(check.outcome.failures.map((failure) => page.say(failureWords(failure).why)));
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].map(([reason, count]) => ({
    mark: 'blocked',
    text: `could not look${count > 1 ? ` (${plural(count, 'check')})` : ''}: ${reason}`,
    cut: true,
  }));
}
