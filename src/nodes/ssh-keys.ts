import { access, readFile } from 'node:fs/promises';
import type { SshTarget } from './ssh-target.ts';

/** A key file that ssh would try, and what it is good for without asking anybody. */
export interface IdentityFile {
  readonly path: string;
  readonly text: string;
  /** `sk`: on a security key that must be touched. */
  readonly kind: 'open' | 'encrypted' | 'sk';
}

/** Kind of a private key by its text alone; PEM states encryption in its head, OpenSSH's own format inside (PROTOCOL.key). */
export function identityKind(text: string): IdentityFile['kind'] | undefined {
  const match = /-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----([\s\S]*?)-----END/.exec(text);
  if (match === null) return undefined;
  const body = match[2] ?? '';
  if (match[1] !== 'OPENSSH ') {
    return match[1] === 'ENCRYPTED ' || /^Proc-Type: 4,ENCRYPTED/m.test(body) ? 'encrypted' : 'open';
  }
  const blob = Buffer.from(body, 'base64');
  if (blob.subarray(0, 15).toString('latin1') !== 'openssh-key-v1\0') return undefined;
  if (blob.includes('sk-ssh-ed25519@openssh.com') || blob.includes('sk-ecdsa-sha2-nistp256@openssh.com')) return 'sk';
  const length = blob.length >= 19 ? blob.readUInt32BE(15) : 0;
  return blob.subarray(19, 19 + length).toString('latin1') === 'none' ? 'open' : 'encrypted';
}

/** The key files of a target that exist and can be read, in ssh's order. */
export async function readIdentities(target: SshTarget): Promise<readonly IdentityFile[]> {
  const found = await Promise.all(
    target.identityFiles.map(async (path): Promise<IdentityFile | undefined> => {
      const text = await readFile(path, 'utf8').catch(() => undefined);
      const kind = text === undefined ? undefined : identityKind(text);
      return text === undefined || kind === undefined ? undefined : { path, text, kind };
    }),
  );
  return found.filter((identity) => identity !== undefined);
}

/** ssh also takes `KEY-cert.pub` next to a key file (ssh_config(5), IdentityFile); ssh2 knows no certificates. */
export async function certificateBeside(target: SshTarget): Promise<string | undefined> {
  for (const path of target.identityFiles) {
    const certificate = `${path}-cert.pub`;
    if (
      await access(certificate).then(
        () => true,
        () => false,
      )
    )
      return certificate;
  }
  return undefined;
}

/** A Kerberos ticket cache is there, so that GSSAPI may have something to show. */
export async function hasKerberosTicket(
  env: Readonly<Record<string, string | undefined>>,
  uid: number,
): Promise<boolean> {
  const named = env.KRB5CCNAME;
  if (named !== undefined && named !== '' && !named.startsWith('FILE:') && !named.startsWith('/')) return true;
  const file = named ? named.replace(/^FILE:/, '') : `/tmp/krb5cc_${uid}`;
  return access(file).then(
    () => true,
    () => false,
  );
}
