import { defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Io } from '../../facts/io.ts';
import { logicalExtras } from '../../facts/ovn/extras.ts';
import { logicalView } from '../../facts/ovn/logical.ts';
import { orderedRouters } from '../../facts/ovn/ordered-routers.ts';
import { southView } from '../../facts/ovn/south.ts';
import type { Network } from '../../facts/schemas/network.ts';
import { computeHostOf, type PortSubject } from '../../facts/subject.ts';
import { compareLoadBalancers, compareStaticNeighbours } from '../../path/ovn/compare-extras.ts';
import { bridgeOf } from '../../path/ovn/compare-gateway.ts';
import { chassisOfHost } from '../../path/ovn/compare-port.ts';
import { compareRouter } from '../../path/ovn/compare-router.ts';
import type { Chassis } from '../../path/ovn/model.ts';
import {
  natMissing,
  natStranger,
  neighbourWrong,
  notCarriedOver,
  routeMissing,
  routerMissing,
  routerPortDiffers,
  routeStranger,
} from './codes-ordered.ts';
import { databasesOf, findingsOf, portName } from './judge-differences.ts';

const needs = { logical: logicalView, routers: orderedRouters };
const optional = { south: southView, extras: logicalExtras, databases: databasesOf };

/** Whether a chassis has a wire to the network outside. */
const meets = (chassis: Chassis | undefined, outside: Network | undefined): boolean => {
  const physical = outside?.['provider:physical_network'];
  return chassis !== undefined && !!physical && bridgeOf(chassis, physical) !== undefined;
};

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ovn.router',
  per: 'port',
  title: 'The logical router, its legs, routes and translations are as Neutron ordered them',
  families: ['ovn'],
  needs,
  optional,
  findings: [
    routerMissing,
    routerPortDiffers,
    routeMissing,
    routeStranger,
    natMissing,
    natStranger,
    neighbourWrong,
    notCarriedOver,
  ],
  judge: ({ subject, facts, maybe }) => {
    const routers = facts.routers.value;
    if (routers.length === 0) return skipped('no router serves its network');
    const port = subject.port.value;
    const name = portName(subject);
    const view = facts.logical.value;
    const evidence = [
      ...facts.logical.evidence,
      ...(maybe.south.ok ? maybe.south.value.evidence : []),
      ...(maybe.extras.ok ? maybe.extras.value.evidence : []),
    ];
    const south = maybe.south.ok ? maybe.south.value.value : undefined;
    const extras = maybe.extras.ok ? maybe.extras.value.value : undefined;
    const host = computeHostOf(subject);
    const own = south === undefined || host === undefined ? undefined : chassisOfHost(south, host);
    const differences = routers.flatMap((ordered) => [
      ...compareRouter({ ...ordered, local: meets(own, ordered.outside) }, port, name, view, south),
      ...(extras === undefined ? [] : compareStaticNeighbours(ordered.router, ordered.ports, name, port, extras)),
    ]);
    if (extras !== undefined) {
      const claimed = [
        ...port.fixed_ips.map((f) => f.ip_address),
        ...routers.flatMap((r) => [
          ...r.floating.map((f) => f.floating_ip_address),
          ...r.ports.flatMap((p) => p.fixed_ips.map((f) => f.ip_address)),
        ]),
      ];
      differences.push(...compareLoadBalancers(name, claimed, extras));
    }
    return judged(
      findingsOf(subject, differences, evidence, maybe.databases, 'router'),
      routers
        .map((r) => `${r.router.name}: ${r.floating.map((f) => f.floating_ip_address).join(', ') || 'no floating IP'}`)
        .join('; '),
      evidence,
      ['logical router, its routes and translations'],
    );
  },
});
