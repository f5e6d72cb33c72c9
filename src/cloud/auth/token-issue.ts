import { execFile } from 'node:child_process';
import { err, ok, type Result } from '../../engine/result.ts';

/** Gets a token by a way that is not ours; `detail` says what failed, in one line without secrets. */
export type TokenIssuer = () => Promise<Result<string, string>>;

const timeoutMs = 60_000;

/**
 * Sign-in through the openstack client, for plugins we do not speak (Kerberos, SAML, OIDC in a browser, ...).
 * The environment is passed on; only the name of the cloud is in argv. `openstack token issue -f json` prints
 * `{"id": "<token>", "expires": ..., "project_id": ..., "user_id": ...}`.
 */
export function openstackTokenIssuer(from: {
  /** Name in clouds.yaml; absent for a cloud of `OS_*` variables. */
  readonly cloud?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly program?: string;
}): TokenIssuer {
  const argv = [...(from.cloud === undefined ? [] : ['--os-cloud', from.cloud]), 'token', 'issue', '-f', 'json'];
  return () =>
    new Promise((resolve) => {
      const options = { env: { ...from.env }, timeout: timeoutMs, maxBuffer: 1024 * 1024 };
      execFile(from.program ?? 'openstack', argv, options, (error, stdout, stderr) => {
        if (error) return resolve(err(reason(error, stderr)));
        const token = tokenOf(stdout);
        resolve(token === undefined ? err('it printed no token') : ok(token));
      });
    });
}

function reason(error: Error & { code?: unknown; killed?: boolean }, stderr: string): string {
  if (error.code === 'ENOENT') return 'the openstack client is not installed here (package python3-openstackclient)';
  if (error.killed) return `it did not end within ${timeoutMs / 1000} s`;
  const last = stderr.trim().split('\n').at(-1)?.trim() ?? '';
  return last === '' ? `it ended with ${String(error.code)}` : last.slice(0, 300);
}

function tokenOf(stdout: string): string | undefined {
  try {
    const parsed = JSON.parse(stdout) as { id?: unknown } | null;
    return typeof parsed?.id === 'string' && parsed.id !== '' ? parsed.id : undefined;
  } catch {
    return undefined;
  }
}
