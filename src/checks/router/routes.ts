import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding } from '../../engine/finding.ts';
import { onHost } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import { externalSubnets } from '../../facts/port-api.ts';
import { routersOnHosts } from '../../facts/router.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { type Route, refuses } from '../../nodes/parse/routes.ts';
import { cidrContains, normalCidr, sameAddress } from '../../path/addresses.ts';
import { noDefaultRoute } from './codes.ts';
import { routerFinding, shouldStand } from './judge-router.ts';

const needs = { routers: routersOnHosts, external: externalSubnets };

const words = (r: Route): string =>
  `${r.type === 'unicast' ? '' : `${r.type} `}${r.destination}${r.via === undefined ? '' : ` via ${r.via}`}${r.dev === undefined ? '' : ` dev ${r.dev}`}${r.table === 'main' ? '' : ` table ${r.table}`}`;

export default defineCheck<Io, PortSubject, typeof needs>({
  id: 'router.routes',
  per: 'port',
  title: "The router's routes lead where Neutron says",
  needs,
  findings: [noDefaultRoute],
  judge: ({ subject, facts }) => {
    const standing = facts.routers.value.filter(
      (r) => shouldStand(r) && (r.exists?.ok !== true || r.exists.value.value),
    );
    if (standing.length === 0) return skipped('no router of its network stands on a host');
    const findings: Finding[] = [];
    const notes: string[] = [];
    const seen: Evidence[] = [];
    let blind: FactFailure | undefined;
    for (const router of standing) {
      const { routes, host, netns } = router;
      if (routes === undefined || host === undefined) continue;
      if (!routes.ok) {
        blind ??= routes.error;
        continue;
      }
      const [evidence] = routes.value.evidence;
      if (evidence === undefined) continue;
      const { router: api } = router.serving;
      const table = routes.value.value.filter((r) => r.family === 4);
      seen.push(showing(evidence, table.filter((r) => r.table === 'main' || refuses(r)).map(words)));
      const gateway = facts.external.value.get(api.id)?.gateway_ip;
      const inNamespace = (...argv: string[]) => onHost(host, ['ip', 'netns', 'exec', netns, ...argv]);
      if (gateway) {
        const main = table.filter((r) => r.destination === 'default' && r.table === 'main');
        if (!main.some((r) => r.via !== undefined && sameAddress(r.via, gateway))) {
          const wrong = main[0];
          findings.push(
            routerFinding(subject, router, noDefaultRoute, {
              summary:
                wrong === undefined
                  ? `Router ${api.name} on ${host} has no default route; ${gateway} is its gateway`
                  : `The default route of router ${api.name} on ${host} leads to ${wrong.via ?? wrong.dev ?? wrong.type} instead of ${gateway}`,
              evidence,
              line: `default routes: ${main.map(words).join('; ') || '(none)'}; expected via ${gateway}`,
              remedy: {
                title: 'put the default route back',
                risk: 'none',
                sufficient: true,
                steps: [inNamespace('ip', 'route', 'replace', 'default', 'via', gateway)],
              },
            }),
          );
        } else notes.push(`default via ${gateway}`);
      }
      for (const extra of api.routes ?? []) {
        const there = table.some(
          (r) =>
            normalCidr(r.destination) === normalCidr(extra.destination) &&
            r.via !== undefined &&
            sameAddress(r.via, extra.nexthop),
        );
        if (there) continue;
        findings.push(
          routerFinding(subject, router, noDefaultRoute, {
            summary: `Router ${api.name} on ${host} lacks its route ${extra.destination} via ${extra.nexthop}`,
            evidence,
            line: `no ${extra.destination} via ${extra.nexthop} among ${table.length} routes`,
            remedy: {
              title: 'put the route back',
              risk: 'none',
              sufficient: true,
              steps: [inNamespace('ip', 'route', 'replace', extra.destination, 'via', extra.nexthop)],
            },
          }),
        );
      }
      for (const fixed of subject.port.value.fixed_ips) {
        const trap = table.find(
          (r) => refuses(r) && r.destination !== 'default' && cidrContains(r.destination, fixed.ip_address),
        );
        const trapAll = table.find((r) => refuses(r) && r.destination === 'default' && r.table === 'main');
        const found = trap ?? trapAll;
        if (found === undefined) continue;
        findings.push(
          routerFinding(subject, router, noDefaultRoute, {
            summary: `Router ${api.name} on ${host} throws packets to ${fixed.ip_address} away: ${words(found)}`,
            subject: `route ${words(found)}@${netns}`,
            evidence,
            line: words(found),
            remedy: {
              title: 'delete the route',
              risk: 'reversible',
              sufficient: true,
              steps: [
                inNamespace(
                  'ip',
                  'route',
                  'del',
                  ...(found.type === 'unicast' ? [] : [found.type]),
                  found.destination,
                  ...(found.table === 'main' ? [] : ['table', found.table]),
                ),
              ],
            },
          }),
        );
      }
    }
    if (findings.length === 0 && blind !== undefined) return blocked(blind);
    return judged(findings, notes.join(', '), seen, ['routes']);
  },
});
