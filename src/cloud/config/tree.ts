import type { Origin } from './types.ts';

/** A configuration value that remembers where it was written. Lists are leaves: openstacksdk never merges them. */
export type Tree = Branch | Leaf;
export interface Branch {
  readonly kind: 'branch';
  readonly entries: ReadonlyMap<string, Tree>;
  readonly origin: Origin;
}
export interface Leaf {
  readonly kind: 'leaf';
  readonly value: unknown;
  readonly origin: Origin;
  /** YAML took it for a number and wrote it differently: `0123` became 83. */
  readonly misread?: true;
}

export const emptyBranch: Branch = { kind: 'branch', entries: new Map(), origin: { kind: 'default' } };

export const leaf = (value: unknown, origin: Origin): Leaf => ({ kind: 'leaf', value, origin });

export const branch = (entries: Iterable<readonly [string, Tree]>, origin: Origin): Branch => ({
  kind: 'branch',
  entries: new Map(entries),
  origin,
});

/** Plain data as a tree; every value gets the one origin. */
export function fromData(data: unknown, origin: Origin): Tree {
  if (data !== null && typeof data === 'object' && !Array.isArray(data)) {
    return branch(
      Object.entries(data).map(([key, value]) => [key, fromData(value, origin)] as const),
      origin,
    );
  }
  return leaf(data, origin);
}

export function child(tree: Tree | undefined, key: string): Tree | undefined {
  return tree?.kind === 'branch' ? tree.entries.get(key) : undefined;
}

export function childBranch(tree: Tree | undefined, key: string): Branch | undefined {
  const found = child(tree, key);
  return found?.kind === 'branch' ? found : undefined;
}

/** secure.yaml over clouds.yaml: mappings recursively, everything else replaces (openstacksdk `merge_clouds`). */
export function mergeDeep(under: Branch, over: Branch): Branch {
  const entries = new Map(under.entries);
  for (const [key, value] of over.entries) {
    const old = entries.get(key);
    entries.set(key, value.kind === 'branch' && old?.kind === 'branch' ? mergeDeep(old, value) : value);
  }
  return { kind: 'branch', entries, origin: under.origin };
}

/** One level, with `auth` merged on its own (openstacksdk `_auth_update`): how a cloud lies over its profile. */
export function mergeWithAuth(under: Branch, over: Branch): Branch {
  const entries = new Map(under.entries);
  for (const [key, value] of over.entries) {
    const old = entries.get(key);
    const both = key === 'auth' && value.kind === 'branch' && old?.kind === 'branch';
    entries.set(key, both ? branch([...old.entries, ...value.entries], old.origin) : value);
  }
  return { kind: 'branch', entries, origin: under.origin };
}

/** `-` in keys becomes `_`, all the way down (openstacksdk `normalize_keys`). Not for the names of clouds. */
export function underscoreKeys(tree: Branch): Branch {
  return branch(
    [...tree.entries].map(([key, value]) => {
      const name = key.replaceAll('-', '_');
      return [name, value.kind === 'branch' ? underscoreKeys(value) : value] as const;
    }),
    tree.origin,
  );
}
