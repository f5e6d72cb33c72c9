import { namespaceName } from '../../path/addresses.ts';
import { synSize } from '../../path/trace/craft.ts';
import type { Store } from '../io.ts';
import { nsAddresses } from '../namespace.ts';
import { portSubnets, routerHost, type ServingRouter } from '../port-api.ts';
import { backOnly, unseenOf, whereInjected } from './lease.ts';
import { type Conversation, nameOf, type PlannedLeg, present, subnetOf, type Traffic } from './leg.ts';
import { initialOf } from './mark.ts';
import { guestEnd, pointsBetween, serviceEnd } from './points.ts';
import { type DhcpEnd, dhcpEnds, fromDhcp, fromRouter } from './stretches.ts';
import { switchPortOf } from './switch-port.ts';

/** Link-local, for there to be one in every cloud (neutron-lib: METADATA_V4_IP). */
export const metadataAddress = '169.254.169.254';
export const metadataPort = 80;

/** Whose namespace answers 169.254.169.254 for the port. */
interface MetadataServer extends DhcpEnd {
  readonly name: string;
  readonly server: NonNullable<PlannedLeg['server']>;
  readonly serving?: ServingRouter;
}

/** The router that is the gateway of its subnet; without one the DHCP servers, where their agents are set to. */
async function serversOf(
  facts: Store,
  { subject, place, own, routers }: Conversation,
): Promise<readonly MetadataServer[]> {
  const subnets = await facts.get(portSubnets, subject);
  const subnet = subnetOf(subject, own);
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
  return (await dhcpEnds(facts, place, subject, own)).map((end) => ({
    ...end,
    name: `metadata in the DHCP server on ${end.host}`,
    server: { agent: 'neutron-dhcp-agent', host: end.host },
  }));
}

const behindProxy =
  'What the proxy makes of a request (agent, Nova) is asked by the checks below, not by these packets.';

/** The first packet of a connection, from the instance's port of Open vSwitch to the proxy; its answer back to the tap. */
async function asItself(
  facts: Store,
  { subject, place, own, traffic }: Conversation,
  server: MetadataServer,
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
        from: own,
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
  { subject, place, own, traffic }: Conversation,
  server: MetadataServer,
): Promise<PlannedLeg | undefined> {
  const arp: Traffic = { ...traffic, protocol: 'arp' };
  const leg =
    server.serving === undefined
      ? (await fromDhcp(facts, place, subject, own, arp)).find((l) => l.leg.sender.host === server.host)
      : await fromRouter(facts, place, server.serving, subject, own, arp);
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
  { subject, place, own, traffic }: Conversation,
  server: MetadataServer,
): Promise<readonly PlannedLeg[]> {
  if (server.serving === undefined) return [];
  const ends = await dhcpEnds(facts, place, subject, own);
  const legs = await Promise.all(
    ends.map(async (end): Promise<PlannedLeg | undefined> => {
      const addresses = await facts.get(nsAddresses, { host: end.host, name: end.netns });
      if (!addresses.ok || addresses.value.value.some((a) => a.address === metadataAddress)) return undefined;
      return {
        from: 'qdhcp',
        addresses: [metadataAddress, server.own],
        server: server.server,
        leg: {
          title: `dhcp on ${end.host} → ${server.name}`,
          probe: {
            protocol: 'tcp',
            port: metadataPort,
            count: traffic.count,
            size: 60,
            from: end.own,
            to: metadataAddress,
          },
          sender: { host: end.host, netns: end.netns },
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
export async function metadataLegs(facts: Store, conversation: Conversation): Promise<readonly PlannedLeg[]> {
  const { inject, everyWay } = conversation;
  const servers = await serversOf(facts, conversation);
  const legs = await Promise.all(
    servers.map(async (server) => {
      const itself = await asItself(facts, conversation, server);
      if (inject && itself !== undefined && !everyWay) return [itself];
      const [near, through] = await Promise.all([
        neighbours(facts, conversation, server),
        throughRouter(facts, conversation, server),
      ]);
      const asking = near === undefined || inject || itself === undefined ? near : { ...near, asks: itself };
      return [...present([inject ? itself : undefined, asking]), ...(everyWay ? through : through.slice(0, 1))];
    }),
  );
  return legs.flat();
}
