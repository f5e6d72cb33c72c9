import { execFile } from 'node:child_process';
import { knownHostName, readKnownHosts } from './known-hosts.ts';
import { certificateBeside, hasKerberosTicket, readIdentities } from './ssh-keys.ts';
import type { SshTarget } from './ssh-target.ts';

export type SshWish = 'auto' | 'ssh2' | 'openssh';

export interface BackendChoice {
  readonly backend: 'ssh2' | 'openssh';
  /** For `-vv`: why not ssh2. */
  readonly because: string;
  /** The operator's own shared connection to this host is open, and is used. */
  readonly ownMaster: boolean;
}

/** What decides, so that the decision itself is pure. */
export interface BackendFacts {
  readonly hasSsh: boolean;
  /** Path of a `KEY-cert.pub` next to a key file. */
  readonly certificate: string | undefined;
  readonly onlyAuthority: boolean;
  readonly ownMaster: boolean;
  readonly openKeys: number;
  readonly securityKeys: number;
  readonly kerberosTicket: boolean;
  /** A jump host of this target needs the system's ssh. */
  readonly jumpNeedsOpenssh: boolean;
}

/**
 * ssh2 unless the host needs what only OpenSSH can do: its connections are made once and its channels cost a
 * millisecond. `GSSAPIAuthentication yes` alone says nothing: Debian's ssh_config sets it for every host.
 */
export function chooseBackend(target: SshTarget, wish: SshWish, facts: BackendFacts): BackendChoice {
  const openssh = (because: string, ownMaster = false): BackendChoice => ({ backend: 'openssh', because, ownMaster });
  if (wish === 'openssh') return openssh('asked for', facts.ownMaster);
  if (wish === 'ssh2') return { backend: 'ssh2', because: 'asked for', ownMaster: false };
  if (!facts.hasSsh) return { backend: 'ssh2', because: 'there is no ssh on this machine', ownMaster: false };
  if (facts.ownMaster) return openssh('its shared connection is open (ControlMaster)', true);
  if (target.proxyCommand !== undefined) return openssh('ProxyCommand');
  if (target.certificateFiles.length > 0) return openssh('CertificateFile');
  if (facts.certificate !== undefined) return openssh(`the certificate ${facts.certificate}`);
  if (target.pkcs11Provider !== undefined) return openssh('PKCS11Provider');
  if (target.securityKeyProvider !== undefined) return openssh('SecurityKeyProvider');
  if (facts.onlyAuthority) return openssh('known_hosts knows it by a certificate authority only');
  if (facts.jumpNeedsOpenssh) return openssh('a jump host needs it');
  if (facts.openKeys === 0 && target.agent === undefined) {
    if (facts.securityKeys > 0) return openssh('the only key is a security key');
    if (target.gssapi && facts.kerberosTicket) return openssh('no key, but a Kerberos ticket');
  }
  return { backend: 'ssh2', because: 'nothing needs more', ownMaster: false };
}

/** Asks ssh whether the operator's own ControlMaster for this host is alive; ssh expands the path's tokens itself. */
const masterAlive = (target: SshTarget): Promise<boolean> =>
  new Promise((resolve) => {
    const file = target.configFile === undefined ? [] : ['-F', target.configFile];
    const args = [...file, '-l', target.user, '-p', String(target.port), '-O', 'check', '--', target.alias];
    execFile('ssh', args, { timeout: 3000 }, (error) => resolve(error === null));
  });

/** Looks at keys, known_hosts and sockets for one target. */
export async function backendFacts(
  target: SshTarget,
  hasSsh: boolean,
  env: Readonly<Record<string, string | undefined>>,
  jumpNeedsOpenssh: boolean,
): Promise<BackendFacts> {
  const [identities, certificate, known, kerberosTicket, ownMaster] = await Promise.all([
    readIdentities(target),
    certificateBeside(target),
    readKnownHosts([...target.userKnownHosts, ...target.globalKnownHosts]),
    target.gssapi ? hasKerberosTicket(env, process.getuid?.() ?? 0) : false,
    hasSsh && target.controlPath !== undefined ? masterAlive(target) : false,
  ]);
  return {
    hasSsh,
    certificate,
    onlyAuthority: known.onlyAuthority(target.hostKeyAlias ?? knownHostName(target.hostname, target.port)),
    ownMaster,
    openKeys: identities.filter(({ kind }) => kind === 'open').length,
    securityKeys: identities.filter(({ kind }) => kind === 'sk').length,
    kerberosTicket,
    jumpNeedsOpenssh,
  };
}
