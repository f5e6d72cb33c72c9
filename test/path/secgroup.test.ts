import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cidrContains } from '../../src/path/addresses.ts';
import {
  type ApiGroup,
  type ApiPort,
  explainAllow,
  explainDeny,
  explainVerdict,
  groupFromApi,
  membersFromPorts,
  nameOfProbe,
  nameOfRule,
  type PortSecurity,
  type Probe,
  portSecurityFromApi,
  protocolNumber,
  remedyAddressPair,
  remedyRule,
  type SecurityGroup,
  type SecurityGroupRule,
  type Verdict,
  verdictOf,
} from '../../src/path/secgroup.ts';

let serial = 0;
function rule(given: Partial<SecurityGroupRule> = {}): SecurityGroupRule {
  serial += 1;
  return {
    id: `rule${String(serial).padStart(4, '0')}-5205-47d9-9fb9-fffed51ce7ca`,
    direction: 'ingress',
    ethertype: 'IPv4',
    protocol: null,
    portMin: null,
    portMax: null,
    remoteIpPrefix: null,
    remoteGroupId: null,
    ...given,
  };
}

const group = (name: string, ...rules: SecurityGroupRule[]): SecurityGroup => ({ id: `id-of-${name}`, name, rules });

function port(groups: readonly SecurityGroup[], given: Partial<PortSecurity> = {}): PortSecurity {
  return {
    enabled: true,
    groups: groups.map(({ id }) => id),
    allowedAddressPairs: [],
    fixedIps: ['10.0.0.6', 'fd00::6'],
    mac: 'fa:16:3e:74:89:ef',
    ...given,
  };
}

const ping: Probe = { protocol: 'icmp', family: 4, direction: 'ingress', icmpType: 8, icmpCode: 0 };
const ssh: Probe = { protocol: 'tcp', family: 4, direction: 'ingress', port: 22 };
const ssh6: Probe = { ...ssh, family: 6 };

const judge = (probe: Probe, ...groups: SecurityGroup[]): Verdict => verdictOf(probe, port(groups), groups);

describe('what rules let through', () => {
  test('the real rules of the group web: ping, ssh and http from anywhere in, everything out, nothing else in', () => {
    const { security_groups: apiGroups } = sample<{ security_groups: ApiGroup[] }>('security-groups');
    const { ports: apiPorts } = sample<{ ports: (ApiPort & { id: string })[] }>('ports');
    const groups = apiGroups.map(groupFromApi);
    const web = portSecurityFromApi(apiPorts.find(({ id }) => id.startsWith('789390a7')) ?? nothing('port'));
    const kinds = (probe: Probe): string => verdictOf(probe, web, groups).kind;
    expect(kinds(ping)).toBe('allowed');
    expect(kinds(ssh)).toBe('allowed');
    expect(kinds({ ...ssh, port: 80 })).toBe('allowed');
    expect(kinds({ ...ssh, port: 443 })).toBe('denied');
    expect(kinds(ssh6)).toBe('denied');
    expect(kinds({ ...ssh, direction: 'egress', port: 443 })).toBe('allowed');
    expect(kinds({ ...ssh6, direction: 'egress' })).toBe('allowed');
    expect(explainVerdict(verdictOf(ping, web, groups), ping)).toBe(
      'icmp from anywhere allowed by group web (rule e4465c0f)',
    );
  });

  test('a port of Neutron itself is not filtered', () => {
    const { ports } = sample<{ ports: (ApiPort & { id: string })[] }>('ports');
    const dhcp = portSecurityFromApi(ports.find(({ id }) => id.startsWith('67b3d47a')) ?? nothing('port'));
    expect(verdictOf(ssh, dhcp, [])).toMatchObject({ kind: 'allowed', exemption: 'port-security-off' });
  });

  test.each<[SecurityGroupRule['protocol'], 4 | 6, number | 'any' | undefined]>([
    ['tcp', 4, 6],
    ['TCP', 4, 6],
    [6, 4, 6],
    ['6', 4, 6],
    [null, 4, 'any'],
    ['any', 4, 'any'],
    ['0', 4, 'any'],
    ['icmp', 4, 1],
    ['icmp', 6, 58],
    ['1', 6, 58],
    ['icmpv6', 6, 58],
    ['ipv6-icmp', 6, 58],
    [58, 6, 58],
    ['58', 4, 58],
    ['vrrp', 4, undefined],
  ])('protocol %s of an IPv%i rule is number %s', (protocol, family, number) => {
    expect(protocolNumber(protocol, family)).toBe(number);
  });

  test('null and 0.0.0.0/0 both mean anywhere', () => {
    for (const remoteIpPrefix of [null, '0.0.0.0/0', '128.0.0.0/0']) {
      const verdict = judge(ssh, group('web', rule({ protocol: 'tcp', portMin: 22, portMax: 22, remoteIpPrefix })));
      expect(verdict, String(remoteIpPrefix)).toMatchObject({ kind: 'allowed', extent: 'whole' });
    }
  });

  test('the ports of an ICMP rule are its type and code', () => {
    const echo = group('web', rule({ protocol: 'icmp', portMin: 8, portMax: 0 }));
    expect(judge(ping, echo)).toMatchObject({ kind: 'allowed', extent: 'whole' });
    expect(judge({ ...ping, icmpType: 3, icmpCode: 4 }, echo).kind).toBe('denied');
    expect(judge({ protocol: 'icmp', family: 4, direction: 'ingress' }, echo)).toMatchObject({ extent: 'part' });
    const unreachable = group('web', rule({ protocol: 'icmp', portMin: 3 }));
    expect(judge({ ...ping, icmpType: 3, icmpCode: 4 }, unreachable)).toMatchObject({ extent: 'whole' });
  });

  test('two halves of the address space make the whole', () => {
    const halves = group('web', rule({ remoteIpPrefix: '0.0.0.0/1' }), rule({ remoteIpPrefix: '128.0.0.0/1' }));
    const verdict = judge(ssh, halves);
    expect(verdict).toMatchObject({ kind: 'allowed', extent: 'whole' });
    expect(verdict.kind === 'allowed' && verdict.because === 'rules' && verdict.by).toHaveLength(2);
  });

  test('a rule for a part of what was asked allows a part', () => {
    const verdict = judge(ssh, group('web', rule({ protocol: 'tcp', remoteIpPrefix: '10.0.0.0/8' })));
    expect(verdict).toMatchObject({ kind: 'allowed', extent: 'part' });
    expect(explainVerdict(verdict, ssh)).toMatch(
      /^tcp\/22 from anywhere allowed only in part by group web \(rule rule\d+\): tcp from 10\.0\.0\.0\/8$/,
    );
  });

  test('a remote group lets in the addresses of its ports and their allowed address pairs', () => {
    const web = group('web', rule({ protocol: 'tcp', remoteGroupId: 'id-of-web' }));
    const members = membersFromPorts([
      port([web]),
      port([web], { fixedIps: ['10.0.0.7'], allowedAddressPairs: [{ ip: '10.0.9.0/24' }] }),
    ]);
    const from = (remote: string): Verdict => verdictOf({ ...ssh, remote }, port([web]), [web], members);
    expect(from('10.0.0.7').kind).toBe('allowed');
    expect(from('10.0.9.200').kind).toBe('allowed');
    expect(from('10.0.0.8').kind).toBe('denied');
  });

  test('without its members a remote group leaves the verdict open, unless another rule decides', () => {
    const remote = rule({ protocol: 'tcp', remoteGroupId: 'other' });
    expect(judge(ssh, group('web', remote))).toMatchObject({ kind: 'depends', on: [{ rule: remote }], surely: [] });
    expect(judge(ssh, group('web', remote, rule({ protocol: 'tcp' }))).kind).toBe('allowed');
    expect(judge({ ...ssh, protocol: 'udp' }, group('web', remote)).kind).toBe('denied');
    const verdict = judge(ssh, group('web', remote));
    expect(explainVerdict(verdict, ssh)).toBe(
      'tcp/22 from anywhere depends on tcp from members of group other (group web)',
    );
  });

  test('a group of the port whose rules were not given leaves the verdict open', () => {
    const verdict = verdictOf(ssh, port([], { groups: ['unseen'] }), []);
    expect(verdict).toMatchObject({ kind: 'depends', unseenGroups: ['unseen'] });
  });

  test('the rules of all groups of the port count, those of other groups do not', () => {
    const web = group('web', rule({ protocol: 'icmp' }));
    const admin = group('admin', rule({ protocol: 'tcp', portMin: 22, portMax: 22 }));
    expect(judge(ssh, web, admin).kind).toBe('allowed');
    expect(verdictOf(ssh, port([web]), [web, admin]).kind).toBe('denied');
  });
});

describe('what Neutron lets through or stops by itself', () => {
  const empty = group('empty');

  test('nothing passes a port without a group while port security is on', () => {
    expect(verdictOf(ssh, port([]), [])).toEqual({ kind: 'denied', because: 'no-group' });
    expect(verdictOf({ ...ssh, direction: 'egress' }, port([]), []).kind).toBe('denied');
  });

  test('DHCP of the port passes even then, in both families', () => {
    for (const family of [4, 6] as const) {
      const [client, server] = family === 4 ? [68, 67] : [546, 547];
      const base = { protocol: 'udp', family } as const;
      const out: Probe = { ...base, direction: 'egress', port: server, sourcePort: client };
      const back: Probe = { ...base, direction: 'ingress', port: client, sourcePort: server };
      expect(verdictOf(out, port([]), [])).toMatchObject({ kind: 'allowed', exemption: 'dhcp' });
      expect(verdictOf(back, port([]), [])).toMatchObject({ kind: 'allowed', exemption: 'dhcp' });
      expect(verdictOf({ ...back, direction: 'egress' }, port([]), [])).toMatchObject({ because: 'dhcp-server' });
    }
  });

  test('replies of tracked connections pass, unless the group is stateless', () => {
    const reply = { ...ssh, reply: true };
    expect(judge(reply, empty)).toMatchObject({ kind: 'allowed', exemption: 'reply' });
    expect(judge(reply, { ...empty, stateful: false }).kind).toBe('denied');
  });

  test('neighbour discovery passes, router advertisements pass in but never out', () => {
    const nd: Probe = { protocol: 'icmp', family: 6, direction: 'ingress', icmpType: 135 };
    expect(judge(nd, empty)).toMatchObject({ kind: 'allowed', exemption: 'neighbour-discovery' });
    expect(judge({ ...nd, icmpType: 134 }, empty).kind).toBe('allowed');
    const everything = group('open', rule({ direction: 'egress', ethertype: 'IPv6' }));
    expect(judge({ ...nd, icmpType: 134, direction: 'egress' }, everything)).toMatchObject({
      because: 'router-advertisement',
    });
    expect(judge({ ...nd, icmpType: 128 }, empty).kind).toBe('denied');
  });

  test('a source that is not the port’s is stopped whatever the rules say, unless it is an allowed pair', () => {
    const open = group('open', rule({ direction: 'egress' }));
    const out: Probe = { ...ssh, direction: 'egress', local: '10.0.0.99' };
    const verdict = judge(out, open);
    expect(verdict).toEqual({ kind: 'denied', because: 'spoofed', source: '10.0.0.99' });
    expect(judge({ ...out, local: '10.0.0.6' }, open).kind).toBe('allowed');
    expect(judge({ ...out, local: '10.0.0.6', localMac: 'fa:16:3e:00:00:01' }, open).kind).toBe('denied');
    const withPair = port([open], { allowedAddressPairs: [{ ip: '10.0.0.96/28' }] });
    expect(verdictOf(out, withPair, [open]).kind).toBe('allowed');
    const withMac = port([open], { allowedAddressPairs: [{ ip: '10.0.0.99', mac: 'fa:16:3e:00:00:01' }] });
    expect(verdictOf(out, withMac, [open]).kind).toBe('denied');
    expect(verdictOf({ ...out, localMac: 'FA:16:3E:00:00:01' }, withMac, [open]).kind).toBe('allowed');
  });
});

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

describe('remedies', () => {
  test('the rule that is missing, as a command for the openstack client', () => {
    expect(remedyRule({ ...ssh, remote: '10.0.0.0/8' }, { id: 'gid' })).toEqual(
      'openstack security group rule create --ingress --protocol tcp --dst-port 22 --remote-ip 10.0.0.0/8 gid'.split(
        ' ',
      ),
    );
    expect(remedyRule({ protocol: 'icmp', family: 6, direction: 'egress', icmpType: 128 }, { id: 'gid' })).toEqual(
      'openstack security group rule create --egress --ethertype IPv6 --protocol ipv6-icmp --icmp-type 128 gid'.split(
        ' ',
      ),
    );
    expect(remedyAddressPair('pid', '10.0.0.99')).toContain('ip-address=10.0.0.99');
  });

  test('with the rule of the remedy the probe is let through', () => {
    fc.assert(
      fc.property(anyProbe, (probe) => {
        const argv = remedyRule(probe, { id: 'gid' });
        const option = (name: string): string | undefined => argv[argv.indexOf(name) + 1];
        const has = (name: string): boolean => argv.includes(name);
        const port0 = has('--dst-port') ? Number(option('--dst-port')) : null;
        const made = rule({
          direction: has('--ingress') ? 'ingress' : 'egress',
          ethertype: option('--ethertype') === 'IPv6' && has('--ethertype') ? 'IPv6' : 'IPv4',
          protocol: option('--protocol') ?? null,
          portMin: has('--icmp-type') ? Number(option('--icmp-type')) : port0,
          portMax: has('--icmp-code') ? Number(option('--icmp-code')) : port0,
          remoteIpPrefix: has('--remote-ip') ? (option('--remote-ip') ?? null) : null,
        });
        expect(judge(probe, group('web', made))).toMatchObject({ kind: 'allowed', extent: 'whole' });
      }),
    );
  });
});

// Brute force: a small world where every packet can be tried by itself.

const prefixes = ['10.0.0.0/30', '10.0.0.4/31', '10.0.0.5/32', '10.0.0.0/24', '0.0.0.0/1', '128.0.0.0/1', '0.0.0.0/0'];
const groupMembers: Record<string, readonly string[]> = {
  empty: [],
  few: ['10.0.0.1', '10.0.0.6'],
  net: ['10.0.0.4/30'],
};
const smallPort = fc.integer({ min: 1, max: 5 });
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
const anyProbe: fc.Arbitrary<Probe> = fc
  .record({
    protocol: fc.constantFrom<'tcp' | 'udp' | 'icmp'>('tcp', 'udp', 'icmp'),
    direction: fc.constantFrom<'ingress' | 'egress'>('ingress', 'egress'),
    port: fc.option(fc.integer({ min: 1, max: 7 }), { nil: undefined }),
    remote: fc.option(fc.constantFrom(...prefixes, '10.0.0.2', '192.0.2.1'), { nil: undefined }),
  })
  .map(({ protocol, direction, port: number, remote }) => ({
    protocol,
    direction,
    family: 4 as const,
    ...(number === undefined ? {} : protocol === 'icmp' ? { icmpType: number, icmpCode: 0 } : { port: number }),
    ...(remote === undefined ? {} : { remote }),
  }));

/** Every kind of packet of the small world that the probe asks about. */
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

function sample<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`./firewall/samples/lb/api/${name}.json`, import.meta.url), 'utf8')) as T;
}

function nothing(what: string): never {
  throw new Error(`no ${what} in the sample`);
}
