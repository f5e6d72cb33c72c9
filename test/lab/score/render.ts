import { head, row, share, withSection } from './markdown.ts';
import { type FaultRow, type HealthyRow, phases, type Result, type Totals } from './result.ts';

const yesNo = (is: boolean | undefined): string => (is === undefined ? '-' : is ? 'yes' : '**no**');

const columns = [
  'fault',
  'expected',
  'first cause',
  'subject',
  'right code',
  'right subject',
  's',
  'false causes',
  'remedy healed',
];

function faultRow(f: FaultRow): string {
  if (f.verdict === 'lab')
    return row(f.fault, f.expected, `**error of the fault**: ${f.why ?? ''}`, '', '', '', '', '', '');
  const told = f.first?.code ?? (f.expected === 'clean' && f.verdict === 'right' ? 'none' : `**${f.why ?? 'none'}**`);
  const name = `${f.fault}${f.rerun === undefined ? '' : ' †'}`;
  const code = f.verdict === 'localised' ? 'localised' : yesNo(f.rightCode);
  const remedy = f.remedy?.startsWith('no') === true ? `**no**${f.remedy.slice(2)}` : (f.remedy ?? '-');
  const healed =
    f.notHealed === undefined ? remedy : `${remedy}; **error of the fault**: after its heal ${f.notHealed}`;
  return row(
    name,
    f.expected,
    told,
    f.first?.subject,
    code,
    yesNo(f.rightSubject),
    f.seconds,
    f.falseCauses?.join(', '),
    healed,
  );
}

function healthyTable(rows: readonly HealthyRow[]): string[] {
  const targets = [...new Set(rows.map((h) => h.target))];
  return [
    ...head('healthy runs of', 'clean', 's (slowest)', 'not clean because', 'warnings'),
    ...targets.map((target) => {
      const of = rows.filter((h) => h.target === target);
      const why = [...new Set(of.flatMap((h) => h.wrong))];
      const clean = of.filter((h) => h.clean).length;
      const beside = [...new Set(of.flatMap((h) => h.warnings.map((one) => one.split(' ')[0])))];
      const slowest = Math.max(...of.map((h) => h.seconds));
      return row(target, `${clean} of ${of.length}`, slowest, why.join('; '), beside.join(', '));
    }),
  ];
}

const goals = (t: Totals): (readonly [string, string])[] => [
  ['faults', `${t.scored}${t.lab > 0 ? ` scored, ${t.lab} could not be scored` : ''}`],
  ['first cause right', share(t.rightCode, t.scored)],
  ['subject right', share(t.rightSubject, t.withSubject)],
  ['localised only', String(t.localised)],
  ['wrong', String(t.wrong)],
  ['answered "all is well"', String(t.saidWell)],
  ['false causes', String(t.falseCauses)],
  ['remedies healed', t.typed === 0 ? 'not typed' : share(t.healed, t.typed)],
  ['healthy runs clean', `${t.clean} of ${t.healthy}`],
  ['s to the verdict', `${t.medianSeconds ?? '-'} (median)`],
];

/** A run that was cut off says so, for its shares are of what was run. */
const unrun = (result: Result): string[] => {
  const done = new Set(result.faults.map((f) => f.fault));
  const missing = result.planned.filter((name) => !done.has(name)).sort();
  return missing.length === 0
    ? []
    : [`Cut off: ${missing.length} of ${result.planned.length} faults were not run: ${missing.join(', ')}.`, ''];
};

const minutes = (seconds: number): string => `${Math.round(seconds / 60)} min`;

/** Where the time of a run went, per part of a fault. */
export function times(result: Result): string {
  const sum = (phase: (typeof phases)[number]): number =>
    Math.round(result.faults.reduce((all, f) => all + (f.took[phase] ?? 0), 0));
  const healthy = Math.round(result.healthy.reduce((all, h) => all + h.seconds, 0));
  return [`healthy ${healthy} s`, ...phases.map((phase) => `${phase} ${sum(phase)} s`)].join(', ');
}

/** The table of one run: what `score.sh` prints, and a section of SCORE.md. */
export function section(result: Result): string {
  const reruns = result.faults.filter((f) => f.rerun !== undefined);
  const later = [...new Set(reruns.map((f) => `${f.rerun?.at.slice(0, 10)}, commit ${f.rerun?.commit}`))];
  const lines = [
    `## ${result.variant}`,
    '',
    `${result.startedAt.slice(0, 10)}, ostk-doctor ${result.doctor}, commit ${result.commit}, ${minutes(result.seconds)}.` +
      (reruns.length > 0 ? ` † ${reruns.length} rows were run at another time (${later.join('; ')}).` : ''),
    '',
    ...unrun(result),
    ...head('', ''),
    ...goals(result.totals).map((goal) => row(...goal)),
    '',
    ...(result.healthy.length > 0 ? [...healthyTable(result.healthy), ''] : []),
    ...(result.faults.length > 0 ? [...head(...columns), ...result.faults.map(faultRow), ''] : []),
  ];
  return lines.join('\n');
}

const TITLE = `# What the doctor said of broken clouds

Written by \`npm run lab:score\` (see README.md). Each fault is put into a real cloud, proved to hurt, and \`ostk-doctor net\` is asked once. First cause right: its code is one
of those that the fault's expect.yaml allows. Subject right: it names the broken thing. Localised: it said honestly where packets die, not why. False causes: causes of
severity error that are none of the fault. Remedy healed: the command it printed was typed instead of healing, and the next run was clean; \`advice\`: it named no
command that suffices by itself.
`;

/** SCORE.md with this result in the place of its variant's section; the sections of other variants stay as they are. */
export const updated = (document: string, result: Result): string =>
  withSection(document, TITLE, result.variant, section(result));
