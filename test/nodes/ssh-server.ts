import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type Connection } from 'ssh2';
import type { SshTarget } from '../../src/nodes/ssh-target.ts';

export interface TestKey {
  readonly private: string;
  readonly public: string;
  /** As the server sends it. */
  readonly blob: Buffer;
}

/** The generator of ssh2 makes a key now and then that its own parser refuses (one with a leading zero): those are thrown away. */
export function makeKey(type: 'ed25519' | 'rsa' = 'ed25519', passphrase?: string): TestKey {
  const cipher = passphrase === undefined ? {} : { passphrase, cipher: 'aes256-ctr', rounds: 4 };
  const pair = ssh2.utils.generateKeyPairSync(type, { ...(type === 'rsa' ? { bits: 2048 } : {}), ...cipher } as never);
  if (ssh2.utils.parseKey(pair.private, passphrase) instanceof Error) return makeKey(type, passphrase);
  return { private: pair.private, public: pair.public, blob: Buffer.from(pair.public.split(' ')[1] ?? '', 'base64') };
}

export interface TestServer {
  readonly port: number;
  readonly hostKeys: readonly TestKey[];
  /** Logins that succeeded. */
  logins: number;
  /** Sessions that were opened. */
  sessions: number;
  /** Cuts all connections, as a link that dies. */
  cut(): void;
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly hostKeys?: readonly TestKey[];
  readonly user: TestKey;
  /** What the login shell does with an exec string; by default what a node does. */
  readonly shell?: readonly [string, ...string[]];
  readonly maxSessions?: number;
  readonly forwards?: boolean;
}

/** A node's sshd on loopback: checks the user's key, gives exec strings to a shell, forwards TCP. */
export async function startServer(options: ServerOptions): Promise<TestServer> {
  const hostKeys = options.hostKeys ?? [makeKey()];
  const sockets = new Set<Socket>();
  const allowed = ssh2.utils.parseKey(options.user.public);
  if (allowed instanceof Error) throw allowed;
  const state = { logins: 0, sessions: 0 };

  const serve = (client: Connection) => {
    let open = 0;
    client.on('error', () => {});
    client.on('authentication', (context) => {
      if (context.method !== 'publickey' || !context.key.data.equals(allowed.getPublicSSH()))
        return context.reject(['publickey']);
      if (
        context.signature !== undefined &&
        context.blob !== undefined &&
        allowed.verify(context.blob, context.signature, context.hashAlgo) !== true
      ) {
        return context.reject(['publickey']);
      }
      context.accept();
    });
    client.on('ready', () => {
      state.logins += 1;
    });
    client.on('session', (accept, reject) => {
      if (open >= (options.maxSessions ?? 10)) return reject();
      open += 1;
      state.sessions += 1;
      const session = accept();
      session.on('error', () => {});
      session.on('close', () => {
        open -= 1;
      });
      session.on('exec', (acceptExec, _reject, info) => {
        const channel = acceptExec();
        const [file, ...args] = options.shell ?? ['sh', '-c'];
        const child = spawn(file, [...args, info.command], { detached: true });
        child.stdin.on('error', () => {});
        channel.on('error', () => {});
        channel.pipe(child.stdin);
        channel.on('close', () => child.stdin.destroy());
        client.on('close', () => child.stdin.destroy());
        child.stdout.pipe(channel, { end: false });
        child.stderr.pipe(channel.stderr, { end: false });
        child.once('close', (code) => {
          channel.exit(code ?? 1);
          channel.end();
        });
      });
    });
    client.on('tcpip', (accept, reject, info) => {
      if (options.forwards === false) return reject();
      const socket = connect(info.destPort, info.destIP);
      socket.once('error', () => reject());
      socket.once('connect', () => {
        const channel = accept();
        socket.on('error', () => channel.close());
        channel.on('error', () => socket.destroy());
        channel.on('close', () => socket.destroy());
        socket.pipe(channel).pipe(socket);
      });
    });
  };

  const ssh = new ssh2.Server({ hostKeys: hostKeys.map((key) => key.private) }, serve);
  ssh.on('error', () => {});
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    ssh.injectSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port,
    hostKeys,
    get logins() {
      return state.logins;
    },
    get sessions() {
      return state.sessions;
    },
    cut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}

/** A home directory with a known_hosts and keys, and targets that use nothing else. */
export function makeHome(key: TestKey) {
  const home = mkdtempSync(join(tmpdir(), 'osd-home-'));
  const identity = join(home, 'id');
  const knownHosts = join(home, 'known_hosts');
  writeFileSync(identity, key.private, { mode: 0o600 });
  writeFileSync(`${identity}.pub`, `${key.public}\n`);
  writeFileSync(knownHosts, '');
  const target = (port: number, more: Partial<SshTarget> = {}): SshTarget => ({
    alias: '127.0.0.1',
    configFile: undefined,
    hostname: '127.0.0.1',
    port,
    user: 'ops',
    identityFiles: [identity],
    identitiesOnly: false,
    agent: undefined,
    jump: [],
    family: 0,
    connectTimeoutSeconds: 5,
    hostKeys: 'strict',
    hostKeyAlias: undefined,
    userKnownHosts: [knownHosts],
    globalKnownHosts: [],
    hashKnownHosts: false,
    certificateFiles: [],
    proxyCommand: undefined,
    pkcs11Provider: undefined,
    securityKeyProvider: undefined,
    gssapi: false,
    controlPath: undefined,
    ...more,
  });
  return {
    home,
    identity,
    knownHosts,
    target,
    trust: (...servers: readonly TestServer[]) =>
      writeFileSync(
        knownHosts,
        servers
          .flatMap(({ port, hostKeys }) => hostKeys.map((each) => `[127.0.0.1]:${port} ${each.public}\n`))
          .join(''),
      ),
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}
