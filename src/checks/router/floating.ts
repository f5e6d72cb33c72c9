import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding } from '../../engine/finding.ts';
import { type Io, showing } from '../../facts/io.ts';
import { floatingIps } from '../../facts/port-api.ts';
import { routersOnHosts } from '../../facts/router.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { type IptablesRule, iptablesRules } from '../../nodes/parse/iptables.ts';
import { sameAddress, sameCidr } from '../../path/addresses.ts';
import { floatingDown, natMissing } from './codes.ts';
import { restartL3, routerFinding, shouldStand } from './judge-router.ts';

const needs = { routers: routersOnHosts, floating: floatingIps };

/** Neutron's chains hold the mapping (neutron/agent/l3/router_info.py floating_forward_rules); jumps are followed by name. */
const maps = (rules: readonly IptablesRule[], floating: string, fixed: string) => ({
  dnat: rules.some(
    (r) =>
      r.table === 'nat' &&
      r.target === 'DNAT' &&
      r.destination !== undefined &&
      sameCidr(r.destination, floating) &&
      r.raw.includes(fixed),
  ),
  snat: rules.some(
    (r) =>
      r.table === 'nat' &&
      r.target === 'SNAT' &&
      r.source !== undefined &&
      sameCidr(r.source, fixed) &&
      r.raw.includes(floating),
  ),
});

export default defineCheck<Io, PortSubject, typeof needs>({
  id: 'router.floating',
  per: 'port',
  title: 'Floating addresses are mapped both ways',
  families: ['agents', 'routed'],
  needs,
  findings: [natMissing, floatingDown],
  judge: ({ subject, facts }) => {
    if (facts.floating.value.length === 0) return skipped('the port has no floating address');
    const [apiEvidence] = facts.floating.evidence;
    if (apiEvidence === undefined) throw new Error('floating addresses without evidence');
    const findings: Finding[] = [];
    const notes: string[] = [];
    let blind: FactFailure | undefined;
    for (const f of facts.floating.value) {
      const router = facts.routers.value.find((r) => r.serving.router.id === f.router_id);
      const fixed = f.fixed_ip_address;
      if (router === undefined || !fixed || !shouldStand(router) || router.host === undefined) continue;
      if (router.exists?.ok === true && !router.exists.value.value) continue;
      const { iptables, addresses, host } = router;
      if (iptables === undefined || addresses === undefined) continue;
      if (!iptables.ok) {
        blind ??= iptables.error;
        continue;
      }
      const [evidence] = iptables.value.evidence;
      if (evidence === undefined) continue;
      const { dnat, snat } = maps(iptablesRules(iptables.value.value), f.floating_ip_address, fixed);
      const holds = !addresses.ok || addresses.value.value.some((a) => sameAddress(a.address, f.floating_ip_address));
      const lacking = [
        ...(dnat ? [] : [`DNAT ${f.floating_ip_address} → ${fixed}`]),
        ...(snat ? [] : [`SNAT ${fixed} → ${f.floating_ip_address}`]),
        ...(holds ? [] : [`address ${f.floating_ip_address} on the outside interface`]),
      ];
      if (lacking.length > 0) {
        const api = router.serving.router.name;
        findings.push(
          routerFinding(subject, router, natMissing, {
            summary: `Router ${api} on ${host} lacks ${lacking.join(' and ')}`,
            subject: `floating IP ${f.floating_ip_address}`,
            evidence,
            line: [
              `DNAT ${f.floating_ip_address} → ${fixed}: ${dnat ? 'there' : 'missing'}`,
              `SNAT ${fixed} → ${f.floating_ip_address}: ${snat ? 'there' : 'missing'}`,
              `address on the outside interface: ${holds ? 'there' : 'missing'}`,
            ].join('\n'),
            remedy: restartL3(host),
          }),
        );
      } else notes.push(`${f.floating_ip_address} ⇄ ${fixed}`);
      if (f.status !== 'ACTIVE') {
        findings.push(
          routerFinding(subject, router, floatingDown, {
            summary: `Neutron says floating IP ${f.floating_ip_address} is ${f.status}`,
            subject: `floating IP ${f.floating_ip_address}`,
            evidence: showing(apiEvidence, ''),
            line: `status ${f.status}, router ${f.router_id ?? '(none)'}`,
          }),
        );
      }
    }
    if (findings.length === 0 && blind !== undefined) return blocked(blind);
    return judged(findings, notes.join(', '), facts.floating.evidence, ['floating-IP NAT']);
  },
});
