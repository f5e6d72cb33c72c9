import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { openBundle, readBundle } from '../../src/bundle/open.ts';
import { createRecorder, recordHttp, recordTransport } from '../../src/bundle/record.ts';
import { replayClock, replayHttp, replayTransport } from '../../src/bundle/replay.ts';
import {
  AT,
  answer,
  cannedHttp,
  cannedTransport,
  cmp1Commands,
  command,
  fixture,
  manifest,
  nova,
  read,
  requests,
  result,
  SERVERS,
  signIn,
  smallBundle,
  smallBytes,
  smallRun,
  unreachable,
} from './small-run.ts';

const folders: string[] = [];
const folder = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), 'bundle-test-'));
  folders.push(made);
  return made;
};
afterEach(async () => {
  for (const made of folders.splice(0)) await rm(made, { recursive: true });
});

describe('a recorded run', () => {
  it('is replayed: every request and every command gives what it gave', async () => {
    const bundle = await smallBundle();
    const http = replayHttp(bundle);
    const servers = await http.request(read(SERVERS, nova('2.93')));
    expect(servers).toMatchObject({ ok: true, value: { status: 200, startedAt: AT, ms: 12 } });
    if (servers.ok) expect(servers.value.body).toContain('"name": "web-1"');
    expect(await http.request(read('http://ctl:8778/resource_providers'))).toEqual({
      ok: false,
      error: { kind: 'refused', host: 'ctl:8778', detail: 'connect ECONNREFUSED' },
    });

    const results = await replayTransport(bundle, 'cmp1').runBatch(cmp1Commands);
    if (!results.ok) throw new Error('cmp1 was reached');
    expect(results.value[0]).toEqual({ ok: true, value: result(fixture('ip-link/lb-cmp1-links.json')) });
    expect(results.value[3]).toMatchObject({ ok: false, error: { kind: 'missing-tool', tool: 'conntrack' } });
    expect(results.value[4]).toMatchObject({
      ok: true,
      value: { code: 1, stderr: expect.stringContaining('qrouter-1') },
    });
    expect(await replayTransport(bundle, 'cmp2').runBatch([command('anything')])).toEqual({
      ok: false,
      error: unreachable,
    });
    expect(replayClock(bundle).now()).toBe(Date.parse(AT));
  });

  it('tells apart what was asked twice, by rounds and by order, and repeats the last answer', async () => {
    const bundle = await smallBundle();
    const node = replayTransport(bundle, 'cmp1');
    const [after] = [await node.runBatch([command('iptables-save -c', { round: 'after' })])];
    const before = await node.runBatch([command('iptables-save -c', { round: 'before' })]);
    expect(after.ok && after.value[0]?.ok && after.value[0].value.stdout).toMatch(/^# later/);
    expect(before.ok && before.value[0]?.ok && before.value[0].value.stdout).not.toMatch(/^# later/);

    const http = replayHttp(bundle);
    const bodies: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const agents = await http.request(read('http://ctl:9696/v2.0/agents'));
      bodies.push(agents.ok ? agents.value.body : '');
    }
    expect(bodies[0]).toContain('binary');
    expect(bodies.slice(1)).toEqual(['{"agents":[]}', '{"agents":[]}']);
  });

  it('is found whatever the order of a query, but not under another microversion', async () => {
    const http = replayHttp(await smallBundle());
    const turned = 'http://ctl:8774/v2.1/servers/detail?name=web-1&all_tenants=1';
    expect(await http.request(read(turned, nova('2.93')))).toMatchObject({ ok: true });
    expect(await http.request(read(turned, nova('2.1')))).toEqual({
      ok: false,
      error: { kind: 'other', host: 'ctl:8774', detail: `not in this bundle: GET ${turned} (compute 2.1)` },
    });
  });

  it('says what it does not hold', async () => {
    const bundle = await smallBundle();
    const results = await replayTransport(bundle, 'cmp1').runBatch([command('ip -j link'), command('uptime')]);
    expect(results).toMatchObject({
      ok: true,
      value: [
        { ok: true },
        { ok: false, error: { kind: 'command', argv: ['uptime'], code: null, detail: 'not in this bundle' } },
      ],
    });
    expect(await replayTransport(bundle, 'cmp9').runBatch([command('uptime')])).toMatchObject({
      ok: false,
      error: { kind: 'unreachable', host: 'cmp9', detail: expect.stringContaining('not in this bundle') },
    });
  });

  it('gives the same bytes when its replay is recorded, in whatever order things are asked', async () => {
    const bytes = await smallBytes();
    const first = await smallBundle();
    for (const order of ['forwards', 'backwards'] as const) {
      const recorder = createRecorder();
      const opened = await readBundle(bytes, 'x');
      if (!opened.ok) throw opened.error;
      await smallRun(
        recorder,
        { http: replayHttp(opened.value), transport: (host) => replayTransport(opened.value, host) },
        order,
      );
      expect((await recorder.bytes(manifest)).equals(bytes), order).toBe(true);
    }
    expect(first.manifest.hosts.map((host) => host.name)).toEqual(['cmp1', 'cmp2']);
  });

  it('keeps what its command line and its hosts were', async () => {
    const { manifest: kept } = await smallBundle();
    expect(kept).toMatchObject({
      bundleVersion: 1,
      tool: { name: 'ostk-doctor', version: '0.1.0' },
      command: ['net', 'web-1'],
      elapsedMs: 3100,
      cloud: { name: 'lab', authUrl: 'http://ctl:5000/v3' },
      hosts: [{ name: 'cmp1', dir: 'cmp1', layout: 'systemd', address: 'root@192.0.2.11' }, { name: 'cmp2' }],
    });
  });

  it('gives hosts with hostile names a harmless folder each', async () => {
    const recorder = createRecorder();
    for (const name of ['../../etc', '..', 'a/b', 'a_b', 'A_B', 'x'.repeat(300), 'münchen']) {
      await recordTransport(cannedTransport(name, { id: result(name) }), recorder).runBatch([command('id')]);
    }
    const file = join(await folder(), 'hosts.tgz');
    expect(await recorder.write(file, manifest)).toEqual({ ok: true, value: undefined });
    const bundle = await openBundle(file);
    if (!bundle.ok) throw bundle.error;
    for (const [name, host] of bundle.value.hosts) {
      expect(host.dir).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._~-]*$/);
      if (name !== 'cmp1') expect(host.commands[0]?.outcome).toMatchObject({ ok: true, value: { stdout: name } });
    }
  });

  it('is written for its owner alone, whole or not at all', async () => {
    const recorder = createRecorder();
    await smallBytes(recorder);
    const here = await folder();
    const file = join(here, 'run.tgz');
    await recorder.write(file, manifest);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const failed = await recorder.write(join(here, 'no', 'such', 'folder.tgz'), manifest);
    expect(failed).toMatchObject({ ok: false, error: { exitCode: 2 } });
    expect(await readdir(here)).toEqual(['run.tgz']);
  });

  it('keeps bytes as they are, beside their record when they are many, and finds them apart from text', async () => {
    // Redaction would take this for a secret, and a text cannot hold it.
    const secret = Buffer.concat([Buffer.from('\0\xff\r\npassword=hunter2hunter2\n@', 'latin1'), Buffer.from([0xc3])]);
    const tokens = Buffer.alloc(9000, 'gAAAAABrTjETnE9dQ5reOZdNeBFobBvdujp9yFMHyFYQ8M ');
    const bytes = (line: string, round: string) => command(line, { round, encoding: 'base64', impact: 'capture' });
    const asked = [bytes('tcpdump', 'short'), bytes('tcpdump', 'long'), command('tcpdump', { round: 'long' })];
    const recorder = createRecorder();
    const node = recordTransport(
      cannedTransport('cmp1', {
        'tcpdump | short': result(secret.toString('base64'), { stderr: 'password=hunter2hunter2' }),
        'tcpdump | long': result(tokens.toString('base64')),
      }),
      recorder,
    );
    const live = await node.runBatch(asked.slice(0, 2));
    const opened = await readBundle(await recorder.bytes(manifest), 'x');
    if (!opened.ok) throw opened.error;
    const replayed = await replayTransport(opened.value, 'cmp1').runBatch(asked);
    if (!live.ok || !replayed.ok) throw new Error('cmp1 was reached');
    expect(replayed.value.slice(0, 2)).toEqual(live.value);
    const stdouts = replayed.value.map((each) => (each.ok ? Buffer.from(each.value.stdout, 'base64') : undefined));
    expect(stdouts[0]?.equals(secret)).toBe(true);
    expect(stdouts[1]?.equals(tokens)).toBe(true);
    expect(replayed.value[2]).toMatchObject({ ok: false, error: { detail: 'not in this bundle' } });
    expect(live.value[0]).toMatchObject({ value: { stderr: expect.stringMatching(/^password=REDACTED-/) } });
    const files = gunzipSync(await recorder.bytes(manifest));
    expect(files.includes(tokens)).toBe(true);
  });

  it('says through to the node that it is enough', async () => {
    const stop = new AbortController();
    let heard: AbortSignal | undefined;
    const inner = cannedTransport('cmp1', { a: result('') });
    const node = recordTransport(
      {
        ...inner,
        runBatch: (commands, signal, onResult, enough) => {
          heard = enough;
          return inner.runBatch(commands, signal, onResult);
        },
      },
      createRecorder(),
    );
    await node.runBatch([command('a')], undefined, undefined, stop.signal);
    expect(heard).toBe(stop.signal);
  });

  it('drops what would make it too large, and says so', async () => {
    const recorder = createRecorder({ heldBytes: 10_000 });
    const node = recordTransport(
      cannedTransport('cmp1', { a: result('x'.repeat(9000)), b: result('y'.repeat(9000)) }),
      recorder,
    );
    await node.runBatch([command('a'), command('b')]);
    const bundle = await readBundle(await recorder.bytes(manifest), 'x');
    if (!bundle.ok) throw bundle.error;
    expect(bundle.value.manifest.dropped).toBe(1);
    expect(bundle.value.hosts.get('cmp1')?.commands).toHaveLength(1);
  });

  it('keeps text that is no clean UTF-8 as it was', async () => {
    const recorder = createRecorder();
    const broken = `${'x'.repeat(5000)}\ud800`;
    await recordTransport(cannedTransport('cmp1', { a: result(broken) }), recorder).runBatch([command('a')]);
    const bundle = await readBundle(await recorder.bytes(manifest), 'x');
    expect(bundle.ok && bundle.value.hosts.get('cmp1')?.commands[0]?.outcome).toMatchObject({
      value: { stdout: broken },
    });
  });
});

describe('secrets', () => {
  const canary = (n: number): string => `CaNaRy${String(n).padStart(2, '0')}xyz`;

  it('reach neither the bundle nor the run, but for the token that the session needs', async () => {
    let n = 0;
    const next = (): string => {
      n += 1;
      return canary(n);
    };
    const password = next();
    const token = `gAAAAABr${next()}TjETnE9dQ5reOZdNeBFobBvdujp9yFMHyFYQ8M`;
    const userToken = next();
    const recorder = createRecorder();
    const http = recordHttp(
      cannedHttp({
        [signIn.url]: [
          answer(`{"token":{"methods":["password"],"note":"${password}"}}`, {
            status: 201,
            headers: {
              'x-subject-token': token,
              'set-cookie': `s=${next()}`,
              authorization: next(),
              'x-other': next(),
            },
          }),
        ],
        [`http://ctl:8774/v2.1/servers?token=${userToken}`]: [
          answer(
            JSON.stringify({
              servers: [
                {
                  adminPass: next(),
                  'OS-EXT-SRV-ATTR:user_data': next(),
                  metadata: { role: next() },
                  personality: [{ path: '/x', contents: next() }],
                  fault: { message: `rabbit://nova:${next()}@ctl password=${next()}` },
                },
              ],
              keypair: { private_key: `-----BEGIN PRIVATE KEY-----\n${next()}\n-----END PRIVATE KEY-----` },
              auth_url: `http://admin:${next()}@ctl:5000/v3`,
            }),
            { headers: { location: `http://x/?token=${next()}`, 'set-cookie': next(), 'x-subject-token': next() } },
          ),
        ],
        'http://ctl:9999/': [
          { kind: 'proxy', host: 'ctl:9999', detail: `proxy http://u:${next()}@proxy:3128 said 407` },
        ],
      }),
      recorder,
    );
    const signedIn = await http.request({
      ...signIn,
      headers: { authorization: `Bearer ${next()}-of-the-broker` },
      body: JSON.stringify({
        auth: { identity: { methods: ['password'], password: { user: { name: 'x', password } } } },
      }),
    } as typeof signIn);
    expect(signedIn).toMatchObject({ ok: true, value: { headers: { 'x-subject-token': token } } });
    const seen = await http.request(read(`http://ctl:8774/v2.1/servers?token=${userToken}`, { 'X-Auth-Token': token }));
    await http.request(read('http://ctl:9999/', { 'X-Auth-Token': token }));

    const argv = `mysql --password ${next()} -e x`;
    const node = recordTransport(
      cannedTransport('cmp1', {
        [argv]: result(`metadata_proxy_shared_secret = ${next()}\ntoken ${token}\nreply ${password}\n`, {
          stderr: `OS_PASSWORD=${next()} X-Auth-Token: ${next()}0123456789\n`,
        }),
        bad: { kind: 'command', host: 'cmp1', argv: ['x', '--secret', next()], code: 1, detail: `--token ${next()}` },
      }),
      recorder,
    );
    const ran = await node.runBatch([command(argv), command('bad')]);
    const dead = cannedTransport('cmp2', { ...unreachable, detail: `password: ${next()}` } as typeof unreachable);
    await recordTransport(dead, recorder).runBatch([command('id')]);

    const bytes = await recorder.bytes({
      ...manifest,
      command: ['net', '--password', next(), `--os-token=${next()}`],
      request: { env: { OS_PASSWORD: next() }, note: `http://u:${next()}@x/` },
      cloud: { ...manifest.cloud, authUrl: `http://u:${next()}@ctl:5000/v3` },
    });
    const everything = gunzipSync(bytes).toString('latin1') + JSON.stringify([seen, ran]);
    expect(n).toBeGreaterThan(25);
    const leaked = Array.from({ length: n }, (_, index) => canary(index + 1)).filter((one) => everything.includes(one));
    expect(leaked).toEqual([]);
  });

  it('do not keep a request from being found again', async () => {
    const recorder = createRecorder();
    const url = 'http://ctl/console?token=abcdef0123456789';
    await recordHttp(cannedHttp({ [url]: [answer('{}')] }), recorder).request(read(url));
    const line = command('curl -u admin:hunter22 http://ctl/');
    await recordTransport(cannedTransport('cmp1', { [line.argv.join(' ')]: result('fine') }), recorder).runBatch([
      line,
    ]);
    const bundle = await readBundle(await recorder.bytes(manifest), 'x');
    if (!bundle.ok) throw bundle.error;
    expect(await replayHttp(bundle.value).request(read(url))).toMatchObject({ ok: true });
    expect(await replayTransport(bundle.value, 'cmp1').runBatch([line])).toMatchObject({
      ok: true,
      value: [{ ok: true }],
    });
  });

  it('of the sign-in body are not stored at all', async () => {
    expect(gunzipSync(await smallBytes()).toString('latin1')).not.toMatch(/adm1n-canary|node-canary|live-token/);
    expect(requests).toContain(signIn);
  });
});
