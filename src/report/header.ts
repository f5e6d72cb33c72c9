import { span, utcMillis } from '../engine/age.ts';
import type { RunReport } from '../engine/report.ts';
import { columns, type Page, spaces, wrap } from './page.ts';

const between = 3;
const mostAddresses = 3;

/** What was looked at, in one or two lines: name, status, place, project, addresses; then the cloud and the promise. */
export function headerLines(report: RunReport, page: Page): string[] {
  const { theme } = page;
  const cloud = [report.cloud.name, report.cloud.region].filter((part) => part !== undefined && part !== '').join('/');
  const backends = [...new Set(report.paths.flatMap((path) => path.backend ?? []))].join(', ');
  const promise = theme.paint(
    'dim',
    [cloud, backends, 'reads and probes only']
      .filter((part) => part !== '')
      .map(page.say)
      .join(` ${theme.glyphs.dot} `),
  );
  const lines = [...pack([...targetParts(report, page)], page), ...pack(askedParts(report, page), page)];
  const last = lines.at(-1) ?? '';
  const room = page.width - columns(last);
  const placed =
    room >= columns(promise) + between
      ? [...lines.slice(0, -1), `${last}${spaces(room - columns(promise))}${promise}`]
      : [...lines, promise];
  const exact =
    page.verbosity === 0
      ? []
      : wrap(
          [report.target?.id ?? '', `started ${report.startedAt}`, `ostk-doctor ${report.tool.version}`]
            .filter((p) => p !== '')
            .map(page.say)
            .join('   '),
          page.width,
        );
  return [...placed, ...exact.map((line) => theme.paint('dim', line))];
}

function targetParts(report: RunReport, page: Page): string[] {
  const { theme } = page;
  const { target } = report;
  if (target === undefined) return [theme.paint('strong', page.say(`ostk-doctor ${report.command}`))];
  const healthy = target.status === 'ACTIVE';
  const where = target.host === undefined ? '' : ` on ${theme.paint('host', page.say(target.host))}`;
  const limit = page.verbosity > 0 ? target.addresses.length : mostAddresses;
  const rest = target.addresses.length - limit;
  return [
    `${theme.paint('strong', page.say(target.name))}  ${theme.paint(healthy ? 'ok' : 'problem', page.say(target.status))}${where}`,
    ...(target.cell === undefined ? [] : [`in ${page.say(target.cell.name)}`]),
    ...(target.project === undefined ? [] : [`project ${page.say(target.project)}`]),
    ...target.addresses
      .slice(0, limit)
      .map((a) => page.say(a.floating === undefined ? a.fixed : `${a.fixed} ⇄ ${a.floating}`)),
    ...(rest > 0 ? [`and ${rest} more`] : []),
    ...madePart(report, page),
  ];
}

/** `asked 4 min ago by demo`, of a request that was made. */
function madePart({ schedule, startedAt }: RunReport, page: Page): string[] {
  const { at, by } = schedule?.asked ?? {};
  const when = at === undefined ? [] : [`${span((Date.parse(startedAt) - utcMillis(at)) / 1000)} ago`];
  const who = by === undefined ? [] : [`by ${page.say(by)}`];
  return when.length + who.length === 0 ? [] : [['asked', ...when, ...who].join(' ')];
}

/** The peer and the symptom that were asked about; nothing when the instance alone was. */
function askedParts({ asked }: RunReport, page: Page): string[] {
  const { theme } = page;
  const peer = asked?.peer;
  const there =
    peer === undefined
      ? ''
      : [peer.name, ...(peer.name === peer.address ? [] : [peer.address])].map(page.say).join('  ');
  return [
    ...(peer === undefined
      ? []
      : [
          `to ${theme.paint('strong', there)}${peer.host === undefined ? '' : ` on ${theme.paint('host', page.say(peer.host))}`}`,
        ]),
    ...(asked?.symptom === undefined ? [] : [`symptom ${asked.symptom.name}: ${asked.symptom.title}`]),
  ];
}

/** Fills lines with whole parts. */
function pack(parts: readonly string[], page: Page): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && columns(last) + between + columns(part) <= page.width) {
      lines[lines.length - 1] = `${last}${spaces(between)}${part}`;
    } else {
      lines.push(...wrap(part, page.width));
    }
  }
  return lines;
}
