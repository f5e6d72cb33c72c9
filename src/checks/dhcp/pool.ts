import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { byOperator, findingOf } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import { addressUse } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { portScope, verifyWith } from '../scope.ts';
import { poolExhausted } from './codes.ts';

const optional = { use: addressUse };

export default defineCheck<Io, PortSubject, Record<string, never>, typeof optional>({
  id: 'dhcp.pool',
  per: 'port',
  title: 'The network has addresses left',
  needs: {},
  optional,
  findings: [poolExhausted],
  judge: ({ subject, maybe }) => {
    if (!maybe.use.ok) {
      const { error } = maybe.use;
      // An extension that ordinary tenants may not call and some clouds do not load: nothing the walk leans on.
      return error.kind === 'forbidden' || error.kind === 'not-found'
        ? skipped('the use of addresses is hidden from these credentials')
        : blocked(error);
    }
    const use = maybe.use.value.value;
    const [evidence] = maybe.use.value.evidence;
    if (evidence === undefined) throw new Error('address use without evidence');
    const findings = use.subnet_ip_availability
      .filter((s) => s.total_ips > 0 && s.used_ips >= s.total_ips)
      .map(
        (s): Finding =>
          findingOf(poolExhausted, {
            summary: `Subnet ${s.subnet_name || s.cidr} (${s.cidr}) has no address left: ${s.used_ips} of ${s.total_ips} are used`,
            subject: `subnet ${s.cidr}`,
            scope: portScope(subject),
            evidence: [showing(evidence, `${s.cidr}: used ${s.used_ips} of ${s.total_ips}`)],
            remedies: [
              {
                title: 'widen the allocation pool, add a subnet, or free ports',
                risk: 'none',
                sufficient: false,
                steps: [
                  byOperator(['openstack', 'port', 'list', '--network', subject.port.value.network_id, '--long']),
                ],
              },
            ],
            verify: verifyWith('dhcp', subject),
          }),
      );
    const words = use.subnet_ip_availability.map((s) => `${s.used_ips} of ${s.total_ips} addresses used`);
    return judged(findings, words.join(', '), [evidence], ['address pool']);
  },
});
