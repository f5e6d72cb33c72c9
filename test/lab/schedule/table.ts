import { head, median, row, share } from '../score/markdown.ts';
import type { HostRow } from './judge.ts';
import type { Seen } from './sights.ts';

export interface Tried {
  readonly words: string;
  readonly boots: boolean | 'not tried';
  readonly why?: string;
}

export interface Row {
  readonly name: string;
  readonly title: string;
  readonly outcome: string;
  readonly message: string;
  readonly narrowest: string;
  readonly hosts: readonly HostRow[];
  readonly first: string;
  readonly firstRight: boolean;
  readonly relaxations: number;
  readonly tried: readonly Tried[];
  readonly unrelaxed?: true;
  readonly seconds: number;
  /** Why the case itself could not be made or asked about. */
  readonly failed?: string;
  /** Of the doctor that was asked. */
  readonly commit?: string;
}

export interface Question {
  readonly number: number;
  readonly flavor: string;
  readonly said: string;
  readonly nova: string;
  readonly equal: boolean;
  readonly hosts: readonly HostRow[];
  readonly seconds: number;
  /** Of the doctor that was asked. */
  readonly commit?: string;
}

export interface Result {
  readonly variant: string;
  readonly started: string;
  readonly version: string;
  readonly commit: string;
  readonly rows: readonly Row[];
  /** What was said of cells, a line for each command. */
  readonly seen: readonly Seen[];
  readonly questions: readonly Question[];
}

/** Rows that an earlier run has left, by its commit. */
function earlier(commit: string, all: readonly (Row | Question)[]): string {
  const counts = new Map<string, number>();
  for (const { commit: of = commit } of all) if (of !== commit) counts.set(of, (counts.get(of) ?? 0) + 1);
  return [...counts].map(([of, n]) => ` † ${n} rows are of an earlier run, commit ${of}.`).join('');
}

const mark = (commit: string, { commit: of = commit }: Row | Question): string => (of === commit ? '' : ' †');

/** The first that this lab can make. */
const relaxedRight = (r: Row): boolean => {
  const tried = r.tried.find((t) => t.boots !== 'not tried');
  return tried === undefined ? r.unrelaxed === true : tried.boots === true;
};

/** Everything equal, the first cause right, and the first relaxation boots. */
export const right = (r: Row): boolean =>
  r.failed === undefined && r.hosts.every((h) => h.equal) && r.firstRight && relaxedRight(r);

const intro = `# What Nova's scheduler decided, and what the doctor says

Written by \`test/lab/schedule.sh\` (see README.md). Each case is a real request that Nova cannot place, on five hosts in two cells (cmp1 and cmp2 hold guests; sched-f1, sched-f2
and sched-c2 run nova-compute with Nova's fake driver). The truth of each host is what Placement answered to the scheduler's own question, what nova-scheduler's log says at
DEBUG, and what the logs of the conductor and of nova-compute say of hosts that were tried. Equal: the doctor rejects the host at the step at which Nova dropped it, and at none
that it passed. A relaxation boots: the request, or the cloud, changed as the doctor's first relaxation says gives an ACTIVE instance (with ports:
on a host that the relaxation names, for Nova's scheduler knows nothing of agents).
`;

export function page({ variant, started, version, commit, rows, seen, questions }: Result): string {
  const hosts = rows.flatMap((r) => r.hosts);
  const asked = questions.flatMap((q) => q.hosts);
  const where = (h: HostRow): string => `${h.host}: ${h.nova === '' ? 'fits' : h.nova}${h.equal ? '' : ` (${h.why})`}`;
  return [
    intro,
    `${started.slice(0, 10)}, variant ${variant}, ostk-doctor ${version}, commit ${commit}.${earlier(commit, [...rows, ...questions])}`,
    '',
    ...head('', ''),
    row('cases', String(rows.length)),
    row(
      'all hosts equal',
      share(rows.filter((r) => r.failed === undefined && r.hosts.every((h) => h.equal)).length, rows.length),
    ),
    row('hosts equal', share(hosts.filter((h) => h.equal).length, hosts.length)),
    row('first cause right', share(rows.filter((r) => r.firstRight).length, rows.length)),
    row('first relaxation boots', share(rows.filter(relaxedRight).length, rows.length)),
    row('everything right', share(rows.filter(right).length, rows.length)),
    row('random flavors: verdict equal', share(questions.filter((q) => q.equal).length, questions.length)),
    row('random flavors: hosts equal', share(asked.filter((h) => h.equal).length, asked.length)),
    row('s of a run', `${median([...rows, ...questions].map((r) => r.seconds)) ?? '-'} (median)`),
    '',
    ...head(
      'case',
      'what',
      'Nova says',
      'where Nova dropped each host',
      'equal',
      'first cause',
      'right',
      'relaxation',
      'boots',
      's',
    ),
    ...rows.map((r) =>
      row(
        `${r.name}${mark(commit, r)}`,
        r.title,
        r.message,
        r.hosts.length === 0 ? 'the API refuses' : r.hosts.map(where).join(', '),
        r.failed ?? (r.hosts.every((h) => h.equal) ? 'yes' : 'NO'),
        r.first,
        r.firstRight ? 'yes' : 'NO',
        r.tried.map((t) => t.words).join('; ') || '-',
        r.tried
          .map((t) =>
            t.boots === true ? 'yes' : t.boots === false ? `NO: ${t.why ?? ''}` : `not tried: ${t.why ?? ''}`,
          )
          .join('; ') || '-',
        String(r.seconds),
      ),
    ),
    '',
    '## Cells',
    '',
    'An instance in cell0, one that is buried in a cell whose database does not answer, a move that would leave its cell.',
    '',
    ...head('case', 'what', 'command', 'Nova says', 'exit', 'first cause, or why there is none', 'right', 's'),
    ...seen.map((s) =>
      row(
        s.name,
        s.title,
        s.command,
        s.nova,
        s.exit,
        s.first,
        s.wrong === undefined ? 'yes' : `NO: ${s.wrong}`,
        s.seconds,
      ),
    ),
    '',
    '## Would this fit?',
    '',
    ...head('question', 'the doctor', 'Nova', 'equal', 'hosts that differ', 's'),
    ...questions.map((q) =>
      row(
        `${q.flavor}${mark(commit, q)}`,
        q.said,
        q.nova,
        q.equal ? 'yes' : 'NO',
        q.hosts
          .filter((h) => !h.equal)
          .map(where)
          .join(', '),
        String(q.seconds),
      ),
    ),
    '',
  ].join('\n');
}
