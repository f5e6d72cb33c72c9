import { describe, expect, it } from 'vitest';
import type { Answer } from '../../src/cloud/cloud.ts';
import { twice } from '../../src/cloud/twice.ts';
import type { FactFailure } from '../../src/engine/failure.ts';
import { err, ok, type Result } from '../../src/engine/result.ts';

const evidence: Answer<string>['evidence'] = {
  source: { kind: 'api', service: 'compute', method: 'GET', path: '/os-services', status: 200 },
  at: '2026-11-21T12:00:00Z',
  excerpt: '',
};
const answer = (value: string, ms: number): Result<Answer<string>, FactFailure> => ok({ value, evidence, ms });
const late: Result<Answer<string>, FactFailure> = err({ kind: 'timeout', what: 'GET /os-services', seconds: 30 });
const refused: Result<Answer<string>, FactFailure> = err({ kind: 'forbidden', what: 'x', need: 'y' });

/** What comes of these answers, one after the other, and how many were asked for. */
async function asking(answers: readonly Result<Answer<string>, FactFailure>[]) {
  let asked = 0;
  const result = await twice(async () => answers[asked++] ?? late);
  return { asked, said: result.ok ? result.value.value : result.error.kind };
}

describe('what Nova collects from all cells', () => {
  it.each([
    ['is asked for once where it comes', [answer('a', 500)], { asked: 1, said: 'a' }],
    ['is not asked for again where it is refused', [refused, answer('b', 1)], { asked: 1, said: 'forbidden' }],
    ['is asked for again where it does not come in time', [late, answer('b', 10_000)], { asked: 2, said: 'b' }],
    ['is given up after the second time', [late, late, answer('c', 1)], { asked: 2, said: 'timeout' }],
    ['is asked for again where it is too old', [answer('a', 60_800), answer('b', 10_000)], { asked: 2, said: 'b' }],
    ['is taken old where nothing better comes', [answer('a', 60_800), late], { asked: 2, said: 'a' }],
  ])('%s', async (_, answers, expected) => {
    expect(await asking(answers)).toEqual(expected);
  });
});
