import { createHash } from 'node:crypto';

/** Numbers from 0 to 1 that depend on nothing but the seed and how many were drawn before. */
export function chance(seed: string): () => number {
  let drawn = 0;
  return () => {
    drawn += 1;
    return createHash('sha256').update(`${seed}/${drawn}`).digest().readUInt32BE(0) / 2 ** 32;
  };
}

/** @throws on an empty list */
export function oneOf<T>(list: readonly T[], draw: () => number): T {
  const found = list[Math.floor(draw() * list.length)];
  if (found === undefined) throw new Error('nothing to choose from');
  return found;
}
