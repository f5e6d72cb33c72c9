import { mapFact, observed } from '../engine/fact.ts';
import { type ConsoleLog, parseConsoleLog } from '../nodes/parse/console-log.ts';
import { consoleText } from './instance-api.ts';
import { source } from './io.ts';
import type { InstanceSubject } from './subject.ts';

/** The console log, read as far as it can be. */
export const consoleLog = source<InstanceSubject, { readonly log: ConsoleLog; readonly text: string }>(
  'instance.console-log',
  (s) => s.id,
  async (subject, facts) => {
    const text = await facts.get(consoleText, subject);
    if (!text.ok) return text;
    const parsed = parseConsoleLog(text.value.value);
    return parsed.ok
      ? mapFact(observed(parsed.value, ...text.value.evidence), (log) => ({ log, text: text.value.value }))
      : parsed;
  },
);
