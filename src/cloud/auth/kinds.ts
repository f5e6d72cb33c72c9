/** How we sign in for a configured `auth_type`. `exec`: through the openstack client. */
export type AuthKind =
  | 'password'
  | 'token'
  | 'application-credential'
  | 'totp'
  | 'multifactor'
  | 'oidc-access-token'
  | 'none'
  | 'http-basic'
  | 'admin-token'
  | 'exec';

/** Names of keystoneauth's plugins (entry points of keystoneauth1.plugin). */
const kinds: Readonly<Record<string, AuthKind>> = {
  password: 'password',
  v3password: 'password',
  token: 'token',
  v3token: 'token',
  v3applicationcredential: 'application-credential',
  v3totp: 'totp',
  v3multifactor: 'multifactor',
  v3oidcaccesstoken: 'oidc-access-token',
  none: 'none',
  http_basic: 'http-basic',
  admin_token: 'admin-token',
  token_endpoint: 'admin-token',
};

export function authKind(authType: string): AuthKind {
  const name = authType.toLowerCase().replaceAll('-', '_');
  return kinds[name === '' ? 'none' : name] ?? 'exec';
}
