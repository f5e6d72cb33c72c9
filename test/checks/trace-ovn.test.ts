import { describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/engine/report.ts';
import type { Trace } from '../../src/engine/trace.ts';
import type { Decoded } from '../../src/nodes/parse/frame/decode.ts';
import type { Layer } from '../../src/nodes/parse/frame/layer.ts';
import { isReply, withoutFrames } from '../support/edit-capture.ts';
import { offering } from '../support/leased.ts';
import { askedOf, bundleAt, findingsOf, reportOf } from '../support/replayed.ts';

const [between, leased, fetched] = await Promise.all(
  ['injected', 'dhcp', 'metadata'].map((name) => bundleAt(`test/fixtures/bundles/ovn-trace-${name}.tgz`)),
);
if (between === undefined || leased === undefined || fetched === undefined) throw new Error('not recorded');

const traceOf = ({ traces }: RunReport, title: string): Trace => {
  const trace = traces?.find((t) => t.title.startsWith(title));
  if (trace === undefined) throw new Error(`${title} was not traced`);
  return trace;
};
const addressed = (layers: readonly Layer[], address: string): boolean =>
  layers.some((l) => l.layer === 'ipv4' && (l.source === address || l.destination === address));
const placesOf = (trace: Trace): string[] =>
  trace.points.map((p) => [p.host, p.netns?.slice(0, 7), p.device, p.wears, p.only].filter(Boolean).join(' '));

describe('a ping between two instances of OVN that is put in at the port of one', () => {
  it('is seen in the tunnel between their hosts under the key of their network, and its answer at the tap', async () => {
    const report = await reportOf(between);
    expect(findingsOf(report)).toEqual([]);
    const trace = traceOf(report, 'in the name of web-1');
    expect(placesOf(trace)).toEqual([
      'cmp1 tap608a92c3-83 back',
      'cmp1 eth1 geneve 2',
      'cmp2 eth1 geneve 2',
      'cmp2 tap2cacaa1b-12',
    ]);
    expect([trace.sent, trace.answered, trace.stop, trace.misfits]).toEqual([5, 5, undefined, []]);
  });

  it('goes with one stretch at either end, each from the metadata namespace of its own host', async () => {
    const report = await reportOf(between);
    for (const [host, name] of [
      ['cmp1', 'web-1'],
      ['cmp2', 'db-1'],
    ] as const) {
      const trace = traceOf(report, `metadata namespace on ${host} → ${name}`);
      expect(placesOf(trace).slice(0, 2)).toEqual([`${host} ovnmeta tapa01c0100-51`, `${host} tapa01c0100-50`]);
      expect(new Set(trace.points.map((p) => p.host))).toEqual(new Set([host]));
      expect(trace.answered).toBe(5);
    }
  });

  it('that is lost between the hosts is said to be', async () => {
    const seen = [
      ['cmp1', 'eth1', isReply],
      ['cmp2', 'eth1', () => true],
      ['cmp2', 'tap2cacaa1b-12', ({ layers }: Decoded) => addressed(layers, '10.0.0.148')],
      ['cmp1', 'tap608a92c3-83', ({ layers }: Decoded) => addressed(layers, '10.0.0.67')],
    ] as const;
    const report = await reportOf(
      seen.reduce((b, [host, device, gone]) => withoutFrames(b, host, device, gone), between),
    );
    const { stop, answered } = traceOf(report, 'in the name of web-1');
    expect(stop).toMatchObject({ way: 'there', after: { point: 1 }, before: { point: 2 }, lost: 5 });
    expect(answered).toBe(0);
  });
});

describe('a DHCP request that is put in at the port of an instance of OVN', () => {
  it('is answered on its own host, and no host but that is looked at', async () => {
    const report = await reportOf(leased);
    expect(findingsOf(report)).toEqual([]);
    const trace = traceOf(report, 'in the name of web-1');
    expect(placesOf(trace)).toEqual(['cmp1 tap608a92c3-83 back']);
    expect(trace.answerer).toEqual({ kind: 'namespace', name: "OVN's DHCP on cmp1" });
    expect(trace.offers).toMatchObject([{ server: '10.0.0.1', address: '10.0.0.148', mtu: 1442, answers: 3 }]);
    const captures = (await askedOf(leased, 'net1')).filter(({ argv }) => argv.includes('tcpdump'));
    expect(captures).toEqual([]);
  });

  it('that is offered another address than Neutron says is told, without a restart of ovn-controller', async () => {
    const report = await reportOf(offering(leased, [10, 0, 0, 148], [10, 0, 0, 149], ['cmp1']));
    const finding = findingsOf(report).find((f) => f.code === 'OSD-DHCP-011');
    expect(finding?.summary).toBe('DHCP on cmp1 offers web-1 address 10.0.0.149 instead of 10.0.0.148');
    expect(JSON.stringify(finding?.remedies)).not.toContain('restart');
  });

  it("that is answered by another server than OVN's names it", async () => {
    const report = await reportOf(offering(leased, [54, 4, 10, 0, 0, 1], [54, 4, 10, 0, 0, 66], ['cmp1']));
    expect(findingsOf(report).find((f) => f.code === 'OSD-DHCP-012')?.summary).toMatch(/^10\.0\.0\.66 answers DHCP /);
  });
});

describe('a connection to metadata that is put in at the port of an instance of OVN', () => {
  it('comes to the namespace on its own host, and the answer to the tap', async () => {
    const report = await reportOf(fetched);
    expect(findingsOf(report)).toEqual([]);
    const trace = traceOf(report, 'in the name of web-1');
    expect(placesOf(trace)).toEqual(['cmp1 tap608a92c3-83 back', 'cmp1 tapa01c0100-50', 'cmp1 ovnmeta tapa01c0100-51']);
    expect(trace.expected).toMatchObject([{ point: 0, verdict: 'passes' }]);
    expect(trace.answered).toBe(3);
  });
});
