import { ok } from '../../engine/result.ts';
import { authKind } from '../auth/kinds.ts';
import type { TokenIssuer } from '../auth/token-issue.ts';
import type { ServiceType } from '../cloud.ts';
import type { CloudConfig, EndpointInterface } from './types.ts';

/** What of a configuration a bundle keeps: enough to ask the same questions again, nothing that proves who asks. */
export interface RecordedConfig {
  readonly name: string;
  readonly region?: string;
  readonly authUrl?: string;
  readonly authType?: string;
  readonly interface?: string;
  readonly serviceInterfaces?: Readonly<Record<string, string>>;
  readonly endpointOverrides?: Readonly<Record<string, string>>;
  /** Where a standalone service is, when there is no Keystone. */
  readonly endpoint?: string;
}

export function recordedConfig(config: CloudConfig): RecordedConfig {
  const { name, region, auth, authType, serviceInterface, endpointOverride } = config;
  return {
    name,
    ...(region === undefined ? {} : { region }),
    ...(auth.auth_url === undefined ? {} : { authUrl: auth.auth_url }),
    authType,
    interface: config.interface,
    ...(Object.keys(serviceInterface).length === 0 ? {} : { serviceInterfaces: serviceInterface }),
    ...(Object.keys(endpointOverride).length === 0 ? {} : { endpointOverrides: endpointOverride }),
    ...(auth.endpoint === undefined ? {} : { endpoint: auth.endpoint }),
  };
}

/** Stands where a secret stood: it is only ever "sent" to a bundle. */
const placeholder = 'recorded';

/** The parts of `openCloud` that make a replay send the requests that were recorded. */
export function replayedConfig(recorded: RecordedConfig): {
  readonly config: CloudConfig;
  readonly issueToken: TokenIssuer;
} {
  const kind = authKind(recorded.authType ?? 'password');
  // Whatever the plugin was, a sign-in is found by its URL; only these three do not go by `POST /v3/auth/tokens`.
  const authType = kind === 'exec' || kind === 'none' || kind === 'http-basic' ? (recorded.authType ?? '') : 'password';
  const config: CloudConfig = {
    name: recorded.name,
    from: 'env',
    ...(recorded.region === undefined ? {} : { region: recorded.region }),
    interface: faceOf(recorded.interface),
    serviceInterface: Object.fromEntries(
      Object.entries(recorded.serviceInterfaces ?? {}).map(([service, face]) => [service, faceOf(face)]),
    ) as Partial<Record<ServiceType, EndpointInterface>>,
    authType,
    auth: {
      ...(recorded.authUrl === undefined ? {} : { auth_url: recorded.authUrl }),
      ...(recorded.endpoint === undefined ? {} : { endpoint: recorded.endpoint }),
      username: placeholder,
      password: placeholder,
    },
    authMethods: [],
    tls: { verify: true },
    endpointOverride: (recorded.endpointOverrides ?? {}) as Partial<Record<ServiceType, string>>,
    apiVersion: {},
    timeoutMs: 30_000,
    settings: [],
    warnings: [],
  };
  return { config, issueToken: async () => ok(placeholder) };
}

const faceOf = (name: string | undefined): EndpointInterface =>
  name === 'internal' || name === 'admin' ? name : 'public';
