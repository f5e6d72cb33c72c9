import type { Bundle } from '../../src/bundle/open.ts';
import type { WalkOptions } from '../../src/commands/walk-options.ts';
import {
  alsoRun,
  editing,
  editingOutput,
  editingPort,
  editingServer,
  floating1,
  healthy,
  instanceId,
  port1,
  refusing,
  repeating,
  stoppedUnit,
} from '../support/edit-bundle.ts';
import { withMates } from '../support/neighbours.ts';
import { askedCases } from './cases-asked.ts';
import { serviceCases } from './cases-services.ts';
import { traceCases } from './cases-trace.ts';

const tap = `tap${port1.id.slice(0, 11)}`;
const address: string = port1.fixed_ips[0].ip_address;
const network: string = port1.network_id;
const floating: string = floating1.floating_ip_address;
/** The addresses of the DHCP namespace, as they were printed. */
const namespaceAddresses: string = (() => {
  const there = healthy.hosts
    .get('net1')
    ?.commands.find((c) => c.netns === `qdhcp-${network}` && c.argv.includes('addr'));
  return there?.outcome.ok === true ? there.outcome.value.stdout : '';
})();
const agentsPath = '/v2.0/agents';

// biome-ignore lint/suspicious/noExplicitAny: bodies of any API, edited by hand
type Body = any;

const agent = (bundle: Bundle, binary: string, host: string, edit: (a: Body) => void): Bundle =>
  editing(bundle, agentsPath, (body) => {
    for (const a of body.agents) if (a.binary === binary && a.host === host) edit(a);
  });

const withoutAgent = (bundle: Bundle, binary: string, host: string): Bundle =>
  editing(bundle, agentsPath, (body) => {
    body.agents = body.agents.filter((a: Body) => a.binary !== binary || a.host !== host);
  });

const json =
  (edit: (rows: Body[]) => Body[] | undefined) =>
  (stdout: string): string => {
    const rows: Body[] = JSON.parse(stdout);
    return JSON.stringify(edit(rows) ?? rows);
  };

const silentPing = (to: string): string =>
  `PING ${to} (${to}) 56(84) bytes of data.\n\n--- ${to} ping statistics ---\n5 packets transmitted, 0 received, 100% packet loss, time 819ms\n`;

/** Nothing answers from the network host any more: the pings, their repetition, and every counter around them. */
export function silent(bundle: Bundle, after: (stdout: string) => string = (s) => s): Bundle {
  let edited = bundle;
  for (const words of ['qdhcp-', 'qrouter-']) {
    edited = editingOutput(edited, 'net1', `${words}`, (s) => s);
  }
  edited = editingOutput(edited, 'net1', `ping -n -c 5 -i 0.2 -W 1 ${address}`, () => silentPing(address), 1);
  edited = editingOutput(edited, 'net1', `-s 1422 ${address}`, () => silentPing(address), 1);
  edited = repeating(edited, 'net1', `qdhcp-${network} ping -n -c 5 -i 0.2 -W 1 ${address}`, 'again');
  edited = repeating(edited, 'net1', `qrouter-`, 'again', (s) => s);
  for (const host of ['cmp1', 'net1']) {
    for (const round of ['before', 'after']) {
      const counted = round === 'after' && host === 'cmp1' ? after : (s: string) => s;
      edited = repeating(edited, host, 'ip -d -s -j link show', round);
      edited = repeating(edited, host, 'iptables-save -c', round, counted);
      edited = repeating(edited, host, 'ebtables-save -c', round);
    }
  }
  return edited;
}

/** A connection attempt from the DHCP namespace to a port of the instance. */
export const connecting = (
  port: number,
  result: { readonly code: number | null; readonly stderr?: string; readonly timedOut?: boolean },
  bundle: Bundle = healthy,
): Bundle =>
  alsoRun(
    bundle,
    'net1',
    { argv: ['bash', '-c', 'exec 3<>"/dev/tcp/$0/$1"', address, String(port)], netns: `qdhcp-${network}` },
    result,
  );

/** Full-size pings that are mostly lost while small ones pass, sent twice more between three readings of what the tap's queue held back. */
function crawling(bundle: Bundle): Bundle {
  const lossy = (sent: number): string =>
    `PING ${address} (${address}) 1422(1450) bytes of data.\n\n--- ${address} ping statistics ---\n${sent} packets transmitted, 2 received, 60% packet loss, time 819ms\nrtt min/avg/max/mdev = 1.6/300.6/586.3/238.8 ms\n`;
  const netns = `qdhcp-${network}`;
  let edited = editingOutput(bundle, 'net1', `-s 1422 ${address}`, () => lossy(5));
  edited = repeating(edited, 'net1', `-s 1422 ${address}`, 'again');
  edited = alsoRun(
    edited,
    'net1',
    {
      argv: ['ping', '-n', '-c', '5', '-i', '0.2', '-W', '1', '-M', 'do', '-s', '1422', '-c', '7', address],
      netns,
      round: 'once-more',
    },
    { code: 0, stdout: lossy(7) },
  );
  const limited = (overlimits: number): ((stdout: string) => string) =>
    json((rows) => [
      ...rows.filter((q) => q.dev !== tap),
      { kind: 'tbf', handle: '8001:', dev: tap, root: true, packets: 9, bytes: 900, drops: 0, overlimits },
    ]);
  edited = editingOutput(edited, 'cmp1', 'tc -s -j qdisc show', limited(0));
  for (const [at, round] of ['before', 'between', 'after'].entries()) {
    for (const host of ['cmp1', 'net1']) edited = repeating(edited, host, 'ip -d -s -j link show', round);
    edited = repeating(edited, 'cmp1', 'tc -s -j qdisc show', round, limited(at * 9));
  }
  return edited;
}

/** A cloud with one thing wrong, and what must be said of it. */
export interface Case {
  readonly says: string;
  readonly code: string;
  readonly names: string;
  readonly bundle: () => Bundle;
  readonly options?: WalkOptions;
}

export const cases: readonly Case[] = [
  ...serviceCases,
  ...traceCases,
  {
    says: 'a service of the catalog that answers 503 is named',
    code: 'OSD-CLOUD-001',
    names: 'image',
    bundle: () => refusing(healthy, ':9292/', 503, 'down'),
  },
  {
    says: 'an instance that is off is named, with how to start it',
    code: 'OSD-VM-001',
    names: 'web-1',
    bundle: () =>
      editingServer(healthy, (s) => {
        s.status = 'SHUTOFF';
        s['OS-EXT-STS:vm_state'] = 'stopped';
        s['OS-EXT-STS:power_state'] = 4;
      }),
  },
  {
    says: 'an instance in ERROR carries its fault',
    code: 'OSD-VM-002',
    names: 'disk is on fire',
    bundle: () =>
      editingServer(healthy, (s) => {
        s.status = 'ERROR';
        s.fault = { message: 'the disk is on fire', code: 500 };
      }),
  },
  {
    says: 'an instance without a valid host is told apart from other errors',
    code: 'OSD-VM-005',
    names: 'web-1',
    bundle: () =>
      editingServer(healthy, (s) => {
        s.status = 'ERROR';
        s['OS-EXT-SRV-ATTR:host'] = null;
        s.fault = { message: 'No valid host was found. There are not enough hosts available.', code: 500 };
      }),
  },
  {
    says: 'a nova-compute that is down and whose unit is down is named on its host',
    code: 'OSD-VM-006',
    names: 'nova-compute@cmp1',
    bundle: () =>
      stoppedUnit(
        editing(healthy, '/os-services', (b) => {
          for (const s of b.services) if (s.host === 'cmp1') s.state = 'down';
        }),
        'cmp1',
        'nova-compute',
      ),
  },
  {
    says: 'a nova-compute that is down for Nova while its unit runs is cut off',
    code: 'OSD-VM-011',
    names: 'nova-compute@cmp1',
    bundle: () =>
      editing(healthy, '/os-services', (b) => {
        for (const s of b.services) if (s.host === 'cmp1') s.state = 'down';
      }),
  },
  {
    says: 'an action that has hung for hours is named',
    code: 'OSD-VM-007',
    names: 'rebooting',
    bundle: () =>
      editingServer(healthy, (s) => {
        s['OS-EXT-STS:task_state'] = 'rebooting';
        s.updated = '2020-01-01T00:00:00Z';
      }),
  },
  {
    says: 'an image that was deactivated is named',
    code: 'OSD-VM-008',
    names: 'deactivated',
    bundle: () =>
      editing(healthy, '/images/', (b) => {
        b.status = 'deactivated';
      }),
  },
  {
    says: 'an instance whose cell does not answer is named',
    code: 'OSD-VM-010',
    names: 'UNKNOWN',
    bundle: () =>
      editingServer(healthy, (s) => {
        s.status = 'UNKNOWN';
      }),
  },
  {
    says: 'a port that was set down is named',
    code: 'OSD-PORT-001',
    names: port1.id.slice(0, 8),
    bundle: () =>
      editingPort(healthy, (p) => {
        p.admin_state_up = false;
        p.status = 'DOWN';
      }),
  },
  {
    says: 'a port that could not be bound is named, with the reason',
    code: 'OSD-PORT-002',
    names: 'cmp1',
    bundle: () =>
      editingPort(healthy, (p) => {
        p['binding:vif_type'] = 'binding_failed';
      }),
  },
  {
    says: 'a port bound on another host than its instance is named with both',
    code: 'OSD-PORT-003',
    names: 'cmp2',
    bundle: () =>
      editingPort(healthy, (p) => {
        p['binding:host_id'] = 'cmp2';
      }),
  },
  {
    says: 'a port that no agent has wired is DOWN',
    code: 'OSD-PORT-004',
    names: 'DOWN',
    bundle: () =>
      editingPort(healthy, (p) => {
        p.status = 'DOWN';
      }),
  },
  {
    says: 'a left-over binding is told',
    code: 'OSD-PORT-005',
    names: 'cmp2',
    bundle: () =>
      editing(healthy, '/bindings', (b) => {
        b.bindings.push({ ...b.bindings[0], host: 'cmp2', status: 'INACTIVE' });
      }),
  },
  {
    says: 'an address outside its subnet is named',
    code: 'OSD-PORT-006',
    names: address,
    bundle: () =>
      editing(healthy, '/subnets?network_id', (b) => {
        b.subnets[0].cidr = '192.0.2.0/24';
      }),
  },
  {
    says: 'a network that was set down is named',
    code: 'OSD-PORT-007',
    names: 'private',
    bundle: () =>
      editing(healthy, `/networks/${network}`, (b) => {
        if (b.network) b.network.admin_state_up = false;
      }),
  },
  {
    says: 'an instance without a port is named',
    code: 'OSD-PORT-008',
    names: 'web-1',
    bundle: () =>
      editing(healthy, `/ports?device_id=${instanceId}`, (b) => {
        b.ports = [];
      }),
  },
  {
    says: 'an agent that is dead for both is down',
    code: 'OSD-AGENT-001',
    names: 'neutron-l3-agent@net1',
    bundle: () =>
      stoppedUnit(
        agent(healthy, 'neutron-l3-agent', 'net1', (a) => {
          a.alive = false;
        }),
        'net1',
        'neutron-l3-agent',
      ),
  },
  {
    says: 'an agent that has just stopped is told before OpenStack notices',
    code: 'OSD-AGENT-002',
    names: 'neutron-dhcp-agent@net1',
    bundle: () => stoppedUnit(healthy, 'net1', 'neutron-dhcp-agent'),
  },
  {
    says: 'an agent that runs and does not report is alive for its node only',
    code: 'OSD-AGENT-003',
    names: 'neutron-linuxbridge-agent@cmp1',
    bundle: () =>
      agent(healthy, 'neutron-linuxbridge-agent', 'cmp1', (a) => {
        a.alive = false;
      }),
  },
  {
    says: 'a disabled agent is named',
    code: 'OSD-AGENT-005',
    names: 'neutron-dhcp-agent@net1',
    bundle: () =>
      agent(healthy, 'neutron-dhcp-agent', 'net1', (a) => {
        a.admin_state_up = false;
      }),
  },
  {
    says: 'an agent that Neutron never heard of is missing',
    code: 'OSD-AGENT-006',
    names: 'neutron-metadata-agent@net1',
    bundle: () => withoutAgent(healthy, 'neutron-metadata-agent', 'net1'),
  },
  {
    says: 'a kernel panic on the console is named',
    code: 'OSD-CONSOLE-004',
    names: 'panic',
    bundle: () =>
      editing(healthy, /\/action$/, (b) => {
        b.output = `${b.output}\nKernel panic - not syncing: Attempted to kill init!\n`;
      }),
  },
  {
    says: 'a guest without a boot device is named',
    code: 'OSD-CONSOLE-005',
    names: 'bootable',
    bundle: () => editing(healthy, /\/action$/, () => ({ output: 'Booting from Hard Disk...\nNo bootable device.\n' })),
  },
  {
    says: 'a lease that is not the port’s is named with both addresses',
    code: 'OSD-CONSOLE-002',
    names: '10.0.0.77',
    bundle: () =>
      editing(healthy, /\/action$/, (b) => {
        b.output = b.output.replaceAll(`lease of ${address}`, 'lease of 10.0.0.77');
      }),
  },
  {
    says: 'groups that let nothing of the usual in are named, with the rule to add',
    code: 'OSD-SG-001',
    names: 'web',
    bundle: () =>
      editing(healthy, '/security-groups', (b) => {
        for (const g of b.security_groups) {
          g.security_group_rules = g.security_group_rules.filter((r: Body) => r.direction === 'egress');
        }
      }),
  },
  {
    says: 'traffic that was asked about and that no rule lets in is named',
    code: 'OSD-SG-001',
    names: 'tcp/443',
    bundle: () => healthy,
    options: { probe: ['tcp/443'] },
  },
  {
    says: 'groups without egress rules are told',
    code: 'OSD-SG-002',
    names: 'web',
    bundle: () =>
      editing(healthy, '/security-groups', (b) => {
        for (const g of b.security_groups) {
          g.security_group_rules = g.security_group_rules.filter((r: Body) => r.direction === 'ingress');
        }
      }),
  },
  {
    says: 'a rule that the node does not have is named on its host',
    code: 'OSD-SG-003',
    names: 'cmp1',
    bundle: () =>
      editingOutput(healthy, 'cmp1', 'iptables-save -c', (s) =>
        s
          .split('\n')
          .filter((l) => !(l.includes(`-i${port1.id.slice(0, 10)} `) && l.includes('--dport 22')))
          .join('\n'),
      ),
  },
  {
    says: 'security groups that bridged packets never meet are told',
    code: 'OSD-SG-004',
    names: 'bridge-nf-call-iptables',
    bundle: () => editingOutput(healthy, 'cmp1', 'sysctl', (s) => s.replace(/(bridge-nf-call-iptables) = 1/, '$1 = 0')),
  },
  {
    says: 'a rule by hand that accepts packets before the security groups are asked is named, with the command that deletes it',
    code: 'OSD-SG-004',
    names: 'filter FORWARD #1',
    bundle: () =>
      editingOutput(healthy, 'cmp1', 'iptables-save -c', (s) =>
        s.replace(
          /(\[\d+:\d+\] -A FORWARD )/,
          `[7:588] -A FORWARD -m physdev --physdev-out ${tap} --physdev-is-bridged -j ACCEPT\n$1`,
        ),
      ),
  },
  {
    says: 'a port without port security is told',
    code: 'OSD-SG-005',
    names: 'web-1',
    bundle: () =>
      editingPort(healthy, (p) => {
        p.port_security_enabled = false;
        p.security_groups = [];
      }),
  },
  {
    says: 'a domain that libvirt has not running is named on its host',
    code: 'OSD-HOST-001',
    names: 'cmp1',
    bundle: () => editingOutput(healthy, 'cmp1', 'domstate', () => 'shut off\n\n'),
  },
  {
    says: 'a tap that is gone is named',
    code: 'OSD-HOST-002',
    names: tap,
    bundle: () =>
      editingOutput(
        healthy,
        'cmp1',
        'ip -d -s -j link show',
        json((rows) => rows.filter((l) => l.ifname !== tap)),
      ),
  },
  {
    says: 'a tap that is in no bridge is named with where it belongs',
    code: 'OSD-HOST-003',
    names: tap,
    bundle: () =>
      editingOutput(
        healthy,
        'cmp1',
        'ip -d -s -j link show',
        json((rows) => {
          for (const l of rows) if (l.ifname === tap) delete l.master;
          return rows;
        }),
      ),
  },
  {
    says: 'a tap that is down is named',
    code: 'OSD-HOST-004',
    names: tap,
    bundle: () =>
      editingOutput(
        healthy,
        'cmp1',
        'ip -d -s -j link show',
        json((rows) => {
          for (const l of rows) if (l.ifname === tap) l.flags = ['BROADCAST', 'MULTICAST'];
          return rows;
        }),
      ),
  },
  {
    says: 'a host that has no entry towards the instance is named with its peer',
    code: 'OSD-TUNNEL-002',
    names: 'net1',
    bundle: () =>
      editingOutput(
        healthy,
        'net1',
        'bridge -j fdb show',
        json((rows) => rows.filter((e) => e.dst !== '198.18.1.31')),
      ),
  },
  {
    says: 'a network that no DHCP agent serves is named',
    code: 'OSD-DHCP-001',
    names: network.slice(0, 8),
    bundle: () =>
      editing(healthy, '/dhcp-agents', (b) => {
        b.agents = [];
      }),
  },
  {
    says: 'a DHCP namespace that is gone is named on its host',
    code: 'OSD-DHCP-002',
    names: 'net1',
    bundle: () =>
      editingOutput(healthy, 'net1', 'ip netns list', (s) =>
        s
          .split('\n')
          .filter((l) => !l.startsWith('qdhcp-'))
          .join('\n'),
      ),
  },
  {
    says: 'a dnsmasq that is dead is named on its host',
    code: 'OSD-DHCP-003',
    names: 'dnsmasq@net1',
    bundle: () =>
      editingOutput(healthy, 'net1', 'ps -ww', (s) =>
        s
          .split('\n')
          .filter((l) => !l.includes('dnsmasq'))
          .join('\n'),
      ),
  },
  {
    says: 'an entry with another MAC is named',
    code: 'OSD-DHCP-004',
    names: port1.mac_address,
    bundle: () => editingOutput(healthy, 'net1', '/host', (s) => s.replaceAll(port1.mac_address, 'fa:16:3e:00:00:01')),
  },
  {
    says: 'a DHCP server without its address is named',
    code: 'OSD-DHCP-005',
    names: '10.0.0.2',
    bundle: () =>
      editingOutput(
        healthy,
        'net1',
        `qdhcp-${network} ip -j addr show`,
        json((rows) => rows.map((r) => ({ ...r, addr_info: [] }))),
      ),
  },
  {
    says: 'a full pool is told',
    code: 'OSD-DHCP-006',
    names: '10.0.0.0/24',
    bundle: () =>
      editing(healthy, '/network-ip-availabilities/', (b) => {
        for (const s of b.network_ip_availability.subnet_ip_availability) s.used_ips = s.total_ips;
      }),
  },
  {
    says: 'a router option that leads astray is named',
    code: 'OSD-DHCP-007',
    names: '10.0.0.254',
    bundle: () =>
      editingOutput(healthy, 'net1', '/opts', (s) => s.replace(/option:router,.*/, 'option:router,10.0.0.254')),
  },
  {
    says: 'a proxy that does not listen is named',
    code: 'OSD-META-001',
    names: 'net1',
    bundle: () => editingOutput(healthy, 'net1', 'ss -Hlntup', () => ''),
  },
  {
    says: 'a metadata agent that does not answer is named',
    code: 'OSD-META-002',
    names: 'net1',
    bundle: () => editingOutput(healthy, 'net1', 'curl', () => '000\n', 7),
  },
  ...(
    [
      ['403', 'OSD-META-003', 'a refused signature is named'],
      ['500', 'OSD-META-004', 'a Nova that fails is named'],
      ['404', 'OSD-META-005', 'an agent that finds no port is named'],
    ] as const
  ).map(
    ([status, code, says]): Case => ({
      says,
      code,
      names: 'net1',
      bundle: () => editingOutput(healthy, 'net1', 'curl', () => `${status}\n`),
    }),
  ),
  {
    says: 'a router that does not redirect metadata is named',
    code: 'OSD-META-006',
    names: 'net1',
    bundle: () =>
      editingOutput(healthy, 'net1', 'qrouter-', (s) =>
        s.startsWith('#')
          ? s
              .split('\n')
              .filter((l) => !l.includes('REDIRECT'))
              .join('\n')
          : s,
      ),
  },
  {
    says: 'a router on no agent is named',
    code: 'OSD-ROUTER-001',
    names: 'r1',
    bundle: () =>
      editing(healthy, '/l3-agents', (b) => {
        b.agents = [];
      }),
  },
  {
    says: 'a router that was set down is named',
    code: 'OSD-ROUTER-002',
    names: 'r1',
    bundle: () =>
      editing(healthy, /\/routers\/[^/]+$/, (b) => {
        b.router.admin_state_up = false;
      }),
  },
  {
    says: 'a router whose namespace is gone is named with its host',
    code: 'OSD-ROUTER-003',
    names: 'net1',
    bundle: () =>
      editingOutput(healthy, 'net1', 'ip netns list', (s) =>
        s
          .split('\n')
          .filter((l) => !l.startsWith('qrouter-'))
          .join('\n'),
      ),
  },
  {
    says: 'an inside interface that is down is named',
    code: 'OSD-ROUTER-004',
    names: 'qr-',
    bundle: () =>
      editingOutput(healthy, 'net1', 'qrouter-', (s) =>
        s.startsWith('[') && s.includes('"flags"') && s.includes('"link_type"') && !s.includes('addr_info')
          ? json((rows) => {
              for (const l of rows) if (l.ifname.startsWith('qr-')) l.flags = ['BROADCAST', 'MULTICAST'];
              return rows;
            })(s)
          : s,
      ),
  },
  {
    says: 'a default route that is gone is named with the gateway',
    code: 'OSD-ROUTER-005',
    names: '198.19.0.1',
    bundle: () =>
      editingOutput(
        healthy,
        'net1',
        'ip -j route show table all',
        json((rows) => rows.filter((r) => r.dst !== 'default')),
      ),
  },
  {
    says: 'a router that does not forward is named',
    code: 'OSD-ROUTER-006',
    names: 'ip_forward',
    bundle: () =>
      editingOutput(healthy, 'net1', 'sysctl', (s) => s.replace('net.ipv4.ip_forward = 1', 'net.ipv4.ip_forward = 0')),
  },
  {
    says: 'a floating address without its translation is named',
    code: 'OSD-ROUTER-007',
    names: 'DNAT',
    bundle: () =>
      editingOutput(healthy, 'net1', 'qrouter-', (s) =>
        s.startsWith('#')
          ? s
              .split('\n')
              .filter((l) => !/-j [DS]NAT/.test(l))
              .join('\n')
          : s,
      ),
  },
  {
    says: 'a client inside the subnet gets no answer through the floating address',
    code: 'OSD-ROUTER-008',
    names: '10.0.0.200',
    bundle: () => healthy,
    options: { from: '10.0.0.200' },
  },
  {
    says: 'a floating address that is not ACTIVE is told',
    code: 'OSD-ROUTER-010',
    names: 'DOWN',
    bundle: () =>
      editing(healthy, '/floatingips', (b) => {
        for (const f of b.floatingips) f.status = 'DOWN';
      }),
  },
  {
    says: 'pings that are lost in part are told',
    code: 'OSD-PING-005',
    names: address,
    bundle: () =>
      editingOutput(healthy, 'net1', `qdhcp-${network} ping -n -c 5 -i 0.2 -W 1 ${address}`, (s) =>
        s.replace('5 received, 0% packet loss', '4 received, 20% packet loss'),
      ),
  },
  {
    says: 'a gateway that answers nothing is named',
    code: 'OSD-PING-003',
    names: '198.19.0.1',
    bundle: () => editingOutput(healthy, 'net1', '-W 1 198.19.0.1', () => silentPing('198.19.0.1'), 1),
  },
  {
    says: 'a floating address that is silent while the router answers is named',
    code: 'OSD-PING-004',
    names: floating,
    bundle: () => editingOutput(healthy, 'operator', floating, () => silentPing(floating), 1),
  },
  {
    says: 'a silent instance is named from its DHCP namespace',
    code: 'OSD-PING-001',
    names: address,
    bundle: () => silent(healthy),
  },
  {
    says: 'a silent instance is named from its router',
    code: 'OSD-PING-002',
    names: address,
    bundle: () => silent(healthy),
  },
  {
    says: 'packets that nothing took are localised',
    code: 'OSD-PATH-002',
    names: 'cmp1',
    bundle: () => silent(healthy),
  },
  ...(
    [
      ['OSD-PATH-003', 'the neighbour on the same host answers: it is the instance’s own side', 5, 5],
      ['OSD-PATH-004', 'no neighbour on the host answers and one elsewhere does: it is the host', 0, 5],
      ['OSD-PATH-005', 'no neighbour answers anywhere: it is the network', 0, 0],
    ] as const
  ).map(
    ([code, says, here, there]): Case => ({
      says,
      code,
      names: 'web-2',
      bundle: () =>
        withMates(silent(healthy), [
          { name: 'web-2', host: 'cmp1', address: '10.0.0.31', qdhcp: here, qrouter: here },
          { name: 'db-1', host: 'cmp2', address: '10.0.0.32', qdhcp: there, qrouter: there },
        ]),
    }),
  ),
  {
    says: 'a stranger’s rule whose counter rose with the pings is named, with the command that deletes it',
    code: 'OSD-HOST-014',
    names: 'FORWARD #1',
    bundle: () => {
      const rule = (packets: number) => (s: string) =>
        s.replace(
          /(\[\d+:\d+\] -A FORWARD )/,
          `[${packets}:${packets * 84}] -A FORWARD -p icmp -m physdev --physdev-out ${tap} --physdev-is-bridged -j DROP\n$1`,
        );
      return silent(editingOutput(healthy, 'cmp1', 'iptables-save -c', rule(0)), (s) =>
        s.replace('[0:0] -A FORWARD -p icmp', '[10:840] -A FORWARD -p icmp'),
      );
    },
  },
  {
    says: 'a limit of bandwidth that nobody ordered is named when full-size pings crawl',
    code: 'OSD-HOST-021',
    names: `tc ${tap} root tbf`,
    bundle: () => crawling(healthy),
  },
  {
    says: 'a counter of the kernel that rises by what is lost, twice, is named with what it counts',
    code: 'OSD-PATH-006',
    names: 'TcpExtIPReversePathFilter',
    bundle: () => {
      const netns = `qdhcp-${network}`;
      let edited = silent(healthy);
      for (const host of ['cmp1', 'net1']) edited = repeating(edited, host, 'ip -d -s -j link show', 'between');
      for (const [round, count] of Object.entries({ before: 3, between: 8, after: 15 })) {
        const kernel = JSON.stringify({ kernel: { IpInReceives: count * 9, TcpExtIPReversePathFilter: count } });
        edited = alsoRun(
          edited,
          'net1',
          { argv: ['ip', '-d', '-s', '-j', 'link', 'show'], netns, round },
          { code: 0, stdout: '[]' },
        );
        edited = alsoRun(edited, 'net1', { argv: ['nstat', '-asj'], netns, round }, { code: 0, stdout: kernel });
      }
      return alsoRun(
        edited,
        'net1',
        { argv: ['ping', '-n', '-c', '5', '-i', '0.2', '-W', '1', '-c', '7', address], netns, round: 'once-more' },
        { code: 1, stdout: silentPing(address).replace('5 packets', '7 packets') },
      );
    },
  },
  {
    says: 'a VXLAN device with another VNI than the network has is named with both numbers',
    code: 'OSD-TUNNEL-005',
    names: 'VNI 4711',
    bundle: () =>
      editingOutput(
        healthy,
        'cmp1',
        'ip -d -s -j link show',
        json((rows) => {
          for (const link of rows) if (link.linkinfo?.info_kind === 'vxlan') link.linkinfo.info_data.id = 4711;
          return rows;
        }),
      ),
  },
  {
    says: 'a second device that answers ARP for the address is named by its MAC',
    code: 'OSD-GUEST-002',
    names: '02:00:00:00:00:77',
    bundle: () => {
      const device = /ns-[0-9a-f-]{11}/.exec(namespaceAddresses)?.[0] ?? '';
      const answers = [port1.mac_address, '02:00:00:00:00:77'].map(
        (mac: string) => `Unicast reply from ${address} [${mac.toUpperCase()}]  0.712ms`,
      );
      return alsoRun(
        healthy,
        'net1',
        { argv: ['arping', '-b', '-c', '2', '-w', '1', '-I', device, address], netns: `qdhcp-${network}` },
        {
          code: 0,
          stdout: `ARPING ${address} from 10.0.0.2 ${device}\n${answers.join('\n')}\nSent 1 probes (1 broadcast(s))\nReceived 2 response(s)\n`,
        },
      );
    },
  },
  {
    says: 'a rule that would drop the traffic that was asked about is named, though nothing was sent',
    code: 'OSD-HOST-015',
    names: 'FORWARD #1',
    options: { probe: ['tcp/80'] },
    bundle: () =>
      editingOutput(healthy, 'cmp1', 'iptables-save -c', (s) =>
        s.replace(
          /(\[\d+:\d+\] -A FORWARD )/,
          `[0:0] -A FORWARD -p tcp -m physdev --physdev-out ${tap} --physdev-is-bridged -m tcp --dport 80 -j DROP\n$1`,
        ),
      ),
  },
  {
    says: 'a dead agent on a host that cannot be looked at is said to be just that',
    code: 'OSD-AGENT-004',
    names: 'neutron-linuxbridge-agent@cmp1',
    bundle: () => {
      const dead = agent(healthy, 'neutron-linuxbridge-agent', 'cmp1', (a) => {
        a.alive = false;
      });
      const there = dead.hosts.get('cmp1');
      if (there === undefined) throw new Error('no cmp1');
      const unreachable = {
        kind: 'unreachable',
        host: 'cmp1',
        stage: 'tcp',
        detail: 'refused',
        fix: 'start sshd',
      } as const;
      return { ...dead, hosts: new Map([...dead.hosts, ['cmp1', { ...there, commands: [], unreachable }]]) };
    },
  },
  {
    says: 'a guest that got no lease is told when it does not answer either',
    code: 'OSD-CONSOLE-001',
    names: 'web-1',
    bundle: () =>
      silent(
        editing(healthy, /\/action$/, () => ({
          output:
            'udhcpc: started, v1.35.0\nudhcpc: broadcasting discover\nudhcpc: broadcasting discover\nudhcpc: no lease, failing\n',
        })),
      ),
  },
  {
    says: 'metadata that was not to be had is told',
    code: 'OSD-CONSOLE-003',
    names: 'web-1',
    bundle: () =>
      editing(
        editingOutput(healthy, 'net1', 'curl', () => '503\n'),
        /\/action$/,
        () => ({
          output:
            "[8.1] cloud-init[70]: url_helper.py[WARNING]: Calling 'http://169.254.169.254/openstack' failed [5/25s]: HTTP error 503\n[25.0] cloud-init[70]: DataSourceOpenStack.py[CRITICAL]: Giving up on md from ['http://169.254.169.254/openstack'] after 25 seconds\n",
        }),
      ),
  },
  {
    says: 'a guest to which packets come and that sends nothing back is told',
    code: 'OSD-PATH-001',
    names: 'web-1',
    bundle: () => {
      const more = (rx: number, tx: number) =>
        json((rows) => {
          for (const l of rows) {
            if (l.ifname !== tap) continue;
            l.stats64.tx.packets += tx;
            l.stats64.rx.packets += rx;
          }
          return rows;
        });
      const quiet = silent(healthy);
      const there = quiet.hosts.get('cmp1');
      if (there === undefined) throw new Error('no cmp1');
      const commands = there.commands.map((r) =>
        r.round === 'after' && r.argv[0] === 'ip' && r.outcome.ok
          ? {
              ...r,
              outcome: {
                ok: true as const,
                value: { ...r.outcome.value, stdout: more(0, 15)(r.outcome.value.stdout) },
              },
            }
          : r,
      );
      return { ...quiet, hosts: new Map([...quiet.hosts, ['cmp1', { ...there, commands }]]) };
    },
  },
  {
    says: 'a guest whose packets anti-spoofing drops is named',
    code: 'OSD-GUEST-001',
    names: 'web-1',
    bundle: () =>
      silent(healthy, (s) =>
        s.replace(
          new RegExp(`\\[\\d+:\\d+\\] (-A neutron-linuxbri-s${port1.id.slice(0, 10)} .*-j DROP)`),
          '[900:75600] $1',
        ),
      ),
  },
  {
    says: 'full-size packets that are lost are told',
    code: 'OSD-MTU-001',
    names: '1450',
    bundle: () => editingOutput(healthy, 'net1', '-s 1422', () => silentPing(address), 1),
  },
  {
    says: 'a device too narrow for the network is named',
    code: 'OSD-MTU-002',
    names: 'eth1',
    bundle: () =>
      editingOutput(
        healthy,
        'cmp1',
        'ip -d -s -j link show',
        json((rows) => {
          for (const l of rows) if (l.ifname === 'eth1') l.mtu = 1400;
          return rows;
        }),
      ),
  },
  {
    says: 'errors about the instance in a log of its path are told',
    code: 'OSD-LOG-001',
    names: 'cmp1',
    bundle: () => {
      const at = new Date(Date.parse(healthy.manifest.startedAt) - 60_000).toISOString().slice(0, 23).replace('T', ' ');
      return editingOutput(healthy, 'cmp1', 'neutron', (s) =>
        s.startsWith('[') || s.startsWith('#') || s.includes('Id=')
          ? s
          : `${at} 96 ERROR neutron.agent [-] port ${port1.id} exploded\n${s}`,
      );
    },
  },
  {
    says: 'a guest that refuses SSH is told when somebody complains of SSH',
    code: 'OSD-TCP-001',
    names: 'refuses connections',
    options: { symptom: 'ssh-refused' },
    bundle: () =>
      connecting(22, {
        code: 1,
        stderr: `bash: connect: Connection refused\nbash: line 1: /dev/tcp/${address}/22: Connection refused\n`,
      }),
  },
  {
    says: 'a TCP port that keeps silent while pings are answered is told',
    code: 'OSD-TCP-002',
    names: 'tcp/22',
    bundle: () => connecting(22, { code: null, timedOut: true }),
  },
  ...askedCases,
];
