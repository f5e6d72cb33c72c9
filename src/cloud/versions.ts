import { z } from 'zod';
import type { ServiceType, ServiceVersion } from './cloud.ts';
import { novaRelease } from './releases.ts';

const version = z.looseObject({
  id: z.string(),
  status: z.string().optional(),
  version: z.string().nullish(),
  min_version: z.string().nullish(),
  max_version: z.string().nullish(),
  links: z.array(z.looseObject({ href: z.string().nullish() })).nullish(),
});

/** Every shape the services answer with (a list, Keystone's `{values: []}`, a single one), as a list. */
export const versionsSchema = z.union([
  z.looseObject({ versions: z.looseObject({ values: z.array(version) }) }).transform(({ versions }) => versions.values),
  z.looseObject({ versions: z.array(version) }).transform(({ versions }) => versions),
  z.looseObject({ version }).transform((document) => [document.version]),
]);

/** The version that our base URL speaks, else the current one. */
export function pickVersion(
  service: ServiceType,
  list: z.infer<typeof versionsSchema>,
  base: string,
): ServiceVersion | undefined {
  const segment = new URL(base).pathname.split('/').findLast((part) => /^v\d/.test(part));
  const byLink = list.filter((entry) =>
    (entry.links ?? []).some((link) => segment !== undefined && link.href?.replace(/\/+$/, '').endsWith(`/${segment}`)),
  );
  const current = (entries: typeof list) => entries.find((entry) => entry.status?.toUpperCase() === 'CURRENT');
  const chosen = list.find((entry) => entry.id === segment) ?? current(byLink) ?? byLink[0] ?? current(list) ?? list[0];
  if (!chosen) return undefined;
  const max = chosen.max_version || chosen.version || undefined;
  const min = chosen.min_version || undefined;
  const release = service === 'compute' && max ? novaRelease(max) : undefined;
  return {
    id: chosen.id,
    ...(min ? { minMicroversion: min } : {}),
    ...(max ? { maxMicroversion: max } : {}),
    ...(release ? { release } : {}),
  };
}
