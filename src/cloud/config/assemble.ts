import { isAbsolute, join, resolve } from 'node:path';
import { err, ok, type Result } from '../../engine/result.ts';
import type { ServiceType } from '../cloud.ts';
import { services, serviceTypes } from '../service-types.ts';
import { authValues, secretKeys, type TracedAuth } from './auth-values.ts';
import { type Branch, child, childBranch, type Leaf, leaf, type Tree } from './tree.ts';
import {
  type CloudConfig,
  type ConfigProblem,
  describeOrigin,
  type EndpointInterface,
  type LoadOptions,
  type Origin,
  type Setting,
} from './types.ts';
import { authProblem } from './validate.ts';

/** openstack/config/defaults.json, the part that concerns a reader. */
export const defaults = { auth_type: 'password', interface: 'public', network_api_version: '2', verify: true };
const defaultTimeoutSeconds = 30;

/** What was chosen of all that was found. */
interface Parts {
  readonly name: string;
  readonly region: Leaf | undefined;
  readonly cloud: Branch;
  readonly options: LoadOptions;
  readonly warnings: string[];
  readonly isFile: boolean;
}

/** The values of one cloud as a configuration, with where each is from. */
export function assemble({
  name,
  region,
  cloud,
  options,
  warnings,
  isFile,
}: Parts): Result<CloudConfig, ConfigProblem> {
  const settings: Setting[] = [];
  const note = (key: string, from: Leaf | undefined) => {
    if (from) settings.push({ key, value: mask(key, from.value), origin: from.origin });
  };
  const auth = authValues(cloud);
  if (isFile) fillFromEnvironment(auth, options.env);
  warnings.push(...misreadSecrets(auth));

  const authType = chooseAuthType(cloud, auth);
  note('auth_type', authType);
  const regionName = region?.value ? String(region.value) : undefined;
  if (regionName !== undefined) note('region_name', region);

  const chosen = interfaceOf(cloud, '');
  if (!chosen.ok) return chosen;
  note('interface', chosen.value.leaf);
  const serviceInterface: Partial<Record<ServiceType, EndpointInterface>> = {};
  const endpointOverride: Partial<Record<ServiceType, string>> = {};
  const apiVersion: Partial<Record<ServiceType, string>> = {};
  for (const service of serviceTypes) {
    for (const prefix of services[service].configPrefixes) {
      const own = interfaceOf(cloud, `${prefix}_`);
      if (!own.ok) return own;
      if (own.value.leaf && serviceInterface[service] === undefined) {
        serviceInterface[service] = own.value.interface;
        note(`${prefix}_interface`, own.value.leaf);
      }
      const override = leafOf(cloud, `${prefix}_endpoint_override`) ?? leafOf(cloud, `${prefix}_endpoint`);
      if (override && endpointOverride[service] === undefined) {
        endpointOverride[service] = expand(String(override.value), cloud, regionName).replace(/\/+$/, '');
        note(`${prefix}_endpoint_override`, override);
      }
      const version = leafOf(cloud, `${prefix}_api_version`);
      if (version && apiVersion[service] === undefined) {
        apiVersion[service] = String(version.value);
        note(`${prefix}_api_version`, version);
      }
    }
  }

  const tls = tlsOf(cloud, options, isFile, warnings, note);
  const timeout = timeoutOf(cloud);
  if (timeout) note('api_timeout', timeout);
  const seconds = timeout ? Number(timeout.value) : Number.NaN;

  const plain: Record<string, string> = {};
  for (const [key, value] of [...auth].sort(([a], [b]) => a.localeCompare(b))) {
    plain[key] = key === 'auth_url' ? expand(String(value.value), cloud, regionName) : String(value.value);
    note(`auth.${key}`, value);
  }
  const config: CloudConfig = {
    name,
    from: isFile ? 'file' : 'env',
    ...(regionName === undefined ? {} : { region: regionName }),
    interface: chosen.value.interface,
    serviceInterface,
    authType: String(authType.value),
    auth: plain,
    authMethods: listOf(child(cloud, 'auth_methods') ?? child(childBranch(cloud, 'auth'), 'auth_methods')),
    tls,
    endpointOverride,
    apiVersion,
    timeoutMs: (Number.isFinite(seconds) && seconds > 0 ? seconds : defaultTimeoutSeconds) * 1000,
    settings,
    warnings,
  };
  const problem = authProblem(config, auth);
  return problem ? err(problem) : ok(config);
}

function leafOf(cloud: Branch, key: string): Leaf | undefined {
  const found = cloud.entries.get(key);
  return found?.kind === 'leaf' && found.value !== null && found.value !== '' ? found : undefined;
}

function interfaceOf(
  cloud: Branch,
  prefix: string,
): Result<{ readonly interface: EndpointInterface; readonly leaf: Leaf | undefined }, ConfigProblem> {
  const found = leafOf(cloud, `${prefix}endpoint_type`) ?? leafOf(cloud, `${prefix}interface`);
  const value = String(found?.value ?? 'public').replace(/URL$/, '');
  if (value === 'public' || value === 'internal' || value === 'admin') return ok({ interface: value, leaf: found });
  return err({
    what: `Interface ${value} does not exist.`,
    ...(found ? { where: describeOrigin(found.origin) } : {}),
    hint: 'Choose public, internal or admin.',
  });
}

/** A token without a user can only mean the token plugin. */
function chooseAuthType(cloud: Branch, auth: TracedAuth): Leaf {
  const origin: Origin = { kind: 'default' };
  const given = leafOf(cloud, 'auth_type');
  const old = leafOf(cloud, 'auth_plugin');
  if (given && given.origin.kind !== 'default') return given;
  if (old) return old;
  const token = auth.get('token');
  if (token && !auth.has('username') && !auth.has('user_id')) return leaf('token', token.origin);
  const explicitNull = cloud.entries.get('auth_type');
  if (explicitNull?.kind === 'leaf' && explicitNull.origin.kind !== 'default') return leaf('none', explicitNull.origin);
  return given ?? leaf(defaults.auth_type, origin);
}

function fillFromEnvironment(auth: TracedAuth, env: LoadOptions['env']): void {
  for (const [key, variable] of [
    ['password', 'OS_PASSWORD'],
    ['passcode', 'OS_PASSCODE'],
  ] as const) {
    const value = env[variable];
    if (value && !auth.has(key)) auth.set(key, leaf(value, { kind: 'env', name: variable }));
  }
}

/** `password: 0123` is the number 83 for YAML, in every OpenStack client. */
function misreadSecrets(auth: TracedAuth): readonly string[] {
  return [...auth].flatMap(([key, value]) =>
    secretKeys.has(key) && value.misread
      ? [`${describeOrigin(value.origin)}: ${key} is read as the number it spells, not as written; put it in quotes.`]
      : [],
  );
}

function tlsOf(
  cloud: Branch,
  options: LoadOptions,
  isFile: boolean,
  warnings: string[],
  note: (key: string, from: Leaf | undefined) => void,
): CloudConfig['tls'] {
  const insecure = leafOf(cloud, 'insecure');
  const given = leafOf(cloud, 'verify');
  const word = String(given?.value ?? true).toLowerCase();
  let verify = !['false', 'no', '0', 'off'].includes(word);
  if (insecure && ['true', 'yes', '1', 'on'].includes(String(insecure.value).toLowerCase())) {
    verify = false;
    note('insecure', insecure);
  }
  note('verify', given);
  const path = (value: Leaf | undefined): string | undefined => {
    if (!value) return undefined;
    const text = String(value.value);
    if (text === '~' || text.startsWith('~/')) return join(options.home, text.slice(1));
    return isAbsolute(text) ? text : resolve(options.cwd, text);
  };
  const fromEnv = (names: readonly string[]): Leaf | undefined => {
    const name = names.find((key) => options.env[key]);
    return name === undefined ? undefined : leaf(options.env[name], { kind: 'env', name });
  };
  // python-requests takes its CA file from these two when nothing else names one.
  const cacert =
    leafOf(cloud, 'cacert') ??
    (verify ? fromEnv([...(isFile ? ['OS_CACERT'] : []), 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE']) : undefined);
  if (cacert && !verify) {
    warnings.push(`${describeOrigin(cacert.origin)}: cacert is not used, because certificates are not verified.`);
  }
  const cert = leafOf(cloud, 'cert');
  const key = leafOf(cloud, 'key');
  note('cacert', cacert);
  note('cert', cert);
  note('key', key);
  const paths = { cacert: verify ? path(cacert) : undefined, cert: path(cert), key: path(key) };
  return {
    verify,
    ...(paths.cacert === undefined ? {} : { cacert: paths.cacert }),
    ...(paths.cert === undefined ? {} : { cert: paths.cert }),
    ...(paths.key === undefined ? {} : { key: paths.key }),
  };
}

/** Any `<service>_timeout` wins over `api_timeout`, as openstacksdk has it. */
function timeoutOf(cloud: Branch): Leaf | undefined {
  const service = [...cloud.entries.keys()].find((key) => key.endsWith('_timeout') && key !== 'api_timeout');
  return (service === undefined ? undefined : leafOf(cloud, service)) ?? leafOf(cloud, 'api_timeout');
}

function listOf(tree: Tree | undefined): readonly string[] {
  if (tree?.kind !== 'leaf' || !tree.value) return [];
  const items = Array.isArray(tree.value) ? tree.value.map(String) : String(tree.value).split(',');
  return items.map((item) => item.trim()).filter((item) => item !== '');
}

/** `https://{region_name}.example.com`: names of other values may stand in braces. */
function expand(text: string, cloud: Branch, region: string | undefined): string {
  return text.replace(/\{(\w+)\}/g, (whole, key: string) => {
    if (key === 'region_name') return region ?? whole;
    const found = leafOf(cloud, key);
    return found && !secretKeys.has(key) ? String(found.value) : whole;
  });
}

function mask(key: string, value: unknown): string {
  const name = key.replace(/^auth\./, '');
  if (secretKeys.has(name)) return '***';
  return Array.isArray(value) ? value.join(',') : String(value);
}
