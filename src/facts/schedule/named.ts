import { z } from 'zod';
import type { Answer } from '../../cloud/cloud.ts';
import { UserError } from '../../engine/error.ts';
import type { Evidence } from '../../engine/evidence.ts';
import { type FactResult, observed } from '../../engine/fact.ts';
import type { FactFailure } from '../../engine/failure.ts';
import { ok, type Result } from '../../engine/result.ts';
import type { WishedFlavor, WishedImage } from '../../schedule/wish.ts';
import type { Store } from '../io.ts';
import { type Network, network } from '../schemas/network.ts';

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

interface Named {
  readonly id: string;
  readonly name: string;
}

/** The one that was meant: by id before by name, as the openstack client does. Two of one name: the operator chooses by id. */
function theOne<T extends Named>(kind: string, reference: string, found: readonly T[], list: string): T {
  const chosen = found.find((each) => each.id === reference);
  if (chosen !== undefined) return chosen;
  // One that moves between cells is listed by both for a while.
  const same = [...new Map(found.filter((e) => e.name === reference).map((e) => [e.id, e])).values()];
  const [first, ...others] = same;
  if (first === undefined) {
    throw new UserError(`No ${kind} ${reference} was found.`, {
      why: 'none that these credentials see has this id or exactly this name',
      hint: list,
    });
  }
  if (others.length > 0) {
    const shown = same.slice(0, 6).map((each) => each.id);
    throw new UserError(`${same.length} ${kind}s are called ${reference}.`, {
      why: [...shown, ...(same.length > 6 ? [`and ${same.length - 6} more`] : [])].join(' · '),
      hint: 'name the one you mean by its id',
    });
  }
  return first;
}

/** The one that was meant, of an answer's. @throws UserError */
function chosen<T extends Named>(
  kind: string,
  reference: string,
  answer: Result<Answer<readonly T[]>, FactFailure>,
  list: string,
): FactResult<T> {
  return answer.ok ? observed(theOne(kind, reference, answer.value.value, list), answer.value.evidence) : answer;
}

/** What has the reference for its id; undefined where nothing has, and it may be a name. */
async function ifId<T>(
  facts: Store,
  reference: string,
  byId: (facts: Store, id: string) => Promise<FactResult<T>>,
): Promise<FactResult<T> | undefined> {
  if (!uuid.test(reference)) return undefined;
  const found = await byId(facts, reference);
  return found.ok || found.error.kind !== 'not-found' ? found : undefined;
}

const flavorSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  vcpus: z.number(),
  ram: z.number(),
  disk: z.number(),
  'OS-FLV-EXT-DATA:ephemeral': z.number().optional(),
  // An empty string for none, before 2.75.
  swap: z.union([z.number(), z.string()]).optional(),
  extra_specs: z.record(z.string(), z.string()).optional(),
});

/** A flavor by name or id, private ones of other projects included where the credentials allow. @throws UserError */
export async function flavorNamed(facts: Store, reference: string): Promise<FactResult<WishedFlavor>> {
  const answer = await facts.io.cloud.list({
    service: 'compute',
    path: '/flavors/detail',
    query: { is_public: 'None' },
    items: 'flavors',
    schema: flavorSchema,
    microversion: '2.75',
  });
  const listed = chosen('flavor', reference, answer, 'openstack flavor list --all');
  if (!listed.ok) return listed;
  const found = listed.value.value;
  const evidence = [...listed.value.evidence];
  let extraSpecs = found.extra_specs;
  // Clouds before 2.61 do not tell them in the list.
  if (extraSpecs === undefined) {
    const asked = await facts.io.cloud.get({
      service: 'compute',
      path: `/flavors/${encodeURIComponent(found.id)}/os-extra_specs`,
      schema: z.looseObject({ extra_specs: z.record(z.string(), z.string()) }),
    });
    if (!asked.ok) return asked;
    extraSpecs = asked.value.value.extra_specs;
    evidence.push(asked.value.evidence);
  }
  return observed(
    {
      name: found.name,
      vcpus: found.vcpus,
      ramMb: found.ram,
      diskGb: found.disk,
      ephemeralGb: found['OS-FLV-EXT-DATA:ephemeral'] ?? 0,
      swapMb: Number(found.swap ?? 0) || 0,
      extraSpecs,
    },
    ...evidence,
  );
}

/** Glance's own fields (https://docs.openstack.org/api-ref/image/v2/#show-image); all others of an image are its properties. */
const ownFields = new Set([
  ...['id', 'name', 'status', 'visibility', 'checksum', 'os_hash_algo', 'os_hash_value', 'os_hidden', 'size'],
  ...['virtual_size', 'created_at', 'updated_at', 'protected', 'owner', 'container_format', 'disk_format', 'min_disk'],
  ...['min_ram', 'file', 'schema', 'self', 'tags', 'locations', 'direct_url', 'stores', 'member_status'],
  ...['os_glance_importing_to_stores', 'os_glance_failed_import'],
]);

const imageSchema = z
  .looseObject({
    id: z.string(),
    name: z.string().nullish(),
    disk_format: z.string().nullish(),
    min_ram: z.number().nullish(),
    min_disk: z.number().nullish(),
  })
  .transform((image): WishedImage => {
    const properties = Object.entries(image).flatMap(([key, value]): [string, string][] =>
      ownFields.has(key) || typeof value !== 'string' ? [] : [[key, value]],
    );
    return {
      id: image.id,
      name: image.name ?? image.id,
      ...(image.disk_format == null ? {} : { diskFormat: image.disk_format }),
      minRamMb: image.min_ram ?? 0,
      minDiskGb: image.min_disk ?? 0,
      properties: Object.fromEntries(properties),
    };
  });

export async function imageById(facts: Store, id: string): Promise<FactResult<WishedImage>> {
  const answer = await facts.io.cloud.get({
    service: 'image',
    path: `/images/${encodeURIComponent(id)}`,
    schema: imageSchema,
  });
  return answer.ok ? observed(answer.value.value, answer.value.evidence) : answer;
}

/** An image by name or id. @throws UserError */
export async function imageNamed(facts: Store, reference: string): Promise<FactResult<WishedImage>> {
  const known = await ifId(facts, reference, imageById);
  if (known !== undefined) return known;
  const answer = await facts.io.cloud.list({
    service: 'image',
    path: '/images',
    query: { name: reference },
    items: 'images',
    schema: imageSchema,
  });
  return chosen('image', reference, answer, 'openstack image list');
}

/** Networks by name or id, in the order given. @throws UserError */
export async function networksNamed(
  facts: Store,
  references: readonly string[],
): Promise<FactResult<readonly Network[]>> {
  const found: Network[] = [];
  const evidence: Evidence[] = [];
  for (const reference of references) {
    let all: readonly Network[] = [];
    for (const query of [...(uuid.test(reference) ? [{ id: reference }] : []), { name: reference }]) {
      if (all.length > 0) break;
      const answer = await facts.io.cloud.list({
        service: 'network',
        path: '/networks',
        query,
        items: 'networks',
        schema: network,
      });
      if (!answer.ok) return answer;
      all = answer.value.value;
      evidence.push(answer.value.evidence);
    }
    found.push(theOne('network', reference, all, 'openstack network list'));
  }
  return ok({ value: found, evidence });
}

const groupSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  policy: z.string().optional(),
  policies: z.array(z.string()).optional(),
  rules: z.looseObject({ max_server_per_host: z.number().optional() }).nullish(),
  members: z.array(z.string()),
});
export type ServerGroup = z.infer<typeof groupSchema>;

export async function groupById(facts: Store, id: string): Promise<FactResult<ServerGroup>> {
  const answer = await facts.io.cloud.get({
    service: 'compute',
    path: `/os-server-groups/${encodeURIComponent(id)}`,
    schema: z.looseObject({ server_group: groupSchema }),
    microversion: '2.64',
  });
  return answer.ok ? observed(answer.value.value.server_group, answer.value.evidence) : answer;
}

/** A server group by name or id, of any project where the credentials allow. @throws UserError */
export async function groupNamed(facts: Store, reference: string): Promise<FactResult<ServerGroup>> {
  const known = await ifId(facts, reference, groupById);
  if (known !== undefined) return known;
  const answer = await facts.io.cloud.list({
    service: 'compute',
    path: '/os-server-groups',
    query: { all_projects: 'True' },
    items: 'server_groups',
    schema: groupSchema,
    microversion: '2.64',
  });
  return chosen('server group', reference, answer, 'openstack server group list --all-projects');
}

const serverSchema = z.object({ id: z.string(), name: z.string() });

/** The id of an instance by its name or id, of any project where the credentials allow. @throws UserError */
export async function instanceNamed(facts: Store, reference: string): Promise<FactResult<string>> {
  if (uuid.test(reference)) return ok({ value: reference, evidence: [] });
  // Nova matches names as regular expressions (api-ref, "List Servers").
  const name = `^${reference.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;
  const ask = (everywhere: boolean) =>
    facts.io.cloud.list({
      service: 'compute',
      path: '/servers',
      query: { name, ...(everywhere ? { all_tenants: '1' } : {}) },
      items: 'servers',
      schema: serverSchema,
    });
  const all = await ask(true);
  const answer = !all.ok && all.error.kind === 'forbidden' ? await ask(false) : all;
  const found = chosen('instance', reference, answer, 'openstack server list --all-projects');
  return found.ok ? observed(found.value.value.id, ...found.value.evidence) : found;
}
