import type { ScheduleChange } from '../engine/schedule.ts';
import type { Mends } from './admits.ts';
import { zoneOf } from './ask.ts';
import type { Aggregate, HostFacts, Inventory, Provider } from './estate.ts';
import type { Scene } from './scene.ts';

type Way = readonly [ScheduleChange, ...ScheduleChange[]];

/** At most so many alternatives of one kind are worth reading. */
const mostAlternatives = 2;

/** Into an aggregate of a zone; Nova lets no host be in two zones, so one that has a zone of its own has no way in. */
export function intoZone(zone: string, host: string, scene: Scene): Way[] {
  const there = scene.aggregatesOf(host).some((a) => zoneOf(a) !== undefined && zoneOf(a) !== zone);
  if (there) return [];
  return into(
    scene.estate.aggregates.filter((a) => zoneOf(a) === zone),
    host,
  );
}

/** Into one of these aggregates; where the host is in it already, it is Placement that does not know. */
function into(aggregates: readonly Aggregate[], host: string): Way[] {
  const already = aggregates.find((a) => a.hosts.includes(host));
  if (already !== undefined)
    return [[{ kind: 'aggregate-host', on: 'cloud', aggregate: already.name, host, mirror: true }]];
  return aggregates
    .slice(0, mostAlternatives)
    .map((a): Way => [{ kind: 'aggregate-host', on: 'cloud', aggregate: a.name, host }]);
}

/** How far an allocation ratio is stretched before it is no advice any more. */
const mostRatio: Readonly<Record<string, number>> = { VCPU: 16, MEMORY_MB: 2, DISK_GB: 2 };

/** Traits that nova-compute itself reports and would set again; an operator's own are CUSTOM_. */
const isOwnedByNova = (trait: string): boolean => trait.startsWith('COMPUTE_');

/** What an operator could change so that Placement gives a host: strays out, reserved or ratio otherwise, a trait, an aggregate. */
export function mendsFor(host: HostFacts, scene: Scene): Mends {
  return {
    room: (provider, resourceClass, inventory, amount) => [
      ...withoutStrays(provider, resourceClass, inventory, amount, scene),
      ...otherInventory(host, provider, resourceClass, inventory, amount),
    ],
    trait: (provider, { trait, wanted }) => {
      if (trait === 'COMPUTE_STATUS_DISABLED' && host.service.status === 'disabled')
        return [[{ kind: 'service-enabled', on: 'cloud', host: host.host }]];
      // Of a service that is enabled again, the trait that nova-compute failed to take back can go.
      if (isOwnedByNova(trait) && trait !== 'COMPUTE_STATUS_DISABLED') return [];
      return [
        [
          {
            kind: 'trait',
            on: 'cloud',
            host: host.host,
            provider: provider.uuid,
            trait,
            present: wanted === 'required',
          },
        ],
      ];
    },
    memberOf: ([root], constraint) => {
      const { origin, wanted, aggregates } = constraint;
      const theirs = scene.estate.aggregates.filter((a) => aggregates.includes(a.uuid));
      if (wanted === 'forbidden')
        return theirs
          .filter((a) => root.aggregates.has(a.uuid))
          .map((a) => isolationOf(a))
          .flatMap((changes): Way[] => (changes === undefined ? [] : [changes]))
          .slice(0, 1);
      if (origin.from === 'zone') return intoZone(origin.zone, host.host, scene);
      if (origin.from === 'project' && aggregates.length === 0)
        return scene
          .aggregatesOf(host.host)
          .slice(0, 1)
          .map(
            (a): Way => [
              {
                kind: 'aggregate-property',
                on: 'cloud',
                aggregate: a.name,
                key: 'filter_tenant_id',
                value: origin.project,
              },
            ],
          );
      return into(theirs, host.host);
    },
    isUnmirrored: ({ aggregates }) => scene.aggregatesOf(host.host).some((a) => aggregates.includes(a.uuid)),
  };
}

/** The metadata by which isolate_aggregates keeps an aggregate for a trait, taken away. */
function isolationOf(aggregate: Aggregate): Way | undefined {
  const keys = Object.entries(aggregate.metadata).flatMap(([key, value]): ScheduleChange[] =>
    key.startsWith('trait:') && value === 'required'
      ? [{ kind: 'aggregate-property', on: 'cloud', aggregate: aggregate.name, key, value: '' }]
      : [],
  );
  const [first, ...more] = keys;
  return first === undefined ? undefined : [first, ...more];
}

/** Strays whose room is enough, the fewest: the largest first. */
function withoutStrays(
  provider: Provider,
  resourceClass: string,
  inventory: Inventory,
  amount: number,
  scene: Scene,
): Way[] {
  if (amount > inventory.maxUnit || amount % inventory.stepSize !== 0) return [];
  const holding = scene.estate.strays
    .map((stray) => ({ stray, amount: stray.held.get(provider.uuid)?.[resourceClass] ?? 0 }))
    .filter((s) => s.amount > 0)
    .sort((a, b) => b.amount - a.amount);
  const lacking = inventory.used + amount - (inventory.total - inventory.reserved) * inventory.allocationRatio;
  const change = ({ stray }: (typeof holding)[number]): ScheduleChange => ({
    kind: 'allocation',
    on: 'cloud',
    consumer: stray.consumer,
    providers: [...stray.held.keys()],
  });
  const enough = holding.filter((s) => s.amount >= lacking);
  const smallest = enough.at(-1);
  if (smallest !== undefined) return [[change(smallest)]];
  let freed = 0;
  const several: ScheduleChange[] = [];
  for (const one of holding) {
    several.push(change(one));
    freed += one.amount;
    if (freed >= lacking) break;
  }
  const [first, ...more] = several;
  return first === undefined || freed < lacking ? [] : [[first, ...more]];
}

/** Less reserved, or more over-commit; not for what is larger than the host itself. */
function otherInventory(host: HostFacts, provider: Provider, resource: string, i: Inventory, amount: number): Way[] {
  if (amount % i.stepSize !== 0 || amount < i.minUnit || amount > i.total) return [];
  const whose = provider.root === host.provider ? host.host : provider.name;
  const base = { kind: 'inventory', on: 'cloud', host: whose, provider: provider.uuid, resource } as const;
  const unit: ScheduleChange[] =
    amount > i.maxUnit ? [{ ...base, field: 'max_unit', from: i.maxUnit, to: i.total }] : [];
  const need = i.used + amount;
  if (need <= (i.total - i.reserved) * i.allocationRatio + 1e-9) {
    const [only] = unit;
    return only === undefined ? [] : [[only]];
  }
  const ways: Way[] = [];
  const reserved = Math.floor(i.total - need / i.allocationRatio + 1e-9);
  if (i.reserved > 0 && reserved >= 0)
    ways.push([{ ...base, field: 'reserved', from: i.reserved, to: reserved }, ...unit]);
  const usable = i.total - i.reserved;
  const ratio = usable > 0 ? Math.ceil((need / usable) * 100 - 1e-9) / 100 : Number.POSITIVE_INFINITY;
  if (ratio <= (Object.hasOwn(mostRatio, resource) ? (mostRatio[resource] ?? 1) : 1))
    ways.push([{ ...base, field: 'allocation_ratio', from: i.allocationRatio, to: ratio }, ...unit]);
  return ways;
}
