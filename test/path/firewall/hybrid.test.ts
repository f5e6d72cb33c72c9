import { describe, expect, test } from 'vitest';
import { type Enforcement, isEnforced, type WantedFirewall } from '../../../src/path/firewall/enforcement.ts';
import { compareIptables } from '../../../src/path/firewall/hybrid.ts';
import type { SecurityGroupRule } from '../../../src/path/secgroup/model.ts';
import { everythingIn } from '../secgroup/groups.ts';
import { iptables, sysctls, text, type Variant, wanted } from './samples.ts';

const GROUP = '89e5ed49-ed2b-4af4-92a5-73d62edf09cb';
const save = (variant: Variant): string => text(variant, 'cmp1', 'iptables-save-c.txt');
const CHAIN = 'neutron-linuxbri-i789390a7-5';

/** The comparison on cmp1 of the linuxbridge sample after editing what iptables-save said, or what the API says. */
function compare(
  edit: (output: string) => string = (output) => output,
  change: (given: WantedFirewall) => WantedFirewall = (given) => given,
  setMembers?: (name: string) => readonly string[] | undefined,
): Enforcement {
  const sysctl = sysctls(text('lb', 'cmp1', 'sysctl.txt'));
  const node = { dump: iptables(edit(save('lb'))), sysctl, ...(setMembers ? { setMembers } : {}) };
  return compareIptables(change(wanted('lb', 'cmp1')), node);
}

const without =
  (pattern: RegExp) =>
  (output: string): string => {
    const kept = output.split('\n').filter((line) => !pattern.test(line));
    if (kept.join('\n') === output) throw new Error(`nothing matches ${pattern}`);
    return kept.join('\n');
  };

/** Puts rules in front of the chain's others. */
const withRules =
  (...rules: string[]) =>
  (output: string): string =>
    rules.reduce((done, rule) => {
      const chain = /^-A (\S+)/.exec(rule)?.[1] ?? '';
      return done.replace(new RegExp(`^\\[\\d+:\\d+\\] -A ${chain} `, 'm'), (first) => `[5:420] ${rule}\n${first}`);
    }, output);

const withRule =
  (rule: Partial<SecurityGroupRule>) =>
  (given: WantedFirewall): WantedFirewall => ({
    ...given,
    groups: given.groups.map((group) =>
      group.id === GROUP ? { ...group, rules: [...group.rules, { ...BARE, ...rule }] } : group,
    ),
  });

const BARE: SecurityGroupRule = { id: 'new00000-0000-4000-8000-000000000000', ...everythingIn };

describe('the iptables firewall of a healthy node', () => {
  test.each(['lb', 'ovs'] as const)('%s: every rule of the API is there, and nothing else', (variant) => {
    for (const host of ['cmp1', 'cmp2'] as const) {
      const enforcement = compareIptables(wanted(variant, host), {
        dump: iptables(text(variant, host, 'iptables-save-c.txt')),
        sysctl: sysctls(text(variant, host, 'sysctl.txt')),
      });
      expect(enforcement).toMatchObject({
        missing: [],
        extra: [],
        chainsMissing: [],
        notEnforced: [],
        baseMissing: [],
      });
      expect(enforcement.found).toHaveLength(4);
      expect(isEnforced(enforcement)).toBe(true);
    }
  });

  test('a dump without comments (comment_iptables_rules = False) is as good', () => {
    expect(isEnforced(compare((output) => output.replace(/ -m comment --comment "[^"]*"/g, '')))).toBe(true);
  });

  test('a MAC in capitals and a state match spelled by conntrack are as good', () => {
    const other = (output: string): string =>
      output.replace('fa:16:3e:74:89:ef', 'FA:16:3E:74:89:EF').replace(/-m state --state/g, '-m conntrack --ctstate');
    expect(isEnforced(compare(other))).toBe(true);
  });
});

describe('the ip6tables firewall of a healthy node', () => {
  const open: SecurityGroupRule = { ...BARE, direction: 'egress', ethertype: 'IPv6' };
  const six = (given: Partial<WantedFirewall['security']> = {}, ...rules: SecurityGroupRule[]): Enforcement =>
    compareIptables(
      {
        portId: '6cdd44c5-c57d-43c8-b1c2-313ab09db215',
        security: {
          enabled: true,
          groups: ['web'],
          allowedAddressPairs: [],
          fixedIps: ['10.0.0.236'],
          mac: 'fa:16:3e:79:62:2d',
          ...given,
        },
        groups: [{ id: 'web', name: 'web', rules: [open, ...rules] }],
        family: 6,
      },
      { dump: iptables(text('lb', 'cmp1', 'ip6tables-save-c.txt')), sysctl: sysctls(text('lb', 'cmp1', 'sysctl.txt')) },
    );

  test('a port without an IPv6 address has no pairs to guard, and is as it should be', () => {
    expect(six()).toMatchObject({ missing: [], extra: [], chainsMissing: [], notEnforced: [], baseMissing: [] });
    expect(six().found).toHaveLength(1);
  });

  test('with an address the pairs are missed, its link-local one too', () => {
    const addressed = six({ fixedIps: ['fd00::6'] });
    expect(addressed.chainsMissing).toEqual(['neutron-linuxbri-s6cdd44c5-c']);
    expect(addressed.baseMissing).toEqual(['-A neutron-linuxbri-o6cdd44c5-c -j neutron-linuxbri-s6cdd44c5-c']);
  });

  test('icmp of an IPv6 rule is ICMPv6 under any of its names', () => {
    for (const protocol of ['icmp', 'icmpv6', 'ipv6-icmp', '58']) {
      const rule: SecurityGroupRule = { ...BARE, ethertype: 'IPv6', protocol, portMin: 128, portMax: 0 };
      expect(six({}, rule).missing[0]?.expected).toEqual([
        '-A neutron-linuxbri-i6cdd44c5-c -p ipv6-icmp -m icmp6 --icmpv6-type 128/0 -j RETURN',
      ]);
    }
  });
});

/**
 * samples/lb/iptables-firewall-rules.tsv: rules of the API, and what `_generate_plain_rule_args` of Neutron's
 * iptables_firewall.py made of them, as iptables-save 1.8.9 prints it back.
 */
describe('rules that are missing', () => {
  test('a rule of the API without a rule on the node is shown with the line that should be there', () => {
    const enforcement = compare(without(/i789390a7-5 -p tcp -m tcp --dport 22 /));
    expect(enforcement.missing).toMatchObject([
      {
        of: { group: { name: 'web' }, rule: { id: '9f487a85-503a-4de8-86b8-0e18ee255450' } },
        expected: [`-A ${CHAIN} -p tcp -m tcp --dport 22 -j RETURN`],
        where: `filter ${CHAIN}`,
        instead: [`-A ${CHAIN} -p tcp -m tcp --dport 80 -j RETURN`],
      },
    ]);
    expect(enforcement.found).toHaveLength(3);
    expect(isEnforced(enforcement)).toBe(false);
  });

  test.each<[string, Partial<SecurityGroupRule>, string]>([
    [
      'a range of ports',
      { protocol: 'tcp', portMin: 8000, portMax: 8080 },
      '-p tcp -m tcp -m multiport --dports 8000:8080',
    ],
    [
      'a remote network with host bits',
      { protocol: 'udp', portMin: 53, portMax: 53, remoteIpPrefix: '10.1.2.3/8' },
      '-s 10.0.0.0/8 -p udp -m udp --dport 53',
    ],
    ['an ICMP type and code', { protocol: 'icmp', portMin: 3, portMax: 4 }, '-p icmp -m icmp --icmp-type 3/4'],
    ['an ICMP type', { protocol: '1', portMin: 8 }, '-p icmp -m icmp --icmp-type 8'],
    ['a protocol by number', { protocol: '112' }, '-p vrrp'],
    ['everything from one address', { remoteIpPrefix: '192.0.2.7/32' }, '-s 192.0.2.7/32'],
    ['everything', { remoteIpPrefix: '0.0.0.0/0' }, ''],
  ])('%s is looked for as Neutron would have made it, and found when it is there', (_, rule, words) => {
    const line = `-A ${CHAIN}${words === '' ? '' : ` ${words}`} -j RETURN`;
    const absent = compare(undefined, withRule(rule));
    expect(absent.missing.map(({ expected }) => expected)).toEqual([[line]]);
    const present = compare(withRules(line), withRule(rule));
    expect(present.missing).toEqual([]);
    expect(present.extra).toEqual([]);
  });

  test('every kind of rule is looked for in Neutron’s own words', () => {
    for (const row of text('lb', 'iptables-firewall-rules.tsv').trim().split('\n')) {
      const [given = '', words = ''] = row.split('\t');
      const rule = JSON.parse(given) as Partial<SecurityGroupRule>;
      const line = `-A ${CHAIN} ${words}`;
      const alone = (api: WantedFirewall): WantedFirewall => ({
        ...api,
        groups: api.groups.map((group) => ({ ...group, rules: [{ ...BARE, ...rule }] })),
      });
      const bare = without(/-A neutron-linuxbri-(?:i789390a7-5 -p (?:tcp|icmp)|o789390a7-5 -j RETURN)/);
      const [absent] = compare(bare, alone).missing;
      // ipip is 94 to /etc/protocols and 4 to Neutron: either name will do.
      if (rule.protocol !== 'ipip') expect(absent?.expected, given).toEqual([line]);
      const made = compare((output) => withRules(line)(bare(output)), alone);
      expect(made, given).toMatchObject({ missing: [], extra: [] });
    }
  });

  test('an egress rule looks at the destination', () => {
    const rule = { direction: 'egress', protocol: 'tcp', remoteIpPrefix: '10.0.0.0/8' } as const;
    expect(compare(undefined, withRule(rule)).missing[0]?.expected).toEqual([
      '-A neutron-linuxbri-o789390a7-5 -d 10.0.0.0/8 -p tcp -j RETURN',
    ]);
  });

  test('rules of the other family belong to the other dump', () => {
    expect(compare(undefined, withRule({ ethertype: 'IPv6', protocol: 'icmp' })).missing).toEqual([]);
  });

  test('chains that do not exist are named', () => {
    const gone = compare(without(/789390a7-5(?!f)/));
    expect(gone.chainsMissing).toEqual([CHAIN, CHAIN.replace('-i', '-o'), CHAIN.replace('-i', '-s')]);
    expect(gone.missing).toEqual([]);
  });
});

describe('remote groups', () => {
  const remote = withRule({ protocol: 'tcp', remoteGroupId: GROUP });
  const set = 'NIPv489e5ed49-ed2b-4af4-92a5-';
  const setRule = withRules(`-A ${CHAIN} -p tcp -m set --match-set ${set} src -j RETURN`);

  test('are an ipset, whose members are compared', () => {
    expect(compare(setRule, remote, () => ['10.0.0.6', '10.0.0.152'])).toMatchObject({ missing: [], extra: [] });
    expect(compare(setRule, remote, () => ['10.0.0.6']).missing[0]?.expected).toEqual([`add ${set} 10.0.0.152`]);
    expect(compare(setRule, remote).missing).toEqual([]);
  });

  test('or one rule for each other member, without ipset', () => {
    const each = withRules(`-A ${CHAIN} -s 10.0.0.152/32 -p tcp -j RETURN`);
    expect(compare(each, remote)).toMatchObject({ missing: [], extra: [] });
  });

  test('or nothing at all: then the set is what is missing', () => {
    expect(compare(undefined, remote).missing[0]?.expected).toEqual([
      `-A ${CHAIN} -p tcp -m set --match-set ${set} src -j RETURN`,
    ]);
  });

  test('of which nobody is a member need no rule', () => {
    expect(compare(undefined, withRule({ protocol: 'tcp', remoteGroupId: 'nobody' })).missing).toEqual([]);
  });

  test('whose members we do not know leave it open', () => {
    const unknown = (given: WantedFirewall): WantedFirewall => ({ ...remote(given), membersOf: () => undefined });
    const open = compare(withRules(`-A ${CHAIN} -s 10.0.0.152/32 -p tcp -j RETURN`), unknown);
    expect(open.undecided).toHaveLength(1);
    expect(open).toMatchObject({ missing: [], extra: [] });
    expect(compare(setRule, unknown)).toMatchObject({ missing: [], extra: [], undecided: [] });
  });
});

describe('rules too many', () => {
  test('a rule that no rule of the API explains, with what it does', () => {
    const enforcement = compare(
      withRules(
        `-A ${CHAIN} -p tcp -m tcp --dport 443 -j RETURN`,
        `-A ${CHAIN} -p icmp -j DROP`,
        `-A ${CHAIN} -p icmp -j LOG`,
        '-A neutron-linuxbri-s789390a7-5 -s 10.0.0.99/32 -m mac --mac-source fa:16:3e:74:89:ef -j RETURN',
      ),
    );
    expect(enforcement.extra).toEqual([
      { where: `filter ${CHAIN}`, raw: `-A ${CHAIN} -p icmp -j DROP`, packets: 5, effect: 'drops' },
      {
        where: `filter ${CHAIN}`,
        raw: `-A ${CHAIN} -p tcp -m tcp --dport 443 -j RETURN`,
        packets: 5,
        effect: 'lets through',
      },
      {
        where: 'filter neutron-linuxbri-s789390a7-5',
        raw: '-A neutron-linuxbri-s789390a7-5 -s 10.0.0.99/32 -m mac --mac-source fa:16:3e:74:89:ef -j RETURN',
        packets: 5,
        effect: 'lets through',
      },
    ]);
  });

  test('a removed API rule that stayed on the node', () => {
    const removed = (given: WantedFirewall): WantedFirewall => ({
      ...given,
      groups: given.groups.map((group) => ({
        ...group,
        rules: group.rules.filter(({ protocol }) => protocol !== 'icmp'),
      })),
    });
    expect(compare(undefined, removed).extra).toMatchObject([{ raw: `-A ${CHAIN} -p icmp -j RETURN`, packets: 4 }]);
  });

  test('a filter that stayed although port security is off', () => {
    const off = compare(undefined, (given) => ({ ...given, security: { ...given.security, enabled: false } }));
    expect(off.extra).toHaveLength(2);
    expect(off.chainsMissing).toEqual([]);
  });
});

describe('rules that do not act', () => {
  test('bridged packets do not see iptables', () => {
    const dump = iptables(save('lb'));
    const key = 'net.bridge.bridge-nf-call-iptables';
    expect(compareIptables(wanted('lb', 'cmp1'), { dump, sysctl: { [key]: '0' } }).notEnforced).toEqual([
      { by: 'bridge-netfilter-off', key, value: '0' },
    ]);
    expect(compareIptables(wanted('lb', 'cmp1'), { dump, sysctl: {} }).notEnforced).toMatchObject([
      { value: undefined },
    ]);
    expect(compareIptables(wanted('lb', 'cmp1'), { dump }).notEnforced).toEqual([]);
  });

  test('no rule leads the tap to its chain', () => {
    const cut = compare(without(/sg-chain -m physdev --physdev-out/));
    expect(cut.notEnforced).toEqual([
      {
        by: 'no-jump',
        from: 'neutron-linuxbri-sg-chain',
        to: CHAIN,
        device: 'tap789390a7-5f',
        direction: 'ingress',
      },
    ]);
    expect(compare(without(/-A FORWARD -j neutron-linuxbri-FORWARD/)).notEnforced).toMatchObject([
      { from: 'FORWARD', direction: 'both' },
    ]);
    expect(compare(without(/linuxbri-FORWARD -m physdev --physdev-in/)).notEnforced).toMatchObject([
      { from: 'neutron-linuxbri-FORWARD', direction: 'egress' },
    ]);
  });

  test('the tap is let through before its chain', () => {
    const accept = '-A neutron-linuxbri-FORWARD -m physdev --physdev-out tap789390a7-5f --physdev-is-bridged -j ACCEPT';
    expect(compare(withRules(accept)).notEnforced).toEqual([
      { by: 'unfiltered', where: 'filter neutron-linuxbri-FORWARD', raw: accept },
    ]);
  });
});

describe('what every port needs', () => {
  test('DHCP, replies and the anti-spoofing pair are missed when they are gone', () => {
    expect(compare(without(/i789390a7-5 .*--sport 67 --dport 68/)).baseMissing).toEqual([
      `-A ${CHAIN} -p udp -m udp --sport 67 --dport 68 -j RETURN`,
    ]);
    expect(compare(without(/i789390a7-5 .*ESTABLISHED/)).baseMissing).toHaveLength(1);
    expect(compare(without(/s789390a7-5 -s 10\.0\.0\.6/)).baseMissing).toEqual([
      '-A neutron-linuxbri-s789390a7-5 -s 10.0.0.6/32 -m mac --mac-source fa:16:3e:74:89:ef -j RETURN',
    ]);
  });

  test('an allowed address pair is looked for with its own MAC or the port’s', () => {
    const paired = (given: WantedFirewall): WantedFirewall => ({
      ...given,
      security: {
        ...given.security,
        allowedAddressPairs: [{ ip: '10.0.0.0/24' }, { ip: '0.0.0.0/0', mac: 'fa:16:3e:00:00:01' }],
      },
    });
    expect(compare(undefined, paired).baseMissing).toEqual([
      '-A neutron-linuxbri-s789390a7-5 -s 10.0.0.0/24 -m mac --mac-source fa:16:3e:74:89:ef -j RETURN',
      '-A neutron-linuxbri-s789390a7-5 -m mac --mac-source fa:16:3e:00:00:01 -j RETURN',
    ]);
  });
});
