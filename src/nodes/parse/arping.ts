import { ok, type Result } from '../../engine/result.ts';
import { linesOf, type ParseFailure, parseFailure } from './parsing.ts';

export interface Arping {
  readonly sent: number;
  readonly received: number;
  /** MAC addresses that answered, lower case, each once; more than one means that two stations claim the address. */
  readonly macs: readonly string[];
}

const WHAT = 'arping -c';

/** Output of iputils' arping, or of Thomas Habets' (Debian package `arping`). */
export function parseArping(stdout: string): Result<Arping, ParseFailure> {
  const macs = new Set<string>();
  let sent: number | undefined;
  let received: number | undefined;
  for (const line of linesOf(stdout)) {
    const reply = /^(?:Unicast|Broadcast) reply from \S+ \[([\da-f:]+)\]|bytes from ([\da-f:]{17}) \(/i.exec(line);
    const mac = reply?.[1] ?? reply?.[2];
    if (mac !== undefined) macs.add(mac.toLowerCase());
    const habets = /^(\d+) packets transmitted, (\d+) packets received/.exec(line);
    sent = number(/^Sent (\d+) probes?/.exec(line)?.[1] ?? habets?.[1]) ?? sent;
    received = number(/^Received (\d+) (?:response|reply|replies)/.exec(line)?.[1] ?? habets?.[2]) ?? received;
  }
  if (sent === undefined || received === undefined) return parseFailure(WHAT, linesOf(stdout)[0] ?? '');
  return ok({ sent, received, macs: [...macs] });
}

function number(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
