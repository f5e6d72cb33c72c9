import type { HostFacts } from '../estate.ts';
import { judged, passes, unknown } from '../judgement.ts';
import type { Filter } from './filter.ts';
import { attributeOf, hiddenValue } from './host-state.ts';

/** Something that the query looks at and no API tells, or that is no query. */
const open: unique symbol = Symbol('open');

function looked(word: string, host: HostFacts): unknown {
  if (!word.startsWith('$')) return word === '' ? undefined : word;
  const [first = '', ...rest] = word.slice(1).split('.');
  let at = attributeOf(host, first);
  for (const name of rest) {
    if (at === hiddenValue || at === undefined || at === null) break;
    at = typeof at === 'object' && Object.hasOwn(at, name) ? Reflect.get(at, name) : undefined;
  }
  return at === hiddenValue ? open : (at ?? undefined);
}

const isTruthy = (value: unknown): boolean => (Array.isArray(value) ? value.length > 0 : Boolean(value));

const order =
  (holds: (a: number | string, b: number | string) => boolean) =>
  (a: unknown, b: unknown): boolean | typeof open => {
    const comparable =
      (typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string');
    return comparable ? holds(a as number | string, b as number | string) : open;
  };

const comparisons: Readonly<Record<string, (a: unknown, b: unknown) => boolean | typeof open>> = {
  '=': (a, b) => a === b,
  '<': order((a, b) => a < b),
  '>': order((a, b) => a > b),
  '<=': order((a, b) => a <= b),
  '>=': order((a, b) => a >= b),
};

function evaluated(query: unknown, host: HostFacts): unknown {
  if (!Array.isArray(query)) return open;
  if (query.length === 0) return true;
  const [command, ...rest] = query;
  const args: readonly unknown[] = rest
    .map((arg: unknown) =>
      Array.isArray(arg) ? evaluated(arg, host) : typeof arg === 'string' ? looked(arg, host) : arg,
    )
    .filter((arg) => arg !== undefined && arg !== null);
  if (args.includes(open) || typeof command !== 'string') return open;
  if (command === 'not') return args.map((arg) => !isTruthy(arg));
  if (command === 'or') return args.some(isTruthy);
  if (command === 'and') return args.every(isTruthy);
  if (args.length < 2 && (command === 'in' || Object.hasOwn(comparisons, command))) return false;
  const [first, ...others] = args;
  if (command === 'in') return others.includes(first);
  const compare = Object.hasOwn(comparisons, command) ? comparisons[command] : undefined;
  if (compare === undefined) return open;
  const results = others.map((other: unknown) => compare(first, other));
  return results.includes(open) ? open : results.every((r) => r === true);
}

/** json_filter.py JsonFilter: the hint `query`, a small language over attributes of the host's state. */
export const jsonFilter: Filter = {
  title: 'query',
  isWhole: false,
  judge: (host, { wish }) => {
    const query = wish.hints.query?.[0];
    if (query === undefined || query === '') return passes;
    let parsed: unknown;
    try {
      parsed = JSON.parse(query);
    } catch {
      parsed = undefined;
    }
    const result = evaluated(parsed, host);
    if (result === open)
      return unknown('the query looks at what no API tells', 'nova-scheduler at DEBUG: "Filter results"', [
        [{ kind: 'hint', on: 'request', name: 'query', value: query }],
      ]);
    if (Array.isArray(result) ? result.some(isTruthy) : isTruthy(result)) return passes;
    return judged([
      {
        kind: 'hint query',
        of: 'hint',
        because: 'query is false',
        wanted: `hint query=${query}`,
        has: 'it does not hold',
        ways: [[{ kind: 'hint', on: 'request', name: 'query', value: query }]],
      },
    ]);
  },
};
