/** Numbers from `low` to `high`, both included. */
export interface Range<T> {
  readonly low: T;
  readonly high: T;
}

/** The probes asked about, as a rectangle: ports (or ICMP type and code) by remote addresses. */
export interface Space {
  readonly ports: Range<number>;
  readonly addresses: Range<bigint>;
}

export const overlaps = (a: Range<number>, b: Range<number>): boolean => a.low <= b.high && b.low <= a.high;

/** How much of the rectangle `asked` the rectangles cover together: exact, by slabs of equal cover along the ports. */
export function extentOf(asked: Space, covers: readonly Space[]): 'whole' | 'part' | 'none' {
  const touching = covers.filter((cover) => touches(asked, cover));
  if (touching.length === 0) return 'none';
  const starts = new Set([asked.ports.low]);
  for (const { ports } of touching) {
    for (const at of [ports.low, ports.high + 1]) if (at > asked.ports.low && at <= asked.ports.high) starts.add(at);
  }
  for (const start of starts) {
    const here = touching.filter(({ ports }) => ports.low <= start && start <= ports.high);
    if (
      !coversAll(
        asked.addresses,
        here.map(({ addresses }) => addresses),
      )
    )
      return 'part';
  }
  return 'whole';
}

export const touches = (asked: Space, cover: Space): boolean =>
  overlaps(asked.ports, cover.ports) &&
  asked.addresses.low <= cover.addresses.high &&
  cover.addresses.low <= asked.addresses.high;

function coversAll(wanted: Range<bigint>, ranges: readonly Range<bigint>[]): boolean {
  let next = wanted.low;
  for (const range of [...ranges].sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0))) {
    if (range.low > next) return false;
    if (range.high >= next) next = range.high + 1n;
    if (next > wanted.high) return true;
  }
  return next > wanted.high;
}
