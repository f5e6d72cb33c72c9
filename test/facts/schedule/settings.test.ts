import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  configurationOf,
  listOf,
  parseOptions,
  readOptions,
  schedulerSettings,
} from '../../../src/facts/schedule/settings.ts';
import { theCloud } from '../../../src/facts/subject.ts';
import { kollaLayout } from '../../../src/nodes/layouts/kolla.ts';
import { caseOf } from './recorded-case.ts';

const folder = mkdtempSync(join(tmpdir(), 'nova-conf-'));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const printed = (...paths: string[]): string => execFileSync('sh', ['-c', readOptions, 'sh', ...paths]).toString();
const options = (...paths: string[]): ReadonlyMap<string, string> => parseOptions(printed(...paths)).options;

describe("the scheduler's configuration", () => {
  it('is read from the files that its command line names, on its own node', async () => {
    const { facts } = caseOf('ram');
    const found = await facts.get(schedulerSettings, theCloud);
    expect(found).toMatchObject({
      ok: true,
      value: {
        value: { from: 'configuration', release: 'zed' },
        evidence: [{ source: { kind: 'command', host: 'ctl', code: 0 } }],
      },
    });
    if (!found.ok) throw new Error('not read');
    const { enabledFilters, where, options: set } = found.value.value;
    expect(enabledFilters).toHaveLength(15);
    expect(enabledFilters[0]).toBe('ComputeFilter');
    expect(enabledFilters.at(-1)).toBe('IoOpsFilter');
    expect(where).toMatch(/nova\.conf, .*nova-scheduler\.conf on ctl$/);
    expect(set.get('DEFAULT.service_down_time')).toBe('25');
    expect(set.get('scheduler.discover_hosts_in_cells_interval')).toBe('60');
  });

  it('is what the release has by default where no node lets us in', async () => {
    const { facts } = caseOf('ram', { withoutNodes: true });
    const found = await facts.get(schedulerSettings, theCloud);
    expect(found).toMatchObject({ ok: true, value: { value: { from: 'defaults', where: 'defaults of Nova zed' } } });
    if (found.ok) expect(found.value.value.enabledFilters).toContain('ComputeFilter');
  });

  const kollaPs =
    '  PID  PPID USER     STARTED COMMAND\n 7 1 nova Sat Nov 21 12:50:01 2026 /var/lib/kolla/venv/bin/python3 /var/lib/kolla/venv/bin/nova-scheduler\n';
  const inContainer = (code: number) =>
    caseOf('ram', {
      layout: kollaLayout('docker'),
      run: ({ argv }) =>
        argv[0] === 'ps'
          ? { code: 0, stdout: kollaPs }
          : argv[0] === 'docker'
            ? {
                code,
                stdout: code === 0 ? '@/etc/nova/nova.conf\nfilter_scheduler\tenabled_filters\tComputeFilter\n' : '',
              }
            : {
                code: 0,
                stdout: '@/etc/kolla/nova-scheduler/nova.conf\nfilter_scheduler\tenabled_filters\tRamFilter\n',
              },
    });

  it('is read where the scheduler lives: in its container', async () => {
    const { facts, asked } = inContainer(0);
    const found = await facts.get(schedulerSettings, theCloud);
    expect(found).toMatchObject({ ok: true, value: { value: { enabledFilters: ['ComputeFilter'] } } });
    expect(asked.commands.find((c) => c.startsWith('docker'))).toMatch(/^docker exec nova_scheduler sh -c for f in /);
    expect(asked.commands.find((c) => c.startsWith('docker'))).toContain('/etc/nova/nova-scheduler.conf');
  });

  it('is read where the deployment tool keeps it, when the container cannot be entered', async () => {
    const { facts } = inContainer(1);
    const found = await facts.get(schedulerSettings, theCloud);
    expect(found).toMatchObject({
      ok: true,
      value: {
        value: {
          from: 'configuration',
          where: '/etc/kolla/nova-scheduler/nova.conf on ctl',
          enabledFilters: ['RamFilter'],
        },
      },
    });
  });

  it('leaves no secret on the way', () => {
    const path = file(
      'secrets.conf',
      [
        '[DEFAULT]',
        'transport_url = rabbit://nova:hunter2@ctl',
        'my_ip = 10.0.0.1',
        '[scheduler]',
        'workers = 2',
        'password = hunter2',
        '  hunter2',
        '[database]',
        'connection = mysql://nova:hunter2@ctl/nova',
        'service_down_time = 9',
        '[filter_scheduler]',
        'max_io_ops_per_host: 4',
        '[placement]',
        'password = hunter2',
      ].join('\n'),
    );
    const text = printed(path);
    expect(text).not.toContain('hunter2');
    expect(text.split('\n').filter((line) => line !== '')).toEqual([
      `@${path}`,
      'scheduler\tworkers\t2',
      'filter_scheduler\tmax_io_ops_per_host\t4',
    ]);
  });

  it('is read as oslo.config reads it: lines that go on, comments, quotes, the later file', () => {
    const first = file(
      'first.conf',
      '[filter_scheduler]\n# enabled_filters = None\nenabled_filters = ComputeFilter,\n  ImagePropertiesFilter,\n\tRamFilter\n\n  stray\nhost_subset_size="3"\nisolated_hosts = a\n',
    );
    const second = file('second.conf', 'cpu_allocation_ratio = 4.0 \r\n[filter_scheduler]\nisolated_hosts = b\n');
    const found = options(first, second);
    expect(listOf(found.get('filter_scheduler.enabled_filters') ?? '')).toEqual([
      'ComputeFilter',
      'ImagePropertiesFilter',
      'RamFilter',
    ]);
    expect(found.get('filter_scheduler.host_subset_size')).toBe('3');
    expect(found.get('filter_scheduler.isolated_hosts')).toBe('b');
    expect(found.get('DEFAULT.cpu_allocation_ratio')).toBe('4.0');
  });

  it('reads a folder in the order of its names, and passes over what is not there', () => {
    const inside = mkdtempSync(join(folder, 'conf.d'));
    writeFileSync(join(inside, '20-b.conf'), '[scheduler]\nmax_attempts = 2\n');
    writeFileSync(join(inside, '10-a.conf'), '[scheduler]\nmax_attempts = 1\n');
    writeFileSync(join(inside, 'notes.txt'), '[scheduler]\nmax_attempts = 9\n');
    expect(options(join(folder, 'none.conf'), inside).get('scheduler.max_attempts')).toBe('2');
  });
});

describe('the files of a scheduler', () => {
  it('are those its command line names', () => {
    const args =
      '/usr/bin/python3 /usr/bin/nova-scheduler --config-file=/etc/nova/nova.conf --config-file /etc/nova/own.conf';
    expect(configurationOf(args)).toEqual([
      '/etc/nova/nova.conf.d',
      '/etc/nova/nova-scheduler.conf.d',
      '/etc/nova/nova.conf',
      '/etc/nova/own.conf',
    ]);
  });

  it("are oslo.config's own where it names none, and a folder takes the place of folders alone", () => {
    expect(configurationOf('nova-scheduler')).toContain('/etc/nova/nova-scheduler.conf');
    const named = configurationOf('nova-scheduler --config-dir /etc/nova/site.d');
    expect(named).toContain('/etc/nova/nova.conf');
    expect(named).not.toContain('/etc/nova/nova.conf.d');
    expect(named.at(-1)).toBe('/etc/nova/site.d');
  });
});
