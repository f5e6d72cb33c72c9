import { type Bundle, openBundle } from '../bundle/open.ts';
import type { Surroundings } from '../cli.ts';
import { UserError } from '../engine/error.ts';
import { FactStore } from '../engine/fact.ts';
import type { ProbeOption } from '../facts/io.ts';
import { surveyor } from '../facts/reach.ts';
import { whoCanReach } from '../facts/reach-who-can.ts';
import type { Family } from '../path/addresses.ts';
import type { Question } from '../path/reach/question.ts';
import type { Reach } from '../path/reach/reach.ts';
import { openReplay } from '../run/doors.ts';
import { resolveTarget } from '../run/target.ts';
import { version } from '../version.ts';
import { liveDoor } from './live.ts';
import { type OutputOptions, screenOf } from './output.ts';
import { type Recorded, resolveEnds } from './reach-ends.ts';
import { storedRequest } from './stored-request.ts';
import { runOptionsOf } from './walk-options.ts';

export interface ReachOptions extends Omit<OutputOptions, 'output'> {
  readonly output?: 'human' | 'json';
  readonly osCloud?: string;
  readonly osRegionName?: string;
  readonly osInterface?: string;
  readonly config?: string;
  readonly probe?: readonly string[];
  readonly whoCan?: string;
  readonly size?: string;
  readonly sourcePort?: string;
  readonly family?: '4' | '6';
  readonly bundle?: string;
}

/** `reach <from> <to>`, or `reach --who-can <vm> [probe...]`: then the words are probes. */
export async function runReach(words: readonly string[], o: ReachOptions, { signal }: Surroundings): Promise<number> {
  const bundle = o.bundle === undefined ? undefined : await read(o.bundle);
  const [from, to, ...more] = words;
  if (o.whoCan === undefined && (from === undefined || to === undefined || more.length > 0)) {
    throw new UserError('From where to where?', {
      hint: 'ostk-doctor reach web-1 db-1 --probe tcp/5432, or reach --who-can web-1 tcp/22',
    });
  }
  const size = numberOf('--size', o.size, 28, 65_535);
  const sourcePort = numberOf('--source-port', o.sourcePort, 1, 65_535);
  const family: Family | undefined = o.family === undefined ? undefined : o.family === '6' ? 6 : 4;
  const typed = [...(o.probe ?? []), ...(o.whoCan === undefined ? [] : words)];
  const options = runOptionsOf({ ...(typed.length === 0 ? {} : { probe: typed }), probePackets: false });
  const door = bundle === undefined ? await liveDoor(o, options, signal) : openReplay(bundle, options);
  try {
    const facts = new FactStore(door.io);
    const cloud = { name: door.cloud.name, ...(door.cloud.region === undefined ? {} : { region: door.cloud.region }) };
    const about = { tool: { name: 'ostk-doctor', version: version() }, cloud } as const;
    const recorded = bundle === undefined ? undefined : recordedIn(bundle);
    if (o.whoCan !== undefined) {
      const probes = typed.length === 0 ? usual : options.probes;
      const reference = recorded?.references.find((r) => r === o.whoCan) ?? o.whoCan;
      const target = await resolveTarget(door.cloud, reference, true, () => {});
      const answer = await whoCanReach(facts, target.ports, probes, family);
      const { renderWhoCan, whoCanDocument } = await import('../report/reach.ts');
      const text =
        o.output === 'json' ? whoCanDocument(answer, about) : renderWhoCan(answer, { ...pageOf(o), target: o.whoCan });
      process.stdout.write(text);
      return answer.every((a) => a.certain) ? 0 : 3;
    }
    const map = surveyor(facts);
    const ends = await resolveEnds(facts, map, { from: from ?? '', to: to ?? '', family }, recorded);
    const probes = typed.length === 0 ? usualOf(ends.to, to ?? '') : options.probes;
    const answers: Reach[] = [];
    for (const probe of probes) {
      const dhcp = sourceOfDhcp(probe);
      const source = sourcePort ?? (from === 'dhcp' || to === 'dhcp' ? dhcp : undefined);
      const question: Question = {
        ...ends,
        ...probe,
        ...(source === undefined ? {} : { sourcePort: source }),
        ...(size === undefined ? {} : { size }),
      };
      answers.push(await map.answer(question));
    }
    const { reachDocument, renderReach } = await import('../report/reach.ts');
    const exitCode = exitOf(answers);
    process.stdout.write(
      o.output === 'json' ? reachDocument(answers, about, exitCode) : renderReach(answers, pageOf(o)),
    );
    return door.interrupted() ? 130 : exitCode;
  } finally {
    await door.close();
  }
}

/** 1 where a packet or its answer is stopped, 3 where that cannot be told, 0 where all get through. */
const exitOf = (answers: readonly Reach[]): 0 | 1 | 3 =>
  answers.some((a) => a.verdict === 'unreachable') ? 1 : answers.some((a) => a.verdict === 'unknown') ? 3 : 0;

const usual: readonly ProbeOption[] = [{ protocol: 'icmp' }];

/** What one would ask of such an end without a word from the operator. */
const usualOf = (to: Question['to'], typed: string): readonly ProbeOption[] =>
  to.kind === 'metadata' ? [{ protocol: 'tcp', port: 80 }] : typed === 'dhcp' ? [{ protocol: 'udp', port: 67 }] : usual;

/** DHCP is spoken from a port of its own. */
const sourceOfDhcp = ({ protocol, port }: ProbeOption): number | undefined =>
  protocol !== 'udp' || port === undefined
    ? undefined
    : ({ 67: 68, 68: 67, 547: 546, 546: 547 } as Readonly<Record<number, number>>)[port];

const pageOf = (
  o: ReachOptions,
): { width: number; theme: ReturnType<typeof screenOf>['stdout']['theme']; verbosity: 0 | 1 | 2 } => {
  const { output: _, ...rest } = o;
  const { stdout, verbosity } = screenOf(rest);
  return { width: stdout.width, theme: stdout.theme, verbosity };
};

function numberOf(option: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most)) {
    throw new UserError(`${option} ${text} does not do.`, { hint: `a number from ${least} to ${most}` });
  }
  return number;
}

async function read(file: string): Promise<Bundle> {
  const bundle = await openBundle(file);
  if (!bundle.ok) throw bundle.error;
  return bundle.value;
}

function recordedIn(bundle: Bundle): Recorded {
  const { target, options } = storedRequest(bundle);
  return { references: [target, options.to].filter((r) => r !== undefined) };
}
