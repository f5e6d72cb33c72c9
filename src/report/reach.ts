import { formatCidr, parseCidr, sameAddress } from '../path/addresses.ts';
import { nameOfTraffic } from '../path/reach/question.ts';
import type { Reach } from '../path/reach/reach.ts';
import type { Step, StepVerdict } from '../path/reach/step.ts';
import type { LetIn, WhoCan } from '../path/reach/who-can.ts';
import type { RuleRef } from '../path/secgroup/model.ts';
import { nameOfRule } from '../path/secgroup/words.ts';
import type { Mark } from '../ui/theme.ts';
import { canonicalJson } from './canonical.ts';
import { columns, indent, type Page, type PageOptions, padEnd, pageOf, spaces, wrap } from './page.ts';

/** What every document says of the run it comes from. */
export interface About {
  readonly tool: { readonly name: string; readonly version: string };
  readonly cloud: { readonly name: string; readonly region?: string };
}

/** What `reach --output json` prints; its form is in reach-schema.ts. */
export const reachData = (answers: readonly Reach[], about: About, exitCode: 0 | 1 | 3) => ({
  schemaVersion: 1 as const,
  ...about,
  command: 'reach' as const,
  answers: answers.map(({ question, verdict, sentence, decisive, steps }) => ({
    from: question.from,
    to: question.to,
    probe: nameOfTraffic(question),
    family: question.family,
    ...(question.size === undefined ? {} : { size: question.size }),
    verdict,
    sentence,
    ...(decisive === undefined ? {} : { decisive: steps.indexOf(decisive) }),
    steps,
  })),
  exitCode,
});

/** `reach` as one document. */
export const reachDocument = (...given: Parameters<typeof reachData>): string =>
  `${canonicalJson(reachData(...given), 2)}\n`;

const marks: Readonly<Record<StepVerdict, Mark>> = {
  passes: 'ok',
  translated: 'ok',
  dropped: 'problem',
  unknown: 'blocked',
};

const widestPlace = 34;

/** The path with its verdicts, then one sentence: for each kind of traffic that was asked about. */
export function renderReach(answers: readonly Reach[], options: PageOptions): string {
  const page = pageOf(options);
  const parts = answers.map((answer) => answerLines(answer, page).join('\n'));
  return `${parts.join('\n\n')}\n`;
}

const endWords = ({ name, address }: { readonly name: string; readonly address?: string }): string =>
  address === undefined || name.includes(address) ? name : `${name} ${address}`;

function answerLines(answer: Reach, page: Page): string[] {
  const { question: q, steps } = answer;
  const { theme } = page;
  const size = q.size === undefined ? '' : ` ${q.size} bytes`;
  const ends = page.say(`${endWords(q.from)} ${theme.glyphs.arrow} ${endWords(q.to)}`);
  const place = Math.min(widestPlace, Math.max(0, ...steps.map((s) => columns(page.say(s.where)))));
  const there = steps.filter((s) => s.way === 'there');
  return [
    theme.paint('strong', `${ends}   ${nameOfTraffic(q)}${size}`),
    '',
    ...there.filter((s) => page.verbosity > 0 || !goesWithoutSaying(s)).flatMap((s) => stepLines(s, place, page)),
    ...backLines(steps, place, page),
    '',
    ...verdictLines(answer, page),
  ];
}

/** That a port may send from its own address is worth a line only where it may not. */
const goesWithoutSaying = (step: Step): boolean => step.topic === 'port-security' && step.verdict === 'passes';

/** The way back in full where something happens on it, else in one line. */
function backLines(steps: readonly Step[], place: number, page: Page): string[] {
  const { theme } = page;
  const back = steps.filter((s) => s.way === 'back');
  if (back.length === 0) return [];
  if (page.verbosity === 0 && back.every((s) => s.verdict === 'passes' || s.verdict === 'translated')) {
    const translated = back.filter((s) => s.verdict === 'translated').length > 0 ? ', translated back on its way' : '';
    return [
      `  ${theme.paint('ok', padEnd(theme.marks.ok, 2))}  ${padEnd('and back', Math.max(place, 8))}  nothing stops the answer${translated} (-v)`,
    ];
  }
  const shown = back.filter((s) => page.verbosity > 0 || !goesWithoutSaying(s));
  return ['', theme.paint('dim', '  and back'), ...shown.flatMap((s) => stepLines(s, place, page))];
}

function stepLines(step: Step, place: number, page: Page): string[] {
  const { theme } = page;
  const mark = marks[step.verdict];
  const glyph = step.verdict === 'translated' ? theme.glyphs.arrow : theme.marks[mark];
  const where = page.say(step.where);
  const left = 2 + 4 + place + 2;
  const object = page.verbosity > 0 ? ` [${objectWords(step)}]` : '';
  const [first = '', ...rest] = wrap(page.say(`${step.because}${object}`), Math.max(20, page.width - left));
  const head = `  ${theme.paint(mark, padEnd(glyph, 2))}  ${theme.paint('host', padEnd(where, place))}  `;
  if (columns(where) <= place) return [`${head}${first}`, ...indent(rest, left)];
  return [`  ${theme.paint(mark, padEnd(glyph, 2))}  ${theme.paint('host', where)}`, ...indent([first, ...rest], left)];
}

const objectWords = ({ object }: Step): string => {
  const kind = object.kind.replaceAll('-', ' ');
  return object.name === undefined ? `${kind} ${object.id}` : `${kind} ${object.name}, ${object.id}`;
};

const verdictWords = {
  reachable: { word: 'REACHABLE', role: 'ok' },
  unreachable: { word: 'NOT REACHABLE', role: 'problem' },
  unknown: { word: 'NOT KNOWN', role: 'blocked' },
} as const;

function verdictLines({ verdict, sentence, decisive }: Reach, page: Page): string[] {
  const { word, role } = verdictWords[verdict];
  const { theme } = page;
  const label = theme.paint(role, word);
  const left = columns(word) + 3;
  const [first = '', ...rest] = wrap(page.say(sentence), Math.max(20, page.width - left));
  const lines = [`${label}   ${first}`, ...indent(rest, left)];
  const more = (name: string, text: string): string[] =>
    indent(wrap(`${name}: ${page.say(text)}`, Math.max(20, page.width - left)), left);
  if (decisive === undefined) return lines;
  return [
    ...lines,
    ...more('decided by', objectWords(decisive)),
    ...(decisive.tell === undefined ? [] : more('would tell', decisive.tell)),
  ];
}

// Who is let in.

/** The answer for one port and one kind of traffic. */
export interface WhoCanReport {
  readonly port: { readonly id: string; readonly name: string; readonly addresses: readonly string[] };
  readonly probe: { readonly protocol: 'icmp' | 'tcp' | 'udp'; readonly port?: number };
  readonly families: readonly WhoCan[];
  readonly members: ReadonlyMap<string, readonly { readonly address: string; readonly name: string }[]>;
  readonly because?: string;
}

const namesOf = (source: LetIn, report: WhoCanReport): readonly string[] => {
  const cidr = parseCidr(source.cidr);
  const bare = cidr === undefined ? source.cidr : formatCidr(cidr).replace(/\/(32|128)$/, '');
  const listed = report.members.get(source.memberOf ?? '') ?? [];
  return [
    ...new Set(listed.filter((m) => sameAddress(m.address, bare) || m.address === source.cidr).map((m) => m.name)),
  ];
};

const ruleDocument = ({ group, rule }: RuleRef) => ({ group, rule: { id: rule.id, says: nameOfRule(rule) } });

/** What `reach --who-can --output json` prints. */
export const whoCanData = (reports: readonly WhoCanReport[], about: About) => ({
  schemaVersion: 1 as const,
  ...about,
  command: 'reach --who-can' as const,
  answers: reports.map((report) => ({
    port: report.port,
    probe: nameOfTraffic(report.probe),
    ...(report.because === undefined ? {} : { because: report.because }),
    families: report.families.map((w) => ({
      family: w.family,
      extent: w.extent,
      ...(w.because === undefined ? {} : { because: w.because }),
      sources: w.sources.map((s) => ({
        cidr: s.cidr,
        names: namesOf(s, report),
        ...(s.memberOf === undefined ? {} : { memberOf: s.memberOf }),
        by: s.by.map(ruleDocument),
      })),
      notKnown: [
        ...w.open.map((of) => ({ ...ruleDocument(of), lacks: 'the members of its remote group' as const })),
        ...w.unseenGroups.map((id) => ({ group: { id }, lacks: 'the rules of this group' as const })),
      ],
    })),
  })),
});

/** `reach --who-can` as one document. */
export const whoCanDocument = (...given: Parameters<typeof whoCanData>): string =>
  `${canonicalJson(whoCanData(...given), 2)}\n`;

export function renderWhoCan(
  reports: readonly WhoCanReport[],
  options: PageOptions & { readonly target: string },
): string {
  const page = pageOf(options);
  return `${reports.map((report) => whoCanLines(report, page).join('\n')).join('\n\n')}\n`;
}

function whoCanLines(report: WhoCanReport, page: Page): string[] {
  const { port, probe } = report;
  const title = `${page.say(`Who is let in to ${port.name} ${port.addresses.join(', ')}`)}   ${nameOfTraffic(probe)}`;
  const rows = report.families.flatMap((w) => familyLines(w, report, page));
  const why =
    report.because === undefined ? [] : [page.say(`  the groups of the port are not known: ${report.because}`)];
  return [page.theme.paint('strong', title), '', ...rows, ...why];
}

const extents = {
  everybody: { words: 'everybody', mark: 'ok' },
  some: { words: 'only these', mark: 'ok' },
  nobody: { words: 'nobody', mark: 'problem' },
  'not-known': { words: 'not known', mark: 'blocked' },
} as const;

function familyLines(w: WhoCan, report: WhoCanReport, page: Page): string[] {
  const { theme } = page;
  const { words, mark } = extents[w.extent];
  const why = w.because === undefined ? '' : `: ${w.because}`;
  const head = `  ${theme.paint(mark, padEnd(theme.marks[mark], 2))}  IPv${w.family}  ${page.say(`${words}${why}`)}`;
  const widest = Math.max(0, ...w.sources.map((s) => columns(page.say(s.cidr))));
  const row = (left: string, text: string): string[] => {
    const at = 12 + widest + 2;
    const [first = '', ...rest] = wrap(page.say(text), Math.max(20, page.width - at));
    return [`${spaces(12)}${padEnd(page.say(left), widest)}  ${first}`, ...indent(rest, at)];
  };
  return [
    head,
    ...w.sources.flatMap((s) => {
      const names = namesOf(s, report);
      const who = names.length === 0 ? '' : `${names.join(', ')} ${theme.glyphs.dot} `;
      return row(s.cidr, `${who}${s.by.map(byWords).join(' and ')}`);
    }),
    ...w.open.flatMap((of) =>
      row(
        '',
        `whether others are let in is not known: the members of the remote group of ${byWords(of)} could not be asked for`,
      ),
    ),
    ...w.unseenGroups.flatMap((id) =>
      row('', `whether others are let in is not known: the rules of group ${id} could not be read`),
    ),
  ];
}

const byWords = ({ group, rule }: RuleRef): string =>
  `group ${group.name} (${group.id}), rule ${rule.id}: ${nameOfRule(rule)}`;
