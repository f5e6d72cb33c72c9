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
import type { RoutingRule } from '../../nodes/parse/rules.ts';
import { normalCidr, parseAddress, sameAddress } from '../../path/addresses.ts';
import { isBorn, leadsTo, lookUp, type RouteAnswer, type RoutedPacket } from '../../path/route-lookup.ts';
import { deletingRule } from '../remedies.ts';
import { noDefaultRoute, policyRule } from './codes.ts';
import { noneStands, routerFinding, standing } from './judge-router.ts';

const needs = { routers: routersOnHosts, external: externalSubnets };

const words = (r: Route): string =>
  `${r.type === 'unicast' ? '' : `${r.type} `}${r.destination}${r.via === undefined ? '' : ` via ${r.via}`}${r.dev === undefined ? '' : ` dev ${r.dev}`}${r.table === 'main' ? '' : ` table ${r.table}`}`;

/** An address that no cloud holds and no route names (RFC 5737): what stands for "anywhere". */
const farAway = '203.0.113.1';

interface Way {
  readonly words: string;
  readonly packet: RoutedPacket;
  /** Where Neutron wants it to go; any device where that is not known. */
  readonly dev: string | undefined;
  readonly via?: string;
}

/** The rule and the route that keep a packet from going where it should; undefined when it does, or when that cannot be told. */
function strayOf(
  answer: RouteAnswer,
  way: Way,
): { readonly rule: RoutingRule; readonly route?: Route; readonly verb: string; readonly words: string } | undefined {
  switch (answer.kind) {
    case 'none':
    case 'unknown':
      return undefined;
    case 'refused':
      return {
        rule: answer.rule,
        ...(answer.route === undefined ? {} : { route: answer.route }),
        verb: 'throws away',
        words: answer.route === undefined ? ruleWords(answer.rule) : words(answer.route),
      };
    case 'route':
      if (way.dev === undefined || answer.route.dev === undefined || leadsTo(answer, way.dev, way.via))
        return undefined;
      return { rule: answer.rule, route: answer.route, verb: 'misleads', words: words(answer.route) };
  }
}

const ruleSelector = (rule: RoutingRule): string[] => [
  ...(rule.inverted ? ['not'] : []),
  ...(rule.from === 'all' ? [] : ['from', rule.from]),
  ...(rule.to === undefined ? [] : ['to', rule.to]),
  ...(rule.iif === undefined ? [] : ['iif', rule.iif]),
  ...(rule.table === undefined ? (rule.action === undefined ? [] : [rule.action]) : ['lookup', rule.table]),
];

const ruleWords = (rule: RoutingRule): string => ruleSelector(rule).join(' ');

export default defineCheck<Io, PortSubject, typeof needs>({
  id: 'router.routes',
  per: 'port',
  title: "The router's routes lead where Neutron says",
  families: ['agents', 'routed'],
  needs,
  findings: [noDefaultRoute, policyRule],
  judge: ({ subject, facts }) => {
    const routers = standing(facts.routers.value);
    if (routers.length === 0) return skipped(noneStands);
    const findings: Finding[] = [];
    const notes: string[] = [];
    const seen: Evidence[] = [];
    let blind: FactFailure | undefined;
    for (const router of routers) {
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
      if (api.distributed === true) continue;
      const rules = router.rules?.ok === true ? router.rules.value.value : undefined;
      const held = router.addresses?.ok === true ? router.addresses.value.value : [];
      const devOf = (address: string | undefined): string | undefined =>
        address === undefined ? undefined : held.find((a) => sameAddress(a.address, address))?.dev;
      const outside = devOf(api.external_gateway_info?.external_fixed_ips?.[0]?.ip_address);
      const ordered = (route: Route): boolean =>
        (api.routes ?? []).some((r) => normalCidr(r.destination) === normalCidr(route.destination));
      for (const fixed of subject.port.value.fixed_ips) {
        if (parseAddress(fixed.ip_address)?.family !== 4) continue;
        const inside = devOf(
          router.serving.insides.flatMap((i) => i.fixed_ips).find((f) => f.subnet_id === fixed.subnet_id)?.ip_address,
        );
        const ways: readonly Way[] = [
          { words: `to ${fixed.ip_address}`, packet: { destination: fixed.ip_address }, dev: inside },
          ...(outside === undefined
            ? []
            : [
                {
                  words: `to ${fixed.ip_address}`,
                  packet: { destination: fixed.ip_address, iif: outside },
                  dev: inside,
                },
              ]),
          ...(gateway && inside !== undefined
            ? [
                {
                  words: `from ${fixed.ip_address} to the outside`,
                  packet: { source: fixed.ip_address, destination: gateway, iif: inside },
                  dev: outside,
                },
                {
                  words: `from ${fixed.ip_address} to the outside`,
                  packet: { source: fixed.ip_address, destination: farAway, iif: inside },
                  dev: outside,
                  via: gateway,
                },
              ]
            : []),
        ];
        for (const way of ways) {
          const answer = lookUp(rules, table, way.packet);
          const [rulesEvidence] = router.rules?.ok === true ? router.rules.value.evidence : [];
          const stray = strayOf(answer, way);
          if (stray === undefined || (stray.route !== undefined && ordered(stray.route))) continue;
          const { rule, route } = stray;
          const told = findings.some((f) => f.evidence.some((e) => e.excerpt.includes(stray.words)));
          if (told) continue;
          if (!isBorn(rule)) {
            findings.push(
              routerFinding(subject, router, policyRule, {
                summary: `Router ${api.name} on ${host} ${stray.verb} packets ${way.words} by a policy rule: ${ruleWords(rule)}${route === undefined ? '' : `, where stands ${words(route)}`}`,
                subject: `rule ${rule.priority}@${netns}`,
                evidence: rulesEvidence ?? evidence,
                line: `${rule.priority}: ${ruleWords(rule)}${route === undefined ? '' : `\n${words(route)}`}`,
                remedy: deletingRule(host, [
                  'ip',
                  'netns',
                  'exec',
                  netns,
                  'ip',
                  'rule',
                  'del',
                  'priority',
                  String(rule.priority),
                  ...ruleSelector(rule),
                ]),
              }),
            );
          } else if (
            route !== undefined &&
            (refuses(route) ? route.destination !== 'default' : way.via === undefined)
          ) {
            findings.push(
              routerFinding(subject, router, noDefaultRoute, {
                summary: `Router ${api.name} on ${host} ${stray.verb} packets ${way.words}: ${words(route)}`,
                subject: `route ${words(route)}@${netns}`,
                evidence,
                line: words(route),
                remedy: {
                  title: 'delete the route',
                  risk: 'reversible',
                  sufficient: true,
                  steps: [
                    inNamespace(
                      'ip',
                      'route',
                      'del',
                      ...(route.type === 'unicast' ? [] : [route.type]),
                      route.destination,
                      ...(route.via === undefined ? [] : ['via', route.via]),
                      ...(route.table === 'main' ? [] : ['table', route.table]),
                    ),
                  ],
                },
              }),
            );
          }
        }
      }
    }
    if (findings.length === 0 && blind !== undefined) return blocked(blind);
    return judged(findings, notes.join(', '), seen, ['routes']);
  },
});
