import { readdirSync, readFileSync } from 'node:fs';
import { type Capture, parsePcap } from '../../../../src/nodes/parse/pcap.ts';
import { understood } from '../fixtures.ts';

const folder = new URL('../../../fixtures/captures/', import.meta.url);

/** The captures that tcpdump really wrote: see test/fixtures/captures/redo.sh. */
export const captureNames: readonly string[] = readdirSync(folder)
  .filter((name) => name.endsWith('.pcap'))
  .map((name) => name.replace(/\.pcap$/, ''));

export function pcapBytes(name: string): Uint8Array {
  return readFileSync(new URL(`${name}.pcap`, folder));
}

export function capture(name: string): Capture {
  return understood(parsePcap(pcapBytes(name)));
}

/** What tshark made of one frame: for each field the values of all layers, outermost first. */
export type TsharkFrame = ReadonlyMap<string, readonly string[]>;

export function tsharkFrames(name: string): readonly TsharkFrame[] {
  const [header = '', ...lines] = readFileSync(new URL(`${name}.tsv`, folder), 'utf8')
    .trimEnd()
    .split('\n');
  const fields = header.split('\t');
  return lines.map((line) => {
    const columns = line.split('\t');
    return new Map(fields.map((field, at) => [field, columns[at] ? columns[at].split(',') : []]));
  });
}
