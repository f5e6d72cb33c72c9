import type { Bundle } from '../bundle/open.ts';

/** `http://ctl:8774`, as far as a URL tells where it is served. */
const originOf = (url: string): string | undefined => {
  try {
    const { protocol, origin } = new URL(url);
    return protocol === 'http:' || protocol === 'https:' ? origin : undefined;
  } catch {
    return undefined;
  }
};

/** More endpoints than any catalog has; a bundle from a stranger must not make us open ports without end. */
const MOST_ORIGINS = 64;

/** Every place at which the recorded cloud has an API: those that were asked and those that its catalog names. */
export function originsOf(bundle: Bundle): string[] {
  const { authUrl, endpoint, endpointOverrides } = bundle.manifest.cloud;
  const urls = [authUrl ?? '', endpoint ?? '', ...Object.values(endpointOverrides ?? {})];
  for (const record of bundle.api) {
    urls.push(record.url);
    if (!record.url.endsWith('/auth/tokens') || !record.outcome.ok) continue;
    for (const [, url] of record.outcome.value.body.matchAll(/"url"\s*:\s*"([^"\\]+)"/g)) urls.push(url ?? '');
  }
  const origins = new Set(urls.map(originOf).filter((origin) => origin !== undefined));
  return [...origins].sort().slice(0, MOST_ORIGINS);
}

/** Replaces every recorded origin in a text by the place where it is served now. */
export function rewriter(served: ReadonlyMap<string, string>): (text: string) => string {
  const spelled = new Map<string, string>();
  for (const [origin, here] of served) {
    spelled.set(origin, here);
    // a URL may spell out the port that is understood
    if (!/:\d+$/.test(origin)) spelled.set(`${origin}:${origin.startsWith('https') ? 443 : 80}`, here);
  }
  const longestFirst = [...spelled.keys()].sort((a, b) => b.length - a.length);
  if (longestFirst.length === 0) return (text) => text;
  const any = longestFirst.map((origin) => origin.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  const expression = new RegExp(`(?:${any})(?![\\w.:-])`, 'g');
  return (text) => text.replace(expression, (origin) => spelled.get(origin) ?? origin);
}
