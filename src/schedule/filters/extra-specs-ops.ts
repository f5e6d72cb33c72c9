/** Python's float(): undefined where it raises. */
function float(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^[+-]?(inf|infinity)$/i.test(trimmed)) return trimmed.startsWith('-') ? -Infinity : Infinity;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : undefined;
}

/** A comparison of numbers; what is no number raises in Nova, which fails the whole request. */
const numbers =
  (holds: (value: number, wanted: number) => boolean) =>
  (value: string, wanted: string): boolean => {
    const [x, y] = [float(value), float(wanted)];
    return x !== undefined && y !== undefined && holds(x, y);
  };

const operators: Readonly<Record<string, (value: string, wanted: string) => boolean>> = {
  '=': numbers((x, y) => x >= y),
  '<in>': (x, y) => x.includes(y),
  '==': numbers((x, y) => x === y),
  '!=': numbers((x, y) => x !== y),
  '>=': numbers((x, y) => x >= y),
  '<=': numbers((x, y) => x <= y),
  's==': (x, y) => x === y,
  's!=': (x, y) => x !== y,
  's<': (x, y) => x < y,
  's<=': (x, y) => x <= y,
  's>': (x, y) => x > y,
  's>=': (x, y) => x >= y,
};

/**
 * Whether a host's value satisfies what an extra spec wants of it (nova/scheduler/filters/extra_specs_ops.py match): `= 4`, `s== x`,
 * `<in> avx`, `<all-in> a b`, `<or> a <or> b`, or the value itself. `=` of numbers means at least.
 */
export function matches(value: string, wanted: string): boolean {
  const [operator = '', ...words] = wanted.split(/\s+/).filter((word) => word !== '');
  if (operator === '<or>') return words.some((word, i) => i % 2 === 0 && word === value);
  if (operator === '<all-in>') return words.length > 0 && words.every((word) => value.includes(word));
  const holds = Object.hasOwn(operators, operator) ? operators[operator] : undefined;
  if (holds === undefined) return value === wanted;
  const [first] = words;
  return first !== undefined && holds(value, first);
}

/** A value that would satisfy what is wanted; undefined where none can be named. */
export function satisfying(wanted: string): string | undefined {
  const [operator = '', ...words] = wanted.split(/\s+/).filter((word) => word !== '');
  const isOperator = operator === '<or>' || operator === '<all-in>' || Object.hasOwn(operators, operator);
  const candidates = isOperator ? [words[0], words.join(' ')] : [wanted];
  // A comma would make two values of one.
  return candidates.find((word) => word !== undefined && word !== '' && !word.includes(',') && matches(word, wanted));
}
