import { observed } from '../../engine/fact.ts';
import { source, type WishOption } from '../io.ts';
import type { CloudSubject } from '../subject.ts';

/** A request as it is typed behind `schedule`. */
export const wishArguments = (wish: WishOption | undefined): readonly string[] =>
  wish === undefined
    ? []
    : [
        ...(wish.flavor === undefined ? [] : ['--flavor', wish.flavor]),
        ...(wish.image === undefined ? [] : ['--image', wish.image]),
        ...wish.networks.flatMap((n) => ['--network', n]),
        ...(wish.zone === undefined ? [] : ['--az', wish.zone]),
        ...wish.hints.flatMap((h) => ['--hint', h]),
        ...(wish.host === undefined ? [] : ['--host', wish.host]),
        ...(wish.count === 1 ? [] : ['--count', String(wish.count)]),
      ];

/** What was typed of the request that nobody has made. */
export const typedWish = source<CloudSubject, readonly string[]>(
  'cloud.typed-wish',
  () => '',
  async (_, facts) => observed(wishArguments(facts.io.options.wish)),
);
