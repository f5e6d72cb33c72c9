import { describe, expect, it } from 'vitest';
import forecastCheck from '../../../src/checks/ovn/forecast.ts';
import type { Ending, Forecast, Forecasts, Leg, Logical, Owner } from '../../../src/facts/ovn/forecasts.ts';
import { parseOfprotoTrace, type TracedFlow } from '../../../src/nodes/parse/ofproto-trace.ts';
import { parseOvnTrace } from '../../../src/nodes/parse/ovn-trace.ts';
import type { Journey } from '../../../src/path/ovn/journeys.ts';
import { fixture, understood } from '../../nodes/parse/fixtures.ts';
import { codes, findings, judge, mending, networkId, portId, seen, told } from './stub.ts';

const place = { kind: 'port', id: portId, host: 'cmp1', network: networkId } as const;
const journey: Journey = {
  name: 'the ping from web-1 to 198.19.0.1',
  packet: { family: 4, protocol: 'icmp', icmpType: 8, source: '10.0.0.148', destination: '198.19.0.1' },
  enters: place,
  leaves: { kind: 'outside', host: 'net1', network: 'ext', physical: 'physnet1' },
  answer: false,
};

/** The way of a real packet, cut off where `last` takes it. */
const walk = understood(parseOfprotoTrace(fixture('ovs-appctl', 'ofproto-trace-ovn-out.txt')));
const leg = (upTo: number, last?: TracedFlow): Leg => ({
  host: 'cmp1',
  bridge: 'br-int',
  says: {
    ...walk,
    delivers: false,
    departures: [],
    copies: 0,
    actions: 'drop',
    flows: [...walk.flows.slice(0, upTo), ...(last === undefined ? [] : [last])],
  },
  evidence: seen('cmp1', 'ovs-appctl', 'ofproto/trace', 'br-int'),
});
const flow = (more: Partial<TracedFlow>): TracedFlow => ({
  bridge: 'br-int',
  table: 20,
  match: 'icmp,nw_src=10.0.0.148, priority 40000',
  priority: 40_000,
  outputs: [],
  ...more,
});
const lost = (at: Leg): Ending => {
  const last = at.says.flows.at(-1);
  if (last === undefined) throw new Error('no flow');
  return { kind: 'lost', leg: at, flow: last };
};
const logical = (name: string, arrives: boolean): Logical => ({
  trace: understood(parseOvnTrace(fixture('ovn', `trace/${name}.txt`))),
  arrives,
  evidence: seen('ctl', 'ovn-trace'),
});

const judged = (forecasts: readonly Forecast[], owners: readonly (readonly [string, readonly Owner[]])[] = []) =>
  judge(forecastCheck, {
    'port.ovn.forecasts': told<Forecasts>({
      forecasts,
      owners: new Map(owners),
      ownersEvidence: [seen('ctl', 'ovn-sbctl', 'list', 'Logical_Flow')],
      integrationBridges: new Set(['br-int']),
    }),
  });

describe('what the flows are said to do with packets', () => {
  it('is well where every packet would arrive', async () => {
    const outcome = await judged([{ journey, legs: [leg(5)], ending: { kind: 'arrived' } }]);
    expect(outcome).toMatchObject({ status: 'ok', note: '1 of 1 packets would arrive' });
  });

  it('is not judged where it could not be followed to the end', async () => {
    const unknown: Ending = { kind: 'unknown', because: { kind: 'unsupported', because: 'no way' } };
    const outcome = await judged([{ journey, legs: [], ending: unknown }]);
    expect(outcome).toMatchObject({ status: 'ok', note: '0 of 1 packets would arrive, 1 not followed to the end' });
  });

  it('names a flow without a cookie, and how it is deleted', async () => {
    const at = leg(4, flow({ table: 0, match: 'ip,in_port=3, priority 500', priority: 500 }));
    const again = { ...journey, name: 'the DHCP request of web-1' };
    const outcome = await judged([
      { journey, legs: [at], ending: lost(at) },
      { journey: again, legs: [at], ending: lost(at) },
    ]);
    expect(codes(outcome)).toEqual(['OSD-OVN-061']);
    expect(findings(outcome)[0]?.summary).toBe(
      'A flow that OVN did not make drops the ping from web-1 to 198.19.0.1 and 1 more of its packets: br-int table 0 on cmp1',
    );
    expect(mending(outcome)[0]).toBe('ovs-ofctl --strict del-flows br-int table=0,priority=500,ip,in_port=3');
  });

  it('names a flow whose cookie is no row, and one that wears the cookie of another', async () => {
    const at = leg(12, flow({ cookie: '0xdeadbeef' }));
    const forecast: Forecast = { journey, legs: [at], ending: lost(at) };
    expect(codes(await judged([forecast], [['deadbeef', []]]))).toEqual(['OSD-OVN-061']);
    const other: Owner = { table: 'Logical_Flow', pipeline: 'egress', tableId: 3, priority: 4, row: new Map() };
    const [imitated] = findings(await judged([forecast], [['deadbeef', [other]]]));
    expect(imitated?.code).toBe('OSD-OVN-061');
    expect(imitated?.evidence[1]?.excerpt).toBe('Logical_Flow deadbeef: egress table 3, priority 4');
  });

  it('names a flow on the provider bridge', async () => {
    const at = leg(
      0,
      flow({ bridge: 'br-ex', table: 0, match: 'ip,nw_dst=198.19.0.189, priority 1000', priority: 1000 }),
    );
    const [found] = findings(await judged([{ journey, legs: [at], ending: lost(at) }]));
    expect(found?.subject).toBe('flow br-ex table=0 ip,nw_dst=198.19.0.189, priority 1000@cmp1');
  });

  it("tells that the SB's own flows drop the packet, and of which row of the NB they were made", async () => {
    const at = leg(
      20,
      flow({ cookie: '0x564223de', table: 46, match: 'ip,metadata=0x2, priority 2001', priority: 2001 }),
    );
    const owner: Owner = {
      table: 'Logical_Flow',
      pipeline: 'egress',
      tableId: 4,
      priority: 2001,
      row: new Map([['external_ids', new Map([['stage-hint', 'a9e40382']])]]),
    };
    const outcome = await judged(
      [{ journey, legs: [at], ending: lost(at), logical: { ok: true, value: logical('denied', false) } }],
      [['564223de', [owner]]],
    );
    expect(codes(outcome)).toEqual(['OSD-OVN-060']);
    expect(findings(outcome)[0]).toMatchObject({ nature: 'symptom' });
    expect(findings(outcome)[0]?.evidence[0]?.excerpt).toContain('row a9e40382 of the northbound database');
  });

  it('tells that a flow is missing where the SB would deliver the packet', async () => {
    const at = leg(10, flow({ table: 65, match: 'priority 0', priority: 0 }));
    const outcome = await judged([
      { journey, legs: [at], ending: lost(at), logical: { ok: true, value: logical('outside', true) } },
    ]);
    expect(codes(outcome)).toEqual(['OSD-OVN-062']);
    expect(mending(outcome)).toEqual([
      'ovn-appctl -t ovn-controller exit --restart',
      'systemctl restart ovn-controller',
    ]);
  });

  it('says no more than that the chassis drops it where the SB was not asked', async () => {
    const at = leg(
      20,
      flow({ cookie: '0x564223de', table: 46, match: 'ip,metadata=0x2, priority 2001', priority: 2001 }),
    );
    expect(codes(await judged([{ journey, legs: [at], ending: lost(at) }]))).toEqual(['OSD-OVN-063']);
  });
});
