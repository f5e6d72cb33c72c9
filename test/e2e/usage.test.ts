import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { expectComplaint, withDesk, withSite } from './doctor.ts';

const recorded = fileURLToPath(new URL('../../demo/healthy.tgz', import.meta.url));

describe.concurrent('the command line', () => {
  it.each([
    ['an unknown flag', ['net', 'web-1', '--frobnicate'], /--frobnicate/],
    ['a flag that is nearly one', ['net', 'web-1', '--prob', 'icmp'], /--probe/],
    ['an unknown verb', ['nett', 'web-1'], /net/],
    ['a missing instance', ['net'], /vm/],
    ['one word too many', ['net', 'web-1', 'web-2'], /too many arguments/],
    ['an unknown format', ['net', 'web-1', '--output', 'xml'], /human, json/],
    ['an unknown severity', ['net', 'web-1', '--fail-on', 'fatal'], /error, warning/],
    ['a probe without a port', ['net', 'web-1', '--probe', 'tcp'], /tcp\/PORT/],
    ['a probe with a port that cannot be', ['net', 'web-1', '--probe', 'tcp/99999'], /tcp\/99999/],
    ['a time without a unit', ['net', 'web-1', '--since', '10'], /90s, 30m, 2h/],
    ['a time that is none', ['net', 'web-1', '--since', 'yesterday'], /yesterday/],
    ['a client that is no address', ['net', 'web-1', '--from', 'laptop'], /laptop.*not an address/],
    ['a symptom that is none', ['net', 'web-1', '--symptom', 'broken'], /no-boot, no-lease/],
    ['one peer that is not named', ['net', 'web-1', '--symptom', 'one-peer'], /--to/],
    ['a peer without a name', ['net', 'web-1', '--to', ''], /an instance, a port or an address/],
    ['a code that does not exist', ['explain', 'OSD-NO-999'], /OSD-NO-999/],
    ['a replay of nothing', ['replay'], /replay FILE/],
    ['a replay of the last of no runs', ['replay', '--last'], /no run/],
    ['a scenario that does not exist', ['demo', 'no-such'], /healthy/],
    ['a configuration that is not there', ['net', 'web-1', '--config', 'no.yaml'], /no\.yaml/],
  ])('with %s is refused in at most four lines, before anything is asked', (_, args, words) =>
    withDesk({ OS_AUTH_URL: 'http://127.0.0.1:9/v3', OS_USERNAME: 'ops', OS_PASSWORD: 'a secret' }, async (desk) => {
      expectComplaint(await desk.run(args), words);
    }),
  );

  it('names the near codes of an area', () =>
    withDesk({}, async (desk) => {
      expectComplaint(await desk.run(['explain', 'OSD-PORT-999']), 'OSD-PORT-002');
      expect(await desk.run(['explain', 'osd-port-002'])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('OSD-PORT-002'),
      });
    }));

  it('explains itself', () =>
    withDesk({}, async (desk) => {
      const help = await desk.run(['--help']);
      expect(help).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('ostk-doctor net web-1') });
      expect(await desk.run(['net', '--help'])).toMatchObject({
        code: 0,
        stderr: '',
        stdout: expect.stringContaining('ssh-refused'),
      });
      expect(await desk.run(['--version'])).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      });
      expect(await desk.run(['checks'])).toMatchObject({ code: 0, stderr: '' });
    }));
});

describe.concurrent('the configuration', () => {
  it('with a mistake names its line and what was meant', () =>
    withSite({}, async (site) => {
      const file = join(site.home, 'mine.yaml');
      await writeFile(file, 'ssh:\n  user: ops\n  conectTimeout: 3\n');
      expectComplaint(await site.run(['net', 'web-1', '--config', file]), 'mine.yaml:3:3', 'connectTimeout');
    }));

  it('that lies in the directory may not name an ssh_config', () =>
    withSite({}, async (site) => {
      const cwd = join(site.home, 'strangers');
      await mkdir(cwd);
      await writeFile(join(cwd, 'ostk-doctor.yaml'), `ssh: {configFile: ${site.demo.sshConfigPath}}\n`);
      const ran = await site.run(['net', 'web-1'], { cwd, env: { OSTK_DOCTOR_CONFIG: '' } });
      expectComplaint(ran, 'ssh.configFile', 'strangers/ostk-doctor.yaml', '--config');
      expect(await site.run(['port', 'web-1', '--config', 'ostk-doctor.yaml'], { cwd })).toMatchObject({ code: 0 });
    }));

  it('may say for each host where it is', () =>
    withSite({}, async (site) => {
      const { hosts, userKeyPath, knownHostsPath, user } = site.demo;
      const file = join(site.home, 'hosts.yaml');
      const ssh = { user, identityFile: userKeyPath, knownHosts: knownHostsPath };
      await writeFile(
        file,
        JSON.stringify({
          ssh,
          hosts: Object.fromEntries(Object.entries(hosts).map(([n, { address, port }]) => [n, { address, port }])),
        }),
      );
      expect(await site.run(['net', 'web-1', '--config', file])).toMatchObject({ code: 0, stderr: '' });
    }));

  it('has a clock only for demos', () =>
    withSite({ env: { OSTK_DOCTOR_NOW: 'noon' } }, async (site) => {
      expectComplaint(await site.run(['net', 'web-1']), 'OSTK_DOCTOR_NOW');
    }));
});

describe.concurrent('a bundle', () => {
  it('that is not there, cut off, foreign or no file is refused with what is wrong', () =>
    withDesk({}, async (desk) => {
      const at = (name: string) => join(desk.home, name);
      const whole = await readFile(recorded);
      await writeFile(at('half.tgz'), whole.subarray(0, whole.length / 2));
      await writeFile(at('text.tgz'), 'not a bundle\n');
      await writeFile(at('empty.tgz'), '');
      const cases = [
        ['no.tgz', 'no such file'],
        ['half.tgz', 'cut off'],
        ['text.tgz', 'not a gzip-compressed archive'],
        ['empty.tgz', 'not a gzip-compressed archive'],
        ['.', 'not a file'],
      ] as const;
      for (const [name, why] of cases) expectComplaint(await desk.run(['replay', at(name)]), why, at(name));
    }));

  it('that cannot be written does not cost the report', () =>
    withSite({}, async (site) => {
      const file = join(site.home, 'no/such/folder/run.tgz');
      const ran = await site.run(['port', 'web-1', '--record', file]);
      expect(ran.code).toBe(2);
      expect(ran.stdout).toContain('web-1');
      expect(ran.stderr).toContain(`cannot write the bundle ${file}`);
      expect(ran.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(4);
    }));

  it('is not kept where the home cannot be written, and nobody is bothered with it', () =>
    withSite({}, async (site) => {
      await writeFile(join(site.home, 'state'), 'a file where a folder should be');
      expect(await site.run(['port', 'web-1'])).toMatchObject({ code: 0, stderr: '' });
    }));

  it('is readable by its owner alone, and holds no secret', () =>
    withSite({}, async (site) => {
      const file = join(site.home, 'run.tgz');
      await site.run(['net', 'web-1', '--record', file]);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      const text = gunzipSync(await readFile(file)).toString('latin1');
      expect(text.includes(site.demo.env.OS_PASSWORD ?? '?')).toBe(false);
      expect(text).not.toMatch(/gAAAAA[\w-]{20,}/);
    }));
});
