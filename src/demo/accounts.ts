import { randomBytes } from 'node:crypto';
import type { ApiRecord } from '../bundle/format.ts';
import type { Bundle } from '../bundle/open.ts';
import { type Answers, apiAnswers } from '../bundle/replay.ts';

/** What a valid token stands for. */
export interface Grant {
  readonly expiresAt: number;
  /** Each sign-in begins the recorded run anew. */
  readonly answers: Answers<ApiRecord>;
}

/** The one account of a demo cloud and the tokens it was given. */
export interface Accounts {
  /** OS_* variables with which openstack clients and the doctor sign in. */
  readonly env: Readonly<Record<string, string>>;
  /** Does this body of `POST /v3/auth/tokens` prove the account? */
  accepts(body: unknown): boolean;
  issue(): string;
  grant(token: string | undefined): Grant | undefined;
  revoke(token: string): void;
}

type Json = Readonly<Record<string, unknown>>;
const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** The sign-in that was recorded with success, or what Keystone told of a token that came from elsewhere. */
export const recordedSignIn = (bundle: Bundle): ApiRecord | undefined =>
  bundle.api.find(
    (record) => record.url.endsWith('/auth/tokens') && record.outcome.ok && record.outcome.value.status < 300,
  );

/**
 * @param options.refuse no password is right
 * @param options.tokenSeconds how long a token is accepted
 */
export function createAccounts(bundle: Bundle, options: { refuse: boolean; tokenSeconds: number }): Accounts {
  const password = randomBytes(18).toString('base64url');
  const grants = new Map<string, Grant>();
  const startAnswers = apiAnswers(bundle);
  const signIn = recordedSignIn(bundle);
  const token = signIn?.outcome.ok ? tokenOf(signIn.outcome.value.body) : {};
  const user = object(token.user);
  const name = text(user.name) ?? 'demo';

  return {
    env: environment(bundle, token, name, password),
    accepts(body) {
      const identity = object(object(object(body).auth).identity);
      if (options.refuse) return false;
      const byPassword = object(object(identity.password).user);
      if (byPassword.password === password) return byPassword.name === name || byPassword.id === user.id;
      const credential = object(identity.application_credential);
      if (credential.secret === password) return true;
      return this.grant(text(object(identity.token).id)) !== undefined;
    },
    issue() {
      const issued = `gAAAAA${randomBytes(48).toString('base64url')}`;
      grants.set(issued, { expiresAt: Date.now() + options.tokenSeconds * 1000, answers: startAnswers() });
      return issued;
    },
    grant(asked) {
      const found = asked === undefined ? undefined : grants.get(asked);
      return found && found.expiresAt > Date.now() ? found : undefined;
    },
    revoke(asked) {
      grants.delete(asked);
    },
  };
}

function tokenOf(body: string): Json {
  try {
    return object(object(JSON.parse(body)).token);
  } catch {
    return {};
  }
}

function environment(bundle: Bundle, token: Json, name: string, password: string): Record<string, string> {
  const { cloud } = bundle.manifest;
  const project = object(token.project);
  const domain = object(token.domain);
  const system = token.system !== undefined;
  const projectName = text(project.name);
  const domainName = text(domain.name);
  return {
    OS_IDENTITY_API_VERSION: '3',
    OS_USERNAME: name,
    OS_PASSWORD: password,
    OS_USER_DOMAIN_NAME: text(object(object(token.user).domain).name) ?? 'Default',
    ...(projectName === undefined
      ? {}
      : { OS_PROJECT_NAME: projectName, OS_PROJECT_DOMAIN_NAME: text(object(project.domain).name) ?? 'Default' }),
    ...(domainName === undefined ? {} : { OS_DOMAIN_NAME: domainName }),
    ...(system ? { OS_SYSTEM_SCOPE: 'all' } : {}),
    ...(cloud.region === undefined ? {} : { OS_REGION_NAME: cloud.region }),
    ...(cloud.interface === undefined ? {} : { OS_INTERFACE: cloud.interface }),
  };
}
