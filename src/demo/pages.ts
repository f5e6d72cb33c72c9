/** Collections that their services never cut into pages. */
const UNPAGED = new Set(['services', 'aggregates', 'availabilityZoneInfo', 'resource_providers', 'versions']);

const hasId = (item: unknown): item is { id: string } =>
  typeof item === 'object' && item !== null && 'id' in item && typeof item.id === 'string';

/** The query that asks for the whole collection, and where its page begins. */
export function withoutPage(url: URL): { readonly whole: URL; readonly marker: string | undefined } {
  const whole = new URL(url);
  const marker = url.searchParams.get('marker') ?? undefined;
  if (marker !== undefined) whole.searchParams.delete('marker');
  return { whole, marker };
}

/**
 * One page of a collection, with the link to the next in the way of its service: `<items>_links` (Nova, Neutron,
 * Cinder), `next` (Glance), `links.next` (Keystone). Documents that are no collection stay as they are.
 *
 * @param url as it was asked, on the address it is served at
 */
export function pageOf(body: string, url: URL, marker: string | undefined, size: number): string {
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    return body;
  }
  if (typeof document !== 'object' || document === null) return body;
  const lists = Object.entries(document).filter(([name, value]) => Array.isArray(value) && !name.endsWith('_links'));
  const [list] = lists;
  if (!list || lists.length !== 1) return body;
  const [name, items] = list as [string, readonly unknown[]];
  if (UNPAGED.has(name) || !items.every(hasId)) return body;

  const start = marker === undefined ? 0 : items.findIndex((item) => item.id === marker) + 1;
  const asked = Number(url.searchParams.get('limit') ?? size);
  const end = start + Math.max(1, Math.min(size, asked));
  const page = items.slice(start, end);
  const last = page.at(-1);
  if (end >= items.length || !last) return JSON.stringify({ ...document, [name]: page });
  const next = new URL(url);
  next.searchParams.set('marker', last.id);
  const link =
    name === 'images'
      ? { next: `${next.pathname}${next.search}` }
      : 'links' in document
        ? { links: { ...(document.links as object), next: next.href } }
        : { [`${name}_links`]: [{ rel: 'next', href: next.href }] };
  return JSON.stringify({ ...document, [name]: page, ...link });
}
