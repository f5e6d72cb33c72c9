import type { Cause } from '../../src/engine/diagnosis.ts';
import type { Evidence } from '../../src/engine/evidence.ts';
import type { FactFailure } from '../../src/engine/failure.ts';
import type { Finding } from '../../src/engine/finding.ts';
import type { Matrix, MatrixCell } from '../../src/engine/matrix.ts';
import type { Exclusion, Outcome } from '../../src/engine/outcome.ts';
import type {
  CheckReport,
  DrawnHop,
  DrawnPath,
  RunReport,
  StepReport,
  TargetSummary,
} from '../../src/engine/report.ts';

const startedAt = '2026-11-20T09:00:00.000Z';
const at = '2026-11-20T09:00:02.140Z';
const portId = '5652dd5f-cd1c-4b0e-9d0c-7f1f7a4c2b11';

export const ran = (host: string, argv: readonly string[], excerpt: string, code: number | null = 0): Evidence => ({
  source: { kind: 'command', host, argv, code },
  at,
  excerpt,
});

export const asked = (service: string, path: string, excerpt: string, status = 200): Evidence => ({
  source: { kind: 'api', service, method: 'GET', path, status, requestId: 'req-78f0c2d4-1111-4a5b-8c1d-0123456789ab' },
  at,
  excerpt,
});

const derived = (from: string, excerpt: string): Evidence => ({ source: { kind: 'derived', from }, at, excerpt });

const excluded = (what: string, evidence: Evidence): Exclusion => ({ what, evidence: [evidence] });

const fine = (note: string, evidence: readonly Evidence[] = []): Outcome => ({ status: 'ok', note, evidence });
const problem = (...findings: [Finding, ...Finding[]]): Outcome => ({
  status: 'problem',
  note: findings[0].summary,
  findings,
  evidence: [],
});
const blocked = (...failures: [FactFailure, ...FactFailure[]]): Outcome => ({ status: 'blocked', failures });
const skipped = (reason: string): Outcome => ({ status: 'skipped', reason });

const check = (id: string, title: string, outcome: Outcome, subject = 'web-1'): CheckReport => ({
  id,
  title,
  subject,
  outcome,
});
const step = (id: string, title: string, ...checks: CheckReport[]): StepReport => ({ id, title, checks });

const hop = (label: string, state: DrawnHop['state'], host?: string, join: DrawnHop['join'] = 'local'): DrawnHop => ({
  label,
  state,
  join,
  ...(host === undefined ? {} : { host }),
});

const path = (...states: DrawnHop['state'][]): DrawnPath => ({
  title: 'web-1 to the outside, by 198.19.0.182',
  hops: [
    hop('web-1', states[0] ?? 'ok', 'cmp1', 'start'),
    hop('tap5652dd5f-cd', states[1] ?? 'ok', 'cmp1'),
    hop('brq653e7a42-cc', states[2] ?? 'ok', 'cmp1'),
    hop('vxlan-1021', states[3] ?? 'ok', 'cmp1'),
    hop('vxlan-1021', states[4] ?? 'ok', 'net1', 'underlay'),
    hop('brq653e7a42-cc', states[5] ?? 'ok', 'net1'),
    hop('r1', states[6] ?? 'ok', 'net1'),
    hop('198.19.0.182', states[7] ?? 'ok'),
  ],
});

const dhcpPath: DrawnPath = {
  title: 'web-1 to DHCP on net1',
  hops: [
    hop('web-1', 'ok', 'cmp1', 'start'),
    hop('tap5652dd5f-cd', 'ok', 'cmp1'),
    hop('brq653e7a42-cc', 'ok', 'cmp1'),
    hop('vxlan-1021', 'ok', 'cmp1'),
    hop('vxlan-1021', 'ok', 'net1', 'underlay'),
    hop('qdhcp', 'ok', 'net1'),
  ],
};

const target: TargetSummary = {
  name: 'web-1',
  id: '0b6a2f1e-8a60-4f0f-9f4c-2f0f5f5e9a01',
  status: 'ACTIVE',
  host: 'cmp1',
  project: 'demo',
  addresses: [{ fixed: '10.0.0.148', floating: '198.19.0.182', network: 'private' }],
};

function reportOf(parts: {
  readonly steps: readonly StepReport[];
  readonly paths?: readonly DrawnPath[];
  readonly matrices?: readonly Matrix[];
  readonly causes?: readonly Cause[];
  readonly diagnosis?: Partial<RunReport['diagnosis']>;
  readonly target?: TargetSummary;
  readonly next: string;
  readonly exitCode: RunReport['exitCode'];
  readonly elapsedMs: number;
}): RunReport {
  const counts = { ok: 0, problem: 0, skipped: 0, blocked: 0, unknown: 0 };
  for (const s of parts.steps) for (const c of s.checks) counts[c.outcome.status] += 1;
  return {
    schemaVersion: 1,
    tool: { name: 'ostk-doctor', version: '0.1.0' },
    command: 'net web-1',
    cloud: { name: 'lab', region: 'RegionOne' },
    target: parts.target ?? target,
    startedAt,
    elapsedMs: parts.elapsedMs,
    paths: parts.paths ?? [path(), dhcpPath],
    steps: parts.steps,
    matrices: parts.matrices ?? [],
    diagnosis: {
      causes: parts.causes ?? [],
      remarks: [],
      ruledOut: (parts.diagnosis?.exclusions ?? []).map((e) => e.what),
      exclusions: [],
      couldNotLook: [],
      ...parts.diagnosis,
    },
    counts,
    traffic: { apiRequests: 17, sshConnections: 3, sshChannels: 6, commands: 42 },
    next: parts.next,
    exitCode: parts.exitCode,
  };
}

const linkShow = ran(
  'cmp1',
  ['ip', '-s', '-d', 'link', 'show', 'dev', 'tap5652dd5f-cd'],
  '23: tap5652dd5f-cd: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc fq_codel master brq653e7a42-cc state UNKNOWN',
);

const steps = {
  cloud: step(
    'cloud',
    'cloud',
    check('auth.token', 'the cloud lets us in', fine('admin in project admin')),
    check(
      'auth.services',
      'the services answer',
      fine('keystone, nova, neutron, glance, placement answer (slowest 180 ms)'),
    ),
  ),
  instance: step(
    'instance',
    'instance',
    check(
      'instance.state',
      'the instance runs',
      fine('running, power on, no task, no fault', [
        asked('nova', `/v2.1/servers/${target.id}`, '"status": "ACTIVE", "OS-EXT-STS:power_state": 1'),
      ]),
    ),
    check('instance.fault', 'the instance reports no fault', skipped('it is not in ERROR')),
  ),
  logs: step(
    'logs',
    'logs',
    check(
      'logs.recent',
      'the logs say nothing of it',
      fine('nothing about web-1 in the last hour; 3 other errors on ctl (-v)'),
    ),
  ),
  port: step(
    'port',
    'port',
    check(
      'port.binding',
      'the port is bound',
      fine(`${portId} ACTIVE, bound bridge on cmp1, 10.0.0.148 in 10.0.0.0/24`, [
        asked('neutron', `/v2.0/ports/${portId}`, '"binding:vif_type": "bridge", "status": "ACTIVE"'),
      ]),
    ),
  ),
  agents: step(
    'agents',
    'agents',
    check(
      'agent.alive',
      'the agents are alive',
      fine('L2 cmp1, net1 · DHCP net1 · L3 net1 · metadata net1: all alive, last beat 4 s ago'),
    ),
  ),
  console: step(
    'console',
    'console',
    check('guest.console', 'the guest came up', fine('lease 10.0.0.148, metadata read, finished booting at 8 s')),
  ),
  security: step(
    'security',
    'security',
    check(
      'secgroup.allows',
      'the security groups allow it',
      fine('icmp and tcp/22 from anywhere allowed by group web (and present on cmp1)'),
    ),
  ),
  host: step(
    'host',
    'host',
    check(
      'host.tap',
      'the tap is plugged',
      fine('domain running, tap in its bridge, tunnel to net1 up, 0 drops', [linkShow]),
    ),
  ),
  dhcp: step(
    'dhcp',
    'dhcp',
    check('dhcp.entry', 'dnsmasq knows the port', fine('dnsmasq alive, entry fa:16:3e:1c:90:02 → 10.0.0.148')),
    check('dhcp.v6', 'DHCPv6 serves the port', skipped('no IPv6 subnet')),
  ),
  metadata: step(
    'metadata',
    'metadata',
    check('metadata.answers', 'metadata answers', fine('proxy, agent, nova answer; signature accepted')),
  ),
  router: step(
    'router',
    'router',
    check(
      'router.nat',
      'the floating IP is mapped',
      fine('r1 on net1: qr and qg up, default via 198.19.0.1, floating IP mapped both ways'),
    ),
  ),
  ping: step(
    'ping',
    'ping',
    check(
      'path.ping',
      'pings are answered',
      fine('qdhcp 5/5 0.9 ms · qrouter 5/5 0.8 ms · gateway 5/5 · floating IP 5/5 1.4 ms'),
    ),
  ),
  mtu: step(
    'mtu',
    'mtu',
    check(
      'path.mtu',
      'full-size packets pass',
      fine('1450 fits: underlay 1500 − 50; proven with full-size packets, may-not-fragment'),
    ),
  ),
};

const walk = (changed: Partial<typeof steps>): StepReport[] => Object.values({ ...steps, ...changed });

export const healthy: RunReport = reportOf({
  steps: [
    ...walk({}),
    step('sriov', 'SR-IOV', check('host.vf', 'the VF is configured', skipped('port is not SR-IOV'))),
  ],
  next: 'ostk-doctor replay --last -v',
  exitCode: 0,
  elapsedMs: 3100,
});

const lostPing = (from: string): Finding => ({
  code: 'OSD-PATH-001',
  severity: 'error',
  nature: 'symptom',
  confidence: 'certain',
  summary: `No ping from ${from} to 10.0.0.148 is answered: 0 of 5.`,
  subject: `ping ${from}`,
  scope: { instance: ['web-1'], host: ['cmp1'] },
  evidence: [
    ran(
      'net1',
      [
        'ip',
        'netns',
        'exec',
        'qrouter-653e7a42-cc1c-4b0e-9d0c-7f1f7a4c2b22',
        'ping',
        '-n',
        '-c',
        '5',
        '-i',
        '0.2',
        '-W',
        '1',
        '10.0.0.148',
      ],
      '5 packets transmitted, 0 received, 100% packet loss, time 814ms',
      1,
    ),
  ],
  remedies: [],
  verify: 'ostk-doctor ping web-1',
});

const rule: Finding = {
  code: 'OSD-HOST-014',
  severity: 'error',
  nature: 'cause',
  confidence: 'certain',
  summary: 'A hand-made rule on cmp1 drops ICMP towards web-1',
  subject: 'rule FORWARD 1@cmp1',
  scope: { host: ['cmp1'], port: [portId] },
  evidence: [
    ran(
      'cmp1',
      ['iptables', '-t', 'filter', '-c', '-S', 'FORWARD'],
      '-A FORWARD -p icmp -m physdev --physdev-out tap5652dd5f-cd --physdev-is-bridged -c 5 420 -j DROP\ncounter rose 0 → 5 for the 5 packets sent, twice; no rule of Neutron looks like it',
    ),
  ],
  remedies: [
    {
      title: 'Delete the rule, after asking who made it.',
      risk: 'reversible',
      sufficient: true,
      steps: [
        {
          where: { kind: 'host', host: 'cmp1' },
          argv: [
            'iptables',
            '-D',
            'FORWARD',
            '-p',
            'icmp',
            '-m',
            'physdev',
            '--physdev-is-bridged',
            '--physdev-out',
            'tap5652dd5f-cd',
            '-j',
            'DROP',
          ],
        },
      ],
    },
  ],
  verify: 'ostk-doctor ping web-1',
};

const pinged = (received: number, to: string): MatrixCell => ({
  state: received === 0 ? 'lost' : received < 5 ? 'partly' : 'ok',
  sent: 5,
  received,
  evidence: ran(
    'net1',
    ['ip', 'netns', 'exec', 'qdhcp-653e7a42', 'ping', '-c', '5', to],
    `5 packets transmitted, ${received} received`,
  ),
});
const unasked = (because: string): MatrixCell => ({ state: 'not-asked', because });

/** One neighbour answers on the same host, one loses packets on another, one network is asked from the router alone. */
export const around: Matrix = {
  title: 'web-1 10.0.0.148',
  sources: [
    { kind: 'qdhcp', name: 'qdhcp', host: 'net1' },
    { kind: 'qrouter', name: 'r1', host: 'net1' },
    { kind: 'operator', name: 'here', host: 'here' },
  ],
  rows: [
    {
      kind: 'this-instance',
      name: 'web-1',
      address: '10.0.0.148',
      host: 'cmp1',
      cells: [pinged(0, '10.0.0.148'), pinged(0, '10.0.0.148'), unasked('not reached from here without a router')],
    },
    {
      kind: 'same-host',
      name: 'web-2',
      address: '10.0.0.31',
      host: 'cmp1',
      cells: [pinged(5, '10.0.0.31'), pinged(5, '10.0.0.31'), unasked('not reached from here without a router')],
    },
    {
      kind: 'other-host',
      name: 'db-1',
      address: '10.0.0.7',
      host: 'cmp2',
      cells: [pinged(3, '10.0.0.7'), pinged(5, '10.0.0.7'), unasked('not reached from here without a router')],
    },
    {
      kind: 'other-network',
      name: 'app-1',
      address: '10.1.0.9',
      host: 'cmp1',
      cells: [unasked('not in its network'), pinged(5, '10.1.0.9'), unasked('not reached from here without a router')],
    },
    {
      kind: 'dhcp',
      name: 'DHCP',
      address: '10.0.0.2',
      host: 'net1',
      cells: [unasked('its own address'), unasked('its own address'), unasked('not asked from there')],
    },
    {
      kind: 'floating-ip',
      name: 'web-1',
      address: '198.19.0.182',
      cells: [unasked('not asked from there'), unasked('not asked from there'), pinged(0, '198.19.0.182')],
    },
  ],
  reading: 'web-1 does not answer qdhcp on net1 and r1 on net1, web-2 on cmp1 answers',
};

const pings = [lostPing('qdhcp'), lostPing('qrouter'), lostPing('floating IP')] as const;

export const handMadeRule: RunReport = reportOf({
  steps: walk({
    host: step(
      'host',
      'host',
      check('host.tap', 'the tap is plugged', fine('domain running, tap in its bridge')),
      check('host.rules', 'nothing on the host drops it', problem(rule)),
    ),
    ping: step('ping', 'ping', check('path.ping', 'pings are answered', problem(...pings))),
  }),
  paths: [path('ok', 'problem'), dhcpPath],
  matrices: [around],
  causes: [{ finding: rule, explains: [...pings] }],
  diagnosis: {
    exclusions: [
      excluded(
        'security group',
        asked('neutron', '/v2.0/security-groups?id=e4465c0f', 'icmp from anywhere allowed by group web'),
      ),
      excluded(
        'binding',
        asked('neutron', `/v2.0/ports/${portId}`, '"binding:vif_type": "bridge", "binding:host_id": "cmp1"'),
      ),
      excluded(
        'tunnel cmp1 ⇄ net1 (other traffic passes)',
        ran('cmp1', ['ip', '-s', 'link', 'show', 'vxlan-1021'], 'vxlan-1021: tx +20, rx +20'),
      ),
      excluded(
        'ARP (resolved)',
        ran('net1', ['ip', '-n', 'qdhcp', 'neigh', 'show'], '10.0.0.148 lladdr fa:16:3e:1c:90:02 REACHABLE'),
      ),
      excluded('MTU', asked('neutron', '/v2.0/networks/653e7a42', '"mtu": 1450')),
    ],
  },
  next: 'ostk-doctor explain OSD-HOST-014',
  exitCode: 1,
  elapsedMs: 4000,
});

const nobody: Finding = {
  code: 'OSD-PATH-002',
  severity: 'error',
  nature: 'symptom',
  confidence: 'certain',
  summary: "Packets from net1 reach cmp1's eth1 (5 of 5, vni 1021) and never come out of vxlan-1021.",
  subject: 'path net1 cmp1',
  scope: { host: ['cmp1'], link: ['eth1 vxlan-1021'] },
  evidence: [
    ran('cmp1', ['tcpdump', '-nn', '-i', 'eth1', '-c', '5', 'udp port 8472'], '5 packets captured, vni 1021'),
    ran('cmp1', ['tcpdump', '-nn', '-i', 'vxlan-1021', '-c', '5', 'icmp'], '0 packets captured', null),
  ],
  remedies: [
    {
      title: 'See what the tunnel device knows and where the kernel drops.',
      risk: 'none',
      sufficient: false,
      steps: [
        { where: { kind: 'host', host: 'cmp1' }, argv: ['bridge', 'fdb', 'show', 'dev', 'vxlan-1021'] },
        { where: { kind: 'host', host: 'cmp1' }, argv: ['ip', '-d', 'link', 'show', 'vxlan-1021'] },
        {
          where: { kind: 'host', host: 'cmp1' },
          note: 'Shows the kernel function that frees the packets; stop it with Ctrl-C.',
          argv: ['dropwatch', '-l', 'kas'],
        },
      ],
    },
  ],
  verify: 'ostk-doctor trace web-1',
};

export const localised: RunReport = reportOf({
  steps: walk({
    ping: step('ping', 'ping', check('path.ping', 'pings are answered', problem(nobody, lostPing('qrouter')))),
  }),
  paths: [path('unseen', 'unseen', 'unseen', 'problem')],
  causes: [{ finding: nobody, explains: [lostPing('qrouter')] }],
  diagnosis: {
    exclusions: [
      excluded('firewall rules (no counter moved)', ran('cmp1', ['iptables-save', '-c'], '12 rules, none rose')),
      excluded('wrong VNI', ran('cmp1', ['ip', '-d', 'link', 'show', 'vxlan-1021'], 'vxlan id 1021')),
      excluded('MTU', asked('neutron', '/v2.0/networks/653e7a42', '"mtu": 1450')),
      excluded('checksum errors (nstat: 0)', ran('cmp1', ['nstat', '-az'], 'UdpInCsumErrors 0')),
    ],
  },
  next: 'ostk-doctor trace web-1 --allow capture',
  exitCode: 1,
  elapsedMs: 9300,
});

const noKey: FactFailure = {
  kind: 'unreachable',
  host: 'cmp1',
  stage: 'host-key',
  detail:
    'no key of cmp1 in ~/.ssh/known_hosts (it offers ssh-ed25519 SHA256:Jw1v0mJ8oTqIuGk1d3bB7ZkD6b0Y1hJcQb7qk3yq0aE)',
  fix: 'ssh-keyscan -t ed25519 cmp1 >> ~/.ssh/known_hosts   # after comparing the fingerprint',
};
const noSudo: FactFailure = {
  kind: 'sudo',
  host: 'net1',
  detail: 'sudo: a password is required',
  fix: 'allow it in sudoers, or --user root',
};

export const blockedHost: RunReport = reportOf({
  steps: walk({
    host: step(
      'host',
      'host',
      check('host.tap', 'the tap is plugged', blocked(noKey)),
      check('host.domain', 'the domain runs', blocked(noKey)),
      check('host.rules', 'nothing on the host drops it', blocked(noKey)),
    ),
    security: step(
      'security',
      'security',
      check(
        'secgroup.allows',
        'the security groups allow it',
        fine('icmp and tcp/22 from anywhere allowed by group web'),
      ),
      check('secgroup.present', 'the rules are on the host', blocked(noKey)),
    ),
    router: step('router', 'router', check('router.nat', 'the floating IP is mapped', blocked(noSudo))),
  }),
  paths: [path('unseen', 'blocked', 'blocked', 'blocked')],
  diagnosis: {
    couldNotLook: [
      { what: 'the tap is plugged', failure: noKey },
      { what: 'the domain runs', failure: noKey },
      { what: 'the floating IP is mapped', failure: noSudo },
      {
        what: 'nova-compute is up',
        failure: { kind: 'forbidden', what: 'GET /v2.1/os-services', need: 'admin, or reader on system scope' },
      },
    ],
  },
  next: 'ostk-doctor nodes check',
  exitCode: 3,
  elapsedMs: 5400,
});

const rabbit: Finding = {
  code: 'OSD-AGENT-003',
  severity: 'error',
  nature: 'cause',
  confidence: 'certain',
  summary: "cmp1's L2 agent cannot reach RabbitMQ; Neutron thinks it dead, and web-1's new rules never arrive.",
  subject: 'agent neutron-linuxbridge-agent@cmp1',
  scope: { host: ['cmp1'], agent: ['neutron-linuxbridge-agent@cmp1'] },
  evidence: [
    asked('neutron', '/v2.0/agents?host=cmp1', '"alive": false, last beat 6 min ago'),
    ran('cmp1', ['systemctl', 'show', 'neutron-linuxbridge-agent', '-p', 'ActiveState'], 'ActiveState=active, for 2 h'),
    ran(
      'cmp1',
      ['tail', '-n', '400', '/var/log/neutron/neutron-linuxbridge-agent.log'],
      '41 × "ctl:5672 is unreachable: timed out", last 12 s ago',
    ),
    derived('one TCP connect from each node', 'cmp1 → ctl:5672 no answer in 2 s; net1 → ctl:5672 connects in 1 ms'),
  ],
  remedies: [
    {
      title: 'Find what stops cmp1 → ctl:5672; only cmp1 is cut off.',
      risk: 'none',
      sufficient: false,
      steps: [
        { where: { kind: 'host', host: 'cmp1' }, argv: ['iptables', '-S', 'OUTPUT'] },
        { where: { kind: 'host', host: 'ctl' }, argv: ['ss', '-ltn', 'sport = :5672'] },
      ],
    },
  ],
  verify: 'ostk-doctor agents --host cmp1',
};

const routerDown: Finding = {
  code: 'OSD-ROUTER-002',
  severity: 'error',
  nature: 'cause',
  confidence: 'likely',
  summary: 'Router r1 is switched off (admin_state_up is false), so 198.19.0.182 leads nowhere.',
  subject: 'router r1',
  scope: { router: ['r1'] },
  evidence: [asked('neutron', '/v2.0/routers/9c1d7a52-6c1f-4a52-8d0c-7f1f7a4c2b33', '"admin_state_up": false')],
  remedies: [
    {
      title: 'Switch the router on.',
      risk: 'reversible',
      sufficient: true,
      steps: [{ where: { kind: 'operator' }, argv: ['openstack', 'router', 'set', '--enable', 'r1'] }],
    },
  ],
  verify: 'ostk-doctor ping web-1',
};

const clock: Finding = {
  code: 'OSD-HOST-031',
  severity: 'warning',
  nature: 'cause',
  confidence: 'certain',
  summary: 'The clock of net1 is 41 s behind that of ctl; agents look dead when it grows to 75 s.',
  subject: 'clock net1',
  scope: { host: ['net1'] },
  evidence: [ran('net1', ['date', '+%s'], '1763629159')],
  remedies: [],
  verify: 'ostk-doctor net web-1',
};
const noQos: Finding = {
  ...clock,
  code: 'OSD-PORT-021',
  severity: 'info',
  summary: 'The port has no QoS policy; its network has.',
};

const missingRule: Finding = {
  ...lostPing('anywhere'),
  code: 'OSD-SG-004',
  summary: 'Security group rule 4f1c (tcp/443) is missing on cmp1.',
};

export const twoCauses: RunReport = reportOf({
  steps: walk({
    agents: step('agents', 'agents', check('agent.alive', 'the agents are alive', problem(rabbit))),
    security: step(
      'security',
      'security',
      check('secgroup.present', 'the rules are on the host', problem(missingRule)),
    ),
    router: step('router', 'router', check('router.up', 'the router is up', problem(routerDown))),
    host: step(
      'host',
      'host',
      check('host.tap', 'the tap is plugged', fine('domain running, tap in its bridge')),
      check('host.clock', 'clocks agree', problem(clock)),
    ),
  }),
  paths: [path('ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'problem', 'unseen')],
  causes: [
    { finding: rabbit, explains: [missingRule] },
    { finding: routerDown, explains: [] },
  ],
  diagnosis: {
    remarks: [clock, noQos],
    couldNotLook: [{ what: 'the log of nova-compute says nothing of it', failure: noSudo }],
  },
  next: 'ostk-doctor explain OSD-AGENT-003',
  exitCode: 1,
  elapsedMs: 6200,
});

const evilName = 'web\u001b[2J\u001b[31m-1\u202e\u0007\u200b 数据库';

export const hostile: RunReport = reportOf({
  target: { ...target, name: evilName, status: 'ACTIVE\r\nCAUSE   nothing is wrong' },
  steps: walk({
    instance: step(
      'instance',
      '\u001b]0;owned\u0007instance',
      check('instance.state', 'runs', fine(`${evilName} runs\u001b[1A\u001b[2K`)),
    ),
    console: step(
      'console',
      'console',
      check('guest.console', 'the guest came up', {
        status: 'unknown',
        error: 'TypeError: \u009b31mno\n    at judge (file.ts:1:1)',
      }),
    ),
    host: step(
      'host',
      'host',
      check(
        'host.rules',
        'nothing drops it',
        problem({
          ...rule,
          summary: `A rule drops packets to ${evilName}.`,
          evidence: [
            ran(
              'cmp1',
              ['virsh', 'dominfo', evilName],
              'Name: \u001b]8;;http://evil/\u0007click\u001b]8;;\u0007\rState: fine',
            ),
          ],
          remedies: [
            {
              title: 'Look',
              risk: 'none',
              sufficient: false,
              steps: [{ where: { kind: 'host', host: 'cmp1' }, argv: ['virsh', 'dominfo', evilName] }],
            },
          ],
        }),
      ),
    ),
  }),
  paths: [{ title: evilName, hops: [hop(evilName, 'ok', 'cmp1', 'start'), hop('tap5652dd5f-cd', 'problem', 'cmp1')] }],
  matrices: [
    {
      ...around,
      title: evilName,
      rows: around.rows.map((r) => ({ ...r, name: evilName, host: evilName })),
      reading: evilName,
    },
  ],
  causes: [
    {
      finding: {
        ...rule,
        summary: `A rule drops packets to ${evilName}.`,
        evidence: [
          ran(
            'cmp1',
            ['virsh', 'dominfo', evilName],
            'Name: \u001b]8;;http://evil/\u0007click\u001b]8;;\u0007\rState: fine',
          ),
        ],
        remedies: [
          {
            title: 'Look',
            risk: 'none',
            sufficient: false,
            steps: [{ where: { kind: 'host', host: 'cmp1' }, argv: ['virsh', 'dominfo', evilName] }],
          },
        ],
        verify: `ostk-doctor net ${evilName}`,
      },
      explains: [],
    },
  ],
  diagnosis: {
    exclusions: [excluded(evilName, ran(evilName, ['virsh', 'list'], evilName))],
    couldNotLook: [{ what: evilName, failure: { ...noSudo, fix: `sudo \u001b[31m${evilName}` } }],
  },
  next: `ostk-doctor net ${evilName}`,
  exitCode: 1,
  elapsedMs: 1200,
});

export const samples = { healthy, handMadeRule, localised, blockedHost, twoCauses, hostile } as const;
