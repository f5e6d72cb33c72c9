import { createHash } from 'node:crypto';
import type { PlannedLeg } from './leg.ts';

/** The same in a replay: nothing of it may depend on the moment. */
export const markOf = ({ leg }: PlannedLeg): Uint8Array =>
  createHash('sha256').update(`${leg.title} ${leg.probe.to}`).digest().subarray(0, 8);

/** Letters, for they pass through printf and a shell as they are. */
export const lettersOf = (mark: Uint8Array): string =>
  [...mark.subarray(0, 4)].map((byte) => String.fromCharCode(0x61 + (byte % 26))).join('');
