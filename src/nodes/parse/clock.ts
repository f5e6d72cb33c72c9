import { ok, type Result } from '../../engine/result.ts';
import { linesOf, type ParseFailure, parseFailure, present } from './parsing.ts';

/** Output of `date +%s.%N` (or `+%s`): seconds since 1970. */
export function parseEpoch(stdout: string): Result<number, ParseFailure> {
  const text = stdout.trim();
  return /^\d+(?:\.\d+)?$/.test(text) ? ok(Number(text)) : parseFailure('date +%s.%N', linesOf(stdout)[0] ?? '');
}

export interface TimeSynchronisation {
  readonly synchronised: boolean;
  /** `active`, `inactive`, `n/a`: the service that systemd knows of; chrony in a container is none. */
  readonly service?: string;
}

/** Output of `timedatectl`, or of `timedatectl show`. */
export function parseTimedatectl(stdout: string): Result<TimeSynchronisation, ParseFailure> {
  const lines = linesOf(stdout).map((line) => line.trim());
  const value = (pattern: RegExp): string | undefined =>
    lines.map((line) => pattern.exec(line)?.[1]?.trim()).find((text) => text !== undefined);
  const synchronised = value(/^(?:System clock synchronized|NTP synchronized|NTPSynchronized)[:=](.*)$/i);
  if (synchronised === undefined) return parseFailure('timedatectl', linesOf(stdout)[0] ?? '');
  return ok(
    present({
      synchronised: synchronised === 'yes',
      service: value(/^(?:NTP service|NTP enabled|systemd-timesyncd\.service active|NTP)[:=](.*)$/i),
    }),
  );
}
