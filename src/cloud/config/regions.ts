import { err, ok, type Result } from '../../engine/result.ts';
import { type Branch, child, emptyBranch, fromData, type Leaf, leaf } from './tree.ts';
import { type ConfigProblem, describeOrigin, type LoadOptions, type Origin } from './types.ts';

interface Region {
  readonly name: string;
  readonly values: Branch;
}

export interface ChosenRegion {
  readonly region: Leaf | undefined;
  /** What `regions: [{name, values}]` sets for this region only. */
  readonly values: Branch;
  readonly warnings: readonly string[];
}

/**
 * The region that was asked for (`--os-region-name`, OS_REGION_NAME), else the first the configuration knows.
 * Regions are known from `regions`, else `region_name` (a comma list is old style), else the profile.
 */
export function chooseRegion(from: {
  readonly name: string;
  readonly own: Branch;
  readonly profile: Branch;
  readonly options: LoadOptions;
  readonly isFile: boolean;
}): Result<ChosenRegion, ConfigProblem> {
  const { name, own, profile, options } = from;
  const asked: Leaf | undefined = options.region
    ? leaf(options.region, { kind: 'option', name: '--os-region-name' })
    : options.env.OS_REGION_NAME
      ? leaf(options.env.OS_REGION_NAME, { kind: 'env', name: 'OS_REGION_NAME' })
      : undefined;
  // The variables name one region at most, and the option is there to replace it.
  if (!from.isFile) return ok({ region: asked, values: emptyBranch, warnings: [] });

  const warnings: string[] = [];
  const known = knownRegions(own, profile, warnings);
  if (!known.ok) return known;
  const { regions, origin } = known.value;
  const [first] = regions;
  if (first === undefined) return ok({ region: asked, values: emptyBranch, warnings });
  if (!asked) return ok({ region: leaf(first.name, origin), values: first.values, warnings });
  const match = regions.find((region) => region.name === asked.value);
  if (match) return ok({ region: asked, values: match.values, warnings });
  return err({
    what: `Cloud ${name} has no region ${String(asked.value)} (${describeOrigin(asked.origin)}).`,
    where: describeOrigin(origin),
    hint: `Regions there: ${regions.map((region) => region.name).join(', ')}. Upper and lower case count.`,
  });
}

function knownRegions(
  own: Branch,
  profile: Branch,
  warnings: string[],
): Result<{ readonly regions: readonly Region[]; readonly origin: Origin }, ConfigProblem> {
  for (const source of [own, profile]) {
    const list = child(source, 'regions');
    if (list?.kind === 'leaf' && Array.isArray(list.value)) return expandAll(list.value, list.origin);
    const named = child(source, 'region_name');
    if (named?.kind === 'leaf' && named.value) {
      const names = Array.isArray(named.value) ? named.value : String(named.value).split(',');
      if (!Array.isArray(named.value) && names.length > 1) {
        warnings.push(
          `${describeOrigin(named.origin)}: a comma list in region_name is old style; use a list in \`regions\`.`,
        );
      }
      return expandAll(names, named.origin);
    }
  }
  return ok({ regions: [], origin: { kind: 'default' } });
}

function expandAll(
  list: readonly unknown[],
  origin: Origin,
): Result<{ readonly regions: readonly Region[]; readonly origin: Origin }, ConfigProblem> {
  const regions: Region[] = [];
  for (const entry of list) {
    if (entry !== null && typeof entry === 'object') {
      const { name, values, ...rest } = entry as { name?: unknown; values?: unknown };
      if (name === undefined || Object.keys(rest).length > 0) {
        return err({
          what: 'An entry of `regions` is not understood.',
          where: describeOrigin(origin),
          why: JSON.stringify(Object.keys(entry)),
          hint: 'An entry is a name, or a mapping with `name` and `values` only.',
        });
      }
      const tree = fromData(values ?? {}, origin);
      regions.push({ name: String(name), values: tree.kind === 'branch' ? tree : emptyBranch });
    } else {
      regions.push({ name: String(entry).trim(), values: emptyBranch });
    }
  }
  return ok({ regions, origin });
}
