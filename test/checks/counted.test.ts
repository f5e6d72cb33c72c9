import { describe, expect, it } from 'vitest';
import { countersOf } from '../../src/checks/path/counted.ts';
import type { HostCounters } from '../../src/facts/second-look.ts';

describe('what counts lost packets on a host of Open vSwitch', () => {
  it('is not the own port of a bridge, which loses its copy of every flooded frame', () => {
    const port = (name: string) => ({ port: name, rx: 0, tx: 0, rxDropped: 0, txDropped: 74 });
    const reading = {
      kernel: {},
      links: [],
      inside: new Map(),
      ports: new Map([['br-int', [port('LOCAL'), port('4')]]]),
      rules: { rules: {}, evidence: new Map() },
      // The rest of a reading is not looked at.
    } as unknown as HostCounters;
    const ports = countersOf(reading)
      .map((c) => c.where)
      .filter((where) => where.startsWith('br-int'));
    expect(ports).toEqual(['br-int port 4', 'br-int port 4']);
  });
});
