import type { Bundle } from '../../src/bundle/open.ts';
import { answering, editing, editingOutput, editingServer, healthy, port1 } from '../support/edit-bundle.ts';
import type { Case } from './cases.ts';

const address: string = port1.fixed_ips[0].ip_address;

// biome-ignore lint/suspicious/noExplicitAny: bodies of any API, edited by hand
type Body = any;

/** One more command on a host, with what it printed; `words` finds a command of the recording that it is modelled on. */
/** Another command where one that has these words was run, with this answer. */
function ranLike(
  bundle: Bundle,
  host: string,
  words: string,
  argv: readonly [string, ...string[]],
  stdout: string,
  code = 0,
): Bundle {
  const there = bundle.hosts.get(host);
  const model = there?.commands.find((c) => [c.netns ?? '', ...c.argv].join(' ').trim().includes(words));
  if (there === undefined || model?.outcome.ok !== true) throw new Error(`nothing on ${host} was run as ${words}`);
  const record = { ...model, argv, outcome: { ok: true as const, value: { ...model.outcome.value, stdout, code } } };
  return answering(bundle, host, record);
}

const dead = (bundle: Bundle, binary: string): Bundle =>
  editing(bundle, '/v2.0/agents', (b) => {
    for (const a of b.agents) if (a.binary === binary && a.host === 'net1') a.alive = false;
  });

/** A line of oslo.log, written half a minute before the recording began (the node's zone is UTC). */
const justNow = new Date(Date.parse(healthy.manifest.startedAt) - 30_000).toISOString().replace('T', ' ').slice(0, 23);
const logging = (bundle: Bundle, binary: string, text: string): Bundle =>
  editingOutput(bundle, 'net1', `/var/log/neutron/${binary}.log`, (s) => `${s}${justNow} 77 ${text}\n`);

const before = (seconds: number): Date => new Date(Date.parse(healthy.manifest.startedAt) - seconds * 1000);

/** The L3 agent of net1 was started twenty seconds ago, is dead for Neutron, and its log holds an error half a minute old. */
const startedAnew = (lastBeat: number): Bundle =>
  logging(
    editingOutput(
      editing(dead(healthy, 'neutron-l3-agent'), '/v2.0/agents', (b) => {
        for (const a of b.agents) {
          if (a.binary === 'neutron-l3-agent' && a.host === 'net1')
            a.heartbeat_timestamp = before(lastBeat).toISOString().replace('T', ' ').slice(0, 19);
        }
      }),
      'net1',
      'systemctl show',
      (stdout) =>
        stdout
          .split('\n\n')
          .map((block) =>
            block.includes('Id=neutron-l3-agent.service')
              ? block.replace(
                  /StateChangeTimestamp=.*/,
                  `StateChangeTimestamp=${before(20).toUTCString().slice(0, 3)} ${before(20).toISOString().replace('T', ' ').slice(0, 19)} UTC`,
                )
              : block,
          )
          .join('\n\n'),
    ),
    'neutron-l3-agent',
    'ERROR neutron.agent.common.async_process [-] Error received from [ovsdb-client monitor]: None',
  );

const rows =
  (edit: (row: Body) => void) =>
  (stdout: string): string => {
    const all: Body[] = JSON.parse(stdout);
    for (const row of all) edit(row);
    return JSON.stringify(all);
  };

const routerId: string = (() => {
  const record = healthy.api.find((r) => /\/routers\/[^/]+$/.test(r.url));
  if (record?.outcome.ok !== true) throw new Error('no router');
  return JSON.parse(record.outcome.value.body).router.id;
})();
const servicePort = (owner: string): string => {
  const record = healthy.api.find((r) => r.url.includes('device_owner=network'));
  if (record?.outcome.ok !== true) throw new Error('no service ports');
  const found = JSON.parse(record.outcome.value.body).ports.find((p: Body) => p.device_owner.startsWith(owner));
  return found.id;
};

const unplugged = (owner: string): Bundle =>
  editingOutput(healthy, 'net1', 'ip -d -s -j link show', (s) =>
    s.includes(`tap${servicePort(owner).slice(0, 11)}`)
      ? rows((l) => {
          if (l.ifname === `tap${servicePort(owner).slice(0, 11)}`) delete l.master;
        })(s)
      : s,
  );

/** Clouds in which a server of the network, an agent or the scheduler is wrong in one thing. */
export const serviceCases: readonly Case[] = [
  {
    says: 'an agent that a signal holds is frozen',
    code: 'OSD-AGENT-007',
    names: 'neutron-l3-agent@net1',
    bundle: () =>
      ranLike(
        dead(healthy, 'neutron-l3-agent'),
        'net1',
        'ps -ww -eo',
        ['ps', '-ww', '-eo', 'pid,stat,args'],
        '    PID STAT COMMAND\n      1 Ss   /sbin/init\n     77 Tsl  /usr/bin/python3 /usr/bin/neutron-l3-agent --config-file=/etc/neutron/neutron.conf\n',
      ),
  },
  {
    says: 'an agent that RabbitMQ refuses is told from one that cannot reach it',
    code: 'OSD-AGENT-008',
    names: 'neutron-dhcp-agent@net1',
    bundle: () =>
      logging(
        dead(healthy, 'neutron-dhcp-agent'),
        'neutron-dhcp-agent',
        'ERROR oslo.messaging._drivers.impl_rabbit [-] Connection failed: (0, 0): (403) ACCESS_REFUSED - Login was refused using authentication mechanism AMQPLAIN. (retrying in 2.0 seconds): amqp.exceptions.AccessRefused',
      ),
  },
  {
    says: 'an agent that ends after each start is told with its last error',
    code: 'OSD-AGENT-009',
    names: 'neutron-l3-agent@net1',
    bundle: () =>
      logging(
        editingOutput(dead(healthy, 'neutron-l3-agent'), 'net1', 'systemctl show', (stdout) =>
          stdout
            .split('\n\n')
            .map((block) =>
              block.includes('Id=neutron-l3-agent.service')
                ? block
                    .replace(/ActiveState=.*/, 'ActiveState=activating')
                    .replace(/SubState=.*/, 'SubState=auto-restart')
                : block,
            )
            .join('\n\n'),
        ),
        'neutron-l3-agent',
        "CRITICAL neutron [-] Unhandled error: SystemExit: Error loading interface driver 'linuxbrigde'",
      ),
  },
  {
    says: 'an agent that was just started, and whose last error no heartbeat came after, ends after each start',
    code: 'OSD-AGENT-009',
    names: 'neutron-l3-agent@net1',
    bundle: () => startedAnew(90),
  },
  {
    says: 'an agent that has reported since its last error did not end by it',
    code: 'OSD-AGENT-003',
    names: 'neutron-l3-agent@net1',
    bundle: () => startedAnew(25),
  },
  {
    says: 'a subnet whose DHCP was switched off is named where an instance asked for a lease',
    code: 'OSD-DHCP-008',
    names: '10.0.0.0/24',
    bundle: () =>
      editing(
        editing(healthy, '/subnets?network_id', (b) => {
          for (const s of b.subnets) s.enable_dhcp = false;
        }),
        /\/action$/,
        () => ({ output: 'udhcpc: started, v1.35.0\nudhcpc: broadcasting discover\nudhcpc: no lease, failing\n' }),
      ),
  },
  {
    says: 'name servers that are not the subnet’s are named',
    code: 'OSD-DHCP-009',
    names: '10.0.0.78',
    bundle: () =>
      editingOutput(
        editing(healthy, '/subnets?network_id', (b) => {
          for (const s of b.subnets) s.dns_nameservers = ['198.19.0.1'];
        }),
        'net1',
        '/opts',
        (s) => s.replace(/option:dns-server,.*/, 'option:dns-server,10.0.0.78'),
      ),
  },
  {
    says: 'a DHCP port that is in no bridge is named with its device',
    code: 'OSD-DHCP-010',
    names: 'in no bridge',
    bundle: () => unplugged('network:dhcp'),
  },
  {
    says: 'an inside port of the router that is in no bridge is named with its device',
    code: 'OSD-ROUTER-015',
    names: 'in no bridge',
    bundle: () => unplugged('network:router_interface'),
  },
  {
    says: 'a policy rule that sends packets of the instance astray is named with its priority',
    code: 'OSD-ROUTER-011',
    names: 'rule 100',
    bundle: () =>
      ranLike(
        editingOutput(healthy, 'net1', 'ip -j route show table all', (s) =>
          JSON.stringify([
            ...JSON.parse(s),
            { type: 'unreachable', dst: 'default', dev: 'lo', table: '100', flags: [] },
          ]),
        ),
        'net1',
        `qrouter-${routerId} ip -j route show table all`,
        ['ip', '-j', 'rule', 'show'],
        JSON.stringify([
          { priority: 0, src: 'all', table: 'local' },
          { priority: 100, src: 'all', dst: address, table: '100' },
          { priority: 32766, src: 'all', table: 'main' },
          { priority: 32767, src: 'all', table: 'default' },
        ]),
      ),
  },
  {
    says: 'a router that does not translate what goes out is named',
    code: 'OSD-ROUTER-012',
    names: 'r1',
    bundle: () =>
      editingOutput(healthy, 'net1', 'qrouter-', (s) =>
        s.startsWith('#')
          ? s
              .split('\n')
              .filter((l) => !/-A neutron-l3-agent-snat -o .* -j SNAT/.test(l))
              .join('\n')
          : s,
      ),
  },
  {
    says: 'a router that is not the gateway its instances were given is named with both addresses',
    code: 'OSD-ROUTER-013',
    names: '10.0.0.250',
    bundle: () =>
      editing(healthy, 'device_owner=network', (b) => {
        for (const p of b.ports)
          if (p.device_owner.startsWith('network:router_interface')) p.fixed_ips[0].ip_address = '10.0.0.250';
      }),
  },
  {
    says: 'another device outside that answers for the floating address is named by its MAC',
    code: 'OSD-ROUTER-014',
    names: '02:00:00:00:00:99',
    bundle: () => {
      const [floating] = healthy.api.flatMap((r) =>
        r.outcome.ok && r.url.includes('/floatingips?') ? JSON.parse(r.outcome.value.body).floatingips : [],
      );
      const to: string = floating.floating_ip_address;
      const gateway = healthy.api.flatMap((r) =>
        r.outcome.ok && r.url.includes('/ports?device_id=') ? JSON.parse(r.outcome.value.body).ports : [],
      );
      const outside = gateway.find((p: Body) => p.device_owner === 'network:router_gateway');
      return ranLike(
        editingOutput(
          healthy,
          'operator',
          to,
          () => `--- ${to} ping statistics ---\n5 packets transmitted, 0 received, 100% packet loss, time 819ms\n`,
          1,
        ),
        'net1',
        `qrouter-${routerId} ip -j route show table all`,
        ['arping', '-D', '-c', '2', '-w', '2', '-I', `qg-${outside.id.slice(0, 11)}`, to],
        `ARPING ${to} from 0.0.0.0 qg-0\nUnicast reply from ${to} [02:00:00:00:00:99]  0.704ms\nSent 1 probes (1 broadcast(s))\nReceived 1 response(s)\n`,
        1,
      );
    },
  },
  {
    says: 'a metadata proxy that speaks for another router is named',
    code: 'OSD-META-007',
    names: '00000000-0000-4000-8000-000000000bad',
    bundle: () =>
      ranLike(
        healthy,
        'net1',
        '/opts',
        ['cat', `/var/lib/neutron/ns-metadata-proxy/${routerId}.conf`],
        '    http-request del-header X-Neutron-Network-ID\n    http-request set-header X-Neutron-Router-ID 00000000-0000-4000-8000-000000000bad\n',
      ),
  },
  {
    says: 'a scheduler that is down is named where an instance waits for it',
    code: 'OSD-VM-013',
    names: 'nova-scheduler@',
    bundle: () =>
      editingServer(
        editing(healthy, '/os-services', (b) => {
          for (const s of b.services) if (s.binary === 'nova-scheduler') s.state = 'down';
        }),
        (s) => {
          s.status = 'BUILD';
          s['OS-EXT-STS:task_state'] = 'scheduling';
        },
      ),
  },
];
