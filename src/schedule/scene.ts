import type { Aggregate, Estate, HostFacts, Provider } from './estate.ts';
import { type Options, optionsOf } from './options.ts';
import type { Wish } from './wish.ts';

/** A provider tree: the root first, then all its descendants. */
export type ProviderTree = readonly [Provider, ...Provider[]];

/** A request before a cloud: what filters look at, indexed once. */
export interface Scene {
  readonly wish: Wish;
  readonly estate: Estate;
  readonly options: Options;
  aggregatesOf(host: string): readonly Aggregate[];
  /**
   * All metadata of the host's aggregates, values split at commas (nova/scheduler/filters/utils.py aggregate_metadata_get_by_host); with
   * a key: of those aggregates only that have it.
   */
  metadataOf(host: string, key?: string): ReadonlyMap<string, ReadonlySet<string>>;
  /** Values of one key, each as it is (aggregate_values_from_key). */
  valuesOf(host: string, key: string): readonly string[];
  treeOf(host: HostFacts): ProviderTree | undefined;
  /**
   * Providers of other trees that share with this one: they are in an aggregate of any of its providers
   * (placement/objects/research_context.py anchors_for_sharing_providers).
   */
  sharedWith(tree: ProviderTree): readonly Provider[];
}

export function sceneOf(wish: Wish, estate: Estate): Scene {
  const byHost = new Map<string, Aggregate[]>();
  for (const aggregate of estate.aggregates) {
    for (const host of aggregate.hosts) {
      const known = byHost.get(host);
      if (known === undefined) byHost.set(host, [aggregate]);
      else known.push(aggregate);
    }
  }
  const trees = new Map<string, Provider[]>();
  for (const provider of estate.providers) {
    const known = trees.get(provider.root);
    if (known === undefined) trees.set(provider.root, [provider]);
    else if (provider.uuid === provider.root) known.unshift(provider);
    else known.push(provider);
  }
  const whole = new Map<string, ProviderTree>();
  const treeAt = (uuid: string): ProviderTree | undefined => {
    const known = whole.get(uuid);
    if (known !== undefined) return known;
    const [root, ...rest] = trees.get(uuid) ?? [];
    if (root?.uuid !== uuid) return undefined;
    const tree: ProviderTree = [root, ...rest];
    whole.set(uuid, tree);
    return tree;
  };
  const sharing = estate.providers.filter((p) => p.traits.has('MISC_SHARES_VIA_AGGREGATE'));
  const none: readonly Aggregate[] = [];
  const aggregatesOf = (host: string): readonly Aggregate[] => byHost.get(host) ?? none;
  return {
    wish,
    estate,
    options: optionsOf(estate.scheduler),
    aggregatesOf,
    metadataOf: (host, key) => {
      const all = new Map<string, Set<string>>();
      for (const aggregate of aggregatesOf(host)) {
        if (key !== undefined && !Object.hasOwn(aggregate.metadata, key)) continue;
        for (const [name, value] of Object.entries(aggregate.metadata)) {
          const values = all.get(name) ?? new Set<string>();
          for (const word of value.split(',')) values.add(word.trim());
          all.set(name, values);
        }
      }
      return all;
    },
    valuesOf: (host, key) => [
      ...new Set(aggregatesOf(host).flatMap((a) => (Object.hasOwn(a.metadata, key) ? [a.metadata[key] ?? ''] : []))),
    ],
    treeOf: (host) => (host.provider === undefined ? undefined : treeAt(host.provider)),
    sharedWith: (tree) =>
      sharing.filter(
        (s) => s.root !== tree[0].root && tree.some((p) => [...s.aggregates].some((uuid) => p.aggregates.has(uuid))),
      ),
  };
}
