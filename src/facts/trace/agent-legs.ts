import { err, ok } from '../../engine/result.ts';
import type { Store } from '../io.ts';
import { type Pair, pairs } from '../pair.ts';
import { type Placement, placement } from '../placement.ts';
import { dhcpHosts, externalSubnets, portSubnets, type ServingRouter } from '../port-api.ts';
import type { PortSubject } from '../subject.ts';
import { injectedLegs } from './injected.ts';
import { leaseLegs, whereInjected } from './lease.ts';
import { nameOf, type PlannedLeg, type Planner, present, subnetOf, type Traffic } from './leg.ts';
import { metadataLegs } from './metadata.ts';
import { fromDhcp, fromGateway, fromHere, fromRouter, outwards, throughFloating } from './stretches.ts';

async function towardsPeer(
  facts: Store,
  subject: PortSubject,
  place: Placement,
  { peer, own, theirs, way }: Pair,
  routers: readonly ServingRouter[],
  traffic: Traffic,
  everyWay: boolean,
): Promise<readonly PlannedLeg[]> {
  const there = await facts.get(placement, peer);
  switch (way.kind) {
    case 'same-network': {
      const sides = [
        { port: subject, at: place, to: own },
        ...(there.ok ? [{ port: peer, at: there.value.value, to: theirs }] : []),
      ];
      const legs = await Promise.all(
        sides.map(async ({ port, at, to }) => {
          const served = await fromDhcp(facts, at, port, to, traffic);
          if (served.length > 0 && !everyWay) return served.slice(0, 1);
          const routed = present(await Promise.all(routers.map((r) => fromRouter(facts, at, r, port, to, traffic))));
          return everyWay ? [...served, ...routed] : routed.slice(0, 1);
        }),
      );
      return legs.flat();
    }
    case 'routed': {
      const to = peer.port.value.fixed_ips.find((f) => f.ip_address === theirs)?.ip_address;
      return present(
        await Promise.all([
          fromRouter(facts, place, way.router, subject, own, traffic),
          there.ok && to !== undefined
            ? fromRouter(facts, there.value.value, way.router, peer, to, traffic).then(
                (leg) => leg ?? fromGateway(facts, there.value.value, way.router, peer, to, traffic),
              )
            : outwards(facts, place, way.router, theirs, traffic),
        ]),
      );
    }
    case 'floating':
    case 'apart': {
      const [router] = routers;
      return router === undefined
        ? []
        : present(
            await Promise.all([
              fromRouter(facts, place, router, subject, own, traffic),
              outwards(facts, place, router, theirs, traffic),
            ]),
          );
    }
  }
}

/** Why a conversation that an instance begins cannot be followed at all. */
async function nobodyFor(
  facts: Store,
  subject: PortSubject,
  protocol: 'dhcp' | 'metadata',
  place: Placement,
): Promise<string> {
  if (protocol === 'metadata') return `neither a router nor a DHCP server could serve metadata to ${nameOf(subject)}`;
  const servers = await facts.get(dhcpHosts, subject);
  if (servers.ok && servers.value.value.length === 0) return `no DHCP server of Neutron serves ${nameOf(subject)}`;
  return `no router is on the network of ${nameOf(subject)} from which its DHCP server could be asked${whereInjected(place)}`;
}

/** Where agents keep namespaces: from these, and at this machine for a floating address. */
export const agentLegs: Planner = async (facts, { subject, place, to, routers, traffic, trace, peer }) => {
  if (trace.begun !== undefined) {
    const conversation = { subject, place, own: to, routers, traffic, inject: trace.inject, everyWay: trace.everyWay };
    const planned = await (trace.begun === 'dhcp' ? leaseLegs : metadataLegs)(facts, conversation);
    return planned.length === 0 ? err(await nobodyFor(facts, subject, trace.begun, place)) : ok(planned);
  }
  const byDhcp = () => fromDhcp(facts, place, subject, to, traffic);
  const byRouter = () => Promise.all(routers.map((r) => fromRouter(facts, place, r, subject, to, traffic)));
  const legs = async (): Promise<readonly (PlannedLeg | undefined)[]> => {
    switch (trace.other) {
      case 'dhcp':
        return [...(await byDhcp()), ...(trace.everyWay ? await byRouter() : [])];
      case 'router':
        return [...(await byRouter()), ...(trace.everyWay ? await byDhcp() : [])];
      case 'metadata': {
        const found = present(await byRouter());
        return found.length > 0 ? found : byDhcp();
      }
      case 'gateway': {
        const subnets = await facts.get(portSubnets, subject);
        const gateway = (subnets.ok ? subnets.value.value : []).find((s) => s.id === subnetOf(subject, to))?.gateway_ip;
        const owner = routers.find((r) => r.ports.some((p) => p.fixed_ips.some((f) => f.ip_address === gateway)));
        return owner === undefined ? byDhcp() : [await fromRouter(facts, place, owner, subject, to, traffic)];
      }
      case 'outside': {
        const floating = await throughFloating(facts, subject, place, routers, traffic);
        const external = await facts.get(externalSubnets, subject);
        const beyond = await Promise.all(
          routers.map(async (r) => {
            const gateway = external.ok ? external.value.value.get(r.router.id)?.gateway_ip : undefined;
            return gateway ? outwards(facts, place, r, gateway, { ...traffic, protocol: 'icmp' }) : undefined;
          }),
        );
        const here = await fromHere(facts, place, subject, to, traffic);
        if (here !== undefined) return [here];
        if (floating.length > 0) return [...floating, ...beyond];
        // Without a stretch that leads out a trace to the router would be taken for one to the outside.
        return present(beyond).length === 0 ? [] : [...(await byRouter()), ...beyond];
      }
      case 'peer': {
        if (peer?.kind === 'address') {
          const beyond = await Promise.all(routers.map((r) => outwards(facts, place, r, peer.address, traffic)));
          return present(beyond).length === 0 ? [] : [...(await byRouter()), ...beyond];
        }
        const pair = await facts.get(pairs, subject);
        return pair.ok ? towardsPeer(facts, subject, place, pair.value.value, routers, traffic, trace.everyWay) : [];
      }
    }
  };
  const pair = trace.inject && trace.other === 'peer' ? await facts.get(pairs, subject) : undefined;
  const injected = trace.inject
    ? await injectedLegs(facts, subject, place, to, pair?.ok ? pair.value.value : undefined, routers, traffic)
    : [];
  return ok(present([...(await legs()), ...injected]));
};
