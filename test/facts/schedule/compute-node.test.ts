import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { computeNode } from '../../../src/facts/schedule/compute-node.ts';
import { explainedInstance } from '../../../src/facts/schedule/explained.ts';
import { type CaseOptions, caseOf } from './recorded-case.ts';

const capabilities = readFileSync(
  fileURLToPath(new URL('../../fixtures/virsh/lb-cmp1-capabilities.xml', import.meta.url)),
  'utf8',
);

/** Compute nodes with one NUMA cell, two CPUs without threads, no huge pages, and a card of which nothing is given to guests. */
const run: CaseOptions['run'] = ({ argv }) =>
  argv.includes('capabilities')
    ? { code: 0, stdout: capabilities }
    : argv.some((word) => word.includes('/sys/bus/pci'))
      ? { code: 0, stdout: '0000:81:00.0 0x8086 0x1572 - 64 ens1f0\n0000:81:02.0 0x8086 0x154c 0000:81:00.0 0 -\n' }
      : undefined;

describe('a compute node', () => {
  it('shows its NUMA cells, its devices, and what its nova-compute is told', async () => {
    const found = await caseOf('numa', { run }).facts.get(computeNode, 'cmp1');
    expect(found).toMatchObject({
      ok: true,
      value: {
        value: {
          cells: [
            {
              id: 0,
              memoryMb: 24_105,
              pages: [
                { sizeKb: 4, total: 6_171_021 },
                { sizeKb: 2048, total: 0 },
                { sizeKb: 1_048_576, total: 0 },
              ],
              cpus: [
                { id: 0, siblings: [0] },
                { id: 1, siblings: [1] },
              ],
            },
          ],
          // A virtual function goes by the interface of its physical one.
          devices: [
            { address: '0000:81:00.0', interface: 'ens1f0' },
            { type: 'type-VF', interface: 'ens1f0' },
          ],
        },
      },
    });
    if (found.ok) expect(found.value.value.where).toMatch(/nova\.conf on cmp1$/);
  });

  it('that does not let us in is not known', async () => {
    expect(await caseOf('numa', { withoutNodes: true }).facts.get(computeNode, 'cmp1')).toMatchObject({ ok: false });
  });
});

describe('a request that no NUMA cell or PCI device of a node has room for', () => {
  it.each([
    ['numa', 'NUMATopologyFilter', '2 > 1 NUMA node, too few pages of 1 GB in a NUMA node'],
    ['pinned', 'NUMATopologyFilter', 'no threads to pin to'],
    ['pci', 'PciPassthroughFilter', 'no PCI devices'],
  ])('%s: is rejected by what the nodes show, as Nova rejected it', async (name, filter, because) => {
    const { facts, subject } = caseOf(name, { run });
    const found = await facts.get(explainedInstance, subject);
    if (!found.ok) throw new Error(JSON.stringify(found.error));
    const { columns, rows } = found.value.value;
    const at = columns.findIndex((c) => c.id === filter);
    const told = (host: string) => rows.find((r) => r.hosts.includes(host))?.verdicts[at];
    for (const host of ['cmp1', 'cmp2']) expect(told(host)).toMatchObject({ state: 'rejects', because });
    // A hypervisor that is none has neither.
    for (const host of ['sched-f1', 'sched-c2']) expect(told(host)).toMatchObject({ state: 'rejects' });
    expect(JSON.stringify(rows)).not.toContain('the log:');
  });
});
