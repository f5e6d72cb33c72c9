import fc from 'fast-check';
import stringWidth from 'string-width';
import { expect } from 'vitest';
import { type Page, type PageOptions, pageOf, type Verbosity } from '../../src/report/page.ts';
import { createTheme } from '../../src/ui/theme.ts';

export interface Look {
  readonly width?: number;
  readonly verbosity?: Verbosity;
  readonly unicode?: boolean;
  readonly color?: 0 | 1;
}

/** 80 columns, Unicode and no colour where nobody says. */
export const screen = ({ width = 80, verbosity = 0, unicode = true, color = 0 }: Look = {}): PageOptions => ({
  width,
  verbosity,
  theme: createTheme({ colorLevel: color, unicode }),
});

export const page = (look?: Look): Page => pageOf(screen(look));

export const withoutColor = (text: string): string => text.replace(/\u001b\[\d+m/g, '');

/** No line is wider than its screen, however the screen looks and whatever is drawn; `name` belongs before a name of the cloud's. */
export function neverWider<T>(
  drawn: readonly T[],
  narrowest: number,
  linesOf: (one: T, page: Page, name: string) => readonly string[],
): void {
  fc.assert(
    fc.property(
      fc.constantFrom(...drawn),
      fc.integer({ min: narrowest, max: 140 }),
      fc.constantFrom<Verbosity>(0, 1),
      fc.boolean(),
      fc.constantFrom('', 'a-very-long-name-of-a-host-or-device-', '数据库'),
      (one, width, verbosity, unicode, name) => {
        for (const line of linesOf(one, page({ width, verbosity, unicode }), name))
          expect(stringWidth(line), line).toBeLessThanOrEqual(Math.min(width, 120));
      },
    ),
    { numRuns: 200 },
  );
}
