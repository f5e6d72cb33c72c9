import { cidrContains, sameAddress } from '../addresses.ts';
import { type Atlas, type AtlasPort, AtlasReader, type Floating, type Want } from './atlas.ts';
import { type Arrival, isPrivate, type Journey, type Start, Walk } from './journey.ts';
import { type End, nameOfTraffic, type Question } from './question.ts';
import type { Decider, Step } from './step.ts';
import { portObject, tapSteps } from './tap.ts';
import type { Addresses } from './translation.ts';

export interface Reach {
  readonly question: Question;
  /** In the order in which the packet meets them, then its answer. */
  readonly steps: readonly Step[];
  readonly verdict: 'reachable' | 'unreachable' | 'unknown';
  /** The step that the verdict hangs on: the first that drops, else the first that is not known. */
  readonly decisive?: Step;
  /** One sentence for a person. */
  readonly sentence: string;
  /** What was looked for on the atlas and is not there yet: with it the answer may be another. */
  readonly wants: readonly Want[];
}

/** Whether a packet gets there and its answer back, by what the API orders; no packet is sent. */
export function reach(atlas: Atlas, question: Question): Reach {
  const reader = new AtlasReader(atlas);
  const steps = allSteps(reader, question);
  const dropped = steps.find((s) => s.verdict === 'dropped');
  const decisive = dropped ?? steps.find((s) => s.verdict === 'unknown');
  const verdict = dropped !== undefined ? 'unreachable' : decisive !== undefined ? 'unknown' : 'reachable';
  return {
    question,
    steps,
    verdict,
    ...(decisive === undefined ? {} : { decisive }),
    sentence: sentenceOf(question, verdict, decisive),
    wants: reader.wants,
  };
}

/** What is to be expected of a packet and its answer at each stage of the path; to be put beside what is seen there. */
export const expectedSteps = (atlas: Atlas, question: Question): readonly Step[] => reach(atlas, question).steps;

function sentenceOf(q: Question, verdict: Reach['verdict'], step: Step | undefined): string {
  const traffic = nameOfTraffic(q);
  const what = `${traffic} from ${q.from.name}`;
  if (step === undefined || verdict === 'reachable') {
    return `${what} reaches ${q.to.name}, and the answer comes back.`;
  }
  const place = `at ${step.where}, ${step.because}`;
  if (verdict === 'unreachable') {
    return step.way === 'there'
      ? `${what} does not reach ${q.to.name}: ${place}.`
      : `${what} reaches ${q.to.name}, but the answer does not come back: ${place}.`;
  }
  return `Whether ${what} reaches ${q.to.name} is not known: ${place}.`;
}

function allSteps(reader: AtlasReader, q: Question): readonly Step[] {
  const beginning = begin(reader, q);
  if (beginning.start === undefined) return beginning.steps;
  const { start, packet, port } = beginning;
  const steps: Step[] = [...beginning.steps];
  if (port !== undefined) {
    const { source: own, destination: remote } = packet;
    steps.push(...tapSteps(q, port, { way: 'there', side: 'source-tap', direction: 'egress', own, remote }, reader));
  }
  const floatings = floatingsOf(reader, port);
  const there = new Walk(reader, q, 'there', packet, [], floatings).from(start);
  steps.push(...there.steps);
  const { arrival } = there;
  if (arrival.kind === 'lost') return steps;
  steps.push(...arrivalSteps(reader, q, arrival));
  const astray = arrival.kind === 'outside' && q.to.kind === 'port';
  if (astray || steps.some((s) => s.verdict === 'dropped')) return steps;
  steps.push(...wayBack(reader, q, packet, port, start, there, arrival));
  return steps;
}

interface Beginning {
  readonly start: Start | undefined;
  readonly packet: Addresses;
  readonly port: AtlasPort | undefined;
  readonly steps: readonly Step[];
}

const addressOf = (end: End): string | undefined => end.address;

const floatingsOf = (reader: AtlasReader, port: AtlasPort | undefined): readonly Floating[] => {
  if (port === undefined || port.owner !== 'instance') return [];
  const found = reader.floatings(port.id);
  return found.known ? found.value.filter((f) => f.portId === port.id) : [];
};

function begin(reader: AtlasReader, q: Question): Beginning {
  const { from, to } = q;
  const packet: Addresses = { source: addressOf(from), destination: addressOf(to) };
  if (from.kind === 'port') {
    const port = reader.port(from.portId);
    if (port === undefined) throw new Error(`port ${from.portId} is not on the atlas`);
    return { start: { kind: 'port', port }, packet, port, steps: [] };
  }
  return fromOutside(reader, q, packet);
}

/** A packet that comes from no port of this cloud: by which network does it come in, and to which address? */
function fromOutside(reader: AtlasReader, q: Question, packet: Addresses): Beginning {
  const { from, to } = q;
  const base = { way: 'there', topic: 'route', at: 'segment', where: from.name } as const;
  const stop = (step: Omit<Step, 'way' | 'topic' | 'at' | 'where'>): Beginning => ({
    start: undefined,
    packet,
    port: undefined,
    steps: [{ ...base, ...step }],
  });
  const onto = (networkId: string, destination = packet.destination, steps: readonly Step[] = []): Beginning => ({
    start: { kind: 'network', networkId },
    packet: { ...packet, destination },
    port: undefined,
    steps,
  });
  if (to.kind === 'address' && to.address !== undefined) {
    const floating = reader.floatingAt(to.address);
    const object: Decider = { kind: 'address', id: to.address };
    if (!floating.known) {
      const because = `whether ${to.address} is a floating IP is not known: ${floating.because}`;
      return stop({ verdict: 'unknown', because, object, tell: floating.tell });
    }
    if (floating.value !== undefined) {
      if (floating.value.routerId !== undefined) reader.router(floating.value.routerId);
      return onto(floating.value.networkId);
    }
    const because = `${to.address} is neither a floating IP nor an address of any port: both ends are outside of this cloud`;
    return stop({ verdict: 'unknown', because, object, tell: 'a trace from the machine that wants to reach it' });
  }
  if (to.kind !== 'port') {
    const object: Decider = { kind: 'address', id: to.address ?? 'outside' };
    const because = 'neither end is in this cloud';
    return stop({ verdict: 'unknown', because, object, tell: 'name an instance or a port as one of the ends' });
  }
  const port = reader.port(to.portId);
  if (port === undefined) throw new Error(`port ${to.portId} is not on the atlas`);
  const network = reader.network(port.networkId);
  if (!network.known) {
    const because = `network ${port.networkId} is not known: ${network.because}`;
    return stop({ verdict: 'unknown', because, object: { kind: 'network', id: port.networkId }, tell: network.tell });
  }
  const neighbour =
    from.address !== undefined && network.value.subnets.some((s) => cidrContains(s.cidr, from.address ?? ''));
  if (network.value.external) return onto(network.value.id);
  if (neighbour) {
    const because = `${from.address} is in a subnet of network ${network.value.name}, but it is no port that is known: what it may send cannot be told`;
    const step: Step = {
      ...base,
      verdict: 'unknown',
      because,
      object: { kind: 'address', id: from.address ?? '' },
      tell: `who answers ARP for ${from.address} on network ${network.value.name}`,
    };
    return onto(network.value.id, packet.destination, [step]);
  }
  const floatings = q.family === 4 ? reader.floatings(port.id) : undefined;
  if (floatings !== undefined && !floatings.known) {
    const because = `whether ${to.name} has a floating IP is not known: ${floatings.because}`;
    return stop({ verdict: 'unknown', because, object: portObject(port), tell: floatings.tell });
  }
  const floating = floatings?.value.find((f) => f.fixed !== undefined && sameAddress(f.fixed, to.address));
  if (floating !== undefined) {
    if (floating.routerId !== undefined) reader.router(floating.routerId);
    return onto(floating.networkId, floating.address);
  }
  return byItsRouter(reader, q, port, to.address, stop, onto);
}

/** An address that is not translated is reached from outside only where the outside has a route to it. */
function byItsRouter(
  reader: AtlasReader,
  q: Question,
  port: AtlasPort,
  address: string,
  stop: (step: Omit<Step, 'way' | 'topic' | 'at' | 'where'>) => Beginning,
  onto: (networkId: string, destination: string | undefined, steps: readonly Step[]) => Beginning,
): Beginning {
  const services = reader.services(port.networkId);
  if (!services.known) {
    const because = `which routers serve its network is not known: ${services.because}`;
    const object: Decider = { kind: 'network', id: port.networkId };
    return stop({ verdict: 'unknown', because, object, tell: services.tell });
  }
  const routers = [...new Set(services.value.filter((p) => p.owner === 'router').map((p) => p.deviceId))]
    .map((id) => reader.router(id))
    .flatMap((r) => (r.known && r.value.gateway !== undefined ? [r.value] : []));
  const unseen = services.value.some((p) => p.owner === 'router' && !reader.router(p.deviceId).known);
  const [router] = routers;
  if (router?.gateway === undefined) {
    if (unseen) {
      const because = 'the routers of its network are not known';
      return stop({ verdict: 'unknown', because, object: portObject(port), tell: 'openstack router show' });
    }
    const because = `no router with an external gateway serves the network of ${port.name}`;
    return stop({ verdict: 'dropped', because, object: { kind: 'network', id: port.networkId } });
  }
  const object: Decider = { kind: 'router', id: router.id, name: router.name };
  if (q.family === 4 && isPrivate(address) && router.gateway.snat) {
    const because = `${address} is a private address without a floating IP: nobody outside can begin a connection with it`;
    return stop({ verdict: 'dropped', because, object: portObject(port) });
  }
  const outer = router.gateway.addresses.map((a) => a.address).join(', ');
  const step: Step = {
    way: 'there',
    topic: 'route',
    at: 'segment',
    where: q.from.name,
    verdict: 'unknown',
    because: `the routers outside need a route to ${address} by ${outer}, the gateway of router ${router.name}`,
    object,
    tell: `the routing table of the router outside`,
  };
  const entered = onto(router.gateway.networkId, address, [step]);
  return { ...entered, start: { kind: 'router', router } };
}

type Arrived = Exclude<Arrival, { kind: 'lost' }>;

/** What the far end does with what arrives. */
function arrivalSteps(reader: AtlasReader, q: Question, arrival: Arrived): readonly Step[] {
  const { to } = q;
  const base = { way: 'there', topic: 'arrival' } as const;
  switch (arrival.kind) {
    case 'port': {
      const { port } = arrival;
      const { destination: own, source: remote } = arrival.addresses;
      if (to.kind === 'port' && to.portId !== port.id) {
        const because = `${port.name} has ${own} here, which is not the port that was meant`;
        const step = { ...base, at: 'destination-tap', where: port.name, verdict: 'dropped', because } as const;
        return [{ ...step, object: portObject(port) }];
      }
      const passing = { way: 'there', side: 'destination-tap', direction: 'ingress', own, remote } as const;
      const taps = tapSteps(q, port, passing, reader);
      return port.owner === 'dhcp' || port.owner === 'metadata' ? [...taps, ...dhcpStep(reader, q, port)] : taps;
    }
    case 'outside': {
      if (to.kind !== 'port') return [];
      const because = `${to.name} is in this cloud, but the packets for ${to.address} are sent out of it`;
      const step = { ...base, at: 'segment', where: 'outside', verdict: 'unknown', because } as const;
      return [{ ...step, object: { kind: 'address', id: to.address }, tell: `traceroute ${to.address} from there` }];
    }
    case 'router':
    case 'metadata':
      return [];
  }
}

/** Requests for a lease are answered where a subnet has DHCP on. */
function dhcpStep(reader: AtlasReader, q: Question, port: AtlasPort): readonly Step[] {
  const server = q.family === 4 ? 67 : 547;
  if (q.protocol !== 'udp' || q.port !== server) return [];
  const network = reader.network(port.networkId);
  const subnets = network.known ? network.value.subnets.filter((s) => s.family === q.family) : [];
  const serving = subnets.find((s) => s.dhcp);
  const [first] = subnets;
  const base = { way: 'there', topic: 'arrival', at: 'destination-tap', where: port.name } as const;
  const host = port.host === undefined ? {} : { host: port.host };
  if (serving !== undefined) {
    const object: Decider = { kind: 'subnet', id: serving.id, name: serving.cidr };
    // On OVN the network has no server: its flows answer on the instance's own host.
    const who = port.owner === 'metadata' ? 'OVN' : 'it';
    return [{ ...base, ...host, verdict: 'passes', because: `${who} gives leases for ${serving.cidr}`, object }];
  }
  if (first === undefined) return [];
  const object: Decider = { kind: 'subnet', id: first.id, name: first.cidr };
  return [
    { ...base, ...host, verdict: 'dropped', because: `DHCP is off for ${first.cidr}: no lease is given`, object },
  ];
}

function wayBack(
  reader: AtlasReader,
  q: Question,
  sent: Addresses,
  sender: AtlasPort | undefined,
  start: Start,
  there: Journey,
  arrival: Arrived,
): readonly Step[] {
  const steps: Step[] = [];
  const { source: remote, destination: own } = arrival.addresses;
  const packet: Addresses = { source: own, destination: remote };
  const back = begun(reader, q, arrival, start);
  if ('lost' in back) return [back.lost];
  if (arrival.kind === 'port') {
    const passing = { way: 'back', side: 'destination-tap', direction: 'egress', own, remote } as const;
    steps.push(...tapSteps(q, arrival.port, passing, reader));
  }
  const walk = new Walk(reader, q, 'back', packet, there.translations, []).from(back.start);
  steps.push(...walk.steps);
  const home = walk.arrival;
  if (home.kind === 'lost') return steps;
  const strange = strangeAnswer(q, sent, start, there, home);
  if (strange !== undefined) return [...steps, strange];
  if (sender !== undefined) {
    const passing = { way: 'back', side: 'source-tap', direction: 'ingress' } as const;
    const { source, destination } = home.addresses;
    steps.push(...tapSteps(q, sender, { ...passing, own: destination, remote: source }, reader));
  }
  return steps;
}

/** Where the answer sets out. */
function begun(
  reader: AtlasReader,
  q: Question,
  arrival: Arrived,
  start: Start,
): { readonly start: Start } | { readonly lost: Step } {
  switch (arrival.kind) {
    case 'port':
      return { start: { kind: 'port', port: arrival.port } };
    case 'router':
      return { start: { kind: 'router', router: arrival.router } };
    case 'metadata':
      // Whoever served it is on the instance's own network, or the router that it came to.
      return { start: { kind: 'network', networkId: start.kind === 'port' ? start.port.networkId : '' } };
    case 'outside': {
      const network = reader.network(arrival.networkId);
      const { source } = arrival.addresses;
      const home =
        source === undefined || !network.known || network.value.subnets.some((s) => cidrContains(s.cidr, source));
      if (home) return { start: { kind: 'network', networkId: arrival.networkId } };
      const because = `${source} left the cloud untranslated: the routers outside need a route back to it${isPrivate(source) ? ', and it is a private address' : ''}`;
      return {
        lost: {
          way: 'back',
          topic: 'route',
          at: 'segment',
          where: q.to.name,
          verdict: 'unknown',
          because,
          object: { kind: 'address', id: source },
          tell: 'the routing table of the router outside',
        },
      };
    }
  }
}

const same = (a: string | undefined, b: string | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && sameAddress(a, b));

/** An answer that does not come from the address that was asked, or comes to another place, is no answer. */
function strangeAnswer(q: Question, sent: Addresses, start: Start, there: Journey, home: Arrived): Step | undefined {
  const { source, destination } = home.addresses;
  const [translation] = there.translations;
  const arrived =
    start.kind === 'port'
      ? start.port.owner === 'router'
        ? home.kind === 'router' && home.router.id === start.port.deviceId
        : home.kind === 'port' && home.port.id === start.port.id
      : home.kind === 'outside' || start.kind === 'router';
  if (arrived && same(source, sent.destination) && same(destination, sent.source)) return undefined;
  const because =
    translation === undefined
      ? `the answer comes out elsewhere, from ${source ?? 'outside'} to ${destination ?? 'outside'}`
      : `the answer goes past the router that has translated the question: it comes from ${source ?? 'outside'}, not from ${sent.destination ?? 'outside'}, and is thrown away`;
  return {
    way: 'back',
    topic: 'arrival',
    at: 'source-tap',
    where: q.from.name,
    verdict: 'dropped',
    because,
    object:
      translation === undefined
        ? { kind: 'address', id: source ?? 'outside' }
        : { kind: 'router', id: translation.routerId },
  };
}
