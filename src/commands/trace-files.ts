import { mkdir, writeFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import type { Recorder } from '../bundle/record.ts';
import { UserError } from '../engine/error.ts';
import type { Trace } from '../engine/trace.ts';
import { traceSvg } from '../report/trace/svg.ts';

/** For whoever runs the doctor alone: captures hold what users sent. */
const mode = 0o600;

const refused = (file: string, error: unknown): UserError =>
  new UserError(`${file} cannot be written.`, {
    why: error instanceof Error ? error.message : String(error),
    hint: 'choose another place',
  });

/** A picture per stretch: FILE, FILE-2, FILE-3. */
export async function drawTraces(file: string, traces: readonly Trace[]): Promise<void> {
  const { dir, name, ext } = parse(file);
  for (const [at, trace] of traces.entries()) {
    const path = at === 0 ? file : join(dir, `${name}-${at + 1}${ext}`);
    await writeFile(path, traceSvg(trace)).catch((error: unknown) => {
      throw refused(path, error);
    });
  }
}

/** Host and device names come from nodes: nothing of them may lead out of the folder. */
const safe = (text: string): string => text.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '_');

/** Every capture as a file for tcpdump and Wireshark: `HOST-NAMESPACE-DEVICE.pcap`, numbered where there are several. */
export async function keepCaptures(folder: string, captures: ReturnType<Recorder['captures']>): Promise<void> {
  const taken = new Map<string, number>();
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw refused(folder, error);
  }
  for (const { host, record } of captures) {
    if (!record.outcome.ok || record.outcome.value.stdout === '') continue;
    const device = record.argv[record.argv.indexOf('-i') + 1] ?? '';
    const name = [host, ...(record.netns === undefined ? [] : [record.netns]), device].map(safe).join('-');
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    const path = join(folder, `${name}${count === 1 ? '' : `-${count}`}.pcap`);
    await writeFile(path, Buffer.from(record.outcome.value.stdout, 'base64'), { mode }).catch((error: unknown) => {
      throw refused(path, error);
    });
  }
}
