import { describe, expect, test } from 'vitest';
import { type Flow, flowOutputs, flowTunnelId, flowVlan, parseFlows } from '../../../src/nodes/parse/flows.ts';
import { parseDatapaths, parseOvsFdb } from '../../../src/nodes/parse/ovs-appctl.ts';
import { ovsdbAtom, ovsdbAtoms, ovsdbMap, parseOvs, parseOvsdbTable } from '../../../src/nodes/parse/ovsdb.ts';
import { expectNeverThrows, fixture, fixtures, understood } from './fixtures.ts';

const ovs = (host: string) =>
  understood(
    parseOvs(
      fixture('ovs', `ovs-${host}-Bridge.json`),
      fixture('ovs', `ovs-${host}-Port.json`),
      fixture('ovs', `ovs-${host}-Interface.json`),
    ),
  );
const flows = (name: string): readonly Flow[] => understood(parseFlows(fixture('ovs-ofctl', name)));

describe('ovs-vsctl list', () => {
  test('bridges with their ports and interfaces, by name', () => {
    const { bridges } = ovs('cmp1');
    expect(bridges.map(({ name, failMode, datapathType }) => [name, failMode, datapathType])).toEqual([
      ['br-int', 'secure', 'netdev'],
      ['br-phy', undefined, 'netdev'],
      ['br-tun', 'secure', 'netdev'],
    ]);
    expect(bridges[2]?.ports.map(({ name }) => name)).toEqual([
      'br-tun',
      'patch-int',
      'vxlan-c6120114',
      'vxlan-c6120120',
    ]);
  });

  test('a tunnel tells both of its ends', () => {
    const tunnel = ovs('cmp1').bridges[2]?.ports.find(({ name }) => name === 'vxlan-c6120114')?.interfaces[0];
    expect(tunnel).toMatchObject({ type: 'vxlan', ofport: 2, adminState: 'up', linkState: 'up' });
    expect(tunnel?.options.get('local_ip')).toBe('198.18.1.31');
    expect(tunnel?.options.get('remote_ip')).toBe('198.18.1.20');
    expect(tunnel?.statistics.get('rx_packets')).toBeGreaterThan(0);
  });

  test('the port of a guest has its Neutron port, its MAC, and the dead VLAN it was put on', () => {
    const port = ovs('cmp1').bridges[0]?.ports.find(({ name }) => name.startsWith('qvo'));
    expect(port).toMatchObject({ tag: 4095, trunks: [] });
    expect(port?.otherConfig.get('tag')).toBe('1');
    expect(port?.otherConfig.get('segmentation_id')).toBe('669');
    expect(port?.interfaces[0]?.externalIds.get('iface-id')?.startsWith(port.name.slice(3))).toBe(true);
    expect(port?.interfaces[0]?.externalIds.get('attached-mac')).toMatch(/^fa:16:3e:/);
  });

  test('the network node has the ports of DHCP and router with their tags', () => {
    const names = ovs('net1')
      .bridges.find(({ name }) => name === 'br-int')
      ?.ports.map(({ name }) => name.slice(0, 3));
    expect(names).toEqual(expect.arrayContaining(['qg-', 'qr-', 'tap', 'int']));
  });

  test('some columns only: an unset value, a set of one, names and numbers', () => {
    const rows = understood(parseOvsdbTable('list', fixture('ovs', 'ovs-cmp1-Interface-columns.json')));
    const tunnel = rows.find((row) => ovsdbAtom(row, 'name') === 'vxlan-c6120114');
    expect(tunnel && ovsdbAtom(tunnel, 'ofport')).toBe(2);
    expect(tunnel && ovsdbAtom(tunnel, 'error')).toBeUndefined();
    expect(tunnel && ovsdbAtoms(tunnel, 'error')).toEqual([]);
    expect(tunnel && ovsdbMap(tunnel, 'options').size).toBe(0);
  });

  test('tables of OVN decode the same way', () => {
    const rows = understood(parseOvsdbTable('list', fixture('ovs', 'ovn-cmp1-list-Interface.json')));
    const tap = rows.find((row) => ovsdbMap(row, 'external_ids').has('ovn-installed'));
    expect(tap && ovsdbMap(tap, 'external_ids').get('iface-id')).toMatch(/^[\da-f-]{36}$/);
    expect(tap && ovsdbAtom(tap, 'mtu')).toBe(1442);
  });

  test('a device that OVS cannot open has ofport -1 and says why', () => {
    const row =
      '{"headings":["_uuid","name","ofport","error"],"data":[[["uuid","1"],"tap1",-1,"could not open network device tap1 (No such device)"]]}';
    const port =
      '{"headings":["_uuid","name","interfaces","tag"],"data":[[["uuid","2"],"tap1",["uuid","1"],["set",[]]]]}';
    const bridge =
      '{"headings":["_uuid","name","ports"],"data":[[["uuid","3"],"br-int",["set",[["uuid","2"],["uuid","gone"]]]]]}';
    const state = understood(parseOvs(bridge, port, row));
    expect(state.bridges[0]?.ports).toHaveLength(1);
    expect(state.bridges[0]?.ports[0]?.interfaces[0]).toMatchObject({
      ofport: -1,
      error: 'could not open network device tap1 (No such device)',
    });
  });

  test('a host without bridges has none; what is no table is a parse failure', () => {
    expect(understood(parseOvs('', '', ''))).toEqual({ bridges: [] });
    expect(parseOvsdbTable('list', '{"headings":["name"],"data":[[["odd",1]]]}').ok).toBe(false);
    expect(parseOvsdbTable('list', 'ovs-vsctl: unix:/var/run/openvswitch/db.sock: database connection failed').ok).toBe(
      false,
    );
  });

  test('no input makes it throw', () => {
    const tables = fixtures('ovs')
      .filter(({ name }) => name.endsWith('.json'))
      .map(({ text }) => text);
    expectNeverThrows((text) => parseOvsdbTable('list', text), tables);
    expectNeverThrows((text) => parseOvs(text, text, text), tables.slice(0, 2));
  });
});

describe('ovs-ofctl dump-flows', () => {
  test('table, priority, cookie, counters, match and actions', () => {
    expect(flows('ovs-cmp1-br-int.txt')[2]).toEqual({
      table: 0,
      priority: 10,
      cookie: '0xab9b55d8cc7134e3',
      packets: 12,
      bytes: 504,
      match: { arp: '', in_port: '2' },
      actions: 'resubmit(,24)',
      raw: 'cookie=0xab9b55d8cc7134e3,table=0,priority=10,arp,in_port=2 actions=resubmit(,24)',
    });
  });

  test('every line of every recorded bridge is a flow', () => {
    for (const { name, text } of fixtures('ovs-ofctl')) {
      const lines = text.split('\n').filter((line) => line.includes('actions='));
      expect(understood(parseFlows(text)), name).toHaveLength(lines.length);
    }
  });

  test('the VLAN of a segment is the same in OpenFlow 1.0 and 1.3, matched, set or learned', () => {
    for (const version of ['', '-OpenFlow13', '-OpenFlow14', '-no-stats', '-OpenFlow13-no-stats', '-names']) {
      const tunnel = flows(`ovs-cmp1-br-tun${version === '' ? '-no-stats' : version}.txt`);
      const segment = tunnel.filter((flow) => flowTunnelId(flow) !== undefined);
      expect(segment.map(({ table }) => table)).toEqual([4, 20, 20, 20, 20, 20, 20, 22]);
      expect(new Set(segment.map(flowVlan)), version).toEqual(new Set([1]));
      expect(new Set(segment.map(flowTunnelId)), version).toEqual(new Set([669]));
    }
    const set = flows('ovs-cmp1-br-tun-OpenFlow13.txt').find(
      ({ table, match }) => table === 4 && match.tun_id !== undefined,
    );
    expect(set?.actions).toContain('set_field:4097->vlan_vid');
  });

  test('the flood row sends to every tunnel; what is learned later is no output of now', () => {
    const tunnel = flows('ovs-cmp1-br-tun.txt');
    const flood = tunnel.find(({ table, match }) => table === 22 && match.dl_vlan === '1');
    expect(flood && flowOutputs(flood)).toEqual(['2', '3']);
    const learning = tunnel.find(({ table }) => table === 10);
    expect(learning?.actions).toContain('learn(');
    expect(learning && flowOutputs(learning)).toEqual(['1']);
    const named = flows('ovs-cmp1-br-tun-names.txt').find(({ table, match }) => table === 22 && match.dl_vlan === '1');
    expect(named && flowOutputs(named)).toEqual(['vxlan-c6120114', 'vxlan-c6120120']);
  });

  test('a port that the NORMAL action serves', () => {
    const [only] = flows('ovs-cmp1-br-phy.txt');
    expect(only && flowOutputs(only)).toEqual(['NORMAL']);
    expect(only && flowVlan(only)).toBeUndefined();
  });

  test('the dead VLAN is a match, an untagged packet is none', () => {
    const dead = flows('ovs-cmp1-br-int.txt').find(({ priority }) => priority === 65535);
    expect(dead).toMatchObject({ actions: 'drop' });
    expect(dead && flowVlan(dead)).toBe(4095);
    const [old, untagged] = understood(
      parseFlows(
        ' cookie=0x1, table=0, n_packets=0, n_bytes=0, priority=65535,vlan_tci=0x0fff/0x1fff actions=drop\n cookie=0x1, table=0, priority=1,vlan_tci=0x0000/0x1fff actions=NORMAL\n',
      ),
    );
    expect(old && flowVlan(old)).toBe(4095);
    expect(untagged && flowVlan(untagged)).toBeUndefined();
  });

  test('a flow that is dumped twice is the same flow whatever it counted meanwhile', () => {
    const before =
      ' cookie=0x0, duration=1.5s, table=0, n_packets=1, n_bytes=42, idle_age=1, priority=5,ip,nw_dst=10.0.0.6 actions=drop\n';
    const after =
      ' cookie=0x0, duration=9.5s, table=0, n_packets=6, n_bytes=252, idle_age=0, hard_age=3, priority=5,ip,nw_dst=10.0.0.6 actions=drop\n';
    const [[first], [second]] = [understood(parseFlows(before)), understood(parseFlows(after))];
    expect(second?.raw).toBe(first?.raw);
    expect((second?.packets ?? 0) - (first?.packets ?? 0)).toBe(5);
  });

  test('flows of OVN with the heads of several replies', () => {
    const text = fixture('ovs-ofctl', 'ovn-net1-br-int.txt');
    expect(text.match(/NXST_FLOW reply/g)?.length).toBeGreaterThan(1);
    const drop = understood(parseFlows(text)).find(({ actions, table }) => actions === 'drop' && table === 8);
    expect(drop?.match).toMatchObject({ metadata: '0x1' });
  });

  test('a bridge that does not exist is a parse failure', () => {
    expect(parseFlows('ovs-ofctl: br-nope is not a bridge or a socket\n').ok).toBe(false);
    expect(understood(parseFlows('NXST_FLOW reply (xid=0x4):\n'))).toEqual([]);
  });

  test('no input makes it, or what reads its flows, throw', () => {
    expectNeverThrows(
      (text) => {
        const parsed = parseFlows(text);
        for (const flow of parsed.ok ? parsed.value : []) {
          flowVlan(flow);
          flowTunnelId(flow);
          flowOutputs(flow);
        }
        return parsed;
      },
      ['ovs-cmp1-br-tun.txt', 'ovs-cmp1-br-tun-OpenFlow13.txt', 'ovsfw-cmp1-br-int.txt'].map((name) =>
        fixture('ovs-ofctl', name),
      ),
    );
  });
});

describe('ovs-appctl', () => {
  test('look-ups of the datapath and counters of its ports; what is not counted is absent', () => {
    const [datapath] = understood(parseDatapaths(fixture('ovs-appctl', 'ovs-cmp1-dpctl-show.txt')));
    expect(datapath).toMatchObject({ name: 'netdev@ovs-netdev', hit: 4158, missed: 640, lost: 0 });
    expect(datapath?.ports.map(({ name }) => name)).toContain('vxlan_sys_4789');
    expect(datapath?.ports.find(({ name }) => name === 'eth1')).toEqual({
      number: 1,
      name: 'eth1',
      rx: { packets: 1955, bytes: 379118, errors: 0, dropped: 0 },
      tx: { packets: 1938, bytes: 299151, errors: 0, dropped: 1 },
    });
    expect(datapath?.ports.find(({ type }) => type === 'vxlan')?.rx).toEqual({ packets: 0, bytes: 0 });
  });

  test('learned addresses of a bridge', () => {
    const entries = understood(parseOvsFdb(fixture('ovs-appctl', 'ovs-cmp1-fdb-br-int.txt')));
    expect(entries).toHaveLength(3);
    expect(entries[0]).toMatchObject({ port: '1', vlan: 1, age: 45 });
    expect(understood(parseOvsFdb(fixture('ovs-appctl', 'ovs-cmp1-fdb-br-tun.txt')))).toEqual([]);
    expect(
      understood(parseOvsFdb(' port  VLAN  MAC                Age\nLOCAL     0  fa:16:3e:00:00:01  static\n')),
    ).toEqual([{ port: 'LOCAL', vlan: 0, mac: 'fa:16:3e:00:00:01' }]);
  });

  test('no input makes them throw', () => {
    const samples = fixtures('ovs-appctl').map(({ text }) => text);
    expectNeverThrows(parseDatapaths, samples);
    expectNeverThrows(parseOvsFdb, samples);
  });
});
