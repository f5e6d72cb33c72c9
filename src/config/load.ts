import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../engine/error.ts';
import { err, ok, type Result } from '../engine/result.ts';
import type { Config } from './schema.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** Files that were read, the strongest first. */
  readonly files: readonly string[];
}

export interface ConfigPlaces {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/** Where configuration may stand, the strongest first. OSTK_DOCTOR_CONFIG names one file that takes the place of all. */
export function configFiles({ cwd, env, home }: ConfigPlaces): readonly string[] {
  if (env.OSTK_DOCTOR_CONFIG) return [env.OSTK_DOCTOR_CONFIG];
  const user = env.XDG_CONFIG_HOME?.startsWith('/') ? env.XDG_CONFIG_HOME : join(home, '.config');
  return [join(cwd, 'ostk-doctor.yaml'), join(user, 'ostk-doctor/config.yaml'), '/etc/ostk-doctor/config.yaml'];
}

/** The file that was not named by anybody, but lies where the doctor was started. */
const foundHere = ({ cwd, env }: ConfigPlaces): string | undefined =>
  env.OSTK_DOCTOR_CONFIG ? undefined : join(cwd, 'ostk-doctor.yaml');

/** Larger files are not configuration. */
const sizeLimit = 256 * 1024;

/** Value by value: a stronger file only replaces what it states itself. */
function over(weak: unknown, strong: unknown): unknown {
  const plain = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!plain(weak) || !plain(strong)) return strong === undefined ? weak : strong;
  const merged: Record<string, unknown> = { ...weak };
  for (const [key, value] of Object.entries(strong))
    merged[key] = over(Object.hasOwn(weak, key) ? weak[key] : undefined, value);
  return merged;
}

/**
 * The tool's own configuration: all files that exist, the stronger over the weaker. Files that are not there are passed
 * over; one that cannot be read or understood ends the run, with the place of the mistake.
 */
export async function loadConfig(places: ConfigPlaces): Promise<Result<LoadedConfig, UserError>> {
  const read: { file: string; config: Config }[] = [];
  for (const file of configFiles(places)) {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      const named = file === places.env.OSTK_DOCTOR_CONFIG;
      if (!named && (code === 'ENOENT' || code === 'ENOTDIR')) continue;
      return err(
        new UserError('the configuration cannot be read', {
          where: file,
          why:
            code === 'EACCES'
              ? 'permission denied'
              : code === 'ENOENT'
                ? 'there is no such file'
                : String(code ?? error),
          hint: named ? 'OSTK_DOCTOR_CONFIG names it' : `make it readable, or remove it`,
        }),
      );
    }
    if (Buffer.byteLength(text) > sizeLimit) {
      return err(new UserError('the configuration is too large', { where: file, why: `more than ${sizeLimit} bytes` }));
    }
    const { parseConfig } = await import('./parse.ts');
    const parsed = parseConfig(text, file);
    if (!parsed.ok) return parsed;
    if (file === foundHere(places) && parsed.value.ssh?.configFile !== undefined) {
      return err(
        new UserError('ssh.configFile may not be set in the current directory', {
          where: file,
          why: 'an ssh_config can name programs to run, and this directory may be a stranger’s',
          hint: `set it in ~/.config/ostk-doctor/config.yaml, or say that you mean this file: --config ${file}`,
        }),
      );
    }
    read.push({ file, config: parsed.value });
  }
  const config = read.reduceRight<unknown>((weak, { config: strong }) => over(weak, strong), {}) as Config;
  return ok({ config, files: read.map(({ file }) => file) });
}
