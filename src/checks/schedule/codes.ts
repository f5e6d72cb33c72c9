import type { FindingSpec } from '../../engine/finding.ts';

const nova = 'https://docs.openstack.org/nova/latest/';
const placement = 'https://docs.openstack.org/placement/latest/';
const scheduling = `${nova}admin/scheduling.html`;

type Said = Pick<FindingSpec, 'title' | 'meaning' | 'evidence' | 'mend' | 'refs'>;

const spec = (number: string, said: Said): FindingSpec => ({
  code: `OSD-SCHED-${number}`,
  severity: 'error',
  nature: 'cause',
  explains: [
    { code: 'OSD-VM-002', over: ['instance'] },
    { code: 'OSD-VM-005', over: ['instance'] },
  ],
  ...said,
});

export const lacksResources = spec('001', {
  title: 'No host has so much of a resource',
  meaning:
    'Every host that could take the instance lacks memory, processors, disk or another resource class that is asked for. Placement gives no candidate then, and no filter ever runs; what counts is (total − reserved) × allocation ratio − used, and max_unit for one instance.',
  evidence:
    'Placement\'s inventories and usages against what the flavor asks for, its answer to the query that Nova asks, and the scheduler\'s line "Got no allocation candidates".',
  mend: 'Ask for less (FITS IF names the most that fits), free room, or lower reserved or raise the allocation ratio where that is meant.',
  refs: [`${nova}admin/scheduling.html#allocation-ratios`, `${placement}user/index.html`],
});

export const lacksTrait = spec('002', {
  title: 'No host has the traits that are asked for',
  meaning:
    'A trait that the flavor or the image requires is on no provider of a host that fits otherwise, or one that it forbids is on all of them.',
  evidence: "trait: extra specs and image properties against the traits of Placement's providers.",
  mend: 'Give a host the trait (or take it away), or correct the extra spec.',
  refs: [`${nova}user/flavors.html#extra-specs`, `${placement}user/index.html`],
});

export const outsideAggregate = spec('003', {
  title: 'No host is in an aggregate that the request needs',
  meaning:
    'Aggregates are reserved for other projects, isolated by a trait, or the one that is asked for has no host: Nova asks Placement for members of some aggregates only, or AggregateMultiTenancyIsolation rejects the rest.',
  evidence:
    "metadata and hosts of the aggregates (filter_tenant_id, trait:*, availability_zone) against the request's project, flavor and zone.",
  mend: 'Put a host into the aggregate, or correct its metadata.',
  refs: [`${nova}admin/aggregates.html`, `${nova}reference/isolate-aggregates.html`],
});

export const noLiveCompute = spec('004', {
  title: 'No nova-compute that could take it is up and enabled',
  meaning:
    'The hosts that have what is asked for are disabled, or their nova-compute does not report: ComputeFilter rejects them, or Placement does by COMPUTE_STATUS_DISABLED.',
  evidence: 'state, status and disabled reason of nova-compute in GET /os-services, and the trait on the provider.',
  mend: 'Start nova-compute, or enable it again where whoever disabled it agrees.',
  refs: [`${nova}admin/services.html`],
});

export const emptyZone = spec('005', {
  title: 'The availability zone is unknown or has no host',
  meaning:
    'No host that could take the instance is in the zone that was asked for. A zone is an aggregate with a name for it: a misspelt one is no error before the scheduler.',
  evidence: 'availability_zone of the aggregates and their hosts, default_schedule_zone of nova.conf.',
  mend: 'Ask for a zone that has hosts, or add hosts to the aggregate of this one.',
  refs: [`${nova}admin/availability-zones.html`],
});

export const extraSpecUnmet = spec('006', {
  title: 'No host satisfies the extra specs of the flavor',
  meaning:
    'A filter compares extra specs with what the hypervisor or its aggregates say, and none agrees. An extra spec without a namespace is read by ComputeCapabilitiesFilter and AggregateInstanceExtraSpecsFilter alike.',
  evidence: "the flavor's extra specs against the capabilities of the hypervisors and the metadata of the aggregates.",
  mend: 'Correct the extra spec (its namespace most of all), or set the property on an aggregate with hosts.',
  refs: [`${nova}user/flavors.html#extra-specs`, scheduling],
});

export const imageUnmet = spec('007', {
  title: 'No host satisfies the properties of the image',
  meaning: 'The image asks for an architecture, a hypervisor, a machine or a device model that no host supports.',
  evidence:
    "hw_*, img_* and architecture properties of the image against the hypervisors' supported instances and traits.",
  mend: 'Correct the property of the image, or use another image.',
  refs: ['https://docs.openstack.org/glance/latest/admin/useful-image-properties.html', scheduling],
});

export const groupUnmet = spec('008', {
  title: 'The server group leaves no host',
  meaning:
    'Anti-affinity: every host has a member already. Affinity: the one host of the members cannot take another one.',
  evidence: 'policy, rules and members of the server group with their hosts.',
  mend: 'Add a host or make room on it, or use a soft policy.',
  refs: [`${nova}user/server-groups.html`],
});

export const namedHostUnmet = spec('009', {
  title: 'The host that was named, or a hint, leaves no host',
  meaning:
    'The request names a host that does not exist or cannot take it, a move one of another cell, or it has scheduler hints that no host satisfies.',
  evidence: 'the destination and the hints of the request against the names of the hosts and their instances.',
  mend: 'Name another host, or leave the hint out.',
  refs: [`${nova}admin/availability-zones.html#using-availability-zones-to-select-hosts`, scheduling],
});

export const hostNotMapped = spec('010', {
  title: 'The host that could take it is not discovered',
  meaning:
    'nova-compute runs and has an inventory, but the API database has no mapping of the host to a cell: the scheduler drops it ("No host-to-cell mapping found").',
  evidence:
    "the hosts of the cells on a controller (nova-manage cell_v2 list_hosts) against those in Placement, and the scheduler's line.",
  mend: 'nova-manage cell_v2 discover_hosts --verbose on a controller; discover_hosts_in_cells_interval does it by itself.',
  refs: [`${nova}admin/cells.html`],
});

export const strayHoldsRoom = spec('011', {
  title: 'Placement holds the room for something that does not exist',
  meaning:
    'An allocation of a consumer that is neither an instance nor a migration, or of an instance that lives on another host, takes what is missing: a left-over of a failed deletion, evacuation or migration.',
  evidence:
    "allocations of the resource providers against Nova's instances and migrations; without them there would be room.",
  mend: 'Delete the allocation (nova-manage placement audit --delete does so for all of them), then create the instance again.',
  refs: [`${nova}admin/troubleshooting/orphaned-allocations.html`],
});

export const cellIsDown = spec('012', {
  title: 'The cell of the hosts that could take it is down',
  meaning:
    'The scheduler cannot read the hosts of a cell whose database does not answer, or that is disabled, and leaves them out.',
  evidence:
    'services and instances of the cell as the API shows them (state UNKNOWN), and nova-manage cell_v2 list_cells.',
  mend: 'Bring back the database and the message queue of the cell, or enable it again.',
  refs: [`${nova}admin/cells.html#handling-down-cells`],
});

export const buildFailed = spec('013', {
  title: 'Hosts were found, and the build failed on them',
  meaning:
    'The scheduler did its part; the compute node could not build the instance, the next one was tried, and at the end "No valid host was found" or "exhausted all hosts" hides the first error.',
  evidence: "the last error about the instance in nova-compute's log of the hosts that were tried.",
  mend: 'Mend what that error names, then create the instance again.',
  refs: [`${nova}admin/scheduling.html`],
});

export const networkUnmet = spec('014', {
  title: 'No host can connect its network',
  meaning:
    'No agent of the right kind is alive on a host that fits otherwise, the physical network is mapped nowhere, a port belongs to another host, or no address is left.',
  evidence:
    "Neutron's agents with their mappings, the segments of the network, the bindings of the ports, the scheduler's or the compute node's own words.",
  mend: 'Start the agent, give it the mapping, free the port, or add addresses to the subnet.',
  refs: ['https://docs.openstack.org/neutron/latest/admin/config-ml2.html'],
});

export const filterOpaque = spec('015', {
  title: 'A filter rejected the hosts that cannot be computed from outside',
  meaning: "Nova's own log names a filter that left no host; what it looks at is not told by any API.",
  evidence: 'the line "Filter results" or "Filtering removed all hosts" of the scheduler for this request.',
  mend: 'Look at what that filter compares on a host that should fit (its documentation is linked).',
  refs: [scheduling],
});

export const severalTogether = spec('016', {
  title: 'Only several things together leave no host',
  meaning:
    'No single change would give the request a host: different hosts fall to different steps, or each to more than one.',
  evidence: 'every host against every step of the scheduling, and the smallest sets of changes that would give one.',
  mend: 'Make the changes of one of the sets that FITS IF names.',
  refs: [scheduling],
});

export const tooMany = spec('017', {
  title: 'There is room for fewer instances than were asked for',
  meaning: 'One instance fits, so many of them at once do not: all of a request get hosts, or none.',
  evidence: 'how many of the request the hosts can take, one after the other.',
  mend: 'Ask for fewer at a time, or add hosts.',
  refs: [scheduling],
});

export const scheduleSpecs: readonly FindingSpec[] = [
  lacksResources,
  lacksTrait,
  outsideAggregate,
  noLiveCompute,
  emptyZone,
  extraSpecUnmet,
  imageUnmet,
  groupUnmet,
  namedHostUnmet,
  hostNotMapped,
  strayHoldsRoom,
  cellIsDown,
  buildFailed,
  networkUnmet,
  filterOpaque,
  severalTogether,
  tooMany,
];
