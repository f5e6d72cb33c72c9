import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Command } from '../../src/nodes/command.ts';
import {
  controlFolder,
  createOpensshTransport,
  opensshArguments,
  opensshFailure,
} from '../../src/nodes/openssh-transport.ts';
import type { SshTarget } from '../../src/nodes/ssh-target.ts';
import { createTransports } from '../../src/nodes/transports.ts';
import { captureOver } from './capture-over.ts';
import { makeHome, makeKey, type ServerOptions, startServer, type TestServer } from './ssh-server.ts';

const user = makeKey();
const look = (...argv: [string, ...string[]]): Command => ({ argv, impact: 'read' });
const hasSsh = (() => {
  try {
    execFileSync('ssh', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** Not in sync: the server it talks to lives in this process. */
const ssh = (...args: string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = execFile('ssh', args, { timeout: 10_000 });
    child.once('error', reject);
    // Not 'close': what stays in the background holds on to the output.
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`ssh ended with ${code}`))));
  });

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});
async function serve(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const server = await startServer({ user, ...options });
  endings.push(() => server.close());
  return server;
}
function homeOf(key = user) {
  const home = makeHome(key);
  endings.push(() => home.remove());
  return home;
}
/** A node as ssh_config names it; nothing of this machine's own configuration is read. */
function configure(
  home: ReturnType<typeof homeOf>,
  server: { readonly port: number },
  more: readonly string[] = [],
): SshTarget {
  const file = join(home.home, 'config');
  writeFileSync(
    file,
    [
      'Host cmp1 *.invalid',
      'HostName 127.0.0.1',
      `Port ${server.port}`,
      'User ops',
      `IdentityFile ${home.identity}`,
      'IdentityAgent none',
      `UserKnownHostsFile ${home.knownHosts}`,
      'GlobalKnownHostsFile /dev/null',
      ...more,
    ].join('\n'),
  );
  return home.target(server.port, { alias: 'cmp1', configFile: file });
}
function reach(target: SshTarget, runtime?: string) {
  const folder = controlFolder(runtime === undefined ? {} : { XDG_RUNTIME_DIR: runtime });
  const transport = createOpensshTransport('cmp1', target, folder);
  endings.push(() => transport.close().then(() => folder.remove()));
  return { transport, folder };
}
async function failure(target: SshTarget) {
  const outcome = await reach(target).transport.runBatch([look('true')]);
  if (outcome.ok || outcome.error.kind !== 'unreachable') throw new Error('expected a failure');
  return outcome.error;
}

// Skipped where there is no ssh client.
describe.skipIf(!hasSsh)('a node over the system’s ssh', () => {
  it('answers batches over one shared connection, and closes it at the end', async () => {
    const server = await serve();
    const home = homeOf();
    home.trust(server);
    const { transport, folder } = reach(configure(home, server));
    const outcomes = await Promise.all(
      [1, 2, 3].map((n) => transport.runBatch([look('echo', String(n)), look('head', '-c', '100000', '/dev/zero')])),
    );
    expect(outcomes.map((each) => each.ok && each.value.map((r) => r.ok && r.value.stdout.length))).toEqual([
      [2, 100000],
      [2, 100000],
      [2, 100000],
    ]);
    expect([server.logins, server.sessions]).toEqual([1, 3]);
    expect(readdirSync(folder.path)).toHaveLength(1);
    await transport.close();
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('captures while it probes, and ends the captures when it is enough', async () => {
    const server = await serve();
    const home = homeOf();
    home.trust(server);
    await captureOver(reach(configure(home, server)).transport);
    expect([server.logins, server.sessions]).toEqual([1, 2]);
  });

  it('keeps its sockets where nobody else may look', () => {
    const home = homeOf();
    const folder = controlFolder({ XDG_RUNTIME_DIR: home.home });
    expect(folder.path).toBe(join(home.home, 'ostk-doctor'));
    expect(execFileSync('stat', ['-c', '%a', folder.path], { encoding: 'utf8' }).trim()).toBe('700');
    const own = controlFolder({ XDG_RUNTIME_DIR: `/${'x'.repeat(60)}` });
    expect(execFileSync('stat', ['-c', '%a', own.path], { encoding: 'utf8' }).trim()).toBe('700');
    own.remove();
    expect(existsSync(own.path)).toBe(false);
  });

  it('refuses an unknown host key, unless new ones are to be accepted', async () => {
    const server = await serve();
    const home = homeOf();
    const target = configure(home, server);
    const said = await failure(target);
    expect(said).toMatchObject({ stage: 'host-key' });
    expect(said.fix).toContain('ssh-keyscan');
    const outcome = await reach({ ...target, hostKeys: 'accept-new' }).transport.runBatch([look('true')]);
    expect(outcome.ok).toBe(true);
    expect(readFileSync(home.knownHosts, 'utf8')).toContain('ssh-ed25519');
  });

  it('says when the host key has changed', async () => {
    const server = await serve();
    const home = homeOf();
    writeFileSync(home.knownHosts, `[127.0.0.1]:${server.port} ${makeKey().public}\n`);
    const said = await failure({ ...configure(home, server), hostKeys: 'accept-new' });
    expect(said.stage).toBe('host-key');
    expect(said.detail).toContain('has changed');
    expect(said.fix).toContain('ssh-keygen -R');
  });

  it('says when the key is refused, the port is closed, the name is none, the shell runs nothing', async () => {
    const server = await serve({ shell: ['sh', '-c', 'echo No shell for you; exit 1', 'nologin'] });
    const stranger = homeOf(makeKey());
    stranger.trust(server);
    expect(await failure(configure(stranger, server))).toMatchObject({ stage: 'auth' });

    const home = homeOf();
    home.trust(server);
    expect(await failure(configure(home, server))).toMatchObject({ stage: 'shell', detail: 'No shell for you' });

    const closed = await startServer({ user });
    await closed.close();
    expect(await failure(configure(home, closed))).toMatchObject({ stage: 'tcp' });
    const target = configure(home, server, []);
    writeFileSync(target.configFile ?? '', 'Host *\n');
    expect(await failure({ ...target, alias: 'no-such-host.invalid' })).toMatchObject({ stage: 'name' });
  });

  it('is chosen by itself where a host needs what only it can do', async () => {
    const server = await serve();
    const home = homeOf();
    home.trust(server);
    const chosen: string[] = [];
    const env = { home: home.home, user: 'ops', env: { XDG_RUNTIME_DIR: home.home } };
    const outcomes = await Promise.all(
      [
        [],
        ['ProxyCommand nc 127.0.0.1 %p'],
        ['CertificateFile /nonexistent-cert.pub'],
        ['GSSAPIAuthentication yes'],
      ].map(async (lines, index) => {
        const target = configure(home, server, lines);
        const file = `${target.configFile}${index}`;
        writeFileSync(file, readFileSync(target.configFile ?? '', 'utf8'));
        const transports = createTransports({
          ssh: { configFile: file },
          environment: env,
          onChoice: (host, how) => chosen.push(`${index} ${host} ${how.split(' ')[0]} ${how.replace(/.*\(/, '(')}`),
        });
        endings.push(() => transports.close());
        return (await transports.for('cmp1')).kind;
      }),
    );
    expect(outcomes).toEqual(['ssh2', 'openssh', 'openssh', 'ssh2']);
    expect(chosen.sort()).toEqual([
      '0 cmp1 ssh2 (nothing needs more)',
      '1 cmp1 openssh (ProxyCommand)',
      '2 cmp1 openssh (CertificateFile)',
      '3 cmp1 ssh2 (nothing needs more)',
    ]);
  });

  it('uses a shared connection that the operator has open, and leaves it open', async () => {
    const server = await serve();
    const home = homeOf();
    home.trust(server);
    const socket = join(home.home, 'cm');
    const target = configure(home, server, [`ControlPath ${socket}`]);
    const file = target.configFile ?? '';
    await ssh('-F', file, '-o', 'ControlMaster=yes', '-o', 'ControlPersist=60', '-fN', 'cmp1');
    endings.push(() => ssh('-F', file, '-O', 'exit', 'cmp1'));
    const transports = createTransports({
      ssh: { configFile: file },
      environment: { home: home.home, user: 'ops', env: {} },
    });
    const outcome = await (await transports.for('cmp1')).runBatch([look('echo', 'in')]);
    expect(outcome.ok && outcome.value[0]).toMatchObject({ ok: true, value: { stdout: 'in\n' } });
    await transports.close();
    expect(server.logins).toBe(1);
    expect(existsSync(socket)).toBe(true);
  });
});

describe('the arguments of ssh', () => {
  const home = makeHome(user);
  home.remove();
  const target = home.target(2222);

  it('never ask, never forward, and put nothing of the operator’s before the host', () => {
    const args = opensshArguments(target, '/run/user/0/ostk-doctor', {
      overrides: { user: 'ops', port: 2222, jump: 'bastion' },
    });
    for (const setting of [
      'BatchMode=yes',
      'StrictHostKeyChecking=yes',
      'ForwardAgent=no',
      'ControlPath=/run/user/0/ostk-doctor/%C',
      'RemoteCommand=none',
    ]) {
      expect(args).toContain(setting);
    }
    expect(args.slice(-6)).toEqual(['-l', 'ops', '-p', '2222', '-J', 'bastion']);
  });

  it.each([
    ['ssh: Could not resolve hostname cmp9: Name or service not known', 'name'],
    ['ssh: connect to host 10.0.0.9 port 22: Connection timed out', 'tcp'],
    ['ssh: connect to host 10.0.0.9 port 22: No route to host', 'tcp'],
    ['ops@cmp1: Permission denied (publickey,gssapi-keyex,gssapi-with-mic).', 'auth'],
    ['Received disconnect from 10.0.0.9 port 22:2: Too many authentication failures', 'auth'],
    [
      'No ED25519 host key is known for cmp1 and you have requested strict checking.\r\nHost key verification failed.',
      'host-key',
    ],
    ['Unable to negotiate with 10.0.0.9 port 22: no matching host key type found. Their offer: ssh-dss', 'handshake'],
    ['kex_exchange_identification: read: Connection reset by peer', 'handshake'],
    [
      'channel 0: open failed: connect failed: No route to host\nstdio forwarding failed\nConnection closed by UNKNOWN port 65535',
      'jump',
    ],
    ['Connection timed out during banner exchange', 'timeout'],
  ])('failed: %s', (stderr, stage) => {
    expect(opensshFailure('cmp1', target, stderr)).toMatchObject({ kind: 'unreachable', host: 'cmp1', stage });
  });

  it('shows what the jump host says', () => {
    const stderr = 'channel 0: open failed: connect failed: No route to host\nstdio forwarding failed\n';
    expect(opensshFailure('cmp1', target, stderr)).toMatchObject({ detail: 'from the jump host: No route to host' });
  });

  it('says nothing of words it does not know', () => {
    expect(opensshFailure('cmp1', target, 'whatever')).toBeUndefined();
  });
});
