import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostVerdict, Schedule, ScheduleSaid } from '../../src/engine/schedule.ts';
import { placementQuery } from '../../src/schedule/ask.ts';
import type { Estate, HostFacts } from '../../src/schedule/estate.ts';
import { explain } from '../../src/schedule/explain.ts';
import type { Wish, WishedPort } from '../../src/schedule/wish.ts';
import { estateOf, flavor, host, inventory, scheduler, wishOf } from './cloud.ts';

const verdict = (schedule: Schedule, name: string, column: string): HostVerdict | undefined => {
  const at = schedule.columns.findIndex((c) => c.id === column);
  return schedule.rows.find((r) => r.hosts.includes(name))?.verdicts[at];
};

const down: Partial<HostFacts> = { service: { state: 'down', status: 'enabled', forcedDown: false } };
const huge = wishOf({ flavor: flavor({ ramMb: 40_000 }) });

const filtered = (name: string, start: number): ScheduleSaid => ({
  kind: 'filtered',
  host: 'ctl',
  filters: [{ name, start, end: 0 }],
  line: 'Filtering removed all hosts',
});

const columnsOf = (schedule: Schedule): string[] => schedule.columns.map((c) => c.id);

describe('a move', () => {
  const inCell = (name: string, cell: string) => host(name, { facts: { cell: { state: 'mapped', name: cell } } });
  const estate = estateOf([inCell('cmp1', 'cell1'), inCell('cmp2', 'cell1'), inCell('far', 'cell2')]);
  const to = (name: string) =>
    explain(wishOf({ movesFrom: 'cmp1', destination: { kind: 'requested', host: name } }), estate, []);

  it('stays in its cell: the host of another is rejected before any filter sees it', () => {
    const schedule = to('far');
    expect(verdict(schedule, 'far', 'cell')).toMatchObject({
      of: 'host',
      because: 'in cell2, the instance in cell1',
      wanted: 'a host in cell1: Nova moves no instance to another cell',
    });
    expect(columnsOf(schedule)[1]).toBe('cell');
    expect(schedule.relaxations.map((r) => [r.words, r.hosts])).toEqual([['without host far', ['cmp2']]]);
    expect(schedule.asked.movesFrom).toBe('cmp1');
  });

  it('goes to another host of its cell, and not to where it is', () => {
    expect(to('cmp2').rows.find((r) => r.fits === 'yes')?.hosts).toEqual(['cmp2']);
    expect(verdict(to('cmp1'), 'cmp1', 'placement')).toMatchObject({ because: 'it is there' });
  });

  it('says that cells could not be looked at, where they may matter', () => {
    const blind = estateOf([host('cmp1'), host('cmp2')], { cells: [] });
    const schedule = explain(
      wishOf({ movesFrom: 'cmp1', destination: { kind: 'requested', host: 'cmp2' } }),
      blind,
      [],
    );
    expect(schedule.verdict).toBe('fits');
    expect(schedule.notes.join()).toContain('Nova moves no instance to another cell');
  });
});

describe('the steps', () => {
  it('are Placement, the enabled filters as they are ordered, the network', () => {
    const estate = estateOf([host('cmp1')], {
      scheduler: scheduler({ enabledFilters: ['NUMATopologyFilter', 'my.own.VendorFilter', 'ComputeFilter'] }),
    });
    expect(columnsOf(explain(wishOf(), estate, []))).toEqual([
      'placement',
      'NUMATopologyFilter',
      'VendorFilter',
      'ComputeFilter',
      'network',
    ]);
  });

  it('end where nothing is left, in Nova’s order', () => {
    const estate = estateOf([host('cmp1', { facts: down }), host('cmp2', { memory: { used: 15_000 } })]);
    const schedule = explain(wishOf(), estate, []);
    expect(schedule.verdict).toBe('no-host');
    expect(schedule.columns[schedule.narrowest ?? -1]?.id).toBe('ComputeFilter');
    expect(schedule.rows.map((r) => r.hosts)).toEqual([['cmp1'], ['cmp2']]);
  });

  it('have a cell that is down before the filters, and a host without a mapping after them', () => {
    const unmapped = estateOf([host('cmp1', { facts: { cell: { state: 'unmapped' } } })]);
    expect(columnsOf(explain(wishOf(), unmapped, [])).at(-2)).toBe('cell');
    expect(explain(wishOf(), unmapped, []).relaxations.map((r) => r.words)).toEqual(['cmp1 mapped to its cell']);
    const lost = estateOf([host('cmp1', { facts: { cell: { state: 'down' } } })], {
      cells: [{ uuid: 'c', name: 'cell2', state: 'down', disabled: false, because: 'timed out' }],
    });
    expect(columnsOf(explain(wishOf(), lost, []))[1]).toBe('cell');
    expect(explain(wishOf(), lost, []).relaxations.map((r) => r.words)).toEqual(['cell cell2 up']);
    const off = estateOf([host('cmp1')], { cells: [{ uuid: 'c', name: 'cell1', state: 'up', disabled: true }] });
    expect(verdict(explain(wishOf(), off, []), 'cmp1', 'cell')).toMatchObject({ of: 'cell', because: 'cell disabled' });
  });

  it('do not count for a host that was forced, but for Placement', () => {
    const estate = estateOf([host('cmp1', { facts: down }), host('cmp2')]);
    const force = (name: string): Schedule =>
      explain(wishOf({ destination: { kind: 'force', host: name } }), estate, []);
    expect(force('cmp1').verdict).toBe('fits');
    expect(verdict(force('cmp1'), 'cmp1', 'ComputeFilter')).toMatchObject({ state: 'passes' });
    expect(verdict(force('cmp1'), 'cmp2', 'placement')).toMatchObject({ state: 'rejects', of: 'host' });
    expect(force('gone').verdict).toBe('no-host');
    expect(verdict(force('gone'), 'cmp2', 'placement')).toMatchObject({ because: 'no host gone' });
    const requested = explain(wishOf({ destination: { kind: 'requested', host: 'cmp1' } }), estate, []);
    expect(verdict(requested, 'cmp1', 'ComputeFilter')).toMatchObject({ state: 'rejects', of: 'service' });
  });

  it('know a filter that is somebody’s own as unknown', () => {
    const estate = estateOf([host('cmp1')], { scheduler: scheduler({ enabledFilters: ['VendorFilter'] }) });
    const schedule = explain(wishOf(), estate, []);
    expect(schedule.verdict).toBe('unknown');
    expect(verdict(schedule, 'cmp1', 'VendorFilter')).toMatchObject({ state: 'unknown' });
  });
});

describe('rows', () => {
  it('have every host once, and each host the words that it has alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ used: fc.constantFrom(0, 15_000, 15_800), isDown: fc.boolean() }), { maxLength: 12 }),
        (hosts) => {
          const made = hosts.map((h, i) =>
            host(`cmp${i}`, { memory: { used: h.used }, ...(h.isDown ? { facts: down } : {}) }),
          );
          const schedule = explain(wishOf(), estateOf(made), []);
          expect(schedule.rows.flatMap((r) => r.hosts).sort()).toEqual(made.map((h) => h.facts.host).sort());
          const words = schedule.rows.map((r) => JSON.stringify(r.verdicts));
          expect(new Set(words).size).toBe(words.length);
          for (const one of made) {
            const alone = explain(wishOf(), estateOf([one]), []).rows[0]?.verdicts;
            expect(schedule.rows.find((r) => r.hosts.includes(one.facts.host))?.verdicts).toEqual(alone);
          }
        },
      ),
    );
  });

  it('have the nodes of a host that has several', () => {
    const nodes = ['n1', 'n2'].map((node) => host(node, { facts: { host: 'ironic', node } }));
    expect(explain(wishOf(), estateOf(nodes), []).rows.map((r) => r.hosts)).toEqual([['n1', 'n2']]);
  });

  it('of a wide cloud span the numbers', () => {
    const hosts = Array.from({ length: 612 }, (_, i) => host(`cmp${i}`, { memory: { used: i } }));
    const { rows } = explain(huge, estateOf(hosts), []);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.hosts).toHaveLength(612);
    expect(rows[0]?.verdicts[0]).toMatchObject({ because: '40000 > 15261…15872 MB', wanted: '40000 MB memory' });
  });
});

describe("what Nova's log says", () => {
  it('is held against what is so now', () => {
    const { notes, verdict: now } = explain(wishOf(), estateOf([host('cmp1'), host('cmp2')]), [
      filtered('ComputeFilter', 2),
    ]);
    expect(now).toBe('fits');
    expect(notes).toEqual([
      'The log says ComputeFilter dropped 2 of 2; now cmp1, cmp2 pass it: it would fit again now.',
    ]);
  });

  it('agrees in silence', () => {
    const { notes } = explain(wishOf(), estateOf([host('cmp1', { facts: down })]), [filtered('ComputeFilter', 1)]);
    expect(notes).toEqual([]);
  });

  it('says more than a filter that cannot be computed', () => {
    const estate = estateOf([host('cmp1'), host('cmp2')], {
      scheduler: scheduler({ enabledFilters: ['ComputeFilter', 'NUMATopologyFilter'] }),
    });
    const wish = wishOf({ flavor: flavor({ extraSpecs: { 'hw:numa_nodes': '2' } }) });
    const schedule = explain(wish, estate, [filtered('NUMATopologyFilter', 2)]);
    expect(schedule.verdict).toBe('no-host');
    expect(verdict(schedule, 'cmp1', 'NUMATopologyFilter')).toMatchObject({
      of: 'log',
      because: 'the log: NUMATopologyFilter dropped 2 of 2',
    });
    expect(schedule.relaxations.map((r) => r.words)).toEqual(['without hw:numa_nodes=2']);
    expect(explain(wish, estate, []).verdict).toBe('unknown');
  });

  it('is believed of what cannot be seen from outside, where it speaks of all hosts', () => {
    const schedule = explain(wishOf(), estateOf([host('cmp1')]), [filtered('ImagePropertiesFilter', 1)]);
    expect(verdict(schedule, 'cmp1', 'ImagePropertiesFilter')).toMatchObject({ state: 'rejects', of: 'log' });
    expect(schedule.verdict).toBe('no-host');
    const more = explain(wishOf(), estateOf([host('cmp1'), host('cmp2')]), [filtered('ImagePropertiesFilter', 1)]);
    expect(verdict(more, 'cmp1', 'ImagePropertiesFilter')).toMatchObject({ state: 'unknown' });
    expect(more.verdict).toBe('unknown');
  });

  it('of no candidate is over where there are some again', () => {
    const said: ScheduleSaid = {
      kind: 'no-candidates',
      host: 'ctl',
      filters: [],
      line: 'Got no allocation candidates',
    };
    expect(explain(wishOf(), estateOf([host('cmp1')]), [said]).notes).toEqual([
      'The log says that Placement gave no candidate; now it gives cmp1.',
    ]);
  });

  it('leads to what the error of a build names', () => {
    const line = "libvirt.libvirtError: unsupported configuration: Emulator does not support machine type 'pc-9'";
    const said: ScheduleSaid = { kind: 'late', host: 'cmp1', filters: [], line };
    const image = {
      id: 'i',
      name: 'i',
      minRamMb: 0,
      minDiskGb: 0,
      properties: { hw_machine_type: 'pc-9', hw_disk_bus: 'scsi' },
    };
    const schedule = explain(wishOf({ image }), estateOf([host('cmp1')]), [said]);
    expect(schedule.relaxations.map((r) => r.words)).toEqual(['image without hw_machine_type=pc-9']);
  });

  it('of a build that failed is explained by the network of the host', () => {
    const port = {
      network: 'n',
      networkName: 'public',
      vnicType: 'normal',
      segments: [{ type: 'flat', physicalNetwork: 'physnet9' }],
    };
    const said: ScheduleSaid = { kind: 'late', host: 'cmp1', filters: [], line: 'Binding failed for port' };
    const schedule = explain(wishOf({ ports: [port] }), estateOf([host('cmp1')]), [said]);
    expect(schedule.columns[schedule.narrowest ?? -1]?.id).toBe('network');
    expect(schedule.relaxations.map((r) => r.words)).toEqual([
      'without network public',
      'physical network physnet9 mapped on cmp1',
    ]);
  });

  it('names the hosts that were tried, and failed', () => {
    const line = 'Error from last host: cmp1 (node cmp1): libvirt: no such machine type';
    const said: ScheduleSaid = { kind: 'retries', host: 'ctl', filters: [], line };
    const schedule = explain(wishOf(), estateOf([host('cmp1'), host('cmp2')]), [said]);
    expect(schedule.columns.at(-1)?.id).toBe('build');
    expect(verdict(schedule, 'cmp1', 'build')).toMatchObject({
      state: 'rejects',
      of: 'build',
      because: 'build failed: libvirt: no such machine type',
      has: line,
    });
    expect(verdict(schedule, 'cmp2', 'build')).toEqual({ state: 'passes' });
  });
});

describe("Placement's own answer", () => {
  it('is the truth of its column', () => {
    const estate = estateOf([host('cmp1'), host('cmp2', { memory: { used: 15_800 } })]);
    const schedule = explain(wishOf(), estate, [], { whole: new Set(['rp-cmp2']), without: [] });
    expect(verdict(schedule, 'cmp1', 'placement')).toMatchObject({ state: 'rejects', because: 'not a candidate' });
    expect(verdict(schedule, 'cmp2', 'placement')).toEqual({ state: 'passes' });
    expect(schedule.notes).toHaveLength(2);
  });

  it('shows by what it gives with one constraint left out what a host is rejected over', () => {
    const estate = estateOf([host('cmp1', { traits: ['CUSTOM_A'] })]);
    const wish = wishOf({ flavor: flavor({ extraSpecs: { 'trait:CUSTOM_A': 'required' } }) });
    const without = placementQuery(wish, estate).constraints.map((c) =>
      c.kind === 'trait' && c.trait === 'CUSTOM_A' ? new Set(['rp-cmp1']) : new Set<string>(),
    );
    const schedule = explain(wish, estate, [], { whole: new Set(), without });
    expect(schedule.relaxations.map((r) => r.words)).toEqual(['without trait:CUSTOM_A=required']);
  });

  it('says nothing of a host that was not asked for', () => {
    const estate = estateOf([host('cmp1'), host('cmp2')]);
    const wish = wishOf({ destination: { kind: 'force', host: 'cmp1' } });
    const schedule = explain(wish, estate, [], { whole: new Set(['rp-cmp1', 'rp-cmp2']), without: [] });
    expect(verdict(schedule, 'cmp2', 'placement')).toMatchObject({ state: 'rejects' });
  });
});

describe('several instances at once', () => {
  const fits = (
    count: number,
    more: Partial<Wish> = {},
    estate: Estate = estateOf([host('cmp1'), host('cmp2')]),
  ): Schedule => explain(wishOf({ count, flavor: flavor({ ramMb: 4096 }), ...more }), estate, []);

  it('have the room of all hosts', () => {
    expect(fits(6).verdict).toBe('fits');
    const short = fits(7);
    expect(short.verdict).toBe('no-host');
    expect(short.columns[short.narrowest ?? -1]?.id).toBe('placement');
    expect(short.notes).toEqual(['Room for 6 of 7 instances at once: cmp1 3, cmp2 3.']);
    expect(short.relaxations.map((r) => r.words)).toEqual(['at most 6 instances', 'memory ≤ 3968 MB']);
  });

  it('have one host each with anti-affinity, and one for all with affinity', () => {
    const group = (policy: 'affinity' | 'anti-affinity') => ({
      group: { id: 'g', name: 'g', policy, maxPerHost: 1, memberHosts: [] },
    });
    const apart = fits(3, group('anti-affinity'));
    expect(apart.columns[apart.narrowest ?? -1]?.id).toBe('ServerGroupAntiAffinityFilter');
    expect(apart.relaxations.map((r) => r.words)).toContain('group g with soft-anti-affinity');
    expect(fits(2, group('anti-affinity')).verdict).toBe('fits');
    expect(fits(3, group('affinity')).verdict).toBe('fits');
    expect(fits(4, group('affinity')).verdict).toBe('no-host');
  });

  it('are no more than a filter lets start on a host', () => {
    const estate = estateOf([host('cmp1', { facts: { hypervisor: { ioOps: 6 } } })], {
      scheduler: scheduler({ enabledFilters: ['IoOpsFilter'] }),
    });
    const short = fits(3, {}, estate);
    expect(short.columns[short.narrowest ?? -1]?.id).toBe('IoOpsFilter');
    expect(short.notes).toEqual(['Room for 2 of 3 instances at once, by IoOpsFilter: cmp1 2.']);
    expect(fits(2, {}, estate).verdict).toBe('fits');
  });

  it('are as many as can be placed one after the other', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ memory: fc.integer({ min: 0, max: 12 }), vcpus: fc.integer({ min: 0, max: 12 }) }), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        (stock, ramMb, vcpus) => {
          const made = stock.map((s, i) => {
            const one = host(`cmp${i}`);
            const inventories = new Map([
              ['MEMORY_MB', inventory(s.memory)],
              ['VCPU', inventory(s.vcpus)],
            ]);
            return { ...one, provider: { ...one.provider, inventories } };
          });
          const wish = wishOf({ flavor: flavor({ ramMb, vcpus, diskGb: 0 }) });
          let estate = estateOf(made);
          let placed = 0;
          for (;;) {
            const at = explain(wish, estate, []).rows.find((r) => r.fits === 'yes')?.hosts[0];
            if (at === undefined) break;
            placed += 1;
            const taken: Readonly<Record<string, number>> = { MEMORY_MB: ramMb, VCPU: vcpus };
            estate = {
              ...estate,
              providers: estate.providers.map((p) =>
                p.name === at
                  ? {
                      ...p,
                      inventories: new Map(
                        [...p.inventories].map(([rc, i]) => [rc, { ...i, used: i.used + (taken[rc] ?? 0) }]),
                      ),
                    }
                  : p,
              ),
            };
          }
          const all = (count: number): string => explain({ ...wish, count }, estateOf(made), []).verdict;
          if (placed > 0) expect(all(placed)).toBe('fits');
          expect(all(placed + 1)).toBe('no-host');
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('the network', () => {
  const port = (more: Partial<WishedPort> = {}): WishedPort => ({
    network: 'n1',
    networkName: 'private',
    vnicType: 'normal',
    segments: [{ type: 'vxlan' }],
    ...more,
  });
  const agent = (more = {}) => ({
    binary: 'neutron-openvswitch-agent',
    alive: true,
    physicalNetworks: ['physnet1'],
    tunnelTypes: ['vxlan'],
    ...more,
  });
  const of = (wished: WishedPort, agents: ReturnType<typeof agent>[] | undefined): HostVerdict | undefined => {
    const { agents: _, ...rest } = estateOf([host('cmp1')]);
    const estate: Estate = agents === undefined ? rest : { ...rest, agents: new Map([['cmp1', agents]]) };
    return verdict(explain(wishOf({ ports: [wished] }), estate, []), 'cmp1', 'network');
  };

  it('needs a live agent that carries a segment of each port', () => {
    expect(of(port(), [agent()])).toEqual({ state: 'passes' });
    expect(of(port(), [])).toMatchObject({ because: 'no agent' });
    expect(of(port(), [agent({ alive: false })])).toMatchObject({ because: 'neutron-openvswitch-agent is dead' });
    expect(of(port({ segments: [{ type: 'vlan', physicalNetwork: 'physnet2' }] }), [agent()])).toMatchObject({
      because: 'no physnet2',
      has: 'maps physnet1',
    });
    expect(of(port({ segments: [{ type: 'gre' }] }), [agent()])).toMatchObject({
      because: 'no gre',
      has: 'builds vxlan',
    });
    expect(
      of(port({ segments: [{ type: 'geneve' }] }), [agent({ binary: 'ovn-controller', tunnelTypes: [] })]),
    ).toEqual({
      state: 'passes',
    });
  });

  it('is unknown without Neutron, but for what the port itself says', () => {
    expect(of(port(), undefined)).toMatchObject({ state: 'unknown' });
    expect(of(port({ id: 'p1', boundTo: 'cmp9' }), undefined)).toMatchObject({
      of: 'network',
      because: 'port is on cmp9',
    });
    expect(of(port({ withoutAddress: 'No more IP addresses available' }), [agent()])).toMatchObject({
      because: 'no address',
    });
  });

  it('is mended by the agent, or by another network', () => {
    const estate = estateOf([host('cmp1')], { agents: new Map([['cmp1', [agent({ alive: false })]]]) });
    expect(explain(wishOf({ ports: [port()] }), estate, []).relaxations.map((r) => r.words)).toEqual([
      'without network private',
      'neutron-openvswitch-agent on cmp1 alive',
    ]);
  });
});
