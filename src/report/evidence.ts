import type { Evidence, EvidenceSource } from '../engine/evidence.ts';
import { unreachable } from '../engine/result.ts';
import { columns, indent, type Page, padEnd, shortIds, spaces, wrap } from './page.ts';
import { pasteable } from './paste.ts';

/** How much of it is shown: at the verdict a few lines each, with `-v` all. */
export interface EvidenceLimits {
  readonly pieces: number;
  readonly linesEach: number;
}

export const everything: EvidenceLimits = { pieces: Number.POSITIVE_INFINITY, linesEach: Number.POSITIVE_INFINITY };

const widestLabel = 14;

/**
 * Observations a stranger can repeat: where, the command or request, and under it the lines that show it. Lines are
 * unindented and at most `room` wide, but for the commands, which are never broken.
 */
export function evidenceLines(
  evidence: readonly Evidence[],
  page: Page,
  limits: EvidenceLimits,
  room: number,
): string[] {
  const shown = evidence.slice(0, limits.pieces);
  const column = Math.min(widestLabel, Math.max(0, ...shown.map((e) => columns(labelOf(e.source, page))))) + 2;
  const more = evidence.length - shown.length;
  return [
    ...shown.flatMap((e) => onePiece(e, page, limits.linesEach, column, room)),
    ...(more > 0 ? [page.theme.paint('dim', `${spaces(column)}${more} more with -v`)] : []),
  ];
}

function onePiece(evidence: Evidence, page: Page, limit: number, column: number, room: number): string[] {
  const { theme } = page;
  const all = page.lines(evidence.excerpt);
  const rest = all.length - Math.min(limit, all.length);
  const excerpt = [
    ...all.slice(0, limit).flatMap((line) => wrap(line, room - column - 2)),
    ...(rest > 0 ? [theme.paint('dim', `${theme.glyphs.ellipsis} ${rest} more lines with -v`)] : []),
  ];
  const circumstances = circumstancesOf(evidence, page);
  const aside =
    circumstances === '' ? [] : wrap(circumstances, room - column - 2).map((line) => theme.paint('dim', line));
  return [...headLines(evidence, page, column, room), ...indent([...aside, ...excerpt], column + 2)];
}

function headLines({ source }: Evidence, page: Page, column: number, room: number): string[] {
  const label = labelOf(source, page);
  const head = `${page.theme.paint('host', label)}${spaces(Math.max(2, column - columns(label)))}`;
  const words = sourceWords(source, page);
  const [first = '', ...others] =
    source.kind === 'command' ? [words] : wrap(words, room - column, room - columns(head));
  return [`${head}${page.theme.paint('dim', first)}`, ...indent(others, column).map((l) => page.theme.paint('dim', l))];
}

const labelOf = (source: EvidenceSource, page: Page): string => {
  switch (source.kind) {
    case 'api':
      return page.say(source.service);
    case 'command':
      return page.say(source.host);
    case 'derived':
      return 'from';
    default:
      return unreachable(source);
  }
};

/** The request or the command, as it can be repeated. */
function sourceWords(source: EvidenceSource, page: Page): string {
  switch (source.kind) {
    case 'api': {
      const path = page.verbosity === 0 ? shortIds(source.path) : source.path;
      return page.say(`${source.method} ${path} → ${source.status}`);
    }
    case 'command':
      return pasteable(source.argv, page);
    case 'derived':
      return page.say(source.from);
    default:
      return unreachable(source);
  }
}

/** What else belongs to it: an exit code when it is not 0; with `-v` the time and the request's id. */
function circumstancesOf({ source, at }: Evidence, page: Page): string {
  const ended =
    source.kind !== 'command' || source.code === 0
      ? []
      : [source.code === null ? 'stopped by a time limit or a signal' : `exit ${source.code}`];
  const request = source.kind === 'api' && source.requestId !== undefined ? [source.requestId] : [];
  const parts = page.verbosity > 0 ? [at, ...request, ...ended] : ended;
  return parts.length === 0 ? '' : page.say(`(${parts.join(', ')})`);
}

/** Everything that was asked, once, in the given order: `where  command or request`. */
export function askedLines(evidence: readonly Evidence[], page: Page): string[] {
  const asked = evidence.filter((e) => e.source.kind !== 'derived');
  const column = Math.min(widestLabel, Math.max(0, ...asked.map((e) => columns(labelOf(e.source, page))))) + 2;
  const lines = asked.map(({ source }) => {
    const label = page.theme.paint('host', padEnd(labelOf(source, page), column));
    const words = sourceWords(source, page);
    const [first = '', ...others] = source.kind === 'command' ? [words] : wrap(words, page.width - column - 2);
    return [`${label}${first}`, ...indent(others, column)].join('\n');
  });
  return [...new Set(lines)].flatMap((entry) => indent(entry.split('\n'), 2));
}
