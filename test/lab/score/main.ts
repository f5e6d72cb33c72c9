// The lab's judge: breaks the cloud, asks the doctor, compares what it says with what is known to be broken. Started by score.sh.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Answer, Named } from './answer.ts';
import {
  type Expectation,
  healthyQuestions,
  type Question,
  question,
  readExpectations,
  scorable,
  type Variant,
} from './expectation.ts';
import { alarms, judge, toType, warnings } from './judge.ts';
import { Lab, lastLine, limits, placeFrom } from './lab.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import { section, times, updated } from './render.ts';
import {
  exitOf,
  type FaultRow,
  type HealthyRow,
  merged,
  type Phase,
  type Result,
  remaining,
  type Took,
  totalsOf,
} from './result.ts';
import { sample } from './sample.ts';

const say = (text: string): void => {
  process.stderr.write(`${new Date().toTimeString().slice(0, 8)} ${text}\n`);
};
/** The run cannot go on; status 2. */
class Refused extends Error {}

const lab = new Lab(placeFrom(process.env));
const { place } = lab;
const read = (file: string): Result => JSON.parse(readFileSync(file, 'utf8'));

/** Replaced as a whole: a run that is cut off while it writes leaves the file of before. */
function write(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
const keep = (file: string, result: Result): void => write(file, `${JSON.stringify(result, null, 2)}\n`);

function publish(result: Result): void {
  const file = join(place.lab, 'SCORE.md');
  write(file, updated(existsSync(file) ? readFileSync(file, 'utf8') : '', result));
  say(`written: ${file}`);
}

/** Seconds of one part, added to what that part took already. */
async function timed<T>(took: Took, phase: Phase, work: Promise<T>): Promise<T> {
  const started = Date.now();
  const result = await work;
  took[phase] = Math.round(((took[phase] ?? 0) + (Date.now() - started) / 1000) * 10) / 10;
  return result;
}

const brief = (f: Named): Named => ({ ...f, remedies: f.remedies.filter((r) => r.sufficient) });

/** Drives one run; knows what is in the cloud. */
class Run {
  readonly names: ReadonlyMap<string, string>;
  readonly typesRemedies: boolean;
  current: string | undefined;
  /** The cloud was seen well and nothing was done to it since. */
  isWell = true;
  /** Faults in a row before or after which the cloud was not well. */
  illInARow = 0;
  doctor = '';

  constructor(names: ReadonlyMap<string, string>, typesRemedies: boolean) {
    this.names = names;
    this.typesRemedies = typesRemedies;
  }

  async healthy(n: number, target: string, q: Question): Promise<HealthyRow> {
    const a = await lab.ask(q, `healthy-${n}`);
    this.doctor = a.version ?? this.doctor;
    const wrong = alarms(a);
    say(
      `healthy ${n} (${target}): ${wrong.length === 0 ? 'clean' : `NOT CLEAN: ${wrong.join('; ')}`} (${a.seconds} s)`,
    );
    const row = { target, clean: wrong.length === 0, exit: a.exit, seconds: a.seconds };
    return { ...row, wrong, warnings: warnings(a), blocked: a.blocked };
  }

  async fault(name: string, e: Expectation): Promise<FaultRow> {
    const took: Took = {};
    const row = {
      fault: name,
      area: e.area,
      title: e.title,
      expected: e.clean ? 'clean' : [...e.first, ...e.localised.map((code) => `(${code})`)].join(', '),
      ...(e.subject === null ? {} : { expectedSubject: e.subject.join(' or ') }),
      took,
    };
    const unscored = (why: string): FaultRow => {
      say(`${name}: not scored: ${why}`);
      return { ...row, verdict: 'lab', why };
    };
    const q = question([e.target ?? '', ...e.flags], this.names);
    if (q === undefined) return unscored(`the cloud has no ${[e.target, ...e.flags].join(' ')}`);
    if (!this.isWell) {
      const bad = await timed(took, 'before', lab.well());
      if (bad !== undefined) {
        this.illInARow += 1;
        return unscored(`the cloud is not well before: ${bad}`);
      }
    }

    this.current = name;
    this.isWell = false;
    const injected = await timed(took, 'inject', lab.inject(name));
    const hurts = await timed(took, 'hurt', lab.symptom(name, 0));
    let result: FaultRow;
    if (hurts.status !== 0) {
      const said = lastLine(injected.err) || lastLine(injected.out);
      result = unscored(`it does not hurt${said === '' ? '' : `: ${lab.neutral(said)}`}`);
    } else {
      const a = await timed(took, 'doctor', lab.ask(q, name));
      this.doctor = a.version ?? this.doctor;
      result = { ...row, ...judge(a, e, this.names), ...whatItSaid(a) };
      if (result.verdict === 'wrong' && !(await lab.hurts(name)))
        return this.mend(name, unscored('it stopped to hurt by itself while it was diagnosed'));
      const cause = result.first ? `${result.first.code} ${result.first.subject}` : (a.error ?? 'no cause');
      const noise = (result.falseCauses ?? []).length > 0 ? `; false causes: ${result.falseCauses?.join(', ')}` : '';
      say(`${name}: ${result.verdict}: ${cause} (${a.seconds} s)${result.why ? `: ${result.why}` : ''}${noise}`);
      if (this.typesRemedies && result.verdict === 'right' && !e.clean)
        result = { ...result, remedy: await timed(took, 'remedy', this.remedy(name, e, a)) };
    }
    return this.mend(name, result);
  }

  /** Types what the doctor printed, where it said, instead of healing: `yes` only when the next run is clean. */
  async remedy(name: string, e: Expectation, said: Answer): Promise<string> {
    const commands = toType(said, e);
    if (commands.length === 0) return 'advice';
    const lines = commands.map(({ host, argv }) => `${host ?? 'operator'}: ${argv.join(' ')}`).join('; ');
    const no = (why: string): string => {
      say(`${name}: typed ${lines}: did not heal: ${why}`);
      return `no: ${lab.neutral(why)}`;
    };
    for (const { host, argv } of commands) {
      const done = await lab.type(host, argv);
      if (done.status !== 0) return no(`${argv.join(' ')}: ${lastLine(done.err) || `status ${done.status}`}`);
    }
    if ((await lab.symptom(name, 1)).status !== 0) return no('it still hurts');
    const bad = await lab.well();
    if (bad !== undefined) return no(bad);
    const q = question([e.target ?? '', ...e.flags], this.names);
    if (q === undefined) return no('its target is gone');
    const again = await lab.ask(q, `${name}-mended`);
    if (again.exit !== 0)
      return no(`then ${again.error ?? again.causes.map((f) => `${f.code} ${f.subject}`).join(', ')}`);
    say(`${name}: typed ${lines}: healed`);
    return 'yes';
  }

  /** Heals, and once more when the cloud does not get well by it. */
  async mend(name: string, row: FaultRow): Promise<FaultRow> {
    await timed(row.took, 'heal', lab.heal(name));
    let bad = await timed(row.took, 'well', lab.well());
    const notHealed = bad;
    if (bad !== undefined) {
      say(`${name}: not well after its heal: ${bad}`);
      await timed(row.took, 'heal', lab.heal(name));
      bad = await timed(row.took, 'well', lab.well());
    }
    this.current = undefined;
    this.isWell = bad === undefined;
    this.illInARow = this.isWell ? 0 : this.illInARow + 1;
    return notHealed === undefined ? row : { ...row, notHealed };
  }
}

function whatItSaid(a: Answer): Pick<FaultRow, 'exit' | 'seconds' | 'first' | 'others' | 'blocked'> {
  const [first, ...others] = a.causes;
  const causes = { ...(first === undefined ? {} : { first: brief(first) }), others: others.map(brief) };
  return { exit: a.exit, seconds: a.seconds, ...causes, blocked: a.blocked };
}

async function started(wanted: Variant | undefined): Promise<Variant> {
  const running = lab.variant();
  if (running !== undefined && wanted !== undefined && running !== wanted)
    throw new Refused(`the lab ${place.name} runs variant ${running}, not ${wanted}; stop it first (npm run lab:down)`);
  if (running !== undefined) return running;
  const variant = wanted ?? 'lb';
  say(`starting the lab (${variant})`);
  const up = await lab.run([join(place.lab, 'up.sh'), variant], limits.up);
  process.stderr.write(up.err);
  if (up.status !== 0) throw new Refused('the lab did not come up');
  return variant;
}

async function commit(): Promise<string> {
  const git = (...words: string[]) => lab.run(['git', '-C', place.root, ...words], 30);
  const head = (await git('rev-parse', '--short', 'HEAD')).out.trim() || 'unknown';
  const edited = (await git('status', '--porcelain', 'src', 'playbooks')).out.trim() !== '';
  return edited ? `${head} with edits` : head;
}

/** The faults to run, in order. */
function chosen(options: Options, variant: Variant, expectations: ReadonlyMap<string, Expectation>): string[] {
  const all = [...expectations].filter(([, e]) => scorable(e, variant)).map(([name]) => name);
  // A sample decides whether a change may land: what misses, or does not always hurt, is for whole runs to tell.
  const settled = all.filter((name) => expectations.get(name)?.unsettled === undefined);
  if (options.sample !== undefined) return sample(settled, options.sample, options.seed, expectations);
  if (options.faults === undefined) return all;
  const faults = options.faults.filter((name) => all.includes(name));
  for (const name of options.faults) {
    if (!expectations.has(name))
      throw new Refused(`no such fault: ${name}; there are: ${[...expectations.keys()].join(' ')}`);
    if (!faults.includes(name)) say(`${name}: nothing to score in variant ${variant}`);
  }
  if (faults.length === 0) throw new Refused('no fault left to score');
  return [...new Set(faults)].sort();
}

/** A result without a row yet, or the one that is gone on with. */
async function planned(
  options: Options,
  variant: Variant,
  expectations: ReadonlyMap<string, Expectation>,
): Promise<Result> {
  if (options.resume !== undefined) {
    const old = read(options.resume);
    if (old.variant !== variant)
      throw new Refused(`${options.resume} is of variant ${old.variant}, the lab runs ${variant}`);
    const { kept } = remaining(old);
    return { ...old, faults: kept };
  }
  return {
    schemaVersion: 2,
    variant,
    whole: options.whole,
    startedAt: new Date().toISOString(),
    doctor: '',
    commit: await commit(),
    seconds: 0,
    ...(options.sample === undefined ? {} : { seed: options.seed }),
    typesRemedies: options.remedy,
    planned: chosen(options, variant, expectations),
    healthyWanted: options.healthy,
    healthy: [],
    faults: [],
    totals: totalsOf([], []),
  };
}

async function score(options: Options, expectations: ReadonlyMap<string, Expectation>): Promise<number> {
  if (options.resume !== undefined && !existsSync(options.resume)) throw new Refused(`no such file: ${options.resume}`);
  const variant = await started(
    options.variant ?? (options.resume === undefined ? undefined : read(options.resume).variant),
  );
  if (place.ownDoctor && !existsSync(join(place.root, 'dist/cli.js'))) {
    say('building');
    const built = await lab.run(['npm', '--prefix', place.root, 'run', '--silent', 'build'], 300);
    if (built.status !== 0) throw new Refused(built.err || built.out);
  }
  mkdirSync(join(place.log, 'score'), { recursive: true });
  let result = await planned(options, variant, expectations);
  const wholeFile = join(place.log, `score-${variant}.json`);
  const file = resolve(
    options.resume ?? options.json ?? (result.whole ? wholeFile : join(place.log, `score-${variant}-part.json`)),
  );

  process.stderr.write((await lab.lib('heal_leftovers', 300)).err);
  const bad = await lab.well();
  if (bad !== undefined) throw new Refused(`the lab is not well: ${bad}`);
  const run = new Run(lab.names(), result.typesRemedies);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, async () => {
      lab.stop();
      if (run.current !== undefined) {
        say(`${signal}: healing ${run.current}`);
        await lab.heal(run.current);
      }
      process.exit(130);
    });
  }

  const before = result.seconds;
  const startedAt = Date.now();
  const add = (healthy: readonly HealthyRow[], faults: readonly FaultRow[]): void => {
    const rows = {
      healthy: [...result.healthy, ...healthy],
      faults: [...result.faults, ...faults].sort((a, b) => (a.fault < b.fault ? -1 : 1)),
    };
    const seconds = before + Math.round((Date.now() - startedAt) / 1000);
    result = {
      ...result,
      ...rows,
      seconds,
      doctor: run.doctor || result.doctor,
      totals: totalsOf(rows.healthy, rows.faults),
    };
    keep(file, result);
  };

  const targets = healthyQuestions(readFileSync(join(place.lab, 'healthy-targets'), 'utf8'), run.names);
  for (let n = result.healthy.length; n < result.healthyWanted && targets.length > 0; n += 1) {
    const next = targets[n % targets.length];
    if (next !== undefined) add([await run.healthy(n + 1, ...next)], []);
  }
  for (const name of remaining(result).faults) {
    const e = expectations.get(name);
    if (e === undefined) say(`${name}: is gone`);
    else add([], [await run.fault(name, e)]);
    if (run.illInARow >= 2)
      throw new Refused(`the cloud does not get well any more; go on later with --resume ${file}`);
  }
  add([], []);

  process.stdout.write(`${section(result)}\n`);
  say(`time went to: ${times(result)}`);
  say(`written: ${file}`);
  if (result.whole) publish(result);
  if (options.merge) {
    if (!existsSync(wholeFile)) throw new Refused(`no whole run of ${variant} to put these rows into`);
    const both = merged(read(wholeFile), result);
    keep(wholeFile, both);
    publish(both);
  }
  return exitOf(result.totals);
}

function list(expectations: ReadonlyMap<string, Expectation>): void {
  process.stdout.write('| fault | area | variants | first cause | what is broken |\n|---|---|---|---|---|\n');
  for (const [name, e] of expectations) {
    const first = e.clean ? 'none' : [...e.first, ...e.localised.map((code) => `(${code})`)].join(', ') || '-';
    process.stdout.write(
      `| ${name} | ${e.area} | ${e.variants.join(' ')} | ${first} | ${e.title.replaceAll('|', '\\|')} |\n`,
    );
  }
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(process.argv.slice(2), new Date().toISOString().slice(0, 10));
  } catch (e) {
    throw new Refused(`${e instanceof Error ? e.message : String(e)}\n${USAGE}`);
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (options.render !== undefined) {
    for (const file of options.render) {
      const kept = read(file);
      publish({ ...kept, totals: totalsOf(kept.healthy, kept.faults) });
    }
    return 0;
  }
  const { all, broken } = readExpectations(join(place.lab, 'faults'));
  const unreadable = [...broken].filter(([name]) => options.faults?.includes(name) ?? true);
  const complaints = unreadable.map(([name, why]) => `${name}/expect.yaml: ${why}`);
  if (options.list) {
    list(all);
    for (const complaint of complaints) say(complaint);
    return complaints.length === 0 ? 0 : 1;
  }
  if (complaints.length > 0) throw new Refused(complaints.join('\n'));
  return score(options, all);
}

main().then(
  (status) => {
    process.exitCode = status;
  },
  (e) => {
    process.stderr.write(`${e instanceof Refused ? e.message : (e?.stack ?? e)}\n`);
    process.exitCode = 2;
  },
);
