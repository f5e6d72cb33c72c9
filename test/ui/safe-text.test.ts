import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { safeLine, safeText } from '../../src/ui/safe-text.ts';

/** Pieces of which attacks are made, between ordinary text. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        ...[
          '\u001b',
          '\u001b[',
          '\u009b',
          '31m',
          '2J',
          '\u001b]0;',
          '\u001b]8;;http://x',
          '\u0007',
          '\u001b\\',
          '\u009c',
        ],
        ...[
          '\u001bP',
          '\u001b_',
          '\r',
          '\n',
          '\b',
          '\u202e',
          '\u2066',
          '\u200b',
          '\u200d',
          '\ufeff',
          '\ud800',
          '\u{e0041}',
        ],
        ...['\u0301\u0301\u0301\u0301\u0301\u0301', '\u0085', '\u2028', 'web-1', ' '],
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;
const direction = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const hidden = /[\u00ad\u200b-\u200d\u2060-\u2064\ufeff\u{e0000}-\u{e007f}]/u;

describe('safe text', () => {
  it('holds no control character, no change of direction, nothing hidden, no half character', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const safe = safeText(text);
        expect(safe).not.toMatch(controls);
        expect(safe).not.toMatch(direction);
        expect(safe).not.toMatch(hidden);
        expect(safe).not.toMatch(/\p{Surrogate}/u);
      }),
      { numRuns: 1000 },
    );
  });

  it('is left alone when it is made safe again', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(safeText(safeText(text))).toBe(safeText(text));
      }),
      { numRuns: 1000 },
    );
  });

  it('leaves ordinary text alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'abcXYZ 019-_./:;"\'€äß数据→·\n') }), (text) => {
        expect(safeText(text)).toBe(text);
      }),
    );
  });

  it('takes whole sequences out, with what they carry', () => {
    expect(safeText('a\u001b[1;31mred\u001b[0m\u001b[2Kb')).toBe('aredb');
    expect(safeText('a\u001b]0;new title\u0007b')).toBe('ab');
    expect(safeText('see \u001b]8;;http://evil/\u001b\\here\u001b]8;;\u001b\\')).toBe('see here');
    expect(safeText('a\u009b31mb\u001bPq#0\u001b\\c')).toBe('abc');
  });

  it('does not let an unfinished sequence hide what follows', () => {
    expect(safeText('before \u001b]0;after')).toBe('before 0;after');
  });

  it('shows an overwritten line as two lines', () => {
    expect(safeText('DROP\rACCEPT')).toBe('DROP\nACCEPT');
  });

  it('keeps the letters of scripts that use marks', () => {
    expect(safeText('Ngã ba हिन्दी ไทย')).toBe('Ngã ba हिन्दी ไทย');
  });
});

describe('a safe line', () => {
  it('is one line without white space at its ends', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(safeLine(text)).toMatch(/^(\S+( \S+)*)?$/u);
      }),
      { numRuns: 500 },
    );
  });
});
