import fc from 'fast-check';
import type {
  PortSecurity,
  Probe,
  SecurityGroup,
  SecurityGroupRule,
  Verdict,
} from '../../../src/path/secgroup/model.ts';
import { verdictOf } from '../../../src/path/secgroup/verdict.ts';

/** A rule for every IPv4 packet to the instance. */
export const everythingIn: Omit<SecurityGroupRule, 'id'> = {
  direction: 'ingress',
  ethertype: 'IPv4',
  protocol: null,
  portMin: null,
  portMax: null,
  remoteIpPrefix: null,
  remoteGroupId: null,
};

let serial = 0;
export function rule(given: Partial<SecurityGroupRule> = {}): SecurityGroupRule {
  serial += 1;
  return {
    id: `rule${String(serial).padStart(4, '0')}-5205-47d9-9fb9-fffed51ce7ca`,
    ...everythingIn,
    ...given,
  };
}

export const group = (name: string, ...rules: SecurityGroupRule[]): SecurityGroup => ({
  id: `id-of-${name}`,
  name,
  rules,
});

export function port(groups: readonly SecurityGroup[], given: Partial<PortSecurity> = {}): PortSecurity {
  return {
    enabled: true,
    groups: groups.map(({ id }) => id),
    allowedAddressPairs: [],
    fixedIps: ['10.0.0.6', 'fd00::6'],
    mac: 'fa:16:3e:74:89:ef',
    ...given,
  };
}

export const ping: Probe = { protocol: 'icmp', family: 4, direction: 'ingress', icmpType: 8, icmpCode: 0 };
export const ssh: Probe = { protocol: 'tcp', family: 4, direction: 'ingress', port: 22 };
export const ssh6: Probe = { ...ssh, family: 6 };

export const judge = (probe: Probe, ...groups: SecurityGroup[]): Verdict => verdictOf(probe, port(groups), groups);

// A small world where every packet can be tried by itself.

export const prefixes = [
  '10.0.0.0/30',
  '10.0.0.4/31',
  '10.0.0.5/32',
  '10.0.0.0/24',
  '0.0.0.0/1',
  '128.0.0.0/1',
  '0.0.0.0/0',
];
export const smallPort = fc.integer({ min: 1, max: 5 });

export const anyProbe: fc.Arbitrary<Probe> = fc
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
