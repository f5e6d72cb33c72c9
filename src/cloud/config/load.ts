import { err, ok, type Result } from '../../engine/result.ts';
import { assemble, defaults } from './assemble.ts';
import { secretKeys } from './auth-values.ts';
import { environmentCloud } from './environment.ts';
import { findFile, type Search, searchPath } from './files.ts';
import { chooseRegion } from './regions.ts';
import {
  type Branch,
  branch,
  child,
  childBranch,
  emptyBranch,
  fromData,
  leaf,
  mergeDeep,
  mergeWithAuth,
  type Tree,
  underscoreKeys,
} from './tree.ts';
import { type CloudConfig, type ConfigProblem, describeOrigin, type LoadOptions } from './types.ts';

/**
 * The cloud to talk to, found and merged as openstacksdk does it: first readable clouds.yaml, secure.yaml over it,
 * vendor profile and defaults under it, or the `OS_*` variables as a cloud called `envvars`.
 * Source: openstack/config/loader.py and doc/source/user/config/configuration.rst.
 *
 * Where it differs, it only turns a failure into a success: `OS_PASSWORD`, `OS_PASSCODE` and `OS_CACERT` fill a gap of
 * a named cloud (as `openstack` does), and variables that hold no `OS_AUTH_URL` or `OS_AUTH_TYPE` are not a cloud.
 */
export function loadCloudConfig(options: LoadOptions): Result<CloudConfig, ConfigProblem> {
  const warnings: string[] = [];
  const dirs = searchPath(options);
  const main = findFile('clouds', dirs, options.env.OS_CLIENT_CONFIG_FILE);
  const secure = findFile('secure', dirs, options.env.OS_CLIENT_SECURE_FILE);
  warnings.push(...main.warnings, ...secure.warnings);

  const root = mergeDeep(main.file?.root ?? emptyBranch, secure.file?.root ?? emptyBranch);
  const listed = child(root, 'clouds');
  if (listed && listed.kind !== 'branch' && listed.value !== null) {
    return err({
      what: '`clouds:` must be a mapping of names to clouds.',
      where: describeOrigin(listed.origin),
      hint: 'Write one indented block per cloud below `clouds:`.',
    });
  }
  const files = listed?.kind === 'branch' ? listed : emptyBranch;
  const selected = selectCloud(options, files, main);
  if (!selected.ok) return selected;
  const { name, from } = selected.value;

  if (from === 'file') warnings.push(...ignoredVariables(options, name, describeFile(main)));
  warnings.push(...exposures([main, secure]));

  const own = underscoreKeys(
    from === 'file' ? (childBranch(files, name) ?? emptyBranch) : environmentCloud(options.env).cloud,
  );
  const vendor = expandProfile(own, name, dirs);
  warnings.push(...vendor.warnings);
  const base = fromData(defaults, { kind: 'default' });
  const layered = mergeWithAuth(mergeWithAuth(base.kind === 'branch' ? base : emptyBranch, vendor.profile), own);

  const region = chooseRegion({ name, own, profile: vendor.profile, options, isFile: from === 'file' });
  if (!region.ok) return region;
  warnings.push(...region.value.warnings);
  const cloud = mergeWithAuth(layered, overrides(region.value.values, options));

  return assemble({ name, region: region.value.region, cloud, options, warnings, isFile: from === 'file' });
}

function overrides(regionValues: Branch, options: LoadOptions): Branch {
  const asked = options.interface
    ? branch([['interface', leaf(options.interface, { kind: 'option', name: '--os-interface' })]], { kind: 'default' })
    : emptyBranch;
  return mergeWithAuth(underscoreKeys(regionValues), asked);
}

const describeFile = (search: Search): string => search.file?.path ?? 'clouds.yaml';

type Selected = { readonly name: string; readonly from: 'file' | 'env' };

function selectCloud(options: LoadOptions, files: Branch, main: Search): Result<Selected, ConfigProblem> {
  const environment = environmentCloud(options.env);
  const names = [...files.entries.keys()];
  const path = describeFile(main);
  if (files.entries.has(environment.name)) {
    return err({
      what: `The cloud name ${environment.name} is used twice.`,
      where: describeOrigin(files.entries.get(environment.name)?.origin ?? { kind: 'default' }),
      why: 'That name stands for the cloud that the OS_* variables describe.',
      hint: 'Rename the cloud in the file, or choose another name with OS_CLOUD_NAME.',
    });
  }
  const asked = options.cloud ?? options.env.OS_CLOUD;
  if (asked) {
    if (files.entries.has(asked)) return ok({ name: asked, from: 'file' });
    if (asked === environment.name && environment.present) return ok({ name: asked, from: 'env' });
    const by = options.cloud ? '--os-cloud' : 'OS_CLOUD';
    const hint = names.length > 0 ? `Known there: ${names.join(', ')}.` : createHint(main);
    const where = main.file ? { where: path } : {};
    return err({ what: `Cloud ${asked} (${by}) was not found.`, ...where, ...skipped(main), hint });
  }
  if (environment.usable) return ok({ name: environment.name, from: 'env' });
  const [only, ...more] = names;
  if (only !== undefined && more.length === 0) return ok({ name: only, from: 'file' });
  if (only !== undefined) {
    return err({
      what: 'Which cloud? Several are configured.',
      where: path,
      hint: `Choose with --os-cloud or OS_CLOUD: ${names.join(', ')}.`,
    });
  }
  if (environment.present) {
    return err({
      what: 'The OS_* variables name no Keystone.',
      where: environment.variables.join(', '),
      hint: 'Set OS_AUTH_URL (source the whole openrc file), or choose a cloud of clouds.yaml with --os-cloud.',
    });
  }
  return err({ what: 'No cloud is configured.', ...skipped(main), hint: createHint(main) });
}

const skipped = (main: Search): { why?: string } => (main.warnings.length > 0 ? { why: main.warnings.join('\n') } : {});

function createHint(main: Search): string {
  const places = [...new Set(main.looked.filter((path) => path.endsWith('.yaml')))];
  return `Source an openrc file, or write one of: ${places.join(', ')}.`;
}

/** `openstack` would let these override a named cloud; openstacksdk does not. Say so, it is a common surprise. */
function ignoredVariables(options: LoadOptions, name: string, path: string): readonly string[] {
  const all = environmentCloud(options.env).variables;
  const ignored = all.filter((key) =>
    /^OS_(AUTH_URL|AUTH_TYPE|USERNAME|USER_ID|USER_DOMAIN|PROJECT|TENANT|DOMAIN|TOKEN|SYSTEM_SCOPE|APPLICATION)/.test(
      key,
    ),
  );
  if (ignored.length === 0) return [];
  return [`Cloud ${name} comes from ${path}: ${ignored.join(', ')} in the environment are not used.`];
}

function exposures(searches: readonly Search[]): readonly string[] {
  return searches.flatMap(({ file }) =>
    file?.exposed && holdsSecret(file.root)
      ? [`${file.path} holds a secret and can be read by others: chmod 600 ${file.path}`]
      : [],
  );
}

function holdsSecret(tree: Tree): boolean {
  if (tree.kind === 'leaf') return false;
  return [...tree.entries].some(([key, value]) =>
    value.kind === 'branch'
      ? holdsSecret(value)
      : secretKeys.has(key.replaceAll('-', '_')) && value.value !== null && value.value !== '',
  );
}

/** `profile:` names vendor defaults in clouds-public.yaml. `cloud:` is its old name. A URL is never fetched. */
function expandProfile(
  own: Branch,
  name: string,
  dirs: readonly string[],
): { readonly profile: Branch; readonly warnings: readonly string[] } {
  const named = child(own, 'profile') ?? child(own, 'cloud');
  if (named?.kind !== 'leaf' || !named.value) return { profile: emptyBranch, warnings: [] };
  const wanted = String(named.value);
  const at = describeOrigin(named.origin);
  const warnings: string[] = [];
  if (!child(own, 'profile')) warnings.push(`${at}: \`cloud:\` is the old name of \`profile:\`; rename the key.`);
  if (/^https?:\/\//.test(wanted)) {
    warnings.push(`${at}: profile ${wanted} is a URL and is not fetched; write auth_url and regions into the file.`);
    return { profile: emptyBranch, warnings };
  }
  const search = findFile('clouds-public', dirs);
  warnings.push(...search.warnings);
  const profile = childBranch(childBranch(search.file?.root, 'public-clouds'), wanted);
  if (profile) return { profile: underscoreKeys(profile), warnings };
  const where = search.file ? `in ${search.file.path}` : 'because there is no clouds-public.yaml';
  warnings.push(
    `${at}: profile ${wanted} of cloud ${name} was not found ${where}; only what the cloud itself says is used.`,
  );
  return { profile: emptyBranch, warnings };
}
