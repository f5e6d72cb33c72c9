import { type Family, familyOf } from '../addresses.ts';
import type { Packet } from '../firewall/packet.ts';
import type { Probe, Verdict } from '../secgroup/model.ts';

/** Where packets enter or leave what OVN switches. */
export type Place =
  /** A port of the integration bridge, by the id of the port that ovn-controller binds there. */
  | { readonly kind: 'port'; readonly id: string; readonly host: string; readonly network: string }
  /** The wire of a physical network on a host; frames wear the VLAN of the network, where it has one. */
  | {
      readonly kind: 'outside';
      readonly host: string;
      readonly network: string;
      readonly physical: string | undefined;
      readonly vlan?: number;
    };

/** A packet that matters, and what should become of it. */
export interface Journey {
  /** What it is, as the object of a sentence: `the DHCP request of web-1`. */
  readonly name: string;
  readonly packet: Packet;
  readonly enters: Place;
  /** server: ovn-controller answers it itself, there where it enters. */
  readonly leaves: Place | { readonly kind: 'server' };
  /** It belongs to a connection that was let through. */
  readonly answer: boolean;
}

/** An end with an address and the place where it is. */
export interface End {
  readonly name: string;
  readonly address: string;
  readonly mac: string;
  readonly place: Place & { readonly kind: 'port' };
}

/** The way to the outside of one family: behind a router of OVN, or on the instance's own physical network. */
export interface Outside {
  /** The physical router there. */
  readonly address: string;
  readonly mac: string;
  readonly place: Place & { readonly kind: 'outside' };
  /** What answers outside for the instance: of its floating address, else the address itself. */
  readonly known: {
    readonly address: string;
    readonly mac: string;
    /** Whoever is outside may begin. */
    readonly reachable: boolean;
  };
}

export interface Around {
  readonly own: End;
  readonly family: Family;
  /** The subnet hands out addresses by DHCP. */
  readonly dhcp: boolean;
  /** On a network without a router of OVN the physical one. */
  readonly gateway?: { readonly address: string; readonly mac: string; readonly physical: boolean };
  readonly metadata?: End;
  readonly outside?: Outside;
  readonly peer?: End & { readonly routed: boolean };
  /** What may come in from anywhere: pings and ports of the security groups. */
  readonly services: readonly { readonly protocol: 'icmp' | 'tcp' | 'udp'; readonly port?: number }[];
  /** What Neutron's API says of traffic of the instance, and of the peer. */
  verdict(probe: Probe): Verdict;
  verdictOfPeer(probe: Probe): Verdict;
}

const clientPort = 41_000;
const everybody = 'ff:ff:ff:ff:ff:ff';
const metadataAddress = '169.254.169.254';

type Service = Around['services'][number];

const echo = (family: Family, answer: boolean): number => (family === 4 ? (answer ? 0 : 8) : answer ? 129 : 128);

/** A packet to a service, or its answer. */
const packetOf = (family: Family, service: Service, answer: boolean): Packet => {
  if (service.protocol === 'icmp') return { family, protocol: 'icmp', icmpType: echo(family, answer) };
  const [sourcePort, destinationPort] = answer ? [service.port ?? 0, clientPort] : [clientPort, service.port ?? 0];
  return { family, protocol: service.protocol, sourcePort, destinationPort };
};

const probeOf = (family: Family, service: Service, direction: Probe['direction'], remote: string): Probe => ({
  protocol: service.protocol,
  family,
  direction,
  remote,
  ...(service.protocol === 'icmp'
    ? { icmpType: echo(family, false) }
    : { port: service.port ?? 0, sourcePort: clientPort }),
});

const surely = (verdict: Verdict): boolean => verdict.kind === 'allowed' && verdict.extent === 'whole';

const nameOf = (service: Service): string =>
  service.protocol === 'icmp' ? 'the ping' : `the connection to ${service.protocol}/${service.port ?? 0}`;
const answerName = (service: Service): string =>
  service.protocol === 'icmp'
    ? 'the answer to the ping'
    : `the answer to the connection to ${service.protocol}/${service.port ?? 0}`;

/** There and back between two ends; `via`: the addresses of the link layer that each speaks to. */
function both(
  family: Family,
  service: Service,
  client: { readonly name: string; readonly address: string; readonly mac: string; readonly place: Place },
  server: { readonly name: string; readonly address: string; readonly mac: string; readonly place: Place },
  via: {
    readonly client: string;
    readonly server: string;
    /** The address by which the client calls the server. */
    readonly called?: string;
  },
): Journey[] {
  const [from, to] = [client.place, server.place];
  return [
    {
      name: `${nameOf(service)} from ${client.name} to ${server.name}`,
      packet: {
        ...packetOf(family, service, false),
        source: client.address,
        destination: via.called ?? server.address,
        sourceMac: client.mac,
        destinationMac: via.client,
      },
      enters: from,
      leaves: to,
      answer: false,
    },
    {
      name: `${answerName(service)} from ${server.name} to ${client.name}`,
      packet: {
        ...packetOf(family, service, true),
        source: server.address,
        destination: client.address,
        sourceMac: server.mac,
        destinationMac: via.server,
      },
      enters: to,
      leaves: from,
      answer: true,
    },
  ];
}

/** Most services that are followed: the first of them are what is asked about. */
const mostServices = 5;

/**
 * The packets that matter to an instance and that Neutron's API lets through as a whole: what it begins itself (DHCP, ARP for its gateway,
 * metadata, a way out), what comes in, the answers to both, and its peer.
 */
export function journeysOf(around: Around): readonly Journey[] {
  const { own, family, gateway, metadata, outside, peer } = around;
  const journeys: Journey[] = [];
  const allowed = (service: Service, direction: Probe['direction'], remote: string): boolean =>
    surely(around.verdict(probeOf(family, service, direction, remote)));
  if (around.dhcp && family === 4) {
    journeys.push({
      name: `the DHCP request of ${own.name}`,
      packet: {
        family,
        protocol: 'udp',
        source: '0.0.0.0',
        destination: '255.255.255.255',
        sourcePort: 68,
        destinationPort: 67,
        sourceMac: own.mac,
        destinationMac: everybody,
      },
      enters: own.place,
      leaves: { kind: 'server' },
      answer: false,
    });
  }
  const asked = gateway?.physical === true ? outside?.place : own.place;
  if (gateway !== undefined && asked !== undefined && family === 4) {
    journeys.push({
      name: `the ARP request of ${own.name} for its gateway ${gateway.address}`,
      packet: {
        family,
        protocol: '',
        arp: 'request',
        source: own.address,
        destination: gateway.address,
        sourceMac: own.mac,
        destinationMac: everybody,
      },
      enters: own.place,
      leaves: asked,
      answer: false,
    });
  }
  if (metadata !== undefined && family === 4) {
    const web = { protocol: 'tcp', port: 80 } as const;
    const server = { ...metadata, address: metadataAddress };
    if (allowed(web, 'egress', metadataAddress)) {
      journeys.push(...both(family, web, own, server, { client: metadata.mac, server: own.mac }));
    }
    const ping = { protocol: 'icmp' } as const;
    if (allowed(ping, 'ingress', metadata.address)) {
      journeys.push(...both(family, ping, metadata, own, { client: own.mac, server: metadata.mac }));
    }
  }
  const services = around.services.slice(0, mostServices);
  if (outside !== undefined && gateway !== undefined) {
    const there = { name: outside.address, address: outside.address, mac: outside.mac, place: outside.place };
    const out = ([{ protocol: 'icmp' }, { protocol: 'tcp', port: 443 }, { protocol: 'udp', port: 53 }] as const).find(
      (service) => allowed(service, 'egress', outside.address),
    );
    if (out !== undefined) {
      journeys.push(...both(family, out, own, there, { client: gateway.mac, server: outside.known.mac }));
    }
    for (const service of services) {
      if (!outside.known.reachable || !allowed(service, 'ingress', outside.address)) continue;
      const via = { client: outside.known.mac, server: gateway.mac, called: outside.known.address };
      journeys.push(...both(family, service, there, own, via));
    }
  }
  if (metadata !== undefined && family === 4 && outside?.known.reachable !== true) {
    // Nothing comes in from outside: what any neighbour may ask for, from the nearest one.
    for (const service of services) {
      if (service.protocol === 'icmp' || !allowed(service, 'ingress', metadata.address)) continue;
      journeys.push(...both(family, service, metadata, own, { client: own.mac, server: metadata.mac }));
    }
  }
  if (peer !== undefined && familyOf(peer.address) === family && (!peer.routed || gateway !== undefined)) {
    const far = peer.routed ? (gateway?.mac ?? '') : peer.mac;
    const ends = [
      [own, peer, around.verdict, around.verdictOfPeer],
      [peer, own, around.verdictOfPeer, around.verdict],
    ] as const;
    for (const [client, server, leaving, entering] of ends) {
      const service = [{ protocol: 'icmp' } as const, ...services].find(
        (s) =>
          surely(leaving(probeOf(family, s, 'egress', server.address))) &&
          surely(entering(probeOf(family, s, 'ingress', client.address))),
      );
      // Of a routed pair only the gateway of this instance is known.
      if (service === undefined || (peer.routed && client === peer)) continue;
      const [there, ...back] = both(family, service, client, server, {
        client: client === own ? far : own.mac,
        server: client === own ? own.mac : far,
      });
      if (there !== undefined) journeys.push(there, ...(peer.routed ? [] : back));
    }
  }
  return [...new Map(journeys.map((j) => [j.name, j])).values()];
}
