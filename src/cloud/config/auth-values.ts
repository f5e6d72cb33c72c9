import { type Branch, childBranch, type Leaf } from './tree.ts';

/** Values of the auth plugin with their origins. */
export type TracedAuth = Map<string, Leaf>;

/**
 * Old names, and the values that win even when they stand outside `auth`, because the environment and older files put
 * them there. Later names win over earlier ones; outside wins over inside (openstacksdk `_fix_backwards_auth`).
 */
const outsideWins: Readonly<Record<string, readonly string[]>> = {
  domain_id: ['domain_id'],
  domain_name: ['domain_name'],
  user_domain_id: ['user_domain_id'],
  user_domain_name: ['user_domain_name'],
  project_domain_id: ['project_domain_id'],
  project_domain_name: ['project_domain_name'],
  token: ['auth_token', 'token'],
  passcode: ['passcode'],
  project_id: ['tenant_id', 'project_id'],
  project_name: ['tenant_name', 'project_name'],
};

/** Options of the plugins; inside `auth` wins (openstacksdk `_validate_auth`). */
const insideWins: Readonly<Record<string, readonly string[]>> = {
  auth_url: ['auth_url'],
  username: ['user_name', 'username'],
  user_id: ['user_id'],
  password: ['password'],
  system_scope: ['system_scope'],
  trust_id: ['trust_id'],
  default_domain: ['default_domain'],
  default_domain_id: ['default_domain_id'],
  default_domain_name: ['default_domain_name'],
  application_credential_id: ['application_credential_id'],
  application_credential_name: ['application_credential_name'],
  application_credential_secret: ['application_credential_secret'],
  identity_provider: ['identity_provider'],
  protocol: ['protocol'],
  access_token: ['access_token'],
  endpoint: ['endpoint'],
};

export const secretKeys: ReadonlySet<string> = new Set([
  'password',
  'passcode',
  'token',
  'auth_token',
  'access_token',
  'application_credential_secret',
  'client_secret',
  'oauth2_client_secret',
]);

const text = (value: unknown): string | undefined =>
  value === null || value === undefined || value === '' || typeof value === 'object' ? undefined : String(value);

/** Gathers what the plugin needs from `auth` and from beside it. Keys of `cloud` are already written with `_`. */
export function authValues(cloud: Branch): TracedAuth {
  const inside = childBranch(cloud, 'auth')?.entries ?? new Map();
  const values: TracedAuth = new Map();
  const take = (target: string, from: ReadonlyMap<string, unknown>, name: string) => {
    const found = from.get(name) as Leaf | undefined;
    const value = found?.kind === 'leaf' ? text(found.value) : undefined;
    if (found && value !== undefined) values.set(target, { ...found, value });
  };
  for (const name of inside.keys()) take(name, inside, name);
  for (const names of [...Object.values(outsideWins), ...Object.values(insideWins)]) {
    for (const name of names) values.delete(name);
  }
  for (const [target, names] of Object.entries(outsideWins)) {
    for (const name of names) {
      take(target, inside, name);
      take(target, cloud.entries, name);
    }
  }
  for (const [target, names] of Object.entries(insideWins)) {
    for (const name of names) take(target, cloud.entries, name);
    for (const name of names) take(target, inside, name);
  }
  spreadDomains(values);
  return values;
}

/** A project scope has no domain of its own: `domain_*` then means the domain of both user and project. */
function spreadDomains(values: TracedAuth): void {
  const projectScoped = values.has('project_id') || values.has('project_name');
  for (const suffix of ['id', 'name']) {
    const shared = values.get(`domain_${suffix}`);
    if (shared && projectScoped) {
      for (const of of ['user', 'project']) {
        if (!values.has(`${of}_domain_${suffix}`)) values.set(`${of}_domain_${suffix}`, shared);
      }
      values.delete(`domain_${suffix}`);
    }
  }
  const fallback: readonly (readonly [string, string])[] = [
    ['default_domain_id', 'id'],
    ['default_domain_name', 'name'],
    ['default_domain', 'id'],
  ];
  for (const [from, suffix] of fallback) {
    const value = values.get(from);
    if (!value) continue;
    for (const of of ['user', 'project']) {
      if (!values.has(`${of}_domain_id`) && !values.has(`${of}_domain_name`))
        values.set(`${of}_domain_${suffix}`, value);
    }
  }
}
