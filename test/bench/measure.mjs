// The benchmark, on the machine of the operator (run.sh starts it there). Prints Markdown tables; the measured ratios do not
// depend on how fast the machine is, the milliseconds do.
//   node measure.mjs [--runs 7] [--by-hand 3] [--instance web-1]
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '7' },
    'by-hand': { type: 'string', default: '3' },
    instance: { type: 'string', default: 'web-1' },
  },
});
const runs = Number(values.runs);
const byHandRuns = Number(values['by-hand']);
const instance = values.instance;

const beside = (name) => fileURLToPath(new URL(name, import.meta.url));
const doctor = fileURLToPath(new URL('../../bin/ostk-doctor.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ostk-bench-'));
// the operator's own recorded runs stay
const env = { ...process.env, XDG_STATE_HOME: folder };

/** Runs a command to its end. @returns its output and the wall time in ms, from before it starts until it is gone */
function run(argv, more = {}) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], env: { ...env, ...more } });
    let [out, err] = ['', ''];
    child.stdout.on('data', (data) => {
      out += data;
    });
    child.stderr.on('data', (data) => {
      err += data;
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, out, err, ms: performance.now() - started }));
  });
}

/** A whole `net` of the healthy instance; what is compared would be something else on a broken one. */
async function net(flags = [], node = [], more = {}) {
  const ran = await run([process.execPath, ...node, doctor, 'net', instance, '-o', 'json', ...flags], more);
  if (ran.status !== 0)
    throw new Error(`net ${instance} ended with status ${ran.status}; is the cloud healthy?\n${ran.err}`);
  return { ms: ran.ms, traffic: JSON.parse(ran.out).traffic };
}

async function lowerBound(bundle) {
  const ran = await run([process.execPath, beside('lower-bound.mjs'), bundle]);
  if (ran.status !== 0) throw new Error(`lower-bound.mjs: ${ran.err}`);
  return JSON.parse(ran.out);
}

async function byHand() {
  // the client finds a server by its name in its own project only
  const project = { OS_PROJECT_NAME: env.BENCH_PROJECT ?? 'demo' };
  const ran = await run(['bash', beside('by-hand.sh'), instance], project);
  if (ran.status !== 0) throw new Error(`by-hand.sh ended with status ${ran.status}\n${ran.err}`);
  return ran.ms;
}

/** Wall time in ms of a process that does next to nothing; spawnSync costs the least of our own. */
function startOf(args) {
  const started = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore', env });
  if (status !== 0) throw new Error(`node ${args.join(' ')}: status ${status}`);
  return performance.now() - started;
}

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};
const ms = (number) => `${Math.round(number)} ms`;
const ratio = (a, b) => (a / b).toFixed(2);
const met = (yes) => (yes ? 'yes' : '**no**');

try {
  const loadBefore = loadavg()[0];
  const bundle = join(folder, 'run.tgz');
  const { traffic } = await net(['--record', bundle]);
  const [took, bounds] = [[], []];
  for (let i = 0; i < runs; i += 1) {
    took.push((await net()).ms);
    bounds.push(await lowerBound(bundle));
  }
  const hand = [];
  for (let i = 0; i < byHandRuns; i += 1) hand.push(await byHand());
  const [version, bare] = [[], []];
  for (let i = 0; i < 20; i += 1) {
    version.push(startOf([doctor, '--version']));
    bare.push(startOf(['-e', '0']));
  }
  const peakFile = join(folder, 'peak');
  await net([], ['--import', beside('peak-memory.mjs')], { BENCH_PEAK_FILE: peakFile });
  const peak = Number(readFileSync(peakFile, 'utf8'));

  const ours = median(took);
  const bound = median(bounds.map((b) => b.total));
  const overlapped = median(bounds.map((b) => b.overlapped));
  const hands = median(hand);
  const [v, b] = [median(version), median(bare)];
  const phase = (name) => ms(median(bounds.map((each) => each[name])));
  console.log(`
| measured | ours | against | ratio | goal | met |
|---|---|---|---|---|---|
| \`net\` on a healthy instance, against its lower bound (median of ${runs}, interleaved) | ${ms(ours)} | ${ms(bound)} | ${ratio(ours, bound)} | ≤ 1.5 | ${met(ours <= 1.5 * bound)} |
| \`net\`, against the same with nodes and APIs asked side by side | ${ms(ours)} | ${ms(overlapped)} | ${ratio(ours, overlapped)} | | |
| the same gathered by 13 \`openstack\` and 4 \`ssh\` calls (median of ${byHandRuns}), against \`net\` | ${ms(ours)} | ${ms(hands)} | ${ratio(hands, ours)} × faster | ≥ 10 × | ${met(hands >= 10 * ours)} |
| \`--version\`, against \`node -e 0\` (median of 20, interleaved) | ${ms(v)} | ${ms(b)} | ${ratio(v, b)} | ≤ 1.5 | ${met(v <= 1.5 * b)} |

| lower bound | sign-in | server | other requests | SSH connect | reads | probes |
|---|---|---|---|---|---|---|
| median | ${phase('signIn')} | ${phase('server')} | ${phase('others')} | ${phase('connect')} | ${phase('reads')} | ${phase('probes')} |

| \`net\` | fastest | median | slowest | peak memory (VmHWM) | API requests | SSH connections | channels | commands |
|---|---|---|---|---|---|---|---|---|
| | ${ms(Math.min(...took))} | ${ms(ours)} | ${ms(Math.max(...took))} | ${Math.round(peak / 1024)} MiB | ${traffic.apiRequests} | ${traffic.sshConnections} | ${traffic.sshChannels} | ${traffic.commands} |

Node ${process.versions.node}, ${cpus().length} cores, load ${loadBefore.toFixed(2)} before and ${loadavg()[0].toFixed(2)} after.`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
