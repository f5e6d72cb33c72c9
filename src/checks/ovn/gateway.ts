import { defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Io } from '../../facts/io.ts';
import { logicalView } from '../../facts/ovn/logical.ts';
import { gatewayAnswers, orderedRouters, spareBridges } from '../../facts/ovn/ordered-routers.ts';
import { southView } from '../../facts/ovn/south.ts';
import { everyAgent } from '../../facts/port-api.ts';
import { computeHostOf, type PortSubject } from '../../facts/subject.ts';
import { compareGateway, compareNeighbours, holderOf } from '../../path/ovn/compare-gateway.ts';
import { compareLocalnets } from '../../path/ovn/compare-switch.ts';
import { switchName } from '../../path/ovn/ordered.ts';
import {
  candidateUnfit,
  gatewayFailedOver,
  gatewayUnheld,
  gatewayUnscheduled,
  localnetDiffers,
  neighbourWrong,
} from './codes-ordered.ts';
import { databasesOf, findingsOf } from './judge-differences.ts';

const needs = { logical: logicalView, south: southView, routers: orderedRouters };
const optional = { agents: everyAgent, answers: gatewayAnswers, spare: spareBridges, databases: databasesOf };

const controller = 'ovn-controller';

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ovn.gateway',
  per: 'port',
  title: "A living chassis with the physical network holds the router's gateway",
  families: ['ovn'],
  needs,
  optional,
  findings: [gatewayUnscheduled, gatewayUnheld, gatewayFailedOver, candidateUnfit, localnetDiffers, neighbourWrong],
  judge: ({ subject, facts, maybe }) => {
    const routers = facts.routers.value.filter((r) => r.router.external_gateway_info);
    if (routers.length === 0) return skipped('no router of its network has a gateway outside');
    const view = facts.logical.value;
    const south = facts.south.value;
    const agents = maybe.agents.ok ? maybe.agents.value.value.filter((a) => a.binary === controller) : [];
    // Where Neutron calls all of them dead, it is Neutron that does not hear.
    const heard = agents.some((a) => a.alive);
    const alive = (host: string): boolean | undefined =>
      heard ? agents.find((a) => a.host === host)?.alive : undefined;
    const spareBridge = (host: string): string | undefined =>
      maybe.spare.ok ? maybe.spare.value.value.get(host) : undefined;
    const differences = routers.flatMap(({ router, ports, subnets, floating, outside }) => {
      const found = view.routers.get(router.id);
      if (found === undefined) return [];
      const own = floating.map((f) => f.floating_ip_address);
      const nat = found.nat.filter((n) => own.includes(n.externalIp) && n.externalMac && n.logicalPort);
      const host = computeHostOf(subject);
      const distributed = nat.length === 0 || host === undefined ? undefined : { host, nat: nat.map((n) => n.uuid) };
      const there = outside === undefined ? undefined : view.outside.get(outside.id);
      const gatewayIps = (router.external_gateway_info?.external_fixed_ips ?? []).flatMap(
        (f) => subnets.find((s) => s.id === f.subnet_id)?.gateway_ip ?? [],
      );
      return [
        ...compareGateway({ router, ports, network: outside, found, south, alive, spareBridge, distributed }),
        ...(outside === undefined || there?.lswitch === undefined
          ? []
          : compareLocalnets(outside, switchName(outside.id), there.localnets)),
        ...(maybe.answers.ok ? compareNeighbours(router, gatewayIps, south, maybe.answers.value.value) : []),
      ];
    });
    const evidence = [
      ...facts.logical.evidence,
      ...facts.south.evidence,
      ...(maybe.answers.ok ? maybe.answers.value.evidence : []),
    ];
    const notes = routers.map(({ router, ports }) => {
      const gateway = ports.find((p) => p.device_owner === 'network:router_gateway');
      return `${router.name} on ${(gateway === undefined ? undefined : holderOf(south, gateway.id)?.hostname) ?? '(none)'}`;
    });
    return judged(findingsOf(subject, differences, evidence, maybe.databases, 'router'), notes.join(', '), evidence, [
      'gateway chassis',
    ]);
  },
});
