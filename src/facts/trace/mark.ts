import { createHash } from 'node:crypto';
import type { PlannedLeg } from './leg.ts';

/** The same in a replay: nothing of it may depend on the moment. */
export const markOf = ({ leg }: PlannedLeg): Uint8Array =>
  createHash('sha256').update(`${leg.title} ${leg.probe.to}`).digest().subarray(0, 8);

/** Letters, for they pass through printf and a shell as they are. */
export const lettersOf = (mark: Uint8Array): string =>
  [...mark.subarray(0, 4)].map((byte) => String.fromCharCode(0x61 + (byte % 26))).join('');

/** Of the nth DISCOVER: three bytes of the mark and its number. */
export const transactionOf = (planned: PlannedLeg, nth: number): number =>
  ((Buffer.from(markOf(planned)).readUInt32BE(0) & 0xffffff00) | nth) >>> 0;

/** Initial sequence number of the first connection that is opened packet by packet. */
export const initialOf = (planned: PlannedLeg): number => Buffer.from(markOf(planned)).readUInt32BE(4);

/** Another one in each round: what an earlier one left behind at the other end, or in connection tracking, is not met again. */
export const sourcePortOf = (planned: PlannedLeg, nth: number, round: string): number =>
  32_768 + ((createHash('sha256').update(`${planned.leg.title} ${round}`).digest().readUInt16BE(0) + nth) % 28_000);
