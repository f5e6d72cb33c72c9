import { observed } from '../../engine/fact.ts';
import { err } from '../../engine/result.ts';
import { parseArping } from '../../nodes/parse/arping.ts';
import { familyOf } from '../../path/addresses.ts';
import { bridgeOf, holderOf } from '../../path/ovn/compare-gateway.ts';
import type { OrderedRouter } from '../../path/ovn/compare-router.ts';
import { hostAddresses, hostOvs } from '../host.ts';
import { probesOff, run, showing, source } from '../io.ts';
import { floatingIps, networkById, servingRouters, subnetsOf } from '../port-api.ts';
import type { Network } from '../schemas/network.ts';
import type { PortSubject } from '../subject.ts';
import { chassisView } from './chassis.ts';
import { logicalView } from './logical.ts';
import { southView } from './south.ts';

/** A router that serves the port as Neutron ordered it, and the network of its gateway. */
export interface ServingOrdered extends OrderedRouter {
  readonly outside: Network | undefined;
}

const byId = (subject: PortSubject): string => subject.id;

/** The port's routers, with the subnets that their ports lie in. */
export const orderedRouters = source<PortSubject, readonly ServingOrdered[]>(
  'port.ovn.ordered-routers',
  byId,
  async (subject, facts) => {
    const [serving, floating] = await Promise.all([
      facts.get(servingRouters, subject),
      facts.get(floatingIps, subject),
    ]);
    if (!serving.ok) return serving;
    const routers = await Promise.all(
      serving.value.value.map(async ({ router, ports }) => {
        const outsideId = router.external_gateway_info?.network_id;
        const networks = [...new Set(ports.map((p) => p.network_id))];
        const [subnets, outside] = await Promise.all([
          Promise.all(networks.map((id) => facts.get(subnetsOf, id))),
          outsideId === undefined ? undefined : facts.get(networkById, outsideId),
        ]);
        return {
          router,
          ports,
          subnets: subnets.flatMap((s) => (s.ok ? s.value.value : [])),
          floating: floating.ok ? floating.value.value.filter((f) => f.router_id === router.id) : [],
          outside: outside?.ok === true ? outside.value.value : undefined,
        };
      }),
    );
    return observed(routers, ...serving.value.evidence, ...(floating.ok ? floating.value.evidence : []));
  },
);

/**
 * Who answers ARP for the routers' gateways outside, asked by their gateway chassis from the bridge of the physical
 * network: an address probe (RFC 5227) that needs no address there and that nobody learns from. A tagged network is
 * not met there.
 */
export const gatewayAnswers = source<PortSubject, ReadonlyMap<string, readonly string[]>>(
  'port.ovn.gateway-answers',
  byId,
  async (subject, facts) => {
    if (!facts.io.options.mayProbe) return err(probesOff);
    const [routers, south] = await Promise.all([facts.get(orderedRouters, subject), facts.get(southView, subject)]);
    if (!routers.ok) return routers;
    if (!south.ok) return south;
    const asked = routers.value.value.flatMap(({ router, ports, subnets, outside }) => {
      const port = ports.find((p) => p.device_owner === 'network:router_gateway');
      const holder = port === undefined ? undefined : holderOf(south.value.value, port.id);
      const physical = outside?.['provider:physical_network'];
      if (holder === undefined || !physical || outside?.['provider:network_type'] !== 'flat') return [];
      const bridge = bridgeOf(holder, physical);
      const gateways = (router.external_gateway_info?.external_fixed_ips ?? []).flatMap((f) => {
        const via = subnets.find((s) => s.id === f.subnet_id)?.gateway_ip;
        return via && familyOf(via) === 4 ? [via] : [];
      });
      return bridge === undefined ? [] : gateways.map((ip) => ({ host: holder.hostname, bridge, ip }));
    });
    const found = new Map<string, readonly string[]>();
    const evidence = [];
    for (const { host, bridge, ip } of asked) {
      const ran = await run(facts, host, {
        argv: ['arping', '-D', '-c', '2', '-w', '2', '-I', bridge, ip],
        impact: 'probe',
        parallel: true,
        timeoutSeconds: 6,
      });
      if (!ran.ok) continue;
      const parsed = parseArping(ran.value.result.stdout);
      if (!parsed.ok) continue;
      found.set(ip, parsed.value.macs);
      evidence.push(showing(ran.value.evidence, ran.value.result.stdout.split('\n').slice(0, 4)));
    }
    return observed(found, ...evidence);
  },
);

/** The bridge of each gateway chassis that is neither OVN's own, nor mapped, nor the tunnels': where there is exactly one. */
export const spareBridges = source<PortSubject, ReadonlyMap<string, string>>(
  'port.ovn.spare-bridges',
  byId,
  async (subject, facts) => {
    const [logical, south] = await Promise.all([facts.get(logicalView, subject), facts.get(southView, subject)]);
    if (!logical.ok) return logical;
    if (!south.ok) return south;
    const names = [...logical.value.value.routers.values()].flatMap((r) =>
      (r?.ports ?? []).flatMap((p) => p.candidates.map((c) => c.chassis)),
    );
    const unmapped = south.value.value.chassis.filter(
      (c) => names.includes(c.name) && !c.config.get('ovn-bridge-mappings'),
    );
    const found = new Map<string, string>();
    for (const { hostname, encaps } of unmapped) {
      const [ovs, view, addresses] = await Promise.all([
        facts.get(hostOvs, hostname),
        facts.get(chassisView, hostname),
        facts.get(hostAddresses, hostname),
      ]);
      if (!ovs.ok || !view.ok || !addresses.ok) continue;
      const ends = encaps.map((e) => e.ip);
      const tunnels = addresses.value.value.filter((a) => ends.includes(a.address)).map((a) => a.dev);
      const spare = ovs.value.value.bridges
        .map((b) => b.name)
        .filter((b) => b !== view.value.value.integrationBridge && !tunnels.includes(b));
      const [first] = spare;
      if (first !== undefined && spare.length === 1) found.set(hostname, first);
    }
    return observed(found);
  },
);
