import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/engine/report.ts';
import { type SyntheticCloud, syntheticHost, usualTraits, withSynthetic } from '../support/synthetic-cloud.ts';
import { type Desk, expectComplaint, type Ran, withDesk } from './doctor.ts';

/** Nodes that refuse: nothing outside of the machine is asked for. */
async function withoutNodes(desk: Desk): Promise<Readonly<Record<string, string>>> {
  const [ssh, config] = [join(desk.home, 'ssh_config'), join(desk.home, 'doctor.yaml')];
  await writeFile(ssh, 'Host *\n  HostName 127.0.0.1\n  Port 9\n');
  await writeFile(config, `ssh:\n  configFile: ${JSON.stringify(ssh)}\n`);
  return { OSTK_DOCTOR_CONFIG: config };
}

const asking = (cloud: SyntheticCloud, args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  withSynthetic(cloud, (of, asked) =>
    withDesk(of, async (desk): Promise<{ readonly ran: Ran; readonly asked: readonly string[] }> => {
      const ran = await desk.run(['schedule', ...args], { env: { ...(await withoutNodes(desk)), ...env } });
      return { ran, asked };
    }),
  );

const reportOf = ({ ran }: { readonly ran: Ran }): RunReport => {
  if (ran.stdout === '') throw new Error(`no report; stderr: ${ran.stderr}`);
  return JSON.parse(ran.stdout) as RunReport;
};

const flavors = [
  { name: 'm1.tiny', vcpus: 1, ram: 512, disk: 1 },
  { name: 'm1.huge', vcpus: 1, ram: 40_000, disk: 1 },
] as const;
const two: SyntheticCloud = {
  hosts: [syntheticHost('cmp1'), syntheticHost('cmp2', { memory: { used: 8000 } })],
  aggregates: [],
  flavors,
};

/** Every host with another amount in use; a few disabled, a few down. */
const manyHosts = 5000;
const many: SyntheticCloud = {
  hosts: Array.from({ length: manyHosts }, (_, i) =>
    syntheticHost(`cmp${String(i).padStart(5, '0')}`, {
      memory: { total: 262_144, used: (i * 7919) % 200_000 },
      vcpu: { used: (i * 31) % 200 },
      traits: [...usualTraits, ...Array.from({ length: 40 }, (_unused, t) => `CUSTOM_RACK_FEATURE_${t}`)],
      ...(i % 500 === 7 ? { disabled: 'maintenance' } : {}),
      ...(i % 700 === 9 ? { state: 'down' } : {}),
    }),
  ),
  aggregates: Array.from({ length: 10 }, (_, a) => ({
    uuid: `00000000-0000-4000-9000-00000000000${a}`,
    name: `rack${a}`,
    hosts: Array.from({ length: manyHosts / 10 }, (_unused, i) => `cmp${String(i * 10 + a).padStart(5, '0')}`),
    metadata: { availability_zone: `az${a}` },
  })),
  flavors: [
    { name: 'm1.huge', vcpus: 1, ram: 400_000, disk: 1 },
    { name: 'm1.big', vcpus: 8, ram: 100_000, disk: 10 },
  ],
};

const gone = '00000000-1111-4222-8333-00000000dead';
/** Too many hosts to ask each what it holds; on one an allocation of no instance takes what is asked for. */
const full: SyntheticCloud = {
  hosts: Array.from({ length: 300 }, (_, i) =>
    syntheticHost(`cmp${String(i).padStart(3, '0')}`, {
      memory: { total: 65_536, used: i === 250 ? 40_000 : 60_000 },
      ...(i === 250 ? { strays: { [gone]: { MEMORY_MB: 16_000 } } } : {}),
    }),
  ),
  aggregates: [],
  flavors,
};

describe.concurrent('schedule', () => {
  it('of more providers than are each asked looks for allocations of nothing where least is lacking', async () => {
    const answer = await asking(full, ['--flavor', 'm1.huge', '-o', 'json']);
    const { diagnosis, schedule } = reportOf(answer);
    expect(diagnosis.causes[0]?.finding).toMatchObject({ code: 'OSD-SCHED-011' });
    expect(JSON.stringify(schedule?.relaxations)).toContain(gone);
    expect(schedule?.notes.join()).toMatch(/looked for on 24 of 300 hosts/);
    expect(answer.asked.filter((path) => /resource_providers\/[^/]+\/allocations/.test(path))).toHaveLength(24);
  });

  it.each([
    ['nothing', [], /Schedule what\?/],
    ['a count that is none', ['--flavor', 'm1.tiny', '--count', '0'], /--count 0/],
    ['a hint without a value', ['--flavor', 'm1.tiny', '--hint', 'group'], /name=value/],
    ['no flavor', ['--image', 'cirros'], /--flavor/],
    ['two instances', ['web-1', 'db-1'], /too many arguments/],
  ])('of %s is refused in at most four lines, before anything is asked', (_, args, words) =>
    withDesk({ OS_AUTH_URL: 'http://127.0.0.1:9/v3', OS_USERNAME: 'ops', OS_PASSWORD: 'a secret' }, async (desk) => {
      expectComplaint(await desk.run(['schedule', ...args]), words);
    }),
  );

  it.each([
    ['a flavor', ['--flavor', 'no-such']],
    ['an image', ['--flavor', 'm1.tiny', '--image', 'no-such']],
    ['a network', ['--flavor', 'm1.tiny', '--network', 'no-such']],
    ['a group', ['--flavor', 'm1.tiny', '--hint', 'group=no-such']],
  ])('with %s that does not exist is refused in at most four lines', async (_, args) => {
    const { ran } = await asking(two, args);
    expectComplaint(ran, /no-such/);
  });

  it('says before anybody boots anything which hosts could take it', async () => {
    const { ran } = await asking(two, ['--flavor', 'm1.tiny']);
    expect(ran.stdout).toContain('FITS on cmp1, cmp2 (2 of 2 hosts)');
    expect(ran.code).toBe(0);
  });

  it('names what no host has, host by host, and what would fit', async () => {
    const { ran } = await asking(two, ['--flavor', 'm1.huge'], { LC_ALL: 'C.UTF-8' });
    expect(ran.stdout).toMatch(/cmp1 +✗ 40000 > 15872 MB/);
    expect(ran.stdout).toMatch(/cmp2 +✗ 40000 > 7872 MB/);
    expect(ran.stdout).toMatch(/^CAUSE .*No host/m);
    expect(ran.stdout).toMatch(/^FITS IF .*15872 MB \(cmp1\)/m);
    expect(ran.code).toBe(1);
  });

  it('is recorded with what was asked, and replayed byte for byte', () =>
    withSynthetic(two, (env) =>
      withDesk(env, async (desk) => {
        const more = { env: await withoutNodes(desk) };
        for (const format of ['human', 'json', 'markdown', 'junit']) {
          const file = join(desk.home, `${format}.tgz`);
          const asked = ['--flavor', 'm1.huge', '--count', '2', '--output', format];
          const live = await desk.run(['schedule', ...asked, '--record', file], more);
          const again = await desk.run(['replay', file, '--output', format]);
          expect(again).toMatchObject({ code: live.code, stdout: live.stdout });
          expect(live.code).toBe(1);
        }
      }),
    ));
});

/** What the process of the doctor took. */
async function measured(
  cloud: SyntheticCloud,
  args: readonly string[],
): Promise<{ readonly ran: Ran; readonly megabytes: number; readonly cpuMs: number }> {
  return withSynthetic(cloud, (of) =>
    withDesk(of, async (desk) => {
      const file = join(desk.home, 'usage');
      const hook = fileURLToPath(new URL('../support/usage.mjs', import.meta.url));
      const env = { ...(await withoutNodes(desk)), NODE_OPTIONS: `--import ${hook}`, USAGE_FILE: file };
      const ran = await desk.run(['schedule', ...args], { env });
      const { kib, cpuMs } = JSON.parse(await readFile(file, 'utf8')) as { kib: number; cpuMs: number };
      return { ran, megabytes: kib / 1024, cpuMs };
    }),
  );
}

describe('a cloud of 5,000 hosts', () => {
  // CPU time: beside other tests the clock on the wall measures those.
  it.each([
    ['none fits', ['--flavor', 'm1.huge'], 1],
    ['many fit', ['--flavor', 'm1.big', '--az', 'az3'], 0],
  ] as const)('is explained where %s within 5 s and 300 MB, in rows that fold', async (_, args, code) => {
    const { ran, megabytes, cpuMs } = await measured(many, args);
    expect(ran.code, ran.stderr).toBe(code);
    expect(ran.stdout).toMatch(/\d+ hosts: cmp/);
    expect(ran.stdout.split('\n').length).toBeLessThan(60);
    expect(cpuMs).toBeLessThan(5000);
    expect(megabytes).toBeLessThan(300);
  });

  it('is told whole as JSON', async () => {
    const report = reportOf(await asking(many, ['--flavor', 'm1.huge', '--output', 'json']));
    expect(report.schedule?.hosts).toBe(manyHosts);
    expect(report.schedule?.rows.flatMap((row) => row.hosts)).toHaveLength(manyHosts);
  });
});
