import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { err, ok, type Result } from '../engine/result.ts';

/** How to reach one host by SSH: what ssh_config(5) and the tool's own configuration say together. */
export interface SshTarget {
  /** The name as it was asked for; ssh_config is looked up by it. */
  readonly alias: string;
  /** The ssh_config(5) that was read instead of the usual ones. */
  readonly configFile: string | undefined;
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  /** In the order ssh tries them; they need not exist. */
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** Path of the agent's socket. */
  readonly agent: string | undefined;
  /** `user@host:port`, the nearest first. */
  readonly jump: readonly string[];
  readonly family: 0 | 4 | 6;
  readonly connectTimeoutSeconds: number;
  /** `accept-new` adds unknown keys; a changed key is refused either way. */
  readonly hostKeys: 'strict' | 'accept-new';
  readonly hostKeyAlias: string | undefined;
  /** The first is where new keys go. */
  readonly userKnownHosts: readonly string[];
  readonly globalKnownHosts: readonly string[];
  readonly hashKnownHosts: boolean;
  /** What only the system's ssh can do. */
  readonly certificateFiles: readonly string[];
  readonly proxyCommand: string | undefined;
  readonly pkcs11Provider: string | undefined;
  readonly securityKeyProvider: string | undefined;
  readonly gssapi: boolean;
  /** Socket of the operator's own shared connection; it may not exist. */
  readonly controlPath: string | undefined;
}

/** What the tool's configuration and flags say over ssh_config. */
export interface SshOverrides {
  readonly user?: string | undefined;
  readonly port?: number | undefined;
  readonly identityFile?: string | undefined;
  readonly jump?: string | undefined;
  readonly connectTimeoutSeconds?: number | undefined;
  readonly acceptNewHostKeys?: boolean | undefined;
  /** Read instead of `~/.ssh/config` and the system's (ssh -F). A flag only: such a file can name programs to run. */
  readonly configFile?: string | undefined;
  /** Takes the place of the user's known_hosts. */
  readonly knownHosts?: string | undefined;
}

export interface SshEnvironment {
  readonly home: string;
  readonly user: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export const thisEnvironment = (): SshEnvironment => ({ home: homedir(), user: userInfo().username, env: process.env });

/** Seconds for the TCP connection, and again for the handshake. */
export const defaultConnectTimeoutSeconds = 10;

/** Host names come from an API: nothing that ssh, a shell or a `Match exec` could take for more than a name. */
export const isHostName = (host: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9_.:%-]{0,254}$/.test(host);

/** Tokens of ssh_config(5) that stand in file names. */
function expand(
  text: string,
  target: { alias: string; hostname: string; port: number; user: string },
  local: SshEnvironment,
): string {
  const words: Record<string, string> = {
    '%': '%',
    d: local.home,
    h: target.hostname,
    n: target.alias,
    p: String(target.port),
    r: target.user,
    u: local.user,
  };
  const path = text === '~' || text.startsWith('~/') ? local.home + text.slice(1) : text;
  return path
    .replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => local.env[name] ?? '')
    .replace(/%(.)/g, (whole, letter: string) => words[letter] ?? whole);
}

/** ssh's own defaults, in its order (ssh_config(5), IdentityFile). */
const defaultIdentities = ['id_rsa', 'id_ecdsa', 'id_ecdsa_sk', 'id_ed25519', 'id_ed25519_sk'];

/** Options by lower-case name, each with all its values in order: what `ssh -G` prints and what a parser of ssh_config gives. */
type Options = ReadonlyMap<string, readonly string[]>;

/** @param text output of `ssh -G` */
export function parseSshG(text: string): Options {
  const options = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space <= 0) continue;
    const name = line.slice(0, space);
    const values = options.get(name) ?? [];
    values.push(line.slice(space + 1));
    options.set(name, values);
  }
  return options;
}

export function targetFromOptions(
  alias: string,
  options: Options,
  overrides: SshOverrides,
  local: SshEnvironment,
): SshTarget {
  const one = (name: string): string | undefined => {
    const value = options.get(name)?.[0];
    return value === undefined || value === 'none' || value === '' ? undefined : value;
  };
  const hostname = one('hostname') ?? alias;
  const port = overrides.port ?? Number(one('port') ?? 22);
  const user = overrides.user ?? one('user') ?? local.user;
  const file = (text: string) => expand(text, { alias, hostname, port, user }, local);
  const files = (name: string): string[] =>
    (options.get(name) ?? [])
      .flatMap((value) => value.split(' '))
      .filter((value) => value !== '' && value !== 'none')
      .map(file);
  const agent = (): string | undefined => {
    const named = options.get('identityagent')?.[0];
    if (named === 'none') return undefined;
    if (named === undefined || named === 'SSH_AUTH_SOCK') return local.env.SSH_AUTH_SOCK || undefined;
    return named.startsWith('$') && !named.startsWith('${') ? local.env[named.slice(1)] : file(named);
  };
  const identities = (options.get('identityfile') ?? []).filter((value) => value !== 'none').map(file);
  const strict = one('stricthostkeychecking');
  const timeout = Number(one('connecttimeout'));
  const jump = overrides.jump ?? one('proxyjump');
  return {
    alias,
    configFile: overrides.configFile,
    hostname,
    port,
    user,
    identityFiles:
      overrides.identityFile !== undefined
        ? [file(overrides.identityFile)]
        : options.has('identityfile')
          ? identities
          : defaultIdentities.map((name) => join(local.home, '.ssh', name)),
    identitiesOnly: one('identitiesonly') === 'yes',
    agent: agent(),
    jump: jump === undefined || jump === 'none' ? [] : jump.split(',').map((hop) => hop.replace(/^ssh:\/\//, '')),
    family: one('addressfamily') === 'inet' ? 4 : one('addressfamily') === 'inet6' ? 6 : 0,
    connectTimeoutSeconds: overrides.connectTimeoutSeconds ?? (timeout > 0 ? timeout : defaultConnectTimeoutSeconds),
    // "no" and "off" of ssh_config would also take changed keys; the doctor never does.
    hostKeys:
      overrides.acceptNewHostKeys === true || ['no', 'off', 'false', 'accept-new'].includes(strict ?? '')
        ? 'accept-new'
        : 'strict',
    hostKeyAlias: one('hostkeyalias'),
    userKnownHosts:
      overrides.knownHosts !== undefined
        ? [overrides.knownHosts]
        : options.has('userknownhostsfile')
          ? files('userknownhostsfile')
          : [join(local.home, '.ssh/known_hosts'), join(local.home, '.ssh/known_hosts2')],
    globalKnownHosts: options.has('globalknownhostsfile')
      ? files('globalknownhostsfile')
      : ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'],
    hashKnownHosts: one('hashknownhosts') === 'yes',
    certificateFiles: files('certificatefile'),
    proxyCommand: one('proxycommand'),
    pkcs11Provider: one('pkcs11provider'),
    securityKeyProvider: one('securitykeyprovider') === 'internal' ? undefined : one('securitykeyprovider'),
    gssapi: one('gssapiauthentication') === 'yes',
    controlPath: one('controlpath') === undefined ? undefined : file(one('controlpath') ?? ''),
  };
}

/** `ssh -G`; undefined when there is no ssh here, otherwise what it printed or its complaint. */
function askSsh(host: string, overrides: SshOverrides): Promise<Result<string, string> | undefined> {
  const args = ['-G'];
  if (overrides.configFile !== undefined) args.push('-F', overrides.configFile);
  if (overrides.user !== undefined) args.push('-l', overrides.user);
  if (overrides.port !== undefined) args.push('-p', String(overrides.port));
  if (overrides.jump !== undefined) args.push('-J', overrides.jump);
  return new Promise((resolve) => {
    execFile('ssh', [...args, '--', host], { timeout: 10_000, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) resolve(ok(stdout));
      else if ('code' in error && error.code === 'ENOENT') resolve(undefined);
      else resolve(err(stderr.trim().split('\n')[0] || error.message));
    });
  });
}

/**
 * Without an ssh here: the `ssh-config` package on the user's file and the system's. It does not follow Include, and
 * `Match exec` is left out: it would run a shell.
 */
async function readSshConfig(host: string, overrides: SshOverrides, local: SshEnvironment): Promise<Options> {
  const { default: SSHConfig } = await import('ssh-config');
  const options = new Map<string, string[]>();
  const files =
    overrides.configFile === undefined
      ? [join(local.home, '.ssh/config'), '/etc/ssh/ssh_config']
      : [overrides.configFile];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (text === '') continue;
    const found = SSHConfig.parse(text).compute(
      { Host: host, ...(overrides.user === undefined ? {} : { User: overrides.user }) },
      { matchExec: false },
    );
    for (const [name, value] of Object.entries(found)) {
      const key = name.toLowerCase();
      if (!options.has(key)) options.set(key, Array.isArray(value) ? value : [value]);
    }
  }
  return options;
}

/**
 * What ssh_config says of this host, with the tool's own configuration over it. Fails with ssh's own words when its
 * configuration is broken.
 */
export async function resolveSshTarget(
  host: string,
  overrides: SshOverrides = {},
  local: SshEnvironment = thisEnvironment(),
): Promise<Result<{ readonly target: SshTarget; readonly hasSsh: boolean }, string>> {
  if (!isHostName(host)) return err(`not a host name: ${JSON.stringify(host)}`);
  const asked = await askSsh(host, overrides);
  if (asked?.ok === false) return asked;
  const options = asked === undefined ? await readSshConfig(host, overrides, local) : parseSshG(asked.value);
  return ok({ target: targetFromOptions(host, options, overrides, local), hasSsh: asked !== undefined });
}

/** `user@host:port`, `[v6]:port` of a jump specification. */
export function parseJump(hop: string): { readonly host: string; readonly user?: string; readonly port?: number } {
  const at = hop.lastIndexOf('@');
  const user = at < 0 ? undefined : hop.slice(0, at);
  const place = hop.slice(at + 1);
  const match = /^\[([^\]]+)\](?::(\d+))?$/.exec(place) ?? /^([^:]+)(?::(\d+))?$/.exec(place);
  const host = match?.[1] ?? place;
  const port = match?.[2];
  return { host, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port: Number(port) }) };
}
