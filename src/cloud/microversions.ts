/** Compares `2.9` and `2.10` as pairs of numbers; negative when `a` is the older. */
export function compareMicroversions(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number);
  const [majorB = 0, minorB = 0] = b.split('.').map(Number);
  return majorA - majorB || minorA - minorB;
}

/** The lower of what we understand and what the server offers. */
export function lowerMicroversion(ours: string, servers: string | undefined): string {
  return servers !== undefined && compareMicroversions(servers, ours) < 0 ? servers : ours;
}
