import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteArg, quoteArgv } from '../../src/nodes/quote.ts';
import { shells } from './shells.ts';

/** Text as an argument can carry it: no NUL, no half of a surrogate pair. */
const argument = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({
      unit: fc.constantFrom(
        "'",
        '"',
        '\\',
        '$',
        '`',
        '!',
        ' ',
        '\n',
        '\t',
        '*',
        '?',
        '[',
        '~',
        '#',
        ';',
        '&',
        '|',
        '<',
        '>',
        '(',
        '{',
        '=',
        '-',
        '\u0081',
        'é',
        '\r',
      ),
      maxLength: 20,
    }),
  )
  .filter((text) => !text.includes('\0'));

describe.each(shells)('quoting for $name', ({ argv, missing }) => {
  it.skipIf(missing)('gives every argument back as it was', () => {
    fc.assert(
      fc.property(fc.array(argument, { minLength: 1, maxLength: 8 }), (args) => {
        const out = execFileSync(argv[0], [...argv.slice(1), '-c', `printf '%s\\0' ${quoteArgv(args)}`], {
          encoding: 'utf8',
        });
        expect(out.split('\0').slice(0, -1)).toEqual(args);
      }),
      { numRuns: 60 },
    );
  });
});

describe('quoting', () => {
  it('leaves plain words as an operator would type them', () => {
    expect(
      quoteArgv(['ovs-vsctl', '--format=json', '-t', '5', 'list', 'tap5652dd5f-cd', '/var/log/nova', '198.18.0.1/24']),
    ).toBe('ovs-vsctl --format=json -t 5 list tap5652dd5f-cd /var/log/nova 198.18.0.1/24');
  });

  it('never makes an assignment or a home directory of data', () => {
    for (const word of ['~root', '', '#x', '!!', '=ls', 'a b']) expect(quoteArg(word)).toBe(`'${word}'`);
    expect(quoteArgv(['A=b', 'A=b'])).toBe("'A=b' A=b");
  });

  it('refuses what no argument can carry', () => {
    expect(() => quoteArgv(['a\0b'])).toThrow(TypeError);
    expect(() => quoteArg('a\0b')).toThrow(TypeError);
  });
});
