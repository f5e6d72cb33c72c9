import { z } from 'zod';
import { twice } from '../../cloud/twice.ts';
import type { Evidence } from '../../engine/evidence.ts';
import { type FactResult, type Observed, observed } from '../../engine/fact.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Aggregate, Estate, Provider } from '../../schedule/estate.ts';
import type { Wish } from '../../schedule/wish.ts';
import { agents, computeServices } from '../cloud-api.ts';
import { type Store, source } from '../io.ts';
import { theCloud } from '../subject.ts';
import { type CellMappings, cellList, hostMappings } from './cells.ts';
import { cellsOf, type Hypervisor, hostsOf, hypervisors, pluggingAgents } from './hosts.ts';
import { closely, providersOf } from './providers.ts';
import { schedulerSettings } from './settings.ts';
import { straysOf } from './strays.ts';

/** The request for which the cloud is looked at. */
export interface WishScope {
  readonly wish: Wish;
}

const aggregateSchema = z.looseObject({
  uuid: z.string(),
  name: z.string(),
  availability_zone: z.string().nullish(),
  hosts: z.array(z.string()),
  metadata: z.record(z.string(), z.string()),
});

/** Classes that a request asks for beyond those of every host: their providers are seen by them alone. */
const classesOf = (wish: Wish): readonly string[] => [
  ...new Set([
    ...Object.entries(wish.flavor.extraSpecs).flatMap(([key, value]) =>
      Number(value) > 0 ? (/^resources[\w-]*:(\w+)$/.exec(key)?.[1] ?? []) : [],
    ),
    ...['MEMORY_MB', 'VCPU', 'DISK_GB'],
  ]),
];

const wantsInstances = (wish: Wish): boolean => Object.keys(wish.hints).some((h) => /^(same|different)_host$/.test(h));

/** Hosts of a cell that are named where Nova itself lists none. */
const mostNamed = 6;

/**
 * What Nova's services are where it lists none in time, or fails over them: it waits for a cell that does not answer. The mappings of the
 * hosts are in the API's own database, where nova-manage reads them.
 */
function unlisted(failure: FactFailure, mappings: CellMappings | undefined): string {
  const why = failure.kind === 'timeout' ? `no answer in ${failure.seconds} s` : 'it failed';
  const cells = (mappings?.cells ?? []).map(({ uuid, name }) => {
    const hosts = [...(mappings?.hosts ?? [])].flatMap(([host, cell]) => (cell === uuid ? [host] : []));
    const more = hosts.length > mostNamed ? ` and ${hosts.length - mostNamed} more` : '';
    return `${name} has ${hosts.length === 0 ? 'no host' : `${hosts.slice(0, mostNamed).join(', ')}${more}`}`;
  });
  const instead = cells.length === 0 ? '' : ` By nova-manage ${cells.join('; ')}.`;
  return `Nova did not list its services (GET /os-services: ${why}), as when the database of a cell does not answer: which are up is not known.${instead}`;
}

/**
 * Cells with their hosts. Nova shows no hypervisor of a host that is not mapped, or whose cell does not answer: without such a host,
 * without a cell that is disabled and without a question that is about cells, the mappings would tell nothing more, and nova-manage takes
 * seconds for them.
 */
async function mappingsOf(
  facts: Store,
  cells: FactResult<CellMappings['cells']>,
  isOpen: (cells: CellMappings['cells']) => boolean,
): Promise<Observed<CellMappings> | undefined> {
  if (!cells.ok) return undefined;
  const { value, evidence } = cells.value;
  if (!isOpen(value)) return { value: { cells: value }, evidence };
  const hosts = await facts.get(hostMappings, theCloud);
  if (!hosts.ok) return undefined;
  return { value: { cells: value, hosts: hosts.value.value }, evidence: [...evidence, ...hosts.value.evidence] };
}

/** As Nova fails over a cell that does not answer. */
const isCellFailure = (failure: FactFailure): boolean =>
  failure.kind === 'timeout' || (failure.kind === 'api' && (failure.status ?? 0) >= 500);

/** One hypervisor with its servers. */
export const hypervisorOf = (facts: Store, uuid: string) =>
  facts.io.cloud.get({
    service: 'compute',
    path: `/os-hypervisors/${encodeURIComponent(uuid)}`,
    query: { with_servers: 'true' },
    schema: z.object({ hypervisor: hypervisors() }),
    microversion: '2.87',
  });

/**
 * With a cell that does not answer, Nova cannot list hypervisors at all (compute_node_get_all asks cell after cell): each is asked for by
 * itself, and those of the cells before that one are told. Undefined where the failure is another.
 */
async function oneByOne(
  facts: Store,
  failure: FactFailure,
  providers: readonly Provider[],
): Promise<readonly Hypervisor[] | undefined> {
  if (failure.kind === 'timeout') return [];
  if (!isCellFailure(failure)) return undefined;
  const answers = await Promise.all(
    providers
      .filter((p) => p.parent === undefined)
      .slice(0, closely)
      .map((p) => hypervisorOf(facts, p.uuid)),
  );
  return answers.flatMap((answer) => (answer.ok ? [answer.value.value.hypervisor] : []));
}

/**
 * What the cloud has to offer, from Nova, Placement, Neutron, and the scheduler's own node. Nova and Placement must answer; without the
 * others it knows less. A cloud of thousands of hosts costs a few large answers, a small one a few small ones for each provider.
 */
export const estate = source<WishScope, Estate>(
  'schedule.estate',
  ({ wish }) => wish.instance ?? '',
  async ({ wish }, facts) => {
    const settling = facts.get(schedulerSettings, theCloud);
    const listing = facts.get(cellList, theCloud);
    const plugging = facts.get(agents, theCloud);
    const [services, groups] = await Promise.all([
      facts.get(computeServices, theCloud),
      facts.io.cloud.get({
        service: 'compute',
        path: '/os-aggregates',
        // 2.41: with the uuid by which Placement knows it.
        microversion: '2.41',
        schema: z.looseObject({ aggregates: z.array(aggregateSchema) }),
      }),
    ]);
    const isSilent = !services.ok && isCellFailure(services.error);
    if (!services.ok && !isSilent) return services;
    if (!groups.ok) return groups;
    const listedServices = services.ok ? services.value.value : undefined;
    const computes = (listedServices ?? []).filter((s) => s.binary === 'nova-compute');
    const aggregates = groups.value.value.aggregates.map(
      (a): Aggregate => ({
        uuid: a.uuid,
        name: a.name,
        ...(a.availability_zone == null ? {} : { zone: a.availability_zone }),
        hosts: a.hosts,
        metadata: a.metadata,
      }),
    );
    // Nova looks the instances up host by host.
    const withInstances = computes.length <= closely || wantsInstances(wish);
    const listNodes = () =>
      facts.io.cloud.list({
        service: 'compute',
        path: '/os-hypervisors/detail',
        ...(withInstances ? { query: { with_servers: 'true' } } : {}),
        items: 'hypervisors',
        schema: hypervisors(),
        microversion: '2.87',
        limit: 100_000,
      });
    const [nodes, providers] = await Promise.all([
      // Where Nova has just kept us waiting for its services, it will again.
      services.ok ? twice(listNodes) : listNodes(),
      providersOf(facts, aggregates, classesOf(wish)),
    ]);
    if (!providers.ok) return providers;
    const listed = nodes.ok ? nodes.value.value : await oneByOne(facts, nodes.error, providers.value.value);
    if (!nodes.ok && listed === undefined) return nodes;
    const known = listed ?? [];
    const seen = new Set(known.map((h) => h.service.host));
    const mapped = await mappingsOf(
      facts,
      await listing,
      (cells) =>
        !services.ok ||
        computes.some((s) => !seen.has(s.host)) ||
        cells.some((cell) => cell.disabled) ||
        (wish.movesFrom !== undefined && cells.length > 1),
    );
    const mappings = mapped?.value;
    const hosts = hostsOf(listedServices, known, providers.value.value, mappings, {
      whole: nodes.ok,
      withInstances,
    });
    const [strays, settings, network] = await Promise.all([
      // Of more providers, a closer look is taken at those that matter (closer.ts).
      providers.value.value.length > closely ? observed([]) : straysOf(facts, hosts, providers.value.value),
      settling,
      plugging,
    ]);
    if (!settings.ok) return settings;
    const evidence: Evidence[] = [
      ...(services.ok ? services.value.evidence : []),
      ...(nodes.ok ? [nodes.value.evidence] : []),
      groups.value.evidence,
      ...providers.value.evidence,
      ...settings.value.evidence,
      ...(mapped?.evidence ?? []),
      ...(strays.ok ? strays.value.evidence : []),
    ];
    return observed(
      {
        hosts,
        providers: providers.value.value,
        aggregates,
        scheduler: settings.value.value,
        cells: mappings === undefined ? [] : cellsOf(mappings, listedServices),
        ...(network.ok ? { agents: pluggingAgents(network.value.value) } : {}),
        strays: strays.ok ? strays.value.value : [],
        ...(services.ok ? {} : { unseen: [unlisted(services.error, mappings)] }),
      },
      ...evidence,
    );
  },
);
