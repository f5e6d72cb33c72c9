import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { err, ok, type Result } from '../engine/result.ts';

/** Bounds on what is read, far above what a run of a thousand hosts writes. */
export const LIMITS = {
  packedBytes: 256 * 1024 * 1024,
  unpackedBytes: 512 * 1024 * 1024,
  fileBytes: 64 * 1024 * 1024,
  files: 100_000,
};

/** Names inside the archive, to their contents. */
export type Files = ReadonlyMap<string, Buffer>;

const BLOCK = 512;

/** A .tgz whose bytes depend on nothing but the files: sorted, no times, no owners, mode 0600. */
export async function pack(files: Files): Promise<Buffer> {
  const { Header } = await import('tar');
  const parts: Buffer[] = [];
  const owned = { mode: 0o600, uid: 0, gid: 0, mtime: new Date(0), type: 'File' as const };
  for (const path of [...files.keys()].sort()) {
    const content = files.get(path) ?? Buffer.alloc(0);
    const header = new Header({ ...owned, path, size: content.length });
    header.encode();
    if (header.needPax || !header.block) throw new Error(`${path} does not fit into a tar header`);
    parts.push(header.block, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK));
  }
  parts.push(Buffer.alloc(2 * BLOCK));
  // zlib writes no time into its header; the byte of the operating system is its only difference
  const packed = await promisify(gzip)(Buffer.concat(parts), { level: 6 });
  packed[9] = 255;
  return packed;
}

/**
 * Reads a .tgz in memory: nothing is ever written to a path that an archive names. Returns why not, in words.
 * Everything but plain files with safe names is refused or, for folders, ignored.
 */
export async function unpack(packed: Buffer, limits: typeof LIMITS = LIMITS): Promise<Result<Files, string>> {
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) return err('it is not a gzip-compressed archive');
  let raw: Buffer;
  try {
    raw = await promisify(gunzip)(packed, { maxOutputLength: limits.unpackedBytes });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ERR_BUFFER_TOO_LARGE') return err(`it unpacks to more than ${limits.unpackedBytes >> 20} MiB`);
    if (code === 'Z_BUF_ERROR') return err('it is cut off');
    return err('its compression is damaged');
  }
  // also keeps the parser from unpacking a second archive inside, unbounded
  if (raw.subarray(257, 262).toString('latin1') !== 'ustar') return err('it is not a tar archive');
  return readTar(raw, limits);
}

async function readTar(raw: Buffer, limits: typeof LIMITS): Promise<Result<Files, string>> {
  const { Parser } = await import('tar');
  return new Promise((resolve) => {
    const files = new Map<string, Buffer>();
    let refused: string | undefined;
    const parser = new Parser({
      strict: true,
      maxMetaEntrySize: 64 * 1024,
      onReadEntry: (entry) => {
        const path = entry.path;
        const problem = entry.type === 'Directory' ? undefined : problemOf(path, entry.type, entry.size, files, limits);
        if (problem !== undefined) refused ??= problem;
        if (problem !== undefined || entry.type === 'Directory') {
          entry.resume();
          return;
        }
        const chunks: Buffer[] = [];
        entry.on('data', (chunk: Buffer) => chunks.push(chunk));
        entry.on('end', () => files.set(path, Buffer.concat(chunks)));
      },
    });
    parser.on('error', () => resolve(err('it is cut off or damaged')));
    parser.on('end', () => resolve(refused === undefined ? ok(files) : err(refused)));
    parser.end(raw);
  });
}

function problemOf(path: string, type: string, size: number, files: Files, limits: typeof LIMITS): string | undefined {
  const shown = JSON.stringify(path.slice(0, 100));
  if (path.startsWith('/') || path.includes('\\') || path.includes('\0') || path.split('/').includes('..')) {
    return `it holds a path that leaves it: ${shown}`;
  }
  if (type !== 'File' && type !== 'OldFile') return `it holds something that is not a plain file: ${shown}`;
  if (size > limits.fileBytes) return `${shown} is larger than ${limits.fileBytes >> 20} MiB`;
  if (files.size >= limits.files) return `it holds more than ${limits.files} files`;
  if (files.has(path)) return `it holds ${shown} twice`;
  return undefined;
}
