import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { RunReport } from '../../../src/engine/report.ts';
import type { Relaxation } from '../../../src/engine/schedule.ts';
import { chance, oneOf } from '../localise/chance.ts';
import { type Ended, Lab, lastLine, placeFrom, quote } from '../score/lab.ts';
import { LabLock } from '../score/lock.ts';
import { type Case, cases } from './cases.ts';
import { Cloud } from './cloud.ts';
import { type Asked, Ground, type Made } from './ground.ts';
import { compared, firstOf } from './judge.ts';
import { keep, keepCommon, record } from './record.ts';
import { CannotBeMade, relaxed } from './relax.ts';
import { firstWords, type Seen, type Sight, sights, wrongOf } from './sights.ts';
import { page, type Question, type Result, type Row, right, type Tried } from './table.ts';
import { truthOf } from './truth.ts';

const USAGE = `usage: schedule.sh [--case NAME]... [--question I]... [--questions N] [--seed TEXT] [--resume] [--keep] [--record DIR] | --heal | --list
  --case       only these; their rows replace those of the last run
  --question   only these random flavors, likewise
  --questions  random flavors: would they fit? 30 where nobody says
  --resume     goes on with the last run; what was right is not asked again
  --keep       leaves the further hosts up at the end
  --record     keeps what Nova, Placement and their logs say as files, of cases that have no folder there yet
  --heal       takes away whatever a run that was cut off has left in the cloud
`;

/** Seconds. */
const doctorLimit = 180;
const say = (text: string): void => {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
};

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

interface Answered {
  readonly report: RunReport | undefined;
  readonly ran: Ended;
  readonly seconds: number;
  readonly error: string;
}

/** What the API does not tell of a request that was made; the operator who asks knows it. */
function hidden(asked: Asked, toldZone?: string): string[] {
  const words: string[] = [];
  // Of an instance that was on a host the API no longer tells which zone was asked for.
  if (asked.zone !== undefined && toldZone === '') words.push('--az', asked.zone);
  for (const [name, values] of Object.entries(asked.hints ?? {}))
    if (name !== 'group') for (const value of [values].flat()) words.push('--hint', `${name}=${value}`);
  if (asked.host !== undefined) words.push('--host', asked.host);
  if (asked.zone?.includes(':') === true && toldZone !== '') words.push('--az', asked.zone);
  if (asked.count !== undefined) words.push('--count', String(asked.count));
  for (const n of asked.networks ?? []) if ('name' in n) words.push('--network', n.name);
  return words;
}

/** A request that nobody has made, as options. */
function question(flavor: string, asked: Asked): string[] {
  const image = asked.image === undefined && asked.broken !== true ? 'tiny' : flavor;
  const zone = asked.zone === undefined || asked.zone.includes(':') ? [] : ['--az', asked.zone];
  return ['--flavor', flavor, '--image', image, ...zone, ...hidden(asked)];
}

class Rounds {
  readonly ground: Ground;
  readonly reports: string;
  readonly #recordings: string | undefined;
  version = '?';

  constructor(ground: Ground, recordings: string | undefined) {
    this.ground = ground;
    this.#recordings = recordings;
    this.reports = join(ground.lab.place.log, 'schedule');
    mkdirSync(this.reports, { recursive: true });
  }

  /** @param words from the verb on */
  async ask(words: readonly string[], keepAs: string): Promise<Answered> {
    const line = [...words, '--output', 'json'].map(quote).join(' ');
    const started = Date.now();
    const ran = await this.ground.on(
      'op',
      `. /root/openrc; export OS_PROJECT_NAME=demo; cd /root; exec timeout ${doctorLimit} ${this.ground.lab.place.doctor} ${line}`,
      doctorLimit + 20,
    );
    const seconds = Math.round((Date.now() - started) / 100) / 10;
    writeFileSync(join(this.reports, `${keepAs}.json`), ran.out);
    writeFileSync(join(this.reports, `${keepAs}.stderr`), ran.err);
    try {
      const report: RunReport = JSON.parse(ran.out);
      this.version = report.tool.version;
      return { report, ran, seconds, error: '' };
    } catch {
      return { report: undefined, ran, seconds, error: `no report: ${lastLine(ran.err)}` };
    }
  }

  /** Whether the request boots as the relaxation says. */
  async try(asked: Asked, relaxation: Relaxation): Promise<Tried> {
    const { words } = relaxation;
    const { ground } = this;
    try {
      const changed = await relaxed(ground, asked, relaxation);
      // Nova knows nothing of agents and physical networks: it may well choose a host on which no port binds.
      const host = asked.networks === undefined || asked.host !== undefined ? undefined : relaxation.hosts[0];
      const now = host === undefined ? changed : { ...changed, host };
      const made = await ground.request('sched-relaxed', now, `sched-relaxed-${Date.now()}`);
      try {
        const servers = await Promise.all(made.servers.map((id) => ground.server(id)));
        const bad = servers.find((s) => s.status !== 'ACTIVE');
        const why =
          made.servers.length === 0
            ? JSON.stringify(made.answer).slice(0, 160)
            : bad === undefined
              ? undefined
              : `${bad.status}: ${bad.fault?.message}`;
        return { words, boots: why === undefined, ...(why === undefined ? {} : { why }) };
      } finally {
        await ground.remove(made.servers);
      }
    } catch (error) {
      if (error instanceof CannotBeMade) return { words, boots: 'not tried', why: `this lab has no ${error.message}` };
      return { words, boots: false, why: reason(error).slice(0, 160) };
    }
  }

  async case(c: Case): Promise<Row> {
    const { ground } = this;
    const about = { name: c.name, title: c.title, ...(c.unrelaxed ? { unrelaxed: true as const } : {}) };
    const nothing = { hosts: [], first: '-', firstRight: false, relaxations: 0, tried: [], seconds: 0 };
    try {
      const asked = await c.make(ground);
      const made = await ground.request('sched-vm', asked);
      const recorded = await record(ground, made, c.late ?? []);
      const folder = this.#recordings === undefined ? undefined : join(this.#recordings, c.name);
      if (folder !== undefined && !existsSync(folder)) await keep(ground, recorded, folder);
      const truth = truthOf(recorded);
      const told = { outcome: truth.outcome, message: truth.message, narrowest: truth.narrowest ?? '' };
      const wanted = c.refused ? 'refused' : 'failed';
      if (truth.outcome !== wanted)
        return { ...about, ...nothing, ...told, failed: `Nova should have ${wanted}, but ${truth.outcome}` };
      const server = made.servers[0];
      const words =
        server === undefined
          ? question('sched-vm', asked)
          : [server, ...hidden(asked, recorded.servers[0]?.['OS-EXT-AZ:availability_zone'])];
      const { report, seconds, error } = await this.ask(['schedule', ...words], c.name);
      if (error !== '') say(`  ${error}`);
      const schedule = report?.schedule;
      const first = firstOf(report, c);
      await ground.remove(made.servers);
      const relaxations = schedule?.relaxations ?? [];
      const tried: Tried[] = [];
      for (const r of relaxations) {
        tried.push(await this.try(asked, r));
        if (tried.at(-1)?.boots !== 'not tried') break;
      }
      return {
        ...about,
        ...told,
        hosts: compared(schedule, truth),
        first: first.said,
        firstRight: first.right,
        relaxations: relaxations.length,
        tried,
        seconds,
      };
    } catch (error) {
      return { ...about, ...nothing, outcome: '', message: '', narrowest: '', failed: reason(error) };
    } finally {
      await c.undo?.(ground).catch((error) => say(`  ${c.name}: undo: ${reason(error)}`));
      await ground.sweep(false);
    }
  }

  /** What the doctor says of cells. */
  async sight(s: Sight): Promise<Seen[]> {
    const { ground } = this;
    const { name, title } = s;
    const seen: Seen[] = [];
    try {
      const { nova, looks } = await s.make(ground);
      for (const [at, look] of looks.entries()) {
        const { report, ran, seconds } = await this.ask(look.words, `${name}-${at + 1}`);
        const wrong = wrongOf(look, report, ran);
        const about = { name, title, command: look.words.join(' '), nova: at === 0 ? nova : '' };
        const told = { exit: ran.status, first: firstWords(report, ran), seconds };
        seen.push({ ...about, ...told, ...(wrong === undefined ? {} : { wrong }) });
      }
    } catch (error) {
      seen.push({ name, title, command: '', nova: '', exit: -1, first: '', wrong: reason(error), seconds: 0 });
    } finally {
      await s.undo?.(ground).catch((error) => say(`  ${name}: undo: ${reason(error)}`));
      await ground.sweep(false);
    }
    return seen;
  }

  /** A random flavor: is it as the doctor says? */
  async question(number: number, seed: string): Promise<Question> {
    const draw = chance(`${seed}/${number}`);
    const { ground } = this;
    const specs = oneOf<Readonly<Record<string, string>>>(
      [
        {},
        {},
        {},
        { 'aggregate_instance_extra_specs:ssd': 'true' },
        { 'trait:CUSTOM_SCHED_GPU': 'required' },
        { 'trait:CUSTOM_SCHED_GPU': 'forbidden' },
        { 'capabilities:hypervisor_type': 's== fake' },
        { 'hw:mem_page_size': '2MB' },
        { 'resources:CUSTOM_SCHED_FPGA': '1' },
      ],
      draw,
    );
    const zone = oneOf(['', '', 'sched-az', 'nova'], draw);
    const asked: Asked = {
      vcpus: oneOf([1, 1, 2, 3, 4, 8, 10, 12], draw),
      ram: oneOf([64, 96, 256, 512, 2000, 5000, 7680, 7681, 25_000], draw),
      disk: oneOf([1, 1, 1, 50, 300, 1028, 1100], draw),
      specs,
      ...(zone === '' ? {} : { zone }),
    };
    const name = `sched-q${number}`;
    const flavor = `${asked.vcpus} VCPU, ${asked.ram} MB, ${asked.disk} GB${Object.entries(specs).map(([k, v]) => `, ${k}=${v}`)}${zone === '' ? '' : `, zone ${zone}`}`;
    let made: Made | undefined;
    try {
      // Asked before anything is booted, with a flavor of the same shape: the request makes its own.
      await ground.flavor(`${name}-asked`, asked);
      const { report, seconds, error } = await this.ask(['schedule', ...question(`${name}-asked`, asked)], name);
      made = await ground.request(name, asked);
      const servers = await Promise.all(made.servers.map((id) => ground.server(id)));
      await ground.remove(made.servers);
      const truth = truthOf(await record(ground, made, [], servers));
      const said = report?.schedule?.verdict ?? error;
      const nova = truth.outcome === 'booted' ? 'fits' : 'no-host';
      return { number, flavor, said, nova, equal: said === nova, hosts: compared(report?.schedule, truth), seconds };
    } catch (error) {
      return { number, flavor, said: '?', nova: reason(error), equal: false, hosts: [], seconds: 0 };
    } finally {
      await ground.remove(made?.servers ?? []).catch((error) => say(`  ${reason(error)}`));
    }
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      case: { type: 'string', multiple: true, default: [] },
      record: { type: 'string' },
      resume: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      questions: { type: 'string', default: '30' },
      question: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string', default: 'a' },
      heal: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (values.list) {
    for (const s of sights) process.stdout.write(`${s.name.padEnd(20)} ${'cells'.padEnd(34)} ${s.title}\n`);
    for (const c of cases) process.stdout.write(`${c.name.padEnd(20)} ${c.step.padEnd(34)} ${c.title}\n`);
    return 0;
  }
  const lab = new Lab(placeFrom(process.env));
  const variant = lab.variant();
  if (variant === undefined) {
    process.stderr.write(`no lab runs under the name ${lab.place.name}\n`);
    return 2;
  }
  const cut = new AbortController();
  const asking = (signal?: AbortSignal): Cloud =>
    new Cloud(process.env.LAB_CTL ?? '', process.env.LAB_PASS ?? '', signal);
  const ground = new Ground(asking(cut.signal), lab);
  const lock = new LabLock(process.env.LAB_LOCK);
  const heal = async (healing = ground): Promise<void> => {
    await healing.sweep();
    await healing.quota(false);
    await healing.verb('down');
  };
  if (values.heal) {
    await heal();
    return 0;
  }
  const stop = (): void => {
    say('cut off: healing');
    // The case itself would undo its own at the same time, and then the next one would begin.
    cut.abort(new Error('cut off'));
    lab.stop();
    heal(new Ground(asking(), new Lab(lab.place)))
      .catch((error) => say(`not healed: ${reason(error)}`))
      .finally(() => process.exit(130));
  };
  /** Never ends where the run is cut off: the process does, once all is healed. */
  const whole = <T>(work: Promise<T>): Promise<T> =>
    work.finally(() => (cut.signal.aborted ? new Promise<never>(() => {}) : undefined));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  await whole(ground.verb('up'));
  await whole(ground.sweep());
  await whole(ground.quota(true));
  const wanted = cases.filter((c) =>
    values.case.length + values.question.length === 0 ? true : values.case.includes(c.name),
  );
  if (values.record !== undefined && !existsSync(join(values.record, 'common')))
    await keepCommon(ground, join(values.record, 'common'));

  const rounds = new Rounds(ground, values.record);
  const file = join(lab.place.log, `schedule-${variant}.json`);
  const partial = values.case.length > 0 || values.question.length > 0;
  const before: Result | undefined =
    (values.resume || partial) && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  const commit = (await lab.run(['git', '-C', lab.place.root, 'rev-parse', '--short', 'HEAD'], 10)).out.trim();
  const started = before?.started ?? new Date().toISOString();
  const rows = new Map((before?.rows ?? []).map((r) => [r.name, r]));
  const seen = new Map<string, readonly Seen[]>();
  for (const s of before?.seen ?? []) seen.set(s.name, [...(seen.get(s.name) ?? []), s]);
  const questions = new Map((before?.questions ?? []).map((q) => [q.number, q]));
  const result = (): Result => ({
    variant,
    started,
    version: rounds.version === '?' ? (before?.version ?? '?') : rounds.version,
    commit,
    rows: cases.flatMap((c) => rows.get(c.name) ?? []),
    seen: sights.flatMap((s) => seen.get(s.name) ?? []),
    questions: [...questions.values()].sort((a, b) => a.number - b.number),
  });
  const store = (): void => {
    writeFileSync(file, `${JSON.stringify(result(), undefined, 1)}\n`);
    writeFileSync(join(lab.place.lab, 'SCHEDULE.md'), page(result()));
  };
  for (const c of wanted) {
    const had = rows.get(c.name);
    if (values.resume && had !== undefined && right(had)) continue;
    if (c.shared) await lock.take();
    const row = await whole(rounds.case(c));
    lock.leave();
    rows.set(c.name, { ...row, commit });
    store();
    say(`${c.name}: ${right(row) ? 'right' : 'WRONG'} ${row.failed ?? ''} (${row.seconds} s) ${row.first}`);
    for (const h of row.hosts)
      if (!h.equal) say(`    ${h.host}: Nova ${h.nova || 'fits'}, said ${h.said || 'fits'}; ${h.why}`);
    for (const t of row.tried) say(`    ${t.words}: ${t.boots === true ? 'boots' : `${t.boots} ${t.why ?? ''}`}`);
  }
  for (const s of sights) {
    if (partial && !values.case.includes(s.name)) continue;
    if (values.resume && seen.get(s.name)?.every((each) => each.wrong === undefined) === true) continue;
    await lock.take();
    const now = await whole(rounds.sight(s));
    lock.leave();
    seen.set(s.name, now);
    store();
    for (const each of now)
      say(
        `${each.name}: ${each.wrong === undefined ? 'right' : `WRONG ${each.wrong}`} (${each.seconds} s) ${each.command}: ${each.first}`,
      );
  }
  const numbers = partial
    ? values.question.map(Number)
    : Array.from({ length: Number(values.questions) }, (_, i) => i + 1);
  if (numbers.length > 0) {
    await ground.aggregate('sched-az', ['sched-f1', 'sched-f2'], { ssd: 'true' }, 'sched-az');
    await ground.trait('sched-c2', 'CUSTOM_SCHED_GPU', true);
    await ground.cloud.ask('placement', 'PUT', '/resource_classes/CUSTOM_SCHED_FPGA');
    for (const number of numbers) {
      const answered = questions.get(number);
      if (values.resume && answered?.equal && answered.hosts.every((h) => h.equal)) continue;
      const q = await whole(rounds.question(number, values.seed));
      questions.set(number, { ...q, commit });
      store();
      say(`${q.flavor}: ${q.equal ? 'right' : 'WRONG'}: ${q.said}, Nova ${q.nova} (${q.seconds} s)`);
      for (const h of q.hosts)
        if (!h.equal) say(`    ${h.host}: Nova ${h.nova || 'fits'}, said ${h.said || 'fits'}; ${h.why}`);
    }
  }
  store();
  if (!values.keep) await heal();
  const all = result();
  return all.rows.every(right) && all.seen.every((s) => s.wrong === undefined) && all.questions.every((q) => q.equal)
    ? 0
    : 1;
}

process.exitCode = await main();
