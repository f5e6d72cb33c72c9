/** Fields that say what a thing is come first; the rest follows in alphabetical order. */
const leading = [
  ...['schemaVersion', 'type', 'status', 'kind', 'tool', 'command', 'cloud', 'target', 'startedAt', 'elapsedMs'],
  ...['id', 'code', 'name', 'title', 'subject', 'severity', 'nature', 'confidence', 'summary', 'outcome', 'finding'],
];
const rank = new Map(leading.map((key, index) => [key, index]));

const byRank = (a: string, b: string): number =>
  (rank.get(a) ?? leading.length) - (rank.get(b) ?? leading.length) || (a < b ? -1 : a > b ? 1 : 0);

const ordered = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => byRank(a, b)))
    : value;

// JSON leaves these as they are; a terminal that the document is shown on would obey them.
const active =
  /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udfff]/g;

const escapeUnits = (text: string): string =>
  text.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The same value gives the same bytes, in whatever order its fields were set; harmless when shown on a terminal. */
export const canonicalJson = (value: unknown, space?: number): string =>
  JSON.stringify(value, ordered, space).replace(active, escapeUnits);
