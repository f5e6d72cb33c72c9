/**
 * The query of the next page, when the answer names one: `<items>_links` (Nova, Neutron, Cinder, Octavia), `next`
 * (Glance, Ironic) or `links.next` (Keystone). Only the query is taken: behind a proxy the link's host, scheme and path
 * prefix are often ones that cannot be reached from here, and it is always the same collection.
 */
export function nextQuery(body: unknown, items: string): URLSearchParams | undefined {
  if (body === null || typeof body !== 'object') return undefined;
  const document = body as Readonly<Record<string, unknown>>;
  const links = document[`${items}_links`] ?? document.links;
  const href =
    (Array.isArray(links) ? links.find((link) => link?.rel === 'next')?.href : undefined) ??
    document.next ??
    (links !== null && typeof links === 'object' && !Array.isArray(links)
      ? (links as { next?: unknown }).next
      : undefined);
  if (typeof href !== 'string' || href === '') return undefined;
  const at = href.indexOf('?');
  return at === -1 ? undefined : new URLSearchParams(href.slice(at + 1));
}
