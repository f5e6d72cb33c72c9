import { describe, expect, it } from 'vitest';
import { parseOfprotoTrace, type TracedFlow } from '../../../src/nodes/parse/ofproto-trace.ts';
import { parseOvnTrace } from '../../../src/nodes/parse/ovn-trace.ts';
import { type Maker, nextUnused, shortUuid, strangerOn } from '../../../src/path/ovn/compare-walks.ts';
import { fixture, understood } from '../../nodes/parse/fixtures.ts';

const flowsOf = (name: string): readonly TracedFlow[] =>
  understood(parseOfprotoTrace(fixture('ovs-appctl', `ofproto-trace-ovn-${name}.txt`))).flows;

const arp = flowsOf('arp');
/** What the SB would say of every flow on the way: as the chassis has them, the first stage at table 8 (ingress) and 42 (egress). */
const makers = new Map<string, readonly Maker[]>(
  arp.flatMap((flow) => {
    const short = shortUuid(flow.cookie);
    if (short === undefined) return [];
    const pipeline = flow.table < 37 ? 'ingress' : 'egress';
    const logical = flow.table >= 8 && flow.table <= 51 && (flow.table < 37 || flow.table > 41);
    const priority = flow.priority ?? 0;
    const maker: Maker = logical
      ? { table: 'Logical_Flow', pipeline, tableId: flow.table - (pipeline === 'ingress' ? 8 : 42), priority }
      : { table: 'Port_Binding' };
    return [[short, [maker]] as const];
  }),
);
const replaced = (at: number, more: Partial<TracedFlow>): readonly TracedFlow[] => {
  const flow = arp[at];
  if (flow === undefined) throw new Error('no such flow');
  return [...arp.slice(0, at), { ...flow, ...more }, ...arp.slice(at + 1)];
};
const table = (number: number): number => arp.findIndex((f) => f.table === number);

describe('a way through an integration bridge against the rows that it was made of', () => {
  it('is all of OVN where every cookie is a row of that priority and stage', () => {
    expect(strangerOn(arp, 'br-int', makers)).toBeUndefined();
  });

  it('tells a flow without a cookie that ends packets', () => {
    const { cookie: _, ...bare } = arp[0] ?? ({} as TracedFlow);
    const hand = { ...bare, match: 'arp,in_port=3, priority 600', priority: 600 };
    expect(strangerOn([hand], 'br-int', makers)).toMatchObject({ why: 'no-cookie' });
    expect(strangerOn([{ ...hand, match: 'in_port=3, priority 500', priority: 500 }], 'br-int', makers)).toMatchObject({
      why: 'no-cookie',
    });
  });

  it('leaves alone the ends of tables, and what comes out of a tunnel', () => {
    const { cookie: _, ...bare } = arp[0] ?? ({} as TracedFlow);
    const tunnel = { ...bare, match: 'in_port=1, priority 100', priority: 100 };
    const end = { ...bare, table: 40, match: 'priority 0', priority: 0 };
    expect(strangerOn([tunnel, end], 'br-int', makers)).toBeUndefined();
  });

  it('tells a cookie that is no row, and one that was copied from another flow', () => {
    const known = new Map([...makers, ['deadbeef', []] as const]);
    expect(strangerOn(replaced(table(20), { cookie: '0xdeadbeef' }), 'br-int', known)?.why).toBe('no-row');
    expect(strangerOn(replaced(table(45), { priority: 65_000 }), 'br-int', makers)?.why).toBe('not-as-row');
    const elsewhere = arp[table(45)]?.cookie ?? '';
    expect(strangerOn(replaced(table(20), { cookie: elsewhere, priority: 5 }), 'br-int', makers)?.why).toBe(
      'not-as-row',
    );
  });

  it('tells a drop with the cookie of a row that passes packets on, or of a port whose packets are to be delivered', () => {
    const at = table(45);
    const dropping = arp.slice(0, at + 1);
    const short = shortUuid(arp[at]?.cookie) ?? '';
    const [maker] = makers.get(short) ?? [];
    const passing = new Map([...makers, [short, maker === undefined ? [] : [{ ...maker, drops: false }]] as const]);
    expect(strangerOn(dropping, 'br-int', passing)?.why).toBe('not-as-row');
    expect(strangerOn(dropping, 'br-int', makers)).toBeUndefined();
    const ofPort = arp.filter((f) => f.table === 64);
    expect(strangerOn(ofPort, 'br-int', makers, true)?.why).toBe('not-as-row');
    expect(strangerOn(ofPort, 'br-int', makers, false)).toBeUndefined();
  });

  it('leaves alone a multicast group that has no member on the chassis', () => {
    const flow: TracedFlow = {
      bridge: 'br-int',
      table: 40,
      match: 'reg15=0x8001,metadata=0x1, priority 100',
      priority: 100,
      cookie: '0x41766d35',
      outputs: [],
    };
    const known = new Map<string, readonly Maker[]>([['41766d35', [{ table: 'Multicast_Group' }]]]);
    expect(strangerOn([flow], 'br-int', known, true)).toBeUndefined();
    const copied = { ...flow, match: 'icmp,metadata=0x1, priority 2000', priority: 2000 };
    expect(strangerOn([copied], 'br-int', known, true)?.why).toBe('not-as-row');
  });

  it('says nothing of cookies that nobody was asked about', () => {
    expect(strangerOn(arp, 'br-int', new Map())).toBeUndefined();
  });

  it('names the logical flow behind the last that was used, where the chassis lost the packet among them', () => {
    const trace = understood(parseOvnTrace(fixture('ovn', 'trace/outside.txt')));
    const used = trace.hits.slice(0, 5).map(
      (hit, at): TracedFlow => ({
        bridge: 'br-int',
        table: at,
        match: 'metadata=0x2, priority 100',
        priority: 100,
        cookie: `0x${hit.flow?.uuid ?? ''}`,
        outputs: [],
      }),
    );
    expect(nextUnused(trace, used)?.stage).toBe(trace.hits[5]?.stage);
    const lostBehind: TracedFlow = { bridge: 'br-int', table: 65, match: 'priority 0', priority: 0, outputs: [] };
    expect(nextUnused(trace, [...used, lostBehind])).toBeUndefined();
  });

  it('writes a cookie as rows are named in short', () => {
    expect([shortUuid('0x19e06eb'), shortUuid('0x0'), shortUuid(undefined), shortUuid('0x1deadbeef0')]).toEqual([
      '019e06eb',
      undefined,
      undefined,
      undefined,
    ]);
  });
});
