import { describe, expect, it } from 'vitest';
import { countersOf } from '../../src/checks/path/counted.ts';
import type { HostCounters } from '../../src/facts/second-look.ts';
import type { Flow } from '../../src/nodes/parse/flows.ts';
import type { PortStats } from '../../src/nodes/parse/port-stats.ts';

/** What was read of a host with nothing but a bridge. */
const readingOf = (bridge: string, flows: readonly Flow[], ports: readonly PortStats[] = []): HostCounters =>
  ({
    kernel: {},
    links: [],
    evidence: {},
    portsEvidence: new Map(),
    inside: new Map(),
    ports: new Map([[bridge, ports]]),
    rules: { rules: { bridges: [{ name: bridge, flows }] }, evidence: new Map() },
    // The rest of a reading is not looked at.
  }) as unknown as HostCounters;

describe('what counts lost packets on a host of Open vSwitch', () => {
  it('is not the own port of a bridge, which loses its copy of every flooded frame', () => {
    const port = (name: string) => ({ port: name, rx: 0, tx: 0, rxDropped: 0, txDropped: 74 });
    const ports = countersOf(readingOf('br-int', [], [port('LOCAL'), port('4')]))
      .map((c) => c.where)
      .filter((where) => where.startsWith('br-int'));
    expect(ports).toEqual(['br-int port 4', 'br-int port 4']);
  });

  it('is not the table that drops the copy of a packet which has been put out', () => {
    const flow = (table: number, actions: string) => ({
      ...{ table, actions, cookie: '0x5', priority: 0, match: {}, packets: 7, bytes: 700 },
      raw: `table=${table},actions=${actions}`,
    });
    const flows = [
      flow(82, 'ct(commit,zone=NXM_NX_REG6[0..15]),output:3,resubmit(,92)'),
      flow(72, 'resubmit(,93)'),
      flow(92, 'drop'),
      flow(93, 'drop'),
    ];
    const drops = countersOf(readingOf('br-int', flows))
      .map((c) => c.where)
      .filter((where) => where.startsWith('br-int'));
    expect(drops).toEqual(['br-int table 93']);
  });

  it('is not the flow that keeps the frames of other networks off a physical bridge: it takes a copy of each that is flooded', () => {
    const flow = (priority: number, match: Record<string, string>) => ({
      ...{ table: 0, actions: 'drop', cookie: '0x5', packets: 7, bytes: 700, priority, match },
      raw: `priority=${priority},${Object.keys(match).join(',')} actions=drop`,
    });
    const flows = [flow(2, { in_port: '2' }), flow(60000, { in_port: '2' }), flow(2, { in_port: '2', dl_vlan: '3' })];
    const drops = countersOf(readingOf('br-ex', flows))
      .filter((c) => c.where.startsWith('br-ex'))
      .map((c) => c.means);
    expect(drops).toEqual(['priority=60000,in_port actions=drop', 'priority=2,in_port,dl_vlan actions=drop']);
  });
});
