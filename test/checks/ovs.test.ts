import { describe, expect, it } from 'vitest';
import type { Bundle } from '../../src/bundle/open.ts';
import { alsoRun, editing, editingOutput } from '../support/edit-bundle.ts';
import { bundleAt, findingsOf, reportOf } from '../support/replayed.ts';

/** Runs of `net web-1` on a cloud of Open vSwitch with the iptables firewall. */
const healthy = await bundleAt('test/fixtures/bundles/ovs-healthy.tgz');
const tunnelLost = await bundleAt('test/fixtures/bundles/ovs-tunnel-lost.tgz');
const underlayMtu = await bundleAt('test/fixtures/bundles/ovs-underlay-mtu.tgz');

const errors = async (bundle: Bundle) => findingsOf(await reportOf(bundle)).filter((f) => f.severity === 'error');

// biome-ignore lint/suspicious/noExplicitAny: rows of OVSDB, edited by hand
type Row = any[];

/** The row of the instance's own port (`qvo…`) in one table of OVSDB on cmp1. */
const qvo = (table: string, edit: (row: Row, at: (column: string) => number) => void): Bundle =>
  editingOutput(healthy, 'cmp1', `list ${table}`, (stdout) => {
    const rows: { headings: string[]; data: Row[] } = JSON.parse(stdout);
    const at = (column: string): number => rows.headings.indexOf(column);
    for (const row of rows.data) if (String(row[at('name')]).startsWith('qvo')) edit(row, at);
    return JSON.stringify(rows);
  });

describe('on a cloud of Open vSwitch', () => {
  it('a healthy one gives no error', async () => {
    const report = await reportOf(healthy);
    expect(report.diagnosis.causes).toEqual([]);
    expect(report.exitCode).toBe(0);
  });

  it('a port in the dead VLAN is named', async () => {
    const dead = qvo('Port', (row, at) => {
      row[at('tag')] = 4095;
    });
    expect((await errors(dead)).map((f) => [f.code, f.scope.host])).toContainEqual(['OSD-L2-001', ['cmp1']]);
  });

  it('a port with the tag of another network is named with the right one', async () => {
    const strayed = qvo('Port', (row, at) => {
      row[at('tag')] = 77;
    });
    const found = (await errors(strayed)).find((f) => f.code === 'OSD-L2-002');
    expect(found?.summary).toMatch(/has tag 77 on cmp1; its network has \d+/);
  });

  it('a device that OVS could not open is named with its error', async () => {
    const unopened = qvo('Interface', (row, at) => {
      row[at('ofport')] = -1;
      row[at('error')] = 'could not open network device (No such device)';
    });
    const found = (await errors(unopened)).find((f) => f.code === 'OSD-L2-003');
    expect(found?.evidence[0].excerpt).toContain('No such device');
  });

  it('a patch port whose other end is gone is named on its host', async () => {
    const cut = editingOutput(healthy, 'cmp1', 'list Interface', (stdout) =>
      stdout.replaceAll('["peer","patch-tun"]', '["peer","patch-gone"]'),
    );
    const [first] = (await reportOf(cut)).diagnosis.causes;
    expect(first?.finding.code).toBe('OSD-L2-004');
    expect(first?.finding.scope.host).toEqual(['cmp1']);
  });

  it('flows that carry the network under another tunnel id are named with both', async () => {
    const strayed = editingOutput(healthy, 'cmp1', 'dump-flows br-tun', (stdout) =>
      stdout.replaceAll(/(table=4,.*)tun_id=0x[0-9a-f]+/g, '$1tun_id=0xbad'),
    );
    const found = (await errors(strayed)).find((f) => f.code === 'OSD-TUNNEL-005');
    expect(found?.summary).toMatch(/tunnel id \d+ into local VLAN \d+ and has tunnel id 2989/);
  });

  it('tunnel packets that the network between two hosts drops are told by what was sent and what arrived', async () => {
    const [first] = (await reportOf(tunnelLost)).diagnosis.causes;
    expect(first?.finding.code).toBe('OSD-TUNNEL-001');
    expect(first?.finding.summary).toMatch(/\d+ sent, none came out/);
    expect(first?.explains.map((f) => f.code)).toContain('OSD-PING-001');
  });

  it('an underlay on which not even a plain ping passes is told apart from one that drops the tunnel', async () => {
    let dark = tunnelLost;
    for (const host of ['net1', 'cmp1']) {
      dark = editingOutput(
        dark,
        host,
        ' underlay',
        () =>
          'PING 198.18.1.31 (198.18.1.31) 56(84) bytes of data.\n\n--- 198.18.1.31 ping statistics ---\n5 packets transmitted, 0 received, 100% packet loss, time 819ms\n',
        1,
      );
    }
    const [first] = (await reportOf(dark)).diagnosis.causes;
    expect(first?.finding.code).toBe('OSD-TUNNEL-004');
  });

  it('an endpoint that is in no network of the others is named with the address that is', async () => {
    let stray = editing(tunnelLost, '/v2.0/agents', (body) => {
      for (const a of body.agents)
        if (a.host === 'cmp1' && a.configurations?.tunneling_ip) a.configurations.tunneling_ip = '198.18.7.31';
    });
    stray = editingOutput(stray, 'cmp1', 'ip -j addr show', (stdout) => {
      const rows = JSON.parse(stdout);
      for (const row of rows)
        if (row.ifname === 'lo')
          row.addr_info.push({ family: 'inet', local: '198.18.7.31', prefixlen: 32, scope: 'global' });
      return JSON.stringify(rows);
    });
    const silence =
      'PING 198.18.7.31 (198.18.7.31) 56(84) bytes of data.\n\n--- 198.18.7.31 ping statistics ---\n5 packets transmitted, 0 received, 100% packet loss, time 819ms\n';
    const underlay = ['ping', '-n', '-c', '5', '-i', '0.2', '-W', '1', '-I'];
    stray = alsoRun(
      stray,
      'net1',
      { argv: [...underlay, '198.18.1.20', '198.18.7.31'], round: 'underlay' },
      { code: 1, stdout: silence },
    );
    const found = (await errors(stray)).find((f) => f.code === 'OSD-TUNNEL-006');
    expect(found?.summary).toContain('names 198.18.7.31, while cmp1 has 198.18.1.31 on br-phy');
    expect(found?.remedies[0]?.steps[0]?.argv?.join(' ')).toContain('local_ip = 198.18.1.31');
  });

  it('an underlay too narrow for full-size packets is named with both hosts', async () => {
    const [first] = (await reportOf(underlayMtu)).diagnosis.causes;
    expect(first?.finding.code).toBe('OSD-TUNNEL-003');
    expect(first?.finding.scope.host).toEqual(expect.arrayContaining(['cmp1', 'net1']));
    expect((await errors(healthy)).map((f) => f.code)).toEqual([]);
  });
});
