import { err, ok, type Result } from '../../engine/result.ts';
import type { AuthValues, CloudConfig } from '../config/types.ts';
import { authKind } from './kinds.ts';

/** Asks the person for a secret; `undefined` when nobody can be asked. */
export type Ask = (prompt: string) => Promise<string | undefined>;

/** Why no request could be made: a secret that is not configured and could not be asked. */
export interface MissingSecret {
  readonly what: string;
  readonly fix: string;
}

type Method = readonly [name: string, data: Readonly<Record<string, unknown>>];

/**
 * The body of `POST /v3/auth/tokens` for the configured plugin and scope.
 * Source: Identity API v3 "Authentication and token management"; keystoneauth1/identity/v3.
 */
export async function signInBody(config: CloudConfig, ask?: Ask): Promise<Result<string, MissingSecret>> {
  const kind = authKind(config.authType);
  const names = kind === 'multifactor' ? config.authMethods.map((method) => authKind(method)) : [kind];
  const identity: Record<string, unknown> = { methods: [] };
  const methods: string[] = [];
  for (const name of names) {
    const method = await authMethod(name, config, ask);
    if (!method.ok) return method;
    const [id, data] = method.value;
    methods.push(id);
    identity[id] = data;
  }
  identity.methods = methods;
  // An application credential carries its scope, and Keystone refuses another one beside it.
  const scoped = kind === 'application-credential' ? {} : scope(config.auth);
  return ok(JSON.stringify({ auth: { identity, ...scoped } }));
}

/** A token that is already there, exchanged for one of the configured scope. */
export function rescopeBody(token: string, auth: AuthValues): string {
  return JSON.stringify({ auth: { identity: { methods: ['token'], token: { id: token } }, ...scope(auth) } });
}

/** Is anything named that a token could be scoped to? */
export const hasScope = (auth: AuthValues): boolean => Object.keys(scope(auth)).length > 0;

async function authMethod(
  kind: ReturnType<typeof authKind>,
  config: CloudConfig,
  ask: Ask | undefined,
): Promise<Result<Method, MissingSecret>> {
  const { auth } = config;
  switch (kind) {
    case 'password': {
      const password = await secret(config, 'password', 'Password', ask);
      return password.ok ? ok(['password', { user: { ...user(auth), password: password.value } }]) : password;
    }
    case 'totp': {
      const passcode = await secret(config, 'passcode', 'One-time passcode', ask);
      return passcode.ok ? ok(['totp', { user: { ...user(auth), passcode: passcode.value } }]) : passcode;
    }
    case 'token':
      return ok(['token', { id: auth.token ?? '' }]);
    case 'application-credential': {
      const credential = auth.application_credential_id
        ? { id: auth.application_credential_id }
        : { name: auth.application_credential_name, user: user(auth) };
      return ok(['application_credential', { ...credential, secret: auth.application_credential_secret }]);
    }
    default:
      return err({
        what: `${kind} cannot be one of several sign-in methods`,
        fix: 'auth_methods may name v3password, v3totp, v3token and v3applicationcredential',
      });
  }
}

/** An id is enough; a name needs its domain. */
function user(auth: AuthValues): Readonly<Record<string, unknown>> {
  if (auth.user_id) return { id: auth.user_id };
  return { name: auth.username, ...domain(auth.user_domain_id, auth.user_domain_name) };
}

function domain(id: string | undefined, name: string | undefined): { domain?: { id: string } | { name: string } } {
  if (id) return { domain: { id } };
  return name ? { domain: { name } } : {};
}

function scope(auth: AuthValues): { scope?: Readonly<Record<string, unknown>> } {
  if (auth.system_scope) return { scope: { system: { all: true } } };
  if (auth.project_id) return { scope: { project: { id: auth.project_id } } };
  if (auth.project_name) {
    return {
      scope: { project: { name: auth.project_name, ...domain(auth.project_domain_id, auth.project_domain_name) } },
    };
  }
  if (auth.domain_id || auth.domain_name) return { scope: domain(auth.domain_id, auth.domain_name) };
  return auth.trust_id ? { scope: { 'OS-TRUST:trust': { id: auth.trust_id } } } : {};
}

async function secret(
  config: CloudConfig,
  key: 'password' | 'passcode',
  label: string,
  ask: Ask | undefined,
): Promise<Result<string, MissingSecret>> {
  const configured = config.auth[key];
  if (configured) return ok(configured);
  const who = config.auth.username ?? config.auth.user_id ?? '';
  const answer = await ask?.(`${label} of ${who} (cloud ${config.name}): `);
  if (answer) return ok(answer);
  return err({
    what: `cloud ${config.name} has no ${key} for ${who}`,
    fix: `set auth.${key} in secure.yaml, or OS_${key.toUpperCase()}`,
  });
}
