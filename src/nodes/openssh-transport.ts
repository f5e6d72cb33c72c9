import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import type { NodeFailureStage } from '../engine/failure.ts';
import { err, ok, type Result } from '../engine/result.ts';
import type { Batch } from './batch.ts';
import { type Channel, exchange, unreachable } from './exchange.ts';
import type { NodeFailure, NodeTransport } from './nodes.ts';
import type { SshOverrides, SshTarget } from './ssh-target.ts';

const channelLimit = 6;

export interface OpensshOptions {
  readonly overrides?: SshOverrides | undefined;
  /** The operator's own shared connection is open: use it as it is, and leave it open. */
  readonly ownMaster?: boolean | undefined;
  readonly now?: (() => number) | undefined;
}

/** Where the sockets of our shared connections live: nobody else may enter. */
export interface ControlFolder {
  readonly path: string;
  remove(): void;
}

/**
 * `$XDG_RUNTIME_DIR/ostk-doctor`, else a fresh directory. Socket paths are limited to 108 bytes (unix(7)), and ssh adds
 * 17 while it makes one; `%C` is 40.
 */
export function controlFolder(env: Readonly<Record<string, string | undefined>>): ControlFolder {
  const runtime = env.XDG_RUNTIME_DIR;
  if (runtime?.startsWith('/') && runtime.length < 36) {
    const path = join(runtime, 'ostk-doctor');
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      chmodSync(path, 0o700);
      return { path, remove: () => {} };
    } catch {
      // Not ours to write: fall through to a directory of our own.
    }
  }
  const path = mkdtempSync(join(tmpdir().length < 36 ? tmpdir() : '/tmp', 'osd-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Options in front of the host: what `ssh -G` was asked with, so that ssh resolves the same target again. */
export function opensshArguments(target: SshTarget, folder: string, options: OpensshOptions): string[] {
  const { overrides = {}, ownMaster = false } = options;
  const settings = [
    'BatchMode=yes',
    `ConnectTimeout=${target.connectTimeoutSeconds}`,
    'ServerAliveInterval=10',
    'ServerAliveCountMax=3',
    `StrictHostKeyChecking=${target.hostKeys === 'accept-new' ? 'accept-new' : 'yes'}`,
    'ForwardAgent=no',
    'ForwardX11=no',
    'ClearAllForwardings=yes',
    'PermitLocalCommand=no',
    'RemoteCommand=none',
    ...(ownMaster ? [] : ['ControlMaster=auto', `ControlPath=${join(folder, '%C')}`, 'ControlPersist=60']),
  ];
  const args = ['-T', ...settings.flatMap((setting) => ['-o', setting])];
  if (target.configFile !== undefined) args.push('-F', target.configFile);
  if (overrides.user !== undefined) args.push('-l', overrides.user);
  if (overrides.port !== undefined) args.push('-p', String(overrides.port));
  if (overrides.identityFile !== undefined) args.push('-i', overrides.identityFile);
  if (overrides.jump !== undefined) args.push('-J', overrides.jump);
  if (overrides.knownHosts !== undefined) args.push('-o', `UserKnownHostsFile="${overrides.knownHosts}"`);
  return args;
}

/** Words of ssh(1) and what they tell of the step that failed, most telling first (sshconnect.c, readconf.c, packet.c, clientloop.c). */
const complaints: readonly (readonly [RegExp, NodeFailureStage])[] = [
  [/REMOTE HOST IDENTIFICATION HAS CHANGED/, 'host-key'],
  [/host key .* (?:is|was) revoked|REVOKED HOST KEY DETECTED/i, 'host-key'],
  [/^No .* host key is known for .*$/m, 'host-key'],
  [/^Host key verification failed\.?$/m, 'host-key'],
  [
    /stdio forwarding failed|Connection closed by UNKNOWN port 65535|kex_exchange_identification: Connection closed by remote host\s+Connection closed by UNKNOWN/,
    'jump',
  ],
  [/Could not resolve hostname .*$/m, 'name'],
  [/^.*Permission denied \(.*$/m, 'auth'],
  [/Too many authentication failures/, 'auth'],
  [/^ssh: connect to host .* (?:Connection timed out|Operation timed out)$/m, 'tcp'],
  [/^ssh: connect to host .*$/m, 'tcp'],
  [/Connection timed out during banner exchange|Timeout, server .* not responding/, 'timeout'],
  [/^Unable to negotiate with .*$/m, 'handshake'],
  [/^kex_exchange_identification: .*$/m, 'handshake'],
  [/^Connection (?:closed|reset) by .*$/m, 'handshake'],
];

/** @param stderr what ssh printed before it gave up */
export function opensshFailure(host: string, target: SshTarget, stderr: string): NodeFailure | undefined {
  const text = stderr.replaceAll('\r', '');
  const who = `${target.user}@${target.alias}`;
  const byHand = `ssh ${target.port === 22 ? '' : `-p ${target.port} `}${who}`;
  for (const [pattern, stage] of complaints) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const line = match[0].split('\n')[0]?.replace(/^ssh: /, '') ?? '';
    switch (stage) {
      case 'host-key': {
        const shown = /SHA256:[A-Za-z0-9+/]{43}/.exec(text)?.[0];
        const detail = line.includes('IDENTIFICATION') ? 'the host key has changed' : line;
        const fix = line.includes('IDENTIFICATION')
          ? `somebody may be in between, or the node was installed anew; if so: ssh-keygen -R ${target.hostname}`
          : `compare the fingerprint, then: ssh-keyscan ${target.port === 22 ? '' : `-p ${target.port} `}${target.hostname} >> ${target.userKnownHosts[0] ?? '~/.ssh/known_hosts'}`;
        return unreachable(host, stage, shown === undefined ? detail : `${detail}: ${shown}`, fix);
      }
      case 'auth':
        return unreachable(host, stage, line, `${byHand} (it must not ask for anything: ssh-add, ssh-copy-id, kinit)`);
      case 'name':
        return unreachable(
          host,
          stage,
          line,
          `give its address: hosts: {${host}: {address: …}} in ostk-doctor.yaml, or a Host block in ~/.ssh/config`,
        );
      case 'jump': {
        // The hop's own words, where it says why it could not go on.
        const why = /channel \d+: open failed: (?:connect failed: )?(.*)/.exec(text)?.[1];
        return unreachable(host, stage, why === undefined ? line : `from the jump host: ${why}`, byHand);
      }
      default:
        return unreachable(host, stage, line, byHand);
    }
  }
  return undefined;
}

/** The system's own ssh, over one shared connection per host. */
export function createOpensshTransport(
  host: string,
  target: SshTarget,
  folder: ControlFolder,
  options: OpensshOptions = {},
): NodeTransport {
  const limit = pLimit(channelLimit);
  const args = opensshArguments(target, folder.path, options);
  // The first batch makes the shared connection; those that start meanwhile would each make one of their own.
  let shared: Promise<void> | undefined;
  let used = false;

  const open = (batch: Batch): Promise<Result<Channel, NodeFailure>> =>
    new Promise((resolve) => {
      used = true;
      const child = spawn('ssh', [...args, '--', target.alias, batch.exec], { stdio: ['pipe', 'pipe', 'pipe'] });
      child.once('error', (error) =>
        resolve(
          err(unreachable(host, 'shell', `ssh: ${error.message}`, 'install openssh-client here, or: --ssh ssh2')),
        ),
      );
      child.once('spawn', () => {
        // Not 'close': the process that keeps the shared connection holds on to our stderr for a minute.
        const ended = new Promise<{ code: number | null }>((done) => {
          child.once('exit', (code) => {
            if (child.stdout.readableEnded) return done({ code });
            const patience = setTimeout(() => done({ code }), 1000);
            child.stdout.once('end', () => {
              clearTimeout(patience);
              done({ code });
            });
          });
        });
        resolve(
          ok({
            stdin: child.stdin,
            stdout: child.stdout,
            stderr: child.stderr,
            ended,
            destroy: () => {
              child.stdin.destroy();
              child.kill('SIGTERM');
            },
          }),
        );
      });
    });

  return {
    kind: 'openssh',
    host,
    async runBatch(commands, signal, onResult, enough) {
      const run = (heard: () => void) =>
        limit(() =>
          exchange(open, {
            host,
            user: target.user,
            commands,
            signal,
            onResult: (index, outcome) => {
              heard();
              onResult?.(index, outcome);
            },
            enough,
            now: options.now ?? Date.now,
            // The connection is made in this time, too.
            beginSeconds: 4 * target.connectTimeoutSeconds,
            explain: (code, stderr) => (code === 255 ? opensshFailure(host, target, stderr) : undefined),
          }),
        );
      if (options.ownMaster === true) return run(() => {});
      if (shared !== undefined) {
        await shared;
        return run(() => {});
      }
      let heard = () => {};
      shared = new Promise((resolve) => {
        heard = resolve;
      });
      try {
        return await run(heard);
      } finally {
        heard();
      }
    },
    async close() {
      if (!used || options.ownMaster === true) return;
      used = false;
      await new Promise<void>((done) => {
        execFile('ssh', [...args, '-O', 'exit', '--', target.alias], { timeout: 5000 }, () => done());
      });
    },
  };
}
