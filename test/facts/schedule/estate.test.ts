import { describe, expect, it } from 'vitest';
import type { FactResult } from '../../../src/engine/fact.ts';
import { estate } from '../../../src/facts/schedule/estate.ts';
import type { Estate } from '../../../src/schedule/estate.ts';
import type { Wish } from '../../../src/schedule/wish.ts';
import { type Body, type CaseOptions, caseOf, recorded } from './recorded-case.ts';

const wish: Wish = {
  name: 'sched-vm',
  count: 1,
  flavor: { name: 'f', vcpus: 1, ramMb: 1, diskGb: 1, ephemeralGb: 0, swapMb: 0, extraSpecs: {} },
  fromVolume: false,
  hints: {},
  ports: [],
  hidden: [],
};

const told = (fact: FactResult<Estate>): Estate => {
  if (!fact.ok) throw new Error(JSON.stringify(fact.error));
  return fact.value.value;
};

const estateOf = async (name: string, options: CaseOptions = {}, of: Wish = wish): Promise<Estate> =>
  told(await caseOf(name, options).facts.get(estate, { wish: of }));

const hostIn = (found: Estate, name: string) => {
  const host = found.hosts.find((h) => h.host === name);
  if (host === undefined) throw new Error(`no ${name}`);
  return host;
};

describe('what the cloud has to offer', () => {
  it('is every nova-compute with its service, hypervisor, provider and instances', async () => {
    const found = await estateOf('ram');
    expect(found.hosts.map((h) => h.host)).toEqual(['cmp1', 'cmp2', 'sched-c2', 'sched-f1', 'sched-f2']);
    const host = hostIn(found, 'cmp1');
    expect(host).toMatchObject({
      node: 'cmp1',
      service: { state: 'up', status: 'enabled', forcedDown: false, zone: 'nova' },
      hypervisor: { type: 'QEMU', version: 7002022, vcpus: 2, memoryMb: 24105, ioOps: 0 },
      cell: { state: 'mapped' },
    });
    expect(host.hypervisor.cpuInfo).toMatchObject({ arch: 'x86_64', topology: { sockets: 1 } });
    expect(host.instances).toHaveLength(3);
    const provider = found.providers.find((p) => p.uuid === host.provider);
    expect(provider?.name).toBe('cmp1');
    expect(provider?.inventories.get('MEMORY_MB')).toEqual({
      total: 24105,
      reserved: 512,
      allocationRatio: 1,
      minUnit: 1,
      maxUnit: 24105,
      stepSize: 1,
      used: 288,
    });
    expect(provider?.traits).toContain('COMPUTE_NODE');
    expect(found.strays).toEqual([]);
    expect(found.cells).toEqual([
      { uuid: 'a61e7889-06dd-4798-a9df-d0994858bcaa', name: 'cell1', state: 'up', disabled: false },
      { uuid: '741388e0-c45f-40b3-963a-59623aa36f99', name: 'cell2', state: 'up', disabled: false },
    ]);
    expect(found.scheduler.enabledFilters).toContain('ServerGroupAntiAffinityFilter');
  });

  it('asks nova-manage for the hosts of cells only where the API leaves something open', async () => {
    const { facts, asked } = caseOf('ram');
    await facts.get(estate, { wish });
    expect(asked.commands.filter((c) => c.includes('list_'))).toHaveLength(1);
  });

  it('says what is disabled, why, and what is down', async () => {
    const disabled = await estateOf('disabled');
    expect(disabled.hosts.some((h) => h.service.status === 'disabled')).toBe(true);
    const dead = await estateOf('dead');
    expect(hostIn(dead, 'sched-f1').service.state).toBe('down');
  });

  it('reads a provider that no candidate shows by itself', async () => {
    const providers = recorded('ram/providers.json');
    const full = providers.resource_providers.find((p: Body) => p.name === 'cmp1');
    full.usages.MEMORY_MB = 23593;
    full.usages.VCPU = 32;
    full.usages.DISK_GB = 251;
    const own = {
      '/resource_providers': providers,
      [`/resource_providers/${full.uuid}/usages`]: { usages: full.usages },
      '/allocation_candidates': {
        allocation_requests: [],
        provider_summaries: {},
      },
    };
    const found = await estateOf('ram', { answers: own });
    const provider = found.providers.find((p) => p.name === 'cmp1');
    expect(provider?.inventories.get('VCPU')).toMatchObject({ total: 2, allocationRatio: 16, used: 32 });
    expect(provider?.traits).toContain('COMPUTE_NODE');
  });

  it('has a host as not discovered that Nova lists as a service alone, whoever is asked', async () => {
    const hypervisors = recorded('ram/hypervisors.json');
    hypervisors.hypervisors = hypervisors.hypervisors.filter((h: Body) => h.service.host !== 'sched-f1');
    const answers = { '/os-hypervisors/detail': hypervisors };
    const listHosts = [
      '| Cell Name |              Cell UUID               | Hostname |',
      '|   cell1   | a61e7889-06dd-4798-a9df-d0994858bcaa |   cmp1   |',
    ].join('\n');
    const listed = await estateOf('ram', { answers, listHosts });
    expect(hostIn(listed, 'sched-f1')).toMatchObject({ node: 'sched-f1', cell: { state: 'unmapped' } });
    expect(hostIn(listed, 'sched-f1').provider).toBeDefined();
    expect(hostIn(listed, 'cmp1').cell).toEqual({ state: 'mapped', name: 'cell1' });

    const guessed = await estateOf('ram', { answers, withoutNodes: true });
    expect(hostIn(guessed, 'sched-f1').cell).toEqual({ state: 'unmapped' });
    expect(hostIn(guessed, 'cmp1').cell).toEqual({ state: 'mapped' });
    expect(guessed.cells).toEqual([]);
  });

  it('has a cell as down whose services Nova shows with status UNKNOWN', async () => {
    const hypervisors = recorded('ram/hypervisors.json');
    hypervisors.hypervisors = hypervisors.hypervisors.filter((h: Body) => h.service.host !== 'sched-c2');
    const services = recorded('ram/os-services.json');
    services.services = services.services.map((s: Body) =>
      s.host === 'sched-c2' ? { binary: s.binary, host: s.host, status: 'UNKNOWN' } : s,
    );
    const answers = { '/os-hypervisors/detail': hypervisors, '/os-services': services };
    const found = await estateOf('ram', { answers });
    expect(hostIn(found, 'sched-c2')).toMatchObject({ service: { state: 'unknown' }, cell: { state: 'down' } });
    expect(found.cells[1]).toMatchObject({ name: 'cell2', state: 'down', because: expect.stringContaining('UNKNOWN') });
    const blind = await estateOf('ram', { answers, withoutNodes: true });
    expect(hostIn(blind, 'sched-c2').cell).toEqual({ state: 'down' });
  });

  it('asks for hypervisors one by one where Nova cannot list them because a cell is down', async () => {
    const { hypervisors } = recorded('ram/hypervisors.json');
    const services = recorded('ram/os-services.json');
    services.services = services.services.map((s: Body) =>
      s.host === 'sched-c2' ? { binary: s.binary, host: s.host, status: 'UNKNOWN' } : s,
    );
    const single = hypervisors
      .filter((h: Body) => h.service.host.startsWith('cmp'))
      .map((h: Body) => [`/os-hypervisors/${h.id}`, { hypervisor: h }]);
    const found = await estateOf('ram', {
      answers: { '/os-services': services, '/os-hypervisors/detail': 500, ...Object.fromEntries(single) },
    });
    expect(hostIn(found, 'cmp1').hypervisor.type).toBe('QEMU');
    expect(hostIn(found, 'sched-f1')).toMatchObject({ hypervisor: {}, cell: { state: 'mapped', name: 'cell1' } });
    expect(hostIn(found, 'sched-c2').cell).toEqual({ state: 'down' });
  });

  it('goes on without a list of services where Nova waits for a cell: nova-manage tells which hosts are whose', async () => {
    const { hypervisors } = recorded('ram/hypervisors.json');
    const single = hypervisors
      .filter((h: Body) => h.service.host.startsWith('cmp'))
      .map((h: Body) => [`/os-hypervisors/${h.id}`, { hypervisor: h }]);
    const found = await estateOf('ram', {
      answers: { '/os-services': 504, '/os-hypervisors/detail': 500, ...Object.fromEntries(single) },
    });
    expect(found.hosts.map((h) => [h.host, h.service.state, h.cell])).toEqual([
      ['cmp1', 'unknown', { state: 'mapped', name: 'cell1' }],
      ['cmp2', 'unknown', { state: 'mapped', name: 'cell1' }],
      ['sched-c2', 'unknown', { state: 'mapped', name: 'cell2' }],
      ['sched-f1', 'unknown', { state: 'mapped', name: 'cell1' }],
      ['sched-f2', 'unknown', { state: 'mapped', name: 'cell1' }],
    ]);
    expect(found.cells.map((c) => c.state)).toEqual(['unknown', 'unknown']);
    expect(found.unseen?.[0]).toContain('By nova-manage cell1 has cmp1, cmp2, sched-f1, sched-f2; cell2 has sched-c2.');
  });

  it('knows the cells of all hosts where an instance is to move', async () => {
    const found = await estateOf('ram', {}, { ...wish, movesFrom: 'cmp1' });
    expect(hostIn(found, 'sched-c2').cell).toEqual({ state: 'mapped', name: 'cell2' });
  });

  it('says which cell is disabled', async () => {
    const listCells = [
      '| Name | UUID | Transport URL | Database Connection | Disabled |',
      '| cell1 | a61e7889-06dd-4798-a9df-d0994858bcaa | rabbit: | mysql: | True |',
    ].join('\n');
    const found = await estateOf('ram', { listCells });
    expect(found.cells).toMatchObject([{ name: 'cell1', state: 'up', disabled: true }]);
  });

  it('finds what is held for nobody', async () => {
    const found = await estateOf('orphan');
    expect(found.strays).toMatchObject([
      { consumer: '00000000-5c4e-4d00-8000-000000000001', why: 'gone' },
      { consumer: '00000000-5c4e-4d00-8000-000000000002', why: 'gone' },
    ]);
    const [first] = found.strays;
    const provider = hostIn(found, 'sched-f1').provider ?? '';
    expect(first?.held.get(provider)).toEqual({ MEMORY_MB: 7000 });
  });

  it('finds what an instance holds on a host that it is not on, unless it is on the move', async () => {
    const hypervisors = recorded('orphan/hypervisors.json');
    const consumer = '00000000-5c4e-4d00-8000-000000000001';
    const home = hypervisors.hypervisors.find((h: Body) => h.service.host === 'cmp2');
    home.servers = [...(home.servers ?? []), { name: 'x', uuid: consumer }];
    const itself = { server: { status: 'ACTIVE', 'OS-EXT-SRV-ATTR:host': 'cmp2', 'OS-EXT-STS:task_state': null } };
    const answers = { '/os-hypervisors/detail': hypervisors, [`/servers/${consumer}`]: itself };
    const still = await estateOf('orphan', { answers });
    expect(still.strays.find((s) => s.consumer === consumer)?.why).toBe('elsewhere');
    const migrations = [{ uuid: null, instance_uuid: consumer, status: 'running' }];
    const moving = await estateOf('orphan', { answers: { ...answers, '/os-migrations': { migrations } } });
    expect(moving.strays.map((s) => s.consumer)).not.toContain(consumer);
  });

  it('is not known to who may not ask', async () => {
    const { facts } = caseOf('ram', { answers: { '/os-hypervisors/detail': 403 } });
    expect(await facts.get(estate, { wish })).toMatchObject({ ok: false, error: { kind: 'forbidden' } });
  });

  it('knows agents that plug, in the words of each', async () => {
    const agent = (binary: string, configurations: Body) => ({
      id: binary,
      agent_type: '',
      binary,
      host: 'cmp1',
      alive: true,
      admin_state_up: true,
      configurations,
    });
    const agents = [
      agent('neutron-openvswitch-agent', { bridge_mappings: { physnet1: 'br-ex' }, tunnel_types: ['vxlan'] }),
      agent('neutron-sriov-nic-agent', { device_mappings: { physnet2: ['ens1'] } }),
      agent('ovn-controller', { 'bridge-mappings': 'physnet1:br-ex,physnet3:br-3' }),
      agent('neutron-dhcp-agent', {}),
    ];
    const found = await estateOf('ram', { answers: { '/agents': { agents } } });
    expect(found.agents?.get('cmp1')).toEqual([
      { binary: 'neutron-openvswitch-agent', alive: true, physicalNetworks: ['physnet1'], tunnelTypes: ['vxlan'] },
      { binary: 'neutron-sriov-nic-agent', alive: true, physicalNetworks: ['physnet2'], tunnelTypes: [] },
      { binary: 'ovn-controller', alive: true, physicalNetworks: ['physnet1', 'physnet3'], tunnelTypes: [] },
    ]);
  });

  it('of thousands of hosts costs a few requests, and counts by capacity', async () => {
    const providers = recorded('ram/providers.json');
    const [model] = providers.resource_providers;
    const many = Array.from({ length: 600 }, (_, i) => {
      const uuid = `${String(i).padStart(8, '0')}-0000-4000-8000-000000000000`;
      return { ...model, uuid, root_provider_uuid: uuid, name: `cmp-${i}` };
    });
    const aggregate = { uuid: 'a1', name: 'gpu', availability_zone: null, hosts: ['cmp-3'], metadata: {} };
    const { facts, asked } = caseOf('ram', {
      answers: {
        '/resource_providers': { resource_providers: many },
        '/os-aggregates': { aggregates: [aggregate] },
        '/allocation_candidates': {
          allocation_requests: [],
          provider_summaries: Object.fromEntries(
            many.map((p) => [
              p.uuid,
              {
                resources: { MEMORY_MB: { capacity: 23593, used: 288 } },
                traits: p.traits,
                root_provider_uuid: p.uuid,
              },
            ]),
          ),
        },
      },
    });
    const found = told(await facts.get(estate, { wish }));
    expect(found.providers).toHaveLength(600);
    expect(found.providers[0]?.inventories.get('MEMORY_MB')).toMatchObject({ total: 23593, used: 288, maxUnit: 23593 });
    expect(new Set(found.providers.map((p) => p.traits)).size).toBe(1);
    expect(asked.api.length).toBeLessThan(12);
    expect(asked.api).toContain('/resource_providers?member_of=a1');
  });
});
