import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { remedyAddressPair, remedyRule } from '../../../src/path/secgroup/remedies.ts';
import { anyProbe, group, judge, rule, ssh } from './groups.ts';

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
