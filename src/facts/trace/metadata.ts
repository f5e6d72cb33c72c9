import { namespaceName } from '../../path/addresses.ts';
import { synSize } from '../../path/trace/craft.ts';
import type { Store } from '../io.ts';
import { nsAddresses } from '../namespace.ts';
import type { Placement } from '../placement.ts';
import { dhcpHosts, portSubnets, routerHost, type ServingRouter } from '../port-api.ts';
import type { PortSubject } from '../subject.ts';
import { backOnly, unseenOf, whereInjected } from './lease.ts';
import { nameOf, type PlannedLeg, present, subnetOf, type Traffic } from './leg.ts';
import { initialOf } from './mark.ts';
import { guestEnd, type NetworkEnd, pointsBetween, serviceEnd } from './points.ts';
import { fromDhcp, fromRouter } from './stretches.ts';
import { switchPortOf } from './switch-port.ts';

/** Link-local, for there to be one in every cloud (neutron-lib: METADATA_V4_IP). */
export const metadataAddress = '169.254.169.254';
export const metadataPort = 80;

/** Whose namespace answers 169.254.169.254 for the port. */
interface MetadataServer extends NetworkEnd {
  readonly netns: string;
  readonly own: string;
  readonly mac: string;
  readonly name: string;
  readonly server: NonNullable<PlannedLeg['server']>;
  readonly serving?: ServingRouter;
}

/** The router that is the gateway of its subnet; without one the DHCP servers, where their agents are set to. */
async function serversOf(
  facts: Store,
  place: Placement,
  subject: PortSubject,
  to: string,
  routers: readonly ServingRouter[],
): Promise<readonly MetadataServer[]> {
  const subnets = await facts.get(portSubnets, subject);
  const subnet = subnetOf(subject, to);
  const gateway = (subnets.ok ? subnets.value.value : []).find((s) => s.id === subnet)?.gateway_ip;
  const byRouter = routers.flatMap((serving): MetadataServer[] => {
    const host = routerHost(serving);
    const port = serving.insides.find((p) => p.fixed_ips.some((f) => f.ip_address === gateway));
    if (host === undefined || port === undefined || !gateway) return [];
    const netns = namespaceName('qrouter', serving.router.id);
    return [
      {
        ...serviceEnd(place.backend, host, netns, port.id, 'router', place.segment),
        netns,
        own: gateway,
        mac: port.mac_address,
        name: `metadata in the router on ${host}`,
        server: { agent: 'neutron-l3-agent', host, router: serving.router.id },
        serving,
      },
    ];
  });
  if (byRouter.length > 0) return byRouter;
  const found = await facts.get(dhcpHosts, subject);
  const netns = namespaceName('qdhcp', place.segment.networkId);
  return (found.ok ? found.value.value : []).flatMap(({ host, port }): MetadataServer[] => {
    const own = port?.fixed_ips.find((f) => f.subnet_id === subnet)?.ip_address;
    if (port === undefined || own === undefined) return [];
    return [
      {
        ...serviceEnd(place.backend, host, netns, port.id, 'dhcp', place.segment),
        netns,
        own,
        mac: port.mac_address,
        name: `metadata in the DHCP server on ${host}`,
        server: { agent: 'neutron-dhcp-agent', host },
      },
    ];
  });
}

const behindProxy =
  'What the proxy makes of a request (agent, Nova) is asked by the checks below, not by these packets.';

/** The first packet of a connection, from the instance's port of Open vSwitch to the proxy; its answer back to the tap. */
async function asItself(
  facts: Store,
  subject: PortSubject,
  place: Placement,
  server: MetadataServer,
  from: string,
  traffic: Traffic,
): Promise<PlannedLeg | undefined> {
  const port = await switchPortOf(facts, place);
  if (port === undefined) return undefined;
  const { host, points: devices } = guestEnd(place);
  // iptables on the small bridge does not know a connection that it did not see open, and drops the answer to it.
  const filtered = place.backend.name === 'ovs-hybrid';
  const guest = { host, points: filtered ? devices.slice(1) : devices };
  const points = await pointsBetween(facts, place, guest, server);
  const planned: PlannedLeg = {
    from: 'port',
    // Whoever has the address asks for the instance's MAC in its own name.
    addresses: [metadataAddress, server.own],
    server: server.server,
    // Flows let it out or not; with hybrid plugging it is put in behind the rules.
    ...(filtered ? {} : { leaves: subject }),
    injected: {
      ...port,
      sourceMac: subject.port.value.mac_address,
      destinationMac: server.mac,
      ...(filtered ? { resets: true } : {}),
    },
    leg: {
      title: `in the name of ${nameOf(subject)} → ${server.name}`,
      probe: {
        protocol: 'tcp',
        port: metadataPort,
        count: traffic.count,
        size: synSize,
        from,
        to: metadataAddress,
      },
      sender: { host: place.host, port: `port ${port.port} of ${port.bridge}` },
      points: [...backOnly(points.slice(0, guest.points.length)), ...points.slice(guest.points.length)],
      answerer: { kind: 'namespace', name: server.name },
      limits: [
        filtered
          ? `Put in behind the tap and the firewall of ${nameOf(subject)}, and followed back to them: the firewall takes no answer to a connection that it did not see open.`
          : `${unseenOf(subject, place)} It resets what it did not open.`,
        behindProxy,
      ],
    },
  };
  return { ...planned, leg: { ...planned.leg, probe: { ...planned.leg.probe, initial: initialOf(planned) } } };
}

/** Who has the instance's address, asked by the one who answers for 169.254.169.254: its own frames come the way its requests take. */
async function neighbours(
  facts: Store,
  subject: PortSubject,
  place: Placement,
  server: MetadataServer,
  to: string,
  traffic: Traffic,
): Promise<PlannedLeg | undefined> {
  const arp: Traffic = { ...traffic, protocol: 'arp' };
  const leg =
    server.serving === undefined
      ? (await fromDhcp(facts, place, subject, to, arp)).find((l) => l.leg.sender.host === server.host)
      : await fromRouter(facts, place, server.serving, subject, to, arp);
  return leg === undefined
    ? undefined
    : {
        ...leg,
        server: server.server,
        leg: {
          ...leg.leg,
          limits: [
            `Frames of ${nameOf(subject)} come to where metadata is served, by its answers to who-has. Its connection to ${metadataAddress} is not walked${whereInjected(place)}.`,
            behindProxy,
          ],
        },
      };
}

/** A connection from a DHCP server's namespace through the router's proxy: to a namespace that has the address itself nothing comes out of it. */
async function throughRouter(
  facts: Store,
  subject: PortSubject,
  place: Placement,
  server: MetadataServer,
  to: string,
  traffic: Traffic,
): Promise<readonly PlannedLeg[]> {
  if (server.serving === undefined) return [];
  const subnet = subnetOf(subject, to);
  const netns = namespaceName('qdhcp', place.segment.networkId);
  const found = await facts.get(dhcpHosts, subject);
  const legs = await Promise.all(
    (found.ok ? found.value.value : []).map(async ({ host, port }): Promise<PlannedLeg | undefined> => {
      const own = port?.fixed_ips.find((f) => f.subnet_id === subnet)?.ip_address;
      const addresses = await facts.get(nsAddresses, { host, name: netns });
      if (port === undefined || own === undefined || !addresses.ok) return undefined;
      if (addresses.value.value.some((a) => a.address === metadataAddress)) return undefined;
      const end = serviceEnd(place.backend, host, netns, port.id, 'dhcp', place.segment);
      return {
        from: 'qdhcp',
        addresses: [metadataAddress, server.own],
        server: server.server,
        leg: {
          title: `dhcp on ${host} → ${server.name}`,
          probe: {
            protocol: 'tcp',
            port: metadataPort,
            count: traffic.count,
            size: 60,
            from: own,
            to: metadataAddress,
          },
          sender: { host, netns },
          points: await pointsBetween(facts, place, end, server),
          answerer: { kind: 'namespace', name: server.name },
          limits: [`A neighbour's connection: that the router hands it to its proxy, and the proxy takes it.`],
        },
      };
    }),
  );
  return present(legs);
}

/** The stretches of `--probe metadata`. */
export async function metadataLegs(
  facts: Store,
  subject: PortSubject,
  place: Placement,
  to: string,
  routers: readonly ServingRouter[],
  traffic: Traffic,
  how: { readonly inject: boolean; readonly everyWay: boolean },
): Promise<readonly PlannedLeg[]> {
  const servers = await serversOf(facts, place, subject, to, routers);
  const legs = await Promise.all(
    servers.map(async (server) => {
      const itself = await asItself(facts, subject, place, server, to, traffic);
      if (how.inject && itself !== undefined && !how.everyWay) return [itself];
      const [near, through] = await Promise.all([
        neighbours(facts, subject, place, server, to, traffic),
        throughRouter(facts, subject, place, server, to, traffic),
      ]);
      const asking = near === undefined || how.inject || itself === undefined ? near : { ...near, asks: itself };
      return [...present([how.inject ? itself : undefined, asking]), ...(how.everyWay ? through : through.slice(0, 1))];
    }),
  );
  return legs.flat();
}
