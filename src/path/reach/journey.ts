import { cidrContains, parseCidr, sameAddress } from '../addresses.ts';
import type { AtlasNetwork, AtlasPort, AtlasReader, AtlasRouter, Floating } from './atlas.ts';
import { subnetOf } from './atlas.ts';
import type { Question } from './question.ts';
import { type Route, routeOfGuest, routeOfRouter } from './routes.ts';
import type { Decider, Stage, Step } from './step.ts';
import { portObject } from './tap.ts';
import { type Addresses, destinationAt, restored, sourceAt, type Translation } from './translation.ts';

/** Where a packet comes out. */
export type Arrival =
  | { readonly kind: 'port'; readonly port: AtlasPort; readonly addresses: Addresses }
  | { readonly kind: 'router'; readonly router: AtlasRouter; readonly addresses: Addresses }
  | { readonly kind: 'metadata'; readonly name: string; readonly addresses: Addresses }
  /** Beyond what Neutron knows: behind a gateway of an external or a provider network, or a station there. */
  | { readonly kind: 'outside'; readonly networkId: string; readonly addresses: Addresses }
  /** It got nowhere, or nobody can say where; the steps tell why. */
  | { readonly kind: 'lost' };

export interface Journey {
  readonly steps: readonly Step[];
  readonly arrival: Arrival;
  readonly translations: readonly Translation[];
}

/** Where a journey begins: at a port, in a router, or on a network where a packet comes in from outside. */
export type Start =
  | { readonly kind: 'port'; readonly port: AtlasPort }
  | { readonly kind: 'router'; readonly router: AtlasRouter }
  | { readonly kind: 'network'; readonly networkId: string };

/** More routers than any real path has; a loop of static routes ends here. */
const mostRouters = 16;

/** Follows a packet from network to network, router to router, by what the API orders. Rules at ports are judged elsewhere. */
export class Walk {
  readonly #reader: AtlasReader;
  readonly #question: Question;
  readonly #way: Step['way'];
  readonly #remembered: readonly Translation[];
  /** Floating addresses of whoever sends. */
  readonly #floatings: readonly Floating[];
  readonly #steps: Step[] = [];
  readonly #translations: Translation[] = [];
  #packet: Addresses;
  #routers = 0;

  constructor(
    reader: AtlasReader,
    question: Question,
    way: Step['way'],
    packet: Addresses,
    remembered: readonly Translation[],
    floatings: readonly Floating[],
  ) {
    this.#reader = reader;
    this.#question = question;
    this.#way = way;
    this.#packet = packet;
    this.#remembered = remembered;
    this.#floatings = floatings;
  }

  from(start: Start): Journey {
    const arrival = this.#begin(start);
    return { steps: this.#steps, arrival, translations: this.#translations };
  }

  #step(
    topic: Step['topic'],
    at: Stage,
    where: string,
    verdict: Step['verdict'],
    because: string,
    object: Decider,
    more: { readonly tell?: string; readonly host?: string } = {},
  ): void {
    this.#steps.push({ way: this.#way, topic, where, at, verdict, because, object, ...more });
  }

  #lost(): Arrival {
    return { kind: 'lost' };
  }

  #begin(start: Start): Arrival {
    switch (start.kind) {
      case 'port':
        return this.#leavePort(start.port);
      case 'router':
        return this.#throughRouter(start.router.id, undefined);
      case 'network':
        return this.#arriveOn(start.networkId, this.#packet.destination);
    }
  }

  #leavePort(port: AtlasPort): Arrival {
    const { destination } = this.#packet;
    if (port.owner === 'router') return this.#throughRouter(port.deviceId, undefined);
    const network = this.#network(port.networkId, port.name);
    if (network === undefined) return this.#lost();
    const own =
      this.#packet.source === undefined
        ? undefined
        : (network.subnets.find((s) =>
            port.addresses.some((a) => a.subnetId === s.id && a.address === this.#packet.source),
          ) ?? subnetOf(network, this.#packet.source));
    const route = routeOfGuest(network, own, destination);
    const asked = this.#question.to;
    if (route.kind === 'none' && asked.kind === 'metadata' && destination === asked.address) {
      return this.#arriveOn(network.id, destination);
    }
    if (route.kind === 'none') {
      const object: Decider = own === undefined ? portObject(port) : { kind: 'subnet', id: own.id, name: own.cidr };
      this.#step('route', this.#tapOf(), port.name, 'dropped', `no route to ${this.#to()}: ${route.because}`, object);
      return this.#lost();
    }
    if (!this.#fits(network, port.name)) return this.#lost();
    return this.#onRoute(route, this.#tapOf(), port.name);
  }

  #tapOf(): Stage {
    return this.#way === 'there' ? 'source-tap' : 'destination-tap';
  }

  #to(): string {
    return this.#packet.destination ?? 'anywhere outside';
  }

  /** Goes on with what a routing table said. */
  #onRoute(route: Exclude<Route, { kind: 'none' }>, at: Stage, where: string): Arrival {
    switch (route.kind) {
      case 'unknown':
        this.#step(
          'route',
          at,
          where,
          'unknown',
          route.because,
          { kind: 'address', id: this.#to() },
          { tell: route.tell },
        );
        return this.#lost();
      case 'direct':
        return this.#arriveOn(route.networkId, this.#packet.destination);
      case 'via':
        return this.#arriveOn(route.networkId, route.nexthop, route);
    }
  }

  #network(id: string, where: string): AtlasNetwork | undefined {
    const network = this.#reader.network(id);
    if (network.known) return network.value;
    const because = `its network ${id} is not known: ${network.because}`;
    this.#step('segment', 'segment', where, 'unknown', because, { kind: 'network', id }, { tell: network.tell });
    return undefined;
  }

  /** False where the packet does not fit into a network: it may not be fragmented. */
  #fits(network: AtlasNetwork, sender: string): boolean {
    const { size } = this.#question;
    // The answer to a ping is as large as the ping; other answers are as small as they like.
    if (size === undefined || (this.#way === 'back' && this.#question.protocol !== 'icmp')) return true;
    if (network.mtu === undefined || size <= network.mtu) return true;
    const because = `${size} bytes do not fit into network ${network.name}, whose MTU is ${network.mtu}: ${sender} answers "too big" to who may not fragment`;
    this.#step('segment', 'segment', `network ${network.name}`, 'dropped', because, {
      kind: 'network',
      id: network.id,
      name: network.name,
    });
    return false;
  }

  /** Onto a network, towards the station that has `station`: the destination itself, or a next hop. */
  #arriveOn(networkId: string, station: string | undefined, via?: Extract<Route, { kind: 'via' }>): Arrival {
    const network = this.#network(networkId, `network ${networkId}`);
    if (network === undefined) return this.#lost();
    const object: Decider = { kind: 'network', id: network.id, name: network.name };
    const where = `network ${network.name}`;
    if (!network.adminUp) {
      this.#step('segment', 'segment', where, 'dropped', 'the network is switched off (admin state)', object);
      return this.#lost();
    }
    if (station === undefined) return this.#leave(network, object);
    const metadata = this.#metadataOn(network, station, via);
    if (metadata !== undefined) return metadata;
    const expected = via === undefined ? this.#strangers(network, station) : undefined;
    if (expected !== undefined) return expected;
    if (via === undefined && network.external && this.#isOutside(station)) return this.#leave(network, object);
    const floating = via === undefined && network.external ? this.#floatingOn(network, station) : undefined;
    if (floating !== undefined) return floating;
    const holder = this.#reader.holder(network, station);
    if (!holder.known) return this.#unknownHolder(network, station, via, holder);
    if (holder.value === undefined) return this.#nobody(network, station, via);
    return this.#reached(network, holder.value, station, via);
  }

  /** Whether an address is that of an end which lies outside by what the operator says. */
  #isOutside(station: string): boolean {
    const meant = this.#way === 'there' ? this.#question.to : this.#question.from;
    return meant.kind === 'outside' && meant.address !== undefined && sameAddress(meant.address, station);
  }

  /** Whether the end that is meant is on another network than the one its address was looked for on. */
  #strangers(network: AtlasNetwork, station: string): Arrival | undefined {
    const meant = this.#way === 'there' ? this.#question.to : this.#question.from;
    if (meant.kind !== 'port' || !sameAddress(meant.address, station)) return undefined;
    const port = this.#reader.port(meant.portId);
    if (port === undefined || port.networkId === network.id) return undefined;
    const other = this.#reader.network(port.networkId);
    const named = other.known ? other.value.name : port.networkId;
    const because = `${station} is looked for on network ${network.name} itself, but ${meant.name} is on network ${named}: whatever answers here is not it`;
    this.#step('segment', 'segment', `network ${network.name}`, 'dropped', because, {
      kind: 'network',
      id: network.id,
      name: network.name,
    });
    return this.#lost();
  }

  #viaWords(via: Extract<Route, { kind: 'via' }>): string {
    if (via.by === 'default') return `the default gateway ${via.nexthop}`;
    return typeof via.by === 'object'
      ? `the next hop ${via.nexthop} of the route to ${via.by.route.destination}`
      : via.nexthop;
  }

  #unknownHolder(
    network: AtlasNetwork,
    station: string,
    via: Extract<Route, { kind: 'via' }> | undefined,
    holder: { readonly because: string; readonly tell: string },
  ): Arrival {
    // Behind the gateway of an external network is the world, whoever holds that address.
    if (network.external && via?.by === 'default') return this.#leave(network, this.#asObject(network), via);
    const what = via === undefined ? station : this.#viaWords(via);
    const because = `who has ${what} on network ${network.name} is not known: ${holder.because}`;
    const object: Decider = { kind: 'address', id: station };
    this.#step('segment', 'segment', `network ${network.name}`, 'unknown', because, object, { tell: holder.tell });
    return this.#lost();
  }

  /** A floating address is held by its router, on behalf of a port elsewhere. */
  #floatingOn(network: AtlasNetwork, station: string): Arrival | undefined {
    const found = this.#reader.floatingAt(station);
    if (!found.known || found.value === undefined) return undefined;
    const { routerId, id, address } = found.value;
    const where = `network ${network.name}`;
    const object: Decider = { kind: 'floating-ip', id, name: address };
    if (routerId === undefined) {
      const because = `floating IP ${address} is associated with nothing: nobody answers for it`;
      this.#step('translation', 'segment', where, 'dropped', because, object);
      return this.#lost();
    }
    this.#step('segment', 'segment', where, 'passes', `${address} is held by the router of the floating IP`, object);
    return this.#throughRouter(routerId, network.id);
  }

  #asObject = (network: AtlasNetwork): Decider => ({ kind: 'network', id: network.id, name: network.name });

  /** No port of the network has the address. */
  #nobody(network: AtlasNetwork, station: string, via: Extract<Route, { kind: 'via' }> | undefined): Arrival {
    const object = this.#asObject(network);
    const where = `network ${network.name}`;
    if (network.external) {
      return this.#leave(network, object, via);
    }
    const physical = network.type === 'vlan' || network.type === 'flat';
    if (physical || network.type === undefined) {
      const what = via === undefined ? station : this.#viaWords(via);
      const because = `no port of Neutron has ${what}; on a ${network.type ?? 'network of hidden type'} network it may be a device outside of the cloud`;
      const tell = `who answers ARP for ${station} there`;
      this.#step('segment', 'segment', where, 'unknown', because, object, { tell });
      return physical && via?.by === 'default'
        ? { kind: 'outside', networkId: network.id, addresses: this.#packet }
        : this.#lost();
    }
    const subnet = subnetOf(network, station);
    const because =
      via === undefined
        ? `no port on network ${network.name} has ${station}`
        : `no router and no port on network ${network.name} has ${this.#viaWords(via)}`;
    this.#step(via === undefined ? 'segment' : 'route', 'segment', where, 'dropped', because, {
      ...(via === undefined || subnet === undefined
        ? object
        : ({ kind: 'subnet', id: subnet.id, name: subnet.cidr } as const)),
    });
    return this.#lost();
  }

  /** Out of the cloud, by an external network. */
  #leave(network: AtlasNetwork, object: Decider, via?: Extract<Route, { kind: 'via' }>): Arrival {
    const how = via === undefined ? 'leaves the cloud here' : `leaves the cloud by ${this.#viaWords(via)}`;
    this.#step('segment', 'segment', `network ${network.name}`, 'passes', how, object);
    return { kind: 'outside', networkId: network.id, addresses: this.#packet };
  }

  #reached(
    network: AtlasNetwork,
    holder: AtlasPort,
    station: string,
    via: Extract<Route, { kind: 'via' }> | undefined,
  ): Arrival {
    const where = `network ${network.name}`;
    const object = this.#asObject(network);
    if (holder.owner === 'router') {
      const words = via === undefined ? station : this.#viaWords(via);
      this.#step('segment', 'segment', where, 'passes', `to ${words}, ${holder.name}`, object);
      return this.#throughRouter(holder.deviceId, network.id);
    }
    if (via === undefined) {
      this.#step('segment', 'segment', where, 'passes', `${holder.name} has ${station} here`, object);
      return { kind: 'port', port: holder, addresses: this.#packet };
    }
    const because = `${this.#viaWords(via)} is ${holder.name}: whether it forwards, only its own system knows`;
    const tell = `ip route and net.ipv4.ip_forward in ${holder.name}`;
    this.#step('route', 'segment', where, 'unknown', because, portObject(holder), { tell });
    return this.#lost();
  }

  /** 169.254.169.254 is never held by a port: whoever serves metadata on this network takes it. */
  #metadataOn(
    network: AtlasNetwork,
    station: string,
    via: Extract<Route, { kind: 'via' }> | undefined,
  ): Arrival | undefined {
    const { to } = this.#question;
    if (this.#way === 'back' || to.kind !== 'metadata' || this.#packet.destination !== to.address) return undefined;
    const where = `network ${network.name}`;
    const services = this.#reader.services(network.id);
    if (!services.known) {
      const because = `who serves metadata on network ${network.name} is not known: ${services.because}`;
      this.#step('segment', 'segment', where, 'unknown', because, this.#asObject(network), { tell: services.tell });
      return this.#lost();
    }
    const own = services.value.find((p) => p.owner === 'metadata');
    if (own !== undefined) {
      this.#step('arrival', 'segment', where, 'passes', 'the metadata port of the network takes it', portObject(own));
      return { kind: 'metadata', name: 'the metadata port', addresses: this.#packet };
    }
    const router =
      via && services.value.find((p) => p.owner === 'router' && p.addresses.some((a) => a.address === station));
    if (router) return undefined;
    const dhcp = services.value.find((p) => p.owner === 'dhcp');
    if (dhcp === undefined) {
      const because = `no router has the gateway address of its subnet, and no DHCP server is there: nobody serves metadata`;
      this.#step('arrival', 'segment', where, 'dropped', because, this.#asObject(network));
      return this.#lost();
    }
    const because =
      'no router has the gateway address of its subnet: the DHCP server serves metadata, where its agent is set to (enable_isolated_metadata)';
    this.#step('arrival', 'segment', where, 'unknown', because, portObject(dhcp), {
      tell: 'enable_isolated_metadata in dhcp_agent.ini, or: ostk-doctor metadata',
      ...(dhcp.host === undefined ? {} : { host: dhcp.host }),
    });
    return { kind: 'metadata', name: 'the DHCP server', addresses: this.#packet };
  }

  /** Into a router by the network it comes from; undefined: the router itself sends it. */
  #throughRouter(routerId: string, cameFrom: string | undefined): Arrival {
    const found = this.#reader.router(routerId);
    if (!found.known) {
      const because = `router ${routerId} is not known: ${found.because}`;
      const object: Decider = { kind: 'router', id: routerId };
      this.#step('router', 'router', `router ${routerId}`, 'unknown', because, object, { tell: found.tell });
      return this.#lost();
    }
    const router = found.value;
    const object: Decider = { kind: 'router', id: router.id, name: router.name };
    const where = `router ${router.name}`;
    this.#routers += 1;
    if (this.#routers > mostRouters) {
      this.#step('route', 'router', where, 'dropped', 'the routes lead in a circle', object);
      return this.#lost();
    }
    if (!router.adminUp) {
      this.#step('router', 'router', where, 'dropped', 'the router is switched off (admin state)', object);
      return this.#lost();
    }
    if (router.status !== 'ACTIVE') {
      const because = `Neutron says the router is ${router.status}`;
      this.#step('router', 'router', where, 'unknown', because, object, { tell: `openstack router show ${router.id}` });
    }
    const leg = router.legs.filter((l) => l.networkId === cameFrom);
    const [first] = leg;
    if (first !== undefined && leg.every((l) => !l.adminUp)) {
      const because = `its interface in network ${this.#nameOf(first.networkId)} is switched off (admin state)`;
      this.#step('router', 'router', where, 'dropped', because, { kind: 'port', id: first.portId });
      return this.#lost();
    }
    const before = this.#packet;
    const answer = this.#way === 'back' ? restored(router.id, before, this.#remembered) : undefined;
    const inByGateway = cameFrom !== undefined && cameFrom === router.gateway?.networkId;
    if (this.#way === 'there' && this.#takesMetadata(router, inByGateway)) {
      const because = 'its metadata proxy takes tcp/80 to 169.254.169.254';
      this.#step('translation', 'router', where, 'translated', because, object);
      return { kind: 'metadata', name: where, addresses: this.#packet };
    }
    let destinationTranslated = false;
    if (answer !== undefined) {
      const because = `the answer of a connection it has translated: ${words(before)} becomes ${words(answer)}`;
      this.#step('translation', 'router', where, 'translated', because, object);
      this.#packet = answer;
    } else if (this.#way === 'there') {
      const rewritten = destinationAt(router, this.#reader, before);
      switch (rewritten.kind) {
        case 'same':
          break;
        case 'nowhere':
          this.#step('translation', 'router', where, 'dropped', rewritten.because, rewritten.object);
          return this.#lost();
        case 'unknown':
          this.#step('translation', 'router', where, 'unknown', rewritten.because, object, { tell: rewritten.tell });
          return this.#lost();
        case 'to':
          this.#step('translation', 'router', where, 'translated', rewritten.because, rewritten.object);
          this.#packet = { ...before, destination: rewritten.address };
          destinationTranslated = true;
      }
    }
    const { destination } = this.#packet;
    const mine = destination !== undefined && addressesOf(router).some((a) => sameAddress(a, destination));
    if (mine) {
      this.#step('arrival', 'router', where, 'passes', `${destination} is an address of the router itself`, object);
      return { kind: 'router', router, addresses: this.#packet };
    }
    const route = routeOfRouter(router, this.#reader, destination);
    if (route.kind === 'none') {
      this.#step('route', 'router', where, 'dropped', `no route to ${this.#to()}: ${route.because}`, object);
      return this.#lost();
    }
    if (route.kind === 'unknown') return this.#onRoute(route, 'router', where);
    const outByGateway = route.networkId === router.gateway?.networkId;
    if (this.#way === 'there') {
      const rewritten = sourceAt(
        router,
        this.#packet,
        { outByGateway, inByGateway, destinationTranslated },
        this.#floatings,
      );
      if (rewritten.kind === 'to') {
        this.#step('translation', 'router', where, 'translated', rewritten.because, rewritten.object);
        this.#packet = { ...this.#packet, source: rewritten.address };
      }
      if (this.#packet !== before) {
        this.#translations.push({ routerId: router.id, before, after: this.#packet });
      }
    }
    const next = this.#network(route.networkId, where);
    if (next === undefined) return this.#lost();
    this.#step('route', 'router', where, 'passes', routeWords(route, next, this.#to()), object);
    if (!this.#fits(next, where)) return this.#lost();
    return this.#onRoute(route, 'router', where);
  }

  #takesMetadata(router: AtlasRouter, inByGateway: boolean): boolean {
    const { to, protocol, port } = this.#question;
    return (
      to.kind === 'metadata' &&
      this.#packet.destination === to.address &&
      protocol === 'tcp' &&
      port === 80 &&
      !inByGateway &&
      router.legs.length > 0
    );
  }

  #nameOf(networkId: string): string {
    const network = this.#reader.network(networkId);
    return network.known ? network.value.name : networkId;
  }
}

const words = (a: Addresses): string => `${a.source ?? 'anywhere'} → ${a.destination ?? 'anywhere'}`;

const addressesOf = (router: AtlasRouter): readonly string[] => [
  ...router.legs.flatMap((l) => l.addresses.map((a) => a.address)),
  ...(router.gateway?.addresses.map((a) => a.address) ?? []),
];

function routeWords(route: Extract<Route, { kind: 'direct' | 'via' }>, network: AtlasNetwork, to: string): string {
  if (route.kind === 'direct') return `${to} is in ${route.subnet.cidr}, at hand on network ${network.name}`;
  if (route.by === 'default') return `${to} by its default route via ${route.nexthop} on network ${network.name}`;
  const route_ = typeof route.by === 'object' ? route.by.route.destination : '';
  return `${to} by its route to ${route_} via ${route.nexthop} on network ${network.name}`;
}

/** Whether no router of the world outside would have a way to an address (RFC 1918, RFC 4193, shared, link-local). */
export const isPrivate = (address: string): boolean =>
  parseCidr(address) !== undefined &&
  ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.0.0/16', 'fc00::/7', 'fe80::/10'].some(
    (cidr) => cidrContains(cidr, address),
  );
