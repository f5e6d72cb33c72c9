import { describe, expect, it } from 'vitest';
import type { Bundle } from '../../src/bundle/open.ts';
import { renderHuman } from '../../src/report/human.ts';
import { createTheme } from '../../src/ui/theme.ts';
import { editing, refusing } from '../support/edit-bundle.ts';
import { bundleAt, reportOf } from '../support/replayed.ts';

const noRam = await bundleAt('demo/schedule-no-ram.tgz');
const question = await bundleAt('test/fixtures/bundles/schedule-question.tgz');
const page = { width: 100, theme: createTheme({ colorLevel: 0, unicode: true }), verbosity: 0 } as const;

const withHost = (bundle: Bundle, status: string): Bundle =>
  editing(bundle, /\/servers\/(detail|[0-9a-f-]{36}$)/, (body) => {
    for (const server of body.servers ?? [body.server]) {
      if (server === undefined) continue;
      server.status = status;
      server['OS-EXT-SRV-ATTR:host'] = 'cmp1';
      delete server.fault;
    }
  });

describe('a recorded request that no host takes', () => {
  it.each([
    ['of an instance', noRam, ['cmp1', 'cmp2', 'sched-c2', 'sched-f1', 'sched-f2']],
    ['that nobody has made', question, ['cmp1', 'cmp2']],
  ])('%s names what is missing, with the matrix and what would fit', async (_, bundle, all) => {
    const report = await reportOf(bundle);
    expect(report.diagnosis.causes.map((c) => c.finding.code)).toEqual(['OSD-SCHED-001']);
    expect(report.schedule?.rows.flatMap((row) => row.hosts).sort()).toEqual(all);
    const text = renderHuman(report, page);
    expect(text).toMatch(/cmp1, cmp2 +✗ 40000 > \d+ MB/);
    expect(text).toMatch(/^FITS IF .*memory ≤ \d+ MB \(cmp1, cmp2\)/m);
    expect(report.exitCode).toBe(1);
  });

  it('has the words of the scheduler for evidence', async () => {
    const report = await reportOf(noRam);
    const evidence = report.diagnosis.causes[0]?.finding.evidence ?? [];
    expect(evidence.map((e) => e.excerpt).join('\n')).toContain('Got no allocation candidates from the Placement API');
  });
});

describe('an account that may not look', () => {
  it.each(['/os-services', '/os-hypervisors', '/resource_providers'])(
    'at %s is told what would grant it, and nothing is made up',
    async (path) => {
      const report = await reportOf(refusing(noRam, path, 403, 'Policy does not allow this.'));
      expect(report.schedule).toBeUndefined();
      expect(report.diagnosis.causes).toEqual([]);
      expect(report.diagnosis.couldNotLook.map((c) => c.failure.kind)).toContain('forbidden');
      expect(report.exitCode).toBe(3);
      expect(renderHuman(report, page)).toContain('cannot be told');
    },
  );
});

describe('an instance that has a host', () => {
  it('is no alarm, and shows where its request would fit', async () => {
    const report = await reportOf(withHost(noRam, 'ACTIVE'));
    expect(report.diagnosis.causes).toEqual([]);
    expect(report.exitCode).toBe(0);
    expect(renderHuman(report, page)).toContain('huge-1 is on cmp1; the same request now FITS on none of 5 hosts.');
  });

  it('cannot move where there is no room: asked so, that is a cause', async () => {
    const wish = { networks: [], hints: [], host: 'cmp2', count: 1 };
    const report = await reportOf(withHost(noRam, 'ACTIVE'), { wish });
    expect(report.schedule?.asked.movesFrom).toBe('cmp1');
    expect(report.diagnosis.causes[0]?.finding.summary).toMatch(/^huge-1 cannot move as asked: /);
    expect(report.exitCode).toBe(1);
  });
});

describe('an instance in a cell that does not answer', () => {
  it('is told to be there before anything that may have become of its request', async () => {
    const buried = editing(noRam, /\/servers\/(detail|[0-9a-f-]{36}$)/, (body) => {
      for (const server of body.servers ?? [body.server]) {
        if (server === undefined) continue;
        server.status = 'UNKNOWN';
        delete server['OS-EXT-SRV-ATTR:host'];
        delete server.fault;
      }
    });
    const report = await reportOf(buried);
    expect(report.diagnosis.causes.map((c) => c.finding.code)).toEqual(['OSD-VM-010']);
    expect(report.exitCode).toBe(1);
  });
});

describe('a report of a schedule', () => {
  it('begins with when it was asked for, and by whom', async () => {
    const report = await reportOf(noRam);
    expect(report.target?.cell?.name).toBe('cell0');
    expect(renderHuman(report, page)).toMatch(/^huge-1 +ERROR +in cell0 .*asked \d+ (s|min) ago by \w+/s);
  });
});
