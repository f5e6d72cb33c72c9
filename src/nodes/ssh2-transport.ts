import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import pLimit from 'p-limit';
import type { AuthHandlerMiddleware, Client, ClientChannel, ServerHostKeyAlgorithm } from 'ssh2';
import { err, ok, type Result } from '../engine/result.ts';
import type { Batch } from './batch.ts';
import { type Channel, exchange, unreachable } from './exchange.ts';
import { appendKnownHost, explainHostKey, hostKeyAlgorithms, knownHostName, readKnownHosts } from './known-hosts.ts';
import type { NodeFailure, NodeTransport } from './nodes.ts';
import type { SshTarget } from './ssh-target.ts';
import { address, authFailure, credentials } from './ssh2-credentials.ts';
import { byHand, openForward, openSocket } from './ssh2-socket.ts';

/** sshd's MaxSessions is 10 by default; others may share the connection's user. */
const channelLimit = 6;
const keepaliveSeconds = 10;

/** One authenticated connection; every batch is a channel of it. */
interface Connection {
  readonly client: Client;
  /** Set once the connection is gone. */
  lost: string | undefined;
  readonly closed: Promise<void>;
}

export interface Ssh2Options {
  /** Resolves a jump host of a target; the jumps before it are already in the result. */
  readonly resolveJump: (hop: string, before: readonly string[]) => Promise<Result<SshTarget, string>>;
  readonly now?: () => number;
}

/** All connections of one run: jump hosts are connected to once, whatever the number of nodes behind them. */
export interface Ssh2Connections {
  transport(host: string, target: SshTarget): NodeTransport;
  close(): Promise<void>;
}

export function createSsh2Connections(options: Ssh2Options): Ssh2Connections {
  const connections = new Map<string, Promise<Result<Connection, NodeFailure>>>();

  const key = (target: SshTarget) => [...target.jump, address(target)].join(' ');

  /** A connection that was lost is made anew; one that could not be made stays so for the run. */
  const connect = async (host: string, target: SshTarget): Promise<Result<Connection, NodeFailure>> => {
    const name = key(target);
    const known = connections.get(name);
    if (known !== undefined) {
      const made = await known;
      if (!made.ok || made.value.lost === undefined) return made;
      if (connections.get(name) === known) connections.delete(name);
      return connect(host, target);
    }
    const made = establish(host, target);
    connections.set(name, made);
    return made;
  };

  const reach = async (host: string, target: SshTarget): Promise<Result<Duplex, NodeFailure>> => {
    const hop = target.jump.at(-1);
    if (hop === undefined) return openSocket(host, target);
    const resolved = await options.resolveJump(hop, target.jump.slice(0, -1));
    if (!resolved.ok) return err(unreachable(host, 'jump', `${hop}: ${resolved.error}`, `ssh -G ${hop}`));
    const jump = await connect(hop, resolved.value);
    if (!jump.ok) {
      const inner = jump.error;
      const detail = inner.kind === 'unreachable' ? `${hop}: ${inner.detail}` : `${hop} does not answer`;
      return err(unreachable(host, 'jump', detail, inner.kind === 'unreachable' ? inner.fix : `ssh ${hop}`));
    }
    return openForward(host, target, jump.value.client, hop);
  };

  const establish = async (host: string, target: SshTarget): Promise<Result<Connection, NodeFailure>> => {
    const [{ Client }, auth, known, reached] = await Promise.all([
      import('ssh2').then((module) => module.default ?? module),
      credentials(target),
      readKnownHosts([...target.userKnownHosts, ...target.globalKnownHosts]),
      reach(host, target),
    ]);
    if (!reached.ok) return reached;
    const file = target.userKnownHosts[0] ?? '~/.ssh/known_hosts';
    const name = target.hostKeyAlias ?? target.hostname;
    const names = target.hostKeyAlias === undefined ? [knownHostName(name, target.port)] : [name.toLowerCase()];
    // ssh also takes a key that it knows for the name without the port (sshconnect.c, check_host_key).
    if (target.hostKeyAlias === undefined && target.port !== 22) names.push(knownHostName(name));
    const [mainName = name] = names;

    let keyFailure: NodeFailure | undefined;
    /** Accepts, or says in `keyFailure` why not. */
    const accepts = async (hostKey: Buffer): Promise<boolean> => {
      const verdicts = names.map((each) => known.verify(each, hostKey));
      if (verdicts.some(({ kind }) => kind === 'known') && verdicts.every(({ kind }) => kind !== 'revoked'))
        return true;
      const verdict = verdicts.find(({ kind }) => kind === 'revoked') ?? verdicts[0];
      if (verdict === undefined || verdict.kind === 'known') return false;
      if (verdict.kind === 'unknown' && target.hostKeys === 'accept-new') {
        try {
          await appendKnownHost(file, mainName, hostKey, target.hashKnownHosts);
          return true;
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error);
          keyFailure = unreachable(
            host,
            'host-key',
            `the new host key cannot be kept: ${why}`,
            `make ${file} writable`,
          );
          return false;
        }
      }
      const { detail, fix } = explainHostKey(verdict, target.hostname, target.port, file);
      keyFailure = unreachable(host, 'host-key', detail, fix);
      return false;
    };

    const tried: string[] = [];
    const methods: { label: string; method: Record<string, unknown> }[] = [];
    if (auth.agent !== undefined)
      methods.push({
        label: 'the keys of the agent',
        method: { type: 'agent', username: target.user, agent: auth.agent },
      });
    for (const { path, key: identity } of auth.keys) {
      methods.push({ label: path, method: { type: 'publickey', username: target.user, key: identity } });
    }
    // ssh asks with "none" first, too: the server then says what it takes, and may take that.
    const queue = [
      { label: '', method: { type: 'none', username: target.user } as Record<string, unknown> },
      ...methods,
    ];
    const authHandler: AuthHandlerMiddleware = (_left, _partial, next) => {
      const each = queue.shift();
      if (each === undefined) return next(false as never);
      if (each.label !== '') tried.push(each.label);
      next(each.method as never);
    };

    const client = new Client();
    return new Promise((resolve) => {
      let ready = false;
      let settled = false;
      let goneNow: () => void = () => {};
      const connection: Connection = {
        client,
        lost: undefined,
        closed: new Promise((gone) => {
          goneNow = gone;
        }),
      };
      const fail = (failure: NodeFailure) => {
        if (settled) return;
        settled = true;
        client.destroy();
        reached.value.destroy();
        resolve(err(failure));
      };
      client.on('ready', () => {
        ready = true;
        settled = true;
        resolve(ok(connection));
      });
      client.on('error', (error) => {
        if (ready) {
          connection.lost ??= error.message;
          return;
        }
        const level = 'level' in error ? error.level : undefined;
        if (level === 'agent') return;
        if (keyFailure !== undefined) return fail(keyFailure);
        if (level === 'client-authentication') return fail(authFailure(host, target, tried, auth.unusable));
        if (level === 'client-timeout') {
          return fail(
            unreachable(
              host,
              'timeout',
              `the SSH handshake with ${target.hostname} took over ${target.connectTimeoutSeconds} s`,
              byHand(target),
            ),
          );
        }
        fail(unreachable(host, 'handshake', error.message, `${byHand(target)}, or: --ssh openssh`));
      });
      client.on('close', () => {
        connection.lost ??= 'the connection was closed';
        goneNow();
        if (tried.length > 0) return fail(authFailure(host, target, tried, auth.unusable));
        fail(
          keyFailure ??
            unreachable(
              host,
              'handshake',
              `${target.hostname} closed the connection during the handshake`,
              byHand(target),
            ),
        );
      });
      client.connect({
        sock: reached.value as Socket,
        username: target.user,
        readyTimeout: target.connectTimeoutSeconds * 1000,
        keepaliveInterval: keepaliveSeconds * 1000,
        keepaliveCountMax: 3,
        hostVerifier: (hostKey: Buffer, answer: (accepted: boolean) => void): void => {
          void accepts(hostKey).then(answer);
        },
        algorithms: {
          serverHostKey: hostKeyAlgorithms(names.flatMap((each) => known.types(each))) as ServerHostKeyAlgorithm[],
        },
        authHandler,
      });
    });
  };

  const openChannel = (
    host: string,
    connection: Connection,
    batch: Batch,
  ): Promise<Result<Channel, NodeFailure> | 'full'> =>
    new Promise((resolve) => {
      const refused = (error: Error) => {
        // ssh2 says so from the far side's goodbye on, before the connection is reported as closed.
        if (error.message === 'Not connected') connection.lost ??= 'the connection was closed';
        if (connection.lost !== undefined)
          return resolve(err(unreachable(host, 'lost', connection.lost, `ssh ${host}`)));
        if (error.message.includes('Channel open failure')) return resolve('full');
        resolve(err(unreachable(host, 'shell', error.message, `ssh ${host} true`)));
      };
      const opened = (error: Error | undefined, stream: ClientChannel) => {
        if (error) return refused(error);
        let code: number | null = null;
        stream.once('exit', (status: number | null) => {
          code = status;
        });
        const closed = new Promise<{ code: number | null; lost?: string }>((done) => {
          stream.once('close', () => done(connection.lost === undefined ? { code } : { code, lost: connection.lost }));
          void connection.closed.then(() => done({ code, lost: connection.lost ?? 'the connection was closed' }));
        });
        resolve(
          ok({ stdin: stream, stdout: stream, stderr: stream.stderr, ended: closed, destroy: () => stream.close() }),
        );
      };
      try {
        connection.client.exec(batch.exec, opened);
      } catch (error) {
        refused(error instanceof Error ? error : new Error(String(error)));
      }
    });

  return {
    transport(host, target) {
      const limit = pLimit(channelLimit);
      const lives = new Set<Promise<void>>();
      /** Where sshd allows fewer sessions than we open, a batch waits until one of ours is closed on its side, too. */
      const openWhenFree = async (batch: Batch, connection: Connection): Promise<Result<Channel, NodeFailure>> => {
        for (;;) {
          let over = () => {};
          const life = new Promise<void>((resolve) => {
            over = resolve;
          });
          lives.add(life);
          const channel = await openChannel(host, connection, batch);
          const end = () => {
            lives.delete(life);
            over();
          };
          if (channel === 'full' || !channel.ok) end();
          else void channel.value.ended.then(end);
          if (channel !== 'full') return channel;
          if (lives.size === 0) {
            const fix = `on ${host}: raise MaxSessions in sshd_config`;
            return err(unreachable(host, 'shell', `${host} opens no more sessions`, fix));
          }
          await Promise.race(lives);
        }
      };
      return {
        kind: 'ssh2',
        host,
        async runBatch(commands, signal, onResult, enough) {
          const connection = await connect(host, target);
          if (!connection.ok) return connection;
          const open = async (batch: Batch): Promise<Result<Channel, NodeFailure>> => {
            const first = await openWhenFree(batch, connection.value);
            if (first.ok || connection.value.lost === undefined) return first;
            // It died between two batches: nothing of this one was sent yet.
            const again = await connect(host, target);
            return again.ok ? openWhenFree(batch, again.value) : again;
          };
          return limit(() =>
            exchange(open, {
              host,
              user: target.user,
              commands,
              signal,
              onResult,
              enough,
              now: options.now ?? Date.now,
              beginSeconds: 2 * target.connectTimeoutSeconds,
            }),
          );
        },
        warm: () => void connect(host, target),
        async close() {
          const made = await connections.get(key(target));
          if (made?.ok) made.value.client.end();
        },
      };
    },
    async close() {
      const all = await Promise.all(connections.values());
      for (const made of all) if (made.ok) made.value.client.end();
    },
  };
}
