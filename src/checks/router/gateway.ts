import { defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { advice, byOperator, findingOf } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import { floatingIps, portSubnets, servingRouters } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { sameAddress } from '../../path/addresses.ts';
import { portScope, verifyWith } from '../scope.ts';
import { notTheGateway } from './codes.ts';

const needs = { routers: servingRouters, subnets: portSubnets, floating: floatingIps };

export default defineCheck<Io, PortSubject, typeof needs>({
  id: 'router.gateway',
  per: 'port',
  title: 'The router of its floating addresses is the gateway of its subnet',
  families: ['agents', 'routed'],
  needs,
  findings: [notTheGateway],
  judge: ({ subject, facts }) => {
    const floating = facts.floating.value.filter((f) => f.router_id && f.fixed_ip_address);
    if (floating.length === 0) return skipped('the port has no floating address');
    const findings: Finding[] = [];
    const [evidence] = facts.subnets.evidence;
    for (const f of floating) {
      const serving = facts.routers.value.find((r) => r.router.id === f.router_id);
      const fixed = subject.port.value.fixed_ips.find((x) => x.ip_address === f.fixed_ip_address);
      const subnet = facts.subnets.value.find((s) => s.id === fixed?.subnet_id);
      const gateway = subnet?.gateway_ip;
      if (serving === undefined || subnet === undefined || !gateway || evidence === undefined) continue;
      const held = facts.routers.value.some((r) =>
        r.insides.some((i) => i.fixed_ips.some((x) => sameAddress(x.ip_address, gateway))),
      );
      const own = serving.insides.flatMap((i) => i.fixed_ips).find((x) => x.subnet_id === subnet.id)?.ip_address;
      // Host routes may lead instances past the gateway.
      const past = (subnet.host_routes ?? []).some((r) => own !== undefined && sameAddress(r.nexthop, own));
      if (held || own === undefined || past) continue;
      findings.push(
        findingOf(notTheGateway, {
          summary: `Instances of ${subnet.cidr} send what leaves it to ${gateway}, which no router has; ${serving.router.name}, which holds ${f.floating_ip_address}, is ${own} there`,
          subject: `gateway ${gateway} of ${subnet.cidr}`,
          scope: portScope(subject, { router: [serving.router.id] }),
          evidence: [showing(evidence, `gateway_ip ${gateway}; ${serving.router.name} has ${own} on ${subnet.cidr}`)],
          remedies: [
            {
              title: 'make the two the same',
              risk: 'disruptive',
              sufficient: false,
              steps: [
                byOperator(['openstack', 'subnet', 'set', '--gateway', own, subnet.id]),
                advice(
                  `then let the instances renew their leases; or give ${serving.router.name} a port with ${gateway}`,
                ),
              ],
            },
          ],
          verify: verifyWith('router', subject),
        }),
      );
    }
    return judged(findings, '', facts.subnets.evidence);
  },
});
