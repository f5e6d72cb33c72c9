import { z } from 'zod';
import { UserError } from '../../engine/error.ts';
import type { Evidence } from '../../engine/evidence.ts';
import { type FactResult, observed } from '../../engine/fact.ts';
import { err, ok } from '../../engine/result.ts';
import type { Wish, WishedFlavor, WishedGroup, WishedImage, WishedPort } from '../../schedule/wish.ts';
import { userName } from '../cloud-api.ts';
import { server as instanceServer, ports } from '../instance-api.ts';
import { type Store, source, type WishOption } from '../io.ts';
import { addressUseOf, networkById } from '../port-api.ts';
import { type Server, serverAnswer } from '../schemas/compute.ts';
import type { Network, Port } from '../schemas/network.ts';
import type { CloudSubject, InstanceSubject } from '../subject.ts';
import { isBuried } from './cells.ts';
import {
  flavorNamed,
  groupById,
  groupNamed,
  imageById,
  imageNamed,
  instanceNamed,
  networksNamed,
  type ServerGroup,
} from './named.ts';
import { loggedDestination } from './said.ts';

/**
 * GET /servers/{id}: a list tells neither its server group nor, before 2.96, anything of the zone that was asked for. 2.100 is the
 * first that tells scheduler hints.
 */
const whole = source<InstanceSubject, Server>(
  'instance.whole',
  (s) => s.id,
  async (subject, facts) => {
    const answer = await facts.io.cloud.get({
      service: 'compute',
      path: `/servers/${encodeURIComponent(subject.id)}`,
      schema: serverAnswer,
      microversion: '2.100',
    });
    // What it was found by tells nearly as much.
    return answer.ok ? observed(answer.value.value.server, answer.value.evidence) : facts.get(instanceServer, subject);
  },
);

/** What is left of an answer: the value, with its evidence kept, or nothing. */
function kept<T>(evidence: Evidence[], fact: FactResult<T>): T | undefined {
  if (!fact.ok) return undefined;
  evidence.push(...fact.value.evidence);
  return fact.value.value;
}

const segmentList = z.array(
  z.looseObject({
    'provider:network_type': z.string().nullish(),
    'provider:physical_network': z.string().nullish(),
  }),
);

/** One, or several where the network has them (multi-provider extension); none where policy hides them. */
function segmentsOf(network: Network): WishedPort['segments'] {
  const several = segmentList.safeParse(network.segments);
  return (several.success ? several.data : [network]).flatMap((s) => {
    const type = s['provider:network_type'];
    const physical = s['provider:physical_network'];
    return type == null ? [] : [{ type, ...(physical == null ? {} : { physicalNetwork: physical }) }];
  });
}

/** Why Neutron would give a new port no address: every subnet of a family that has one is full. */
async function withoutAddress(facts: Store, network: Network): Promise<string | undefined> {
  if (network.subnets.length === 0) return 'the network has no subnet';
  const use = await facts.get(addressUseOf, network.id);
  if (!use.ok) return undefined;
  const pools = use.value.value.subnet_ip_availability.filter((s) => s.total_ips > 0 && !s.cidr.includes(':'));
  if (pools.length === 0 || pools.some((s) => s.used_ips < s.total_ips)) return undefined;
  return pools.map((s) => `${s.used_ips} of ${s.total_ips} addresses of ${s.cidr} are taken`).join(', ');
}

const newPort = async (facts: Store, network: Network): Promise<WishedPort> => {
  const because = await withoutAddress(facts, network);
  return {
    network: network.id,
    networkName: network.name,
    vnicType: 'normal',
    segments: segmentsOf(network),
    ...(because === undefined ? {} : { withoutAddress: because }),
  };
};

const requestSchema = z.record(z.string(), z.unknown());

async function existingPort(facts: Store, port: Port, host: string | undefined): Promise<WishedPort> {
  const network = await facts.get(networkById, port.network_id);
  const bound = port['binding:host_id'] || undefined;
  const request = requestSchema.safeParse(port.resource_request);
  return {
    id: port.id,
    network: port.network_id,
    networkName: network.ok ? network.value.value.name : port.network_id,
    vnicType: port['binding:vnic_type'] ?? 'normal',
    segments: network.ok ? segmentsOf(network.value.value) : [],
    ...(bound === undefined || bound === host ? {} : { boundTo: bound }),
    ...(request.success ? { resourceRequest: request.data } : {}),
  };
}

const policies = ['affinity', 'anti-affinity', 'soft-affinity', 'soft-anti-affinity'] as const;

/** The group, with the hosts of its members but the instance itself. */
async function wishedGroup(
  facts: Store,
  group: ServerGroup,
  itself: string | undefined,
  evidence: Evidence[],
): Promise<WishedGroup | undefined> {
  const named = group.policy ?? group.policies?.[0];
  const policy = policies.find((each) => each === named);
  if (policy === undefined) return undefined;
  const hosts = await Promise.all(
    group.members
      .filter((member) => member !== itself)
      .map(async (member) => {
        const answer = await facts.io.cloud.get({
          service: 'compute',
          path: `/servers/${encodeURIComponent(member)}`,
          schema: serverAnswer,
          microversion: '2.79',
        });
        if (!answer.ok) return undefined;
        evidence.push(answer.value.evidence);
        return answer.value.value.server['OS-EXT-SRV-ATTR:host'] ?? undefined;
      }),
  );
  return {
    id: group.id,
    name: group.name,
    policy,
    maxPerHost: group.rules?.max_server_per_host ?? 1,
    memberHosts: hosts.flatMap((host) => host || []),
  };
}

/** Hints by name, each with all its values. @throws UserError */
function hintsOf(option: WishOption): Record<string, readonly string[]> {
  const hints: Record<string, string[]> = {};
  for (const typed of option.hints) {
    const at = typed.indexOf('=');
    if (at < 1) {
      throw new UserError(`--hint ${typed} is not a scheduler hint.`, { hint: 'name=value, e.g. group=web-servers' });
    }
    const name = typed.slice(0, at);
    hints[name] = [...(hints[name] ?? []), typed.slice(at + 1)];
  }
  return hints;
}

/** As an instance has them: a list, or one value by itself. */
const hintValues = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : [value]).map((v) => (typeof v === 'string' ? v : JSON.stringify(v)));

/** `zone`, `zone:host`, `zone:host:node`, `zone::node` (nova/compute/api.py parse_availability_zone). */
function zoneOf(typed: string): Pick<Wish, 'zone' | 'destination'> {
  const [zone = '', host = '', node = ''] = typed.split(':');
  return {
    ...(zone === '' ? {} : { zone }),
    ...(host === '' && node === ''
      ? {}
      : {
          destination: {
            kind: 'force' as const,
            ...(host === '' ? {} : { host }),
            ...(node === '' ? {} : { node }),
          },
        }),
  };
}

/** What the flags ask for, each in words of Nova; nothing where a flag was left out. @throws UserError for names that are not there */
async function asked(
  facts: Store,
  option: WishOption,
  itself: string | undefined,
): Promise<
  FactResult<{
    readonly flavor?: WishedFlavor;
    readonly image?: WishedImage;
    readonly ports: readonly WishedPort[];
    readonly hints: Readonly<Record<string, readonly string[]>>;
    readonly group?: WishedGroup;
    readonly place: Pick<Wish, 'zone' | 'destination'>;
  }>
> {
  const evidence: Evidence[] = [];
  const hints = hintsOf(option);
  for (const name of ['same_host', 'different_host']) {
    const ids = await Promise.all((hints[name] ?? []).map((typed) => instanceNamed(facts, typed)));
    for (const id of ids) if (!id.ok) return id;
    if (ids.length > 0) hints[name] = ids.flatMap((id) => kept(evidence, id) ?? []);
  }
  const [reference] = hints.group ?? [];
  const [flavor, image, networks, group] = await Promise.all([
    option.flavor === undefined ? undefined : flavorNamed(facts, option.flavor),
    option.image === undefined ? undefined : imageNamed(facts, option.image),
    networksNamed(facts, option.networks),
    reference === undefined ? undefined : groupNamed(facts, reference),
  ]);
  for (const fact of [flavor, image, networks, group]) if (fact !== undefined && !fact.ok) return fact;
  const wantedFlavor = flavor && kept(evidence, flavor);
  const wantedImage = image && kept(evidence, image);
  const found = group && kept(evidence, group);
  const wantedGroup = found && (await wishedGroup(facts, found, itself, evidence));
  const ports = await Promise.all((kept(evidence, networks) ?? []).map((network) => newPort(facts, network)));
  const place = option.zone === undefined ? {} : zoneOf(option.zone);
  return ok({
    value: {
      ...(wantedFlavor === undefined ? {} : { flavor: wantedFlavor }),
      ...(wantedImage === undefined ? {} : { image: wantedImage }),
      ...(wantedGroup === undefined ? {} : { group: wantedGroup }),
      ports,
      hints: found === undefined ? hints : { ...hints, group: [found.id] },
      place:
        option.host === undefined
          ? place
          : { ...place, destination: { kind: 'requested' as const, host: option.host } },
    },
    evidence,
  });
}

/**
 * What the flags of the run ask for, for the project that the credentials are of.
 * @throws UserError when a flavor, image, network or group is not there, or is there twice: ask for it before the walk
 */
export const wishOfOptions = source<CloudSubject, Wish>(
  'schedule.wish',
  () => '',
  async (_, facts) => {
    const option = facts.io.options.wish;
    if (option?.flavor === undefined) return err({ kind: 'unsupported', because: 'no flavor was named' });
    const [identity, found] = await Promise.all([facts.io.cloud.identity(), asked(facts, option, undefined)]);
    if (!identity.ok) return identity;
    if (!found.ok) return found;
    const { flavor, image, ports: wished, hints, group, place } = found.value.value;
    if (flavor === undefined) throw new Error('a flavor was named and is not there');
    const project = identity.value.value.project?.id;
    return observed(
      {
        name: flavor.name,
        ...(project === undefined ? {} : { project }),
        count: option.count,
        flavor,
        ...(image === undefined ? {} : { image }),
        fromVolume: false,
        ...place,
        hints,
        ...(group === undefined ? {} : { group }),
        ports: wished,
        hidden: [],
      },
      ...found.value.evidence,
    );
  },
);

function flavorOf(server: Server, hidden: string[]): WishedFlavor {
  const f = server.flavor;
  if (f?.ram === undefined) hidden.push('the flavor');
  else if (f.extra_specs === undefined) hidden.push('the extra specs of the flavor');
  return {
    name: f?.original_name ?? '?',
    vcpus: f?.vcpus ?? 0,
    ramMb: f?.ram ?? 0,
    diskGb: f?.disk ?? 0,
    ephemeralGb: f?.ephemeral ?? 0,
    swapMb: f?.swap ?? 0,
    extraSpecs: f?.extra_specs ?? {},
  };
}

const volumeImage = z.looseObject({
  volume: z.looseObject({ volume_image_metadata: z.record(z.string(), z.string()).optional() }),
});

/** The image of the volume it boots from, as Cinder remembers it. */
async function imageOfVolume(facts: Store, server: Server): Promise<FactResult<WishedImage> | undefined> {
  const [first] = server['os-extended-volumes:volumes_attached'] ?? [];
  if (first === undefined) return undefined;
  const answer = await facts.io.cloud.get({
    service: 'block-storage',
    path: `/volumes/${encodeURIComponent(first.id)}`,
    schema: volumeImage,
  });
  if (!answer.ok) return answer;
  const {
    image_id: id = '',
    image_name: name = id,
    min_ram: ram = '0',
    min_disk: disk = '0',
    disk_format: format,
    ...rest
  } = answer.value.value.volume.volume_image_metadata ?? {};
  const properties = Object.fromEntries(
    Object.entries(rest).filter(([key]) => !/^(checksum|size|container_format)$/.test(key)),
  );
  return observed(
    {
      id,
      name,
      ...(format === undefined ? {} : { diskFormat: format }),
      minRamMb: Number(ram) || 0,
      minDiskGb: Number(disk) || 0,
      properties,
    },
    answer.value.evidence,
  );
}

/** An image that Glance does not have any more leaves what Nova kept of it (2.98). */
async function imageOf(
  facts: Store,
  server: Server,
  hidden: string[],
  evidence: Evidence[],
): Promise<WishedImage | undefined> {
  const reference = server.image;
  const id = typeof reference === 'string' ? reference : reference?.id;
  if (id === undefined || id === '') {
    const found = await imageOfVolume(facts, server);
    if (found?.ok !== true) hidden.push('the image that its volume was made from');
    return found && kept(evidence, found);
  }
  const found = await imageById(facts, id);
  if (found.ok) return kept(evidence, found);
  const known = typeof reference === 'object' ? reference?.properties : undefined;
  if (known === undefined) hidden.push('the properties of its image');
  const properties = Object.fromEntries(Object.entries(known ?? {}).map(([key, value]) => [key, String(value)]));
  return { id, name: id, minRamMb: 0, minDiskGb: 0, properties };
}

async function madeOf(facts: Store, server: Server, evidence: Evidence[]): Promise<NonNullable<Wish['made']>> {
  const { created, user_id: id } = server;
  const name = id === undefined ? undefined : await facts.get(userName, id);
  const by = (name && kept(evidence, name)) ?? id;
  return { ...(created === undefined ? {} : { at: created }), ...(by === undefined ? {} : { by }) };
}

/** What an instance asked of the scheduler, as far as the API tells; what it does not is in `hidden`, unless a flag of the run tells. */
export const wishOfInstance = source<InstanceSubject, Wish>(
  'instance.wish',
  (s) => s.id,
  async (subject, facts) => {
    const option = facts.io.options.wish;
    const [found, attached, logged, flags] = await Promise.all([
      facts.get(whole, subject),
      facts.get(ports, subject),
      facts.get(loggedDestination, subject),
      option === undefined ? undefined : asked(facts, option, subject.id),
    ]);
    if (!found.ok) return found;
    if (flags?.ok === false) return flags;
    const given = flags?.value.value;
    const server = found.value.value;
    const hidden: string[] = [];
    const evidence = [...found.value.evidence, ...(flags?.value.evidence ?? [])];
    const host = server['OS-EXT-SRV-ATTR:host'] || undefined;
    const fromVolume = server.image == null || server.image === '';

    const image = given?.image ?? (await imageOf(facts, server, hidden, evidence));
    const has = kept(evidence, attached);
    const existing = await Promise.all((has ?? []).map((port) => existingPort(facts, port, host)));
    const wished = [...existing, ...(given?.ports ?? [])];
    if (has === undefined || wished.length === 0) hidden.push('the networks that were asked for (--network)');

    const [groupId] = server.server_groups ?? [];
    const read = groupId === undefined || given?.group !== undefined ? undefined : await groupById(facts, groupId);
    if (read?.ok === false) hidden.push(`server group ${groupId}`);
    const readGroup = read && kept(evidence, read);
    const group = given?.group ?? (readGroup && (await wishedGroup(facts, readGroup, subject.id, evidence)));

    const told = server.scheduler_hints ?? undefined;
    const hints = Object.fromEntries(Object.entries(told ?? {}).map(([name, value]) => [name, hintValues(value)]));
    if (told === undefined && Object.keys(given?.hints ?? {}).length === 0) hidden.push('scheduler hints (--hint)');
    const destination = logged.ok ? kept(evidence, logged) : undefined;
    if (given?.place.destination === undefined && !logged.ok) hidden.push('a host that was asked for (--host)');

    // Once a host was chosen, the zone that is shown is the host's, or none when its build failed there.
    const pinned = server.pinned_availability_zone;
    const failedLate = server.status === 'ERROR' && !(server.fault?.message ?? '').includes('No valid host was found');
    const shown = host === undefined && !failedLate && !isBuried(server);
    const zone = (pinned === undefined && shown ? server['OS-EXT-AZ:availability_zone'] : pinned) || undefined;
    if (pinned === undefined && !shown && given?.place.zone === undefined) {
      hidden.push('the availability zone that was asked for (--az)');
    }
    const made = await madeOf(facts, server, evidence);
    const moves = host !== undefined && option?.host !== undefined;
    return observed(
      {
        name: subject.name,
        instance: subject.id,
        ...(server.tenant_id === undefined ? {} : { project: server.tenant_id }),
        made,
        ...(moves ? { movesFrom: host } : {}),
        count: option?.count ?? 1,
        flavor: given?.flavor ?? flavorOf(server, hidden),
        ...(image === undefined ? {} : { image }),
        fromVolume,
        ...(zone === undefined ? {} : { zone }),
        ...(destination === undefined ? {} : { destination }),
        ...given?.place,
        hints: { ...hints, ...given?.hints },
        ...(group === undefined ? {} : { group }),
        ports: wished,
        hidden,
      },
      ...evidence,
    );
  },
);
