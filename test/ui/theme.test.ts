import { describe, expect, it } from 'vitest';
import { createTheme } from '../../src/ui/theme.ts';

describe('theme', () => {
  it('paints nothing at level 0, whatever the environment says', () => {
    const theme = createTheme({ colorLevel: 0, unicode: true });
    expect(theme.paint('problem', 'cut')).toBe('cut');
  });

  it('paints at level 1', () => {
    expect(createTheme({ colorLevel: 1, unicode: true }).paint('ok', 'up')).toBe('\u001b[32mup\u001b[39m');
  });

  it.each([true, false])('tells all states apart without colour (Unicode: %s)', (unicode) => {
    const marks = Object.values(createTheme({ colorLevel: 0, unicode }).marks);
    expect(new Set(marks).size).toBe(marks.length);
  });

  it('spells in ASCII when that is all there is', () => {
    const theme = createTheme({ colorLevel: 0, unicode: false });
    expect(theme.spell('10.0.0.1 ⇄ 198.19.0.2 · 1500 − 50 … 数')).toBe('10.0.0.1 <-> 198.19.0.2 | 1500 - 50 ... ?');
    expect(Object.values({ ...theme.marks, ...theme.glyphs }).join('')).toMatch(/^[ -~]+$/);
  });
});
