import type { Ran } from '../io.ts';

/** What a script saw, shown as the plain command by which a person sees the same on that node. */
export function inShort(ran: Ran, argv: readonly string[]): Ran {
  const { source } = ran.evidence;
  return source.kind === 'command' ? { ...ran, evidence: { ...ran.evidence, source: { ...source, argv } } } : ran;
}
