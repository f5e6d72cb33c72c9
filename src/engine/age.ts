/** `4 s`, `6 min`, `2 h`, `3 d`: how long ago, in the unit a person would choose. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 172_800) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86_400)} d`;
}

/** Milliseconds since the epoch of Neutron's and Nova's timestamps (`YYYY-MM-DD HH:MM:SS`, or ISO without a zone; always UTC). */
export function utcMillis(timestamp: string): number {
  const iso = timestamp.trim().replace(' ', 'T');
  return Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`);
}
