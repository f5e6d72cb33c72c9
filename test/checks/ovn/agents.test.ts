import { describe, expect, it } from 'vitest';
import agents from '../../../src/checks/ovn/agents.ts';
import type { FactResult } from '../../../src/engine/fact.ts';
import { err } from '../../../src/engine/result.ts';
import type { Agent } from '../../../src/facts/schemas/network.ts';
import type { ServiceState } from '../../../src/nodes/layouts/layout.ts';
import { parseVlog } from '../../../src/nodes/parse/ovn-appctl.ts';
import {
  codes,
  findings,
  hosts,
  judge,
  mending,
  onHosts,
  registeredAs,
  row,
  seen,
  told,
  view,
  viewed,
} from './stub.ts';

const running: readonly ServiceState[] = (
  ['ovsdb-server', 'ovs-vswitchd', 'ovn-controller', 'neutron-ovn-metadata-agent'] as const
).map((service) => ({ service, unit: service, state: 'active', detail: 'active (running)' }));

const stopped = (service: string): readonly ServiceState[] =>
  running.map((s) => (s.service === service ? { ...s, state: 'inactive', detail: 'inactive (dead)' } : s));

/** `ps -ww -eo pid,stat,args` of a chassis of the lab. */
const processes = [
  { pid: 129, state: 'S<s', args: 'ovsdb-server /etc/openvswitch/conf.db -vconsole:emer -vsyslog:err' },
  { pid: 178, state: 'S<Lsl', args: 'ovs-vswitchd unix:/var/run/openvswitch/db.sock -vconsole:emer' },
  { pid: 305, state: 'Ss', args: 'neutron-ovn-metadata-agent (/usr/bin/python3 /usr/bin/neutron-ovn-metadata-agent)' },
  { pid: 2986, state: 'S<sl', args: 'ovn-controller unix:/var/run/openvswitch/db.sock -vconsole:emer' },
];

const agent = (binary: string, host: string, alive: boolean): Agent => ({
  id: `${binary} ${host}`,
  agent_type: 'OVN agent',
  binary,
  host,
  alive,
  admin_state_up: true,
  heartbeat_timestamp: '2026-11-21 15:59:50',
});
const list = (alive = true): readonly Agent[] => [
  agent('ovn-controller', 'cmp1', alive),
  agent('neutron-ovn-metadata-agent', 'cmp1', alive),
  agent('ovn-controller', 'net1', alive),
];

const well: Readonly<Record<string, FactResult<unknown>>> = {
  'port.ovn.hosts': told(hosts),
  'port.agents': told(list()),
  'port.ovn.host.services': onHosts({ cmp1: told(running), net1: told(running) }),
  'port.ovn.host.process-states': onHosts({ cmp1: told(processes), net1: told(processes) }),
  'port.ovn.ovn.chassis-view': viewed(view('cmp1'), view('net1')),
  'port.ovn.chassis-again': told(registeredAs(row('cmp1', { metadataCfg: 5 }), row('net1'))),
  'port.ovn.neutron-remote': told('tcp:198.18.0.10:6642'),
};
const judged = (more: Readonly<Record<string, FactResult<unknown>>>) => judge(agents, { ...well, ...more });
const without = (pid: number) => processes.filter((p) => p.pid !== pid);

describe('the daemons of a chassis', () => {
  it('say nothing when all run, are connected and up to date', async () => {
    expect((await judged({})).status).toBe('ok');
  });

  it('are called neither dead nor late by what the API says alone', async () => {
    expect((await judged({ 'port.agents': told(list(false)) })).status).toBe('ok');
  });

  it('are named when one has ended, though the API still calls it alive', async () => {
    const outcome = await judged({
      'port.ovn.host.services': onHosts({ cmp1: told(stopped('ovn-controller')), net1: told(running) }),
      'port.ovn.host.process-states': onHosts({ cmp1: told(without(2986)), net1: told(processes) }),
    });
    expect(codes(outcome)).toEqual(['OSD-OVN-001']);
    expect(mending(outcome)).toEqual(['systemctl restart ovn-controller']);
  });

  it('run when their process is there, whatever their unit says', async () => {
    const outcome = await judged({
      'port.ovn.host.services': onHosts({ cmp1: told(stopped('ovn-controller')), net1: told(running) }),
    });
    expect(outcome.status).toBe('ok');
  });

  it('are frozen when a signal holds their process', async () => {
    const held = processes.map((p) => (p.pid === 2986 ? { ...p, state: 'T<sl' } : p));
    const outcome = await judged({
      'port.ovn.host.process-states': onHosts({ cmp1: told(held), net1: told(processes) }),
      'port.ovn.ovn.chassis-view': viewed({ ...view('cmp1'), connection: undefined }, view('net1')),
    });
    expect(codes(outcome)).toEqual(['OSD-OVN-002']);
    expect(mending(outcome)).toEqual(['kill -CONT 2986']);
  });

  it('are disconnected by a wrong ovn-remote, which is set right', async () => {
    const outcome = await judged({
      'port.ovn.ovn.chassis-view': viewed(
        view('cmp1', { connection: 'not connected', remote: 'tcp:198.18.0.99:6642' }),
        view('net1'),
      ),
    });
    expect(codes(outcome)).toEqual(['OSD-OVN-003']);
    expect(findings(outcome)[0]?.summary).toContain('198.18.0.99');
    expect(mending(outcome)).toEqual(['ovs-vsctl set open_vswitch . external_ids:ovn-remote=tcp:198.18.0.10:6642']);
  });

  it('tell of a lost connection what their log says last', async () => {
    const lines = parseVlog(
      '2026-11-21T15:59:41.002Z|00031|reconnect|INFO|tcp:198.18.0.10:6642: connecting...\n2026-11-21T15:59:41.003Z|00032|reconnect|INFO|tcp:198.18.0.10:6642: connection attempt failed (Connection refused)\n',
    );
    const outcome = await judged({
      'port.ovn.ovn.chassis-view': viewed(view('cmp1', { connection: 'not connected' }), view('net1')),
      'port.ovn.ovn.controller-trouble': onHosts({ cmp1: told({ lines, log: seen('cmp1', 'tail'), strangers: [] }) }),
    });
    expect(findings(outcome)[0]?.summary).toContain('connection attempt failed (Connection refused)');
  });

  it('are refused with a certificate that is good no more', async () => {
    const certificate = {
      file: '/etc/openvswitch/tls/cert.pem',
      until: Date.parse('2026-11-20T12:00:00Z'),
      evidence: seen('cmp1', 'openssl'),
    };
    const lines = parseVlog(
      '2026-11-21T15:59:40.003Z|00031|reconnect|INFO|ssl:198.18.0.10:6643: connected\n2026-11-21T15:59:41.002Z|00032|stream_ssl|WARN|SSL_read: error:0A000415:SSL routines::sslv3 alert certificate expired\n2026-11-21T15:59:41.003Z|00033|reconnect|INFO|ssl:198.18.0.10:6643: connection attempt failed (Protocol error)\n',
    );
    const trouble = { lines, log: seen('cmp1', 'tail'), strangers: [], certificate };
    const outcome = await judged({
      'port.ovn.ovn.chassis-view': viewed(
        view('cmp1', { connection: 'not connected', remote: 'ssl:198.18.0.10:6643' }),
        view('net1'),
      ),
      'port.ovn.chassis-again': told({
        ...registeredAs(row('cmp1'), row('net1')),
        listeners: [
          { target: 'ptcp:6642:0.0.0.0', readOnly: false },
          { target: 'pssl:6643:0.0.0.0', readOnly: false },
        ],
      }),
      'port.ovn.ovn.controller-trouble': onHosts({ cmp1: told(trouble) }),
    });
    expect(findings(outcome)[0]?.summary).toContain(
      '/etc/openvswitch/tls/cert.pem, is good no more since 2026-11-20 12:00',
    );
    expect(
      findings(outcome)[0]
        ?.evidence.map((e) => e.excerpt)
        .join(),
    ).toContain('certificate expired');
    expect(mending(outcome)).toEqual([]);
  });

  it('wait for a northd of their version where they are told to', async () => {
    const lines = parseVlog(
      '2026-11-21T15:59:41.002Z|00031|main|WARN|controller version - 23.03.0-20.27.0-70.6 mismatch with northd version - 23.03.1-20.27.0-70.6\n',
    );
    const outcome = await judged({
      'port.ovn.chassis-again': told(registeredAs(row('cmp1', { nbCfg: 3 }), row('net1'))),
      'port.ovn.ovn.chassis-view': viewed(
        view('cmp1', { settings: new Map([['ovn-match-northd-version', 'true']]), controllerVersion: '23.03.0' }),
        view('net1'),
      ),
      'port.ovn.ovn.controller-trouble': onHosts({ cmp1: told({ lines, log: seen('cmp1', 'tail'), strangers: [] }) }),
    });
    expect(codes(outcome)).toEqual(['OSD-OVN-006']);
  });

  it('are behind when they have not answered a change after the second look, and Neutron calls them dead', async () => {
    const late = { 'port.ovn.chassis-again': told(registeredAs(row('cmp1', { nbCfg: 3 }), row('net1'))) };
    expect((await judged(late)).status).toBe('ok');
    const outcome = await judged({ ...late, 'port.agents': told(list(false)) });
    expect(codes(outcome)).toEqual(['OSD-OVN-004']);
  });

  it('are dead unseen only where the node cannot be looked at', async () => {
    const failure = err({
      kind: 'unreachable',
      host: 'cmp1',
      stage: 'tcp',
      detail: 'refused',
      fix: 'open it',
    } as const);
    const blind = {
      'port.ovn.host.services': onHosts<readonly ServiceState[]>({ cmp1: failure, net1: told(running) }),
      'port.ovn.ovn.chassis-view': viewed(view('net1')),
    };
    expect(codes(await judged({ ...blind, 'port.agents': told(list(false)) }))).toContain('OSD-OVN-005');
    expect((await judged(blind)).status).toBe('blocked');
  });
});
