import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Header } from 'tar';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS, pack, unpack } from '../../src/bundle/archive.ts';
import { openBundle, readBundle } from '../../src/bundle/open.ts';
import { manifest, smallBytes } from './small-run.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Why this file is refused, in one text. */
async function refusal(bytes: Buffer): Promise<string> {
  const opened = await readBundle(bytes, 'some.tgz');
  if (opened.ok) throw new Error('it was read');
  return `${opened.error.message} | ${opened.error.hint}`;
}

const entry = (
  path: string,
  content: string,
  type: 'File' | 'SymbolicLink' = 'File',
  size = content.length,
): Buffer => {
  const header = new Header({
    path,
    size,
    type,
    mode: 0o600,
    mtime: new Date(0),
    ...(type === 'File' ? {} : { linkpath: '/etc/passwd' }),
  });
  header.encode();
  if (!header.block) throw new Error('no header');
  return Buffer.concat([header.block, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)]);
};
const tgz = (...entries: readonly Buffer[]): Buffer => gzipSync(Buffer.concat([...entries, Buffer.alloc(1024)]));
const files = async (bytes: Buffer): Promise<Map<string, Buffer>> => {
  const unpacked = await unpack(bytes);
  if (!unpacked.ok) throw new Error(unpacked.error);
  return new Map(unpacked.value);
};

describe('an archive', () => {
  it('holds what was put into it, sorted, for its owner alone, without times', async () => {
    const given = new Map([
      ['b.json', Buffer.from('{}')],
      ['a.json', Buffer.alloc(1025, 'x')],
      ['empty', Buffer.alloc(0)],
    ]);
    const packed = await pack(given);
    expect(await files(packed)).toEqual(new Map([...given].sort()));
    expect(packed.equals(await pack(new Map([...given].reverse())))).toBe(true);
    const header = new Header(gunzipSync(packed), 0);
    expect(header).toMatchObject({ path: 'a.json', mode: 0o600, uid: 0, gid: 0, mtime: new Date(0) });
  });
});

describe('a file that is no sound bundle', () => {
  it.each([
    ['nothing', () => Buffer.alloc(0), 'not a gzip-compressed archive'],
    ['text', () => Buffer.from('hello, this is text'), 'not a gzip-compressed archive'],
    ['compressed text', () => gzipSync('hello'), 'not a tar archive'],
    ['an archive in an archive', () => gzipSync(tgz(entry('manifest.json', '{}'))), 'not a tar archive'],
    ['a foreign archive', () => tgz(entry('README.md', 'hello')), 'no manifest.json'],
    ['another program’s manifest', () => tgz(entry('manifest.json', '{"name":"x"}')), 'manifest.json: bundleVersion'],
    ['a manifest that is not JSON', () => tgz(entry('manifest.json', '{')), 'manifest.json is not JSON'],
    ['a path upwards', () => tgz(entry('../../etc/passwd', 'x')), 'a path that leaves it'],
    ['an absolute path', () => tgz(entry('/etc/passwd', 'x')), 'a path that leaves it'],
    ['a link', () => tgz(entry('manifest.json', '', 'SymbolicLink')), 'not a plain file'],
    ['a file twice', () => tgz(entry('manifest.json', '{}'), entry('manifest.json', '{}')), 'twice'],
    [
      'a file that claims to be huge',
      () => tgz(entry('manifest.json', '{}', 'File', LIMITS.fileBytes + 1)),
      /larger than|cut off/,
    ],
  ])('is refused: %s', async (_what, make, why) => {
    expect(await refusal(make())).toMatch(why);
  });

  it('is refused wherever it is cut off', async () => {
    const bytes = await smallBytes();
    for (const part of [0.1, 0.5, 0.9, 0.999]) {
      expect(await refusal(bytes.subarray(0, Math.floor(bytes.length * part)))).toMatch(/cut off|damaged/);
    }
    const raw = gunzipSync(bytes);
    expect(await refusal(gzipSync(raw.subarray(0, 700)))).toMatch(/cut off|damaged|no manifest/);
  });

  it('is refused when a byte is wrong', async () => {
    const bytes = Buffer.from(await smallBytes());
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff;
    expect(await refusal(bytes)).toMatch(/damaged|cut off/);
  });

  it('is refused when it would fill the memory', async () => {
    const bomb = gzipSync(Buffer.concat([entry('manifest.json', '{}'), Buffer.alloc(8 << 20)]));
    expect(await unpack(bomb, { ...LIMITS, unpackedBytes: 4 << 20 })).toEqual({
      ok: false,
      error: 'it unpacks to more than 4 MiB',
    });
    const crowd = tgz(...Array.from({ length: 6 }, (_, n) => entry(`api/${n}.json`, '{}')));
    expect(await unpack(crowd, { ...LIMITS, files: 5 })).toEqual({ ok: false, error: 'it holds more than 5 files' });
  });

  it('is refused when a record is damaged or lost', async () => {
    const sound = await files(await smallBytes());
    const damaged = new Map(sound).set('api/0001.json', Buffer.from('{"kind":"write"}'));
    expect(await refusal(await pack(damaged))).toMatch(/api\/0001\.json: kind/);
    const body = [...sound.keys()].find((name) => name.endsWith('.body'));
    const lost = new Map(sound);
    lost.delete(body ?? '');
    expect(await refusal(await pack(lost))).toMatch(/\.body is missing/);
  });

  it('says when a newer doctor made it', async () => {
    const sound = await files(await smallBytes());
    const text = sound.get('manifest.json')?.toString() ?? '';
    sound.set(
      'manifest.json',
      Buffer.from(text.replace('"bundleVersion": 1', '"bundleVersion": 2').replace('0.1.0', '9.9.9')),
    );
    const why = await refusal(await pack(sound));
    expect(why).toContain('version 2, made by ostk-doctor 9.9.9');
    expect(why).toContain('use a newer ostk-doctor');
  });

  it('is a value also when there is no file', async () => {
    expect(await openBundle(join(folder, 'none.tgz'))).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('no such file') },
    });
    expect(await openBundle(folder)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('not a file') },
    });
  });
});

describe('a bundle of a later version of the same format', () => {
  it('is read past what is unknown', async () => {
    const sound = await files(await smallBytes());
    const text = sound.get('manifest.json')?.toString() ?? '';
    sound.set('manifest.json', Buffer.from(text.replace('{', '{ "novelty": [1],')));
    sound.set('extra/novelty.bin', Buffer.from([0, 1, 2]));
    const file = join(folder, 'later.tgz');
    await writeFile(file, await pack(sound));
    expect(await openBundle(file)).toMatchObject({
      ok: true,
      value: { file, manifest: { startedAt: manifest.startedAt } },
    });
  });
});
