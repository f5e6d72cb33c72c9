const cell = (text: unknown): string =>
  String(text ?? '')
    .replaceAll('|', '\\|')
    .replace(/\s+/g, ' ');

/** A row of a table. */
export const row = (...cells: readonly unknown[]): string => `| ${cells.map(cell).join(' | ')} |`;

/** What a table begins with. */
export const head = (...names: readonly string[]): string[] => [row(...names), `|${'---|'.repeat(names.length)}`];

const percent = (part: number, of: number): string => `${Math.round((1000 * part) / of) / 10} %`;

export const share = (part: number, of: number): string => (of === 0 ? '-' : `${part} of ${of} (${percent(part, of)})`);

/** Of an even number the lower one of the two in the middle; undefined of none. */
export const median = (numbers: readonly number[]): number | undefined =>
  [...numbers].sort((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)];

/** A page with this variant's section in the place of its last one; those of the others stay as they are. */
export function withSection(page: string, title: string, variant: string, section: string): string {
  const [, ...parts] = page.split(/^(?=## )/m);
  const sections = new Map(parts.map((part) => [/^## (\S+)/.exec(part)?.[1] ?? '', part.trimEnd()]));
  sections.set(variant, section.trimEnd());
  const all = [...sections].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
  return `${[title.trimEnd(), ...all].join('\n\n')}\n`;
}
