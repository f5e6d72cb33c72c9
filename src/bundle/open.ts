import { open as openFile } from 'node:fs/promises';
import type { ZodType } from 'zod';
import { UserError } from '../engine/error.ts';
import { err, ok, type Result } from '../engine/result.ts';
import type { NodeFailure } from '../nodes/nodes.ts';
import { type Files, LIMITS, unpack } from './archive.ts';
import { type ApiRecord, BUNDLE_VERSION, type Manifest, type NodeRecord, type RecordedHost } from './format.ts';
import { commandSchema, exchangeSchema, manifestSchema, nodeFailureSchema, versionSchema } from './schema.ts';

/** A recorded run, read whole. */
export interface Bundle {
  /** Where it was read from, for messages. */
  readonly file: string;
  readonly manifest: Manifest;
  readonly api: readonly ApiRecord[];
  readonly hosts: ReadonlyMap<string, BundleHost>;
}

export interface BundleHost extends RecordedHost {
  readonly commands: readonly NodeRecord[];
  /** Why the host could not be reached at all. */
  readonly unreachable?: NodeFailure;
}

/**
 * Reads a bundle. The file may come from a stranger: sizes are bounded, nothing is unpacked to disk, every record is
 * checked. All that can be wrong with it is a `UserError` value that says what.
 */
export async function openBundle(file: string): Promise<Result<Bundle, UserError>> {
  const packed = await readBounded(file);
  return packed.ok ? readBundle(packed.value, file) : packed;
}

/** Reads a bundle from its bytes; `file` is only for messages. */
export async function readBundle(packed: Buffer, file: string): Promise<Result<Bundle, UserError>> {
  const unpacked = await unpack(packed);
  if (!unpacked.ok) return err(notABundle(file, unpacked.error));
  return assemble(unpacked.value, file);
}

const notABundle = (file: string, why: string): UserError =>
  new UserError(`cannot read the bundle ${file}`, {
    why,
    hint: 'make one with `ostk-doctor bundle`, or copy it again',
  });

async function readBounded(file: string): Promise<Result<Buffer, UserError>> {
  try {
    const handle = await openFile(file, 'r');
    try {
      const facts = await handle.stat();
      if (!facts.isFile()) return err(notABundle(file, 'it is not a file'));
      if (facts.size > LIMITS.packedBytes)
        return err(notABundle(file, `it is larger than ${LIMITS.packedBytes >> 20} MiB`));
      return ok(await handle.readFile());
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return err(notABundle(file, 'no such file'));
    if (code === 'EACCES') return err(notABundle(file, 'no permission to read it'));
    return err(notABundle(file, error instanceof Error ? error.message : String(error)));
  }
}

/** Thrown inside this file only, where a record cannot be read; becomes a `UserError` value. */
class Damaged extends Error {}

function assemble(files: Files, file: string): Result<Bundle, UserError> {
  try {
    if (!files.has('manifest.json')) throw new Damaged('it has no manifest.json: not a bundle of ostk-doctor');
    const version = parse(files, 'manifest.json', versionSchema);
    if (version.bundleVersion > BUNDLE_VERSION) {
      const by = version.tool ? ` by ostk-doctor ${version.tool.version}` : '';
      return err(
        new UserError(`cannot read the bundle ${file}`, {
          why: `it is of version ${version.bundleVersion}, made${by}; this ostk-doctor reads version ${BUNDLE_VERSION}`,
          hint: 'use a newer ostk-doctor',
        }),
      );
    }
    const manifest = parse(files, 'manifest.json', manifestSchema) as Manifest;
    const hosts = new Map<string, BundleHost>();
    for (const host of manifest.hosts) {
      const prefix = `nodes/${host.dir}/`;
      const connect = `${prefix}connect.json`;
      hosts.set(host.name, {
        ...host,
        commands: numberedFiles(files, prefix).map((path) => readCommand(files, path)),
        ...(files.has(connect) ? { unreachable: parse(files, connect, nodeFailureSchema) } : {}),
      });
    }
    const api = numberedFiles(files, 'api/').map((path) => readExchange(files, path));
    return ok({ file, manifest, api, hosts });
  } catch (error) {
    if (error instanceof Damaged) return err(notABundle(file, error.message));
    throw error;
  }
}

/** The records directly under a folder, in the order in which they were written. */
function numberedFiles(files: Files, prefix: string): string[] {
  return [...files.keys()]
    .filter((path) => path.startsWith(prefix) && /^\d{4,8}\.json$/.test(path.slice(prefix.length)))
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
}

function parse<T>(files: Files, path: string, schema: ZodType<T>): T {
  let raw: unknown;
  try {
    raw = JSON.parse(files.get(path)?.toString() ?? '');
  } catch {
    throw new Damaged(`${path} is not JSON`);
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Damaged(`${path}: ${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'has another shape'}`);
}

/** A text that may lie in a file of its own beside its record. */
function textOf(
  files: Files,
  inline: string | undefined,
  path: string,
  ending: string,
  encoding: 'utf8' | 'base64' = 'utf8',
): string {
  if (inline !== undefined) return inline;
  const beside = path.replace(/json$/, ending);
  const content = files.get(beside);
  if (!content) throw new Damaged(`${beside} is missing`);
  return content.toString(encoding);
}

function readExchange(files: Files, path: string): ApiRecord {
  const { kind, method, url, headers, authenticated, lines, answer, failure } = parse(files, path, exchangeSchema);
  const question = { kind, method, url, headers, authenticated, ...(lines === undefined ? {} : { lines }) };
  if (failure) return { ...question, outcome: err(failure) };
  if (!answer) throw new Damaged(`${path} has neither an answer nor a failure`);
  const { status, startedAt, ms } = answer;
  const body = textOf(files, answer.body, path, 'body');
  return { ...question, outcome: ok({ status, headers: answer.headers, body, startedAt, ms }) };
}

function readCommand(files: Files, path: string): NodeRecord {
  const { argv, netns, impact, round, encoding, result, failure, batch } = parse(files, path, commandSchema);
  const asked = {
    argv,
    impact,
    ...(netns === undefined ? {} : { netns }),
    ...(round === undefined ? {} : { round }),
    ...(encoding === undefined ? {} : { encoding }),
  };
  if (failure) return { ...asked, outcome: { ok: false, error: failure, batch: batch ?? false } };
  if (!result) throw new Damaged(`${path} has neither a result nor a failure`);
  const { code, truncated, timedOut, startedAt, ms } = result;
  const stdout = textOf(files, result.stdout, path, 'stdout', encoding);
  const stderr = textOf(files, result.stderr, path, 'stderr');
  return { ...asked, outcome: ok({ code, stdout, stderr, truncated, timedOut, startedAt, ms }) };
}
