import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IptablesRule } from '../../../src/nodes/parse/iptables.ts';
import { ruleMatches, walk } from '../../../src/path/firewall/iptables-walk.ts';
import type { Packet } from '../../../src/path/firewall/packet.ts';
import { iptables } from './samples.ts';

const dump = (...rules: string[]) =>
  iptables(
    [
      '*filter',
      ':FORWARD ACCEPT [0:0]',
      ':INPUT ACCEPT [0:0]',
      ':a - [0:0]',
      ':b - [0:0]',
      ':c - [0:0]',
      ...rules,
      'COMMIT',
      '',
    ].join('\n'),
  );

const ICMP: Packet = {
  family: 4,
  protocol: 'icmp',
  source: '10.0.0.2',
  destination: '10.0.0.6',
  in: 'eth0',
  out: 'eth1',
  icmpType: 8,
  sourcePort: 0,
  destinationPort: 0,
  state: 'NEW',
  bridgeIn: 'eth0',
  bridgeOut: 'tap0',
  hooks: ['FORWARD'],
};

/** The rules that may take the packet, each with how sure that is (`a -j DROP: yes`), in the order of its way. */
function visited(packet: Packet, ...rules: string[]): readonly string[] {
  const { rules: taken } = walk(dump(...rules), packet);
  return [...taken].map(([rule, answer]) => `${rule.raw.slice(3)}: ${answer}`);
}

describe('the way of a packet through chains', () => {
  test('ends at the first rule that takes it for good', () => {
    expect(visited(ICMP, '-A FORWARD -p icmp -j ACCEPT', '-A FORWARD -j DROP')).toEqual([
      'FORWARD -p icmp -j ACCEPT: yes',
    ]);
  });

  test('comes back from a chain, by its end or by RETURN', () => {
    expect(
      visited(
        ICMP,
        '-A FORWARD -j a',
        '-A FORWARD -j DROP',
        '-A a -p tcp -j DROP',
        '-A a -p icmp -j RETURN',
        '-A a -j ACCEPT',
      ),
    ).toEqual(['FORWARD -j a: yes', 'a -p icmp -j RETURN: yes', 'FORWARD -j DROP: yes']);
  });

  test('does not come back to the chain that it left by goto', () => {
    expect(
      visited(ICMP, '-A FORWARD -j a', '-A FORWARD -j DROP', '-A a -g b', '-A a -j ACCEPT', '-A b -j LOG'),
    ).toEqual(['FORWARD -j a: yes', 'a -g b: yes', 'b -j LOG: yes', 'FORWARD -j DROP: yes']);
  });

  test('a rule that may take it leaves what follows open', () => {
    const odd = '-A FORWARD -m statistic --mode random --probability 0.5 -j DROP';
    expect(visited(ICMP, odd, '-A FORWARD -j DROP')).toEqual([`${odd.slice(3)}: unknown`, 'FORWARD -j DROP: unknown']);
  });

  test('a chain that it may be led into, and that lets nothing out, leaves what follows open', () => {
    const odd = '-A FORWARD -m limit --limit 1/sec -j a';
    expect(visited(ICMP, odd, '-A FORWARD -j DROP', '-A a -j DROP').map((text) => text.split(': ')[1])).toEqual([
      'unknown',
      'unknown',
      'unknown',
    ]);
  });

  test('chains that jump in a ring end', () => {
    expect(visited(ICMP, '-A FORWARD -j a', '-A a -j b', '-A b -j a').length).toBeGreaterThan(0);
  });

  test('the policy decides what nothing took', () => {
    const { policies } = walk(dump('-A FORWARD -p tcp -j DROP'), ICMP);
    expect([...policies].map(([chain, answer]) => [chain.name, answer])).toEqual([['FORWARD', 'yes']]);
    expect(walk(dump('-A FORWARD -p icmp -j DROP'), ICMP).policies.size).toBe(0);
  });

  test('a packet of which we do not know the hooks may pass any', () => {
    const unknown: Packet = { family: 4, protocol: 'icmp', source: '10.0.0.2', destination: '10.0.0.6' };
    expect([...walk(dump('-A INPUT -j DROP', '-A FORWARD -j DROP'), unknown).rules.values()]).toEqual([
      'unknown',
      'unknown',
    ]);
  });
});

const condition = fc.constantFrom(
  '-s 10.0.0.0/24',
  '! -s 10.0.0.0/30',
  '-d 10.0.0.6/32',
  '! -d 10.0.0.6/32',
  '-i eth0',
  '! -i eth+',
  '-o eth2',
  '-p icmp',
  '! -p icmp',
  '-p tcp -m tcp --dport 22',
  '-p tcp -m tcp ! --dport 1:100',
  '-p icmp -m icmp --icmp-type 8',
  '-m state --state ESTABLISHED',
  '-m conntrack ! --ctstate NEW',
  '-m physdev --physdev-out tap0',
  '-m physdev ! --physdev-in eth+ --physdev-is-bridged',
);
const anyRule = fc
  .tuple(
    fc.constantFrom('FORWARD', 'FORWARD', 'a', 'b', 'c'),
    fc.uniqueArray(condition, { maxLength: 2, selector: (text) => /(?:-m |-)(\w+)/.exec(text)?.[1] }),
    fc.constantFrom('-j ACCEPT', '-j DROP', '-j RETURN', '-j a', '-j b', '-g c', '-j LOG'),
  )
  // Chains only lead to chains after them: a, b, c.
  .map(([chain, conditions, target]) => {
    const to = /[abc]$/.exec(target)?.[0];
    const safe = to !== undefined && chain.length === 1 && to <= chain ? '-j DROP' : target;
    return ['-A', chain, ...conditions, safe].join(' ');
  });
const packet = fc.record({
  family: fc.constant(4 as const),
  protocol: fc.constantFrom('icmp', 'tcp', 'udp'),
  source: fc.constantFrom('10.0.0.2', '10.0.0.9', '192.0.2.1'),
  destination: fc.constantFrom('10.0.0.6', '10.0.0.7'),
  sourcePort: fc.constantFrom(1024, 22),
  destinationPort: fc.constantFrom(22, 443),
  icmpType: fc.constantFrom(8, 0),
  in: fc.constantFrom('eth0', 'eth1', 'br0'),
  out: fc.constantFrom('eth1', 'eth2'),
  bridgeIn: fc.constantFrom('eth0', 'tap1'),
  bridgeOut: fc.constantFrom('tap0', 'tap1'),
  state: fc.constantFrom<'NEW' | 'ESTABLISHED'>('NEW', 'ESTABLISHED'),
  hooks: fc.constant(['FORWARD'] as const),
});
const FORGETTABLE = [
  'source',
  'destination',
  'destinationPort',
  'icmpType',
  'in',
  'out',
  'bridgeIn',
  'bridgeOut',
  'state',
] as const;

function forget(full: Packet, fields: readonly (typeof FORGETTABLE)[number][]): Packet {
  return Object.fromEntries(
    Object.entries(full).filter(([field]) => !fields.some((gone) => gone === field)),
  ) as unknown as Packet;
}

describe('what is not known', () => {
  test('of a packet that is wholly known everything is decided', () => {
    fc.assert(
      fc.property(fc.array(anyRule, { maxLength: 12 }), packet, (rules, full) => {
        expect([...walk(dump(...rules), full).rules.values()].every((answer) => answer === 'yes')).toBe(true);
      }),
    );
  });

  test('never turns into a wrong yes or no: knowing more only decides what was open', () => {
    fc.assert(
      fc.property(fc.array(anyRule, { maxLength: 12 }), packet, fc.subarray([...FORGETTABLE]), (rules, full, gone) => {
        const parsed = dump(...rules);
        const known = walk(parsed, full);
        const partial = walk(parsed, forget(full, gone));
        for (const rule of parsed.tables.flatMap(({ chains }) => chains.flatMap((chain) => chain.rules))) {
          const before = partial.rules.get(rule) ?? 'no';
          if (before !== 'unknown') expect(known.rules.get(rule) ?? 'no').toBe(before);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('an inverted match is the opposite of the match', () => {
    fc.assert(
      fc.property(
        packet,
        fc.subarray([...FORGETTABLE]),
        fc.constantFrom('-s 10.0.0.0/30', '-i eth+', '-p tcp', '-o eth1'),
        (full, gone, match) => {
          const [plain, inverted] = dump(`-A a ${match} -j DROP`, `-A a ! ${match} -j DROP`).tables.flatMap(
            ({ chains }) => chains.flatMap((chain) => chain.rules),
          ) as [IptablesRule, IptablesRule];
          const asked = forget(full, gone);
          const answers = [ruleMatches(plain, asked), ruleMatches(inverted, asked)].sort();
          expect([
            ['no', 'yes'],
            ['unknown', 'unknown'],
          ]).toContainEqual(answers);
        },
      ),
    );
  });
});
