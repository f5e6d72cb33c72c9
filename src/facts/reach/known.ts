import type { FactResult } from '../../engine/fact.ts';
import type { FactFailure } from '../../engine/failure.ts';
import { unreachable } from '../../engine/result.ts';
import { type Known, known } from '../../path/reach/atlas.ts';

/** What could not be asked, in words, and what would tell. */
export function unseen(failure: FactFailure): {
  readonly known: false;
  readonly because: string;
  readonly tell: string;
} {
  const recorded = (detail: string): boolean => detail.includes('not in this bundle');
  const live = 'the same question to the live cloud';
  switch (failure.kind) {
    case 'forbidden':
      return {
        known: false,
        because: `these credentials may not see ${failure.what}`,
        tell: `credentials with ${failure.need}`,
      };
    case 'api':
    case 'shape':
    case 'unreachable':
      return recorded(failure.detail)
        ? { known: false, because: 'this bundle does not hold it', tell: live }
        : { known: false, because: failure.detail, tell: 'the same question again' };
    case 'timeout':
      return { known: false, because: `no answer in ${failure.seconds} s`, tell: 'the same question again' };
    case 'not-found':
      return { known: false, because: `${failure.what} is not there`, tell: 'the same question again' };
    case 'unsupported':
      return { known: false, because: failure.because, tell: live };
    case 'command':
    case 'missing-tool':
    case 'sudo':
    case 'parse':
      throw new Error(`an API answered with the failure of a node: ${failure.kind}`);
    default:
      return unreachable(failure);
  }
}

export const knownOf = <A, B>(fact: FactResult<A>, f: (value: A) => B): Known<B> =>
  fact.ok ? known(f(fact.value.value)) : unseen(fact.error);
