import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, it } from 'vitest';
import type { RunEvent } from '../../src/engine/events.ts';
import { reportSchema } from '../../src/report/schema.ts';
import { editing, healthy, instanceId } from '../support/edit-bundle.ts';
import { withDesk, withSite } from './doctor.ts';

const recorded = fileURLToPath(new URL('../../demo/healthy.tgz', import.meta.url));
/** A cloud whose instance has no port: one cause. */
const faulty = editing(healthy, `/ports?device_id=${instanceId}`, () => ({ ports: [] }));

/** The tags of an XML document, each closed where it must be; throws at the first that is not. */
function balanced(xml: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  for (const [, slash, name = '', end] of xml
    .replace(/<\?.*?\?>|<!--.*?-->|<!\[CDATA\[.*?\]\]>/gs, '')
    .matchAll(/<(\/?)([\w.:-]+)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (slash === '/') expect(open.pop()).toBe(name);
    else {
      names.push(name);
      if (end !== '/') open.push(name);
    }
  }
  expect(open).toEqual([]);
  return names;
}

describe.concurrent('stdout is only the result', () => {
  it('as json: one document of the published shape', () =>
    withSite({ bundle: faulty }, async (site) => {
      const ran = await site.run(['net', 'web-1', '--output', 'json']);
      expect(ran).toMatchObject({ code: 1, stderr: '' });
      expect(reportSchema.safeParse(JSON.parse(ran.stdout)).error).toBeUndefined();
    }));

  it('as ndjson: one event per line, the report last', () =>
    withSite({ bundle: faulty }, async (site) => {
      const ran = await site.run(['net', 'web-1', '--output', 'ndjson']);
      expect(ran).toMatchObject({ code: 1, stderr: '' });
      const events = ran.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as RunEvent);
      expect(events[0]?.type).toBe('run.start');
      expect(events.at(-1)).toMatchObject({ type: 'run.end', report: { exitCode: 1 } });
    }));

  it('as junit: a well-formed document with the failure in it', () =>
    withSite({ bundle: faulty }, async (site) => {
      const ran = await site.run(['net', 'web-1', '--output', 'junit']);
      expect(ran).toMatchObject({ code: 1, stderr: '' });
      expect(ran.stdout).toMatch(/^<\?xml version="1\.0"/);
      const tags = balanced(ran.stdout);
      expect(tags.filter((tag) => tag === 'testcase').length).toBeGreaterThan(5);
      expect(tags).toContain('failure');
    }));

  it('as markdown: begins with a heading and names the cause', () =>
    withSite({ bundle: faulty }, async (site) => {
      const ran = await site.run(['net', 'web-1', '--output', 'markdown']);
      expect(ran).toMatchObject({ code: 1, stderr: '' });
      expect(ran.stdout).toMatch(/^#+ /);
      expect(ran.stdout).toContain('OSD-PORT-008');
    }));

  it('as nagios: one line with performance data, and the codes of monitoring plugins', () =>
    withSite({ bundle: faulty }, async (site) => {
      const bad = await site.run(['net', 'web-1', '--output', 'nagios']);
      expect(bad).toMatchObject({
        code: 2,
        stderr: '',
        stdout: expect.stringMatching(/^OSTK CRITICAL - .*OSD-PORT-008.* \| [^\n|]+\n$/),
      });
      const good = await site.run(['replay', recorded, '--output', 'nagios']);
      expect(good).toMatchObject({ code: 0, stdout: expect.stringMatching(/^OSTK OK - [^\n|]* \| [^\n|]+\n$/) });
      const blind = await site.run(['net', 'nosuch', '--output', 'nagios']);
      expect(blind).toMatchObject({ code: 3, stdout: expect.stringMatching(/^OSTK UNKNOWN - [^\n]+\n$/) });
    }));

  it('decides its status by --fail-on', () =>
    withSite({ bundle: faulty }, async (site) => {
      expect((await site.run(['port', 'web-1', '--fail-on', 'never'])).code).not.toBe(1);
      expect((await site.run(['port', 'web-1', '--fail-on', 'warning'])).code).toBe(1);
    }));
});

const columns = (line: string): number => [...line].length;

describe.concurrent('the screen', () => {
  it.each([60, 72, 80, 120, 200])('is kept within %i columns, but for commands to paste', (width) =>
    withDesk({ COLUMNS: String(width), LANG: 'C.UTF-8' }, async (desk) => {
      const ran = await desk.run(['replay', recorded, '-v']);
      const wide = ran.stdout.split('\n').filter((line) => columns(line) > width);
      // A command is told with its host, or stands on a line of its own.
      expect(wide.filter((line) => !/^\s+(?:ctl|cmp1|net1|here) {2,}\S|^\s+openstack /.test(line))).toEqual([]);
    }),
  );

  it('has no symbols beyond ASCII where the locale has none, or where none are wanted', () =>
    withDesk({ LANG: 'C.UTF-8' }, async (desk) => {
      const ascii = /^[\x00-\x7f]*$/;
      expect((await desk.run(['replay', recorded], { env: { LANG: 'C' } })).stdout).toMatch(ascii);
      expect((await desk.run(['replay', recorded, '--ascii'])).stdout).toMatch(ascii);
      expect((await desk.run(['replay', recorded])).stdout).toContain('✓');
    }));

  it('is coloured for a person alone', () =>
    withDesk({ LANG: 'C.UTF-8', TERM: 'xterm-256color' }, async (desk) => {
      expect((await desk.run(['replay', recorded])).stdout).not.toContain('\u001b');
    }));

  it.skipIf(spawnSync('script', ['--version']).status !== 0)(
    'shows on a terminal what waits, and leaves only the report',
    () =>
      withSite({ faults: { http: [{ do: 'slow', ms: 300 }] } }, async (site) => {
        const launcher = join(inject('installed'), 'bin/ostk-doctor.js');
        const line = `stty cols 100 && '${process.execPath}' '${launcher}' net web-1`;
        const env = {
          ...site.demo.env,
          ...site.demo.doctorEnv,
          PATH: `${site.home}/bin:${process.env.PATH ?? ''}`,
          HOME: site.home,
          TERM: 'xterm',
          LANG: 'C.UTF-8',
        };
        const child = spawn('script', ['-qec', line, '/dev/null'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
        let seen = '';
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          seen += text;
        });
        const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
        expect(code).toBe(0);
        expect(seen).toContain('\u001b[');
        expect(seen).toMatch(/No fault found on any path of web-1\./);
        // the cursor is given back
        expect(seen.lastIndexOf('\u001b[?25h')).toBeGreaterThanOrEqual(seen.lastIndexOf('\u001b[?25l'));
      }),
  );
});
