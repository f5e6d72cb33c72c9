import type { Evidence } from '../../engine/evidence.ts';
import { type FactResult, observed } from '../../engine/fact.ts';
import type { Layer } from '../../nodes/parse/frame/layer.ts';
import { type OfprotoTrace, parseOfprotoTrace } from '../../nodes/parse/ofproto-trace.ts';
import { endOf } from '../../nodes/parse/ovn-trace.ts';
import type { OvsState } from '../../nodes/parse/ovsdb.ts';
import type { Point } from '../../path/trace/point.ts';
import { switchFlow } from '../../path/trace/switch-flow.ts';
import { isGuestSilent, isLost } from '../../path/trace/verdict.ts';
import { hostOvs } from '../host.ts';
import { read, type Store, showing, source } from '../io.ts';
import { type Logical, logically } from '../ovn/forecasts.ts';
import type { PortSubject } from '../subject.ts';
import { type FollowedLeg, followedLegs } from './followed.ts';
import { packetOf, putIn } from './frames.ts';

/** What a switch says it does with a packet. */
export interface Account {
  readonly host: string;
  readonly bridge: string;
  readonly says: OfprotoTrace;
  readonly evidence: Evidence;
}

/** What the switch behind the last place that saw a packet says of it. */
export interface Opinion extends Account {
  readonly leg: FollowedLeg;
  /** Of OVN: what the logical flows would do with it. */
  readonly logical?: Logical;
}

/** What the logical flows say of it, and whether the flows of the host agree: a clause. */
export function logicalWords({
  logical,
  says,
  host,
  bridge,
}: Pick<Account, 'says' | 'host' | 'bridge'> & {
  readonly logical?: Pick<Logical, 'arrives' | 'trace'>;
}): string | undefined {
  if (logical === undefined) return undefined;
  if (!logical.arrives) {
    const last = endOf(logical.trace);
    const where = last === undefined ? '' : ` in ${last.datapath}, ${last.pipeline} stage ${last.stage}`;
    return `the logical flows (ovn-trace) ${says.delivers ? '' : 'also '}end it${where}`;
  }
  return says.delivers
    ? 'the logical flows (ovn-trace) deliver it, too'
    : `the logical flows (ovn-trace) deliver it: the flows of ${says.flows.at(-1)?.bridge ?? bridge} on ${host} are not those that OVN orders`;
}

/** Where the packets of a point enter Open vSwitch: by the device itself, or out of the tunnel from the far endpoint. */
export function entrance(ovs: OvsState, point: Point): { readonly bridge: string; readonly port: number } | undefined {
  const all = ovs.bridges.flatMap((bridge) =>
    bridge.ports.flatMap((port) => port.interfaces.map((device) => ({ bridge: bridge.name, device }))),
  );
  const { wears } = point;
  const found =
    wears.kind === 'tunnel'
      ? all.find(({ device }) => device.type === wears.by && device.options.get('remote_ip') === wears.endpoints[1])
      : all.find(({ device }) => device.name === point.device);
  const port = found?.device.ofport;
  return found === undefined || port === undefined || port < 0 ? undefined : { bridge: found.bridge, port };
}

async function ask(facts: Store, leg: FollowedLeg): Promise<Opinion | undefined> {
  const { stop } = leg.trace;
  // What came to its end has left every switch.
  if (stop === undefined || !isLost(leg.trace) || stop.kind === 'answerer' || isGuestSilent(leg.trace))
    return undefined;
  const { injected } = leg.run.planned;
  // What was put in at a port and was seen nowhere: what was put in is known.
  if (stop.after.at === 'sender' && injected !== undefined) {
    const flow = switchFlow(putIn(leg.run.planned) ?? []);
    return flow === undefined ? undefined : of(leg, await accountOf(facts, leg.trace.sender.host, injected, flow, []));
  }
  if (stop.after.at !== 'point') return undefined;
  const { point: index, way } = stop.after;
  const point = leg.run.planned.leg.points[index];
  const wanted = stop.packet === 'probe';
  // Address resolution travels with the probe; an answer to who-has goes the other way.
  const seen = leg.run.observation.sightings.find(
    (s) => s.point === index && s.way === way && s.sequence > 0 === (wanted || leg.trace.probe.protocol === 'arp'),
  );
  if (point === undefined || seen === undefined) return undefined;
  // What is lost between hosts has left this switch.
  const next = stop.before.at === 'point' ? leg.trace.points[stop.before.point]?.host : undefined;
  if (next !== undefined && next !== point.host) return undefined;
  const ovs = await facts.get(hostOvs, point.host);
  const at = ovs.ok ? entrance(ovs.value.value, point) : undefined;
  const flow = switchFlow(seen.layers);
  if (at === undefined || flow === undefined) return undefined;
  // An answer belongs to a connection: as often as it is asked about, for every zone anew.
  const state = way === 'back' && wanted ? ['--ct-next', 'trk,est,rpl', '--ct-next', 'trk,est,rpl'] : [];
  return of(leg, await accountOf(facts, point.host, at, [...tunnelWords(point, seen.layers), flow].join(','), state));
}

const of = (leg: FollowedLeg, account: Account | undefined): Opinion | undefined =>
  account === undefined ? undefined : { ...account, leg };

/** What a packet has kept of the tunnel that it comes out of: as it was seen there, else as it should be. */
export function tunnelWords({ wears }: Point, layers: readonly Layer[] = []): readonly string[] {
  if (wears.kind !== 'tunnel') return [];
  const seen = layers.findLast((l) => l.layer === 'geneve');
  const ports = seen?.layer === 'geneve' ? seen.logicalPorts : undefined;
  return [
    `tun_id=${seen?.layer === 'geneve' ? seen.vni : (wears.vni ?? 0)}`,
    `tun_src=${wears.endpoints[1]}`,
    `tun_dst=${wears.endpoints[0]}`,
    // ovn-controller maps its option to the first of the fields that stand for options.
    ...(ports === undefined ? [] : [`tun_metadata0=0x${((ports.ingress << 16) | ports.egress).toString(16)}`]),
  ];
}

/** What the southbound database's logical flows do with the packet of a stretch, or with its answer where that is what was lost. */
async function logical(facts: Store, subject: PortSubject, { run, trace }: FollowedLeg): Promise<Logical | undefined> {
  const { planned, observation } = run;
  const { stop } = trace;
  const { journey } = planned;
  // Of address resolution nothing is asked: logical switches answer it themselves.
  if (journey === undefined || stop?.packet !== 'probe' || !isLost(trace) || isGuestSilent(trace)) return undefined;
  const { enters, leaves } = journey;
  const answer = stop.way === 'back' || stop.after.at === 'answerer';
  if (answer && leaves.kind === 'server') return undefined;
  // As the first of those that saw it did: what enters has not been translated.
  const points = answer ? planned.leg.points.map((_, p) => p).reverse() : planned.leg.points.map((_, p) => p);
  const seen = points
    .map((p) =>
      observation.sightings.find((s) => s.point === p && s.way === (answer ? 'back' : 'there') && s.sequence > 0),
    )
    .find((s) => s !== undefined);
  const packet = packetOf(seen?.layers ?? (answer ? undefined : putIn(planned)) ?? []);
  if (packet === undefined) return undefined;
  const asked = answer && leaves.kind !== 'server' ? { enters: leaves, leaves: enters } : { enters, leaves };
  const said = await logically(facts, subject, { name: trace.title, packet, answer, ...asked });
  return said.ok ? said.value : undefined;
}

/** Asks a switch about a packet that enters it by this port; nothing is changed without -generate. */
export async function accountOf(
  facts: Store,
  host: string,
  at: { readonly bridge: string; readonly port: number },
  flow: string,
  state: readonly string[],
): Promise<Account | undefined> {
  const answer = await read(
    facts,
    host,
    {
      argv: ['ovs-appctl', 'ofproto/trace', at.bridge, `in_port=${at.port},${flow}`, ...state],
      impact: 'read',
      become: true,
    },
    parseOfprotoTrace,
  );
  const [evidence] = answer.ok ? answer.value.evidence : [];
  if (!answer.ok || evidence === undefined) return undefined;
  const says = answer.value.value;
  const last = says.flows.at(-1);
  return {
    host,
    bridge: at.bridge,
    says,
    evidence: showing(evidence, [
      ...(last === undefined ? [] : [`${last.bridge} table ${last.table}: ${last.match}`]),
      `Datapath actions: ${says.actions}`,
    ]),
  };
}

/** Asked only where packets were lost behind a port of Open vSwitch. `ofproto/trace` changes nothing without -generate. */
export const opinions = source<PortSubject, readonly Opinion[]>(
  'trace.opinions',
  (subject) => subject.id,
  async (subject, facts): Promise<FactResult<readonly Opinion[]>> => {
    const legs = await facts.get(followedLegs, subject);
    if (!legs.ok) return legs;
    const asked = await Promise.all(
      legs.value.value.map(async (leg): Promise<Opinion | undefined> => {
        const [own, rows] = await Promise.all([ask(facts, leg), logical(facts, subject, leg)]);
        return own === undefined || rows === undefined ? own : { ...own, logical: rows };
      }),
    );
    const found = asked.filter((o) => o !== undefined);
    return observed(found, ...found.map((o) => o.evidence));
  },
);
