import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { logicalWords } from '../../../src/facts/trace/opinions.ts';
import type { OfprotoTrace } from '../../../src/nodes/parse/ofproto-trace.ts';
import { parseOvnTrace } from '../../../src/nodes/parse/ovn-trace.ts';
import { understood } from '../../nodes/parse/fixtures.ts';

const ovnTrace = (name: string) =>
  understood(parseOvnTrace(readFileSync(new URL(`../../fixtures/ovn/trace/${name}.txt`, import.meta.url), 'utf8')));
const says = (delivers: boolean): OfprotoTrace => ({
  delivers,
  copies: delivers ? 1 : 0,
  tunnels: [],
  actions: delivers ? '3' : 'drop',
  flows: [{ bridge: 'br-ex', table: 0, match: 'icmp', outputs: [] }],
  departures: [],
});
const at = { host: 'net1', bridge: 'br-int' };

describe('what the logical flows say beside the switch of a host', () => {
  it('names the bridge whose flows are not those that OVN orders', () => {
    expect(logicalWords({ ...at, says: says(false), logical: { arrives: true, trace: ovnTrace('peer') } })).toBe(
      'the logical flows (ovn-trace) deliver it: the flows of br-ex on net1 are not those that OVN orders',
    );
  });

  it('is short where both deliver', () => {
    expect(logicalWords({ ...at, says: says(true), logical: { arrives: true, trace: ovnTrace('peer') } })).toBe(
      'the logical flows (ovn-trace) deliver it, too',
    );
  });

  it('names the stage where they end it', () => {
    const words = logicalWords({ ...at, says: says(false), logical: { arrives: false, trace: ovnTrace('denied') } });
    expect(words).toMatch(/^the logical flows \(ovn-trace\) also end it in \S+, (?:ingress|egress) stage ls_\w+$/);
  });

  it('is nothing where they were not asked', () => {
    expect(logicalWords({ ...at, says: says(true) })).toBeUndefined();
  });
});
