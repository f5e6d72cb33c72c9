import type { Cause } from '../engine/diagnosis.ts';
import type { Evidence } from '../engine/evidence.ts';
import type { Remedy } from '../engine/finding.ts';
import type { Matrix } from '../engine/matrix.ts';
import type { Exclusion } from '../engine/outcome.ts';
import type { RunReport } from '../engine/report.ts';
import type { Schedule } from '../engine/schedule.ts';
import type { Trace } from '../engine/trace.ts';
import { fitsWords, hostWords, requestWords } from '../schedule/in-words.ts';
import { safeLine, safeText } from '../ui/safe-text.ts';
import { createTheme } from '../ui/theme.ts';
import { cellWords, kindWords } from './matrix.ts';
import { pageOf } from './page.ts';
import { pasteable } from './paste.ts';
import { titleOf } from './remedy.ts';
import { fittingRows } from './schedule/screen.ts';
import { cellOf, expectedWords } from './trace/cell.ts';
import { changeWords, probeWords, rowOfStop, stopTitle, tellingChanges } from './trace/place.ts';
import { asSentence, clearWords, confidenceWords, countWords, duration, failureWords, riskWords } from './words.ts';

const page = pageOf({ width: 120, theme: createTheme({ colorLevel: 0, unicode: true }), verbosity: 1 });

/** For tickets and job summaries: the verdict first, then the walk as a table. GitHub flavour. */
export function renderMarkdown(report: RunReport): string {
  const { causes, remarks, exclusions, couldNotLook } = report.diagnosis;
  const cloud = [report.cloud.name, report.cloud.region].filter((p) => p !== undefined).join('/');
  const blocks = [
    `# ostk-doctor ${prose(report.command)}`,
    `${prose(cloud)} · ${prose(report.startedAt)} · ${countWords(report.counts).join(' · ')} · ${duration(report.elapsedMs)} · exit ${report.exitCode}`,
    ...askedBlock(report),
    ...(causes.length === 0 ? [`**${prose(clearWords(report))}**`] : causes.map(causeBlock)),
    ...list('Ruled out', exclusions.map(exclusionLine)),
    ...list(
      'Also seen',
      remarks.map((f) => `${prose(f.summary)} \`${f.code}\``),
    ),
    ...list(
      'Could not look',
      couldNotLook.map(({ what, failure }) => {
        const { why, grant } = failureWords(failure);
        return `${prose(what)}: ${prose(why)}${grant === undefined ? '' : ` (${prose(grant)})`}`;
      }),
    ),
    ...report.matrices.filter((m) => m.rows.length > 1).map(matrixBlock),
    ...(report.traces ?? []).map(traceBlock),
    ...(report.schedule === undefined ? [] : [scheduleBlock(report.schedule)]),
    walkTable(report),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function askedBlock({ asked }: RunReport): string[] {
  const said = [
    ...(asked?.peer === undefined
      ? []
      : [
          `to ${asked.peer.name} (${asked.peer.address}${asked.peer.host === undefined ? '' : ` on ${asked.peer.host}`})`,
        ]),
    ...(asked?.symptom === undefined ? [] : [`symptom ${asked.symptom.name}: ${asked.symptom.title}`]),
  ];
  return said.length === 0 ? [] : [`Asked: ${prose(said.join(' · '))}`];
}

function causeBlock({ finding, explains }: Cause): string {
  const unknown = finding.nature === 'symptom' ? 'Unknown. ' : '';
  return [
    `## ${unknown}${prose(asSentence(finding.summary))}`,
    `\`${finding.code}\` · ${confidenceWords(finding)}`,
    ...finding.evidence.map(evidenceBlock),
    ...list(
      'Explains',
      explains.map((f) => `${prose(f.summary)} \`${f.code}\``),
    ),
    ...finding.remedies.map(remedyBlock),
    `Verify: ${inlineCode(finding.verify)}`,
  ].join('\n\n');
}

/** What is ruled out, by which request or command, and the first line that shows it. */
function exclusionLine({ what, evidence: [first] }: Exclusion): string {
  const shown = safeText(first.excerpt)
    .split('\n')
    .find((line) => line.trim() !== '');
  return `${prose(what)}: ${sourceWords(first)}${shown === undefined ? '' : `: ${inlineCode(shown.trim().slice(0, 160))}`}`;
}

const sourceWords = ({ source }: Evidence): string =>
  source.kind === 'api'
    ? `**${prose(source.service)}** ${inlineCode(`${source.method} ${source.path}`)} → ${source.status}`
    : source.kind === 'command'
      ? `**${prose(source.host)}** ${inlineCode(pasteable(source.argv, page))}`
      : prose(source.from);

function evidenceBlock({ source, excerpt }: Evidence): string {
  const where = sourceWords({ source, excerpt, at: '' });
  return excerpt === '' ? where : `${where}\n\n${fenced(safeText(excerpt), '')}`;
}

/** Who answers whom, as a table; what was not asked says why. */
function matrixBlock({ title, sources, rows, reading }: Matrix): string {
  const head = ['target', '', ...sources.map((s) => `from ${s.name} on ${s.host}`)];
  const lines = rows.map((row) =>
    [
      `${row.name}${row.host === undefined ? '' : ` on ${row.host}`} (${row.address})`,
      kindWords[row.kind],
      ...row.cells.map((cell) =>
        cell.state === 'not-asked'
          ? `not asked: ${cell.because}`
          : `${cellWords(cell)} (${cell.received}/${cell.sent})`,
      ),
    ].map(prose),
  );
  return [
    `**Who answers around ${prose(title)}**`,
    [head.map(prose), head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n'),
    ...(reading === undefined ? [] : [prose(asSentence(reading))]),
  ].join('\n\n');
}

/** The hops of a trace as a table, the row where it stops among them, and what came of it. */
function traceBlock(trace: Trace): string {
  const { points, stop } = trace;
  const stopRow = stop === undefined ? -1 : rowOfStop(stop, points.length);
  const loud = (row: number): string[] =>
    row === stopRow ? [`| **${prose(stopTitle(trace, { there: '↓', back: '↑' }))}** | | | | |`] : [];
  const changes = tellingChanges(trace, false);
  const rows = points.flatMap((point, p) => {
    const cells = (['there', 'back'] as const).map((way) => {
      const { state, words, time } = cellOf(trace, p, way);
      return `${cellMarks[state]} ${words}${time === undefined ? '' : ` ${time}`}`.trim();
    });
    const changed = changes
      .filter((c) => Math.min(c.after, c.before) === p)
      .map((c) => `${c.way === 'there' ? '↓' : '↑'} ${changeWords(c)}`);
    const dress = point.wears === undefined ? '' : ` (${point.wears})`;
    const where = `${point.host}${point.netns === undefined ? '' : ` ${point.netns}`} ${point.device}${dress}`;
    const row = [where, expectedWords(trace, p).join('/'), ...cells, changed.join(', ')].map(prose);
    return [...loud(p), `| ${row.join(' | ')} |`];
  });
  return [
    `**Trace ${prose(trace.title)}**: ${prose(probeWords(trace))}`,
    ['| hop | expected | there | back | changes |', '|---|---|---|---|---|', ...rows, ...loud(points.length)].join(
      '\n',
    ),
    prose(trace.reading),
    ...(trace.notes.length === 0 ? [] : [trace.notes.map((note) => `- ${prose(note)}`).join('\n')]),
  ].join('\n\n');
}

const mostRows = 100;

/** Hosts and steps as a table; equal rows are one. */
function scheduleBlock(schedule: Schedule): string {
  const { rows, more } = fittingRows(schedule, mostRows);
  const head = ['hosts', ...schedule.columns.map((c) => c.title)];
  const lines = rows.map(({ hosts, cells }) =>
    [hostWords(hosts), ...cells.map(({ state, words }) => `${stepMarks[state]} ${words}`.trim())].map(prose),
  );
  return [
    `**${prose(requestWords(schedule))}**: ${prose(fitsWords(schedule))}`,
    [head.map(prose), head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n'),
    ...(more > 0 ? [`and ${more} more rows`] : []),
    ...(schedule.notes.length === 0 ? [] : [schedule.notes.map((note) => `- ${prose(note)}`).join('\n')]),
  ].join('\n\n');
}

const stepMarks = { passes: '✓', rejects: '✗', beyond: '·', unknown: '?' } as const;

const cellMarks = { seen: '✓', part: '!', lost: '✗', beyond: '·', blind: '?' } as const;

const remedyBlock = (remedy: Remedy): string =>
  [
    `**${remedy.fits !== undefined ? 'Fits if' : remedy.sufficient ? 'Mend' : 'Look next'}:** ${prose(titleOf(remedy))} (${riskWords[remedy.risk]})`,
    ...remedy.steps.map((step) => {
      const where = step.where.kind === 'operator' ? 'From here' : `On ${prose(step.where.host)}`;
      const note = step.note === undefined ? '' : ` ${prose(step.note)}`;
      return step.argv === undefined
        ? `${where}:${note}`
        : `${where}:${note}\n\n${fenced(pasteable(step.argv, page), 'sh')}`;
    }),
  ].join('\n\n');

function walkTable({ steps }: RunReport): string {
  const rows = steps.flatMap((step) =>
    step.checks.map(({ title, subject, outcome }) => {
      const said =
        outcome.status === 'ok'
          ? outcome.note
          : outcome.status === 'problem'
            ? outcome.findings.map((f) => `${f.summary} ${f.code}`).join(' ')
            : outcome.status === 'skipped'
              ? outcome.reason
              : outcome.status === 'blocked'
                ? outcome.failures.map((f) => failureWords(f).why).join('; ')
                : (outcome.error.split('\n')[0] ?? '');
      return `| ${[step.title, title, subject, outcome.status, said].map(prose).join(' | ')} |`;
    }),
  );
  return ['| step | check | on | came to | |', '|---|---|---|---|---|', ...rows].join('\n');
}

const list = (title: string, items: readonly string[]): string[] =>
  items.length === 0 ? [] : [`**${title}**\n\n${items.map((item) => `- ${item}`).join('\n')}`];

/** Names from the cloud are text: nothing in them becomes markup, a link, a mention or a table cell. */
const prose = (text: string): string =>
  safeLine(text)
    .replaceAll('&', '&amp;')
    .replace(/[\\`*_{}[\]<>#|~!]/g, '\\$&')
    .replaceAll('@', '&#64;')
    .replace(/^([-+]|\d+\.)/, '\\$1');

function inlineCode(text: string): string {
  const safe = safeLine(text);
  const ticks = '`'.repeat(longestTicks(safe) + 1);
  return `${ticks}${safe.startsWith('`') || safe.endsWith('`') ? ` ${safe} ` : safe}${ticks}`;
}

const fenced = (text: string, language: string): string => {
  const fence = '`'.repeat(Math.max(3, longestTicks(text) + 1));
  return `${fence}${language}\n${text}\n${fence}`;
};

const longestTicks = (text: string): number => Math.max(0, ...[...text.matchAll(/`+/g)].map((m) => m[0].length));
