import { z } from 'zod';
import type { Identity } from '../cloud.ts';

const named = z.looseObject({ id: z.string(), name: z.string() });
const domain = z.looseObject({ id: z.string().nullish(), name: z.string().nullish() });

const catalogEntry = z.looseObject({
  type: z.string(),
  name: z.string().optional(),
  endpoints: z.array(
    z.looseObject({
      interface: z.string(),
      url: z.string(),
      region: z.string().nullish(),
      region_id: z.string().nullish(),
    }),
  ),
});

/** `POST` or `GET /v3/auth/tokens`: the parts we read. */
export const tokenSchema = z.looseObject({
  token: z.looseObject({
    user: named.extend({ domain: domain.optional() }),
    project: named.extend({ domain: domain.optional() }).optional(),
    domain: named.optional(),
    system: z.looseObject({ all: z.boolean().optional() }).optional(),
    roles: z.array(z.looseObject({ name: z.string() })).optional(),
    expires_at: z.string().nullish(),
    is_admin_project: z.boolean().optional(),
    catalog: z.array(catalogEntry).optional(),
  }),
});

export type TokenDocument = z.infer<typeof tokenSchema>;
export type CatalogEntry = z.infer<typeof catalogEntry>;

/** Who the token is for, without the token. */
export function identityOf({ token }: TokenDocument): Identity {
  const roles = (token.roles ?? []).map((role) => role.name);
  const scope = token.system ? 'system' : token.project ? 'project' : token.domain ? 'domain' : 'unscoped';
  const withDomain = (of: { id: string; name: string; domain?: { name?: string | null | undefined } | undefined }) => ({
    id: of.id,
    name: of.name,
    ...(of.domain?.name ? { domain: of.domain.name } : {}),
  });
  return {
    user: withDomain(token.user),
    ...(token.project ? { project: withDomain(token.project) } : {}),
    scope,
    roles,
    ...(token.expires_at ? { expiresAt: token.expires_at } : {}),
    isAdmin: roles.some((role) => role.toLowerCase() === 'admin') || token.is_admin_project === true,
  };
}
