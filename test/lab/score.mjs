// The lab's judge: breaks the cloud, asks the doctor, compares its first cause with what is known to be broken.
// Started by score.sh, which sets LAB_*.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';

const { LAB_DIR, LAB_RUN, LAB_LOG, LAB_NAME } = process.env;
const USAGE = 'usage: score.sh [--variant lb|ovs|ovsfw|ovn] [--fault NAME]... [--sample N [--seed TEXT]] [--healthy N] [--remedy] [--json FILE] | --list';
const VARIANTS = ['lb', 'ovs', 'ovsfw', 'ovn'];
const FAULTS = join(LAB_DIR, 'faults');
const DOCTOR = process.env.LAB_DOCTOR ?? `node ${quote(resolve(LAB_DIR, '../..', 'bin/ostk-doctor.js'))}`;
const SECONDS = { up: 1200, well: 150, inject: 120, hurts: 60, doctor: 120 };

const say = (text) => process.stderr.write(`${new Date().toTimeString().slice(0, 8)} ${text}\n`);
const fail = (text) => {
  process.stderr.write(`${text}\n`);
  process.exit(2);
};
/** One word of a shell command line. */
function quote(word) {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Runs a command to its end. Never throws: a command that cannot start or takes too long has status 127 or 124. */
function run(argv, seconds, env = {}) {
  return new Promise((done) => {
    const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env }, detached: true });
    let out = '';
    let err = '';
    let late = false;
    const clock = setTimeout(() => {
      late = true;
      try {
        process.kill(-child.pid, 'SIGTERM');
      } catch {}
    }, seconds * 1000);
    child.stdout.on('data', (d) => {
      out += d;
    });
    child.stderr.on('data', (d) => {
      err += d;
    });
    child.on('error', (e) => {
      clearTimeout(clock);
      done({ status: 127, out, err: String(e) });
    });
    child.on('close', (status) => {
      clearTimeout(clock);
      done({ status: late ? 124 : (status ?? 128), out, err });
    });
  });
}
/** Functions of faults/lib.sh. */
const lib = (commands, seconds) => run(['bash', '-c', `cd ${quote(FAULTS)} && . ./lib.sh && ids && ${commands}`], seconds);
const fault = (name, verb, seconds) => run([join(FAULTS, name, 'fault.sh'), verb], seconds);
const first = (text) => text.trim().split('\n')[0] ?? '';
const last = (text) => text.trim().split('\n').at(-1) ?? '';

/** The order of a sample depends on nothing but the seed and the names, so that a run can be repeated. */
function sample(names, count, seed) {
  const rank = (name) => createHash('sha256').update(`${seed}/${name}`).digest('hex');
  return [...names].sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, count).sort();
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        variant: { type: 'string' },
        fault: { type: 'string', multiple: true },
        sample: { type: 'string' },
        seed: { type: 'string', default: new Date().toISOString().slice(0, 10) },
        healthy: { type: 'string', default: '2' },
        json: { type: 'string' },
        remedy: { type: 'boolean', default: false },
        list: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      process.stdout.write(`${USAGE}\n`);
      process.exit(0);
    }
    for (const key of ['sample', 'healthy']) {
      if (values[key] !== undefined && !/^\d+$/.test(values[key])) fail(`--${key} wants a number, not "${values[key]}"\n${USAGE}`);
    }
    if (values.variant && !VARIANTS.includes(values.variant)) fail(`no such variant: ${values.variant}\n${USAGE}`);
    return values;
  } catch (e) {
    return fail(`${e.message}\n${USAGE}`);
  }
}

function readExpectations() {
  const all = new Map();
  for (const entry of readdirSync(FAULTS, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    all.set(entry.name, parse(readFileSync(join(FAULTS, entry.name, 'expect.yaml'), 'utf8')));
  }
  return all;
}

const runningVariant = () => {
  try {
    return readFileSync(join(LAB_RUN, 'variant'), 'utf8').trim();
  } catch {
    return undefined;
  }
};

/** `$NAME` in an expected subject: a name of the running cloud (lib.sh, ids). */
function readNames() {
  const names = new Map();
  for (const line of readFileSync(join(LAB_RUN, 'names'), 'utf8').split('\n')) {
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key) names.set(key, value);
  }
  names.set('FIP', names.get('WEB_FIP'));
  return names;
}

/** Asks the doctor on the operator's host. `answer` is what the judge needs of its report; without one, `error` says why. */
async function diagnose(target, flags, keepAs) {
  const words = ['net', target, '--output', 'json', ...flags.map(String)].map(quote).join(' ');
  const started = Date.now();
  const r = await run([join(LAB_DIR, 'enter.sh'), 'op', 'bash', '-c', `. /root/openrc; exec timeout ${SECONDS.doctor} ${DOCTOR} ${words}`], SECONDS.doctor + 20);
  const seconds = Math.round((Date.now() - started) / 100) / 10;
  writeFileSync(join(LAB_LOG, 'score', `${keepAs}.json`), r.out);
  writeFileSync(join(LAB_LOG, 'score', `${keepAs}.stderr`), r.err);
  let report;
  try {
    report = JSON.parse(r.out);
  } catch {
    return { exit: r.status, seconds, error: `no JSON on stdout; stderr: ${first(r.err) || '(empty)'}` };
  }
  const causes = (report.diagnosis?.causes ?? []).map((c) => c.finding);
  const every = [
    ...(report.diagnosis?.causes ?? []).flatMap((c) => [c.finding, ...c.explains]),
    ...(report.diagnosis?.remarks ?? []),
    ...(report.steps ?? []).flatMap((s) => s.checks.flatMap((c) => (c.outcome.status === 'problem' ? c.outcome.findings : []))),
  ];
  const unknown = (report.steps ?? []).flatMap((s) => s.checks.filter((c) => c.outcome.status === 'unknown').map((c) => `${c.id}: ${c.outcome.error}`));
  const blocked = (report.steps ?? []).flatMap((s) => s.checks.filter((c) => c.outcome.status === 'blocked').map((c) => c.id));
  return { exit: r.status, seconds, version: report.tool?.version, causes, every, unknown, blocked };
}

async function healthyRun(n) {
  const a = await diagnose('web-1', [], `healthy-${n}`);
  const wrong = [];
  if (a.error) wrong.push(a.error);
  else {
    for (const f of a.causes) if (f.severity !== 'info') wrong.push(`${f.code} ${f.subject}`);
    for (const f of a.every) if (f.severity === 'error') wrong.push(`${f.code} ${f.subject}`);
    wrong.push(...a.unknown);
  }
  if (a.exit !== 0) wrong.unshift(`exit ${a.exit}`);
  const reasons = [...new Set(wrong)];
  say(`healthy ${n}: ${reasons.length === 0 ? 'clean' : `NOT CLEAN: ${reasons.join('; ')}`} (${a.seconds} s)`);
  return { run: n, clean: reasons.length === 0, exit: a.exit, seconds: a.seconds, wrong: reasons, blocked: a.blocked ?? [] };
}

async function faultRun(name, expected) {
  const row = { fault: name, title: expected.title, target: expected.target, expected: expected.first, expectedSubject: expected.subject ?? undefined };
  const lab = (why) => {
    say(`${name}: not scored: ${why}`);
    return { ...row, verdict: 'lab', why };
  };
  const before = await lib(`{ wait_well ${SECONDS.well} || { well; false; }; }`, SECONDS.well + 60);
  if (before.status !== 0) return lab(`the cloud is not well before: ${last(before.out + before.err)}`);
  current = name;
  const injected = await fault(name, 'inject', SECONDS.inject);
  const hurts = await lib(`wait_state 0 ${SECONDS.hurts} timeout 25 ./${name}/fault.sh symptom`, SECONDS.hurts + 60);
  let result;
  if (hurts.status !== 0) result = lab(`it does not hurt: ${last(injected.err) || last(injected.out)}`);
  else {
    const a = await diagnose(expected.target, expected.flags ?? [], name);
    result = { ...row, ...judge(a, expected) };
    const cause = result.first ? `${result.first.code} ${result.first.subject}` : (a.error ?? 'no cause');
    say(`${name}: ${result.verdict}: ${cause} (${a.seconds} s)${result.why ? `: ${result.why}` : ''}`);
  }
  if (options.remedy && result.verdict === 'right') result.remedy = await tryRemedy(name, expected, result.first);
  await fault(name, 'heal', SECONDS.inject);
  current = undefined;
  const after = await lib(`{ wait_well ${SECONDS.well} || { well; false; }; }`, SECONDS.well + 60);
  if (after.status !== 0) {
    say(`${name}: not well after its heal: ${last(after.out + after.err)}`);
    result.notHealed = last(after.out);
  }
  return result;
}

/** Types what the doctor printed, where it said, instead of healing: `yes` when the next run is clean, `advice` when it gave no whole command. */
async function tryRemedy(name, expected, cause) {
  const remedy = (cause.remedies ?? []).find((r) => r.sufficient);
  const steps = (remedy?.steps ?? []).filter((s) => s.argv);
  if (steps.length === 0) return 'advice';
  for (const { where, argv } of steps) {
    const words = argv.map(quote).join(' ');
    const there = where.kind === 'host' ? [where.host, 'bash', '-c', words] : ['ctl', 'bash', '-c', `. /root/openrc; export OS_PROJECT_NAME=demo; ${words}`];
    const done = await run([join(LAB_DIR, 'enter.sh'), ...there], SECONDS.inject);
    if (done.status !== 0) return `no: ${argv.join(' ')}: ${last(done.err)}`;
  }
  const gone = await lib(`wait_state 1 ${SECONDS.hurts} timeout 25 ./${name}/fault.sh symptom && wait_well ${SECONDS.well}`, SECONDS.hurts + SECONDS.well + 60);
  if (gone.status !== 0) return 'no: it still hurts';
  const again = await diagnose(expected.target, expected.flags ?? [], `${name}-mended`);
  const healed = again.exit === 0 ? 'yes' : `no: then ${again.error ?? again.causes.map((f) => f.code).join(', ')}`;
  say(`${name}: ${steps.map((s) => s.argv.join(' ')).join('; ')}: healed: ${healed}`);
  return healed;
}

/** Right when the first cause has one of the expected codes, names the expected thing, and no forbidden code stands among the causes. */
function judge(a, expected) {
  if (a.error) return { verdict: 'wrong', why: a.error, exit: a.exit, seconds: a.seconds };
  const [first, ...others] = a.causes;
  const wanted = expected.subject?.replace(/\$(\w+)/g, (all, key) => names.get(key) ?? all);
  const rightCode = first !== undefined && expected.first.includes(first.code);
  const rightSubject = first !== undefined && (!wanted || `${first.subject}\n${first.summary}`.includes(wanted));
  const forbidden = a.causes.map((f) => f.code).filter((code) => (expected.never ?? []).includes(code));
  const why = [];
  if (first === undefined) why.push('no cause named');
  else {
    if (!rightCode) why.push(`expected ${expected.first.join(' or ')}`);
    if (!rightSubject) why.push(`"${wanted}" stands neither in its subject nor in its summary: ${first.summary}`);
  }
  if (forbidden.length > 0) why.push(`must not be a cause: ${forbidden.join(', ')}`);
  if (a.unknown.length > 0) why.push(`checks that failed by themselves: ${a.unknown.join('; ')}`);
  const brief = (f) => ({ code: f.code, subject: f.subject, summary: f.summary, confidence: f.confidence, remedies: f.remedies });
  return {
    verdict: rightCode && rightSubject && forbidden.length === 0 ? 'right' : 'wrong',
    why: why.join('; ') || undefined,
    exit: a.exit,
    seconds: a.seconds,
    first: first && brief(first),
    others: others.map(brief),
    rightCode,
    rightSubject,
    blocked: a.blocked,
  };
}

const cell = (text) => String(text ?? '').replaceAll('|', '\\|').replaceAll('\n', ' ');
function table(result) {
  const lines = [
    `| healthy run | clean | exit | s | not clean because |`,
    `|---|---|---|---|---|`,
    ...result.healthy.map((h) => `| ${h.run} | ${h.clean ? 'yes' : '**no**'} | ${h.exit} | ${h.seconds} | ${cell(h.wrong.join('; '))} |`),
    '',
    `| fault | expected | first cause | subject | right code | right subject | exit | s | other causes | remedy healed |`,
    `|---|---|---|---|---|---|---|---|---|---|`,
    ...result.faults.map((f) => {
      if (f.verdict === 'lab') return `| ${f.fault} | ${cell(f.expected.join(', '))} | not scored: ${cell(f.why)} | | | | | | | |`;
      const mark = (b) => (b ? 'yes' : '**no**');
      return `| ${f.fault} | ${cell(f.expected.join(', '))} | ${cell(f.first?.code ?? f.why)} | ${cell(f.first?.subject)} | ${mark(f.rightCode)} | ${mark(f.rightSubject)} | ${f.exit} | ${f.seconds} | ${cell((f.others ?? []).map((o) => o.code).join(', '))} | ${cell(f.remedy ?? '')} |`;
    }),
    '',
    `${result.variant}: ${result.totals.clean} of ${result.totals.healthy} healthy runs clean; ${result.totals.right} of ${result.totals.faults} faults named right` +
      `${result.totals.lab > 0 ? `, ${result.totals.lab} could not be scored` : ''}; the doctor took ${result.totals.medianSeconds ?? '-'} s (median).`,
  ];
  return `${lines.join('\n')}\n`;
}

let current;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    if (current) {
      say(`${signal}: healing ${current}`);
      await fault(current, 'heal', SECONDS.inject);
    }
    process.exit(130);
  });
}

const options = readOptions();
const expectations = readExpectations();
for (const name of options.fault ?? []) if (!expectations.has(name)) fail(`no such fault: ${name}; there are: ${[...expectations.keys()].join(' ')}`);

if (options.list) {
  process.stdout.write('| fault | variants | first cause | what is broken |\n|---|---|---|---|\n');
  for (const [name, e] of expectations) process.stdout.write(`| ${name} | ${e.variants.join(' ')} | ${e.first.join(', ') || '-'} | ${cell(e.title)} |\n`);
  process.exit(0);
}
let variant = runningVariant();
if (variant && options.variant && variant !== options.variant) fail(`the lab ${LAB_NAME} runs variant ${variant}, not ${options.variant}; stop it first (npm run lab:down)`);
if (!variant) {
  variant = options.variant ?? 'lb';
  say(`starting the lab (${variant})`);
  const up = await run([join(LAB_DIR, 'up.sh'), variant], SECONDS.up);
  process.stderr.write(up.err);
  if (up.status !== 0) fail('the lab did not come up');
}
if (!process.env.LAB_DOCTOR && !existsSync(resolve(LAB_DIR, '../..', 'dist/cli.js'))) {
  say('building');
  const built = await run(['npm', '--prefix', resolve(LAB_DIR, '../..'), 'run', '--silent', 'build'], 300);
  if (built.status !== 0) fail(built.err || built.out);
}
mkdirSync(join(LAB_LOG, 'score'), { recursive: true });

const scorable = [...expectations].filter(([, e]) => e.variants.includes(variant) && e.target && e.first.length > 0).map(([name]) => name);
let chosen = scorable;
if (options.fault) {
  chosen = options.fault.filter((name) => scorable.includes(name));
  for (const name of options.fault) if (!scorable.includes(name)) say(`${name}: nothing to score in variant ${variant}`);
  if (chosen.length === 0) fail('no fault left to score');
} else if (options.sample !== undefined) chosen = sample(scorable, Number(options.sample), options.seed);
chosen = [...chosen].sort();

const startedAt = new Date();
const leftover = await lib('heal_leftovers', 300);
process.stderr.write(leftover.err);
const well = await lib(`{ wait_well ${SECONDS.well} || { well; false; }; }`, SECONDS.well + 60);
if (well.status !== 0) fail(`the lab is not well: ${last(well.out + well.err)}`);
const names = readNames();
const healthy = [];
for (let n = 1; n <= Number(options.healthy); n++) healthy.push(await healthyRun(n));
const faults = [];
for (const name of chosen) faults.push(await faultRun(name, expectations.get(name)));

const times = [...healthy, ...faults].map((r) => r.seconds).filter((s) => s !== undefined).sort((a, b) => a - b);
const result = {
  schemaVersion: 1,
  variant,
  startedAt: startedAt.toISOString(),
  seconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
  seed: options.sample !== undefined ? options.seed : undefined,
  healthy,
  faults,
  totals: {
    healthy: healthy.length,
    clean: healthy.filter((h) => h.clean).length,
    faults: faults.length,
    right: faults.filter((f) => f.verdict === 'right').length,
    wrong: faults.filter((f) => f.verdict === 'wrong').length,
    lab: faults.filter((f) => f.verdict === 'lab').length,
    medianSeconds: times[Math.floor(times.length / 2)],
  },
};
const file = resolve(options.json ?? join(LAB_LOG, `score-${variant}.json`));
writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
process.stdout.write(table(result));
say(`written: ${file}`);
process.exit(result.totals.clean === healthy.length && result.totals.right === faults.length ? 0 : 1);
