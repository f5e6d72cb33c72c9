// What it takes to learn what `ostk-doctor net` learns: the requests and commands of a recorded run, sent bare, in the
// fewest steps that depend on each other, with nothing parsed and nothing judged.
//   node lower-bound.mjs BUNDLE.tgz      prints {"signIn": ms, ..., "total": ms, "overlapped": ms}; the cloud is named by OS_*
//
// Steps: sign-in; the server; every other request at once; SSH connections to all hosts at once; on each host one channel
// with the commands that read, in turn as the doctor sends them; on each host one channel with the probes, side by side.
// `total` is their sum. `overlapped` is what remains for who asks the nodes while the APIs still answer:
// sign-in + server + the longer of (other requests) and (connect + reads) + probes. Starting Node is in neither.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { x as extract } from 'tar';
import { Agent, request } from 'undici';

/** @returns what a bundle asked: API questions, and commands by host */
function readBundle(file) {
  const folder = mkdtempSync(join(tmpdir(), 'ostk-bench-'));
  try {
    extract({ file, cwd: folder, sync: true });
    const json = (...path) => JSON.parse(readFileSync(join(folder, ...path), 'utf8'));
    const records = (dir) => readdirSync(join(folder, dir)).filter((name) => /^\d+\.json$/.test(name));
    const api = records('api').map((name) => json('api', name));
    const hosts = new Map();
    for (const { name, dir } of json('manifest.json').hosts)
      hosts.set(
        name,
        records(`nodes/${dir}`).map((record) => json('nodes', dir, record)),
      );
    return { api, hosts };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const agent = new Agent({ connections: null, pipelining: 1 });
async function send(url, options, wanted = [200]) {
  const answer = await request(url, { dispatcher: agent, ...options });
  await answer.body.dump();
  if (!wanted.includes(answer.statusCode)) throw new Error(`${url}: ${answer.statusCode}`);
  return answer;
}

async function signIn(env) {
  const domain = (kind) =>
    env[`OS_${kind}_DOMAIN_ID`] ? { id: env[`OS_${kind}_DOMAIN_ID`] } : { name: env[`OS_${kind}_DOMAIN_NAME`] };
  const user = { name: env.OS_USERNAME, domain: domain('USER'), password: env.OS_PASSWORD };
  const identity = { methods: ['password'], password: { user } };
  const scope = { project: { name: env.OS_PROJECT_NAME, domain: domain('PROJECT') } };
  const answer = await send(
    `${env.OS_AUTH_URL}/auth/tokens`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ auth: { identity, scope } }),
    },
    [201],
  );
  return answer.headers['x-subject-token'];
}

/** Asks one recorded question again. */
function ask(question, token) {
  const headers = { ...question.headers, 'x-auth-token': token };
  if (question.kind !== 'console') return send(question.url, { method: question.method, headers }, [200, 203, 300]);
  const body = JSON.stringify({ 'os-getConsoleOutput': { length: question.lines } });
  return send(question.url, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body });
}

const quote = (word) => `'${word.replaceAll("'", `'\\''`)}'`;
const line = ({ argv, netns }) =>
  [...(netns === undefined ? [] : ['ip', 'netns', 'exec', netns]), ...argv].map(quote).join(' ');

function connect(host) {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    client.once('ready', () => resolve(client)).once('error', reject);
    const privateKey = readFileSync(process.env.BENCH_SSH_KEY ?? join(homedir(), '.ssh/id_ed25519'));
    client.connect({ host, username: process.env.BENCH_SSH_USER ?? userInfo().username, privateKey });
  });
}

/** Runs a script in one channel and takes in all of its output; what its commands return is not looked at. */
function channel(client, script) {
  return new Promise((resolve, reject) => {
    client.exec('sh', (error, stream) => {
      if (error) return reject(error);
      stream.on('close', resolve).resume();
      stream.stderr.resume();
      stream.end(script);
    });
  });
}

function here(command) {
  return new Promise((resolve, reject) => {
    spawn(command.argv[0], command.argv.slice(1), { stdio: 'ignore' }).once('error', reject).once('close', resolve);
  });
}

const { api, hosts } = readBundle(process.argv[2]);
const onOperator = hosts.get('operator') ?? [];
hosts.delete('operator');
const reads = (commands) => commands.filter((c) => c.impact === 'read');
const probes = (commands) => commands.filter((c) => c.impact === 'probe');

const isServer = (q) => q.url.includes('/servers/detail?');
const isToken = (q) => q.url.endsWith('/auth/tokens');
const [server] = api.filter(isServer);
const others = api.filter((q) => !isServer(q) && !isToken(q));
if (server === undefined || hosts.size === 0) throw new Error('the bundle is not of a whole `net` run');

const phases = {};
const timed = async (name, work) => {
  const started = performance.now();
  const result = await work();
  phases[name] = performance.now() - started;
  return result;
};

const token = await timed('signIn', () => signIn(process.env));
await timed('server', () => ask(server, token));
await timed('others', () => Promise.all(others.map((q) => ask(q, token))));
const clients = await timed('connect', () =>
  Promise.all([...hosts.keys()].map(async (host) => [host, await connect(host)])),
);
const path = 'LC_ALL=C; export LC_ALL; PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin';
await timed('reads', () =>
  Promise.all(clients.map(([host, c]) => channel(c, [path, ...reads(hosts.get(host)).map(line), ''].join('\n')))),
);
await timed('probes', () =>
  Promise.all([
    ...clients.map(([host, c]) => {
      const all = probes(hosts.get(host));
      return all.length === 0
        ? undefined
        : channel(c, [path, ...all.map((p) => `${line(p)} &`), 'wait', ''].join('\n'));
    }),
    ...probes(onOperator).map(here),
  ]),
);
for (const [, client] of clients) client.end();
await agent.close();
const total = Object.values(phases).reduce((sum, ms) => sum + ms, 0);
const apiAndNodes = Math.max(phases.others, phases.connect + phases.reads);
const overlapped = phases.signIn + phases.server + apiAndNodes + phases.probes;
console.log(JSON.stringify({ ...phases, total, overlapped }));
