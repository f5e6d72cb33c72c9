import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseVlog } from '../../../src/nodes/parse/ovn-appctl.ts';
import { type OvsdbRow, parseOvsdbTables } from '../../../src/nodes/parse/ovsdb.ts';
import { northOf, remotesOf, tlsOfArgs, tlsOptions, wordsOfIni } from '../../../src/path/ovn/connection.ts';
import { shareZone, tunnelEnds } from '../../../src/path/ovn/encap.ts';
import {
  datapathOf,
  dhcpOptionsOf,
  natOf,
  portBindingOf,
  progressOf,
  switchOf,
  switchPortOf,
} from '../../../src/path/ovn/rows.ts';
import { row } from '../../checks/ovn/stub.ts';

const tables = (name: string): readonly (readonly OvsdbRow[])[] => {
  const text = readFileSync(new URL(`../../fixtures/ovn/db/${name}`, import.meta.url), 'utf8');
  const parsed = parseOvsdbTables(name, text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
};
const web1 = '608a92c3-83a9-4d8f-8e60-734e7cc7c0c3';

describe('rows of the northbound database', () => {
  const [globals, ports, switches, localnets, nats, , dhcp] = tables('nb-port.txt');

  it('come one table per command, empty ones too', () => {
    expect(tables('nb-port.txt')).toHaveLength(7);
  });

  it('are a port with its MAC, address, options and DHCP', () => {
    const [port] = (ports ?? []).map(switchPortOf);
    expect(port).toMatchObject({ name: web1, type: '', enabled: true, up: true });
    expect(port?.addresses).toEqual(['fa:16:3e:28:ae:76 10.0.0.148']);
    expect(port?.options.get('requested-chassis')).toBe('cmp1');
    expect((dhcp ?? []).map(dhcpOptionsOf).map((d) => d.uuid)).toContain(port?.dhcpv4);
    expect(port).not.toHaveProperty('tag');
    expect((switches ?? []).map(switchOf)[0]?.ports).toContain(port?.uuid);
  });

  it('leave out what is not set', () => {
    const [localnet] = (localnets ?? []).map(switchPortOf);
    expect(localnet?.options.get('network_name')).toBe('physnet1');
    expect(localnet).not.toHaveProperty('enabled');
  });

  it('are a translation with its two addresses', () => {
    const floating = (nats ?? []).map(natOf).find((n) => n.logicalPort === web1);
    expect(floating).toMatchObject({ type: 'dnat_and_snat', logicalIp: '10.0.0.148', logicalPort: web1 });
  });

  it('are the progress of changes; none where the row is missing', () => {
    const progress = progressOf(globals?.[0]);
    expect(progress.sbCfg).toBe(progress.nbCfg);
    expect(progress.nbAt).toBeGreaterThan(Date.parse('2026-01-01'));
    expect(progressOf(undefined)).toMatchObject({ nbCfg: 0, sbAt: 0 });
  });
});

describe('rows of the southbound database', () => {
  const [own, redirects, datapaths] = tables('sb-bindings.txt');

  it('are a binding on its chassis, of a datapath that is a switch', () => {
    const [binding] = (own ?? []).map(portBindingOf);
    expect(binding).toMatchObject({ logicalPort: web1, type: '', up: true });
    const datapath = (datapaths ?? []).map(datapathOf).find((d) => d.uuid === binding?.datapath);
    expect(datapath?.of.kind).toBe('switch');
    expect(datapath?.tunnelKey).toBe(2);
  });

  it('are the gateway port of a router where it is held', () => {
    const [redirect] = (redirects ?? []).map(portBindingOf);
    expect(redirect?.logicalPort).toMatch(/^cr-lrp-/);
    expect(redirect?.options.get('distributed-port')).toBe(redirect?.logicalPort.slice('cr-'.length));
  });
});

describe('the way to a database', () => {
  it('shows certificates only where a remote asks for them', () => {
    const tls = { key: '/k', certificate: '/c', authority: '/a' };
    expect(tlsOptions('tcp:192.0.2.1:6642', tls)).toEqual([]);
    expect(tlsOptions('ssl:192.0.2.1:6642,ssl:192.0.2.2:6642', tls)).toEqual(['-p', '/k', '-c', '/c', '-C', '/a']);
    expect(tlsOptions('ssl:192.0.2.1:6642', undefined)).toEqual([]);
  });

  it('to the NB leads to the hosts of the SB, each of a cluster', () => {
    expect(northOf('ssl:192.0.2.1:6642,ssl:[2001:db8::1]:6642')).toBe('ssl:192.0.2.1:6641,ssl:[2001:db8::1]:6641');
  });

  it('is told by remotes with addresses of both families; sockets have none', () => {
    expect(remotesOf('tcp:192.0.2.1:6642, ssl:[2001:db8::1]:16642,unix:/run/ovn/ovnsb_db.sock')).toEqual([
      { address: '192.0.2.1', port: 6642 },
      { address: '2001:db8::1', port: 16642 },
    ]);
  });

  it('is read from files, the last word of a key counts', () => {
    const words = wordsOfIni('ovn_nb_connection = tcp:192.0.2.1:6641\novn_nb_connection=ssl:192.0.2.9:6641\nempty =\n');
    expect([...words]).toEqual([['ovn_nb_connection', 'ssl:192.0.2.9:6641']]);
  });

  it('is read from what ovn-controller was started with', () => {
    const args =
      'ovn-controller unix:/run/db.sock --private-key=/e/key.pem --certificate=/e/cert.pem --ca-cert=/e/ca.pem';
    expect(tlsOfArgs(args)).toEqual({ key: '/e/key.pem', certificate: '/e/cert.pem', authority: '/e/ca.pem' });
    expect(tlsOfArgs('ovn-controller unix:/run/db.sock -vconsole:emer')).toBeUndefined();
  });
});

describe('two chassis', () => {
  const both = (ip: string) => ({
    encaps: ['vxlan', 'geneve'].map((type) => ({ type, ip, options: new Map() })),
  });

  it('make the better tunnel of those that both know', () => {
    expect(tunnelEnds(row('cmp1', both('192.0.2.1')), row('net1', both('192.0.2.2')))?.a.type).toBe('geneve');
    const only = row('net1', { encaps: [{ type: 'vxlan', ip: '192.0.2.2', options: new Map() }] });
    expect(tunnelEnds(row('cmp1', both('192.0.2.1')), only)?.b).toMatchObject({ type: 'vxlan', ip: '192.0.2.2' });
    expect(tunnelEnds(row('cmp1'), only)).toBeUndefined();
  });

  it('share a zone, or are both in none', () => {
    const zone = (...transportZones: string[]) => row('cmp1', { transportZones });
    expect(shareZone(zone(), zone())).toBe(true);
    expect(shareZone(zone('a', 'b'), zone('b'))).toBe(true);
    expect(shareZone(zone('a'), zone())).toBe(false);
    expect(shareZone(zone('a'), zone('b'))).toBe(false);
  });
});

describe('the log of ovn-controller', () => {
  it('is read line by line, with what was said of connections and versions', () => {
    const text = readFileSync(new URL('../../fixtures/ovn/db/ovn-controller.log', import.meta.url), 'utf8');
    const lines = parseVlog(`${text}not a line of a log\n`);
    expect(lines).toHaveLength(6);
    expect(lines[0]).toMatchObject({ module: 'reconnect', level: 'WARN' });
    expect(lines[0]?.message).toBe('tcp:198.18.0.10:6642: connection dropped (Connection reset by peer)');
    expect(lines.at(-1)?.message).toContain('mismatch with northd version');
  });
});
