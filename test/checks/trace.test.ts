import { describe, expect, it } from 'vitest';
import type { Bundle } from '../../src/bundle/open.ts';
import type { Finding } from '../../src/engine/finding.ts';
import type { CheckReport, RunReport } from '../../src/engine/report.ts';
import type { Decoded } from '../../src/nodes/parse/frame/decode.ts';
import { renderJson } from '../../src/report/json.ts';
import { fixture } from '../nodes/parse/fixtures.ts';
import { captureFailing, captureLosing, withoutFrames } from '../support/edit-capture.ts';
import { bundleAt, findingsOf, reportOf } from '../support/replayed.ts';
import { taken, tracedOvs, tracedPoints, unanswered, untold, withOpinion } from '../support/traced.ts';

const n = tracedPoints.length;
const nameOf = (point: number): string => `${tracedPoints[point]?.device}@${tracedPoints[point]?.host}`;
const tap = tracedPoints[n - 1]?.device ?? '';

const followed = (report: RunReport): CheckReport['outcome'] => {
  const check = report.steps.flatMap((s) => s.checks).find((c) => c.id === 'trace.followed');
  if (check === undefined) throw new Error('nothing was followed');
  return check.outcome;
};
/** What the trace itself says, whatever else the walk finds. */
const saidBy = (report: RunReport): readonly Finding[] => {
  const outcome = followed(report);
  return outcome.status === 'problem' ? outcome.findings : [];
};
const toldOf = async (bundle: Bundle): Promise<readonly Finding[]> => saidBy(await reportOf(bundle));

describe('a recorded trace', () => {
  it.each(['demo/trace-healthy', 'test/fixtures/bundles/trace-tcp', 'test/fixtures/bundles/ovsfw-trace-healthy'])(
    'without a fault saw every packet at every point there and back, and nothing else is walked: %s',
    async (path) => {
      const report = await reportOf(await bundleAt(`${path}.tgz`));
      expect(findingsOf(report)).toEqual([]);
      expect(report.exitCode).toBe(0);
      expect(report.steps.map((s) => s.id)).toEqual(['trace']);
      expect(report.traces?.length).toBeGreaterThan(0);
      for (const { points, sent, answered, stop } of report.traces ?? []) {
        expect([answered, stop]).toEqual([sent, undefined]);
        for (const { watch, there, back } of points) {
          expect([watch, there.seen, back.seen, there.of]).toEqual(['watched', sent, sent, sent]);
        }
      }
    },
  );

  it('of a rule that somebody made names the rule first, and explains by it where the packets end', async () => {
    const report = await reportOf(await bundleAt('demo/trace-stopped.tgz'));
    const [first, ...others] = report.diagnosis.causes;
    expect(first?.finding.code).toBe('OSD-HOST-014');
    expect(first?.finding.summary).toContain('FORWARD');
    expect(others).toEqual([]);
    const explained = first?.explains.find((f) => f.code === 'OSD-PATH-002');
    expect(explained?.subject).toMatch(/^vxlan-\d+@cmp1 → tap[0-9a-f-]{11}@cmp1$/);
    expect(report.exitCode).toBe(1);
  });

  it.each([
    ['ping tries again', 'ovs-trace-egress', 'tc tap[0-9a-f-]+ egress', '14 and 16 while 5 and 7'],
    [
      'a connection tries again sooner',
      'ovs-trace-egress-tcp',
      'nft netdev localise hush handle \\d+',
      '15 and 25 while 3 and 5',
    ],
  ])(
    "of a filter on the sender's own device names it, although %s what it is told was dropped",
    async (_, name, rule, counted) => {
      const report = await reportOf(await bundleAt(`test/fixtures/bundles/${name}.tgz`));
      const [first] = report.diagnosis.causes;
      expect(first?.finding).toMatchObject({
        code: 'OSD-HOST-014',
        subject: expect.stringMatching(new RegExp(`^rule qdhcp-[0-9a-f-]+ ${rule}@net1$`)),
      });
      expect(first?.finding.evidence[0]?.excerpt).toContain(`counter rose by ${counted} packets were lost`);
      expect(first?.explains.map((f) => f.code)).toContain('OSD-PATH-002');
    },
  );

  it('of a security group that lets nothing in blames the group, and not the path', async () => {
    const report = await reportOf(await bundleAt('test/fixtures/bundles/trace-ordered.tgz'));
    expect(findingsOf(report).map((f) => f.code)).toEqual(['OSD-SG-001']);
    expect(report.diagnosis.causes.map((c) => c.finding.code)).toEqual(['OSD-SG-001']);
    expect(followed(report)).toMatchObject({
      status: 'ok',
      note: expect.stringMatching(/^This is as it is ordered: /),
    });
    expect(report.traces?.[0]?.stop).toMatchObject({ kind: 'edge', way: 'there', lost: 5, of: 5 });
  });

  it('of an instance that takes nothing for its own says that all came to its tap', async () => {
    const report = await reportOf(await bundleAt('test/fixtures/bundles/trace-not-told.tgz'));
    const [first] = report.diagnosis.causes;
    expect(first?.finding.code).toBe('OSD-PATH-001');
    expect(first?.finding.subject).toBe('guest of web-1');
    const shown = first?.finding.evidence.map((e) => e.excerpt) ?? [];
    expect(new Set(shown).size).toBe(shown.length);
  });

  it('is judged alike each time', async () => {
    const bundle = await bundleAt('demo/trace-stopped.tgz');
    expect(renderJson(await reportOf(bundle))).toBe(renderJson(await reportOf(bundle)));
  });
});

describe('where packets end', () => {
  const edges = tracedPoints.map((_, p) => p);

  it.each(edges)('on the way there is told by the two points around it: before point %i', async (point) => {
    const report = await reportOf(taken('there', point));
    const [found, ...others] = saidBy(report);
    expect(others).toEqual([]);
    expect(found?.code).toBe('OSD-PATH-002');
    expect(found?.subject.endsWith(` → ${nameOf(point)}`)).toBe(true);
    if (point > 0) expect(found?.subject).toBe(`${nameOf(point - 1)} → ${nameOf(point)}`);
    else expect(found?.subject).toMatch(/^qrouter-\S+@net1 → /);
    expect(report.exitCode).toBe(1);
  });

  it.each(edges.slice(0, -1))('on the way back is told as well: before point %i', async (point) => {
    const [found, ...others] = await toldOf(taken('back', point));
    expect(others).toEqual([]);
    expect(found).toMatchObject({ code: 'OSD-PATH-002', subject: `${nameOf(point + 1)} → ${nameOf(point)}` });
    expect(found?.summary).toContain('on the way back');
  });

  it('is the guest where all came to the last point and no answer left it', async () => {
    const [found, ...others] = await toldOf(taken('back', n - 1));
    expect(others).toEqual([]);
    expect(found).toMatchObject({ code: 'OSD-PATH-001', subject: 'guest of web-1' });
  });

  it('is told with captures that a stranger can do again, and where to look', async () => {
    const [found] = await toldOf(taken('there', n - 1));
    const commands = found?.evidence.flatMap(({ source }) =>
      source.kind === 'command' ? [source.argv.join(' ')] : [],
    );
    expect(commands?.filter((c) => c.includes('tcpdump')).length).toBe(2);
    const remedies = JSON.stringify(found?.remedies);
    expect(remedies).toContain(tap);
  });

  it('is the instance, where it does not answer the question for its address', async () => {
    const [found] = await toldOf(untold());
    expect(found?.code).toBe('OSD-PATH-001');
    expect(found?.summary).toContain('held back by address resolution');
    expect(found?.summary).toContain('web-1 did not say');
  });
});

describe('what the switch says of the packets that end behind it', () => {
  const lost = taken('there', n - 1);

  it('is a fault of its own where it would let them out', async () => {
    const [found] = await toldOf(await withOpinion(lost, fixture('ovs-appctl', 'ofproto-trace-request.txt')));
    expect(found?.code).toBe('OSD-PATH-007');
    expect(found?.summary).toMatch(/the flows of br-tun let it out$/);
    expect(found?.evidence.map((e) => e.excerpt).join('\n')).toContain('ct(commit,zone=2),6');
  });

  it('is the flow at which it drops them', async () => {
    const [found] = await toldOf(await withOpinion(lost, fixture('ovs-appctl', 'ofproto-trace-denied.txt')));
    expect(found?.code).toBe('OSD-PATH-002');
    expect(found?.summary).toContain('the flows of br-tun drop it: br-int table 93');
  });

  it('is nothing where several copies leave: which of them goes there is not told', async () => {
    const flooded = fixture('ovs-appctl', 'ofproto-trace-request.txt').replace(
      /^Datapath actions: ct\(commit,zone=2\),6$/m,
      'Datapath actions: 6,7',
    );
    const [found] = await toldOf(await withOpinion(lost, flooded));
    expect(found?.code).toBe('OSD-PATH-002');
    expect(found?.summary).not.toContain('flows');
  });

  it('is nothing where it does not say', async () => {
    const [found] = await toldOf(await withOpinion(lost, 'no bridge named br-tun\n'));
    expect(found?.code).toBe('OSD-PATH-002');
    expect(found?.summary).not.toContain('flows');
  });
});

describe('what could not be looked at', () => {
  const notFound = { code: 127, stderr: 'timeout: failed to run command ‘tcpdump’: No such file or directory\n' };

  it('is told, and not taken for loss, where one host has no tcpdump', async () => {
    const report = await reportOf(captureFailing(tracedOvs, 'cmp1', undefined, notFound));
    expect(findingsOf(report)).toEqual([]);
    expect(followed(report)).toMatchObject({ status: 'ok', note: expect.stringContaining('at 2 points') });
    const [trace] = report.traces ?? [];
    expect(trace?.stop).toBeUndefined();
    expect(trace?.points.map((p) => p.watch)).toEqual(['watched', 'watched', 'blind', 'blind']);
    expect(trace?.notes.join(' ')).toMatch(/^Could not look at .* on cmp1: tcpdump is not installed\.$/);
  });

  it('is all that is said where no host has it', async () => {
    const bundle = ['net1', 'cmp1'].reduce((b, host) => captureFailing(b, host, undefined, notFound), tracedOvs);
    const report = await reportOf(bundle);
    expect(findingsOf(report)).toEqual([]);
    expect(followed(report).status).toBe('blocked');
    expect(report.exitCode).toBe(3);
  });

  it.each([
    ['root is needed', { code: 1, stderr: 'sudo: a password is required\n' }],
    ['a node hangs', { code: null, stderr: '', timedOut: true }],
    ['the capture is cut off', { code: null, stderr: 'tcpdump: listening on x\n', timedOut: true }],
  ] as const)('is not taken for loss where %s', async (_, said) => {
    const report = await reportOf(captureFailing(tracedOvs, 'cmp1', undefined, said));
    expect(findingsOf(report)).toEqual([]);
    expect(report.traces?.[0]?.points.map((p) => p.watch).slice(2)).toEqual(['blind', 'blind']);
  });

  it('lies between the two points that are told, where packets are lost', async () => {
    const [found] = await toldOf(captureFailing(taken('there', n - 1), 'cmp1', 'eth1', notFound));
    expect(found?.subject).toBe(`${nameOf(1)} → ${nameOf(3)}`);
    expect(found?.summary).toContain('eth1 on cmp1 in between could not be looked at');
  });

  it('is what a capture lost itself: its silence is no loss', async () => {
    const dropping = captureLosing(tracedOvs, 'cmp1', 'eth1', 5);
    const late = ({ layers }: Decoded): boolean => layers.some((l) => l.layer === 'icmp' && (l.sequence ?? 0) > 2);
    const report = await reportOf(withoutFrames(dropping, 'cmp1', 'eth1', late));
    expect(findingsOf(report)).toEqual([]);
    expect(report.traces?.[0]?.notes.join(' ')).toContain('The capture at eth1 on cmp1 lost 5 packets');
  });

  it('widens the place where packets end', async () => {
    const [found] = await toldOf(captureLosing(taken('there', 2), 'cmp1', 'eth1', 5));
    expect(found?.subject).toBe(`${nameOf(1)} → ${nameOf(3)}`);
    expect(found?.summary).toContain('the silence of eth1 on cmp1 is not counted');
  });

  it('is a device that is down or not there, which no packet passes: told as such', async () => {
    const none = { code: 1, stderr: `tcpdump: ${tap}: No such device exists\n(No such device exists)\n` };
    const [found] = await toldOf(captureFailing(taken('there', n - 1), 'cmp1', tap, none));
    expect(found?.summary).toContain(`${tap} on cmp1 does not exist`);
    const down = { code: 1, stderr: `tcpdump: ${tap}: That device is not up\n` };
    const [other] = await toldOf(captureFailing(taken('there', n - 1), 'cmp1', tap, down));
    expect(other?.summary).toContain(`${tap} on cmp1 is down`);
  });

  it('is the ping itself, where no probe may be sent', async () => {
    const report = await reportOf(tracedOvs, { probePackets: false });
    expect(findingsOf(report)).toEqual([]);
    expect(followed(report)).toMatchObject({ status: 'blocked' });
    expect(report.exitCode).toBe(3);
  });

  it('is a stretch over which nothing could be sent, beside others that are well', async () => {
    const both = await bundleAt('demo/trace-healthy.tgz');
    const net1 = both.hosts.get('net1');
    if (net1 === undefined) throw new Error('the recording has no net1');
    const commands = net1.commands.map((ran) =>
      ran.argv[0] === 'ping' && ran.round === 'trace' && ran.outcome.ok
        ? {
            ...ran,
            outcome: { ok: false, error: { kind: 'timeout', what: 'net1', seconds: 20 }, batch: false } as const,
          }
        : ran,
    );
    const report = await reportOf({ ...both, hosts: new Map([...both.hosts, ['net1', { ...net1, commands }]]) });
    expect(report.traces?.length).toBe(1);
    expect(findingsOf(report)).toEqual([]);
    expect(followed(report).status).toBe('blocked');
    expect(report.exitCode).toBe(3);
  });

  it('leaves a silence that is one', async () => {
    const blind = ['net1', 'cmp1'].reduce((b, host) => captureFailing(b, host, undefined, notFound), tracedOvs);
    const [found] = await toldOf(unanswered(blind));
    expect(found?.code).toBe('OSD-PATH-002');
    expect(found?.summary).toContain('could not be looked at');
  });
});
