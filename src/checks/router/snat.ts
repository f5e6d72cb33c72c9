import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding } from '../../engine/finding.ts';
import type { Io } from '../../facts/io.ts';
import { floatingIps } from '../../facts/port-api.ts';
import { routersOnHosts } from '../../facts/router.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { iptablesRules } from '../../nodes/parse/iptables.ts';
import { snatMissing } from './codes.ts';
import { restartL3, routerFinding, shouldStand } from './judge-router.ts';

const needs = { routers: routersOnHosts };
const optional = { floating: floatingIps };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'router.snat',
  per: 'port',
  title: 'What goes out gets the address of the router',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [snatMissing],
  judge: ({ subject, facts, maybe }) => {
    const floating = maybe.floating.ok ? maybe.floating.value.value : [];
    const findings: Finding[] = [];
    const notes: string[] = [];
    let blind: FactFailure | undefined;
    for (const router of facts.routers.value) {
      const { router: api } = router.serving;
      const outside = (api.external_gateway_info?.external_fixed_ips ?? [])
        .map((f) => f.ip_address)
        .filter((address) => !address.includes(':'));
      // DVR translates in a namespace of its own (snat-…), which is not walked.
      if (outside.length === 0 || api.external_gateway_info?.enable_snat !== true || api.distributed === true) continue;
      if (!shouldStand(router) || router.host === undefined || router.iptables === undefined) continue;
      if (router.exists?.ok === true && !router.exists.value.value) continue;
      if (!router.iptables.ok) {
        blind ??= router.iptables.error;
        continue;
      }
      const [evidence] = router.iptables.value.evidence;
      if (evidence === undefined) continue;
      const translates = iptablesRules(router.iptables.value.value).some(
        (r) =>
          r.table === 'nat' &&
          (r.target === 'MASQUERADE' ||
            (r.target === 'SNAT' &&
              r.source === undefined &&
              r.ctstate === undefined &&
              outside.some((address) => r.raw.includes(`--to-source ${address}`)))),
      );
      if (translates) {
        notes.push(`SNAT to ${outside.join(', ')}`);
        continue;
      }
      const own = floating.some((f) => f.router_id === api.id);
      findings.push(
        routerFinding(subject, router, snatMissing, {
          summary: `Router ${api.name} on ${router.host} does not translate outgoing packets to its address ${outside.join(', ')}`,
          evidence,
          line: `no SNAT --to-source ${outside.join(', ')} for all in the nat table of ${router.netns}`,
          remedy: restartL3(router.host),
          // A port with a floating IP has a rule of its own.
          ...(own ? { severity: 'warning' as const } : {}),
        }),
      );
    }
    if (findings.length === 0 && blind !== undefined) return blocked(blind);
    if (findings.length === 0 && notes.length === 0) return skipped('no router translates for it');
    return judged(findings, notes.join(', '), [], ['address translation of the router']);
  },
});
