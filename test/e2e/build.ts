import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folder of the package as an operator installs it. */
    readonly installed: string;
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Builds once for all tests, into a place that holds what the package ships and nothing else. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const installed = await mkdtemp(join(tmpdir(), 'ostk-doctor-e2e-'));
  const { files } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { files: readonly string[] };
  await cp(join(root, 'package.json'), join(installed, 'package.json'));
  await promisify(execFile)(process.execPath, [join(root, 'scripts/build.mjs'), '--outdir', join(installed, 'dist')]);
  for (const name of files) {
    if (name === 'dist') continue;
    await cp(join(root, name), join(installed, name), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
  project.provide('installed', installed);
  return () => rm(installed, { recursive: true, force: true });
}
