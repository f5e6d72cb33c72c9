import type { Evidence } from '../../engine/evidence.ts';
import { observed } from '../../engine/fact.ts';
import { err } from '../../engine/result.ts';
import type { Ping } from '../../nodes/parse/ping.ts';
import { parsePortStats } from '../../nodes/parse/port-stats.ts';
import { parseAddress } from '../../path/addresses.ts';
import { fullSizePayload, neededUnderlayMtu } from '../../path/mtu.ts';
import { tunnelEnds } from '../../path/ovn/encap.ts';
import type { Chassis, ChassisView } from '../../path/ovn/model.ts';
import { hostOvs } from '../host.ts';
import { probesOff, read, run, type Store, showing, source } from '../io.ts';
import { knockCommand, knocks, tunnelPort } from '../knock.ts';
import { sendPing } from '../ping.ts';
import { portNetwork } from '../port-api.ts';
import { type RulesOfHost, readRules } from '../rules.ts';
import { type PortSubject, theCloud } from '../subject.ts';
import { chassisView } from './chassis.ts';
import { type GatewayAt, ovnHosts } from './hosts.ts';
import { registeredChassis } from './south.ts';

/** One way between two chassis, tried. */
export interface TunnelTrial {
  readonly from: string;
  readonly to: string;
  readonly fromEnd: string;
  readonly toEnd: string;
  readonly type: string;
  /** On the underlay, small; and not to be fragmented, as large as the network's full-size packets in their tunnel. */
  readonly ping?: { readonly ping: Ping; readonly evidence: Evidence };
  readonly full?: { readonly ping: Ping; readonly evidence: Evidence; readonly size: number };
  /** Packets of the tunnel's own kind, and how many the far switch took in at its tunnel port; undefined: not sent, or not counted. */
  readonly knock?: { readonly arrived: number; readonly evidence: readonly [Evidence, ...Evidence[]] };
  /** Rules and flows of both hosts, read where nothing was seen to arrive. */
  readonly rules: ReadonlyMap<string, RulesOfHost>;
}

export interface TunnelTrials {
  readonly trials: readonly TunnelTrial[];
}

interface End {
  readonly host: string;
  readonly ip: string;
  readonly view: ChassisView | undefined;
}

/** What the switch has taken in so far at the tunnel port from a far chassis. */
async function takenIn(facts: Store, at: End, from: End, round: string, wait?: number) {
  const port = at.view?.tunnels.find((t) => t.remoteIp === from.ip);
  if (port === undefined || at.view === undefined) return undefined;
  const plain = ['ovs-ofctl', '--timeout=5', 'dump-ports', at.view.integrationBridge] as const;
  const argv = wait === undefined ? plain : (['sh', '-c', 'sleep "$0"; exec "$@"', String(wait), ...plain] as const);
  const found = await read(facts, at.host, { argv, impact: 'read', become: true, round }, parsePortStats);
  if (!found.ok) return undefined;
  const names = [String(port.ofport ?? ''), port.name];
  const stats = found.value.value.find((p) => names.includes(p.port));
  const [evidence] = found.value.evidence;
  if (stats === undefined || evidence === undefined) return undefined;
  // Whoever repeats it has no need to wait.
  const { source } = evidence;
  const shown = source.kind === 'command' ? { ...evidence, source: { ...source, argv: plain } } : evidence;
  return { rx: stats.rx, name: port.name, evidence: shown };
}

/** What could take packets between two tunnel addresses on a host; OVN's own flows are judged elsewhere. */
async function rulesOf(facts: Store, end: End): Promise<RulesOfHost> {
  const ovs = await facts.get(hostOvs, end.host);
  const bridges = (ovs.ok ? ovs.value.value.bridges : [])
    .map((b) => b.name)
    .filter((name) => name !== end.view?.integrationBridge);
  return readRules(facts, end.host, [], bridges, 'tunnel rules');
}

/** Who holds a gateway, and the living candidates that it does not hear: each takes the other for dead, and the gateway for itself. */
const deafTo = (
  { holder, candidates }: GatewayAt,
  view: ChassisView,
  nbCfg: number,
): readonly (readonly [string, string])[] =>
  candidates
    .filter((c) => c.name !== holder?.name && (c.chassis?.nbCfg ?? -1) >= nbCfg)
    .filter((c) => view.tunnels.some((t) => t.chassis === c.name && t.bfd === 'down'))
    .map((c) => [view.host, c.host] as const);

/** Every way between the instance's chassis and the others that matter to it, tried from host to host: no guest has to help. */
export const tunnelTrials = source<PortSubject, TunnelTrials>(
  'port.ovn.tunnel-trials',
  (subject) => subject.id,
  async (subject, facts) => {
    const [hosts, registered, network] = await Promise.all([
      facts.get(ovnHosts, subject),
      facts.get(registeredChassis, theCloud),
      facts.get(portNetwork, subject),
    ]);
    if (!facts.io.options.mayProbe) return err(probesOff);
    if (!hosts.ok) return hosts;
    if (!registered.ok) return registered;
    const { compute, all, gateways } = hosts.value.value;
    const views = new Map(
      await Promise.all(all.map(async (host) => [host, await facts.get(chassisView, host)] as const)),
    );
    const deaf = gateways.flatMap((gateway) => {
      const at = gateway.holder === undefined ? undefined : views.get(gateway.holder.host);
      return at?.ok === true ? deafTo(gateway, at.value.value, registered.value.value.nbCfg) : [];
    });
    for (const host of deaf.flat().filter((h) => !views.has(h))) views.set(host, await facts.get(chassisView, host));
    const others = compute === undefined ? [] : all.filter((host) => host !== compute);
    const pairs = [...others.map((other) => [compute ?? '', other] as const), ...deaf];
    if (pairs.length === 0)
      return err({ kind: 'unsupported', because: 'every host of the path is the same: no tunnel in between' });
    const rowOf = (host: string): Chassis | undefined => {
      const view = views.get(host);
      const name = view?.ok === true ? view.value.value.systemId : undefined;
      return registered.value.value.chassis.find((c) => (name === undefined ? c.hostname === host : c.name === name));
    };
    const end = (host: string, ip: string): End => {
      const view = views.get(host);
      return { host, ip, view: view?.ok === true ? view.value.value : undefined };
    };
    const mtu = network.ok ? network.value.value.mtu : undefined;
    const trials: TunnelTrial[] = [];
    await Promise.all(
      pairs.flatMap(([one, other]) => {
        const [a, b] = [rowOf(one), rowOf(other)];
        const ends = a === undefined || b === undefined ? undefined : tunnelEnds(a, b);
        if (ends === undefined) return [];
        const [near, far] = [end(one, ends.a.ip), end(other, ends.b.ip)];
        return [tryWay(near, far, ends.a.type), tryWay(far, near, ends.a.type)];
      }),
    );
    trials.sort((a, b) => (`${a.from} ${a.to}` < `${b.from} ${b.to}` ? -1 : 1));
    return observed({ trials }, ...trials.flatMap((t) => (t.ping === undefined ? [] : [t.ping.evidence])));

    async function tryWay(from: End, to: End, type: string): Promise<void> {
      const family = parseAddress(to.ip)?.family ?? 4;
      const round = `tunnel ${from.host} ${to.host}`;
      const sender = { from: 'ovnmeta', host: from.host } as const;
      const kind = type === 'vxlan' || type === 'geneve' ? type : undefined;
      const size = mtu === undefined || kind === undefined ? undefined : neededUnderlayMtu(mtu, kind, family);
      const before = await takenIn(facts, to, from, `${round} before`);
      const [ping, full, sent] = await Promise.all([
        sendPing(facts, sender, to.ip, ['-I', from.ip], round),
        size === undefined
          ? undefined
          : sendPing(
              facts,
              sender,
              to.ip,
              ['-I', from.ip, '-M', 'do', '-s', String(fullSizePayload(size, family))],
              round,
            ),
        kind === undefined || before === undefined
          ? undefined
          : run(facts, from.host, { ...knockCommand(to.ip, tunnelPort[kind], kind), round }),
      ]);
      const went = sent?.ok === true && sent.value.result.code === 0 ? sent.value.evidence : undefined;
      const knock = before === undefined || went === undefined ? undefined : await counted(before, went);
      trials.push({
        from: from.host,
        to: to.host,
        fromEnd: from.ip,
        toEnd: to.ip,
        type,
        rules: new Map(
          knock === undefined || knock.arrived === 0
            ? await Promise.all([from, to].map(async (at) => [at.host, await rulesOf(facts, at)] as const))
            : [],
        ),
        ...(ping.ok ? { ping: ping.value } : {}),
        ...(full?.ok === true && size !== undefined ? { full: { ...full.value, size } } : {}),
        ...(knock === undefined ? {} : { knock }),
      });

      /** A switch in user space brings its counters up to date every now and then: what seems lost is counted once more. */
      async function counted(
        was: { readonly rx: number; readonly name: string; readonly evidence: Evidence },
        outgoing: Evidence,
      ): Promise<TunnelTrial['knock']> {
        for (const [wait, when] of [
          [undefined, 'after'],
          [1.5, 'later'],
        ] as const) {
          const is = await takenIn(facts, to, from, `${round} ${when}`, wait);
          if (is === undefined) return undefined;
          const arrived = is.rx - was.rx;
          if (arrived === 0 && when === 'after') continue;
          const words = `${is.name}: rx +${arrived} while ${knocks} were sent`;
          return {
            arrived,
            evidence: [
              showing(outgoing, `${knocks} packets of ${type} and of no network sent to ${to.ip}`),
              showing(is.evidence, words),
            ],
          };
        }
        return undefined;
      }
    }
  },
);
