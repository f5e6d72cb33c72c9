import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { type Branch, branch, leaf, type Tree } from './tree.ts';
import type { LoadOptions, Origin } from './types.ts';

/** A configuration file that was found, read and understood. */
export interface ConfigFile {
  readonly path: string;
  readonly root: Branch;
  /** Group or others may read it. */
  readonly exposed: boolean;
}

/** What the search came to; the first readable file wins, several are never merged. */
export interface Search {
  readonly file?: ConfigFile;
  /** In search order, for the error that nothing was found. */
  readonly looked: readonly string[];
  readonly warnings: readonly string[];
}

const suffixes = ['.yaml', '.yml', '.json'];
const maxBytes = 4 * 1024 * 1024;

/**
 * The directories openstacksdk searches, in its order: the current one, the user's (XDG), `~/.config/openstack`
 * (the real home inside a snap), the site's, `/etc/openstack`.
 * Source: openstack/config/loader.py CONFIG_SEARCH_PATH.
 */
export function searchPath(options: LoadOptions): readonly string[] {
  const { env, cwd, home } = options;
  const mac = (options.platform ?? process.platform) === 'darwin';
  const userDir = mac
    ? join(home, 'Library', 'Application Support', 'openstack')
    : join(env.XDG_CONFIG_HOME || join(home, '.config'), 'openstack');
  const unixDir = join(env.SNAP_REAL_HOME || home, '.config', 'openstack');
  const xdgSites = (env.XDG_CONFIG_DIRS || '/etc/xdg').split(':').filter((dir) => dir !== '');
  const sites = options.siteDirs ?? [
    ...(mac ? ['/Library/Application Support/openstack'] : xdgSites.map((dir) => join(dir, 'openstack'))),
    '/etc/openstack',
  ];
  return [...new Set([cwd, userDir, unixDir, ...sites])];
}

/** Looks for `<base>.yaml|yml|json` in every directory; `first` (OS_CLIENT_CONFIG_FILE) is tried before all. */
export function findFile(base: string, dirs: readonly string[], first?: string): Search {
  const looked = [
    ...(first ? [first] : []),
    ...dirs.flatMap((dir) => suffixes.map((suffix) => join(dir, base + suffix))),
  ];
  const warnings: string[] = [];
  for (const path of looked) {
    const text = readText(path);
    if (text.kind === 'absent') {
      if (path === first)
        warnings.push(`${path} was named in the environment but does not exist; the usual places were searched.`);
      continue;
    }
    if (text.kind === 'unreadable') {
      warnings.push(`${path} was skipped: ${text.why}.`);
      continue;
    }
    const parsed = parseConfig(path, text.text);
    if (parsed.ok) return { file: { path, root: parsed.root, exposed: text.exposed }, looked, warnings };
    warnings.push(`${parsed.where} was skipped: ${parsed.why}.`);
  }
  return { looked, warnings };
}

type Text =
  | { readonly kind: 'text'; readonly text: string; readonly exposed: boolean }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly why: string };

function readText(path: string): Text {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) return { kind: 'unreadable', why: 'it is not a file' };
    if (stat.size > maxBytes) return { kind: 'unreadable', why: `it has ${stat.size} bytes` };
    const exposed = process.platform !== 'win32' && (stat.mode & 0o044) !== 0;
    return { kind: 'text', text: readFileSync(path, 'utf8'), exposed };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' };
    return {
      kind: 'unreadable',
      why: code === 'EACCES' || code === 'EPERM' ? 'permission denied' : String(code ?? error),
    };
  }
}

type Parsed =
  | { readonly ok: true; readonly root: Branch }
  | { readonly ok: false; readonly where: string; readonly why: string };

/** YAML 1.1, as PyYAML reads it (`verify: no` is false); JSON is a subset. Positions are kept for every value. */
export function parseConfig(path: string, text: string): Parsed {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, version: '1.1', merge: true, logLevel: 'silent' });
  const error = document.errors[0];
  if (error) {
    const { line } = lines.linePos(error.pos[0]);
    return {
      ok: false,
      where: `${path}:${line}`,
      why: (error.message.split('\n')[0] ?? '').replace(/ at line .*$/, ''),
    };
  }
  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    return { ok: false, where: path, why: cause instanceof Error ? cause.message : String(cause) };
  }
  if (data === null || data === undefined) return { ok: true, root: branch([], { kind: 'file', path }) };
  const tree = trace(data, document.contents as Node | null, path, lines);
  if (tree.kind === 'branch') return { ok: true, root: tree };
  return { ok: false, where: `${path}:1`, why: 'it is not a mapping' };
}

/** Plain data (aliases and merge keys resolved) with the line of the node it came from, as far as it can be followed. */
function trace(data: unknown, node: Node | null, path: string, lines: LineCounter): Tree {
  const origin: Origin = { kind: 'file', path, ...lineOf(node, lines) };
  if (data === null || typeof data !== 'object' || Array.isArray(data) || data instanceof Date) {
    const misread =
      typeof data === 'number' && isScalar(node) && node.source !== undefined && node.source !== String(data);
    return misread ? { ...leaf(data, origin), misread } : leaf(data, origin);
  }
  return branch(
    Object.entries(data).map(([key, value]) => {
      const pair = isMap(node) ? node.items.find((item) => keyText(item.key) === key) : undefined;
      const next = pair ? ((pair.value as Node | null) ?? (pair.key as Node | null)) : null;
      const traced = trace(value, next, path, lines);
      const at = lineOf((pair?.key as Node | undefined) ?? next, lines);
      const line = at.line === undefined ? origin : { kind: 'file' as const, path, line: at.line };
      return [key, { ...traced, origin: line }] as const;
    }),
    origin,
  );
}

const keyText = (key: unknown): string => (isScalar(key) ? String(key.value) : String(key));

function lineOf(node: Node | null, lines: LineCounter): { line?: number } {
  const offset = node?.range?.[0];
  return offset === undefined ? {} : { line: lines.linePos(offset).line };
}
