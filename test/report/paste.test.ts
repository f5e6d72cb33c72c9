import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pasteable } from '../../src/report/paste.ts';
import { page } from './screen.ts';

const words = fc.array(
  fc
    .oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom('', '-D', '--to=x', '~', '=ls', '*', "it's", '$(id)', 'a\nb', '\u202e', '数'),
    )
    .map((word) => word.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '')),
  { minLength: 1, maxLength: 30 },
);

describe('a command to paste', () => {
  it.each([true, false])('gives bash the very same words (Unicode: %s)', (unicode) => {
    fc.assert(
      fc.property(words, (argv) => {
        const line = pasteable(['printf', '%s\\0', ...argv], page({ unicode }));
        const out = execFileSync('bash', ['--norc', '-c', line], {
          env: { LC_ALL: 'C.UTF-8', PATH: process.env.PATH ?? '' },
        });
        expect(out.toString().split('\0').slice(0, -1)).toEqual(argv);
      }),
      { numRuns: 60 },
    );
  });

  it('leaves options bare, so that it reads as it is typed', () => {
    const argv = ['iptables', '-D', 'FORWARD', '--dport=22', '!', '-i', 'eth0'];
    expect(pasteable(argv, page())).toBe("iptables -D FORWARD --dport=22 '!' -i eth0");
  });

  it('shows no character that does not show', () => {
    fc.assert(
      fc.property(words, (argv) => {
        expect(pasteable(argv, page({ unicode: false }))).toMatch(/^[ -~]*$/);
      }),
    );
  });
});
