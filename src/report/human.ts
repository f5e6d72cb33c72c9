import type { Evidence } from '../engine/evidence.ts';
import type { RunReport } from '../engine/report.ts';
import { drawPaths } from './draw-path.ts';
import { askedLines } from './evidence.ts';
import { headerLines } from './header.ts';
import { matrixLines } from './matrix.ts';
import { type Page, type PageOptions, pageOf } from './page.ts';
import { scheduleLines } from './schedule/draw.ts';
import { stepLines } from './steps.ts';
import { traceLines } from './trace/draw.ts';
import { verdictBlocks } from './verdict.ts';
import { findingsOf, plural } from './words.ts';

/**
 * The report as a person reads it: who, the path, the walk, the verdict last. Pure; ends in a newline. No line is
 * wider than `width`, but for commands to paste, which are never broken.
 */
export function renderHuman(report: RunReport, options: PageOptions): string {
  const page = pageOf(options);
  const parts = [
    headerLines(report, page),
    drawPaths(report.paths, page),
    // Of a schedule the matrix is the walk.
    report.schedule === undefined || page.verbosity > 0 ? stepLines(report, page) : [],
    matrixLines(report.matrices, page),
    scheduleLines(report.schedule, page),
    traceLines(report.traces ?? [], page),
    page.verbosity > 1 ? askedBlock(report, page) : [],
    page.verbosity > 0 ? [trafficLine(report, page)] : [],
    ...verdictBlocks(report, page),
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

const trafficLine = ({ traffic }: RunReport, page: Page): string =>
  page.theme.paint(
    'dim',
    `${plural(traffic.apiRequests, 'API request')}, ${plural(traffic.sshConnections, 'SSH connection')}, ${plural(traffic.sshChannels, 'channel')}, ${plural(traffic.commands, 'command')}`,
  );

/** Every request and command that anything in the report rests on. */
function askedBlock({ steps }: RunReport, page: Page): string[] {
  const evidence = steps.flatMap((step) =>
    step.checks.flatMap((check): readonly Evidence[] => [
      ...(check.outcome.status === 'ok' || check.outcome.status === 'problem' ? check.outcome.evidence : []),
      ...findingsOf(check).flatMap((f) => f.evidence),
    ]),
  );
  return [page.theme.paint('strong', 'ASKED'), ...askedLines(evidence, page)];
}
