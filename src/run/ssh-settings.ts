import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { SshWish } from '../nodes/ssh-backend.ts';
import type { SshSettings } from '../nodes/transports.ts';

/** What flags say about SSH; they win over the configuration. */
export interface SshFlags {
  readonly backend?: SshWish | undefined;
  readonly user?: string | undefined;
  readonly acceptNewHostKeys?: boolean | undefined;
}

/** The operator's home may be meant in paths of the configuration, as in those of ssh_config(5). */
const atHome = (path: string | undefined, home: string): string | undefined =>
  path === '~' || path?.startsWith('~/') === true ? join(home, path.slice(1)) : path;

/** How nodes are reached, from the tool's configuration and the flags over it. */
export function sshSettings(config: Config['ssh'], flags: SshFlags, home: string): SshSettings {
  const { connectTimeout, configFile, knownHosts, ...same } = config ?? {};
  return {
    ...same,
    connectTimeoutSeconds: connectTimeout,
    configFile: atHome(configFile, home),
    knownHosts: atHome(knownHosts, home),
    backend: flags.backend ?? same.backend,
    user: flags.user ?? same.user,
    acceptNewHostKeys: flags.acceptNewHostKeys ?? same.acceptNewHostKeys,
  };
}
