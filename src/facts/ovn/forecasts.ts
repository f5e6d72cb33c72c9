import type { Evidence } from '../../engine/evidence.ts';
import { type FactResult, observed } from '../../engine/fact.ts';
import type { FactFailure } from '../../engine/failure.ts';
import { err, ok, type Result } from '../../engine/result.ts';
import type { Departure, TracedFlow } from '../../nodes/parse/ofproto-trace.ts';
import { type OvnTrace, parseOvnTrace } from '../../nodes/parse/ovn-trace.ts';
import type { OvsdbRow } from '../../nodes/parse/ovsdb.ts';
import { familyOf, parseAddress, sameAddress } from '../../path/addresses.ts';
import type { Segment } from '../../path/backends/backend.ts';
import { type Maker, shortUuid } from '../../path/ovn/compare-walks.ts';
import { type Around, type End, type Journey, journeysOf, type Outside, type Place } from '../../path/ovn/journeys.ts';
import { expressionOf, openflowOf } from '../../path/ovn/microflow.ts';
import type { ChassisView } from '../../path/ovn/model.ts';
import { groupFromApi, portSecurityFromApi } from '../../path/secgroup/from-api.ts';
import type { MembersOf, Probe } from '../../path/secgroup/model.ts';
import { verdictOf } from '../../path/secgroup/verdict.ts';
import { hostOvs } from '../host.ts';
import { read, type Store, showing, source } from '../io.ts';
import { pairs } from '../pair.ts';
import { placement, segmentOf } from '../placement.ts';
import {
  externalSubnets,
  floatingIps,
  metadataPorts,
  networkById,
  portSubnets,
  remoteMembers,
  type ServingRouter,
  securityGroups,
  servicePorts,
  servingRouters,
} from '../port-api.ts';
import type { ApiSecurityGroup, FloatingIp, Port, Subnet } from '../schemas/network.ts';
import { computeHostOf, type PortSubject, theCloud } from '../subject.ts';
import { type Account, accountOf } from '../trace/opinions.ts';
import { chassisView } from './chassis.ts';
import { ask, ovnCommand, ovnDatabases } from './databases.ts';
import { logicalView, neutronName } from './logical.ts';
import { registeredChassis } from './south.ts';

/** What the switch of one host says of a packet on its way. */
export type Leg = Account;

export type Ending =
  | { readonly kind: 'arrived' }
  /** It goes to nobody: dropped at the last flow that is told. */
  | { readonly kind: 'lost'; readonly leg: Leg; readonly flow: TracedFlow }
  /** It leaves somewhere, not where it should. */
  | { readonly kind: 'astray'; readonly leg: Leg; readonly flow: TracedFlow; readonly where: string }
  /** Somebody's address has to be asked for first: nothing more is known of the packet. */
  | { readonly kind: 'resolving' }
  | { readonly kind: 'unknown'; readonly because: FactFailure };

/** What the southbound database's logical flows do with the same packet. */
export interface Logical {
  readonly trace: OvnTrace;
  readonly arrives: boolean;
  readonly evidence: Evidence;
}

export interface Forecast {
  readonly journey: Journey;
  readonly legs: readonly Leg[];
  readonly ending: Ending;
  /** Asked only of what the chassis would not deliver. */
  readonly logical?: Result<Logical, FactFailure>;
}

/** A row of the SB, as its cookie's flow is explained by it. */
export interface Owner extends Maker {
  readonly row: OvsdbRow;
}

export interface Forecasts {
  readonly forecasts: readonly Forecast[];
  /** The rows that the flows were made of on whose way packets are lost, and those of the logical flows on it; none where none is. */
  readonly owners: ReadonlyMap<string, readonly Owner[]>;
  readonly ownersEvidence: readonly Evidence[];
  /** Bridges that ovn-controller fills, by name. */
  readonly integrationBridges: ReadonlySet<string>;
}

/** Most hosts that one packet is followed over. */
const mostLegs = 4;
/** Questions for ovn-trace in one run: each reads the whole southbound database. */
const mostLogical = 3;

interface Chassis {
  readonly view: ChassisView;
  /** OpenFlow port of a logical port that is plugged in here. */
  readonly plugged: ReadonlyMap<string, number>;
  /** Bridge → OpenFlow ports that are neither its own nor patches: wires and bonds. */
  readonly wires: ReadonlyMap<string, readonly number[]>;
}

async function chassisOf(facts: Store, host: string): Promise<Result<Chassis, FactFailure>> {
  const [view, ovs] = await Promise.all([facts.get(chassisView, host), facts.get(hostOvs, host)]);
  if (!view.ok) return view;
  if (!ovs.ok) return ovs;
  const { bridges } = ovs.value.value;
  const own = bridges.find((b) => b.name === view.value.value.integrationBridge);
  const devices = (bridge: (typeof bridges)[number]) => bridge.ports.flatMap((p) => p.interfaces);
  return ok({
    view: view.value.value,
    plugged: new Map(
      (own === undefined ? [] : devices(own)).flatMap((d) => {
        const id = d.externalIds.get('iface-id');
        return id === undefined || d.ofport === undefined || d.ofport < 0 ? [] : [[id, d.ofport] as const];
      }),
    ),
    wires: new Map(
      bridges.map((b) => [
        b.name,
        devices(b)
          .filter((d) => d.type !== 'patch' && d.type !== 'internal')
          .flatMap((d) => (d.ofport === undefined || d.ofport <= 0 ? [] : [d.ofport])),
      ]),
    ),
  });
}

const established = Array.from({ length: 6 }, () => ['--ct-next', 'trk,est,rpl']).flat();

/** Asks a switch about a packet that enters a bridge by a port. */
async function askSwitch(
  facts: Store,
  host: string,
  at: { readonly bridge: string; readonly port: number },
  words: string,
  answer: boolean,
): Promise<Result<Leg, FactFailure>> {
  const leg = await accountOf(facts, host, at, words, answer ? established : []);
  return leg === undefined
    ? err({ kind: 'unsupported', because: `Open vSwitch on ${host} does not say what it would do with packets` })
    : ok(leg);
}

const PROTOCOLS = /^(?:ip|ipv6|icmp6?|tcp6?|udp6?|sctp6?|arp)$/;
const FIELDS =
  /^(?:dl_(?:src|dst)|nw_(?:src|dst|ttl)|ipv6_(?:src|dst)|tp_(?:src|dst)|icmp_(?:type|code)|arp_(?:op|spa|tpa|sha|tha)|nd_(?:target|sll|tll))$/;

/** The packet that came out of one switch, in the words for the next. */
const carried = ({ header }: Departure): string =>
  [
    ...[...header].filter(([name, value]) => value === '' && PROTOCOLS.test(name)).map(([name]) => name),
    ...[...header].filter(([name]) => FIELDS.test(name)).map(([name, value]) => `${name}=${value}`),
  ].join(',');

/** Opcodes of `controller(userdata=…)` (ovn lib/actions.h, enum action_opcode): addresses that are asked for, answers that are given. */
const opcodeOf = (flow: TracedFlow): number | undefined =>
  flow.punts === undefined ? undefined : Number.parseInt(flow.punts.split('.').slice(0, 4).join(''), 16);
const asksAddress = new Set([0, 9]);
const serves = new Set([2, 5, 8]);

const isPort = (place: Journey['leaves']): place is Place & { readonly kind: 'port' } => place.kind === 'port';

/** Follows one packet from switch to switch, as their flows would have it. */
async function follow(facts: Store, journey: Journey, endpoints: ReadonlyMap<string, string>): Promise<Forecast> {
  const legs: Leg[] = [];
  const without = (because: FactFailure): Forecast => ({ journey, legs, ending: { kind: 'unknown', because } });
  const { enters, leaves } = journey;
  const here = await chassisOf(facts, enters.host);
  if (!here.ok) return without(here.error);
  const bridge =
    enters.kind === 'port'
      ? here.value.view.integrationBridge
      : (here.value.view.bridgeMappings.get(enters.physical ?? '') ??
        (enters.physical === undefined && here.value.view.bridgeMappings.size === 1
          ? [...here.value.view.bridgeMappings.values()][0]
          : undefined));
  const port = enters.kind === 'port' ? here.value.plugged.get(enters.id) : here.value.wires.get(bridge ?? '')?.[0];
  if (bridge === undefined || port === undefined) {
    const what = enters.kind === 'port' ? `port ${enters.id}` : `physical network ${enters.physical ?? '?'}`;
    return without({ kind: 'not-found', what: `${what} at Open vSwitch on ${enters.host}` });
  }
  const tag = enters.kind === 'outside' && enters.vlan !== undefined ? [`dl_vlan=${enters.vlan}`] : [];
  const first = await askSwitch(
    facts,
    enters.host,
    { bridge, port },
    [...tag, openflowOf(journey.packet)].join(','),
    journey.answer,
  );
  if (!first.ok) return without(first.error);
  legs.push(first.value);
  let unreached: FactFailure | undefined;
  const open: { readonly from: string; readonly leg: Leg }[] = [{ from: enters.host, leg: first.value }];
  const seen = new Set<string>();
  for (let next = open.shift(); next !== undefined && legs.length < mostLegs; next = open.shift()) {
    for (const departure of next.leg.says.departures) {
      const { tunnel } = departure;
      if (tunnel === undefined || seen.has(tunnel.destination)) continue;
      seen.add(tunnel.destination);
      const host = [...endpoints].find(([address]) => sameAddress(address, tunnel.destination))?.[1];
      if (host === undefined) {
        unreached = { kind: 'not-found', what: `the chassis whose tunnel ends at ${tunnel.destination}` };
        continue;
      }
      const there = await chassisOf(facts, host);
      if (!there.ok) {
        unreached = there.error;
        continue;
      }
      const senders = [...endpoints].filter(([, name]) => name === next.from).map(([address]) => address);
      const arrival = there.value.view.tunnels.find((t) =>
        [...(tunnel.source === undefined ? [] : [tunnel.source]), ...senders].some((a) => sameAddress(a, t.remoteIp)),
      );
      if (arrival?.ofport === undefined || arrival.ofport < 0) {
        unreached = { kind: 'not-found', what: `a tunnel port of ${host} for ${next.from}` };
        continue;
      }
      const words = [
        ...(tunnel.key === undefined ? [] : [`tun_id=0x${tunnel.key.toString(16)}`]),
        ...(tunnel.option === undefined ? [] : [`tun_metadata0=${tunnel.option}`]),
        carried(departure),
      ].join(',');
      const inner = await askSwitch(
        facts,
        host,
        { bridge: there.value.view.integrationBridge, port: arrival.ofport },
        words,
        journey.answer,
      );
      if (!inner.ok) {
        unreached = inner.error;
        continue;
      }
      legs.push(inner.value);
      open.push({ from: host, leg: inner.value });
    }
  }
  return { journey, legs, ending: await endingOf(facts, journey, leaves, legs, unreached) };
}

async function endingOf(
  facts: Store,
  { packet }: Journey,
  leaves: Journey['leaves'],
  legs: readonly Leg[],
  unreached: FactFailure | undefined,
): Promise<Ending> {
  const flows = legs.flatMap((leg) => leg.says.flows);
  const arrived = async (): Promise<boolean> => {
    if (leaves.kind === 'server') return flows.some((f) => serves.has(opcodeOf(f) ?? -1));
    const target = await chassisOf(facts, leaves.host);
    if (isPort(leaves)) {
      const port = target.ok ? target.value.plugged.get(leaves.id) : undefined;
      return legs.some(
        (leg) =>
          leg.host === leaves.host &&
          target.ok &&
          leg.says.delivers &&
          leg.says.flows.some(
            (f) => f.bridge === target.value.view.integrationBridge && f.outputs.includes(String(port ?? '')),
          ),
      );
    }
    // Out of a provider bridge, whichever chassis is the gateway now.
    const bridges = await Promise.all(
      legs.map(async (leg) => {
        const view = await facts.get(chassisView, leg.host);
        return view.ok ? [...view.value.value.bridgeMappings.values()] : [];
      }),
    );
    return legs.some(
      (leg, at) =>
        leg.says.departures.some((d) => d.tunnel === undefined) &&
        leg.says.flows.some((f) => bridges[at]?.includes(f.bridge)),
    );
  };
  if (await arrived()) return { kind: 'arrived' };
  if (unreached !== undefined) return { kind: 'unknown', because: unreached };
  const leg = legs.at(-1);
  const flow = leg?.says.flows.at(-1);
  if (leg === undefined || flow === undefined) {
    return { kind: 'unknown', because: { kind: 'unsupported', because: 'the switch told no flow' } };
  }
  if (leg.says.flows.some((f) => asksAddress.has(opcodeOf(f) ?? -1))) return { kind: 'resolving' };
  const out = [...leg.says.flows].reverse().find((f) => f.outputs.length > 0);
  // Broadcasts go to many; that none of them is the right one is a loss.
  if (!leg.says.delivers || out === undefined || packet.arp !== undefined) {
    return { kind: 'lost', leg, flow };
  }
  return { kind: 'astray', leg, flow: out, where: `${out.bridge} port ${out.outputs.join(', ')}` };
}

/** The logical port that a packet comes in by, and its switch. */
async function logicalEntry(
  facts: Store,
  subject: PortSubject,
  place: Place,
): Promise<{ readonly port: string; readonly datapath: string } | undefined> {
  const datapath = neutronName(place.network);
  if (place.kind === 'port') return { port: place.id, datapath };
  const view = await facts.get(logicalView, subject);
  if (!view.ok) return undefined;
  const [localnet] =
    view.value.value.outside.get(place.network)?.localnets ??
    view.value.value.servicePorts.filter((p) => p.type === 'localnet');
  return localnet === undefined ? undefined : { port: localnet.name, datapath };
}

/** What the SB says of a packet. */
export async function logically(
  facts: Store,
  subject: PortSubject,
  journey: Journey,
): Promise<Result<Logical, FactFailure>> {
  const [databases, entry] = await Promise.all([
    facts.get(ovnDatabases, theCloud),
    logicalEntry(facts, subject, journey.enters),
  ]);
  if (!databases.ok) return databases;
  const { sb } = databases.value.value;
  if (!sb.ok) return sb;
  if (entry === undefined) return err({ kind: 'not-found', what: 'the logical port of the external network' });
  const tracked = Array.from({ length: 8 }, () => `--ct=${journey.answer ? 'est,rpl' : 'new'}`);
  const command = ovnCommand(
    sb.value,
    'ovn-trace',
    '--no-friendly-names',
    ...tracked,
    entry.datapath,
    expressionOf(journey.packet, entry.port),
  );
  const said = await read(facts, sb.value.host, command, parseOvnTrace);
  if (!said.ok) return said;
  const [evidence] = said.value.evidence;
  if (evidence === undefined) return err({ kind: 'unsupported', because: 'ovn-trace was not recorded' });
  const trace = said.value.value;
  const { leaves } = journey;
  const arrives =
    leaves.kind === 'server'
      ? // What ovn-controller answers comes back by the port that asked.
        trace.outputs.some((o) => o.port === entry.port)
      : leaves.kind === 'port'
        ? trace.outputs.some((o) => o.port === leaves.id)
        : trace.outputs.some((o) => o.type === 'localnet');
  const last = trace.hits.at(-1);
  const flow =
    last?.flow === undefined
      ? 'no match'
      : `${last.flow.match}, priority ${last.flow.priority}, uuid ${last.flow.uuid}`;
  return ok({
    trace,
    arrives,
    evidence: showing(
      evidence,
      last === undefined ? [] : [`${last.table}. ${last.stage}: ${flow}`, ...last.actions.map((a) => `    ${a}`)],
    ),
  });
}

/** Tables of the SB that flows are made of (ovn controller/physical.c, lflow.c). */
const makers = [
  'Logical_Flow',
  'Port_Binding',
  'MAC_Binding',
  'Multicast_Group',
  'FDB',
  'Load_Balancer',
  'Chassis',
  'Datapath_Binding',
] as const;

/** The rows that cookies name. Asked for a few suspects only: a tool of OVN's reads the table to find a row. */
export async function ownersOf(
  facts: Store,
  cookies: readonly string[],
): Promise<{ readonly owners: ReadonlyMap<string, readonly Owner[]>; readonly evidence: readonly Evidence[] }> {
  const wanted = [...new Set(cookies)].sort();
  const databases = await facts.get(ovnDatabases, theCloud);
  if (wanted.length === 0 || !databases.ok || !databases.value.value.sb.ok) return { owners: new Map(), evidence: [] };
  const way = databases.value.value.sb.value;
  const owners = new Map<string, Owner[]>(wanted.map((cookie) => [cookie, []]));
  const evidence: Evidence[] = [];
  // Nearly every flow is made of a row of the first two; a few words for the rest.
  for (const tables of [makers.slice(0, 2), makers.slice(2)]) {
    const open = wanted.filter((cookie) => owners.get(cookie)?.length === 0);
    if (open.length === 0) break;
    const answer = await ask(
      facts,
      way,
      'sb',
      tables.map((table) => ['--if-exists', 'list', table, ...open]),
    );
    // Half an answer would make strangers of OVN's own flows.
    if (!answer.ok) return { owners: new Map(), evidence: [] };
    for (const [at, rows] of answer.value.value.entries()) {
      for (const row of rows) {
        const uuid = String(row.get('_uuid') ?? '');
        const [pipeline, tableId, priority, actions] = ['pipeline', 'table_id', 'priority', 'actions'].map((c) =>
          row.get(c),
        );
        owners.get(uuid.slice(0, 8))?.push({
          table: tables[at] ?? '',
          row,
          ...(typeof pipeline === 'string' ? { pipeline } : {}),
          ...(typeof tableId === 'number' ? { tableId } : {}),
          ...(typeof priority === 'number' ? { priority } : {}),
          ...(typeof actions === 'string' ? { drops: /drop|reject/.test(actions) || actions.trim() === '' } : {}),
        });
      }
    }
    evidence.push(...answer.value.evidence);
  }
  return { owners, evidence };
}

/** Everything that is asked about, of each family that the port has. */
async function journeysFor(facts: Store, subject: PortSubject): Promise<Result<readonly Journey[], FactFailure>> {
  const [place, subnets, around, routers, external, floating, groups, members, pair] = await Promise.all([
    facts.get(placement, subject),
    facts.get(portSubnets, subject),
    facts.get(servicePorts, subject),
    facts.get(servingRouters, subject),
    facts.get(externalSubnets, subject),
    facts.get(floatingIps, subject),
    facts.get(securityGroups, subject),
    facts.get(remoteMembers, subject),
    facts.get(pairs, subject),
  ]);
  if (!place.ok) return place;
  if (!groups.ok) return groups;
  const port = subject.port.value;
  const { host } = place.value.value;
  const name = subject.instance?.name ?? `port ${subject.id.slice(0, 8)}`;
  const at = (id: string, where: string, network: string): End['place'] => ({ kind: 'port', id, host: where, network });
  const membersOf: MembersOf = (id) => (members.ok ? members.value.value.get(id) : undefined);
  const judge = (of: Port, rules: readonly ApiSecurityGroup[]) => (probe: Probe) =>
    verdictOf(probe, portSecurityFromApi(of), rules.map(groupFromApi), membersOf);
  const there = pair.ok && pair.value.value.way.kind !== 'floating' ? pair.value.value : undefined;
  const theirs = there === undefined ? undefined : await facts.get(securityGroups, there.peer);
  const theirHost = there === undefined ? undefined : computeHostOf(there.peer);
  const [metadataPort] = metadataPorts(around.ok ? around.value.value : []);
  const services: Around['services'] = [
    ...facts.io.options.probes,
    ...groups.value.value
      .flatMap((g) => g.security_group_rules)
      .flatMap((r) => {
        const protocol = (['tcp', 'udp'] as const).find((p) => p === r.protocol);
        const single = r.port_range_min != null && r.port_range_min === r.port_range_max;
        return r.direction === 'ingress' && protocol !== undefined && single
          ? [{ protocol, port: r.port_range_min ?? 0 }]
          : [];
      }),
  ];
  const distinct = [...new Map(services.map((s) => [`${s.protocol} ${s.port ?? ''}`, s])).values()];
  const found: Journey[] = [];
  for (const family of [4, 6] as const) {
    const fixed = port.fixed_ips.find((f) => familyOf(f.ip_address) === family);
    if (fixed === undefined) continue;
    const subnet = subnets.ok ? subnets.value.value.find((s) => s.id === fixed.subnet_id) : undefined;
    const own: End = {
      name,
      address: fixed.ip_address,
      mac: port.mac_address,
      place: at(subject.id, host, port.network_id),
    };
    const serving = (routers.ok ? routers.value.value : []).find((r) =>
      r.insides.some((p) =>
        p.fixed_ips.some((f) => f.subnet_id === fixed.subnet_id && f.ip_address === subnet?.gateway_ip),
      ),
    );
    const inside = serving?.insides.find((p) => p.fixed_ips.some((f) => f.ip_address === subnet?.gateway_ip));
    const metadataAddress = metadataPort?.fixed_ips.find((f) => familyOf(f.ip_address) === family)?.ip_address;
    const { segment } = place.value.value;
    const physical = segment.physicalNetwork !== undefined && serving === undefined && !!subnet?.gateway_ip;
    const outside =
      serving !== undefined
        ? await outsideOf(facts, subject, serving, own, external, floating)
        : physical
          ? behindWire(own, subnet.gateway_ip ?? '', segment)
          : undefined;
    const peerMac = there?.peer.port.value.mac_address;
    found.push(
      ...journeysOf({
        own,
        family,
        dhcp: subnet?.enable_dhcp === true,
        ...(physical
          ? { gateway: { address: subnet.gateway_ip ?? '', mac: stranger, physical: true } }
          : inside === undefined || !subnet?.gateway_ip
            ? {}
            : { gateway: { address: subnet.gateway_ip, mac: inside.mac_address, physical: false } }),
        ...(metadataPort === undefined || metadataAddress === undefined
          ? {}
          : {
              metadata: {
                name: 'the metadata port',
                address: metadataAddress,
                mac: metadataPort.mac_address,
                place: at(metadataPort.id, host, port.network_id),
              },
            }),
        ...(outside === undefined ? {} : { outside }),
        ...(there === undefined || theirHost === undefined || peerMac === undefined
          ? {}
          : {
              peer: {
                name: there.name,
                address: there.theirs,
                mac: peerMac,
                place: at(there.peer.id, theirHost, there.peer.port.value.network_id),
                routed: there.way.kind !== 'same-network',
              },
            }),
        services: distinct,
        verdict: judge(port, groups.value.value),
        verdictOfPeer:
          there === undefined || theirs?.ok !== true
            ? () => ({ kind: 'depends', on: [], unseenGroups: [], surely: [] })
            : judge(there.peer.port.value, theirs.value.value),
      }),
    );
  }
  return ok(found);
}

/** The MAC of a physical router, which nothing here depends on. */
const stranger = '02:00:00:00:00:01';

const tagOf = (segment: Segment | undefined): { readonly vlan?: number } =>
  segment?.type === 'vlan' && segment.id !== undefined ? { vlan: segment.id } : {};

/** Of an instance whose own network is a physical one. */
const behindWire = (own: End, address: string, segment: Segment): Outside => ({
  address,
  mac: stranger,
  place: {
    kind: 'outside',
    host: own.place.host,
    network: own.place.network,
    physical: segment.physicalNetwork,
    ...tagOf(segment),
  },
  known: { address: own.address, mac: own.mac, reachable: true },
});

async function outsideOf(
  facts: Store,
  subject: PortSubject,
  serving: ServingRouter,
  own: End,
  external: FactResult<ReadonlyMap<string, Subnet>>,
  floating: FactResult<readonly FloatingIp[]>,
): Promise<Outside | undefined> {
  const gatewayPort = serving.ports.find((p) => p.device_owner === 'network:router_gateway');
  const address = external.ok ? external.value.value.get(serving.router.id)?.gateway_ip : undefined;
  if (gatewayPort === undefined || !address || familyOf(address) !== parseAddress(own.address)?.family)
    return undefined;
  const [network, view] = await Promise.all([
    facts.get(networkById, gatewayPort.network_id),
    facts.get(logicalView, subject),
  ]);
  const mine = floating.ok ? floating.value.value.find((f) => f.fixed_ip_address === own.address) : undefined;
  const nat = view.ok
    ? view.value.value.routers
        .get(serving.router.id)
        ?.nat.find((n) => n.type === 'dnat_and_snat' && n.externalIp === mine?.floating_ip_address)
    : undefined;
  // A floating address with a MAC of its own is answered for where the instance is (ovn-nb(5), NAT, external_mac).
  const distributed = nat?.externalMac !== undefined && nat.logicalPort !== undefined ? nat.externalMac : undefined;
  const host = distributed === undefined ? gatewayPort['binding:host_id'] : own.place.host;
  if (!host) return undefined;
  const segment = network.ok ? segmentOf(network.value.value) : undefined;
  const physical = segment?.physicalNetwork;
  return {
    address,
    mac: stranger,
    place: { kind: 'outside', host, network: gatewayPort.network_id, physical, ...tagOf(segment) },
    known:
      mine === undefined
        ? { address: own.address, mac: gatewayPort.mac_address, reachable: false }
        : { address: mine.floating_ip_address, mac: distributed ?? gatewayPort.mac_address, reachable: true },
  };
}

/**
 * What the chassis' flows would do with the packets that matter, switch by switch; and of what they would not deliver, what the logical flows
 * of the SB would. Nothing is sent.
 */
export const ovnForecasts = source<PortSubject, Forecasts>(
  'port.ovn.forecasts',
  (subject) => subject.id,
  async (subject, facts) => {
    const [journeys, registered] = await Promise.all([
      journeysFor(facts, subject),
      facts.get(registeredChassis, theCloud),
    ]);
    if (!journeys.ok) return journeys;
    const endpoints = new Map(
      (registered.ok ? registered.value.value.chassis : []).flatMap((c) =>
        c.encaps.map((e) => [e.ip, c.hostname] as const),
      ),
    );
    const followed = await Promise.all(journeys.value.map((journey) => follow(facts, journey, endpoints)));
    const failing = followed.filter((f) => f.ending.kind === 'lost' || f.ending.kind === 'astray');
    const logical = new Map(
      await Promise.all(
        failing
          .slice(0, mostLogical)
          .map(async (f) => [f.journey.name, await logically(facts, subject, f.journey)] as const),
      ),
    );
    const forecasts = followed.map((f): Forecast => {
      const second = logical.get(f.journey.name);
      return second === undefined ? f : { ...f, logical: second };
    });
    const cookies = forecasts.flatMap((f) => [
      ...(f.ending.kind === 'lost' || f.ending.kind === 'astray'
        ? f.legs.flatMap((leg) => leg.says.flows.flatMap((flow) => shortUuid(flow.cookie) ?? []))
        : []),
      ...(f.logical?.ok === true ? f.logical.value.trace.hits.flatMap((h) => h.flow?.uuid ?? []) : []),
    ]);
    const { owners, evidence } = await ownersOf(facts, cookies);
    const views = await Promise.all(
      [...new Set(forecasts.flatMap((f) => f.legs.map((leg) => leg.host)))].map((host) => facts.get(chassisView, host)),
    );
    const integrationBridges = new Set(views.flatMap((v) => (v.ok ? [v.value.value.integrationBridge] : [])));
    return observed(
      { forecasts, owners, ownersEvidence: evidence, integrationBridges },
      ...forecasts.flatMap((f) => f.legs.map((leg) => leg.evidence)).slice(0, 8),
    );
  },
);
