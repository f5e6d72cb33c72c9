import { authKind } from '../auth/kinds.ts';
import type { TracedAuth } from './auth-values.ts';
import { type CloudConfig, type ConfigProblem, describeOrigin, type Origin } from './types.ts';

/** What can be told wrong about the credentials before anything is sent. A missing password is not: it may be asked. */
export function authProblem(config: CloudConfig, traced: TracedAuth): ConfigProblem | undefined {
  const kind = authKind(config.authType);
  const { auth, name } = config;
  const type = config.settings.find((setting) => setting.key === 'auth_type');
  const at = (...keys: readonly string[]): { where?: string } => {
    const origin: Origin | undefined = keys.map((key) => traced.get(key)?.origin).find((found) => found !== undefined);
    const found = origin ?? (type?.origin.kind === 'default' ? undefined : type?.origin);
    return found ? { where: describeOrigin(found) } : {};
  };
  const missing = (what: string, hint: string, ...near: readonly string[]): ConfigProblem => ({
    what: `Cloud ${name}: ${what}`,
    ...at(...near),
    hint,
  });

  if (kind === 'exec') return undefined;
  if (kind === 'none' || kind === 'http-basic' || kind === 'admin-token') {
    if (auth.endpoint || Object.keys(config.endpointOverride).length > 0) return undefined;
    return missing(
      `auth_type ${config.authType} needs an endpoint.`,
      'Set auth.endpoint, or <service>_endpoint_override.',
    );
  }
  const url = auth.auth_url;
  if (!url)
    return missing('auth_url is missing.', 'Set auth.auth_url (OS_AUTH_URL) to the URL of Keystone.', 'username');
  if (!/^https?:\/\/[^/\s]/i.test(url) || !URL.canParse(url)) {
    return missing(`auth_url ${url} is not a URL.`, 'Write it as https://host:5000/v3.', 'auth_url');
  }
  if (kind === 'application-credential') return applicationCredential(config, missing);
  if (kind === 'oidc-access-token') {
    const absent = ['identity_provider', 'protocol', 'access_token'].find((key) => !auth[key]);
    return absent ? missing(`${absent} is missing.`, `Set auth.${absent}.`, 'auth_url') : undefined;
  }
  if (kind === 'multifactor' && config.authMethods.length === 0) {
    return missing(
      'auth_methods is missing.',
      'Name them, for example auth_methods: [v3password, v3totp].',
      'auth_url',
    );
  }
  if (kind === 'token') {
    return auth.token ? undefined : missing('token is missing.', 'Set auth.token (OS_TOKEN).', 'auth_url');
  }
  if (!auth.username && !auth.user_id) {
    const credential = auth.application_credential_id || auth.application_credential_name;
    const hint = credential
      ? 'For an application credential set auth_type (OS_AUTH_TYPE) to v3applicationcredential.'
      : 'Set auth.username (OS_USERNAME).';
    return missing('username is missing.', hint, 'application_credential_id', 'auth_url');
  }
  return domains(auth, missing);
}

type Missing = (what: string, hint: string, ...near: readonly string[]) => ConfigProblem;

/** Names are unique only within a domain: Keystone v3 refuses a name without one. */
function domains(auth: CloudConfig['auth'], missing: Missing): ConfigProblem | undefined {
  if (!auth.user_id && auth.username && !auth.user_domain_id && !auth.user_domain_name) {
    const hint = 'Set auth.user_domain_name (OS_USER_DOMAIN_NAME), usually Default.';
    return missing(`user ${auth.username} has no domain.`, hint, 'username');
  }
  const projectDomain = auth.project_domain_id || auth.project_domain_name;
  if (!auth.project_id && auth.project_name && !projectDomain) {
    const hint = 'Set auth.project_domain_name (OS_PROJECT_DOMAIN_NAME), usually Default.';
    return missing(`project ${auth.project_name} has no domain.`, hint, 'project_name');
  }
  return undefined;
}

function applicationCredential({ auth }: CloudConfig, missing: Missing): ConfigProblem | undefined {
  if (!auth.application_credential_secret) {
    const hint = 'Set auth.application_credential_secret; it is shown once, when the credential is made.';
    return missing('application_credential_secret is missing.', hint, 'application_credential_id', 'auth_url');
  }
  if (auth.application_credential_id) return undefined;
  if (!auth.application_credential_name) {
    return missing('the application credential is not named.', 'Set auth.application_credential_id.', 'auth_url');
  }
  if (!auth.user_id && !auth.username) {
    const hint = 'A credential given by name needs its user: set auth.user_id, or use application_credential_id.';
    return missing('username is missing.', hint, 'application_credential_name');
  }
  return domains(auth, missing);
}
