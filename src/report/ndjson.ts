import type { Reporter } from '../engine/events.ts';
import { canonicalJson } from './canonical.ts';

/** One event per line as it happens; the last line holds the whole report. Waiting is progress, not a result. */
export function ndjsonReporter(write: (text: string) => void): Reporter {
  return {
    on(event) {
      if (event.type !== 'waiting') write(`${canonicalJson(event)}\n`);
    },
    end: () => Promise.resolve(),
  };
}
