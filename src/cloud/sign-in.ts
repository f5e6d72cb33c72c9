import { z } from 'zod';
import type { Evidence } from '../engine/evidence.ts';
import type { FactFailure } from '../engine/failure.ts';
import { err, ok, type Result } from '../engine/result.ts';
import { type Asked, failedAnswer, messageOf, requestIdOf, unreachableService } from './answers.ts';
import { type Ask, hasScope, rescopeBody, signInBody } from './auth/body.ts';
import { authKind } from './auth/kinds.ts';
import { type CatalogEntry, identityOf, tokenSchema } from './auth/token.ts';
import type { TokenIssuer } from './auth/token-issue.ts';
import { unversioned, versionedBase } from './catalog.ts';
import type { Identity } from './cloud.ts';
import { type CloudConfig, describeOrigin } from './config/types.ts';
import { excerptOf } from './excerpt.ts';
import type { Headers, HttpResponse } from './http.ts';
import type { Sender } from './sender.ts';

/** What a successful sign-in leaves. `headers` carry the token: never shown, never stored. */
export interface SignedIn {
  readonly headers: Headers;
  readonly identity: Identity;
  readonly catalog: readonly CatalogEntry[];
  readonly evidence: Evidence;
  readonly ms: number;
}

export interface SignInParts {
  readonly config: CloudConfig;
  readonly send: Sender;
  readonly issueToken: TokenIssuer;
  /** ISO 8601 of now, for sign-ins that ask nobody. */
  readonly now: () => string;
  readonly ask?: Ask | undefined;
}

const asked: Asked = { service: 'identity', what: 'sign-in' };
const json: Headers = { accept: 'application/json', 'content-type': 'application/json' };

/** Signs in by the configured plugin. Never more than the requests the plugin needs: one, for a password. */
export async function signIn(parts: SignInParts): Promise<Result<SignedIn, FactFailure>> {
  const { config } = parts;
  const kind = authKind(config.authType);
  switch (kind) {
    case 'none':
      return ok(withoutKeystone(parts, {}, ''));
    case 'http-basic': {
      const { username = '', password = '' } = config.auth;
      const basic = Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
      return ok(withoutKeystone(parts, { authorization: `Basic ${basic}` }, username));
    }
    case 'admin-token':
      return ok(withoutKeystone(parts, { 'x-auth-token': config.auth.token ?? '' }, ''));
    case 'exec':
      return byOpenstackClient(parts);
    case 'oidc-access-token':
      return byAccessToken(parts);
    case 'password':
    case 'token':
    case 'application-credential':
    case 'totp':
    case 'multifactor': {
      const body = await signInBody(config, parts.ask);
      if (!body.ok) return err({ kind: 'api', ...asked, detail: `${body.error.what}; ${body.error.fix}` });
      return byKeystone(parts, body.value);
    }
  }
}

/** Standalone services (Ironic): no Keystone, no catalog, whoever reaches them may do all. */
function withoutKeystone({ config, now }: SignInParts, headers: Headers, username: string): SignedIn {
  return {
    headers,
    identity: { user: { id: '', name: username }, scope: 'none', roles: [], isAdmin: true },
    catalog: [],
    evidence: { source: { kind: 'derived', from: `auth_type ${config.authType}` }, at: now(), excerpt: '{}' },
    ms: 0,
  };
}

async function byKeystone(
  parts: SignInParts,
  body: string,
  extra: Headers = {},
): Promise<Result<SignedIn, FactFailure>> {
  const { config, send } = parts;
  const authUrl = config.auth.auth_url ?? '';
  const post = (base: string) =>
    send({ kind: 'sign-in', url: `${base}/auth/tokens`, headers: { ...json, ...extra }, body });
  let answer = await post(versionedBase('identity', authUrl));
  // An auth_url that needs another path (Keystone moved, or one more prefix) is found in its list of versions.
  if (answer.ok && (answer.value.status === 404 || answer.value.status === 300)) {
    const found = await discoverKeystone(parts, authUrl);
    if (found !== undefined && found !== versionedBase('identity', authUrl)) answer = await post(found);
  }
  if (!answer.ok) return err(unreachable(parts, answer.error));
  return accept(parts, answer.value, 'POST');
}

const keystoneVersions = z.looseObject({
  versions: z.looseObject({
    values: z.array(
      z.looseObject({ id: z.string(), links: z.array(z.looseObject({ rel: z.string(), href: z.string() })) }),
    ),
  }),
});

async function discoverKeystone({ send }: SignInParts, authUrl: string): Promise<string | undefined> {
  const answer = await send({
    kind: 'read',
    method: 'GET',
    url: unversioned(authUrl),
    headers: { accept: 'application/json' },
  });
  if (!answer.ok) return undefined;
  const parsed = keystoneVersions.safeParse(parseJson(answer.value.body));
  const v3 = parsed.data?.versions.values.find((entry) => entry.id.startsWith('v3'));
  const href = v3?.links.find((link) => link.rel === 'self')?.href;
  if (href === undefined || !URL.canParse(href)) return undefined;
  // A list of versions must not be able to send the password to another host.
  return new URL(href).hostname === new URL(authUrl).hostname ? href.replace(/\/+$/, '') : undefined;
}

/** Federation: the access token buys an unscoped token, which is exchanged for a scoped one. */
async function byAccessToken(parts: SignInParts): Promise<Result<SignedIn, FactFailure>> {
  const { config, send } = parts;
  const {
    auth_url: authUrl = '',
    identity_provider: provider = '',
    protocol = '',
    access_token: access = '',
  } = config.auth;
  const base = versionedBase('identity', authUrl);
  const path = `/OS-FEDERATION/identity_providers/${encodeURIComponent(provider)}/protocols/${encodeURIComponent(protocol)}/auth`;
  const headers = { accept: 'application/json', authorization: `Bearer ${access}` };
  const answer = await send({ kind: 'sign-in', url: base + path, headers, body: '' });
  if (!answer.ok) return err(unreachable(parts, answer.error));
  if (!hasScope(config.auth)) return accept(parts, answer.value, 'POST');
  const token = answer.value.headers['x-subject-token'];
  if (!isSuccess(answer.value) || token === undefined) return accept(parts, answer.value, 'POST');
  return byKeystone(parts, rescopeBody(token, config.auth));
}

/** Plugins we do not speak: the openstack client signs in, and Keystone tells us what the token is worth. */
async function byOpenstackClient(parts: SignInParts): Promise<Result<SignedIn, FactFailure>> {
  const { config, send, issueToken } = parts;
  const issued = await issueToken();
  const why = `auth_type ${config.authType} is not built in, so \`openstack token issue\` was run`;
  if (!issued.ok) {
    const advice = 'make that command work, or use an application credential';
    return err({ kind: 'api', ...asked, detail: `${why}: ${issued.error}; ${advice}` });
  }
  const authUrl = config.auth.auth_url;
  if (!authUrl) return err({ kind: 'api', ...asked, detail: `${why}; auth_url is needed too (OS_AUTH_URL)` });
  const token = issued.value;
  const answer = await send({
    kind: 'read',
    method: 'GET',
    url: `${versionedBase('identity', authUrl)}/auth/tokens`,
    headers: { accept: 'application/json', 'x-auth-token': token, 'x-subject-token': token },
  });
  if (!answer.ok) return err(unreachable(parts, answer.error));
  return accept(parts, answer.value, 'GET', token);
}

function accept(
  parts: SignInParts,
  response: HttpResponse,
  method: 'GET' | 'POST',
  known?: string,
): Result<SignedIn, FactFailure> {
  if (!isSuccess(response)) return err(refusal(parts, response));
  const token = known ?? response.headers['x-subject-token'];
  const parsed = tokenSchema.safeParse(parseJson(response.body));
  if (!parsed.success || token === undefined) {
    const issue = parsed.error?.issues[0];
    const detail = issue ? `${issue.path.join('.') || 'the body'}: ${issue.message}` : 'no X-Subject-Token header';
    return err({ kind: 'shape', what: 'identity sign-in', detail: `${detail} (is auth_url the URL of Keystone?)` });
  }
  const identity = identityOf(parsed.data);
  return ok({
    headers: { 'x-auth-token': token },
    identity,
    catalog: parsed.data.token.catalog ?? [],
    evidence: {
      source: {
        kind: 'api',
        service: 'identity',
        method,
        path: '/v3/auth/tokens',
        status: response.status,
        ...requestIdOf(response),
      },
      at: response.startedAt,
      excerpt: excerptOf({
        user: identity.user.name,
        ...(identity.project ? { project: identity.project.name } : {}),
        scope: identity.scope,
        roles: identity.roles,
        ...(identity.expiresAt ? { expires_at: identity.expiresAt } : {}),
      }),
    },
    ms: response.ms,
  });
}

/** Keystone answered and said no: who was refused, what it said, where the credentials came from. */
function refusal({ config }: SignInParts, response: HttpResponse): FactFailure {
  const { status } = response;
  if (status !== 401 && status !== 403 && status !== 404) return failedAnswer(asked, response);
  const said = messageOf(response.body).replace(/[.]$/, '');
  const detail =
    status === 401
      ? `Keystone refused ${whoIn(config)} (401): ${said || 'no reason given'}; ${whatToCheck(config)}`
      : `Keystone answered ${status}: ${said || 'no reason given'}; check auth_url ${config.auth.auth_url ?? ''}`;
  return { kind: 'api', ...asked, status, detail, ...requestIdOf(response) };
}

function whoIn({ auth, authType }: CloudConfig): string {
  const credential = auth.application_credential_name ?? auth.application_credential_id;
  if (credential !== undefined) return `application credential ${credential}`;
  const user = auth.username ?? auth.user_id;
  const project = auth.project_name ?? auth.project_id;
  if (user === undefined) return `the ${authType} credentials`;
  return project === undefined ? `user ${user}` : `user ${user} for project ${project}`;
}

/** Keystone tells a wrong password, project and domain apart in its own log only. */
function whatToCheck({ auth, settings, name }: CloudConfig): string {
  const at = (key: string): string => {
    const origin = settings.find((setting) => setting.key === key)?.origin;
    return origin ? `cloud ${name} (${describeOrigin(origin)})` : `cloud ${name}`;
  };
  if (auth.application_credential_secret !== undefined) {
    return `check the secret of ${at('auth.application_credential_secret')}, and whether the credential has expired`;
  }
  if (auth.token !== undefined) return `check the token of ${at('auth.token')}: it may have expired`;
  return `check password, project and domains of ${at('auth.password')}`;
}

function unreachable({ config }: SignInParts, failure: Parameters<typeof unreachableService>[1]): FactFailure {
  const origin = config.settings.find((setting) => setting.key === 'auth.auth_url')?.origin;
  const urlFrom = `auth_url${origin ? ` (${describeOrigin(origin)})` : ''}`;
  return unreachableService(asked, failure, { urlFrom, signIn: true, timeoutMs: config.timeoutMs });
}

const isSuccess = ({ status }: HttpResponse): boolean => status >= 200 && status < 300;

/** JSON, or `undefined` for what is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
