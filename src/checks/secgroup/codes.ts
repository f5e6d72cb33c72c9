import type { FindingSpec } from '../../engine/finding.ts';

const refs = ['https://docs.openstack.org/neutron/latest/admin/archives/adv-features.html#security-groups'];

export const denied: FindingSpec = {
  code: 'OSD-SG-001',
  severity: 'error',
  nature: 'cause',
  title: 'No security group rule lets the traffic in',
  meaning: "Port security drops whatever no rule of the port's groups allows; none allows what was asked about.",
  evidence: "the rules of the port's security groups.",
  mend: 'Add a rule for the traffic that is wanted.',
  explains: [
    { code: 'OSD-PING-*', over: ['port'] },
    { code: 'OSD-PATH-*', over: ['port'] },
  ],
  refs,
};

export const deniedOut: FindingSpec = {
  code: 'OSD-SG-002',
  severity: 'warning',
  nature: 'cause',
  title: 'No security group rule lets traffic out',
  meaning:
    'The groups have no egress rule that lets the instance open connections itself; a group made without the two default egress rules does that.',
  evidence: "the egress rules of the port's security groups.",
  mend: 'Add an egress rule, or the default ones.',
  explains: [
    { code: 'OSD-CONSOLE-003', over: ['instance'] },
    { code: 'OSD-PATH-009', over: ['port'] },
  ],
  refs,
};

export const notOnNode: FindingSpec = {
  code: 'OSD-SG-003',
  severity: 'error',
  nature: 'cause',
  title: 'The firewall does not have the rules that the API has',
  meaning:
    "The agent (or, on OVN, the Northbound) does not have the port's security group rules: packets that Neutron allows are dropped, or the other way round.",
  evidence: "the rules of the API against the port's chains (iptables) or flows (OVS) on its host.",
  mend: 'Restart the L2 agent of the host: it writes the rules again. Look at its log for why it did not. On OVN put the ACLs and memberships back that are named.',
  explains: [
    { code: 'OSD-PING-*', over: ['port'] },
    { code: 'OSD-PATH-*', over: ['port'] },
    { code: 'OSD-CONSOLE-001', over: ['instance'] },
    { code: 'OSD-OVN-040', over: ['port'] },
    { code: 'OSD-OVN-060', over: ['port'] },
    { code: 'OSD-OVN-063', over: ['port'] },
    { code: 'OSD-OVN-065', over: ['port'] },
  ],
  refs,
};

export const notEnforced: FindingSpec = {
  code: 'OSD-SG-004',
  severity: 'error',
  nature: 'cause',
  title: 'Security groups are configured and not enforced',
  meaning:
    "The rules stand on the node, but packets never meet them: bridged traffic does not pass iptables, nothing leads it to the port's chain, or a rule made by hand accepts it before. What the API forbids gets through.",
  evidence: "net.bridge.bridge-nf-call-iptables, the jumps to the port's chains, and what stands before them.",
  mend: 'Load br_netfilter and set the sysctl to 1, for good (sysctl.d); restart the L2 agent when the jump is missing.',
  explains: [],
  refs: ['https://bugs.launchpad.net/neutron/+bug/1622914'],
};

export const securityOff: FindingSpec = {
  code: 'OSD-SG-005',
  severity: 'info',
  nature: 'symptom',
  title: 'Port security is off',
  meaning: 'Nothing filters this port: everything gets in and out, and any address may be used.',
  evidence: 'port_security_enabled of the port.',
  mend: 'Nothing, when it is meant so.',
  explains: [],
  refs,
};
