import { describe, expect, it } from 'vitest';
import { FactStore } from '../../../src/engine/fact.ts';
import { err, ok } from '../../../src/engine/result.ts';
import type { Io } from '../../../src/facts/io.ts';
import { ask, equals, keyed, listing, ovnCommand, ovnDatabases } from '../../../src/facts/ovn/databases.ts';
import { theCloud } from '../../../src/facts/subject.ts';
import type { Command } from '../../../src/nodes/command.ts';
import { layouts } from '../../../src/nodes/layouts/layouts.ts';

type Said = { readonly stdout?: string; readonly stderr?: string; readonly code?: number };

/** A cloud with two controllers and two chassis, of which each command says what `say` lets it. */
function cloud(say: (host: string, words: string) => Said | 'unreachable', layout: keyof typeof layouts = 'systemd') {
  const asked: { host: string; words: string }[] = [];
  const lists: Readonly<Record<string, readonly object[]>> = {
    '/os-services': ['ctl1', 'ctl2'].map((host) => ({
      host,
      binary: 'nova-conductor',
      state: 'up',
      status: 'enabled',
    })),
    '/agents': ['cmp1', 'cmp2'].map((host) => ({ id: host, host, binary: 'ovn-controller', alive: host === 'cmp2' })),
  };
  const io = {
    cloud: {
      list: async ({ path }: { path: string }) => ok({ value: lists[path] ?? [], evidence: {}, ms: 1 }),
    },
    nodes: {
      layout: async () => ok(layouts[layout]),
      warm: () => {},
      run: async (host: string, command: Command) => {
        const words = command.argv.join(' ');
        asked.push({ host, words });
        const said = say(host, words);
        if (said === 'unreachable')
          return err({ kind: 'unreachable', host, stage: 'tcp', detail: 'no', fix: 'open it' });
        const { stdout = '', stderr = '', code = 0 } = said;
        return ok({
          code,
          stdout,
          stderr,
          truncated: false,
          timedOut: false,
          startedAt: '2026-11-21T16:00:00Z',
          ms: 1,
        });
      },
    },
    options: {},
  };
  return { facts: new FactStore<Io>(io as unknown as Io), asked };
}

const refused: Said = { code: 1, stderr: 'ovn-nbctl: unix:/var/run/ovn/ovnnb_db.sock: database connection failed ()' };
const row = (ids: string) =>
  `{"data":[[["map",[${ids}]],["map",[]],"3.1.0"]],"headings":["external_ids","other_config","ovs_version"]}`;
const chassisRow = row('["ovn-remote","ssl:192.0.2.5:6642,ssl:192.0.2.6:6642"],["system-id","x"]');
const ssl =
  'Private key: /etc/ovn/key.pem\nCertificate: /etc/ovn/cert.pem\nCA Certificate: /etc/ovn/ca.pem\nBootstrap: false\n';

async function found(...with_: Parameters<typeof cloud>) {
  const { facts, asked } = cloud(...with_);
  const databases = await facts.get(ovnDatabases, theCloud);
  if (!databases.ok) throw new Error(databases.error.kind);
  return { ...databases.value.value, asked, facts };
}

describe('the way to the databases', () => {
  it('is the socket of a controller that has them', async () => {
    const { nb, sb, asked } = await found((host) => (host === 'ctl2' ? {} : refused));
    expect(nb).toEqual(ok({ host: 'ctl2', within: [], options: [] }));
    expect(sb).toEqual(nb);
    expect(asked.some(({ host }) => host.startsWith('cmp'))).toBe(false);
  });

  it('leads into the container of each database', async () => {
    const { nb, sb } = await found(() => ({}), 'kolla');
    expect(nb.ok && ovnCommand(nb.value, 'ovn-nbctl', 'show').argv.slice(0, 4)).toEqual([
      'docker',
      'exec',
      'ovn_nb_db',
      'ovn-nbctl',
    ]);
    expect(sb.ok && sb.value.within).toEqual(['docker', 'exec', 'ovn_sb_db']);
  });

  it('is what Neutron is told where no controller has them, with its certificates', async () => {
    const ini =
      'ovn_nb_connection = ssl:192.0.2.5:6641\novn_nb_private_key = /k\novn_nb_certificate = /c\novn_nb_ca_cert = /a\novn_sb_connection = tcp:192.0.2.5:6642\n';
    const { nb, sb, southByNeutron } = await found((_, words) =>
      words.includes('grep') ? { stdout: ini } : words.includes('--db=') ? {} : refused,
    );
    expect(nb.ok && nb.value.options).toEqual(['--db=ssl:192.0.2.5:6641', '-p', '/k', '-c', '/c', '-C', '/a']);
    expect(sb.ok && sb.value.options).toEqual(['--db=tcp:192.0.2.5:6642']);
    expect(southByNeutron).toBe('tcp:192.0.2.5:6642');
  });

  it('is what a chassis is told where no controller is reached; one that reports is asked first', async () => {
    const { nb, sb } = await found((host, words) => {
      if (host.startsWith('ctl')) return 'unreachable';
      if (words.includes('Open_vSwitch')) return { stdout: chassisRow };
      return words.includes('get-ssl') ? { stdout: ssl } : {};
    });
    const tls = ['-p', '/etc/ovn/key.pem', '-c', '/etc/ovn/cert.pem', '-C', '/etc/ovn/ca.pem'];
    expect(sb).toEqual(
      ok({ host: 'cmp2', within: [], options: ['--db=ssl:192.0.2.5:6642,ssl:192.0.2.6:6642', ...tls] }),
    );
    expect(nb.ok && nb.value.options[0]).toBe('--db=ssl:192.0.2.5:6641,ssl:192.0.2.6:6641');
  });

  it('is told with all that was tried when none leads there', async () => {
    const { nb } = await found((_, words) => (words.includes('Open_vSwitch') ? { stdout: chassisRow } : refused));
    expect(nb.ok).toBe(false);
    const detail = nb.ok || nb.error.kind !== 'command' ? '' : nb.error.detail;
    expect(detail).toContain("ctl1's own socket");
    expect(detail).toContain('ssl:192.0.2.5:6641,ssl:192.0.2.6:6641 from cmp2');
  });

  it('is given up where a database hangs', async () => {
    const hung: Said = { code: 142, stderr: 'fatal_signal|WARN|terminating with signal 14 (Alarm clock)' };
    const { asked } = await found(() => hung);
    expect(asked.some(({ host }) => host.startsWith('cmp'))).toBe(false);
  });
});

describe('a question to a database', () => {
  const way = { host: 'ctl1', within: [], options: ['--db=tcp:192.0.2.5:6642'] };

  it('is one call for several tables', async () => {
    const { facts, asked } = cloud(() => ({
      stdout: '{"data":[],"headings":["_uuid"]}\n{"data":[],"headings":["_uuid"]}\n',
    }));
    const answer = await ask(facts, way, 'sb', [
      ['find', 'SB_Global'],
      ['find', 'Chassis', equals('hostname', 'cmp1')],
    ]);
    expect(answer.ok && answer.value.value).toEqual([[], []]);
    expect(asked.map((a) => a.words)).toEqual([
      'ovn-sbctl --no-leader-only --timeout=6 --db=tcp:192.0.2.5:6642 --format=json -- find SB_Global -- find Chassis hostname="cmp1"',
    ]);
  });

  it('is repeated after a pause on the node, and shown without it', async () => {
    const { facts, asked } = cloud(() => ({ stdout: '{"data":[],"headings":["_uuid"]}\n' }));
    const answer = await ask(facts, way, 'sb', [['find', 'SB_Global']], { afterSeconds: 4 });
    expect(asked[0]?.words).toMatch(/^sh -c sleep "\$0"; exec "\$@" 4 ovn-sbctl /);
    const [evidence] = answer.ok ? answer.value.evidence : [];
    expect(evidence?.source.kind === 'command' && evidence.source.argv[0]).toBe('ovn-sbctl');
  });

  it('never lists a whole table for want of rows', async () => {
    expect(listing('NAT', [])).toEqual([]);
    expect(listing('NAT', ['u1', 'u2'])).toEqual([['--if-exists', 'list', 'NAT', 'u1', 'u2']]);
    const { facts, asked } = cloud(() => ({}));
    expect((await ask(facts, way, 'nb', [])).ok).toBe(true);
    expect(asked).toEqual([]);
  });

  it('quotes what it looks for', () => {
    expect(equals('name', 'a "b"')).toBe('name="a \\"b\\""');
    expect(keyed('external_ids', 'neutron:network_name', 'neutron-1')).toBe(
      'external_ids:"neutron:network_name"="neutron-1"',
    );
  });

  it('that is answered with fewer tables is not understood', async () => {
    const { facts } = cloud(() => ({ stdout: '{"data":[],"headings":[]}\n' }));
    const answer = await ask(facts, way, 'sb', [
      ['find', 'SB_Global'],
      ['find', 'Chassis'],
    ]);
    expect(answer.ok).toBe(false);
  });
});
