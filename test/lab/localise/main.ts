import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { RunReport } from '../../../src/engine/report.ts';
import type { Trace } from '../../../src/engine/trace.ts';
import { type Variant, variants } from '../score/expectation.ts';
import { type Ended, Lab, lastLine, placeFrom, quote } from '../score/lab.ts';
import { LabLock } from '../score/lock.ts';
import { chance, oneOf } from './chance.ts';
import { type Drop, dropsOf, sweep } from './drops.ts';
import { judge } from './judge.ts';
import { type Dud, page, type Result, type Row, section, shareRight } from './table.ts';

const USAGE = `usage: localise.sh [--variant lb|ovs|ovsfw|ovn] [--rounds N] [--seed TEXT] [--resume] | --heal
  --rounds  40 where nobody says
  --resume  goes on with the variant's last run
  --heal    takes away whatever a run that was cut off has left in the cloud
`;

/** Of the rounds that have to be right. */
const enough = 0.95;
const limits = { trace: 200, place: 60, check: 20, again: 120, turn: Number(process.env.LAB_TURN ?? 150) } as const;
const nodes = ['net1', 'cmp1', 'cmp2'] as const;

type Traced = RunReport & { readonly traces?: readonly Trace[] };

interface Asked {
  readonly from: string;
  readonly to: string;
  readonly probe: 'icmp' | 'tcp/22';
  /** Put in at the port of `from`. */
  readonly inject?: true;
}

const wordsOf = ({ from, to, probe, inject }: Asked): string[] => [
  'trace',
  from,
  to,
  ...(probe === 'icmp' ? [] : ['--probe', probe]),
  ...(inject === undefined ? [] : ['--inject']),
];

/** Of the lab's names, the address of an instance. */
const addressNames: Readonly<Record<string, string>> = { 'web-1': 'WEB', 'db-1': 'DB', 'multi-1': 'MULTI' };

const say = (text: string): void => {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
};

class Rounds {
  readonly lab: Lab;
  readonly variant: Variant;
  readonly #record: string;
  readonly #reports: string;
  readonly #healthy = new Map<string, readonly Trace[]>();
  readonly lock = new LabLock(process.env.LAB_LOCK);
  version = '?';

  constructor(lab: Lab, variant: Variant) {
    this.lab = lab;
    this.variant = variant;
    this.#record = join(lab.place.run, 'localise.json');
    this.#reports = join(lab.place.log, 'localise');
    mkdirSync(this.#reports, { recursive: true });
  }

  on(host: string, script: string, seconds: number): Promise<Ended> {
    return host === 'fabric'
      ? this.lab.lib(`fab bash -c ${quote(script)}`, seconds)
      : this.lab.run([join(this.lab.place.lab, 'enter.sh'), host, 'bash', '-c', script], seconds);
  }

  /** The report of a trace; undefined when the doctor printed none. */
  async trace(
    asked: Asked,
    keepAs: string,
  ): Promise<{ readonly report: Traced | undefined; readonly seconds: number }> {
    const words = [...wordsOf(asked), '--output', 'json'].map(quote).join(' ');
    const started = Date.now();
    const ran = await this.on(
      'op',
      `. /root/openrc; cd /root; exec timeout ${limits.trace} ${this.lab.place.doctor} ${words}`,
      limits.trace + 20,
    );
    const seconds = Math.round((Date.now() - started) / 100) / 10;
    writeFileSync(join(this.#reports, `${keepAs}.json`), ran.out);
    writeFileSync(join(this.#reports, `${keepAs}.stderr`), ran.err);
    try {
      const report: Traced = JSON.parse(ran.out);
      this.version = report.tool.version;
      return { report, seconds };
    } catch {
      say(`  no report: ${lastLine(ran.err)}`);
      return { report: undefined, seconds };
    }
  }

  /** The stretches of a trace that are whole on a healthy cloud; asked once. Undefined when the doctor printed no report. */
  async healthy(asked: Asked): Promise<readonly Trace[] | undefined> {
    const key = wordsOf(asked).join(' ');
    const known = this.#healthy.get(key);
    if (known !== undefined) return known;
    const { report } = await this.trace(asked, `healthy-${asked.from}-${asked.to}-${asked.probe.replace('/', '')}`);
    if (report === undefined) return undefined;
    // Of what is put in, its own stretch; the others are asked for by themselves.
    const wanted = (report.traces ?? []).filter((t) => (t.sender.port !== undefined) === (asked.inject !== undefined));
    const whole = wanted.filter((t) => t.stop === undefined && t.answered === t.sent);
    for (const t of wanted) if (!whole.includes(t)) say(`  not whole while healthy: ${t.title}: ${t.reading}`);
    if (whole.length > 0) this.#healthy.set(key, whole);
    return whole;
  }

  /** Whether the probe comes back: a ping, or a connection (which may be refused). */
  async answers({ sender, probe }: Trace, { from }: Asked): Promise<boolean> {
    if (sender.port !== undefined) {
      const look = `ping -c 2 -W 1 ${probe.to} >/dev/null && echo WE''LL`;
      return (await this.lab.run([join(this.lab.place.lab, 'guest.sh'), from, look], limits.check)).out.includes(
        'WELL',
      );
    }
    const inside = sender.netns === undefined ? '' : `ip netns exec ${sender.netns} `;
    const host = sender.netns === undefined ? 'op' : sender.host;
    const look =
      probe.protocol === 'tcp'
        ? `out=$(${inside}timeout 3 bash -c ${quote(`exec 3<>/dev/tcp/${probe.to}/${probe.port ?? 0}`)} 2>&1); code=$?; [ $code = 0 ] || case "$out" in *refused*) :;; *) false;; esac`
        : `${inside}ping -n -q -c 2 -i 0.3 -W 1 ${probe.to} >/dev/null 2>&1`;
    return (await this.on(host, look, limits.check)).status === 0;
  }

  async until(want: boolean, trace: Trace, asked: Asked, seconds: number): Promise<boolean> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      if ((await this.answers(trace, asked)) === want) return true;
      if (Date.now() > end) return false;
      await new Promise((done) => setTimeout(done, 500));
    }
  }

  async place(drop: Drop): Promise<string | undefined> {
    writeFileSync(this.#record, JSON.stringify(drop));
    const ran = await this.on(drop.host, drop.inject, limits.place);
    return ran.status === 0 ? undefined : lastLine(ran.err) || `status ${ran.status}`;
  }

  async heal(): Promise<void> {
    if (existsSync(this.#record)) {
      const drop: Drop = JSON.parse(readFileSync(this.#record, 'utf8'));
      const ran = await this.on(drop.host, drop.heal, limits.place);
      if (ran.status !== 0) say(`  heal of ${drop.kind} on ${drop.host}: ${lastLine(ran.err)}`);
      else rmSync(this.#record);
    }
  }

  async sweep(): Promise<void> {
    await this.heal();
    for (const host of [...nodes, 'fabric']) await this.on(host, sweep, limits.place);
  }
}

/** Three pings for each connection. */
const probes = ['icmp', 'icmp', 'icmp', 'tcp/22'] as const;

const ofAgents: readonly Asked[] = ['router', 'dhcp', 'outside'].flatMap((from) =>
  ['web-1', 'db-1'].flatMap((to) => probes.map((probe) => ({ from, to, probe }))),
);

/** To a floating address by the gateway chassis, and to one that the instance's own host answers for. */
const ofOvn: readonly Asked[] = [
  ...['web-1', 'db-1'].flatMap((to) => probes.map((probe) => ({ from: 'metadata', to, probe }))),
  ...['web-1', 'web-1', 'multi-1'].flatMap((to) => probes.map((probe) => ({ from: 'outside', to, probe }))),
  ...(
    [
      ['web-1', 'db-1'],
      ['db-1', 'web-1'],
      ['db-1', 'outside'],
    ] as const
  ).flatMap(([from, to]) => [1, 2].map(() => ({ from, to, probe: 'icmp' as const, inject: true as const }))),
];

/** Kinds take turns: of those that the path can hold one that had its turn least often. */
function choose(drops: readonly Drop[], had: ReadonlyMap<string, number>, draw: () => number): Drop {
  const kinds = [...new Set(drops.map((d) => d.kind))];
  const least = Math.min(...kinds.map((k) => had.get(k) ?? 0));
  const kind = oneOf(
    kinds.filter((k) => (had.get(k) ?? 0) === least),
    draw,
  );
  return oneOf(
    drops.filter((d) => d.kind === kind),
    draw,
  );
}

const noReport = { expected: '?', said: 'no report', right: false, first: '-' } as const;

async function round(
  rounds: Rounds,
  number: number,
  seed: string,
  had: Map<string, number>,
  duds: Dud[],
): Promise<Row | undefined> {
  const draw = chance(`${seed}/${rounds.variant}/${number}`);
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const asked = oneOf(rounds.variant === 'ovn' ? ofOvn : ofAgents, draw);
    await rounds.lock.take();
    const words = wordsOf(asked).join(' ');
    const stretches = await rounds.healthy(asked);
    if (stretches === undefined || stretches.length === 0) {
      rounds.lock.leave(limits.turn);
      const nothing = { round: number, asked: words, kind: 'nothing placed', host: '', device: '', way: '' };
      if (stretches === undefined) return { ...nothing, ...noReport, title: '', seconds: 0 };
      duds.push({ ...nothing, why: 'no stretch of it is whole' });
      continue;
    }
    const trace = oneOf(stretches, draw);
    const behind = rounds.lab.names().get(addressNames[asked.to] ?? '');
    const drops = dropsOf({
      trace,
      variant: rounds.variant,
      narrow: draw() < 0.5,
      ...(behind === undefined ? {} : { behind }),
    });
    const drop = choose(drops, had, draw);
    const about = { round: number, asked: words, kind: drop.kind, host: drop.host, device: drop.device, way: drop.way };
    say(`round ${number}: ${words} | ${trace.title} | ${drop.kind} on ${drop.host} ${drop.device} ${drop.way}`);
    try {
      if (!(await rounds.until(true, trace, asked, limits.again)))
        throw new Error(`${trace.title}: no answer before anything was placed`);
      const failed = await rounds.place(drop);
      const harmless = failed === undefined && !(await rounds.until(false, trace, asked, 6));
      if (failed !== undefined || harmless) {
        const why = failed ?? 'it did no harm';
        say(`  dud: ${why}`);
        duds.push({ ...about, why });
        had.set(drop.kind, (had.get(drop.kind) ?? 0) + 1);
        continue;
      }
      const { report, seconds } = await rounds.trace(asked, `${rounds.variant}-${number}`);
      if (report === undefined) {
        return { ...about, ...noReport, title: trace.title, seconds };
      }
      if (await rounds.answers(trace, asked)) {
        duds.push({ ...about, why: 'it did no harm any more after the trace' });
        say('  dud: it did no harm any more after the trace');
        continue;
      }
      const { blind: _blind, ...judged } = judge(report, trace, drop);
      had.set(drop.kind, (had.get(drop.kind) ?? 0) + 1);
      say(
        `  ${judged.right ? 'right' : 'WRONG'}: ${judged.expected}${judged.right ? '' : `, said ${judged.said}`}; rule ${judged.named ?? 'n/a'}; ${judged.first} (${seconds} s)`,
      );
      return { ...about, title: trace.title, ...judged, seconds };
    } finally {
      await rounds.heal();
      if (!(await rounds.until(true, trace, asked, limits.again))) say('  it does not answer again after the heal');
      rounds.lock.leave(limits.turn);
    }
  }
  return undefined;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      variant: { type: 'string' },
      rounds: { type: 'string', default: '40' },
      seed: { type: 'string', default: 'a' },
      resume: { type: 'boolean', default: false },
      heal: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const lab = new Lab(placeFrom(process.env));
  const variant = lab.variant();
  const wanted = variants.find((v) => v === values.variant);
  if (variant === undefined || (values.variant !== undefined && wanted !== variant)) {
    process.stderr.write(`no lab of ${values.variant ?? 'any variant'} runs under the name ${lab.place.name}\n`);
    return 2;
  }
  const rounds = new Rounds(lab, variant);
  const stop = (): void => {
    lab.stop();
    rounds.heal().finally(() => process.exit(130));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  await rounds.sweep();
  if (values.heal) return 0;

  const file = join(lab.place.log, `localise-${variant}.json`);
  const before: Result | undefined =
    values.resume && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  const commit =
    before?.commit ??
    process.env.LAB_COMMIT ??
    (await lab.run(['git', '-C', lab.place.root, 'rev-parse', '--short', 'HEAD'], 10)).out.trim();
  const seed = before?.seed ?? values.seed;
  const rows = [...(before?.rows ?? [])];
  const duds = [...(before?.duds ?? [])];
  const had = new Map<string, number>();
  for (const { kind } of [...rows, ...duds]) had.set(kind, (had.get(kind) ?? 0) + 1);
  const done = new Set(rows.map((r) => r.round));
  const result = (): Result => ({
    variant,
    seed,
    started: before?.started ?? started,
    version: rounds.version === '?' ? (before?.version ?? '?') : rounds.version,
    commit,
    rows,
    duds,
  });
  const started = new Date().toISOString();
  const keep = (): void => {
    writeFileSync(file, `${JSON.stringify(result(), undefined, 1)}\n`);
    const table = join(lab.place.lab, 'LOCALISE.md');
    writeFileSync(table, page(existsSync(table) ? readFileSync(table, 'utf8') : '', result()));
  };
  for (let number = 1; number <= Number(values.rounds); number += 1) {
    if (done.has(number)) continue;
    const row = await round(rounds, number, seed, had, duds);
    if (row !== undefined) rows.push(row);
    keep();
  }
  keep();
  rounds.lock.leave();
  process.stdout.write(section(result()));
  return shareRight(result()) >= enough ? 0 : 1;
}

process.exitCode = await main();
