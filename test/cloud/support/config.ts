import { loadCloudConfig as load } from '../../../src/cloud/config/load.ts';
import type { CloudConfig } from '../../../src/cloud/config/types.ts';

export type { CloudConfig };

/** A cloud made of variables only; no file of this machine is looked at. */
export function loadCloudConfig(env: Readonly<Record<string, string>>): CloudConfig {
  const config = load({ env, cwd: '/nonexistent/cwd', home: '/nonexistent/home', siteDirs: [] });
  if (!config.ok) throw new Error(`${config.error.what} ${config.error.hint}`);
  return config.value;
}
