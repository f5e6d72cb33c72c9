import type { Check } from '../engine/check.ts';
import type { FindingSpec } from '../engine/finding.ts';
import type { Io } from '../facts/io.ts';
import type { CloudSubject, InstanceSubject, PortSubject } from '../facts/subject.ts';
import agentEverywhere from './agent/everywhere.ts';
import agentOnPath from './agent/on-path.ts';
import cloudIdentity from './cloud/identity.ts';
import cloudServices from './cloud/services.ts';
import consoleBoot from './console/boot.ts';
import dhcpPool from './dhcp/pool.ts';
import dhcpServed from './dhcp/served.ts';
import dhcpServer from './dhcp/server.ts';
import guestAddress from './guest/address.ts';
import guestClaimed from './guest/claimed.ts';
import hostAttachment from './host/attachment.ts';
import hostDomain from './host/domain.ts';
import hostDrops from './host/drops.ts';
import hostJoined from './host/joined.ts';
import hostServiceAttachment from './host/service-attachment.ts';
import hostServiceStrangers from './host/service-strangers.ts';
import hostStrangers from './host/strangers.ts';
import hostTag from './host/tag.ts';
import instanceComputeService from './instance/compute-service.ts';
import instanceControlPlane from './instance/control-plane.ts';
import instanceImage from './instance/image.ts';
import instancePlaced from './instance/placed.ts';
import instanceStatus from './instance/status.ts';
import instanceVolumes from './instance/volumes.ts';
import logsErrors from './logs/errors.ts';
import metadataServed from './metadata/served.ts';
import mtuBudget from './mtu/budget.ts';
import mtuFullSize from './mtu/full-size.ts';
import namesAnswers from './names/answers.ts';
import ovnAgents from './ovn/agents.ts';
import ovnChassis from './ovn/chassis.ts';
import ovnControlPlane from './ovn/control-plane.ts';
import ovnCounted from './ovn/counted.ts';
import ovnDhcp from './ovn/dhcp.ts';
import ovnForecast from './ovn/forecast.ts';
import ovnGateway from './ovn/gateway.ts';
import ovnMetadata from './ovn/metadata.ts';
import ovnPing from './ovn/ping.ts';
import ovnPort from './ovn/port.ts';
import ovnRouter from './ovn/router.ts';
import ovnSecurity from './ovn/security.ts';
import ovnStrangers from './ovn/strangers.ts';
import ovnSwitch from './ovn/switch.ts';
import ovnTunnels from './ovn/tunnels.ts';
import pathCounted from './path/counted.ts';
import pathLocalised from './path/localised.ts';
import pathNeighbours from './path/neighbours.ts';
import peerAllowed from './peer/allowed.ts';
import peerEntries from './peer/entries.ts';
import peerJoined from './peer/joined.ts';
import peerOutside from './peer/outside.ts';
import peerPasses from './peer/passes.ts';
import peerStrangers from './peer/strangers.ts';
import pingFloating from './ping/floating.ts';
import pingFromDhcp from './ping/from-dhcp.ts';
import pingFromRouter from './ping/from-router.ts';
import pingGateway from './ping/gateway.ts';
import portAddresses from './port/addresses.ts';
import portAttached from './port/attached.ts';
import portBound from './port/bound.ts';
import portState from './port/state.ts';
import routerAddressTaken from './router/address-taken.ts';
import routerClientInside from './router/client-inside.ts';
import routerFloating from './router/floating.ts';
import routerForwarding from './router/forwarding.ts';
import routerGateway from './router/gateway.ts';
import routerInterfaces from './router/interfaces.ts';
import routerPlaced from './router/placed.ts';
import routerRoutes from './router/routes.ts';
import routerSnat from './router/snat.ts';
import scheduleExplained from './schedule/explained.ts';
import scheduleFits from './schedule/fits.ts';
import secgroupAllowed from './secgroup/allowed.ts';
import secgroupEnforced from './secgroup/enforced.ts';
import tcpConnects from './tcp/connects.ts';
import traceBegun from './trace/begun.ts';
import traceCounted from './trace/counted.ts';
import traceFollowed from './trace/followed.ts';
import tunnelEntries from './tunnel/entries.ts';
import tunnelPasses from './tunnel/passes.ts';
import tunnelSegment from './tunnel/segment.ts';

export const cloudChecks: readonly Check<Io, CloudSubject>[] = [
  agentEverywhere,
  cloudIdentity,
  cloudServices,
  scheduleFits,
];

export const instanceChecks: readonly Check<Io, InstanceSubject>[] = [
  consoleBoot,
  hostDomain,
  instanceComputeService,
  instanceControlPlane,
  instanceImage,
  instancePlaced,
  instanceStatus,
  instanceVolumes,
  portAttached,
  scheduleExplained,
];

export const portChecks: readonly Check<Io, PortSubject>[] = [
  agentOnPath,
  dhcpPool,
  dhcpServed,
  dhcpServer,
  guestAddress,
  guestClaimed,
  hostAttachment,
  hostDrops,
  hostJoined,
  hostServiceAttachment,
  hostServiceStrangers,
  hostStrangers,
  hostTag,
  logsErrors,
  metadataServed,
  mtuBudget,
  mtuFullSize,
  ovnAgents,
  ovnChassis,
  ovnControlPlane,
  ovnCounted,
  ovnForecast,
  ovnPing,
  ovnStrangers,
  ovnDhcp,
  ovnGateway,
  ovnMetadata,
  ovnPort,
  ovnRouter,
  ovnSecurity,
  ovnSwitch,
  ovnTunnels,
  pathCounted,
  namesAnswers,
  pathLocalised,
  pathNeighbours,
  peerAllowed,
  peerEntries,
  peerJoined,
  peerOutside,
  peerPasses,
  peerStrangers,
  pingFloating,
  pingFromDhcp,
  pingFromRouter,
  pingGateway,
  portAddresses,
  portBound,
  portState,
  routerAddressTaken,
  routerClientInside,
  routerFloating,
  routerForwarding,
  routerGateway,
  routerInterfaces,
  routerPlaced,
  routerRoutes,
  routerSnat,
  secgroupAllowed,
  secgroupEnforced,
  tcpConnects,
  traceBegun,
  traceCounted,
  traceFollowed,
  tunnelEntries,
  tunnelPasses,
  tunnelSegment,
];

interface Listed {
  readonly id: string;
  readonly title: string;
  readonly findings: readonly FindingSpec[];
}

export const allChecks: readonly Listed[] = [...cloudChecks, ...instanceChecks, ...portChecks].sort((a, b) =>
  a.id < b.id ? -1 : 1,
);

/** Every code the doctor can say, once, sorted. */
export const allFindingSpecs: readonly FindingSpec[] = [
  ...new Map(allChecks.flatMap((c) => c.findings).map((s) => [s.code, s])).values(),
].sort((a, b) => (a.code < b.code ? -1 : 1));

export const specsByCode: ReadonlyMap<string, FindingSpec> = new Map(allFindingSpecs.map((s) => [s.code, s]));
