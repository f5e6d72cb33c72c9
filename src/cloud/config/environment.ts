import { type Branch, branch, leaf } from './tree.ts';
import type { LoadOptions } from './types.ts';

const selectors = new Set([
  'OS_CLOUD',
  'OS_REGION_NAME',
  'OS_CLIENT_CONFIG_FILE',
  'OS_CLIENT_SECURE_FILE',
  'OS_CLOUD_NAME',
]);

/** The cloud that the `OS_*` variables describe. */
export interface EnvironmentCloud {
  /** `envvars`, or OS_CLOUD_NAME. */
  readonly name: string;
  readonly cloud: Branch;
  /** Something beyond the selectors is set. */
  readonly present: boolean;
  /** It says where Keystone is, or that there is none. */
  readonly usable: boolean;
  /** Names of the variables it is made of, sorted. */
  readonly variables: readonly string[];
}

/**
 * Every OS_ variable but those of test runners (OS_TEST*, OS_STD*, OS_LOG*) is a key of this cloud.
 * Source: openstack/config/loader.py `_get_os_environ`.
 */
export function environmentCloud(env: LoadOptions['env']): EnvironmentCloud {
  const variables = Object.keys(env)
    .filter(
      (key) => key.startsWith('OS_') && !/^OS_(TEST|STD|LOG)/.test(key) && env[key] !== undefined && env[key] !== '',
    )
    .sort();
  const cloud = branch(
    variables
      .filter((key) => key !== 'OS_CLOUD' && key !== 'OS_CLOUD_NAME')
      .map((key) => [key.slice('OS_'.length).toLowerCase(), leaf(env[key], { kind: 'env', name: key })] as const),
    { kind: 'env', name: 'OS_*' },
  );
  const own = variables.filter((key) => !selectors.has(key));
  return {
    name: env.OS_CLOUD_NAME || 'envvars',
    cloud,
    present: own.length > 0,
    usable: own.some(
      (key) => key === 'OS_AUTH_URL' || key === 'OS_AUTH_TYPE' || key === 'OS_ENDPOINT' || key === 'OS_PROFILE',
    ),
    variables: own,
  };
}
