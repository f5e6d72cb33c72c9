import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/engine/finding.ts';
import type { RunReport } from '../../src/engine/report.ts';
import type { Trace } from '../../src/engine/trace.ts';
import { withoutFrames } from '../support/edit-capture.ts';
import { dropping, fetched, leased, offering, refused, unleased } from '../support/leased.ts';
import { askedOf, bundleAt, findingsOf, reportOf } from '../support/replayed.ts';

const traceOf = ({ traces }: RunReport): Trace => {
  const [trace] = traces ?? [];
  if (trace === undefined) throw new Error('nothing was traced');
  return trace;
};
const codesOf = (report: RunReport): string[] => report.diagnosis.causes.map(({ finding }) => finding.code);
const found = (report: RunReport, code: string): Finding | undefined => findingsOf(report).find((f) => f.code === code);

describe('a DHCP request that is put in at the port of an instance', () => {
  it('is seen at every point to the server, and its offer at every point back to the tap', async () => {
    const report = await reportOf(leased);
    expect(findingsOf(report)).toEqual([]);
    expect(report.exitCode).toBe(0);
    const { sent, answered, points, stop, sender } = traceOf(report);
    expect([sent, answered, stop]).toEqual([3, 3, undefined]);
    expect(sender.port).toMatch(/^port \d+ of br-int$/);
    expect(points[0]?.device).toMatch(/^tap/);
    for (const { only, there, back } of points) {
      expect([there.seen, there.of]).toEqual(only === 'back' ? [0, 0] : [3, 3]);
      expect([back.seen, back.of]).toEqual([3, 3]);
    }
  });

  it('tells what is offered', async () => {
    const report = await reportOf(leased);
    const { offers, notes, reading } = traceOf(report);
    expect(offers).toHaveLength(1);
    expect(offers?.[0]).toMatchObject({
      server: '10.0.0.2',
      address: '10.0.0.22',
      router: '10.0.0.1',
      mtu: 1450,
      answers: 3,
    });
    expect(offers?.[0]?.routes).toContain('169.254.169.254/32 via 10.0.0.1');
    expect(reading).toContain('its offers of 10.0.0.22 to tap');
    expect(notes.join(' ')).toContain('10.0.0.2 offers 10.0.0.22, router 10.0.0.1,');
  });

  it('says what it does not prove', async () => {
    expect(traceOf(await reportOf(leased)).notes.join(' ')).toContain('what the guest itself sends');
  });

  it('asks for an offer and never for a lease', async () => {
    const asked = await askedOf(leased, 'cmp1');
    const put = asked.flatMap(({ argv }) => /packet=([0-9a-f]+)/.exec(argv.join(' '))?.[1] ?? []);
    expect(put).toHaveLength(3);
    // Option 53, one byte: 1 is a DISCOVER.
    for (const frame of put) expect(frame).toContain('63825363350101');
  });

  it('that is offered another address or router than Neutron says is told', async () => {
    const other = await reportOf(offering(leased, [10, 0, 0, 22], [10, 0, 0, 23]));
    expect(found(other, 'OSD-DHCP-011')?.summary).toBe(
      'DHCP on net1 offers web-1 address 10.0.0.23 instead of 10.0.0.22',
    );
    const router = await reportOf(offering(leased, [3, 4, 10, 0, 0, 1], [3, 4, 10, 0, 0, 9]));
    expect(found(router, 'OSD-DHCP-011')?.summary).toContain('router 10.0.0.9 instead of 10.0.0.1');
    expect(router.exitCode).toBe(1);
  });

  it("that is answered by another server than Neutron's names it, and by whose MAC address", async () => {
    const report = await reportOf(offering(leased, [54, 4, 10, 0, 0, 2], [54, 4, 10, 0, 0, 66]));
    expect(found(report, 'OSD-DHCP-012')?.summary).toMatch(/^10\.0\.0\.66 answers DHCP .*, from fa:16:3e:/);
  });

  it('whose offer is lost on its way back is said to be, between the two points around it', async () => {
    const { points } = traceOf(await reportOf(leased));
    const tap = points[0]?.device ?? '';
    const report = await reportOf(withoutFrames(leased, 'cmp1', tap, () => true));
    const { stop, answered } = traceOf(report);
    expect(answered).toBe(0);
    expect(stop).toMatchObject({
      way: 'back',
      lost: 3,
      after: { at: 'point', point: 1 },
      before: { at: 'point', point: 0 },
    });
  });
});

describe('a DHCP request that a router puts in the name of an instance', () => {
  it('comes to the server, whose silence is explained by the rule that takes it', async () => {
    const report = await reportOf(unleased);
    const { title, sender, stop } = traceOf(report);
    expect(title).toBe('router on net1 asks dhcp on net1 for web-1');
    expect(sender.netns).toMatch(/^qrouter-/);
    expect(stop?.kind).toBe('answerer');
    expect(codesOf(report)).toEqual(['OSD-HOST-014']);
    expect(report.diagnosis.causes[0]?.explains.map((f) => f.code)).toEqual(['OSD-PATH-008']);
  });

  it('has its own MAC address as the sender: nobody is to learn the other one there', async () => {
    const asked = await askedOf(unleased, 'net1');
    const sent = asked.filter(({ argv }) => argv.join(' ').includes('/dev/udp/'));
    expect(sent.length).toBeGreaterThan(0);
    for (const { argv } of sent) expect(argv[0]).toBe('bash');
  });

  it('says that the way of the request itself is not walked, and asks the switches about it', async () => {
    expect(traceOf(await reportOf(unleased)).notes.join(' ')).toContain('--inject walks it');
    expect(found(await reportOf(unleased), 'OSD-PATH-009')).toBeUndefined();
    const report = await reportOf(dropping(unleased, 'cmp1'));
    expect(found(report, 'OSD-PATH-009')?.summary).toMatch(
      /^The flows of br-int on cmp1 drop DHCP requests of web-1: /,
    );
  });
});

describe('a connection to the metadata service that is put in at the port of an instance', () => {
  it('is answered, and ended again', async () => {
    const report = await reportOf(fetched);
    expect(findingsOf(report)).toEqual([]);
    expect(report.exitCode).toBe(0);
    const { probe, sent, answered, stop, points } = traceOf(report);
    expect(probe).toMatchObject({ protocol: 'tcp', port: 80, to: '169.254.169.254' });
    expect([answered, stop]).toEqual([sent, undefined]);
    expect(points.at(-1)?.device).toMatch(/^qr-/);
    const put = (await askedOf(fetched, 'cmp1')).filter(({ argv }) => argv.includes('packet-out'));
    expect(put).toHaveLength(2 * sent);
  });

  it('is refused where no proxy listens: that is no answer', async () => {
    const report = await reportOf(refused);
    const { refuses, stop, reading } = traceOf(report);
    expect([refuses, stop]).toEqual([true, undefined]);
    expect(reading).toContain('refused them: nobody listens there');
    expect(codesOf(report)).toEqual(['OSD-META-001']);
    expect(report.diagnosis.causes[0]?.explains.map((f) => f.code)).toEqual(['OSD-PATH-008']);
    expect(report.exitCode).toBe(1);
  });

  it('ends at a guest that does not answer who-has: its address and its lease are asked about, no switch is', async () => {
    const silent = await bundleAt('test/fixtures/bundles/ovsfw-trace-metadata-silent.tgz');
    const report = await reportOf(silent);
    expect(codesOf(report)[0]).toBe('OSD-DHCP-003');
    expect(report.diagnosis.causes[0]?.explains.map((f) => f.code)).toContain('OSD-CONSOLE-001');
    const guest = found(report, 'OSD-PATH-001');
    expect(guest?.subject).toBe('guest of web-1');
    expect(guest?.summary).not.toContain('flows');
    const asked = (await askedOf(silent, 'cmp1')).map(({ argv }) => argv.join(' '));
    expect(asked.filter((line) => line.includes('ofproto/trace'))).toEqual([]);
  });
});
