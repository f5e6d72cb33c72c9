import type { Bundle } from '../../src/bundle/open.ts';
import { alsoRun, answering, editing, editingOutput, stoppedUnit } from '../support/edit-bundle.ts';
import { editingRows, type Row, setKey } from '../support/edit-ovn.ts';
import { bundleAt } from '../support/replayed.ts';
import type { Case } from './cases.ts';

const healthy = await bundleAt('demo/ovn-healthy.tgz');
const northdStopped = await bundleAt('demo/ovn-northd-stopped.tgz');
const geneveLost = await bundleAt('demo/ovn-geneve-lost.tgz');
const chassisName = await bundleAt('test/fixtures/bundles/ovn-chassis-name.tgz');

/** Of the hosts of the recording: where the instance runs, where its router's gateway is, where OVN's databases are. */
const compute = 'cmp1';
const gateway = 'net1';
const central = 'ctl';
const underlay = '198.18.1.20';
const remote = 'tcp:198.18.0.10:6642';

/** Without the processes that `args` matches. */
const withoutProcess = (bundle: Bundle, host: string, args: RegExp): Bundle =>
  editingOutput(bundle, host, 'ps -ww -eo', (stdout) =>
    stdout
      .split('\n')
      .filter((line) => !args.test(line))
      .join('\n'),
  );

/** As `ps` prints the state of a process that SIGSTOP holds. */
const held = (bundle: Bundle, host: string, args: RegExp): Bundle =>
  editingOutput(bundle, host, 'ps -ww -eo pid,stat,args', (stdout) =>
    stdout
      .split('\n')
      .map((line) => (args.test(line) ? line.replace(/^(\s*\d+ )\S/, '$1T') : line))
      .join('\n'),
  );

/** A daemon whose control socket answers nobody. */
const mute = (bundle: Bundle, host: string, daemon: string): Bundle =>
  editingOutput(bundle, host, `-t ${daemon}`, () => '', 1);

const deadAgent = (bundle: Bundle, binary: string, host: string): Bundle =>
  editing(bundle, '/v2.0/agents', (body) => {
    for (const agent of body.agents) if (agent.binary === binary && agent.host === host) agent.alive = false;
  });

/** The settings of a node's Open vSwitch, with one of them changed. */
const setting = (bundle: Bundle, host: string, key: string, value: string): Bundle =>
  editingRows(bundle, 'ovs-vsctl', 'Open_vSwitch', (rows) => rows.map((row) => set(row, key, value)), host);

function set(row: Row, key: string, value: string): Row {
  setKey(row, 'external_ids', key, value);
  return row;
}

const systemId = (host: string): string => {
  let found = '';
  editingRows(healthy, 'ovn-sbctl', 'Chassis', (rows) => {
    found = rows.find((row) => row.hostname === host)?.name ?? '';
    return rows;
  });
  return found;
};

/** A database, looked at again after some seconds (as `sleep` before the same call): `words` are all that was asked. */
function lookedAgain(bundle: Bundle, tool: 'ovn-nbctl' | 'ovn-sbctl', words: string, seconds: number): Bundle {
  const first = bundle.hosts
    .get(central)
    ?.commands.find(({ argv }) => argv.includes(tool) && argv.join(' ').endsWith(`--format=json -- ${words}`));
  if (first === undefined) throw new Error(`nothing on ${central} was asked by ${words}`);
  const argv = ['sh', '-c', 'sleep "$0"; exec "$@"', String(seconds), ...first.argv];
  return answering(bundle, central, { ...first, argv, round: 'again' });
}

const allChassis = 'find SB_Global -- find Chassis -- find Encap -- find Chassis_Private -- find Connection';

/** A chassis that has not answered the last change, at either look. */
const late = (bundle: Bundle, host: string): Bundle =>
  lookedAgain(
    editingRows(bundle, 'ovn-sbctl', 'Chassis_Private', (rows) => {
      for (const row of rows) if (row.name === systemId(host)) row.nb_cfg -= 3;
      return rows;
    }),
    'ovn-sbctl',
    allChassis,
    4,
  );

/** What ovn-controller wrote last. */
const logging = (bundle: Bundle, host: string, ...lines: readonly string[]): Bundle =>
  alsoRun(
    bundle,
    host,
    {
      argv: [
        'sh',
        '-c',
        'for f in "$@"; do [ -r "$f" ] && tail -c 65536 -- "$f" | tail -n 200; done; true',
        'sh',
        '/var/log/ovn/ovn-controller.log',
        '/var/log/openvswitch/ovn-controller.log',
      ],
    },
    { code: 0, stdout: lines.map((line) => `${line}\n`).join('') },
  );

const refused = [
  `2026-11-21T17:13:21.002Z|00031|reconnect|INFO|${remote}: connecting...`,
  `2026-11-21T17:13:21.003Z|00032|reconnect|INFO|${remote}: connection attempt failed (Connection refused)`,
];

const disconnected = (bundle: Bundle, host: string): Bundle =>
  editingOutput(bundle, host, 'ovn-controller connection-status', () => 'not connected\n');

/** What ping prints when nobody answers (iputils, ping). */
const unanswered = (stdout: string): string => {
  const [first = ''] = stdout.split('\n');
  const to = first.split(' ')[1] ?? '';
  return `${first}\n\n--- ${to} ping statistics ---\n5 packets transmitted, 0 received, 100% packet loss, time 819ms\n`;
};

/** Nothing passes between two chassis: neither pings nor packets of the tunnel itself. */
const deafUnderlay = (bundle: Bundle): Bundle =>
  (
    [
      [compute, gateway],
      [gateway, compute],
    ] as const
  ).reduce(
    (edited, [host, far]) =>
      uncounted(editingOutput(edited, host, 'ping -n -c 5 -i 0.2 -W 1 -I', unanswered, 1), host, far),
    bundle,
  );

/** The switch counts nothing in at its tunnel port while the far one knocks. */
function uncounted(bundle: Bundle, host: string, far: string): Bundle {
  const words = 'ovs-ofctl --timeout=5 dump-ports br-int';
  const round = `tunnel ${far} ${host}`;
  const there = bundle.hosts.get(host);
  const before = there?.commands.find((c) => c.round === `${round} before`);
  if (there === undefined || before?.outcome.ok !== true) throw new Error(`${host} did not count before ${round}`);
  const { stdout } = before.outcome.value;
  const edited = editingOutput(bundle, host, `${words} ${round} after`, () => stdout);
  return alsoRun(
    edited,
    host,
    { argv: ['sh', '-c', 'sleep "$0"; exec "$@"', '1.5', ...words.split(' ')], round: `${round} later` },
    { code: 0, stdout },
  );
}

/** A tool on the host of the databases that ends with an error. */
function refusing(bundle: Bundle, tool: string, stderr: string): Bundle {
  const there = bundle.hosts.get(central);
  if (there === undefined) throw new Error(`${bundle.file} has no host ${central}`);
  const commands = there.commands.map((ran) =>
    ran.argv[0] === tool && ran.outcome.ok
      ? { ...ran, outcome: { ok: true as const, value: { ...ran.outcome.value, code: 1, stdout: '', stderr } } }
      : ran,
  );
  return { ...bundle, hosts: new Map([...bundle.hosts, [central, { ...there, commands }]]) };
}

/** A host that nobody reaches any more. */
function unreachable(bundle: Bundle, host: string): Bundle {
  const there = bundle.hosts.get(host);
  if (there === undefined) throw new Error(`${bundle.file} has no host ${host}`);
  const failure = {
    kind: 'unreachable',
    host,
    stage: 'tcp',
    detail: 'connect ECONNREFUSED',
    fix: `check that sshd runs on ${host}`,
  } as const;
  return {
    ...bundle,
    hosts: new Map([...bundle.hosts, [host, { ...there, commands: [], unreachable: failure }]]),
  };
}

/** The devices of a node's Open vSwitch that lead to another chassis, edited. */
const editingTunnel = (bundle: Bundle, host: string, far: string, edit: (device: Row) => void): Bundle =>
  editingRows(
    bundle,
    'ovs-vsctl',
    'Interface',
    (rows) => {
      for (const row of rows) if (row.name === `ovn-${systemId(far).slice(0, 6)}-0`) edit(row);
      return rows;
    },
    host,
  );

/** Of a cluster whose other members are gone, as ovsdb-server(1) describes `cluster/status`. */
const alone = `0b4c
Name: OVN_Southbound
Cluster ID: 6b5e (6b5e0a9c-0000-4000-8000-000000000000)
Server ID: 0b4c (0b4c7d0e-0000-4000-8000-000000000000)
Address: tcp:198.18.0.10:6644
Status: cluster member
Role: candidate
Term: 9
Leader: unknown
Vote: self

Servers:
    0b4c (0b4c at tcp:198.18.0.10:6644) (self)
    7f31 (7f31 at tcp:198.18.0.11:6644) last msg 91234 ms ago
`;

/** What only the daemons, databases and tunnels of OVN show. */
export const chassisCases: readonly Case[] = [
  {
    says: 'an ovn-controller that has ended is named by its unit',
    code: 'OSD-OVN-001',
    names: `ovn-controller on ${compute} is inactive`,
    bundle: () =>
      withoutProcess(
        stoppedUnit(mute(healthy, compute, 'ovn-controller'), compute, 'ovn-controller'),
        compute,
        /ovn-controller unix:/,
      ),
  },
  {
    says: 'an ovn-controller that a signal holds is named, though its unit calls it running',
    code: 'OSD-OVN-002',
    names: `agent ovn-controller@${compute}`,
    bundle: () => held(mute(healthy, compute, 'ovn-controller'), compute, /ovn-controller unix:/),
  },
  {
    says: 'a northd that a signal holds is named',
    code: 'OSD-OVN-002',
    names: `agent ovn-northd@${central}`,
    bundle: () => held(mute(healthy, central, 'ovn-northd'), central, /ovn-northd -vconsole/),
  },
  {
    says: 'a chassis that is told another address of the southbound database is named with both',
    code: 'OSD-OVN-003',
    names: `ovn-remote of ${compute} is tcp:198.18.0.99:6642, the southbound database is at ${remote}`,
    bundle: () => setting(disconnected(healthy, compute), compute, 'ovn-remote', 'tcp:198.18.0.99:6642'),
  },
  {
    says: 'a chassis that does not come through to the southbound database is told with what its log says last',
    code: 'OSD-OVN-003',
    names: 'connection attempt failed (Connection timed out)',
    bundle: () =>
      logging(
        disconnected(healthy, compute),
        compute,
        `2026-11-21T17:12:50.002Z|00028|reconnect|INFO|${remote}: connected`,
        `2026-11-21T17:13:21.003Z|00032|reconnect|INFO|${remote}: connection attempt failed (Connection timed out)`,
      ),
  },
  {
    says: 'a chassis that does not answer changes at two looks, and is dead for Neutron, is named',
    code: 'OSD-OVN-004',
    names: `ovn-controller on ${compute} is connected, and does not answer`,
    bundle: () => late(deadAgent(healthy, 'ovn-controller', compute), compute),
  },
  {
    says: 'a metadata agent that does not answer changes is named beside an ovn-controller that does',
    code: 'OSD-OVN-004',
    names: `neutron-ovn-metadata-agent on ${compute} runs, and does not answer`,
    bundle: () =>
      lookedAgain(
        editingRows(
          deadAgent(healthy, 'neutron-ovn-metadata-agent', compute),
          'ovn-sbctl',
          'Chassis_Private',
          (rows) => {
            for (const row of rows)
              if (row.name === systemId(compute)) set(row, 'neutron:ovn-metadata-sb-cfg', String(row.nb_cfg - 3));
            return rows;
          },
        ),
        'ovn-sbctl',
        allChassis,
        4,
      ),
  },
  {
    says: 'a chassis that is dead for Neutron on a node that nobody reaches is told as just that',
    code: 'OSD-OVN-005',
    names: `ovn-controller on ${gateway} is dead for OpenStack; ${gateway} could not be looked at`,
    bundle: () => unreachable(deadAgent(healthy, 'ovn-controller', gateway), gateway),
  },
  {
    says: 'a chassis that waits for a northd of its own version is told with both',
    code: 'OSD-OVN-006',
    names: `ovn-controller on ${compute} is of version 23.03.1 and waits`,
    bundle: () =>
      logging(
        late(setting(healthy, compute, 'ovn-match-northd-version', 'true'), compute),
        compute,
        '2026-11-21T17:13:21.002Z|00031|main|WARN|controller version - 23.03.1-20.27.0-70.6 mismatch with northd version - 23.09.0-20.29.0-73.6',
      ),
  },
  {
    says: 'a northd that is stopped is named while everything goes on as it was',
    code: 'OSD-OVN-007',
    names: `ovn-northd on ${central} is inactive`,
    bundle: () => northdStopped,
  },
  {
    says: 'a northd that is paused is named',
    code: 'OSD-OVN-007',
    names: `ovn-northd on ${central} is paused`,
    bundle: () => editingOutput(healthy, central, 'ovn-northd status', () => 'Status: paused\n'),
  },
  {
    says: 'a database that is stopped is named by its unit',
    code: 'OSD-OVN-008',
    names: `agent ovn-ovsdb-server-nb@${central}`,
    bundle: () =>
      refusing(
        withoutProcess(stoppedUnit(healthy, central, 'ovn-ovsdb-server-nb'), central, /ovnnb_db\.pid/),
        'ovn-nbctl',
        'ovn-nbctl: unix:/var/run/ovn/ovnnb_db.sock: database connection failed (Connection refused)\n',
      ),
  },
  {
    says: 'a northd that carries nothing on at two looks is told with how far it came',
    code: 'OSD-OVN-009',
    names: 'ovn-northd has carried change',
    bundle: () =>
      lookedAgain(
        editingRows(healthy, 'ovn-nbctl', 'NB_Global', (rows) => {
          for (const row of rows) row.sb_cfg -= 4;
          return rows;
        }),
        'ovn-nbctl',
        'find NB_Global',
        3,
      ),
  },
  {
    says: 'a clustered database without a leader is told',
    code: 'OSD-OVN-010',
    names: `${central} is candidate in term 9`,
    bundle: () => editingOutput(healthy, central, 'cluster/status OVN_Southbound', () => alone, 0),
  },
  {
    says: 'a southbound database that takes no writes is told by its listeners',
    code: 'OSD-OVN-011',
    names: 'takes no writes at ptcp:6642:0.0.0.0',
    bundle: () =>
      editingRows(healthy, 'ovn-sbctl', 'Connection', (rows) => rows.map((row) => ({ ...row, read_only: true }))),
  },
  {
    says: 'a host that is no chassis is named',
    code: 'OSD-OVN-012',
    names: `${compute} is no chassis`,
    bundle: () =>
      editingRows(healthy, 'ovn-sbctl', 'Chassis', (rows) => rows.filter((row) => row.hostname !== compute)),
  },
  {
    says: 'a chassis that holds the tunnel address of a host, and keeps it from registering, is named',
    code: 'OSD-OVN-012',
    names: `${compute} cannot register: chassis 0d5e-of-old`,
    bundle: () => {
      const id = systemId(compute);
      const encaps = editingRows(healthy, 'ovn-sbctl', 'Encap', (rows) =>
        rows.map((row) => (row.chassis_name === id ? { ...row, chassis_name: '0d5e-of-old' } : row)),
      );
      return editingRows(encaps, 'ovn-sbctl', 'Chassis', (rows) =>
        rows.map((row) => (row.name === id ? { ...row, name: '0d5e-of-old', hostname: 'cmp0' } : row)),
      );
    },
  },
  {
    says: 'a chassis that is registered under another name than Nova uses is told with both',
    code: 'OSD-OVN-013',
    names: `The chassis of ${compute} is registered as ${compute}.example.org`,
    bundle: () => chassisName,
  },
  {
    says: 'a tunnel address that the node does not have is told',
    code: 'OSD-OVN-014',
    names: `ovn-encap-ip of ${compute} is 198.18.1.99, an address that it does not have`,
    bundle: () =>
      editingRows(setting(healthy, compute, 'ovn-encap-ip', '198.18.1.99'), 'ovn-sbctl', 'Encap', (rows) =>
        rows.map((row) => (row.chassis_name === systemId(compute) ? { ...row, ip: '198.18.1.99' } : row)),
      ),
  },
  {
    says: 'a chassis with another encapsulation than all others is told',
    code: 'OSD-OVN-014',
    names: `${compute} takes part with vxlan, ${gateway} with geneve`,
    bundle: () =>
      editingRows(setting(healthy, compute, 'ovn-encap-type', 'vxlan'), 'ovn-sbctl', 'Encap', (rows) =>
        rows.map((row) => (row.chassis_name === systemId(compute) ? { ...row, type: 'vxlan' } : row)),
      ),
  },
  {
    says: 'a gateway chassis that maps its network to no bridge that exists is told',
    code: 'OSD-OVN-015',
    names: `${gateway} maps physnet1 to br-extern, a bridge that does not exist`,
    bundle: () => setting(healthy, gateway, 'ovn-bridge-mappings', 'physnet1:br-extern'),
  },
  {
    says: 'an ovn-controller that works on another bridge than the instance is in is told',
    code: 'OSD-OVN-016',
    names: `ovn-controller on ${compute} works on br-ovn, while the instance is in br-int`,
    bundle: () => setting(healthy, compute, 'ovn-bridge', 'br-ovn'),
  },
  {
    says: 'a tunnel that leads to another address than the far chassis has is told with both',
    code: 'OSD-OVN-017',
    names: `The tunnel of ${compute} to ${gateway} leads to 198.18.1.77, while ${gateway} is at ${underlay}`,
    bundle: () =>
      editingTunnel(healthy, compute, gateway, (device) => setKey(device, 'options', 'remote_ip', '198.18.1.77')),
  },
  {
    says: 'a tunnel that ovn-controller has not made is told',
    code: 'OSD-OVN-017',
    names: `br-int of ${compute} has no tunnel to ${gateway} (geneve ${underlay})`,
    bundle: () =>
      editingRows(
        healthy,
        'ovs-vsctl',
        'Port',
        (rows) => rows.filter((row) => row.name !== `ovn-${systemId(gateway).slice(0, 6)}-0`),
        compute,
      ),
  },
  {
    says: 'two chassis of which neither ping nor tunnel comes through are told to be apart',
    code: 'OSD-OVN-018',
    names: `tunnel ${compute} ⇄ ${gateway}`,
    bundle: () => deafUnderlay(healthy),
  },
  {
    says: 'packets of a tunnel that are lost though a plain ping passes are told by their way',
    code: 'OSD-OVN-019',
    names: `Geneve packets from ${gateway} do not arrive at ${compute}, though a plain ping passes`,
    bundle: () => geneveLost,
  },
  {
    says: 'an underlay that lets only small packets pass is told with the size',
    code: 'OSD-OVN-020',
    names: `A packet of 1500 bytes does not pass from ${compute} to ${gateway}`,
    bundle: () => editingOutput(healthy, compute, `-M do -s 1472 ${underlay}`, unanswered, 1),
  },
  {
    says: 'a tunnel whose ends do not hear each other is told',
    code: 'OSD-OVN-021',
    names: `BFD of the tunnel from ${compute} to ${gateway} is down`,
    bundle: () => editingTunnel(healthy, compute, gateway, (device) => setKey(device, 'bfd_status', 'state', 'down')),
  },
  {
    says: 'a chassis that a node left behind under its old system-id is named',
    code: 'OSD-OVN-022',
    names: 'and 0d5e-of-old',
    bundle: () =>
      editingRows(healthy, 'ovn-sbctl', 'Chassis', (rows) => [
        ...rows,
        ...rows
          .filter((row) => row.hostname === compute)
          .map((row) => ({
            ...row,
            _uuid: ['uuid', '00000000-0000-4000-8000-00000000001d'],
            name: '0d5e-of-old',
            encaps: ['set', []],
          })),
      ]),
  },
  {
    says: 'a network without its metadata namespace on the chassis is told',
    code: 'OSD-OVN-023',
    names: `${compute} has no namespace ovnmeta-`,
    bundle: () => editingOutput(healthy, compute, 'ip netns list', () => ''),
  },
  {
    says: 'a metadata namespace without the address that instances ask for is told',
    code: 'OSD-OVN-024',
    names: `on ${compute} lacks 169.254.169.254`,
    bundle: () =>
      editingOutput(healthy, compute, 'ovnmeta-', (stdout) => {
        if (!stdout.startsWith('[')) return stdout;
        const links: { addr_info: { local: string }[] }[] = JSON.parse(stdout);
        return JSON.stringify(
          links.map((link) => ({ ...link, addr_info: link.addr_info.filter((a) => a.local !== '169.254.169.254') })),
        );
      }),
  },
  {
    says: 'a southbound database that listens nowhere for the chassis is told with where they look for it',
    code: 'OSD-OVN-025',
    names: `does not listen at ${remote}`,
    bundle: () => {
      const unheard = editingRows(healthy, 'ovn-sbctl', 'Connection', (rows) =>
        rows.filter((row) => row.target !== 'ptcp:6642:0.0.0.0'),
      );
      return [compute, gateway].reduce(
        (bundle, host) => logging(disconnected(bundle, host), host, ...refused),
        unheard,
      );
    },
  },
];
