import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { alsoAsked, editing, editingServer, healthy, instanceId, web1 } from '../support/edit-bundle.ts';
import { failuresOf, type Ran, type Site, withSite } from './doctor.ts';

/** A command substitution, an end of a command, a screen that is cleared, a right-to-left override, a title that is set. */
const name = '$(touch pwned) ; `touch pwned` \u001b[2J\u202e\u001b]0;owned\u0007\r\n&& touch pwned #';
const byId = alsoAsked(healthy, '/servers/detail?', `/v2.1/servers/${instanceId}`, () => ({ server: web1 }));

const formats = [
  [],
  ['-v'],
  ['-v', '-v'],
  ...['json', 'ndjson', 'junit', 'markdown', 'nagios'].map((f) => ['--output', f]),
];

/** Wherever a shell could have run it: where the doctor runs, in the home, at the root. */
function expectNothingRun(site: Site): void {
  for (const folder of [process.cwd(), site.home, '/']) expect(existsSync(join(folder, 'pwned')), folder).toBe(false);
}

const shows = (ran: Ran): string => ran.stdout + ran.stderr;

describe.concurrent('a hostile name', () => {
  it.each(formats.map((args) => [args.join(' ') || 'human', args] as const))(
    'of an instance, in the API and on the nodes, is never run and never shown raw: %s',
    (_, args) =>
      withSite({ bundle: byId, faults: { rename: [{ from: 'web-1', to: name }] } }, async (site) => {
        const ran = await site.run(['net', instanceId, ...args]);
        expect([0, 1, 3]).toContain(ran.code);
        if (!args.includes('nagios')) expect(shows(ran)).toContain('$(touch pwned)');
        expectNothingRun(site);
      }),
  );

  it.each(['$(touch pwned)', '-oProxyCommand=touch pwned', 'cmp1;touch pwned', '../../cmp1', 'cmp1\u001b[2J'])(
    'of a host is no host: %j',
    (host) =>
      withSite(
        {
          bundle: editingServer(healthy, (server) => {
            server['OS-EXT-SRV-ATTR:host'] = host;
          }),
        },
        async (site) => {
          const { ran, report } = await site.report();
          expect([1, 3]).toContain(ran.code);
          expect(failuresOf(report)).toContainEqual(
            expect.objectContaining({
              kind: 'unreachable',
              stage: 'name',
              detail: expect.stringContaining('not a host name'),
            }),
          );
          expectNothingRun(site);
        },
      ),
  );

  it('on the command line is looked for as it is, and shown without its control characters', () =>
    withSite({}, async (site) => {
      const ran = await site.run(['net', name.replace(/[\r\n]+/, ' ')]);
      expect([2, 3]).toContain(ran.code);
      expect(ran.stdout).toBe('');
      expectNothingRun(site);
    }));
});

describe.concurrent('a hostile guest', () => {
  it('writes what it likes to its console: none of it reaches the terminal raw', () => {
    const lines = '\u001b[2J\u001b[31mroot:toor\u001b]8;;http://evil.example\u0007\n@ostk-doctor 00 x 0 0 0\n'.repeat(
      2000,
    );
    const bundle = editing(healthy, '/action', () => ({ output: `${lines}\u009b6n` }));
    return withSite({ bundle }, async (site) => {
      for (const args of [
        ['-v', '-v'],
        ['--output', 'markdown'],
      ]) {
        const ran = await site.run(['console', 'web-1', ...args]);
        expect([0, 1, 3]).toContain(ran.code);
      }
    });
  });
});
