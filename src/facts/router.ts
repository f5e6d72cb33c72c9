import type { FactResult } from '../engine/fact.ts';
import { observed } from '../engine/fact.ts';
import type { InterfaceAddress } from '../nodes/parse/addresses.ts';
import type { IptablesDump } from '../nodes/parse/iptables.ts';
import type { Link } from '../nodes/parse/links.ts';
import type { Route } from '../nodes/parse/routes.ts';
import type { RoutingRule } from '../nodes/parse/rules.ts';
import { namespaceName } from '../path/addresses.ts';
import { source } from './io.ts';
import { nsAddresses, nsExists, nsIptables, nsLinks, nsRoutes, nsRules, nsSysctl } from './namespace.ts';
import { routerHost, type ServingRouter, servingRouters } from './port-api.ts';
import type { PortSubject } from './subject.ts';

/** A router as it stands on its host. Each part may fail by itself. */
export interface RouterOnHost {
  readonly serving: ServingRouter;
  readonly host: string | undefined;
  readonly netns: string;
  readonly exists: FactResult<boolean> | undefined;
  readonly links: FactResult<readonly Link[]> | undefined;
  readonly addresses: FactResult<readonly InterfaceAddress[]> | undefined;
  readonly routes: FactResult<readonly Route[]> | undefined;
  /** Policy rules; recordings of older versions do not have them. */
  readonly rules: FactResult<readonly RoutingRule[]> | undefined;
  readonly iptables: FactResult<IptablesDump> | undefined;
  readonly sysctl: FactResult<Readonly<Record<string, string>>> | undefined;
}

/** Every router that serves the port, with what its namespace shows. Everything is asked at once: one wave. */
export const routersOnHosts = source<PortSubject, readonly RouterOnHost[]>(
  'port.routers-on-hosts',
  (subject) => subject.id,
  async (subject, facts) => {
    const routers = await facts.get(servingRouters, subject);
    if (!routers.ok) return routers;
    const found = await Promise.all(
      routers.value.value.map(async (serving): Promise<RouterOnHost> => {
        const host = routerHost(serving);
        const netns = namespaceName('qrouter', serving.router.id);
        if (host === undefined) {
          return {
            serving,
            host,
            netns,
            exists: undefined,
            links: undefined,
            addresses: undefined,
            routes: undefined,
            rules: undefined,
            iptables: undefined,
            sysctl: undefined,
          };
        }
        const namespace = { host, name: netns };
        const [exists, links, addresses, routes, rules, iptables, sysctl] = await Promise.all([
          facts.get(nsExists, namespace),
          facts.get(nsLinks, namespace),
          facts.get(nsAddresses, namespace),
          facts.get(nsRoutes, namespace),
          facts.get(nsRules, namespace),
          facts.get(nsIptables, namespace),
          facts.get(nsSysctl, namespace),
        ]);
        return { serving, host, netns, exists, links, addresses, routes, rules, iptables, sysctl };
      }),
    );
    return observed(found, ...routers.value.evidence);
  },
);
