import { defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { Finding } from '../../engine/finding.ts';
import { advice, byOperator, findingOf } from '../../engine/finding-of.ts';
import { server } from '../../facts/instance-api.ts';
import { type Io, showing } from '../../facts/io.ts';
import {
  foundNoHost,
  type ProviderRoom,
  placementRoom,
  schedulerWords,
  strayConsumers,
  wantedOf,
} from '../../facts/scheduling.ts';
import type { InstanceSubject } from '../../facts/subject.ts';
import { instanceScope } from '../scope.ts';
import { noValidHost, strayAllocation } from './codes.ts';

const needs = { server };
const optional = { words: schedulerWords, room: placementRoom, strays: strayConsumers };

interface Lack {
  readonly resource: string;
  readonly wanted: number;
  /** The most that any provider could give. */
  readonly most: number;
}

const freeIn = (p: ProviderRoom, resource: string, without: ReadonlySet<string>): number => {
  const room = p.rooms.find((r) => r.resource === resource);
  if (room === undefined) return 0;
  const freed = [...without].reduce((sum, id) => sum + (p.holders.get(id)?.[resource] ?? 0), 0);
  return Math.min(room.capacity - room.used + freed, room.largest);
};

/** What no provider has enough of. Providers that never had the class at all (shared storage, children) do not count. */
function lacks(
  providers: readonly ProviderRoom[],
  wanted: ReadonlyMap<string, number>,
  without: ReadonlySet<string> = new Set(),
): readonly Lack[] {
  return [...wanted].flatMap(([resource, amount]): Lack[] => {
    const most = Math.max(0, ...providers.map((p) => freeIn(p, resource, without)));
    return most >= amount ? [] : [{ resource, wanted: amount, most }];
  });
}

export default defineCheck<Io, InstanceSubject, typeof needs, typeof optional>({
  id: 'instance.placed',
  per: 'instance',
  title: 'A host was found for the instance',
  needs,
  optional,
  findings: [noValidHost, strayAllocation],
  judge: ({ subject, facts, maybe }) => {
    const s = facts.server.value;
    const [evidence] = facts.server.evidence;
    if (evidence === undefined) throw new Error('an instance without evidence');
    const said = maybe.words.ok ? maybe.words.value.value : [];
    const providers = maybe.room.ok ? maybe.room.value.value : [];
    const strays = new Set(maybe.strays.ok ? maybe.strays.value.value : []);
    if (!foundNoHost(s)) return skipped('its scheduling did not fail');
    const message = s.fault?.message ?? '';
    const scope = instanceScope(subject);
    const verify = `ostk-doctor net ${subject.name}`;
    const flavor = s.flavor?.original_name ?? '?';
    const killers = said.flatMap((w) => w.filters.filter((f) => f.end === 0));
    const [killer] = killers;
    const wanted = wantedOf(s);
    const short = killer === undefined && providers.length > 0 ? lacks(providers, wanted) : [];
    const lines: Evidence[] = [showing(evidence, `status ERROR, flavor ${flavor}\nfault: ${message}`)];
    lines.push(...said.map((w) => w.evidence));
    const findings: Finding[] = [];
    const [first, ...others] = lines;
    if (first === undefined) throw new Error('no evidence');

    if (short.length > 0 && strays.size > 0 && lacks(providers, wanted, strays).length === 0) {
      const [room] = maybe.room.ok ? maybe.room.value.evidence : [];
      for (const id of strays) {
        const held = providers.flatMap((p) => {
          const what = p.holders.get(id);
          return what === undefined
            ? []
            : [
                `${p.name}: ${Object.entries(what)
                  .map(([r, n]) => `${n} ${r}`)
                  .join(', ')}`,
              ];
        });
        findings.push(
          findingOf(strayAllocation, {
            summary: `Placement holds resources for ${id}, which is no instance and no migration of this cloud: without them there would be room for ${subject.name}`,
            subject: `allocation ${id}`,
            scope,
            confidence: 'likely',
            evidence: [showing(room ?? evidence, held)],
            remedies: [
              {
                title: 'delete the allocation, then create the instance again',
                risk: 'reversible',
                sufficient: false,
                steps: [
                  byOperator(['openstack', 'resource', 'provider', 'allocation', 'show', id]),
                  byOperator(['openstack', 'resource', 'provider', 'allocation', 'delete', id]),
                  advice('on a controller, nova-manage placement audit finds all of them'),
                ],
              },
            ],
            verify,
          }),
        );
      }
    }
    const why =
      killer !== undefined
        ? `${killer.name} rejected the last ${killer.start === 1 ? 'host' : `${killer.start} hosts`}`
        : short.length > 0
          ? short
              .map((l) => `${l.wanted} ${l.resource} wanted, no host has more than ${Math.max(0, l.most)} free`)
              .join('; ')
          : message;
    findings.push(
      findingOf(noValidHost, {
        summary: `No host was found for ${subject.name}: ${why}`,
        subject: `instance ${subject.name}`,
        scope,
        evidence: [first, ...others],
        remedies: [
          {
            title:
              killer === undefined ? 'see what the request asks for and what the hosts have' : adviceFor(killer.name),
            risk: 'none',
            sufficient: false,
            steps: [
              byOperator(['openstack', 'flavor', 'show', flavor]),
              byOperator(['openstack', 'compute', 'service', 'list', '--service', 'nova-compute']),
              byOperator(['openstack', 'hypervisor', 'list', '--long']),
              ...(killer === undefined && said.length === 0
                ? [
                    advice(
                      "nova-scheduler's log names the filter that rejected the last host, or says that Placement gave no candidate",
                    ),
                  ]
                : []),
            ],
          },
        ],
        verify,
      }),
    );
    return judged(findings, '');
  },
});

/** What each of Nova's filters is content with (nova/scheduler/filters). */
function adviceFor(filter: string): string {
  switch (filter) {
    case 'ComputeFilter':
      return 'bring up or enable a nova-compute';
    case 'ComputeCapabilitiesFilter':
      return 'correct the extra specs of the flavor (capabilities:…), which no hypervisor satisfies';
    case 'AggregateInstanceExtraSpecsFilter':
      return 'correct the extra specs of the flavor, or give a host aggregate the properties they name';
    case 'ImagePropertiesFilter':
      return 'correct the hw_ and img_ properties of the image, which no hypervisor satisfies';
    case 'ServerGroupAntiAffinityFilter':
      return 'add a host, or relax the policy of the server group: every host has a member of it already';
    case 'ServerGroupAffinityFilter':
      return "make room on the server group's host, or relax its policy";
    case 'AvailabilityZoneFilter':
      return 'choose an availability zone that has hosts';
    case 'NUMATopologyFilter':
      return 'relax the NUMA, huge page or pinning wishes of the flavor, or free such resources';
    case 'PciPassthroughFilter':
      return 'free a device, or correct device_spec and the physical network of the hosts';
    default:
      return `see what ${filter} asks of a host`;
  }
}
