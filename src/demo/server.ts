import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle } from '../bundle/open.ts';
import { createAccounts } from './accounts.ts';
import { type DemoFaults, renaming } from './faults.ts';
import { startHttp } from './http.ts';
import { newKeyPair } from './keys.ts';
import { type DemoHost, type DemoSsh, startSsh } from './ssh.ts';

export type { DemoFaults, HttpFault, SshFault } from './faults.ts';
export type { DemoHost } from './ssh.ts';

export interface DemoOptions {
  readonly faults?: DemoFaults;
  /** How long a token is accepted (default an hour). */
  readonly tokenSeconds?: number;
}

/** A recorded cloud that answers again, on loopback, until it is closed. */
export interface DemoCloud {
  /** Where to sign in, on loopback. */
  readonly authUrl: string;
  /** OS_* variables for the doctor and any openstack client. */
  readonly env: Readonly<Record<string, string>>;
  /** ISO 8601: heartbeats and log times of the recording are fresh at this moment, so the run's clock should stand there. */
  readonly startedAt: string;
  /** By the API's host names. */
  readonly hosts: Readonly<Record<string, DemoHost>>;
  readonly user: string;
  readonly userKeyPath: string;
  readonly knownHostsPath: string;
  /** ssh_config(5) that reaches every host by its API name. */
  readonly sshConfigPath: string;
  /** What the doctor itself is to be told beside `env`: its configuration, and the time. */
  readonly doctorEnv: Readonly<Record<string, string>>;
  /** PEM of the certificate authority, when served over TLS. */
  readonly caPath?: string;
  /** Holds all these files; gone after `close`. */
  readonly dir: string;
  close(): Promise<void>;
}

const USER = 'demo';

/**
 * Serves a bundle as a living cloud on 127.0.0.1: the APIs over HTTP, the hosts over SSH. Needs neither root nor
 * network. Keys, password and tokens are made anew for every start.
 */
export async function startDemoCloud(bundle: Bundle, options: DemoOptions = {}): Promise<DemoCloud> {
  const faults = options.faults ?? {};
  const dir = await mkdtemp(join(tmpdir(), 'ostk-doctor-demo-'));
  const removeDir = () => rmSync(dir, { recursive: true, force: true });
  process.once('exit', removeDir);
  const open: { close(): Promise<void> }[] = [];
  const close = async () => {
    await Promise.all(open.splice(0).map((part) => part.close()));
    await rm(dir, { recursive: true, force: true });
    process.removeListener('exit', removeDir);
  };

  try {
    const accounts = createAccounts(bundle, {
      refuse: (faults.http ?? []).some((fault) => fault.do === 'refuse-password'),
      tokenSeconds: options.tokenSeconds ?? 3600,
    });
    const http = await startHttp(bundle, accounts, faults);
    open.push(http);

    const user = newKeyPair();
    const names = renaming(faults.rename);
    const hosts: Record<string, DemoHost> = {};
    for (const host of bundle.hosts.values()) {
      const ssh: DemoSsh = await startSsh(bundle, host, user, faults.ssh?.[host.name] ?? [], names);
      open.push(ssh);
      hosts[host.name] = ssh.host;
    }

    const file = async (name: string, content: string): Promise<string> => {
      const path = join(dir, name);
      await writeFile(path, content, { mode: 0o600, flag: 'wx' });
      return path;
    };
    const userKeyPath = await file('id_ed25519', user.private);
    const knownHostsPath = await file('known_hosts', lines(Object.values(hosts).map((host) => host.hostKeyLine)));
    const sshConfigPath = await file('ssh_config', sshConfig(hosts, userKeyPath, knownHostsPath));
    const configPath = await file(
      'ostk-doctor.yaml',
      `ssh:\n  configFile: ${JSON.stringify(sshConfigPath)}\n  knownHosts: ${JSON.stringify(knownHostsPath)}\n`,
    );
    const caPath = http.cert === undefined ? undefined : await file('ca.pem', http.cert);
    const authUrl = http.rewrite(bundle.manifest.cloud.authUrl ?? signInUrl(bundle));
    return {
      authUrl,
      env: { ...accounts.env, OS_AUTH_URL: authUrl },
      startedAt: bundle.manifest.startedAt,
      hosts,
      user: USER,
      userKeyPath,
      knownHostsPath,
      sshConfigPath,
      doctorEnv: { OSTK_DOCTOR_CONFIG: configPath, OSTK_DOCTOR_NOW: bundle.manifest.startedAt },
      ...(caPath === undefined ? {} : { caPath }),
      dir,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('');

/** Where the recorded run signed in, when its configuration does not say. */
const signInUrl = (bundle: Bundle): string =>
  bundle.api.find((record) => record.url.endsWith('/auth/tokens'))?.url.replace(/\/auth\/tokens$/, '') ??
  'http://127.0.0.1:9';

function sshConfig(hosts: Readonly<Record<string, DemoHost>>, key: string, knownHosts: string): string {
  const stanzas = Object.entries(hosts)
    // a name with blanks or patterns in it would mean something else in ssh_config(5)
    .filter(([name]) => /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name))
    .map(([name, { address, port }]) => `Host ${name}\n  HostName ${address}\n  Port ${port}\n`);
  const common = `Host *\n  User ${USER}\n  IdentityFile "${key}"\n  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile "${knownHosts}"\n  GlobalKnownHostsFile /dev/null\n  BatchMode yes\n`;
  return `${stanzas.join('')}${common}`;
}
