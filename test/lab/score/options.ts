import { parseArgs } from 'node:util';
import { type Variant, variants } from './expectation.ts';

export const USAGE = `usage: score.sh [--variant lb|ovs|ovsfw|ovn] [--fault NAME]... [--sample N [--seed TEXT]] [--healthy N] [--[no-]remedy]
                [--merge] [--json FILE] | --resume FILE | --render FILE... | --list
  Without --fault and --sample: a whole run, of every fault of the variant, after 20 healthy runs, whose table replaces the
  variant's section of SCORE.md. A partial run (2 healthy runs) is printed only, or with --merge put into the last whole run's.
  --remedy   type the printed remedy where it claims to suffice, before healing (whole runs do, unless --no-remedy)
  --resume   go on with a run that was cut off, from its JSON
  --render   write the sections of SCORE.md from the JSON of runs
`;

export interface Options {
  readonly variant?: Variant;
  readonly faults?: readonly string[];
  readonly sample?: number;
  readonly seed: string;
  readonly healthy: number;
  readonly remedy: boolean;
  readonly merge: boolean;
  readonly json?: string;
  readonly resume?: string;
  readonly render?: readonly string[];
  readonly list: boolean;
  readonly help: boolean;
  /** Every fault of the variant. */
  readonly whole: boolean;
}

/** @throws Error that says what is wrong with the command line */
export function parseOptions(argv: readonly string[], today: string): Options {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      variant: { type: 'string' },
      fault: { type: 'string', multiple: true },
      sample: { type: 'string' },
      seed: { type: 'string' },
      healthy: { type: 'string' },
      remedy: { type: 'boolean' },
      'no-remedy': { type: 'boolean' },
      merge: { type: 'boolean' },
      json: { type: 'string' },
      resume: { type: 'string' },
      render: { type: 'string' },
      list: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (positionals.length > 0 && values.render === undefined) throw new Error(`what is "${positionals[0]}"?`);
  const number = (key: 'sample' | 'healthy'): number | undefined => {
    const text = values[key];
    if (text !== undefined && !/^\d+$/.test(text)) throw new Error(`--${key} wants a number, not "${text}"`);
    return text === undefined ? undefined : Number(text);
  };
  const variant = variants.find((v) => v === values.variant);
  if (values.variant !== undefined && variant === undefined) throw new Error(`no such variant: ${values.variant}`);
  const count = number('sample');
  const whole = values.fault === undefined && count === undefined;
  if (values.merge === true && whole) throw new Error('--merge is for a run of some faults: say which');
  return {
    ...(variant === undefined ? {} : { variant }),
    ...(values.fault === undefined ? {} : { faults: values.fault }),
    ...(count === undefined ? {} : { sample: count }),
    seed: values.seed ?? today,
    healthy: number('healthy') ?? (whole ? 20 : 2),
    remedy: values.remedy === true || (whole && values['no-remedy'] !== true),
    merge: values.merge === true,
    ...(values.json === undefined ? {} : { json: values.json }),
    ...(values.resume === undefined ? {} : { resume: values.resume }),
    ...(values.render === undefined ? {} : { render: [values.render, ...positionals] }),
    list: values.list === true,
    help: values.help === true,
    whole,
  };
}
