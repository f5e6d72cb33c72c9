import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/engine/report.ts';
import { editingServer, healthy } from '../support/edit-bundle.ts';
import { causesOf, withDesk, withSite } from './doctor.ts';

const recorded = fileURLToPath(new URL('../../demo/healthy.tgz', import.meta.url));

/** Everything a run concludes; times and places of one day are not among it. */
const conclusions = (report: RunReport) => ({
  exitCode: report.exitCode,
  target: report.target,
  counts: report.counts,
  causes: causesOf(report),
  remarks: report.diagnosis.remarks.map(({ code }) => code),
  steps: report.steps.map(({ id, checks }) => [
    id,
    checks.map((check) => [check.id, check.subject, check.outcome.status]),
  ]),
});

describe.concurrent('net', () => {
  it('finds nothing wrong on a cloud without a fault, and says nothing but that', () =>
    withSite({}, async (site) => {
      const ran = await site.run(['net', 'web-1']);
      expect(ran).toMatchObject({ code: 0, stderr: '' });
      expect(ran.stdout).toContain('No fault found on any path of web-1.');
    }));

  it('comes to the same over real HTTP and SSH as the replay of the bundle', () =>
    withSite({}, async (site) => {
      const { report } = await site.report();
      const replayed = await site.report(['replay', recorded]);
      expect(conclusions(report)).toEqual(conclusions(replayed.report));
      expect(report.counts.ok).toBeGreaterThan(25);
      expect(report.counts).toMatchObject({ blocked: 0, unknown: 0 });
    }));

  it('reaches the nodes with the system’s ssh as well', () =>
    withSite({}, async (site) => {
      const { report } = await site.report(['net', 'web-1', '--ssh', 'openssh']);
      expect(report).toMatchObject({ exitCode: 0, counts: { blocked: 0, unknown: 0 } });
    }));

  it('sends nothing under --no-probe-packets', () =>
    withSite({}, async (site) => {
      const { report } = await site.report(['net', 'web-1', '--no-probe-packets']);
      const probes = JSON.stringify(report).match(/"argv":\["ping"/g) ?? [];
      expect(probes).toEqual([]);
    }));
});

describe.concurrent('a record', () => {
  const formats = ['human', 'json', 'junit', 'markdown', 'nagios'];

  it.each(formats)('is replayed byte for byte as %s', (format) =>
    withSite({}, async (site) => {
      const file = join(site.home, 'run.tgz');
      const live = await site.run(['net', 'web-1', '--record', file, '--output', format]);
      const again = await site.run(['replay', file, '--output', format]);
      expect(again).toMatchObject({ code: live.code, stdout: live.stdout });
    }),
  );

  it('is replayed byte for byte when there is a fault, a node that cannot be reached, and a clock that moves', () =>
    withSite(
      {
        bundle: editingServer(healthy, (server) => {
          server.status = 'ERROR';
        }),
        faults: { ssh: { net1: [{ do: 'refused' }] } },
        env: { OSTK_DOCTOR_NOW: '' },
      },
      async (site) => {
        const file = join(site.home, 'run.tgz');
        const live = await site.run(['net', 'web-1', '-v', '--record', file]);
        expect([1, 3]).toContain(live.code);
        const again = await site.run(['replay', file, '-v']);
        expect(again.stdout).toBe(live.stdout);
      },
    ));

  it('is replayed alike however often', () =>
    withDesk({}, async (desk) => {
      const [first, second] = await Promise.all([desk.run(['replay', recorded]), desk.run(['replay', recorded])]);
      expect(second).toMatchObject({ code: first.code, stdout: first.stdout, stderr: first.stderr });
      expect(first.stdout).toContain('web-1');
    }));

  it('is kept of every run, and replayed with --last', () =>
    withSite({}, async (site) => {
      const live = await site.run(['port', 'web-1']);
      const again = await site.run(['replay', '--last']);
      expect(again).toMatchObject({ code: live.code, stdout: live.stdout });
    }));

  it('needs neither the cloud nor the machine it was made on', () =>
    withDesk({}, async (desk) => {
      await copyFile(recorded, join(desk.home, 'a b.tgz'));
      const ran = await desk.run(['replay', 'a b.tgz']);
      expect(ran).toMatchObject({ code: 0, stderr: '' });
    }));
});

describe.concurrent('demo', () => {
  it('diagnoses an embedded cloud', () =>
    withDesk({}, async (desk) => {
      expect(await desk.run(['demo', '--list'])).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^healthy$/m),
      });
      expect(await desk.run(['demo', 'healthy'])).toMatchObject({ code: 0, stderr: '' });
      const unknown = await desk.run(['demo', 'no-such-fault']);
      expect(unknown).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('healthy') });
    }));

  it('keeps a cloud up, and says how net reaches it', () =>
    withDesk({}, async (desk) => {
      let told = '';
      let settled: () => void = () => {};
      const up = new Promise<void>((resolve) => {
        settled = resolve;
      });
      let stop: () => void = () => {};
      // The password of the cloud is what it is asked to say: only of this command.
      const serving = desk.serve(['demo', 'healthy', '--serve'], (seen, signal) => {
        told = seen;
        stop = () => signal('SIGTERM');
        if (/^# ostk-doctor net web-1$/m.test(seen)) settled();
      });
      await up;
      const env = Object.fromEntries(
        told
          .split('\n')
          .map((line) => /^export (\w+)=(.*)$/.exec(line))
          .flatMap((match) => (match === null ? [] : [[match[1], match[2]?.replace(/^'(.*)'$/, '$1')]])),
      ) as Record<string, string>;
      const ran = await desk.run(['port', 'web-1'], { env });
      stop();
      expect(ran).toMatchObject({ code: 0, stderr: '' });
      expect((await serving).code).toBe(0);
    }));
});
