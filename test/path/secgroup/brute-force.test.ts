import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cidrContains } from '../../../src/path/addresses.ts';
import type { Probe, SecurityGroupRule } from '../../../src/path/secgroup/model.ts';
import { verdictOf } from '../../../src/path/secgroup/verdict.ts';
import { anyProbe, group, judge, port, prefixes, rule, smallPort, ssh } from './groups.ts';

const groupMembers: Record<string, readonly string[]> = {
  empty: [],
  few: ['10.0.0.1', '10.0.0.6'],
  net: ['10.0.0.4/30'],
};

const smallRule: fc.Arbitrary<SecurityGroupRule> = fc
  .record({
    direction: fc.constantFrom<'ingress' | 'egress'>('ingress', 'egress'),
    ethertype: fc.constantFrom<'IPv4' | 'IPv6'>('IPv4', 'IPv4', 'IPv6'),
    protocol: fc.constantFrom('tcp', 'udp', '6', 'icmp', null),
    ports: fc.option(fc.tuple(smallPort, smallPort)),
    remote: fc.option(fc.constantFrom(...prefixes)),
    remoteGroup: fc.option(fc.constantFrom('empty', 'few', 'net')),
  })
  .map(({ ports, remote, remoteGroup, ...rest }) =>
    rule({
      ...rest,
      portMin: ports && rest.protocol ? Math.min(...ports) : null,
      portMax: ports && rest.protocol ? Math.max(...ports) : null,
      remoteIpPrefix: remoteGroup ? null : remote,
      remoteGroupId: remoteGroup,
    }),
  );

function packetsOf(probe: Probe): readonly { remote: string; port: number; code: number }[] {
  const remotes = [
    '10.0.0.0',
    '10.0.0.1',
    '10.0.0.2',
    '10.0.0.3',
    '10.0.0.4',
    '10.0.0.5',
    '10.0.0.6',
    '10.0.0.7',
    '10.0.0.8',
    '10.0.1.0',
    '192.0.2.1',
  ];
  const asked = remotes.filter((remote) => cidrContains(probe.remote ?? '0.0.0.0/0', remote));
  const fixed = probe.protocol === 'icmp' ? probe.icmpType : probe.port;
  const ports = fixed === undefined ? [1, 2, 3, 4, 5, 6, 255] : [fixed];
  const codes = probe.protocol === 'icmp' && fixed === undefined ? [0, 1, 2, 3, 4, 5, 6] : [0];
  return asked.flatMap((remote) => ports.flatMap((p) => codes.map((code) => ({ remote, port: p, code }))));
}

function lets(r: SecurityGroupRule, probe: Probe, packet: { remote: string; port: number; code: number }): boolean {
  if (r.direction !== probe.direction || r.ethertype !== 'IPv4') return false;
  const names: Record<string, readonly unknown[]> = {
    tcp: ['tcp', '6', null],
    udp: ['udp', null],
    icmp: ['icmp', null],
  };
  if (!names[probe.protocol]?.includes(r.protocol)) return false;
  if (r.protocol === 'icmp') {
    if (r.portMin !== null && packet.port !== r.portMin) return false;
    if (r.portMin !== null && r.portMax !== null && packet.code !== r.portMax) return false;
  } else if (r.portMin !== null && r.portMax !== null && (packet.port < r.portMin || packet.port > r.portMax))
    return false;
  const remotes = r.remoteGroupId ? (groupMembers[r.remoteGroupId] ?? []) : [r.remoteIpPrefix ?? '0.0.0.0/0'];
  return remotes.some((remote) => cidrContains(remote, packet.remote));
}

describe('against brute force', () => {
  test('the verdict is what trying every packet finds', () => {
    fc.assert(
      fc.property(fc.array(smallRule, { maxLength: 6 }), anyProbe, (rules, probe) => {
        const groups = [group('one', ...rules.slice(0, 3)), group('two', ...rules.slice(3))];
        const verdict = verdictOf(probe, port(groups), groups, (id) => groupMembers[id]);
        const passed = packetsOf(probe).map((packet) => rules.some((r) => lets(r, probe, packet)));
        const expected = passed.every(Boolean) ? 'whole' : passed.some(Boolean) ? 'part' : 'none';
        const found = verdict.kind === 'allowed' ? verdict.extent : verdict.kind === 'denied' ? 'none' : verdict.kind;
        expect(found).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test('a rule that is named does take part', () => {
    fc.assert(
      fc.property(fc.array(smallRule, { minLength: 1, maxLength: 6 }), anyProbe, (rules, probe) => {
        const groups = [group('one', ...rules)];
        const verdict = verdictOf(probe, port(groups), groups, (id) => groupMembers[id]);
        fc.pre(verdict.kind === 'allowed' && verdict.because === 'rules');
        if (verdict.kind !== 'allowed' || verdict.because !== 'rules') return;
        for (const { rule: named } of verdict.by) {
          expect(packetsOf(probe).some((packet) => lets(named, probe, packet))).toBe(true);
        }
      }),
    );
  });

  test('adding a rule never shuts out what was let in', () => {
    fc.assert(
      fc.property(fc.array(smallRule, { maxLength: 4 }), smallRule, anyProbe, (rules, more, probe) => {
        fc.pre(judge(probe, group('g', ...rules)).kind !== 'denied');
        expect(judge(probe, group('g', ...rules, more)).kind).not.toBe('denied');
      }),
    );
  });

  test('a remote of the wrong family is a mistake of the caller', () => {
    expect(() => judge({ ...ssh, remote: 'fd00::1' }, group('web', rule()))).toThrow(TypeError);
  });
});
