import { describe, expect, it } from 'vitest';
import controlPlane from '../../../src/checks/ovn/control-plane.ts';
import type { FactResult } from '../../../src/engine/fact.ts';
import { ok } from '../../../src/engine/result.ts';
import type { CentralHost } from '../../../src/facts/ovn/control.ts';
import { parseClusterStatus, parseVlog } from '../../../src/nodes/parse/ovn-appctl.ts';
import type { CentralService } from '../../../src/path/ovn/central.ts';
import { codes, findings, judge, mending, onHosts, registeredAs, row, seen, told, view, viewed } from './stub.ts';

const parts: readonly CentralService[] = ['ovn-northd', 'ovn-ovsdb-server-nb', 'ovn-ovsdb-server-sb'];

const central = (host: string, down: readonly CentralService[] = [], more: Partial<CentralHost> = {}): CentralHost => ({
  host,
  services: parts.map((service) => ({
    state: {
      service,
      unit: service,
      state: down.includes(service) ? ('inactive' as const) : ('active' as const),
      detail: down.includes(service) ? 'inactive (dead)' : 'active (running)',
    },
    restart: ['systemctl', 'restart', service],
  })),
  processes: [],
  northd: told('Status: active', seen(host, 'ovn-appctl', 'status')),
  clusters: new Map(),
  evidence: [seen(host, 'systemctl', 'show')],
  ...more,
});

const progress = (nbCfg: number, sbCfg: number) =>
  told({ nbCfg, nbAt: 0, sbCfg, sbAt: 0, hvCfg: sbCfg, hvAt: 0, options: new Map() });
const way = ok({ host: 'ctl', within: [], options: [] });

const judged = (hosts: readonly CentralHost[], more: Readonly<Record<string, FactResult<unknown>>> = {}) =>
  judge(controlPlane, {
    'port.ovn.central': told({ hosts, unseen: [] }, seen('ctl', 'systemctl', 'show')),
    'port.ovn.databases': told({ nb: way, sb: way, missed: { nb: [], sb: [] }, southByNeutron: undefined }),
    'port.ovn.progress': progress(7, 7),
    'port.ovn.registered': told(registeredAs(row('cmp1'))),
    ...more,
  });

/** A member of a cluster that has lost the others, as ovsdb-server(1) describes `cluster/status`. */
const alone = parseClusterStatus(`0b4c
Name: OVN_Southbound
Cluster ID: 6b5e (6b5e0a9c-0000-4000-8000-000000000000)
Server ID: 0b4c (0b4c7d0e-0000-4000-8000-000000000000)
Address: tcp:192.0.2.11:6644
Status: cluster member
Role: candidate
Term: 9
Leader: unknown
Vote: self

Servers:
    0b4c (0b4c at tcp:192.0.2.11:6644) (self)
    7f31 (7f31 at tcp:192.0.2.12:6644) last msg 91234 ms ago
`);

describe("OVN's control plane", () => {
  it('is well when all runs and northd keeps up', async () => {
    expect((await judged([central('ctl')])).status).toBe('ok');
  });

  it('names northd when it is stopped, and how it is started', async () => {
    const outcome = await judged([central('ctl', ['ovn-northd'])]);
    expect(codes(outcome)).toEqual(['OSD-OVN-007']);
    expect(mending(outcome)).toEqual(['systemctl start ovn-northd']);
  });

  it('lets a stopped northd be where another one runs', async () => {
    expect((await judged([central('ctl1', ['ovn-northd']), central('ctl2')])).status).toBe('ok');
  });

  it('names a paused northd, unless another one is active', async () => {
    const paused = { northd: told('Status: paused', seen('ctl1', 'ovn-appctl', 'status')) };
    const outcome = await judged([central('ctl1', [], paused)]);
    expect(mending(outcome)).toEqual(['ovn-appctl -t ovn-northd resume']);
    expect((await judged([central('ctl1', [], paused), central('ctl2')])).status).toBe('ok');
  });

  it('starts the databases before northd when all three were stopped together', async () => {
    const outcome = await judged([central('ctl', parts)]);
    expect(codes(outcome)).toEqual(['OSD-OVN-008', 'OSD-OVN-008', 'OSD-OVN-007']);
    expect(findings(outcome)[2]?.remedies[0]?.steps.map((s) => s.argv?.at(-1))).toEqual([
      'ovn-ovsdb-server-nb',
      'ovn-ovsdb-server-sb',
      'ovn-northd',
    ]);
  });

  it('is frozen when a signal holds a database', async () => {
    const held = { pid: 2511, state: 'Ts', args: 'ovsdb-server -vconsole:off --pidfile=/var/run/ovn/ovnsb_db.pid' };
    const outcome = await judged([central('ctl', [], { processes: [held] })]);
    expect(codes(outcome)).toEqual(['OSD-OVN-002']);
    expect(mending(outcome)).toEqual(['kill -CONT 2511']);
  });

  it('tells when northd is behind though it runs', async () => {
    expect(codes(await judged([central('ctl')], { 'port.ovn.progress': progress(9, 7) }))).toEqual(['OSD-OVN-009']);
  });

  it('tells when a cluster has no leader', async () => {
    const outcome = await judged([central('ctl', [], { clusters: new Map([['sb', alone]]) })]);
    expect(codes(outcome)).toEqual(['OSD-OVN-010']);
    expect(findings(outcome)[0]?.remedies[0]?.steps[1]?.note).toContain('tcp:192.0.2.12:6644, last heard 91234 ms ago');
  });

  it('tells when the southbound database takes no writes', async () => {
    const closed = { ...registeredAs(row('cmp1')), listeners: [{ target: 'ptcp:6642', readOnly: true }] };
    const outcome = await judged([central('ctl')], { 'port.ovn.registered': told(closed) });
    expect(codes(outcome)).toEqual(['OSD-OVN-011']);
    expect(mending(outcome)).toEqual(['ovn-sbctl set connection . read_only=false']);
  });

  it('tells when the southbound database listens nowhere for the chassis', async () => {
    const away = view('cmp1', { connection: 'not connected' });
    const lines = parseVlog(
      '2026-11-21T15:59:41.003Z|00032|reconnect|INFO|tcp:198.18.0.10:6642: connection attempt failed (Connection refused)\n',
    );
    const facts = {
      'port.ovn.registered': told({ ...registeredAs(row('cmp1')), listeners: [] }),
      'port.ovn.ovn.chassis-view': viewed(away),
      'port.ovn.ovn.controller-trouble': onHosts({ cmp1: told({ lines, log: undefined, strangers: [] }) }),
    };
    const outcome = await judged([central('ctl')], facts);
    expect(codes(outcome)).toEqual(['OSD-OVN-025']);
    expect(mending(outcome)).toEqual(['ovn-sbctl set-connection ptcp:6642:0.0.0.0']);
    const listening = { ...facts, 'port.ovn.registered': told(registeredAs(row('cmp1'))) };
    expect((await judged([central('ctl')], listening)).status).toBe('ok');
  });
});
