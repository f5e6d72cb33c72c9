import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Enforcement, isEnforced, type WantedFirewall } from '../../../src/path/firewall/enforcement.ts';
import { compareNative, ofportByMac } from '../../../src/path/firewall/native.ts';
import type { SecurityGroupRule } from '../../../src/path/secgroup/model.ts';
import { everythingIn } from '../secgroup/groups.ts';
import { flows, text, wanted } from './samples.ts';

const GROUP = '5e21da11-6e4f-49a0-ada0-b81a425932ca';
const dump = (host: 'cmp1' | 'cmp2' = 'cmp1'): string => text('ovsfw', host, 'ovs-ofctl-dump-flows-br-int.txt');

/**
 * Flows that Neutron's own openvswitch_firewall/rules.py made for a port with ofport 4 and VLAN 2, as ovs-ofctl prints
 * them: tcp/8000-8085 from 10.0.0.0/8, ICMP 3/4, all ICMPv6, protocol 112, udp/53 out to 10.0.0.53, and tcp/22-30 from
 * a remote group with the members 10.0.0.142 and 10.0.0.87 (conjunctions 22 and 23).
 */
const made = readFileSync(new URL('./samples/ovsfw/rules-py-flows.txt', import.meta.url), 'utf8');

const RULE: SecurityGroupRule = { id: 'new00000-0000-4000-8000-000000000000', ...everythingIn };
const MADE_RULES: readonly SecurityGroupRule[] = [
  { ...RULE, id: 'range', protocol: 'tcp', portMin: 8000, portMax: 8085, remoteIpPrefix: '10.0.0.0/8' },
  { ...RULE, id: 'icmp', protocol: 'icmp', portMin: 3, portMax: 4 },
  { ...RULE, id: 'vrrp', protocol: '112' },
  {
    ...RULE,
    id: 'dns',
    direction: 'egress',
    protocol: 'udp',
    portMin: 53,
    portMax: 53,
    remoteIpPrefix: '10.0.0.53/32',
  },
  { ...RULE, id: 'group', protocol: 'tcp', portMin: 22, portMax: 30, remoteGroupId: GROUP },
];

const withRules =
  (...rules: readonly SecurityGroupRule[]) =>
  (given: WantedFirewall): WantedFirewall => ({
    ...given,
    groups: given.groups.map((group) => (group.id === GROUP ? { ...group, rules: [...group.rules, ...rules] } : group)),
  });

function compare(
  change: (given: WantedFirewall) => WantedFirewall = (given) => given,
  edit: (output: string) => string = (output) => output,
): Enforcement {
  return compareNative(change(wanted('ovsfw', 'cmp1')), { flows: flows(edit(dump())) });
}

const without =
  (pattern: RegExp) =>
  (output: string): string => {
    const kept = output.split('\n').filter((line) => !pattern.test(line));
    if (kept.join('\n') === output) throw new Error(`nothing matches ${pattern}`);
    return kept.join('\n');
  };

describe('the OVS firewall of a healthy node', () => {
  test.each(['cmp1', 'cmp2'] as const)('%s: every rule of the API is there, and nothing else', (host) => {
    for (const family of [4, 6] as const) {
      const enforcement = compareNative(wanted('ovsfw', host, family), { flows: flows(dump(host)) });
      expect(enforcement).toMatchObject({
        missing: [],
        extra: [],
        chainsMissing: [],
        notEnforced: [],
        baseMissing: [],
      });
      expect(enforcement.found).toHaveLength(family === 4 ? 4 : 1);
      expect(isEnforced(enforcement)).toBe(true);
    }
  });

  test('the port is found by its MAC, or given by its number', () => {
    expect(ofportByMac(flows(dump()), 'FA:16:3E:04:D9:CA')).toBe(4);
    expect(ofportByMac(flows(dump()), 'fa:16:3e:00:00:01')).toBeUndefined();
    expect(isEnforced(compareNative(wanted('ovsfw', 'cmp1'), { flows: flows(dump()), ofport: 4 }))).toBe(true);
  });

  test('a dump in OpenFlow 1.3 says the same', () => {
    const inOf13 = (output: string): string =>
      output
        .replace('NXST_FLOW reply (xid=0x4)', 'OFPST_FLOW reply (OF1.3) (xid=0x2)')
        .replace(/ idle_age=\d+,/g, '')
        .replace(/load:(0x\w+)->NXM_NX_REG(\d)\[\]/g, 'set_field:$1->reg$2')
        .replace(/strip_vlan/g, 'pop_vlan')
        .replace(/(table=(?:0|23|24|30|31|59),.*)resubmit\(,(\d+)\)/g, '$1goto_table:$2');
    expect(isEnforced(compare(undefined, inOf13))).toBe(true);
    expect(compare(withRules(...MADE_RULES), (output) => inOf13(output + made))).toMatchObject({
      missing: [],
      extra: [],
    });
  });

  test('everything that Neutron makes of rules is understood: ranges as masks, numbers, conjunctions', () => {
    const enforcement = compare(withRules(...MADE_RULES), (output) => output + made);
    // The egress rule for udp/53 is covered by the default rule for everything out.
    expect(enforcement).toMatchObject({ missing: [], extra: [], baseMissing: [], undecided: [] });
    expect(enforcement.found.map(({ rule }) => rule.id)).toEqual(
      expect.arrayContaining(['range', 'icmp', 'vrrp', 'dns', 'group']),
    );
  });
});

describe('rules that are missing', () => {
  test('a rule without flows is shown with the flows that should be there', () => {
    const enforcement = compare(undefined, without(/tp_dst=22 /));
    expect(enforcement.missing).toMatchObject([
      {
        of: { group: { name: 'web' }, rule: { id: '6103091c-5f57-49df-afb3-c0302fff6f00' } },
        where: 'br-int table 82',
        expected: [
          'table=82,ct_state=+new-est,tcp,reg5=0x4,tp_dst=22 actions=ct(commit,zone=NXM_NX_REG6[0..15]),output:4,resubmit(,92)',
          'table=82,ct_state=+est-rel-rpl,tcp,reg5=0x4,tp_dst=22 actions=output:4',
        ],
      },
    ]);
    expect(enforcement.missing[0]?.instead).toHaveLength(2);
    expect(enforcement.missing[0]?.instead[0]).toContain('tp_dst=80');
  });

  test('half a rule is not the rule: new connections pass, established ones do not', () => {
    const half = compare(undefined, without(/\+est-rel-rpl,tcp,reg5=0x4,tp_dst=22 /));
    expect(half.missing[0]?.expected).toHaveLength(1);
    expect(half.missing[0]?.expected[0]).toContain('+est-rel-rpl');
  });

  test('a range of ports with a hole is missing', () => {
    const holed = made.split('\n').filter((line) => !line.includes('tp_dst=0x1f90/0xfffc'));
    const enforcement = compare(withRules(...MADE_RULES), (output) => output + holed.join('\n'));
    expect(enforcement.missing.map(({ of }) => of.rule.id)).toEqual(['range']);
    expect(enforcement.missing[0]?.expected[0]).toContain('nw_src=10.0.0.0/8,tp_dst=8000-8085');
  });

  test('a flow for a narrower network does not do for a wider rule', () => {
    const wider = { ...MADE_RULES[0], remoteIpPrefix: '10.0.0.0/7' } as SecurityGroupRule;
    const enforcement = compare(withRules(wider, ...MADE_RULES), (output) => output + made);
    expect(enforcement.missing.map(({ of }) => of.rule.remoteIpPrefix)).toEqual(['10.0.0.0/7']);
  });

  test('a port without any flow is named', () => {
    const gone = compareNative(wanted('ovsfw', 'cmp2'), { flows: flows(dump('cmp1')) });
    expect(gone.chainsMissing).toEqual(['br-int table 60: no flow for the port of fa:16:3e:0d:c4:d2']);
    expect(gone.missing).toEqual([]);
  });
});

describe('remote groups', () => {
  const ALL = withRules(...MADE_RULES);

  test('a member without its flow is named with the conjunction', () => {
    const one = compare(
      ALL,
      (output) =>
        output +
        made
          .split('\n')
          .filter((line) => !line.includes('10.0.0.87'))
          .join('\n'),
    );
    expect(one.missing.map(({ of }) => of.rule.id)).toEqual(['group']);
    expect(one.missing[0]?.expected).toEqual(['table=82,ip,nw_src=10.0.0.87 actions=conjunction(22,1/2)']);
  });

  test('a conjunction that lets nothing through is none', () => {
    const dead = compare(
      ALL,
      (output) =>
        output +
        made
          .split('\n')
          .filter((line) => !line.includes('conj_id=23'))
          .join('\n'),
    );
    expect(dead.missing[0]?.expected).toEqual([
      'table=82,ct_state=+new-est,tcp,reg5=0x4,tp_dst=22-30 actions=conjunction(…,2/2)',
    ]);
  });

  test('without the members only their part is left open', () => {
    const open = (given: WantedFirewall): WantedFirewall => ({ ...ALL(given), membersOf: () => undefined });
    const enforcement = compare(open, (output) => output + made);
    expect(enforcement.undecided.map(({ rule }) => rule.id)).toEqual(['group']);
    expect(enforcement.missing).toEqual([]);
    expect(compare(open).missing.map(({ of }) => of.rule.id)).toContain('group');
  });

  test('thousands of members are compared one by one', () => {
    const many = Array.from({ length: 3000 }, (_, n) => `10.9.${n >> 8}.${n & 255}`);
    const sides = many.flatMap((ip) =>
      ['+est-rel-rpl', '+new-est'].map(
        (state, n) =>
          ` cookie=0x1, table=82, priority=73,ct_state=${state},ip,reg6=0x2,nw_src=${ip} actions=conjunction(${22 + n},1/2)`,
      ),
    );
    const crowded = (given: WantedFirewall): WantedFirewall => ({ ...ALL(given), membersOf: () => many });
    const enforcement = compare(crowded, (output) => `${output}${made}${sides.join('\n')}\n`);
    expect(enforcement.missing).toEqual([]);
    const one = compare(crowded, (output) => `${output}${made}${sides.slice(0, -1).join('\n')}\n`);
    expect(one.missing[0]?.expected).toEqual(['table=82,ip,nw_src=10.9.11.183 actions=conjunction(22,1/2)']);
  });

  test('a group without members needs nothing', () => {
    const empty = withRules({ ...RULE, protocol: 'tcp', remoteGroupId: 'nobody' });
    expect(compare(empty).missing).toEqual([]);
  });
});

describe('flows too many', () => {
  test('a flow that no rule of the API explains', () => {
    const flow =
      'table=82, n_packets=7, n_bytes=1, priority=77,ct_state=+new-est,tcp,reg5=0x4,tp_dst=443 actions=output:4';
    const extra = compare(undefined, (output) => `${output} cookie=0xac61995830937856, ${flow}\n`).extra;
    expect(extra).toMatchObject([{ where: 'br-int table 82', packets: 7, effect: 'lets through' }]);
    expect(extra[0]?.raw).toContain('tp_dst=443');
  });

  test('conjunctions of a rule that is no more', () => {
    expect(compare(withRules(...MADE_RULES.slice(0, -1)), (output) => output + made).extra).toHaveLength(2);
  });

  test('flows of other ports are their own business', () => {
    const other = (output: string): string =>
      `${output} cookie=0x1, table=82, priority=77,ct_state=+new-est,tcp,reg5=0x5,tp_dst=443 actions=output:5\n`;
    expect(compare(undefined, other).extra).toEqual([]);
  });
});

describe('a port that is not filtered as it should be', () => {
  test('let through as if port security were off', () => {
    const open = compare(undefined, (output) =>
      output.replace(/(in_port=4 actions=.*)resubmit\(,71\)/, '$1resubmit(,73)'),
    );
    expect(open.notEnforced).toMatchObject([{ by: 'unfiltered', where: 'br-int table 60' }]);
  });

  test('still filtered although port security is off', () => {
    const off = (given: WantedFirewall): WantedFirewall => ({
      ...given,
      security: { ...given.security, enabled: false },
    });
    expect(compare(off).extra).toMatchObject([{ where: 'br-int table 60', effect: 'drops' }]);
    expect(
      isEnforced(compare(off, (output) => output.replace(/(in_port=4 actions=.*)resubmit\(,71\)/, '$1resubmit(,73)'))),
    ).toBe(true);
  });

  test('its own address, its DHCP and its replies are missed when they are gone', () => {
    expect(compare(undefined, without(/nw_src=10\.0\.0\.142 actions=ct/)).baseMissing).toEqual([
      'table=71,ip,reg5=0x4,in_port=4,dl_src=fa:16:3e:04:d9:ca,nw_src=10.0.0.142 actions=ct(table=72,…)',
    ]);
    expect(compare(undefined, without(/arp_spa=/)).baseMissing).toHaveLength(1);
    expect(compare(undefined, without(/table=81.*udp,reg5=0x4,tp_src=67/)).baseMissing).toHaveLength(1);
    expect(compare(undefined, without(/table=71.*priority=80,udp,/)).baseMissing).toHaveLength(1);
    expect(compare(undefined, without(/table=82.*\+est-rel\+rpl/)).baseMissing).toHaveLength(1);
    expect(compare(undefined, without(/table=60.*dl_dst=/)).baseMissing).toHaveLength(1);
  });

  test('an allowed address pair without flows is missed', () => {
    const paired = (given: WantedFirewall): WantedFirewall => ({
      ...given,
      security: { ...given.security, allowedAddressPairs: [{ ip: '10.0.0.99' }] },
    });
    expect(compare(paired).baseMissing).toEqual([
      expect.stringContaining('nw_src=10.0.0.99'),
      expect.stringContaining('arp_spa=10.0.0.99'),
    ]);
  });
});
