import { describe, expect, test } from 'vitest';
import type { Probe, SecurityGroup } from '../../../src/path/secgroup/model.ts';
import { verdictOf } from '../../../src/path/secgroup/verdict.ts';
import {
  explainAllow,
  explainDeny,
  explainVerdict,
  nameOfProbe,
  nameOfRule,
} from '../../../src/path/secgroup/words.ts';
import { group, judge, ping, port, rule, ssh, ssh6 } from './groups.ts';

describe('near misses and words', () => {
  const deny = (probe: Probe, ...groups: SecurityGroup[]): string => {
    const verdict = judge(probe, ...groups);
    if (verdict.kind !== 'denied') throw new Error(verdict.kind);
    return explainDeny(verdict, probe).replace(/rule\d{4}/, 'ID');
  };
  const tcp22 = { protocol: 'tcp', portMin: 22, portMax: 22 } as const;

  test('a rule for other addresses', () => {
    const web = group('web', rule({ ...tcp22, remoteIpPrefix: '10.0.0.0/8' }));
    expect(deny({ ...ssh, remote: '192.0.2.1' }, web)).toBe(
      'no rule of web lets tcp/22 from 192.0.2.1 in; nearest: rule ID of web allows only tcp/22 from 10.0.0.0/8',
    );
  });

  test('a rule for members of a group that has none', () => {
    const web = group('web', rule({ ...tcp22, remoteGroupId: 'id-of-other' }));
    const verdict = verdictOf(ssh, port([web]), [web], () => []);
    expect(verdict.kind === 'denied' && explainDeny(verdict, ssh)).toMatch(
      /members of group id-of-ot, which has none$/,
    );
  });

  test('a rule for the other family, another port, another protocol, the other direction', () => {
    expect(deny(ssh, group('web', rule({ ...tcp22, ethertype: 'IPv6' })))).toMatch(/allows it for IPv6 only$/);
    expect(deny(ssh, group('web', rule({ protocol: 'tcp', portMin: 80, portMax: 90 })))).toMatch(
      /allows tcp\/80-90 from anywhere$/,
    );
    expect(deny(ssh, group('web', rule({ ...tcp22, protocol: 'udp' })))).toMatch(/allows udp\/22 from anywhere$/);
    expect(deny(ssh, group('web', rule({ ...tcp22, direction: 'egress' }), rule({ protocol: 'icmp' })))).toMatch(
      /allows it the other way, egress$/,
    );
  });

  test('a group without any rule for the direction', () => {
    expect(deny({ ...ssh, direction: 'egress' }, group('web', rule(tcp22), rule({ protocol: 'icmp' })))).toMatch(
      /^no rule of web lets tcp\/22 out; nearest/,
    );
    expect(deny(ssh, group('empty'))).toBe('no rule of empty lets tcp/22 in; group empty has no rule for anything in');
  });

  test('the default egress rules are no near miss of anything in', () => {
    expect(deny(ssh, group('a', rule({ direction: 'egress' })), group('b', rule({ protocol: 'icmp' })))).toBe(
      'no rule of a or b lets tcp/22 in; group a has no rule for anything in',
    );
  });

  test('the nearest miss comes first', () => {
    const web = group('web', rule({ ...tcp22, direction: 'egress' }), rule({ ...tcp22, remoteIpPrefix: '10.0.0.0/8' }));
    const verdict = judge({ ...ssh, remote: '192.0.2.1' }, web);
    expect(verdict.kind === 'denied' && verdict.because === 'no-rule' && verdict.misses.map(({ by }) => by)).toEqual([
      'remote',
      'direction',
    ]);
  });

  test('probes and rules are named as people name them', () => {
    expect(nameOfProbe(ping)).toBe('icmp');
    expect(nameOfProbe({ ...ping, icmpType: 3, icmpCode: 4 })).toBe('icmp type 3 code 4');
    expect(nameOfProbe({ ...ssh6, protocol: 'udp' })).toBe('udp/22 (IPv6)');
    expect(nameOfRule(rule())).toBe('every protocol from anywhere');
    expect(nameOfRule(rule({ protocol: 'icmp', portMin: 8, portMax: 0 }))).toBe('icmp type 8 code 0 from anywhere');
    expect(nameOfRule(rule({ direction: 'egress', ethertype: 'IPv6', remoteIpPrefix: '::/0' }))).toBe(
      'every protocol to anywhere (IPv6)',
    );
    expect(nameOfRule(rule({ remoteAddressGroupId: 'abcdefgh-1' }))).toBe('every protocol from address group abcdefgh');
  });

  test('exemptions say why', () => {
    const verdict = verdictOf(ssh, port([], { enabled: false }), []);
    expect(verdict.kind === 'allowed' && explainAllow(verdict, ssh)).toBe(
      'tcp/22 from anywhere allowed: port security is off',
    );
  });

  test('two groups that each do a part are both named', () => {
    const verdict = judge(
      ssh,
      group('low', rule({ remoteIpPrefix: '0.0.0.0/1' })),
      group('high', rule({ remoteIpPrefix: '128.0.0.0/1' })),
    );
    expect(explainVerdict(verdict, ssh)).toMatch(
      /allowed by group low \(rule rule\d+\) and group high \(rule rule\d+\)$/,
    );
  });
});
