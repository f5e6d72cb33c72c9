import { defineCheck, judged } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { byOperator, findingOf } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import { portItself, portSubnets } from '../../facts/port-api.ts';
import { type PortSubject, shortId } from '../../facts/subject.ts';
import { cidrContains } from '../../path/addresses.ts';
import { ownerName, portScope, verifyWith } from '../scope.ts';
import { badAddress } from './codes.ts';

const needs = { port: portItself, subnets: portSubnets };

export default defineCheck<Io, PortSubject, typeof needs>({
  id: 'port.addresses',
  per: 'port',
  title: "The port's addresses lie in their subnets",
  needs,
  findings: [badAddress],
  judge: ({ subject, facts }) => {
    const p = facts.port.value;
    const [evidence] = facts.port.evidence;
    if (evidence === undefined) throw new Error('a port without evidence');
    const subnets = new Map(facts.subnets.value.map((s) => [s.id, s]));
    const verify = verifyWith('port', subject);
    const findings: Finding[] = [];
    if (p.fixed_ips.length === 0 && subnets.size > 0) {
      findings.push(
        findingOf(badAddress, {
          summary: `Port ${shortId(p.id)} of ${ownerName(subject)} has no fixed address, though its network has subnets`,
          subject: `port ${shortId(p.id)}`,
          scope: portScope(subject),
          severity: p.port_security_enabled === false ? 'info' : 'error',
          evidence: [showing(evidence, 'fixed_ips []')],
          remedies: [
            {
              title: 'give it an address',
              risk: 'none',
              sufficient: true,
              steps: [
                byOperator(['openstack', 'port', 'set', '--fixed-ip', `subnet=${[...subnets.keys()][0] ?? ''}`, p.id]),
              ],
            },
          ],
          verify,
        }),
      );
    }
    for (const fixed of p.fixed_ips) {
      const subnet = subnets.get(fixed.subnet_id);
      if (subnet === undefined || cidrContains(subnet.cidr, fixed.ip_address)) continue;
      findings.push(
        findingOf(badAddress, {
          summary: `${fixed.ip_address} of port ${shortId(p.id)} lies outside its subnet ${subnet.cidr}`,
          subject: `port ${shortId(p.id)}`,
          scope: portScope(subject),
          evidence: [showing(evidence, `${fixed.ip_address} in subnet ${subnet.name ?? subnet.id} ${subnet.cidr}`)],
          remedies: [
            {
              title: 'give it an address of the subnet instead',
              risk: 'disruptive',
              sufficient: true,
              steps: [
                byOperator(['openstack', 'port', 'unset', '--fixed-ip', `ip-address=${fixed.ip_address}`, p.id]),
                byOperator(['openstack', 'port', 'set', '--fixed-ip', `subnet=${subnet.id}`, p.id]),
              ],
            },
          ],
          verify,
        }),
      );
    }
    const where = p.fixed_ips.map((f) => {
      const subnet = subnets.get(f.subnet_id);
      return subnet === undefined ? f.ip_address : `${f.ip_address} in ${subnet.cidr}`;
    });
    const options = (p.extra_dhcp_opts ?? []).map((o) => `${o.opt_name}=${o.opt_value ?? ''}`);
    const note = `${where.join(', ') || 'no address'}, ${p.mac_address}${options.length === 0 ? '' : `, DHCP options ${options.join(' ')}`}`;
    return judged(findings, note, facts.port.evidence);
  },
});
