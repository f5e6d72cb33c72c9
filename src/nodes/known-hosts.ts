import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { quoteArg } from './quote.ts';

/** One line of a known_hosts file. sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". */
export interface KnownHost {
  readonly marker: 'revoked' | 'cert-authority' | undefined;
  /** The first field as it stands: names, patterns, or a hash. */
  readonly hosts: string;
  /** `ssh-ed25519`, `ssh-rsa`, … */
  readonly type: string;
  /** The key as the server sends it. */
  readonly key: Buffer;
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
}

export type HostKeyVerdict =
  | { readonly kind: 'known' }
  /** `onlyAuthority`: only a certificate authority speaks for this host. */
  | { readonly kind: 'unknown'; readonly fingerprint: string; readonly type: string; readonly onlyAuthority: boolean }
  | { readonly kind: 'changed'; readonly fingerprint: string; readonly type: string; readonly entry: KnownHost }
  | { readonly kind: 'revoked'; readonly fingerprint: string; readonly type: string; readonly entry: KnownHost };

/** The type a key blob states of itself (RFC 4253, 6.6). */
export function keyType(key: Buffer): string {
  if (key.length < 4) return '';
  const length = key.readUInt32BE(0);
  return length > 256 ? '' : key.subarray(4, 4 + length).toString('latin1');
}

/** As ssh-keygen -l shows it. */
export const fingerprint = (key: Buffer): string =>
  `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;

/** The name under which a host stands in known_hosts: `[name]:port` unless the port is 22; lower case as ssh does. */
export const knownHostName = (host: string, port = 22): string => {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
};

/** Lines that are not entries (comments, broken ones) are passed over, as ssh does. */
export function parseKnownHosts(text: string, file = 'known_hosts'): readonly KnownHost[] {
  const entries: KnownHost[] = [];
  text.split('\n').forEach((raw, index) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return;
    const fields = line.split(/[ \t]+/);
    let marker: KnownHost['marker'];
    if (fields[0]?.startsWith('@')) {
      const word = fields.shift();
      if (word === '@revoked') marker = 'revoked';
      else if (word === '@cert-authority') marker = 'cert-authority';
      else return;
    }
    const [hosts, type, base64] = fields;
    if (hosts === undefined || type === undefined || base64 === undefined) return;
    const key = Buffer.from(base64, 'base64');
    if (keyType(key) !== type) return;
    entries.push({ marker, hosts, type, key, file, line: index + 1 });
  });
  return entries;
}

/** `*` is any text, `?` any one character, nothing else is special (OpenSSH match.c). No backtracking beyond one star. */
export function matchPattern(text: string, pattern: string): boolean {
  let t = 0;
  let p = 0;
  let star = -1;
  let from = 0;
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p++;
      from = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** `|1|salt|hmac`: HMAC-SHA1 of the name with the salt as its key (OpenSSH hostfile.c, host_hash). */
function matchHash(name: string, field: string): boolean {
  const [, version, salt, hash, ...more] = field.split('|');
  if (version !== '1' || salt === undefined || hash === undefined || more.length > 0) return false;
  const expected = Buffer.from(hash, 'base64');
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** Does this first field speak of this name? A negated pattern that matches outweighs all others. */
export function matchHosts(name: string, field: string): boolean {
  if (field.startsWith('|')) return matchHash(name, field);
  let matched = false;
  for (const word of field.toLowerCase().split(',')) {
    if (word.startsWith('!')) {
      if (matchPattern(name, word.slice(1))) return false;
    } else if (word !== '' && matchPattern(name, word)) {
      matched = true;
    }
  }
  return matched;
}

/** The first field of a hashed entry, as HashKnownHosts makes it. */
export function hashHost(name: string, salt: Buffer = randomBytes(20)): string {
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

/** All entries of these files, in order. Files that are not there or not readable are passed over, as ssh does. */
export async function readKnownHosts(files: readonly string[]): Promise<KnownHosts> {
  const parts = await Promise.all(
    files.map(async (file) => {
      try {
        return parseKnownHosts(await readFile(file, 'utf8'), file);
      } catch {
        return [];
      }
    }),
  );
  return new KnownHosts(parts.flat());
}

/** What the known_hosts files say about one name. */
export class KnownHosts {
  readonly entries: readonly KnownHost[];

  constructor(entries: readonly KnownHost[]) {
    this.entries = entries;
  }

  #about(name: string): readonly KnownHost[] {
    return this.entries.filter((entry) => matchHosts(name, entry.hosts));
  }

  /** Types of the plain keys known for this name: a server with several keys must be asked for one of these. */
  types(name: string): readonly string[] {
    const types = this.#about(name)
      .filter((entry) => entry.marker === undefined)
      .map((entry) => entry.type);
    return [...new Set(types)];
  }

  /** A certificate authority speaks for this name, and no plain key does. */
  onlyAuthority(name: string): boolean {
    const about = this.#about(name).filter((entry) => entry.marker !== 'revoked');
    return about.length > 0 && about.every((entry) => entry.marker === 'cert-authority');
  }

  /**
   * Revocation counts whatever else is known. A key of another type than the known ones is a changed key: we asked for
   * the known types first, so the server no longer has them (stricter than ssh, which calls such a key new).
   */
  verify(name: string, key: Buffer): HostKeyVerdict {
    const about = this.#about(name);
    const shown = { fingerprint: fingerprint(key), type: keyType(key) };
    const revoked = about.find((entry) => entry.marker === 'revoked' && entry.key.equals(key));
    if (revoked !== undefined) return { kind: 'revoked', ...shown, entry: revoked };
    const plain = about.filter((entry) => entry.marker === undefined);
    if (plain.some((entry) => entry.key.equals(key))) return { kind: 'known' };
    const other = plain.find((entry) => entry.type === shown.type) ?? plain[0];
    if (other !== undefined) return { kind: 'changed', ...shown, entry: other };
    return { kind: 'unknown', ...shown, onlyAuthority: this.onlyAuthority(name) };
  }
}

const short = (type: string): string =>
  type === 'ssh-rsa' ? 'rsa' : type.startsWith('ecdsa-') ? 'ecdsa' : type === 'ssh-ed25519' ? 'ed25519' : type;

/**
 * What a person reads when a host key is not accepted, and what they would type.
 * @param file where a new key would be added
 */
export function explainHostKey(
  verdict: Exclude<HostKeyVerdict, { kind: 'known' }>,
  host: string,
  port: number,
  file: string,
): { readonly detail: string; readonly fix: string } {
  const key = `${short(verdict.type)} key ${verdict.fingerprint}`;
  const name = knownHostName(host, port);
  switch (verdict.kind) {
    case 'unknown': {
      const where = port === 22 ? '' : `-p ${port} `;
      return {
        detail: `the host key is not known: ${key}`,
        fix: `compare the fingerprint with the node's own (ssh-keygen -lf /etc/ssh/ssh_host_${short(verdict.type)}_key.pub), then: ssh-keyscan -t ${short(verdict.type)} ${where}${quoteArg(host)} >> ${file}`,
      };
    }
    case 'changed':
      return {
        detail: `the host key has changed: ${key}, but ${verdict.entry.file}:${verdict.entry.line} has another`,
        fix: `somebody may be in between, or the node was installed anew; if so: ssh-keygen -R ${quoteArg(name)} -f ${verdict.entry.file}`,
      };
    case 'revoked':
      return {
        detail: `the host key is revoked: ${key}, by ${verdict.entry.file}:${verdict.entry.line}`,
        fix: `give ${host} a new host key; this one must not be used any more`,
      };
  }
}

/** Adds a key on first use. Throws when the file cannot be written. */
export async function appendKnownHost(file: string, name: string, key: Buffer, hashed: boolean): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const first = await readFile(file, 'utf8').catch(() => '');
  const gap = first === '' || first.endsWith('\n') ? '' : '\n';
  const field = hashed ? hashHost(name) : name;
  await appendFile(file, `${gap}${field} ${keyType(key)} ${key.toString('base64')}\n`, { mode: 0o600 });
}

/** Signature algorithms that a server may prove a key of this type with, strongest first. */
const algorithmsOf: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/**
 * Algorithms to ask the server for: those of the known keys first (else a server with two keys shows the other one, and
 * it looks changed), then the rest.
 */
export function hostKeyAlgorithms(knownTypes: readonly string[]): string[] {
  const known = knownTypes.flatMap((type) => algorithmsOf[type] ?? []);
  return [...new Set([...known, ...Object.values(algorithmsOf).flat()])];
}
