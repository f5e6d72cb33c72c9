import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  appendKnownHost,
  explainHostKey,
  fingerprint,
  hashHost,
  hostKeyAlgorithms,
  KnownHosts,
  knownHostName,
  matchHosts,
  matchPattern,
  parseKnownHosts,
  readKnownHosts,
} from '../../src/nodes/known-hosts.ts';

const folder = mkdtempSync(join(tmpdir(), 'osd-known-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hasKeygen = (() => {
  try {
    execFileSync('ssh-keygen', ['-?'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT');
  }
})();

/** A key as a server would send it, of any type and content; nobody checks a signature here. */
const keyOf = (type: string, seed: number): Buffer => {
  const name = Buffer.from(type);
  const body = Buffer.alloc(36, seed);
  body.writeUInt32BE(32, 0);
  return Buffer.concat([Buffer.from([0, 0, 0, name.length]), name, body]);
};
const ed = (seed: number) => keyOf('ssh-ed25519', seed);
const rsa = (seed: number) => keyOf('ssh-rsa', seed);
const line = (hosts: string, key: Buffer, type = 'ssh-ed25519') => `${hosts} ${type} ${key.toString('base64')}`;
const known = (...lines: string[]) => new KnownHosts(parseKnownHosts(lines.join('\n'), '/home/me/.ssh/known_hosts'));

describe('known_hosts', () => {
  it('knows a host by its name, by one of several names, by a pattern, by a hash', () => {
    const hosts = known(
      '# a comment',
      '',
      line('ctl,198.18.0.10', ed(1)),
      line('*.example.org,!bad.example.org,cmp?', ed(2)),
      line('[net1]:2222', ed(3)),
      line(hashHost('secret'), ed(4)),
      line(hashHost('[secret]:2222'), ed(5)),
    );
    expect(hosts.verify('ctl', ed(1)).kind).toBe('known');
    expect(hosts.verify('198.18.0.10', ed(1)).kind).toBe('known');
    expect(hosts.verify('a.example.org', ed(2)).kind).toBe('known');
    expect(hosts.verify('cmp1', ed(2)).kind).toBe('known');
    expect(hosts.verify('cmp12', ed(2)).kind).toBe('unknown');
    expect(hosts.verify('bad.example.org', ed(2)).kind).toBe('unknown');
    expect(hosts.verify(knownHostName('net1', 2222), ed(3)).kind).toBe('known');
    expect(hosts.verify('net1', ed(3)).kind).toBe('unknown');
    expect(hosts.verify('secret', ed(4)).kind).toBe('known');
    expect(hosts.verify(knownHostName('SECRET', 2222), ed(5)).kind).toBe('known');
    expect(hosts.verify('other', ed(4)).kind).toBe('unknown');
  });

  it('tells a changed key from an unknown host', () => {
    const hosts = known(line('ctl', ed(1)), line('ctl', rsa(1), 'ssh-rsa'));
    expect(hosts.verify('ctl', ed(9))).toMatchObject({ kind: 'changed', entry: { line: 1 }, type: 'ssh-ed25519' });
    expect(hosts.verify('ctl', rsa(9))).toMatchObject({ kind: 'changed', entry: { line: 2 } });
    expect(hosts.verify('ctl', rsa(1)).kind).toBe('known');
    expect(known(line('ctl', ed(1))).verify('ctl', rsa(1)).kind).toBe('changed');
  });

  it('lets a revocation outweigh everything', () => {
    const hosts = known(line('ctl', ed(1)), `@revoked ${line('*', ed(1))}`);
    expect(hosts.verify('ctl', ed(1))).toMatchObject({ kind: 'revoked', entry: { line: 2 } });
    expect(hosts.verify('ctl', ed(2)).kind).toBe('changed');
    expect(hosts.verify('new', ed(2)).kind).toBe('unknown');
  });

  it('does not take a certificate authority for a host key', () => {
    const hosts = known(
      `@cert-authority ${line('*.ca', ed(1))}`,
      `@cert-authority ${line('both', ed(1))}`,
      line('both', ed(2)),
    );
    expect(hosts.verify('x.ca', ed(1))).toMatchObject({ kind: 'unknown', onlyAuthority: true });
    expect(hosts.onlyAuthority('x.ca')).toBe(true);
    expect(hosts.onlyAuthority('both')).toBe(false);
    expect(hosts.onlyAuthority('nowhere')).toBe(false);
  });

  it('passes over lines that are none', () => {
    expect(
      parseKnownHosts(
        [
          'garbage',
          'h ssh-ed25519',
          'h ssh-rsa !!!!',
          '@strange h ssh-ed25519 AAAA',
          `h ssh-rsa ${ed(1).toString('base64')}`,
          '|1|x|y|z a b',
        ].join('\n'),
      ),
    ).toEqual([]);
  });

  it('never throws and never trusts, whatever the file holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (text, name) => {
        expect(new KnownHosts(parseKnownHosts(text)).verify(name, ed(7)).kind).not.toBe('known');
      }),
    );
  });

  it('matches long patterns without getting lost', () => {
    expect(matchPattern('a'.repeat(5000), `${'*a'.repeat(50)}b`)).toBe(false);
    expect(matchPattern('a'.repeat(5000), `${'*a'.repeat(50)}*`)).toBe(true);
    expect(matchHosts('h', '!h,*')).toBe(false);
    expect(matchHosts('h', '!x')).toBe(false);
  });

  it('asks the server for the types of key it knows first', () => {
    const hosts = known(
      line('ctl', rsa(1), 'ssh-rsa'),
      line('ctl', keyOf('ecdsa-sha2-nistp256', 1), 'ecdsa-sha2-nistp256'),
    );
    expect(hostKeyAlgorithms(hosts.types('ctl')).slice(0, 4)).toEqual([
      'rsa-sha2-512',
      'rsa-sha2-256',
      'ecdsa-sha2-nistp256',
      'ssh-ed25519',
    ]);
    expect(hostKeyAlgorithms([])[0]).toBe('ssh-ed25519');
    expect(new Set(hostKeyAlgorithms(['ssh-rsa'])).size).toBe(hostKeyAlgorithms([]).length);
  });

  it('says what an operator would type', () => {
    const unknown = known().verify('cmp1', ed(1));
    if (unknown.kind === 'known') throw new Error('not known');
    const text = explainHostKey(unknown, 'cmp1', 2222, '/root/.ssh/known_hosts');
    expect(text.detail).toBe(`the host key is not known: ed25519 key ${fingerprint(ed(1))}`);
    expect(text.fix).toContain('ssh-keyscan -t ed25519 -p 2222 cmp1 >> /root/.ssh/known_hosts');

    const changed = known(line('[cmp1]:2222', ed(2))).verify('[cmp1]:2222', ed(1));
    if (changed.kind === 'known') throw new Error('not known');
    const said = explainHostKey(changed, 'cmp1', 2222, 'x');
    expect(said.detail).toContain('/home/me/.ssh/known_hosts:1 has another');
    expect(said.fix).toContain("ssh-keygen -R '[cmp1]:2222' -f /home/me/.ssh/known_hosts");

    const revoked = known(`@revoked ${line('cmp1', ed(1))}`).verify('cmp1', ed(1));
    if (revoked.kind === 'known') throw new Error('not known');
    expect(explainHostKey(revoked, 'cmp1', 22, 'x').detail).toContain('is revoked');
  });

  it('adds a key once it is accepted, after what stands there', async () => {
    const file = join(folder, 'new/known_hosts');
    await appendKnownHost(file, 'cmp1', ed(1), false);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, readFileSync(file, 'utf8').trimEnd());
    await appendKnownHost(file, '[cmp2]:2222', ed(2), true);
    const hosts = await readKnownHosts([join(folder, 'missing'), file]);
    expect(hosts.verify('cmp1', ed(1)).kind).toBe('known');
    expect(hosts.verify('[cmp2]:2222', ed(2)).kind).toBe('known');
    expect(readFileSync(file, 'utf8')).not.toContain('cmp2');
  });
});

// Compared with the real tool; skipped where ssh-keygen is not installed.
describe.skipIf(!hasKeygen)('known_hosts, as ssh-keygen has it', () => {
  const file = join(folder, 'differential');
  const keygen = (...args: string[]): string => {
    try {
      return execFileSync('ssh-keygen', [...args, '-f', file], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    } catch (error) {
      if (error instanceof Error && 'status' in error) return '';
      throw error;
    }
  };
  /** Lines that `ssh-keygen -F` finds. */
  const found = (name: string): number[] =>
    [...keygen('-F', name).matchAll(/^# Host .* found: line (\d+)/gm)].map((match) => Number(match[1]));
  const ours = (name: string): number[] =>
    parseKnownHosts(readFileSync(file, 'utf8'))
      .filter((entry) => matchHosts(name.toLowerCase(), entry.hosts))
      .map((entry) => entry.line);

  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'id')]);
  const publicKey = readFileSync(join(folder, 'id.pub'), 'utf8').split(' ').slice(0, 2).join(' ');

  const label = fc.constantFrom('a', 'ab', 'b', 'A', 'cmp1', 'cmp2', 'x.org', '10.0.0.1', 'fe80::1');
  const name = fc.oneof(
    label,
    fc.tuple(label, fc.constantFrom('22', '2222')).map(([host, port]) => `[${host}]:${port}`),
  );
  const word = fc
    .oneof(
      name,
      fc.constantFrom('*', '?', 'a*', '*b', 'cmp?', '*.org', '10.0.*', '[*]:2222', '[cmp?]:2222', '**', '?b'),
    )
    .chain((text) => fc.boolean().map((negated) => (negated ? `!${text}` : text)));
  const entry = fc.tuple(
    fc.constantFrom('', '', '', '@revoked ', '@cert-authority '),
    fc.array(word, { minLength: 1, maxLength: 4 }),
  );

  it('finds the same lines for any name and any patterns', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 1, maxLength: 6 }),
        fc.array(name, { minLength: 1, maxLength: 3 }),
        (entries, names) => {
          writeFileSync(file, entries.map(([marker, words]) => `${marker}${words.join(',')} ${publicKey}\n`).join(''));
          for (const each of names) expect([each, ours(each)]).toEqual([each, found(each)]);
        },
      ),
      { numRuns: 40 },
    );
  }, 30_000);

  // In lower case, as ssh writes them: ssh-keygen hashes what it is given.
  it('finds the same lines in files that ssh-keygen has hashed', () => {
    const lower = name.map((text) => text.toLowerCase());
    fc.assert(
      fc.property(fc.uniqueArray(lower, { minLength: 1, maxLength: 5 }), lower, (names, asked) => {
        writeFileSync(file, names.map((each) => `${each} ${publicKey}\n`).join(''));
        keygen('-H');
        expect(readFileSync(file, 'utf8')).toContain('|1|');
        for (const each of [...names, asked]) expect([each, ours(each)]).toEqual([each, found(each)]);
      }),
      { numRuns: 15 },
    );
  }, 30_000);

  it('is found by ssh-keygen where we have hashed', () => {
    writeFileSync(file, `${hashHost('[cmp1]:2222')} ${publicKey}\n`);
    expect(found('[cmp1]:2222')).toEqual([1]);
    expect(found('cmp1')).toEqual([]);
  });

  it('shows the same fingerprint', () => {
    const shown = execFileSync('ssh-keygen', ['-l', '-f', join(folder, 'id.pub')], { encoding: 'utf8' }).split(' ')[1];
    expect(fingerprint(Buffer.from(publicKey.split(' ')[1] ?? '', 'base64'))).toBe(shown);
  });
});
