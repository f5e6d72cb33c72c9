import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type ApiGroup,
  type ApiPort,
  groupFromApi,
  membersFromPorts,
  portSecurityFromApi,
} from '../../../src/path/secgroup/from-api.ts';
import type { Probe, SecurityGroupRule, Verdict } from '../../../src/path/secgroup/model.ts';
import { protocolNumber } from '../../../src/path/secgroup/rule.ts';
import { verdictOf } from '../../../src/path/secgroup/verdict.ts';
import { explainVerdict } from '../../../src/path/secgroup/words.ts';
import { group, judge, ping, port, rule, ssh, ssh6 } from './groups.ts';

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

function sample<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../firewall/samples/lb/api/${name}.json`, import.meta.url), 'utf8')) as T;
}

function nothing(what: string): never {
  throw new Error(`no ${what} in the sample`);
}
