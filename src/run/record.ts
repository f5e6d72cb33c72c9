import type { RunManifest } from '../bundle/format.ts';
import { runsDirectory, saveRun } from '../bundle/last-runs.ts';
import type { Recorder } from '../bundle/record.ts';

export const lastRunsFolder = (): string => runsDirectory();

/** Keeps the run among the last twenty, and writes it where `--record` says. Only the latter may fail the command. */
export async function saveLastRun(
  folder: string,
  recorder: Recorder,
  manifest: RunManifest,
  file: string | undefined,
): Promise<void> {
  await saveRun(folder, recorder, manifest);
  if (file === undefined) return;
  const written = await recorder.write(file, manifest);
  if (!written.ok) throw written.error;
}
