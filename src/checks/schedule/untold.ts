import type { FactFailure } from '../../engine/failure.ts';
import type { Schedule } from '../../engine/schedule.ts';

/** Why nobody can say whether there is a host, and what would tell. */
export function cannotTell({ rows, columns }: Schedule): FactFailure {
  const said = new Set<string>();
  for (const { verdicts, fits } of rows) {
    if (fits === 'no') continue;
    verdicts.forEach((v, i) => {
      if (v.state === 'unknown') said.add(`${columns[i]?.title ?? ''}: ${v.because} (would tell: ${v.tells})`);
    });
  }
  const [first, ...more] = said;
  return {
    kind: 'unsupported',
    because:
      first === undefined
        ? 'no host is known for which it could be said'
        : `whether a host fits depends on ${first}${more.length > 0 ? `, and ${more.length} more` : ''}`,
  };
}
