import { type Answer, all, any } from './packet.ts';

/** What becomes of a packet that a rule takes. */
export type Next =
  /** The next rule sees it too (counters, marks, logs). */
  | { readonly kind: 'on' }
  /** No further rule of this hook and table sees it. */
  | { readonly kind: 'ends' }
  | { readonly kind: 'returns' }
  | { readonly kind: 'jump' | 'goto'; readonly to: string };

/** What `follow` needs to know of a set of chains, whichever tool made them. */
export interface Chains<Rule> {
  /** Rules of a chain in their order; undefined when there is no chain of this name. */
  readonly rulesOf: (chain: string) => readonly Rule[] | undefined;
  readonly matches: (rule: Rule) => Answer;
  readonly next: (rule: Rule) => Next;
  /** Told of every rule that may take the packet, and how sure that is. */
  readonly seen: (rule: Rule, taken: Exclude<Answer, 'no'>) => void;
}

const DEEPEST = 64;

/**
 * Follows a packet through a chain and those it jumps to: returns and rules that end its way are obeyed, what cannot
 * be decided is followed both ways. Answers how sure it is that the packet comes out at the end of the chain.
 */
export function follow<Rule>(chains: Chains<Rule>, start: string, coming: Exclude<Answer, 'no'>, depth = 0): Answer {
  let here: Answer = coming;
  let returned: Answer = 'no';
  for (const rule of chains.rulesOf(start) ?? []) {
    const matches = chains.matches(rule);
    const taken = all([here, matches]);
    if (taken === 'no') continue;
    chains.seen(rule, taken);
    const next = chains.next(rule);
    let after: Answer = 'yes';
    if (next.kind === 'ends') after = 'no';
    if (next.kind === 'returns') {
      returned = any([returned, taken]);
      after = 'no';
    }
    if ((next.kind === 'jump' || next.kind === 'goto') && chains.rulesOf(next.to) && depth < DEEPEST) {
      after = follow(chains, next.to, taken, depth + 1);
      if (next.kind === 'goto') {
        returned = any([returned, after]);
        after = 'no';
      }
    }
    // A rule that surely matches decides how we go on; one that perhaps matches perhaps lets us go on here.
    if (matches === 'yes') here = all([here, after]);
    else if (after !== 'yes') here = 'unknown';
    if (here === 'no') break;
  }
  return any([here, returned]);
}
