import type { Evidence } from '../../engine/evidence.ts';
import type { Finding, Scope } from '../../engine/finding.ts';
import { advice, findingOf, onHost } from '../../engine/finding-of.ts';
import type { Schedule, ScheduleSaid } from '../../engine/schedule.ts';
import { hostWords } from '../../schedule/in-words.ts';
import { buildFailed, filterOpaque, lacksResources, severalTogether, strayHoldsRoom, tooMany } from './codes.ts';
import { type Reason, type Rejection, reasonOf } from './reason.ts';
import { isCrossing, remediesOf } from './remedies.ts';

/** What a finding about a schedule needs beside the schedule. */
export interface ScheduleCircumstances {
  /** Of the schedule itself: what was asked of Placement and the nodes. */
  readonly evidence: readonly Evidence[];
  /** Of what Nova itself said. */
  readonly said: readonly Evidence[];
  /** What shows that there is a question at all: the fault of the instance. */
  readonly first?: Evidence;
  readonly scope: Scope;
  /** ISO 8601. */
  readonly at: string;
  readonly verify: string;
}

const mostLines = 12;
/** Hosts that relate this finding to others about them; a cloud of thousands is no relation. */
const mostScoped = 200;

/** Why the request has no host, as a finding; undefined where it has one, or where the reason cannot be told. */
export function scheduleFinding(schedule: Schedule, c: ScheduleCircumstances): Finding | undefined {
  const reason = reasonOf(schedule);
  if (reason === undefined) return undefined;
  const { instance, name } = schedule.asked;
  const hosts = reason.over.flatMap((o) => o.hosts);
  const scoped = hosts.length === 0 || hosts.length > mostScoped ? {} : { host: hosts };
  const strays = straysOf(schedule);
  const evidence = evidenceOf(schedule, reason, c);
  const [first, ...rest] = evidence;
  if (first === undefined) throw new Error('a schedule without evidence');
  const remedies = remediesOf(schedule, reason.spec);
  return findingOf(reason.spec, {
    summary: summaryOf(schedule, reason),
    subject:
      reason.spec === strayHoldsRoom && strays[0] !== undefined
        ? `allocation ${strays[0]}`
        : instance === undefined
          ? `request for ${name}`
          : `instance ${name}`,
    scope: { ...c.scope, ...scoped },
    evidence: [first, ...rest],
    confidence: confidenceOf(schedule, reason),
    remedies: remedies.length > 0 ? remedies : [ledOn(schedule, reason)],
    verify: c.verify,
  });
}

/** Consumers whose allocations would have to go. */
const straysOf = ({ relaxations }: Schedule): string[] => [
  ...new Set(
    relaxations.flatMap((r) => r.changes.flatMap((change) => (change.kind === 'allocation' ? [change.consumer] : []))),
  ),
];

/** Certain where Nova's own words, or Placement's answer, agree with what was computed. */
function confidenceOf({ said, relaxations, notes }: Schedule, { spec }: Reason): Finding['confidence'] {
  if (spec === strayHoldsRoom || spec === severalTogether) return 'likely';
  if (spec === buildFailed || spec === filterOpaque) return said.length > 0 ? 'certain' : 'likely';
  return notes.length > 0 && said.length === 0 && relaxations.length === 0 ? 'likely' : 'certain';
}

/** Hosts of which the same is said, in one. */
function alike(over: Reason['over'], say: (verdict: Rejection) => string): (readonly [string, readonly string[]])[] {
  const found = new Map<string, string[]>();
  for (const { verdict, hosts } of over) {
    const words = say(verdict);
    found.set(words, [...(found.get(words) ?? []), ...hosts]);
  }
  return [...found].map(([words, hosts]) => [words, hosts.sort()]);
}

// Words.

const fewWords = (hosts: readonly string[]): string => (hosts.length > 4 ? `${hosts.length} hosts` : hosts.join(', '));

const saidNone = (said: readonly ScheduleSaid[]): boolean => said.some((s) => s.kind === 'no-candidates');

function summaryOf(schedule: Schedule, reason: Reason): string {
  const { asked, columns, said } = schedule;
  const { spec, over } = reason;
  const whom = asked.instance === undefined ? `a request with flavor ${asked.flavor}` : asked.name;
  const lead = asked.movesFrom === undefined ? `No host for ${whom}` : `${whom} cannot move as asked`;
  const step = reason.column === undefined ? undefined : columns[reason.column];
  // What every one of them lacks, whatever some lack besides.
  const lists = over.map((o) => o.verdict.wanted.split(', '));
  const wanted = (lists[0] ?? []).filter((one) => lists.every((list) => list.includes(one)));
  const [first] = over;
  const same = alike(over, (v) => v.because);
  const each = same
    .slice(0, 3)
    .map(([because, hosts]) => `${because} on ${fewWords(hosts)}`)
    .join('; ');
  const more = same.length > 3 ? '; …' : '';
  switch (spec) {
    case lacksResources: {
      if (step?.kind === 'filter') return `${lead}: ${each}${more} (${step.id})`;
      const none =
        saidNone(said) || step?.kind === 'placement' ? ': Placement gives no candidate, so no filter ever runs' : '';
      return wanted.length > 0
        ? `${lead}: none has ${wanted.join(' and ')}${none} (${each}${more})`
        : `${lead}: ${each}${more}`;
    }
    case strayHoldsRoom:
      return `${lead}: in Placement ${straysOf(schedule).slice(0, 2).join(', ')} holds the room, and nothing of this cloud has it; without that there would be a host`;
    case buildFailed: {
      const line = said.find((s) => s.kind === 'late' || s.kind === 'retries');
      return first !== undefined
        ? `${lead}: it was tried, and the build failed (${each}${more})`
        : `${lead}: hosts were tried, and the build failed there${line === undefined ? '' : ` (${line.host})`}`;
    }
    case filterOpaque:
      return `${lead}: ${step?.id ?? 'a filter'} left none by Nova's own log, and what it looks at cannot be seen from outside`;
    case severalTogether:
      return `${lead}: no single change would give it one`;
    case tooMany: {
      const fewer = schedule.relaxations.flatMap((r) => r.changes).find((change) => change.kind === 'count');
      const room = fewer === undefined ? '' : `, which is for ${fewer.atMost}`;
      return `${lead}: ${asked.count} instances at once are more than there is room for${room}`;
    }
    default:
      if (first !== undefined && isCrossing(schedule))
        return `${lead}: ${first.hosts.join(', ')} is in ${first.verdict.has}, and it needs ${first.verdict.wanted}`;
      return `${lead}: ${each}${more}${step?.kind === 'filter' ? ` (${step.id})` : ''}`;
  }
}

// Evidence.

/** The whole question, as Nova asks it: with a limit. */
const isCandidates = ({ source }: Evidence): boolean =>
  source.kind === 'api' && source.service === 'placement' && /\/allocation_candidates\?.*\blimit=/.test(source.path);

/** The fault, Nova's own words, Placement's answer, and what the hosts have against what is asked. */
function evidenceOf(schedule: Schedule, { column, over }: Reason, c: ScheduleCircumstances): Evidence[] {
  const rejections = over.length > 0 ? over : rejectionsOf(schedule);
  const lines = alike(rejections, (v) => `wants ${v.wanted}, has ${v.has}`)
    .slice(0, mostLines)
    .map(([words, hosts]) => `${hostWords(hosts)}: ${words}`);
  const step = column === undefined ? undefined : schedule.columns[column];
  const derived: Evidence[] =
    lines.length === 0
      ? []
      : [
          {
            source: { kind: 'derived', from: `each host against ${step?.id ?? 'the request'}` },
            at: c.at,
            excerpt: lines.join('\n'),
          },
        ];
  const isPlacement = step?.kind === 'placement';
  const answers = c.evidence.filter(isCandidates).slice(0, isPlacement ? 1 : 0);
  const all = [...(c.first === undefined ? [] : [c.first]), ...c.said.slice(0, 3), ...answers, ...derived];
  // What else was asked stands with the check itself.
  return all.length > 0 ? all : c.evidence.slice(0, 1);
}

const rejectionsOf = ({ rows }: Schedule): Reason['over'] =>
  rows.flatMap(({ hosts, verdicts, stoppedAt }) => {
    const verdict = stoppedAt === undefined ? undefined : verdicts[stoppedAt];
    return verdict?.state === 'rejects' ? [{ verdict, hosts }] : [];
  });

/** Where to look on when no change is known that would give a host. */
const ledOn = ({ asked, said }: Schedule, { spec }: Reason): Finding['remedies'][number] => {
  const [line] = said;
  return {
    title: spec.mend,
    risk: 'none',
    sufficient: false,
    steps: [
      line === undefined
        ? advice("nova-scheduler's log names the step that rejected the last host")
        : onHost(
            line.host,
            ['grep', '-rhF', '-e', asked.instance ?? requestOf(line.line), '/var/log/nova'],
            'all that was said of it',
          ),
    ],
  };
};

const requestOf = (line: string): string => /req-[0-9a-f-]{36}/.exec(line)?.[0] ?? 'No valid host';
