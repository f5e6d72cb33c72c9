import { defineCheck, judged, notSeen } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { Finding, FindingSpec, Remedy } from '../../engine/finding.ts';
import { advice, findingOf, onHost, restartOf } from '../../engine/finding-of.ts';
import { hostAddresses, hostLinks, hostOvs } from '../../facts/host.ts';
import { type Io, showing, source } from '../../facts/io.ts';
import { tunnelPort } from '../../facts/knock.ts';
import { chassisView } from '../../facts/ovn/chassis.ts';
import { ofHost, onOvnHosts, ovnHosts, seenOn } from '../../facts/ovn/hosts.ts';
import { type Chassises, registeredChassis } from '../../facts/ovn/south.ts';
import { type TunnelTrial, tunnelTrials } from '../../facts/ovn/tunnels.ts';
import { type PortSubject, theCloud } from '../../facts/subject.ts';
import type { Link } from '../../nodes/parse/links.ts';
import { familyOf } from '../../path/addresses.ts';
import { outerPacket } from '../../path/firewall/packet.ts';
import type { Stranger } from '../../path/firewall/strangers/stranger.ts';
import { strangersOf } from '../../path/firewall/strangers.ts';
import { shareZone, tunnelEnds } from '../../path/ovn/encap.ts';
import type { Chassis, ChassisView } from '../../path/ovn/model.ts';
import { evidenceFor } from '../host/rule-counters.ts';
import { deletingRules } from '../remedies.ts';
import { agentName, linkName, portScope, verifyWith } from '../scope.ts';
import { bfdDown, tunnelBlocked, tunnelMissing, underlayDead, underlayMtu } from './codes.ts';

const registered = source<PortSubject, Chassises>(
  'port.ovn.registered',
  (s) => s.id,
  (_, facts) => facts.get(registeredChassis, theCloud),
);

const needs = { hosts: ovnHosts, registered };
const optional = {
  views: onOvnHosts(chassisView),
  trials: tunnelTrials,
  links: onOvnHosts(hostLinks),
  addresses: onOvnHosts(hostAddresses),
  ovs: onOvnHosts(hostOvs),
};

interface Taker {
  readonly host: string;
  readonly stranger: Stranger;
  readonly evidence: Evidence;
}

const nameOf: Readonly<Record<string, string>> = { geneve: 'Geneve', vxlan: 'VXLAN', stt: 'STT' };
const udpPort: Readonly<Record<string, string>> = { geneve: 'UDP 6081', vxlan: 'UDP 4789', stt: 'TCP 7471' };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ovn.tunnels',
  per: 'port',
  title: 'The tunnels between the chassis of the path are there and carry packets',
  families: ['ovn'],
  needs,
  optional,
  findings: [tunnelMissing, underlayDead, tunnelBlocked, underlayMtu, bfdDown],
  judge: ({ subject, facts, maybe }) => {
    const { compute, all } = facts.hosts.value;
    const { links: linksOf, addresses, ovs } = maybe;
    const { chassis } = facts.registered.value;
    const findings: Finding[] = [];
    /** Where among them a trouble stands that a link may have both ways. */
    const mutuals = new Map<string, number>();
    const notes: string[] = [];
    const viewOf = (host: string): { view: ChassisView; own: Evidence; ports: Evidence } | undefined => {
      const found = ofHost(maybe.views, host);
      if (found?.ok !== true) return undefined;
      const [own] = found.value.evidence;
      const ports = found.value.evidence.findLast(
        (e) => e.source.kind === 'command' && e.source.argv.includes('Interface'),
      );
      return own === undefined ? undefined : { view: found.value.value, own, ports: ports ?? own };
    };
    const rowOf = (host: string): Chassis | undefined => {
      const name = viewOf(host)?.view.systemId;
      return chassis.find((c) => (name === undefined ? c.hostname === host : c.name === name));
    };
    if (compute !== undefined) {
      for (const other of all.filter((h) => h !== compute)) {
        for (const [from, to] of [
          [compute, other],
          [other, compute],
        ] as const)
          judgePort(from, to);
      }
    }
    if (findings.length === 0 && !maybe.trials.ok) return notSeen(maybe.trials.error);
    for (const trial of maybe.trials.ok ? maybe.trials.value.value.trials : []) judgeTrial(trial);
    const evidence = maybe.trials.ok ? maybe.trials.value.evidence : facts.registered.evidence;
    return judged(findings, notes.join('; '), evidence.slice(0, 4), ['tunnel']);

    /** Does the integration bridge of one chassis have the port that leads to another? */
    function judgePort(from: string, to: string): void {
      const at = viewOf(from);
      const [own, far] = [rowOf(from), rowOf(to)];
      // What keeps ovn-controller from making one is told with the chassis themselves.
      if (at === undefined || own === undefined || far === undefined) return;
      // Where Open vSwitch was not asked, no port was seen, nor was one missing.
      if (seenOn(ovs, from) === undefined) return;
      const ends = tunnelEnds(own, far);
      if (ends === undefined || !shareZone(own, far) || at.view.connection !== 'connected') return;
      const ports = at.view.tunnels.filter((t) => t.chassis === far.name || t.chassis.startsWith(`${far.name}@`));
      const port = ports.find((t) => far.encaps.some((e) => e.ip === t.remoteIp)) ?? ports[0];
      const restart: Remedy = {
        title: 'let ovn-controller make its tunnels again',
        risk: 'brief-interruption',
        sufficient: true,
        steps: [restartOf(from, 'ovn-controller')],
      };
      if (port === undefined) {
        add(
          tunnelMissing,
          from,
          to,
          `${at.view.integrationBridge} of ${from} has no tunnel to ${to} (${ends.b.type} ${ends.b.ip})`,
          [
            showing(
              at.ports,
              at.view.tunnels.map((t) => `${t.name} ${t.type} ${t.remoteIp}`).join('\n') || 'no tunnel port',
            ),
          ],
          [restart],
        );
        return;
      }
      if (!far.encaps.some((e) => e.ip === port.remoteIp)) {
        add(
          tunnelMissing,
          from,
          to,
          `The tunnel of ${from} to ${to} leads to ${port.remoteIp}, while ${to} is at ${far.encaps.map((e) => e.ip).join(', ')}`,
          [showing(at.ports, `${port.name} remote_ip ${port.remoteIp}`)],
          [restart],
        );
        return;
      }
      if (port.error !== undefined || (port.ofport ?? 0) < 0) {
        add(
          tunnelMissing,
          from,
          to,
          `Open vSwitch of ${from} could not make the tunnel to ${to}: ${port.error ?? 'no OpenFlow port'}`,
          [showing(at.ports, `${port.name} ofport ${port.ofport ?? ''} ${port.error ?? ''}`)],
          [restart],
        );
        return;
      }
      if (port.bfd === 'down') {
        add(
          bfdDown,
          from,
          to,
          `BFD of the tunnel from ${from} to ${to} is down`,
          [showing(at.ports, `${port.name} bfd ${port.bfd}`)],
          [
            {
              title: 'look at the tunnel from its other end',
              risk: 'none',
              sufficient: false,
              steps: [onHost(to, ['ovs-appctl', 'bfd/show'])],
            },
          ],
        );
      }
    }

    function judgeTrial(trial: TunnelTrial): void {
      const { from, to, fromEnd, toEnd, type, ping, full, knock } = trial;
      const strangers = takersOf(trial);
      const reached = (ping?.ping.received ?? 0) > 0;
      const lost = knock?.arrived === 0;
      const way = `${from} → ${to}`;
      if (ping !== undefined && !reached && (knock === undefined || lost)) {
        add(
          underlayDead,
          from,
          to,
          `${from} does not reach ${to} on the underlay: ${fromEnd} gets no answer from ${toEnd}`,
          [ping.evidence, ...(knock?.evidence ?? [])],
          [
            {
              title: 'look at the tunnel interfaces of both hosts',
              risk: 'none',
              sufficient: false,
              steps: [
                onHost(from, ['ip', 'route', 'get', toEnd]),
                onHost(to, ['ip', '-br', 'addr']),
                advice('then the switch ports and the VLAN between them'),
              ],
            },
          ],
          { mutual: true },
        );
        return;
      }
      const [culprit] = strangers;
      if (lost || (knock === undefined && culprit !== undefined)) {
        const evidence = [
          ...strangers.map((s) => showing(s.evidence, `${s.stranger.where}  ${s.stranger.raw}`)),
          ...(knock?.evidence ?? []),
          ...(ping === undefined ? [] : [ping.evidence]),
        ];
        const port = udpPort[type] ?? type;
        add(
          tunnelBlocked,
          from,
          to,
          culprit === undefined
            ? `${nameOf[type] ?? type} packets from ${from} do not arrive at ${to}${reached ? ', though a plain ping passes' : ''}`
            : `${culprit.host} drops ${nameOf[type] ?? type} packets from ${from} to ${to} by a rule that Neutron did not make: ${culprit.stranger.where}`,
          evidence,
          [
            ...(strangers.length === 0
              ? []
              : [deletingRules(strangers.map((s) => ({ host: s.host, remove: s.stranger.remove })))]),
            {
              title: `open ${port} from ${fromEnd} to ${toEnd}`,
              risk: 'none',
              sufficient: false,
              steps: [
                onHost(to, ['nft', 'list', 'ruleset']),
                advice('when no rule on either host takes the packets: the switch or firewall between them does'),
              ],
            },
          ],
          { confidence: lost ? 'certain' : 'likely', mutual: culprit === undefined },
        );
        return;
      }
      if (full !== undefined && full.ping.received === 0 && reached) {
        const narrow = [
          { host: from, ip: fromEnd },
          { host: to, ip: toEnd },
        ].flatMap(({ host, ip }) => under(host, ip).map((link) => ({ host, link })));
        const small = narrow.filter(({ link }) => link.mtu < full.size);
        const named = small.map(({ host, link }) => `${link.name} of ${host} has an MTU of ${link.mtu}`).join(', ');
        add(
          underlayMtu,
          from,
          to,
          `A packet of ${full.size} bytes does not pass from ${from} to ${to}, and full-size packets of the network need that much in their tunnel${named === '' ? '' : `: ${named}`}`,
          [full.evidence, ...(ping === undefined ? [] : [ping.evidence])],
          [
            small.length === 0
              ? {
                  title: `raise the MTU of the underlay to ${full.size}, or lower that of the network`,
                  risk: 'none',
                  sufficient: false,
                  steps: [onHost(from, ['ip', 'link']), onHost(to, ['ip', 'link'])],
                }
              : {
                  title: `raise the MTU to ${full.size}`,
                  risk: 'none',
                  sufficient: true,
                  steps: small.map(({ host, link }) =>
                    onHost(host, ['ip', 'link', 'set', link.name, 'mtu', String(full.size)]),
                  ),
                },
          ],
          { mutual: true },
        );
        return;
      }
      notes.push(
        `${way}: ${[
          reached ? 'underlay answers' : '',
          knock === undefined ? '' : `${type} arrives`,
          full === undefined ? '' : `${full.size} bytes pass`,
        ]
          .filter((w) => w !== '')
          .join(', ')}`,
      );
    }

    /** The device that holds a tunnel address, and those that its packets leave by. */
    function under(host: string, ip: string): readonly Link[] {
      const links = seenOn(linksOf, host) ?? [];
      const holder = seenOn(addresses, host)?.find((a) => a.address === ip)?.dev;
      const own = links.find((l) => l.name === holder);
      const ports = seenOn(ovs, host)
        ?.bridges.find((b) => b.name === holder)
        ?.ports.map((p) => p.name);
      return links.filter(
        (l) => l.name === holder || l.name === own?.parent || l.master === holder || ports?.includes(l.name) === true,
      );
    }

    function add(
      spec: FindingSpec,
      from: string,
      to: string,
      summary: string,
      evidence: readonly Evidence[],
      remedies: readonly Remedy[],
      { mutual = false, confidence }: { readonly mutual?: boolean; readonly confidence?: Finding['confidence'] } = {},
    ): void {
      const [first, ...rest] = evidence;
      if (first === undefined) return;
      const name = `tunnel ${linkName(from, to)}`;
      // What lies between two hosts mostly takes packets both ways: that is one trouble.
      const told = mutual ? mutuals.get(`${spec.code} ${name}`) : undefined;
      const known = findings[told ?? -1];
      if (told !== undefined && known !== undefined) {
        const others = remedies.filter((r) => !known.remedies.some((k) => k.title === r.title));
        const [shown, ...more] = known.evidence;
        findings[told] = {
          ...known,
          summary: `${known.summary}; nor the other way`,
          evidence: [shown, ...more, ...evidence],
          remedies: [...known.remedies, ...others],
        };
        return;
      }
      if (mutual) mutuals.set(`${spec.code} ${name}`, findings.length);
      findings.push(
        findingOf(spec, {
          summary,
          subject: name,
          scope: portScope(subject, {
            host: [from, to],
            agent: [agentName('ovn-controller', from), agentName('ovn-controller', to)],
            link: [linkName(from, to)],
          }),
          evidence: [first, ...rest],
          remedies,
          ...(confidence === undefined ? {} : { confidence }),
          verify: verifyWith('net', subject),
        }),
      );
    }
  },
});

/** UDP ports of the kinds of tunnel that have one. */
const portOf = (type: string): number | undefined =>
  type === 'geneve' || type === 'vxlan' ? tunnelPort[type] : undefined;

/** Rules and flows of either host that nobody of OpenStack made, and that take packets of the tunnel. */
function takersOf({ fromEnd, toEnd, type, rules }: TunnelTrial): readonly Taker[] {
  const udpPort = portOf(type);
  const family = familyOf(toEnd) ?? 4;
  const packet = outerPacket({
    source: fromEnd,
    destination: toEnd,
    family,
    ...(udpPort === undefined ? {} : { udpPort }),
  });
  return [...rules].flatMap(([host, there]) =>
    strangersOf(there.rules, packet)
      .filter(({ matches, raw }) => {
        const named = [fromEnd, toEnd, String(udpPort ?? fromEnd)].some((word) => raw.includes(word));
        return matches === 'yes' || (matches === 'unknown' && named);
      })
      .flatMap((stranger) => {
        const evidence = evidenceFor(there, stranger);
        return evidence === undefined ? [] : [{ host, stranger, evidence }];
      }),
  );
}
