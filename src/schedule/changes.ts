import type { ScheduleChange } from '../engine/schedule.ts';

/** A change in words, as it stands behind FITS IF: `memory ≤ 10010 MB`, `without trait:CUSTOM_GPU=required`. */
export function wordsOf(_change: ScheduleChange): string {
  return '';
}

/** Names that commands need and a change does not carry. */
export interface CommandSubject {
  readonly flavor?: string;
  readonly image?: string;
}

/** The commands that would make a change, in order, each as argv; empty where no single command does (the request is asked anew, otherwise). */
export function commandsFor(_change: ScheduleChange, _subject: CommandSubject = {}): readonly (readonly string[])[] {
  return [];
}
