import type { Explains, FindingSpec, Relation } from '../engine/finding.ts';
import { columns, indent, type Page, type PageOptions, padEnd, pageOf, spaces, withRemark, wrap } from './page.ts';

/** The title of another code, when it is known: `OSD-PING-001` alone says little. */
export type TitleOf = (code: string) => string | undefined;

/** `explain CODE`: what it means, how it is told, how it is mended, what it explains, where to read on. */
export function renderExplain(spec: FindingSpec, options: PageOptions, titleOf: TitleOf = () => undefined): string {
  const page = pageOf(options);
  const { theme } = page;
  const remark = `${spec.severity} ${theme.glyphs.dot} ${spec.nature}`;
  const head = `${theme.paint('code', spec.code)}  ${theme.paint('strong', page.say(spec.title))}`;
  const edges = spec.explains.map((edge) => edgeWords(edge, titleOf));
  const blocks = [
    withRemark(wrap(head, page.width), theme.paint('dim', remark), page.width),
    section('What it means', [spec.meaning], page),
    section('How it is told', [spec.evidence], page),
    section('How it is mended', [spec.mend], page),
    ...(edges.length === 0 ? [] : [section('What it explains', edges, page)]),
    ...(spec.refs.length === 0
      ? []
      : [[theme.paint('strong', 'Read on'), ...spec.refs.map((ref) => `  ${page.say(ref)}`)]]),
  ];
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

const section = (title: string, texts: readonly string[], page: Page): string[] => [
  page.theme.paint('strong', title),
  ...texts.flatMap((text) =>
    page.lines(text).flatMap((line) => (line === '' ? [''] : indent(wrap(line, page.width - 2), 2))),
  ),
];

const relationWords: Readonly<Record<Relation, string>> = {
  run: 'anywhere in the run',
  instance: 'the same instance',
  port: 'the same port',
  host: 'the same host',
  network: 'the same network',
  router: 'the same router',
  agent: 'the same agent',
  link: 'the same link',
};

/** `OSD-PING-001 No ping is answered (same host, same port)`. */
export function edgeWords({ code, over }: Explains, titleOf: TitleOf): string {
  const title = code.endsWith('*') ? 'every finding of this area' : titleOf(code);
  const where = over.map((relation) => relationWords[relation]).join(' and ');
  return `${code}${title === undefined ? '' : ` ${title}`}${where === '' ? '' : ` (${where})`}`;
}

/** What `checks` lists; a check definition fits. */
export interface ListedCheck {
  readonly id: string;
  readonly title: string;
  readonly findings: readonly FindingSpec[];
}

/** `checks`: every check under its area, with the codes it can find; with `-v` what each code says. */
export function renderChecks(checks: readonly ListedCheck[], options: PageOptions): string {
  const page = pageOf(options);
  const { theme } = page;
  const areas = new Map<string, ListedCheck[]>();
  for (const check of checks) {
    const area = check.id.split('.')[0] ?? check.id;
    areas.set(area, [...(areas.get(area) ?? []), check]);
  }
  const idWidth = Math.min(32, Math.max(0, ...checks.map((check) => columns(page.say(check.id)))));
  const column = 2 + idWidth + 2;
  const blocks = [...areas].map(([area, members]) => [
    theme.paint('strong', page.say(area)),
    ...members.flatMap((check) => [
      ...entry(`${spaces(2)}${padEnd(page.say(check.id), idWidth)}  `, page.say(check.title), column, page),
      ...check.findings
        .filter(() => page.verbosity > 0)
        .flatMap((f) =>
          indent(wrap(`${f.code} ${page.say(f.title)}`, page.width - column), column).map((l) => theme.paint('dim', l)),
        ),
    ]),
  ]);
  const codes = new Set(checks.flatMap((check) => check.findings.map((f) => f.code)));
  const closing = `${checks.length} checks, ${codes.size} codes. ostk-doctor explain CODE tells what a code means.`;
  return `${[...blocks, wrap(closing, page.width)].map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function entry(head: string, text: string, column: number, page: Page): string[] {
  const [first = '', ...others] = wrap(text, page.width - column, page.width - columns(head));
  return [`${head}${first}`, ...indent(others, column)];
}
