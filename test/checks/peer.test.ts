import { describe, expect, it } from 'vitest';
import type { Bundle } from '../../src/bundle/open.ts';
import { endingOf } from '../../src/facts/connect.ts';
import { editing, editingOutput, healthy } from '../support/edit-bundle.ts';
import { bundleAt, findingsOf, reportOf } from '../support/replayed.ts';
import { asking } from './cases-asked.ts';

const pair = await bundleAt('test/fixtures/bundles/ovs-peer.tgz');

const outputOf = (bundle: Bundle, host: string, words: string, round: string): string => {
  const found = bundle.hosts.get(host)?.commands.find((c) => c.round === round && c.argv.join(' ').includes(words));
  if (found?.outcome.ok !== true) throw new Error(`nothing on ${host} was run as ${words} ${round}`);
  return found.outcome.value.stdout;
};

/** What a host's tunnel ports counted before the packets were sent, again after them: none of them arrived. */
const nothingArrivesAt = (bundle: Bundle, host: string): Bundle =>
  editingOutput(bundle, host, 'dump-ports br-tun pair-after', () =>
    outputOf(pair, host, 'dump-ports br-tun', 'pair-before'),
  );

const unanswered = (stdout: string): string =>
  stdout
    .replace(/^\d+ bytes from.*\n/gm, '')
    .replace(/5 received.*% packet loss/, '0 received, 100% packet loss')
    .replace(/^rtt.*\n/m, '');

const withoutEgress = (bundle: Bundle): Bundle =>
  editing(bundle, '/v2.0/security-groups?id=', (body) => {
    for (const g of body.security_groups)
      g.security_group_rules = g.security_group_rules.filter((r: { direction: string }) => r.direction !== 'egress');
  });

const first = async (bundle: Bundle, options = {}) => {
  const [cause] = (await reportOf(bundle, options)).diagnosis.causes;
  return cause === undefined ? undefined : `${cause.finding.code} ${cause.finding.subject}`;
};

describe('two instances that reach each other', () => {
  it('are left in peace, and the peer stands in the report', async () => {
    const report = await reportOf(pair);
    expect(findingsOf(report)).toEqual([]);
    expect(report.exitCode).toBe(0);
    expect(report.asked?.peer).toMatchObject({ name: 'db-1', host: 'cmp2' });
    const said = report.steps.filter((s) => ['peer', 'peer-side', 'between'].includes(s.id)).flatMap((s) => s.checks);
    expect(said.map((c) => c.outcome.status)).not.toContain('blocked');
    expect(said.find((c) => c.id === 'peer.passes')?.outcome).toMatchObject({
      status: 'ok',
      note: expect.stringContaining('VXLAN passes'),
    });
  });
});

describe('two instances of which only the other cannot be reached', () => {
  it('have a tunnel that loses packets one way, which a plain ping does not', async () => {
    expect(await first(nothingArrivesAt(pair, 'cmp2'))).toBe('OSD-TUNNEL-001 tunnel cmp1 ⇄ cmp2');
  });

  it('have hosts that do not even reach each other', async () => {
    const mute = editingOutput(nothingArrivesAt(pair, 'cmp2'), 'cmp1', 'ping -n -c 5 -i 0.2 -W 1 -I', unanswered, 1);
    expect(await first(mute)).toBe('OSD-TUNNEL-004 underlay cmp1 ⇄ cmp2');
  });

  it('have an underlay too narrow for full-size packets', async () => {
    expect(await first(editingOutput(pair, 'cmp1', '-M do -s 1472', unanswered, 1))).toBe(
      'OSD-TUNNEL-003 underlay cmp1 ⇄ cmp2',
    );
  });

  it('have a host that does not know where the other is', async () => {
    // cmp1's tunnel port towards cmp2 is number 3.
    const forgotten = editingOutput(pair, 'cmp1', 'dump-flows br-tun', (stdout) =>
      stdout.replace(/(table=22,.*),output:3/g, '$1').replace(/^.*table=20,.*output:3\n/gm, ''),
    );
    expect(await first(forgotten)).toBe('OSD-TUNNEL-002 forwarding cmp1 → cmp2');
  });

  it('have a security group that lets nothing out', async () => {
    const report = await reportOf(withoutEgress(pair));
    const [cause] = report.diagnosis.causes;
    expect(cause?.finding).toMatchObject({ code: 'OSD-SG-002', severity: 'error' });
    expect(cause?.finding.summary).toContain('db-1');
  });
});

describe('a symptom that is asked about', () => {
  it('narrows the walk to what has to do with it', async () => {
    const walked = (await reportOf(healthy, { symptom: 'no-lease' })).steps.map((s) => s.id);
    expect(walked).toContain('dhcp');
    expect(walked).not.toContain('mtu');
    expect(walked).not.toContain('router');
  });

  it('makes an error of what is a remark otherwise', async () => {
    const bundle = withoutEgress(healthy);
    expect(await first(bundle)).toBeUndefined();
    const report = await reportOf(bundle, { symptom: 'no-way-out' });
    expect(report.diagnosis.causes[0]?.finding).toMatchObject({ code: 'OSD-SG-002', severity: 'error' });
    expect(report).toMatchObject({ exitCode: 1, asked: { symptom: { name: 'no-way-out' } } });
  });
});

describe('a name server that answers', () => {
  it('is no finding, and is asked only where somebody complains of names', async () => {
    const bundle = asking('192.0.2.53', ' 4f 53\n');
    const asked = (await reportOf(bundle, { symptom: 'no-names' })).steps.flatMap((s) => s.checks);
    expect(asked.find((c) => c.id === 'names.answers')?.outcome.status).toBe('ok');
    expect((await reportOf(bundle)).steps.map((s) => s.id)).not.toContain('names');
  });
});

describe('a connection attempt', () => {
  const end = (code: number | null, stderr = '', timedOut = false) => endingOf({ code, stderr, timedOut });
  it('is open, refused, silent or without a way', () => {
    expect(end(0)).toBe('open');
    expect(end(1, 'bash: connect: Connection refused\n')).toBe('refused');
    expect(end(null, '', true)).toBe('silent');
    expect(end(124)).toBe('silent');
    expect(end(1, 'bash: connect: No route to host\n')).toBe('unreachable');
  });

  it('with a shell that cannot try is none', () => {
    expect(end(1, 'bash: /dev/tcp/10.0.0.5/22: No such file or directory\n')).toBeUndefined();
    expect(end(127, 'bash: not found\n')).toBeUndefined();
  });
});
