import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ok } from '../../src/engine/result.ts';
import type { Command } from '../../src/nodes/command.ts';
import { fingerprint } from '../../src/nodes/known-hosts.ts';
import type { NodeTransport } from '../../src/nodes/nodes.ts';
import type { SshTarget } from '../../src/nodes/ssh-target.ts';
import { createSsh2Connections } from '../../src/nodes/ssh2-transport.ts';
import { running, until } from './batch-run.ts';
import { captureOver } from './capture-over.ts';
import { makeHome, makeKey, type ServerOptions, startServer, type TestServer } from './ssh-server.ts';

const user = makeKey();
const look = (...argv: [string, ...string[]]): Command => ({ argv, impact: 'read' });

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
function reach(target: SshTarget, jumps: Readonly<Record<string, SshTarget>> = {}): NodeTransport {
  const connections = createSsh2Connections({
    resolveJump: async (hop) => {
      const found = jumps[hop];
      return found === undefined ? { ok: false, error: 'no such host' } : ok(found);
    },
  });
  endings.push(() => connections.close());
  return connections.transport('cmp1', target);
}
/** How a host fails, in the words a person reads. */
async function failure(transport: NodeTransport) {
  const outcome = await transport.runBatch([look('true')]);
  if (outcome.ok) throw new Error('expected a failure');
  if (outcome.error.kind !== 'unreachable') return { stage: outcome.error.kind, detail: '', fix: '' };
  return outcome.error;
}
const texts = async (transport: NodeTransport, ...commands: Command[]) => {
  const outcome = await transport.runBatch(commands);
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error));
  return outcome.value.map((each) => (each.ok ? each.value.stdout.trim() : each.error));
};

describe('a node over ssh2', () => {
  it('answers a batch over one connection and one channel', async () => {
    const server = await serve();
    const home = homeOf();
    home.trust(server);
    const transport = reach(home.target(server.port));
    expect(await texts(transport, look('echo', 'one'), look('echo', 'two'))).toEqual(['one', 'two']);
    expect(await texts(transport, look('echo', 'three'))).toEqual(['three']);
    expect([server.logins, server.sessions]).toEqual([1, 2]);
  });

  it('tells of each answer as it comes', async () => {
    const server = await serve();
    const home = homeOf();
    home.trust(server);
    const heard: number[] = [];
    const outcome = await reach(home.target(server.port)).runBatch(
      [{ ...look('sleep', '0.4'), parallel: true }, look('echo', 'quick')],
      undefined,
      (index) => heard.push(index),
    );
    expect(heard).toEqual([1, 0]);
    expect(outcome.ok && outcome.value.map((each) => each.ok)).toEqual([true, true]);
  });

  it('names a tool that is not there, and the package that has it', async () => {
    const server = await serve();
    const home = homeOf();
    home.trust(server);
    expect(await texts(reach(home.target(server.port)), look('ovs-vsctl-is-not-here'), look('echo', 'x'))).toEqual([
      {
        kind: 'missing-tool',
        host: 'cmp1',
        tool: 'ovs-vsctl-is-not-here',
        fix: 'on cmp1: install the package that has ovs-vsctl-is-not-here',
      },
      'x',
    ]);
  });

  it('refuses a host key that nobody knows, and says what would accept it', async () => {
    const server = await serve();
    const home = homeOf();
    const said = await failure(reach(home.target(server.port)));
    expect(said).toMatchObject({ stage: 'host-key' });
    expect(said.detail).toContain(fingerprint(server.hostKeys[0]?.blob ?? Buffer.alloc(0)));
    expect(said.fix).toContain(`ssh-keyscan -t ed25519 -p ${server.port} 127.0.0.1 >> ${home.knownHosts}`);
    expect(server.logins).toBe(0);
  });

  it('adds an unknown key when told to, and never again accepts another', async () => {
    const server = await serve();
    const home = homeOf();
    const target = home.target(server.port, { hostKeys: 'accept-new', hashKnownHosts: true });
    expect(await texts(reach(target), look('echo', 'in'))).toEqual(['in']);
    expect(readFileSync(home.knownHosts, 'utf8')).toMatch(/^\|1\|/);
    expect(await texts(reach(home.target(server.port)), look('echo', 'again'))).toEqual(['again']);

    const changed = await startServer({ user });
    endings.push(() => changed.close());
    writeFileSync(home.knownHosts, `[127.0.0.1]:${changed.port} ${makeKey().public}\n`);
    const said = await failure(reach(home.target(changed.port, { hostKeys: 'accept-new' })));
    expect(said).toMatchObject({ stage: 'host-key' });
    expect(said.detail).toContain('has changed');
    expect(said.fix).toContain('ssh-keygen -R');
  });

  it('refuses a revoked key even where it is known', async () => {
    const server = await serve();
    const home = homeOf();
    home.trust(server);
    writeFileSync(
      home.knownHosts,
      `${readFileSync(home.knownHosts, 'utf8')}@revoked * ${server.hostKeys[0]?.public}\n`,
    );
    expect((await failure(reach(home.target(server.port)))).detail).toContain('revoked');
  });

  it('asks a server with several keys for the one it knows', async () => {
    const keys = [makeKey('ed25519'), makeKey('rsa')];
    const server = await serve({ hostKeys: keys });
    const home = homeOf();
    writeFileSync(home.knownHosts, `[127.0.0.1]:${server.port} ${keys[1]?.public}\n`);
    expect(await texts(reach(home.target(server.port)), look('echo', 'in'))).toEqual(['in']);
  });

  it('takes a key that is known for the name without the port, as ssh does', async () => {
    const server = await serve();
    const home = homeOf();
    writeFileSync(home.knownHosts, `127.0.0.1 ${server.hostKeys[0]?.public}\n`);
    expect(await texts(reach(home.target(server.port)), look('echo', 'in'))).toEqual(['in']);
  });

  it('knows a host by its HostKeyAlias alone where there is one', async () => {
    const server = await serve();
    const home = homeOf();
    writeFileSync(home.knownHosts, `the-node ${server.hostKeys[0]?.public}\n`);
    expect(await texts(reach(home.target(server.port, { hostKeyAlias: 'the-node' })), look('echo', 'in'))).toEqual([
      'in',
    ]);
    expect((await failure(reach(home.target(server.port)))).stage).toBe('host-key');
  });

  it('says which keys were refused', async () => {
    const server = await serve();
    const home = homeOf(makeKey());
    home.trust(server);
    const said = await failure(reach(home.target(server.port)));
    expect(said).toMatchObject({ stage: 'auth', detail: `ops@127.0.0.1:${server.port} refused ${home.identity}` });
    expect(said.fix).toContain('ssh-copy-id');
  });

  it('does not ask for a passphrase, and says how to give it beforehand', async () => {
    const server = await serve();
    const home = homeOf(makeKey('ed25519', 'secret'));
    home.trust(server);
    const said = await failure(reach(home.target(server.port)));
    expect(said).toMatchObject({ stage: 'auth', fix: `ssh-add ${home.identity}` });
    expect(said.detail).toContain('has a passphrase');
  });

  it('says so when there is no key at all', async () => {
    const server = await serve();
    const home = homeOf();
    home.trust(server);
    const said = await failure(reach(home.target(server.port, { identityFiles: ['/nonexistent'] })));
    expect(said).toMatchObject({ stage: 'auth' });
    expect(said.detail).toContain('no key to show');
  });

  it('tells a closed port, a name without address and a mute server apart', async () => {
    const home = homeOf();
    const closed = await startServer({ user });
    await closed.close();
    expect(await failure(reach(home.target(closed.port)))).toMatchObject({
      stage: 'tcp',
      detail: `127.0.0.1:${closed.port} refuses the connection`,
    });
    expect(await failure(reach(home.target(22, { hostname: 'no-such-host.invalid' })))).toMatchObject({
      stage: 'name',
    });

    const mute = createServer(() => {});
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    endings.push(() => mute.close());
    const { port } = mute.address() as AddressInfo;
    expect(await failure(reach(home.target(port, { connectTimeoutSeconds: 0.3 })))).toMatchObject({ stage: 'timeout' });

    const other = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    endings.push(() => other.close());
    expect(await failure(reach(home.target((other.address() as AddressInfo).port)))).toMatchObject({
      stage: 'handshake',
    });
  });

  it('shows the words of a login shell that runs nothing', async () => {
    const server = await serve({
      shell: ['sh', '-c', 'echo This account is currently not available.; exit 1', 'nologin'],
    });
    const home = homeOf();
    home.trust(server);
    expect(await failure(reach(home.target(server.port)))).toMatchObject({
      stage: 'shell',
      detail: 'This account is currently not available.',
    });
  });

  it('does not wait for a login shell that never starts as long as for the commands', async () => {
    const server = await serve({ shell: ['sh', '-c', 'cat >/dev/null'] });
    const home = homeOf();
    home.trust(server);
    const transport = reach(home.target(server.port, { connectTimeoutSeconds: 1 }));
    const outcome = await transport.runBatch([look('true'), look('true')]);
    expect(outcome).toMatchObject({ ok: false, error: { kind: 'timeout', what: 'a shell on cmp1', seconds: 2 } });
  });

  it('does not mind what a login shell says before', async () => {
    const server = await serve({ shell: ['sh', '-c', 'echo "Welcome to cmp1"; echo noise >&2; eval "$1"', 'login'] });
    const home = homeOf();
    home.trust(server);
    expect(await texts(reach(home.target(server.port)), look('echo', 'in'))).toEqual(['in']);
  });

  it('keeps the answers it has when the link dies, and connects anew for the next batch', async () => {
    const server = await serve();
    const home = homeOf();
    home.trust(server);
    const transport = reach(home.target(server.port));
    const running = transport.runBatch([look('echo', 'had'), look('sleep', '9')], undefined, (index) => {
      if (index === 0) server.cut();
    });
    const outcome = await running;
    if (!outcome.ok) throw new Error(JSON.stringify(outcome.error));
    expect(outcome.value.map((each) => (each.ok ? each.value.stdout : each.error))).toMatchObject([
      'had\n',
      { kind: 'unreachable', stage: 'lost' },
    ]);
    expect(await texts(transport, look('echo', 'again'))).toEqual(['again']);
    expect(server.logins).toBe(2);
  });

  it('stops at once when the run is interrupted, and leaves nothing running', async () => {
    const server = await serve();
    const home = homeOf();
    home.trust(server);
    const stop = new AbortController();
    let answered = false;
    const word = `8${process.pid}.25`;
    const running = (): boolean => {
      try {
        return execFileSync('pgrep', ['-f', `[s]leep ${word}`], { encoding: 'utf8' }) !== '';
      } catch {
        return false;
      }
    };
    const until = async (holds: () => boolean) => {
      const end = Date.now() + 5000;
      while (!holds() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(holds()).toBe(true);
    };
    const batch = reach(home.target(server.port)).runBatch(
      [look('echo', 'had'), { ...look('sleep', word), timeoutSeconds: 60 }],
      stop.signal,
      () => {
        answered = true;
      },
    );
    await until(() => answered && running());
    stop.abort();
    const outcome = await batch;
    expect(outcome.ok && outcome.value).toMatchObject([
      { ok: true, value: { stdout: 'had\n' } },
      { ok: false, error: { kind: 'unreachable', detail: 'interrupted' } },
    ]);
    await until(() => !running());
  });

  it('captures while it probes, and ends the captures when it is enough', async () => {
    const server = await serve();
    const home = homeOf();
    home.trust(server);
    await captureOver(reach(home.target(server.port)));
    expect([server.logins, server.sessions]).toEqual([1, 2]);
  });

  it('leaves no capture behind when the link dies', async () => {
    const server = await serve();
    const home = homeOf();
    home.trust(server);
    const word = `8${process.pid}.75`;
    const captures = [1, 2].map(
      (n): Command => ({
        argv: ['sh', '-c', `trap '' TERM INT HUP; echo listening on ${n} >&2; sleep ${word}`],
        impact: 'capture',
        parallel: true,
        listens: 'listening on',
        timeoutSeconds: 60,
      }),
    );
    const outcome = await reach(home.target(server.port)).runBatch(
      [...captures, look('echo', 'listen')],
      undefined,
      () => server.cut(),
    );
    expect(outcome).toMatchObject({
      ok: true,
      value: [{ error: { stage: 'lost' } }, { error: { stage: 'lost' } }, { value: { stdout: 'listen\n' } }],
    });
    await until(() => running(word).length === 0, 'nothing is left running');
  });

  it('waits for its turn where sshd allows few sessions', async () => {
    const server = await serve({ maxSessions: 1 });
    const home = homeOf();
    home.trust(server);
    const transport = reach(home.target(server.port));
    const outcomes = await Promise.all(
      [1, 2, 3].map((n) => texts(transport, look('sleep', '0.1'), look('echo', String(n)))),
    );
    expect(outcomes.map((each) => each[1])).toEqual(['1', '2', '3']);
  });

  it('says so when sshd allows no session at all', async () => {
    const server = await serve({ maxSessions: 0 });
    const home = homeOf();
    home.trust(server);
    expect(await failure(reach(home.target(server.port)))).toMatchObject({
      stage: 'shell',
      detail: 'cmp1 opens no more sessions',
    });
  });
});

describe('a node behind jump hosts', () => {
  it('is reached through them, each host key verified, each connected to once', async () => {
    const [first, second, node] = [await serve(), await serve(), await serve()];
    const home = homeOf();
    home.trust(first, second, node);
    const jumps = { first: home.target(first.port), second: home.target(second.port, { jump: ['first'] }) };
    const connections = createSsh2Connections({ resolveJump: async (hop) => ok(jumps[hop as 'first' | 'second']) });
    endings.push(() => connections.close());
    const through = home.target(node.port, { jump: ['first', 'second'] });
    const nodes = ['cmp1', 'cmp2'].map((host, i) =>
      connections.transport(host, { ...through, user: i === 0 ? 'ops' : 'root' }),
    );
    expect(await Promise.all(nodes.map((each) => texts(each, look('echo', 'far'))))).toEqual([['far'], ['far']]);
    expect([first.logins, second.logins, node.logins]).toEqual([1, 1, 2]);
    expect([first.sessions, second.sessions]).toEqual([0, 0]);
  });

  it('is not reached through one whose key is unknown', async () => {
    const [bastion, node] = [await serve(), await serve()];
    const home = homeOf();
    home.trust(node);
    const said = await failure(
      reach(home.target(node.port, { jump: ['bastion'] }), { bastion: home.target(bastion.port) }),
    );
    expect(said).toMatchObject({ stage: 'jump' });
    expect(said.detail).toMatch(/^bastion: the host key is not known/);
    expect(said.fix).toContain('ssh-keyscan');
  });

  it('has its own host key verified, too', async () => {
    const [bastion, node] = [await serve(), await serve()];
    const home = homeOf();
    home.trust(bastion);
    expect(
      await failure(reach(home.target(node.port, { jump: ['bastion'] }), { bastion: home.target(bastion.port) })),
    ).toMatchObject({ stage: 'host-key' });
  });

  it('fails with the step that failed', async () => {
    const [bastion, closed] = [await serve(), await startServer({ user })];
    await closed.close();
    const home = homeOf();
    home.trust(bastion);
    const jumps = { bastion: home.target(bastion.port) };
    const refused = await failure(reach(home.target(closed.port, { jump: ['bastion'] }), jumps));
    expect(refused).toMatchObject({ stage: 'tcp' });
    expect(refused.detail).toMatch(/^from bastion: /);
    expect(await failure(reach(home.target(1, { jump: ['nowhere'] })))).toMatchObject({
      stage: 'jump',
      detail: 'nowhere: no such host',
    });
  });
});
