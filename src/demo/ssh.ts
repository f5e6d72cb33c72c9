import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ServerChannel } from 'ssh2';
import type { NodeRecord } from '../bundle/format.ts';
import type { Bundle, BundleHost } from '../bundle/open.ts';
import { type Answers, keyOfCommand, nodeAnswers } from '../bundle/replay.ts';
import { batchLength, decodeBatch, encodeFrames, needsRoot } from '../nodes/batch.ts';
import type { Command, CommandResult } from '../nodes/command.ts';
import type { Fault, Renaming, SshFault } from './faults.ts';
import { type KeyPair, newKeyPair } from './keys.ts';

export interface DemoHost {
  /** `127.0.0.1`, or a name that does not resolve where that is what was asked for. */
  readonly address: string;
  readonly port: number;
  /** The line of known_hosts under which this host is to be known. */
  readonly hostKeyLine: string;
}

export interface DemoSsh {
  readonly host: DemoHost;
  close(): Promise<void>;
}

/** One recorded host as an SSH server on its own port of 127.0.0.1, for one user key. */
export async function startSsh(
  bundle: Bundle,
  host: BundleHost,
  user: KeyPair,
  faults: readonly SshFault[],
  names: Renaming,
): Promise<DemoSsh> {
  const has = (kind: SshFault['do']): boolean => faults.some((fault) => fault.do === kind);
  const hostKey = newKeyPair();
  const sockets = new Set<Socket>();
  const answersOf = nodeAnswers(bundle, host.name);
  const ssh = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
    serve(client, user, faults, names, answersOf());
  });
  ssh.on('error', () => {});
  const stage = host.unreachable?.kind === 'unreachable' ? host.unreachable.stage : undefined;
  const mute = has('hang') || stage === 'timeout' || stage === 'handshake';

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.setNoDelay(true);
    if (!mute) ssh.injectSocket(socket);
  });
  await listen(server);
  const { port } = server.address() as AddressInfo;
  // the port stays known to nobody else for as long as it takes to be refused
  if (has('refused') || stage === 'tcp') await shut(server, sockets);

  const known = has('host-key-changed') || stage === 'host-key' ? newKeyPair() : hostKey;
  return {
    host: {
      address: has('no-such-name') || stage === 'name' ? 'no-such-host.invalid' : '127.0.0.1',
      port,
      hostKeyLine: `[127.0.0.1]:${port} ${known.public}`,
    },
    close: () => shut(server, sockets),
  };

  function serve(
    client: Connection,
    key: KeyPair,
    misbehaviour: readonly SshFault[],
    renamed: Renaming,
    answers: Answers<NodeRecord>,
  ): void {
    client.on('error', () => {});
    client.on('authentication', (context) => {
      if (has('auth-refused') || stage === 'auth' || !proves(context, key)) context.reject(['publickey']);
      else context.accept();
    });
    client.on('session', (accept) => {
      const session = accept();
      session.on('exec', (acceptExec, _reject, info) => {
        const channel: ServerChannel = acceptExec();
        channel.on('error', () => {});
        if (has('hang-exec')) return;
        runExec(info.command, channel, (commands) => {
          const reply = replyTo(commands, host.name, answers, misbehaviour, renamed);
          if (reply.lost) channel.write(reply.bytes, () => client.end());
          else finish(channel, reply.bytes);
        });
      });
    });
  }
}

const listen = (server: Server): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });

const shut = (server: Server, sockets: ReadonlySet<Socket>): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });

/** Public key only, and the signature is really checked. */
function proves(context: AuthContext, user: KeyPair): boolean {
  if (context.method !== 'publickey') return false;
  const allowed = ssh2.utils.parseKey(user.public);
  if (allowed instanceof Error) return false;
  if (context.key.algo !== allowed.type || !context.key.data.equals(allowed.getPublicSSH())) return false;
  if (context.signature === undefined) return true;
  return context.blob !== undefined && allowed.verify(context.blob, context.signature, context.hashAlgo) === true;
}

/** Reads the script that a batch sends, and hands over its commands; anything else is not understood here. */
function runExec(exec: string, channel: ServerChannel, answer: (commands: readonly Command[]) => void): void {
  const length = batchLength(exec);
  if (length === undefined) {
    channel.stderr.write('this demo host answers nothing but the batches of ostk-doctor\n');
    channel.exit(127);
    channel.end();
    return;
  }
  let script = Buffer.alloc(0);
  let answered = false;
  channel.on('data', (chunk: Buffer) => {
    if (answered) return;
    script = Buffer.concat([script, chunk]);
    if (script.length < length) return;
    answered = true;
    const commands = decodeBatch(exec, script.toString());
    if (commands) answer(commands);
    else channel.close();
  });
}

function finish(channel: ServerChannel, bytes: Buffer): void {
  channel.write(bytes, () => {
    channel.exit(0);
    channel.end();
  });
}

interface Reply {
  readonly bytes: Buffer;
  /** The connection ends with these bytes. */
  readonly lost: boolean;
}

type WireResult = Omit<CommandResult, 'startedAt'>;

function replyTo(
  commands: readonly Command[],
  host: string,
  answers: Answers<NodeRecord>,
  faults: readonly SshFault[],
  names: Renaming,
): Reply {
  const nonce = randomBytes(16).toString('hex');
  const lost = faults.find((fault): fault is Fault<SshFault, 'lost'> => fault.do === 'lost');
  let answered = lost?.after ?? commands.length;
  const results = commands.map((command): WireResult | undefined => {
    if (answered === 0) return undefined;
    const result = resultOf(command, host, answers, faults, names);
    // the recorded connection died here
    if (result === undefined) answered = 0;
    else answered -= 1;
    return result;
  });
  const bytes = encodeFrames(results, { nonce, commands });
  if (!results.includes(undefined)) return { bytes, lost: false };
  const end = `\n@${nonce} .\n`;
  return { bytes: bytes.subarray(0, bytes.length - end.length), lost: true };
}

const plain = (code: number | null, stdout: string, stderr: string): WireResult => ({
  code,
  stdout,
  stderr,
  truncated: false,
  timedOut: false,
  ms: 1,
});

/** What the node writes for one command; undefined when the connection is lost instead. */
function resultOf(
  command: Command,
  host: string,
  answers: Answers<NodeRecord>,
  faults: readonly SshFault[],
  names: Renaming,
): WireResult | undefined {
  const original = { ...command, argv: command.argv.map(names.back) as unknown as Command['argv'] };
  for (const fault of faults) {
    if (fault.do === 'sudo-password' && needsRoot(command)) return plain(1, '', 'sudo: a password is required\n');
    if (fault.do === 'missing-tool' && command.argv[0] === fault.tool) return missing(fault.tool);
    if (fault.do === 'flood' && command.argv.join(' ').includes(fault.command)) {
      return plain(0, `${'x'.repeat(63)}\n`.repeat(Math.ceil(fault.bytes / 64)), '');
    }
  }
  const record = answers.get(keyOfCommand(original));
  if (!record) return plain(127, '', `not in this bundle: ${command.argv.join(' ')} on ${host}\n`);
  if (record.outcome.ok) {
    const { startedAt: _startedAt, ...result } = record.outcome.value;
    const stdout = command.encoding === undefined ? names.text(result.stdout) : result.stdout;
    return { ...result, stdout, stderr: names.text(result.stderr) };
  }
  const { error } = record.outcome;
  switch (error.kind) {
    case 'missing-tool':
      return missing(error.tool);
    case 'sudo':
      return plain(1, '', `${error.detail}\n`);
    case 'command':
      return plain(error.code, '', `${error.detail}\n`);
    case 'timeout':
      return { ...plain(null, '', ''), timedOut: true, ms: error.seconds * 1000 };
    case 'unreachable':
      return undefined;
  }
}

/** timeout(1) of GNU coreutils, status 127. */
const missing = (tool: string): WireResult =>
  plain(127, '', `timeout: failed to run command '${tool}': No such file or directory\n`);
