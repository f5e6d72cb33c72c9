import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseEbtables } from '../../../src/nodes/parse/ebtables.ts';
import { type NftRuleset, parseNft } from '../../../src/nodes/parse/nft.ts';
import { parseQdiscs, parseTcFilters } from '../../../src/nodes/parse/tc.ts';
import type { Encapsulation, Packet } from '../../../src/path/firewall/packet.ts';
import { agentCookie } from '../../../src/path/firewall/strangers/flows.ts';
import type { NodeRules, Stranger } from '../../../src/path/firewall/strangers/stranger.ts';
import { strangersOf } from '../../../src/path/firewall/strangers.ts';
import { files, flows, HOSTS, type Host, iptables, text, VARIANTS, type Variant } from './samples.ts';

/** Everything the sample has of a host: its firewall, those of its namespaces, ebtables, and the flows of its bridges. */
function nodeOf(
  variant: Variant,
  host: Host,
  edit: (file: string, output: string) => string = (_, output) => output,
): NodeRules {
  const read = (file: string): string => edit(file, text(variant, host, file));
  const names = files(variant, host);
  const dumps = names.flatMap((file) => {
    const netns = /^(qdhcp|qrouter|ovnmeta)-iptables-save\.txt$/.exec(file)?.[1];
    if (!netns && !/^ip6?tables-save-c\.txt$/.test(file)) return [];
    const family = file.startsWith('ip6') ? (6 as const) : (4 as const);
    return [{ family, dump: iptables(read(file)), ...(netns ? { netns: `${netns}-1` } : {}) }];
  });
  const bridges = names.flatMap((file) => {
    const name = /^ovs-ofctl-dump-flows-(br-\w+)\.txt$/.exec(file)?.[1];
    return name ? [{ name, flows: flows(read(file)) }] : [];
  });
  return { iptables: dumps, bridges, ebtables: names.includes('ebtables.txt') ? ebtables(read('ebtables.txt')) : [] };
}

function ebtables(output: string): NonNullable<NodeRules['ebtables']> {
  const parsed = parseEbtables(output);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

const TAP = 'tap789390a7-5f';
const OUTER: Encapsulation = { udpPort: 4789, source: '198.18.1.20', destination: '198.18.1.31', family: 4 };
/** The echo request from the DHCP namespace on net1 that arrives on cmp1 for the instance. */
const PING: Packet = {
  family: 4,
  protocol: 'icmp',
  icmpType: 8,
  source: '10.0.0.2',
  destination: '10.0.0.6',
  in: 'brq5ede4beb-6a',
  out: 'brq5ede4beb-6a',
  bridgeIn: 'vxlan-1021',
  bridgeOut: TAP,
  state: 'NEW',
  encapsulated: OUTER,
};

/** The host's firewall of cmp1 (linuxbridge) with these rules put at the top of their chains. */
function withRules(...rules: string[]): NodeRules {
  return nodeOf('lb', 'cmp1', (file, output) =>
    file !== 'iptables-save-c.txt'
      ? output
      : rules.reduce((done, rule) => {
          const chain = /^-A (\S+)/.exec(rule)?.[1] ?? '';
          const at = `[5:420] ${rule}\n`;
          const filter = done.indexOf('*filter');
          const first = new RegExp(`^\\[\\d+:\\d+\\] -A ${chain} `, 'm').exec(done.slice(filter));
          if (!first) throw new Error(chain);
          return done.slice(0, filter + first.index) + at + done.slice(filter + first.index);
        }, output),
  );
}

function only(strangers: readonly Stranger[]): Stranger {
  expect(strangers.map(({ where }) => where)).toHaveLength(1);
  const [first] = strangers;
  if (!first) throw new Error('none');
  return first;
}

describe('a healthy cloud', () => {
  test.each(VARIANTS.flatMap((variant) => HOSTS.map((host) => [variant, host] as const)))(
    '%s, %s: no strangers',
    (variant, host) => {
      const node = nodeOf(variant, host);
      expect((node.iptables?.length ?? 0) + (node.bridges?.length ?? 0)).toBeGreaterThan(0);
      expect(strangersOf(node, PING)).toEqual([]);
    },
  );

  test('the samples do have drops of their own', () => {
    const drops = VARIANTS.flatMap((variant) =>
      HOSTS.flatMap((host) => (nodeOf(variant, host).bridges ?? []).flatMap((bridge) => bridge.flows)),
    ).filter(({ actions }) => actions === 'drop');
    expect(drops.length).toBeGreaterThan(100);
  });
});

describe('a rule made by hand in iptables', () => {
  const RULE = `-A FORWARD -m physdev --physdev-out ${TAP} --physdev-is-bridged -p icmp -j DROP`;

  test('is found, matches the ping, and can be deleted', () => {
    expect(only(strangersOf(withRules(RULE), PING))).toEqual({
      tool: 'iptables',
      where: 'filter FORWARD #1',
      key: `filter ${RULE}`,
      raw: RULE,
      packets: 5,
      effect: 'drops',
      target: 'DROP',
      owner: 'nobody',
      certainty: 'certain',
      matches: 'yes',
      remove: `iptables -D FORWARD -m physdev --physdev-out ${TAP} --physdev-is-bridged -p icmp -j DROP`.split(' '),
    });
  });

  test('for another device, protocol or address is found too, and does not match', () => {
    for (const rule of [
      '-A FORWARD -m physdev --physdev-out tap66d92cad-50 --physdev-is-bridged -p icmp -j DROP',
      `-A FORWARD -m physdev --physdev-out ${TAP} -p tcp -j DROP`,
      '-A FORWARD -s 192.0.2.0/24 -j DROP',
      '-A FORWARD ! -d 10.0.0.6/32 -j DROP',
      '-A INPUT -p tcp -m tcp --sport 5672 -j DROP',
    ]) {
      expect(only(strangersOf(withRules(rule), PING)).matches, rule).toBe('no');
    }
  });

  test('may match when it looks at what we do not know', () => {
    for (const rule of [
      '-A FORWARD -p icmp -m limit --limit 5/sec -j DROP',
      '-A FORWARD -p icmp -m set --match-set blocked src -j DROP',
      '-A FORWARD -m mac --mac-source fa:16:3e:00:00:01 -j DROP',
    ]) {
      expect(only(strangersOf(withRules(rule), PING)).matches, rule).toBe('unknown');
    }
  });

  test('takes the packet in its tunnel', () => {
    const vxlan = only(strangersOf(withRules('-A INPUT -s 198.18.1.20/32 -p udp -m udp --dport 4789 -j DROP'), PING));
    expect(vxlan.matches).toBe('yes');
    expect(vxlan.remove.join(' ')).toBe('iptables -D INPUT -s 198.18.1.20/32 -p udp -m udp --dport 4789 -j DROP');
    const other = strangersOf(withRules('-A INPUT -s 198.18.1.99/32 -p udp -m udp --dport 4789 -j DROP'), PING);
    expect(only(other).matches).toBe('no');
  });

  test('that rejects or diverts says so', () => {
    expect(
      only(strangersOf(withRules('-A OUTPUT -p tcp -m tcp --dport 5672 -j REJECT --reject-with tcp-reset'))).effect,
    ).toBe('rejects');
    expect(only(strangersOf(withRules('-A FORWARD -p tcp -j NFQUEUE --queue-num 0'))).effect).toBe('diverts');
  });

  test('after a rule that surely takes the packet does not match', () => {
    const node = withRules('-A FORWARD -p icmp -j DROP', '-A FORWARD -s 10.0.0.0/24 -j ACCEPT');
    expect(only(strangersOf(node, PING))).toMatchObject({ where: 'filter FORWARD #2', matches: 'no' });
  });

  test('put behind Neutron’s own chains is behind what they accept', () => {
    const appended = nodeOf('lb', 'cmp1', (file, output) =>
      file === 'iptables-save-c.txt'
        ? output.replace(/COMMIT\n(?![\s\S]*COMMIT)/, '[0:0] -A FORWARD -p icmp -j DROP\nCOMMIT\n')
        : output,
    );
    expect(only(strangersOf(appended, PING)).matches).toBe('no');
    expect(only(strangersOf(appended, { ...PING, bridgeOut: 'tapffffffff-ff' })).matches).toBe('yes');
  });

  test('in a chain of its own is reached by the jump to it', () => {
    const chain = (jump: string): NodeRules =>
      nodeOf('lb', 'cmp1', (file, output) =>
        file === 'iptables-save-c.txt'
          ? output
              .replace(':neutron-filter-top', ':mine - [0:0]\n:neutron-filter-top')
              .replace(
                '-A FORWARD -j neutron-filter-top',
                `-A FORWARD ${jump} -j mine\n[0:0] -A mine -j DROP\n[0:0] -A FORWARD -j neutron-filter-top`,
              )
          : output,
      );
    expect(only(strangersOf(chain('-p icmp'), PING)).matches).toBe('yes');
    expect(only(strangersOf(chain('-p tcp'), PING)).matches).toBe('no');
  });

  test('in one of Neutron’s chains is a stranger there all the same', () => {
    for (const rule of [
      '-A neutron-linuxbri-i789390a7-5 -p icmp -j DROP',
      `-A neutron-linuxbri-FORWARD -m physdev --physdev-out ${TAP} -j DROP`,
      '-A neutron-filter-top -p icmp -j DROP',
      '-A neutron-linuxbri-sg-chain -j REJECT --reject-with icmp-port-unreachable',
    ]) {
      expect(only(strangersOf(withRules(rule), PING)).matches, rule).toBe('yes');
    }
  });

  test('of libvirt or of containers is theirs; of a host firewall is told with its name', () => {
    expect(
      strangersOf(
        withRules(
          '-A FORWARD -o virbr0 -j REJECT --reject-with icmp-port-unreachable',
          '-A FORWARD -i docker0 -j DROP',
        ),
      ),
    ).toEqual([]);
    const others = nodeOf('lb', 'cmp1', (file, output) =>
      file === 'iptables-save-c.txt'
        ? output.replace(
            ':neutron-filter-top',
            `:ufw-reject-input - [0:0]\n:LIBVIRT_FWI - [0:0]\n:DOCKER-USER - [0:0]\n:IN_public_deny - [0:0]
[0:0] -A ufw-reject-input -j REJECT\n[0:0] -A LIBVIRT_FWI -j REJECT\n[0:0] -A DOCKER-USER -s 10.0.0.2/32 -j DROP
[0:0] -A IN_public_deny -j DROP\n[0:0] -A INPUT -m comment --comment "999 drop all" -j DROP\n:neutron-filter-top`,
          )
        : output,
    );
    expect(
      strangersOf(others)
        .map(({ raw, owner }) => [raw.split(' ')[1], owner])
        .sort(),
    ).toEqual([
      ['DOCKER-USER', 'nobody'],
      ['INPUT', 'host-firewall'],
      ['IN_public_deny', 'host-firewall'],
      ['ufw-reject-input', 'host-firewall'],
    ]);
  });

  test('a policy of DROP takes what nothing accepts', () => {
    const dropping = nodeOf('lb', 'net1', (file, output) =>
      file === 'iptables-save-c.txt' ? output.replace(':FORWARD ACCEPT', ':FORWARD DROP') : output,
    );
    const trusted: Packet = { ...PING, bridgeIn: 'vxlan-1021', bridgeOut: 'tap67b3d47a-36' };
    expect(only(strangersOf(dropping, trusted))).toMatchObject({
      where: 'filter FORWARD policy',
      matches: 'no',
      remove: ['iptables', '-P', 'FORWARD', 'ACCEPT'],
    });
    expect(only(strangersOf(dropping, { ...PING, bridgeOut: 'eth3' })).matches).toBe('yes');
  });

  test('a policy of DROP beside Docker’s chains is Docker’s', () => {
    const docker = nodeOf('lb', 'net1', (file, output) =>
      file === 'iptables-save-c.txt' ? output.replace(':FORWARD ACCEPT', ':DOCKER - [0:0]\n:FORWARD DROP') : output,
    );
    expect(only(strangersOf(docker))).toMatchObject({ where: 'filter FORWARD policy', owner: 'containers' });
  });

  test('in a namespace is removed there, with its table', () => {
    const router = nodeOf('lb', 'net1', (file, output) =>
      file === 'qrouter-iptables-save.txt'
        ? output.replace(/\*raw[\s\S]*?(?=-A PREROUTING)/, (head) => `${head}-A PREROUTING -s 10.0.0.6/32 -j DROP\n`)
        : output,
    );
    const found = only(strangersOf(router));
    expect(found.where).toBe('qrouter-1 raw PREROUTING #1');
    expect(found.remove.join(' ')).toBe('ip netns exec qrouter-1 iptables -t raw -D PREROUTING -s 10.0.0.6/32 -j DROP');
  });

  test('a quoted comment comes through whole', () => {
    const found = only(strangersOf(withRules('-A FORWARD -m comment --comment "do not touch" -j DROP'), PING));
    expect(found.remove).toEqual([
      'iptables',
      '-D',
      'FORWARD',
      '-m',
      'comment',
      '--comment',
      'do not touch',
      '-j',
      'DROP',
    ]);
  });

  test('without a packet nothing is said about matching', () => {
    expect(only(strangersOf(withRules(RULE))).matches).toBe('unknown');
  });

  test('of IPv6 does not match a packet of IPv4', () => {
    const six = nodeOf('lb', 'cmp1', (file, output) =>
      file === 'ip6tables-save-c.txt'
        ? output.replace('-A FORWARD -j neutron-filter-top', '-A FORWARD -j DROP')
        : output,
    );
    expect(only(strangersOf(six, PING))).toMatchObject({ where: 'ip6tables filter FORWARD #1', matches: 'no' });
    expect(only(strangersOf(six)).remove).toEqual(['ip6tables', '-D', 'FORWARD', '-j', 'DROP']);
  });

  test('the one that surely matches comes first', () => {
    const node = withRules('-A FORWARD -p tcp -j DROP', RULE, '-A INPUT -p udp -m limit --limit 1/sec -j DROP');
    expect(strangersOf(node, PING).map(({ matches }) => matches)).toEqual(['yes', 'unknown', 'no']);
  });
});

describe('a flow made by hand in Open vSwitch', () => {
  const withFlow = (variant: Variant, host: Host, bridge: string, flow: string): NodeRules =>
    nodeOf(variant, host, (file, output) =>
      file === `ovs-ofctl-dump-flows-${bridge}.txt` ? `${output}${flow}\n` : output,
    );
  const HAND =
    ' cookie=0x0, duration=1s, table=0, n_packets=5, n_bytes=490, idle_age=1, priority=65000,icmp,nw_src=10.0.0.6 actions=drop';
  const answer: Packet = { ...PING, source: '10.0.0.6', destination: '10.0.0.2' };

  test.each(['ovs', 'ovsfw', 'ovn'] as const)('%s: is found in br-int and matches', (variant) => {
    const found = only(strangersOf(withFlow(variant, 'cmp1', 'br-int', HAND), answer));
    expect(found).toMatchObject({
      tool: 'ovs',
      where: 'br-int table 0',
      packets: 5,
      effect: 'drops',
      certainty: 'certain',
      matches: 'yes',
      remove: ['ovs-ofctl', '--strict', 'del-flows', 'br-int', 'table=0,priority=65000,icmp,nw_src=10.0.0.6'],
    });
    expect(only(strangersOf(withFlow(variant, 'cmp1', 'br-int', HAND), PING)).matches).toBe('no');
  });

  test('on a bridge that no agent fills it takes the tunnel', () => {
    const flow =
      ' cookie=0x0, table=0, n_packets=0, n_bytes=0, priority=1000,udp,nw_src=198.18.1.20,tp_dst=6081 actions=drop';
    const geneve: Packet = {
      ...PING,
      encapsulated: { ...OUTER, udpPort: 6081 },
    };
    expect(only(strangersOf(withFlow('ovn', 'cmp1', 'br-phy', flow), geneve)).matches).toBe('yes');
    expect(only(strangersOf(withFlow('ovn', 'cmp1', 'br-phy', flow), PING)).matches).toBe('no');
  });

  test('below a flow that takes everything it does not match', () => {
    const low = HAND.replace('priority=65000', 'priority=1').replace('icmp,nw_src=10.0.0.6', 'icmp');
    const node = withFlow('ovn', 'cmp1', 'br-phy', `${low}\n cookie=0x0, table=0, priority=5 actions=NORMAL`);
    expect(strangersOf(node, answer).filter(({ effect }) => effect === 'drops')).toMatchObject([{ matches: 'no' }]);
  });

  test('that leads packets around the firewall is a stranger too', () => {
    const around = HAND.replace('actions=drop', 'actions=NORMAL');
    expect(only(strangersOf(withFlow('ovsfw', 'cmp1', 'br-int', around), answer))).toMatchObject({
      effect: 'diverts',
      matches: 'yes',
    });
  });

  test('in a later table may match', () => {
    const later = HAND.replace('table=0', 'table=60');
    expect(only(strangersOf(withFlow('ovsfw', 'cmp1', 'br-int', later), answer)).matches).toBe('unknown');
  });

  test('a lone drop with a random cookie may be another program’s; many with one cookie are', () => {
    const flow = (n: number): string => ` cookie=0xdeadbeefcafe0001, table=0, priority=${n},icmp actions=drop`;
    expect(only(strangersOf(withFlow('ovsfw', 'cmp1', 'br-int', flow(9)))).certainty).toBe('possible');
    const many = withFlow('ovsfw', 'cmp1', 'br-int', [flow(9), flow(10), flow(11)].join('\n'));
    expect(strangersOf(many)).toEqual([]);
  });

  test('a bridge that speaks OpenFlow 1.3 only is asked in it', () => {
    const node: NodeRules = { bridges: [{ name: 'br-x', flows: flows(HAND), version: 'OpenFlow13' }] };
    expect(only(strangersOf(node)).remove.slice(0, 3)).toEqual(['ovs-ofctl', '-O', 'OpenFlow13']);
  });

  test('the agent’s cookie is the one most flows have', () => {
    expect(agentCookie(flows(text('ovsfw', 'cmp1', 'ovs-ofctl-dump-flows-br-int.txt')))).toBe('0xac61995830937856');
    expect(agentCookie(flows(text('ovs', 'cmp1', 'ovs-ofctl-dump-flows-br-phy.txt')))).toBeUndefined();
  });
});

describe('a rule made by hand in ebtables', () => {
  const withFilter = (rules: string): NodeRules => ({
    ebtables: ebtables(
      `${text('lb', 'cmp1', 'ebtables.txt')}\nBridge table: filter\n\nBridge chain: FORWARD, entries: 1, policy: ACCEPT\n${rules}\n`,
    ),
  });

  test('is found beside Neutron’s own chains, and can be deleted', () => {
    const found = only(
      strangersOf(withFilter(`-p IPv4 -o ${TAP} --ip-proto icmp -j DROP , pcnt = 5 -- bcnt = 420`), PING),
    );
    expect(found).toMatchObject({ where: 'ebtables filter FORWARD #1', packets: 5, matches: 'yes' });
    expect(found.remove.join(' ')).toBe(`ebtables -D FORWARD -p IPv4 -o ${TAP} --ip-proto icmp -j DROP`);
  });

  test.each([
    ['-p ARP -j DROP', 'no'],
    ['-p IPv6 -j DROP', 'no'],
    [`-i ${TAP} -j DROP`, 'no'],
    [`-o ! ${TAP} -j DROP`, 'no'],
    [`-p IPv4 --ip-dst 10.0.0.0/24 -j DROP`, 'yes'],
    ['-p IPv4 --ip-proto udp --ip-dport 53 -j DROP', 'no'],
    ['--among-src fa:16:3e:00:00:01 -j DROP', 'unknown'],
  ])('%s: %s', (rule, answer) => {
    expect(only(strangersOf(withFilter(`${rule} , pcnt = 0 -- bcnt = 0`), PING)).matches).toBe(answer);
  });

  test('a policy of DROP is one as well', () => {
    const chains = 'Bridge table: filter\n\nBridge chain: FORWARD, entries: 0, policy: DROP\n';
    expect(only(strangersOf({ ebtables: ebtables(chains) }, PING))).toMatchObject({
      matches: 'yes',
      remove: ['ebtables', '-P', 'FORWARD', 'ACCEPT'],
    });
  });
});

describe('a rule made by hand in nft', () => {
  const nft = (output: string): NftRuleset => {
    const parsed = parseNft(output);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    return parsed.value;
  };
  const chain = (family: string, hook: string, ...rules: string[]): NodeRules => ({
    nft: [
      {
        ruleset: nft(
          `table ${family} mine { # handle 1\n chain c { # handle 2\n type filter hook ${hook} priority 0; policy accept;\n${rules
            .map((rule, at) => ` ${rule} # handle ${at + 3}\n`)
            .join('')} }\n}\n`,
        ),
      },
    ],
  });

  test('is found and deleted by its handle', () => {
    const node = chain('inet', 'input', 'ip saddr 198.18.1.20 udp dport 4789 counter packets 5 bytes 420 drop');
    expect(only(strangersOf(node, PING))).toMatchObject({
      tool: 'nft',
      where: 'nft inet mine c handle 3',
      packets: 5,
      effect: 'drops',
      matches: 'yes',
      remove: ['nft', 'delete', 'rule', 'inet', 'mine', 'c', 'handle', '3'],
    });
  });

  test.each([
    ['inet', 'forward', 'meta l4proto icmp drop', 'yes'],
    ['inet', 'forward', 'ip protocol icmp drop', 'yes'],
    ['inet', 'forward', 'icmp type echo-request drop', 'yes'],
    ['inet', 'forward', 'icmp type { echo-reply, 3 } drop', 'no'],
    ['inet', 'forward', 'ip daddr != 10.0.0.0/24 drop', 'no'],
    ['inet', 'forward', 'ip daddr 10.0.0.1-10.0.0.9 drop', 'yes'],
    ['inet', 'forward', 'ip saddr @blocked drop', 'unknown'],
    ['inet', 'forward', 'ct state new,established drop', 'yes'],
    ['inet', 'forward', 'ct state invalid drop', 'no'],
    ['inet', 'forward', 'limit rate 5/second drop', 'unknown'],
    ['inet', 'forward', 'tcp dport { 22, 80-90 } drop', 'no'],
    ['inet', 'forward', 'tcp flags syn drop', 'unknown'],
    ['inet', 'output', 'ip protocol icmp drop', 'no'],
    ['ip6', 'forward', 'drop', 'no'],
    ['bridge', 'forward', `oifname "${TAP}" ether type ip drop`, 'yes'],
    ['bridge', 'forward', 'oifname "tap*" ip daddr 10.0.0.6 drop', 'yes'],
    ['bridge', 'forward', 'iifname "eth9" drop', 'no'],
    ['inet', 'forward', 'ip saddr 10.0.0.2 reject with icmp admin-prohibited', 'yes'],
  ])('%s %s: %s: %s', (family, hook, rule, answer) => {
    expect(only(strangersOf(chain(family, hook, rule), PING)).matches).toBe(answer);
  });

  test('behind a rule that accepts it does not match', () => {
    expect(only(strangersOf(chain('inet', 'forward', 'ip protocol icmp accept', 'drop'), PING)).matches).toBe('no');
  });

  test('in text and in JSON the same rules are found', () => {
    const kinds = (file: string): NodeRules => ({
      nft: [{ ruleset: nft(readFileSync(new URL(`../../fixtures/nft/${file}`, import.meta.url), 'utf8')) }],
    });
    const wheres = (file: string): readonly string[] =>
      strangersOf(kinds(file), PING).map(({ where, matches }) => `${where} ${matches}`);
    expect(wheres('nft-1.0.6-kinds.json')).toEqual(wheres('nft-1.0.6-kinds.txt'));
    expect(wheres('nft-1.0.6-kinds.txt')).toContain('nft inet stranger input handle 14 unknown');
  });

  test('tables of libvirt and of containers are theirs', () => {
    const own = (name: string): NodeRules => ({
      nft: [
        {
          ruleset: nft(
            `table ip ${name} {\n chain c {\n type filter hook forward priority 0; policy drop;\n drop\n }\n}\n`,
          ),
        },
      ],
    });
    expect(strangersOf(own('libvirt_network'))).toEqual([]);
    expect(strangersOf(own('docker-bridges'))).toEqual([]);
    expect(strangersOf(own('firewalld')).map(({ owner }) => owner)).toEqual(['host-firewall', 'host-firewall']);
  });
});

describe('traffic control', () => {
  test('netem is never Neutron’s; a filter that drops is not either', () => {
    const qdiscs = parseQdiscs(
      JSON.stringify([
        { kind: 'fq_codel', handle: '0:', dev: TAP, root: true, drops: 3 },
        { kind: 'netem', handle: '8001:', dev: TAP, root: true, drops: 7 },
        { kind: 'ingress', handle: 'ffff:', dev: TAP, parent: 'ffff:fff1' },
      ]),
    );
    const filters = parseTcFilters(
      JSON.stringify([
        { protocol: 'all', pref: 49, kind: 'u32', options: { actions: [{ order: 1, kind: 'police' }] } },
        {
          protocol: 'ip',
          pref: 1,
          kind: 'u32',
          options: {
            actions: [{ order: 1, kind: 'gact', control_action: { type: 'drop' }, stats: { packets: 5, drops: 5 } }],
          },
        },
      ]),
    );
    if (!qdiscs.ok || !filters.ok) throw new Error('not understood');
    const node: NodeRules = {
      qdiscs: qdiscs.value,
      filters: [{ dev: TAP, direction: 'ingress', filters: filters.value }],
    };
    expect(strangersOf(node, PING)).toMatchObject([
      {
        where: `tc ${TAP} root`,
        effect: 'degrades',
        packets: 7,
        matches: 'unknown',
        remove: ['tc', 'qdisc', 'del', 'dev', TAP, 'root'],
      },
      {
        where: `tc ${TAP} ingress`,
        effect: 'drops',
        packets: 5,
        remove: ['tc', 'filter', 'del', 'dev', TAP, 'ingress', 'protocol', 'ip', 'pref', '1'],
      },
    ]);
    const elsewhere: Packet = { ...PING, bridgeOut: 'tap0', encapsulated: { ...OUTER, in: 'eth1', out: 'eth1' } };
    expect(strangersOf(node, elsewhere).map(({ matches }) => matches)).toEqual(['no', 'no']);
  });
});
