import { blocked, defineCheck, judged, notSeen, skipped } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { FactResult } from '../../engine/fact.ts';
import type { Finding } from '../../engine/finding.ts';
import { advice, findingOf, onHost } from '../../engine/finding-of.ts';
import { hostAddresses, hostOvs } from '../../facts/host.ts';
import { type Io, showing } from '../../facts/io.ts';
import { onPathHosts, placement } from '../../facts/placement.ts';
import { allAnswered, type HostCounters, type SecondLook, secondLook } from '../../facts/second-look.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { type TunnelLink, type Tunnels, tunnels } from '../../facts/tunnel.ts';
import type { InterfaceAddress } from '../../nodes/parse/addresses.ts';
import type { Link } from '../../nodes/parse/links.ts';
import type { OvsState } from '../../nodes/parse/ovsdb.ts';
import { cidrContains, parseAddress } from '../../path/addresses.ts';
import { outerPacket } from '../../path/firewall/packet.ts';
import type { Stranger } from '../../path/firewall/strangers/stranger.ts';
import { strangersOf } from '../../path/firewall/strangers.ts';
import { countersOfRules, evidenceFor, riseOf } from '../host/rule-counters.ts';
import { deletingRule } from '../remedies.ts';
import { linkName, portScope, verifyWith } from '../scope.ts';
import { blockedTunnel, underlayDead, wrongEndpoint } from './codes.ts';

const needs = {};
const optional = {
  tunnels,
  look: secondLook,
  ovs: onPathHosts(hostOvs),
  addresses: onPathHosts(hostAddresses),
  placement,
};

interface Moved {
  readonly sent: number;
  readonly received: number;
  readonly words: string;
}

/** Packets that the tunnel device (or the port towards a peer) of a host sent and received between two readings. */
function moved(
  before: HostCounters,
  after: HostCounters,
  shape: Tunnels['shape'],
  remote: string,
  ovs: OvsState | undefined,
): Moved | undefined {
  if (shape.by.kind === 'device') {
    const { device } = shape.by;
    const [a, b] = [before, after].map((c) => c.links.find((l) => l.name === device));
    if (a === undefined || b === undefined) return undefined;
    const [sent, received] = [b.tx.packets - a.tx.packets, b.rx.packets - a.rx.packets];
    return { sent, received, words: `${device}: tx +${sent}, rx +${received}` };
  }
  const { bridge } = shape.by;
  const end = ovs?.bridges
    .find((x) => x.name === bridge)
    ?.ports.flatMap((p) => p.interfaces)
    .find((i) => i.options.get('remote_ip') === remote);
  if (end === undefined) return undefined;
  const names = [String(end.ofport ?? ''), end.name];
  const [a, b] = [before, after].map((c) => c.ports.get(bridge)?.find((p) => names.includes(p.port)));
  if (a === undefined || b === undefined) return undefined;
  const [sent, received] = [b.tx - a.tx, b.rx - a.rx];
  return { sent, received, words: `${end.name}: tx +${sent}, rx +${received}` };
}

interface SickEnd {
  readonly host: string;
  readonly words: string;
  /** The interface that is administratively down. */
  readonly down?: string;
  /** The address that the host has in the network of the other endpoint, where its agent names another. */
  readonly instead?: string;
}

/** An endpoint in another network than the far one, on a host that does have an address in that network. */
function strayEnd(
  host: string,
  endpoint: string,
  addresses: readonly InterfaceAddress[],
  far: InterfaceAddress | undefined,
): SickEnd[] {
  if (far === undefined || far.prefix >= 31) return [];
  const cidr = `${far.address}/${far.prefix}`;
  if (cidrContains(cidr, endpoint)) return [];
  const fitting = addresses.find((a) => a.family === far.family && cidrContains(cidr, a.address));
  if (fitting === undefined) return [];
  return [
    {
      host,
      words: `the agent of ${host} names ${endpoint}, while ${host} has ${fitting.address} on ${fitting.dev} in the network of ${far.address}/${far.prefix}`,
      instead: fitting.address,
    },
  ];
}

/** What is wrong with a host's own end of the underlay: the interface of its endpoint's address, and those under it. */
function sickEnd(
  host: string,
  endpoint: string,
  addresses: readonly InterfaceAddress[],
  links: readonly Link[],
  ovs: OvsState | undefined,
): SickEnd[] {
  const holder = addresses.find((a) => a.address === endpoint)?.dev;
  if (holder === undefined) return [{ host, words: `no interface of ${host} has the address ${endpoint}` }];
  const members = ovs?.bridges.find((b) => b.name === holder)?.ports.flatMap((p) => p.interfaces) ?? [];
  const parent = links.find((l) => l.name === holder)?.parent;
  const under = new Set([
    holder,
    ...(parent === undefined ? [] : [parent]),
    ...members.filter((i) => i.type === '' || i.type === 'system').map((i) => i.name),
  ]);
  // A tap of a guest that is off may be a port of the bridge, too: what is there for the machine itself has no master or this one.
  const below = links.filter((l) => under.has(l.name) || l.master === holder);
  const off = below.find((l) => !l.up);
  if (off !== undefined) return [{ host, words: `${off.name} of ${host} is down`, down: off.name }];
  const dead = below.find((l) => l.name === holder && !l.carrier) ?? below.find((l) => under.has(l.name) && !l.carrier);
  return dead === undefined ? [] : [{ host, words: `${dead.name} of ${host} has no carrier` }];
}

const udpPort: Readonly<Record<Tunnels['shape']['kind'], string>> = {
  vxlan: 'UDP 4789 (or 8472)',
  gre: 'IP protocol 47',
  geneve: 'UDP 6081',
};

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'tunnel.passes',
  per: 'port',
  title: 'Tunnel packets sent by one host arrive at the other',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [blockedTunnel, underlayDead, wrongEndpoint],
  judge: ({ subject, maybe }) => {
    const [agent = ''] = maybe.placement.ok ? maybe.placement.value.value.backend.agents('compute') : [];
    if (!maybe.tunnels.ok) return notSeen(maybe.tunnels.error);
    const { shape, links } = maybe.tunnels.value.value;
    if (!maybe.look.ok) {
      const { error } = maybe.look;
      return error.kind === 'unsupported'
        ? skipped(error.because === allAnswered ? `${allAnswered}, so the tunnel passes` : error.because)
        : blocked(error);
    }
    const look = maybe.look.value.value;
    const ovsOf = (host: string): OvsState | undefined => {
      const there: FactResult<OvsState> | undefined = maybe.ovs.ok ? maybe.ovs.value.value.get(host) : undefined;
      return there?.ok === true ? there.value.value : undefined;
    };
    const seen = maybe.look.value.evidence;
    const findings: Finding[] = [];
    const notes: string[] = [];
    const told = new Set<string>();
    // Where only full-size pings died, what the underlay carries is the question, not whether the tunnel is blocked.
    const onlyLarge = look.repeated.length > 0 && look.repeated.every((r) => r.fullSize);
    for (const link of links) {
      const culprits = culpritsOf(look, shape, link);
      for (const [from, to, ownEnd, farEnd] of [
        [link.peer, link.compute, link.peerEndpoint, link.computeEndpoint],
        [link.compute, link.peer, link.computeEndpoint, link.peerEndpoint],
      ] as const) {
        const sides = sidesOf(look, shape, { from, to, ownEnd, farEnd }, ovsOf);
        const mine = culprits.filter((c) => c.from === from);
        const { sender, receiver } = sides ?? { sender: nothing, receiver: nothing };
        // Nothing was sent into the tunnel: only an end that is visibly down is worth a word then.
        if (mine.length === 0 && sender.sent < 2) {
          const plain = look.underlay.find((u) => u.from === from && u.to === farEnd);
          const down = sickEnds(from, to, ownEnd, farEnd).some((e) => e.down !== undefined || e.instead !== undefined);
          if (plain === undefined || plain.ping.received > 0 || !down) continue;
        }
        if (mine.length === 0 && onlyLarge) {
          notes.push(`${from} → ${to}: only full-size packets were sent`);
          continue;
        }
        // The device of a tunnel counts what goes to any host: a lost packet may have gone to another one.
        if (mine.length === 0 && shape.by.kind === 'device' && look.answeredFrom.has(link.peer)) {
          notes.push(`${link.peer} ⇄ ${link.compute}: other pings through the tunnel were answered`);
          continue;
        }
        if (mine.length === 0 && receiver.received > 0) {
          notes.push(`${from} → ${to}: ${sender.sent} sent, ${receiver.received} arrived`);
          continue;
        }
        // An interface that is down cuts both directions: it is one cause.
        const [end] = sickEnds(from, to, ownEnd, farEnd);
        const down = end?.down ?? end?.instead;
        if (mine.length === 0 && down !== undefined && told.has(`${linkName(from, to)} ${down}`)) continue;
        told.add(`${linkName(from, to)} ${down ?? ''}`);
        findings.push(make(link, from, to, ownEnd, farEnd, sender, receiver, mine));
      }
    }
    return judged(
      findings,
      notes.join('; ') || 'nothing crossed the tunnel while probing',
      seen.slice(0, 4),
      notes.length > 0 && !onlyLarge ? ['tunnel'] : [],
    );

    function make(
      link: TunnelLink,
      from: string,
      to: string,
      ownEnd: string,
      farEnd: string,
      sender: Moved,
      receiver: Moved,
      mine: readonly Culprit[],
    ): Finding {
      const plain = look.underlay.find((u) => u.from === from && u.to === farEnd);
      const reachable = (plain?.ping.received ?? 0) > 0;
      const evidence: Evidence[] = [
        ...mine.map((c) =>
          showing(c.evidence, [
            `${c.stranger.where}  ${c.stranger.raw}`,
            `counter rose by ${c.rose} while ${look.repeated.length} pings were sent`,
          ]),
        ),
        counterEvidence(from, sender.words),
        counterEvidence(to, receiver.words),
        ...(plain === undefined ? [] : [plain.evidence]),
        ...look.repeated.slice(0, 1).map((r) => r.evidence),
      ];
      const [first, ...rest] = evidence;
      if (first === undefined) throw new Error('counters without evidence');
      const scope = portScope(subject, { host: [link.compute, link.peer], link: [linkName(link.compute, link.peer)] });
      if (mine.length === 0 && !reachable && plain !== undefined) {
        const [sick] = sickEnds(from, to, ownEnd, farEnd);
        if (sick?.instead !== undefined) {
          const file = `/etc/neutron/plugins/ml2/${agent.replace(/^neutron-/, '').replaceAll('-', '_')}.ini`;
          return findingOf(wrongEndpoint, {
            summary: `${sick.words}; nothing reaches it there`,
            subject: `tunnel endpoint of ${sick.host}`,
            scope,
            evidence: [
              {
                ...linkEvidence(sick.host, sick.words),
                source: { kind: 'command', host: sick.host, argv: ['ip', 'addr'], code: 0 },
              },
              ...(plain === undefined ? [] : [plain.evidence]),
            ],
            remedies: [
              {
                title: `set local_ip to ${sick.instead} and restart the agent`,
                risk: 'brief-interruption',
                sufficient: true,
                steps: [
                  onHost(sick.host, ['sed', '-i', `s/^local_ip *=.*/local_ip = ${sick.instead}/`, file]),
                  // A VXLAN device of the linuxbridge agent keeps the address it was made with.
                  ...(shape.by.kind === 'device' ? [onHost(sick.host, ['ip', 'link', 'del', shape.by.device])] : []),
                  onHost(sick.host, ['systemctl', 'restart', agent]),
                ],
              },
            ],
            verify: verifyWith('net', subject),
          });
        }
        return findingOf(underlayDead, {
          summary: `${from} does not reach ${to} on the underlay: ${ownEnd} gets no answer from ${farEnd}${sick === undefined ? '' : `; ${sick.words}`}`,
          subject: `underlay ${linkName(from, to)}`,
          scope,
          evidence: [...(sick === undefined ? [] : [linkEvidence(sick.host, sick.words)]), first, ...rest] as [
            Evidence,
            ...Evidence[],
          ],
          remedies: [
            ...(sick?.down === undefined
              ? []
              : [
                  {
                    title: 'set the underlay interface up',
                    risk: 'none' as const,
                    sufficient: true,
                    steps: [onHost(sick.host, ['ip', 'link', 'set', sick.down, 'up'])],
                  },
                ]),
            {
              title: 'look at the tunnel interfaces of both hosts',
              risk: 'none',
              sufficient: false,
              steps: [
                onHost(from, ['ip', 'route', 'get', farEnd]),
                onHost(to, ['ip', '-br', 'addr']),
                advice('then the switch ports and the VLAN between them'),
              ],
            },
          ],
          verify: verifyWith('net', subject),
        });
      }
      return findingOf(blockedTunnel, {
        summary:
          mine[0] === undefined
            ? `${shape.kind.toUpperCase()} packets from ${from} do not arrive at ${to}: ${sender.sent} sent, none came out of the tunnel, though a plain ping passes`
            : `${mine[0].host} drops ${shape.kind.toUpperCase()} packets from ${from} to ${to} by a rule that Neutron did not make: ${mine[0].stranger.where}`,
        subject: `tunnel ${linkName(from, to)}`,
        scope,
        confidence: plain === undefined ? 'likely' : 'certain',
        evidence: [first, ...rest],
        remedies: [
          ...mine.map((c) => deletingRule(c.host, c.stranger.remove)),
          {
            title: `open ${udpPort[shape.kind]} from ${ownEnd} to ${farEnd}`,
            risk: 'none',
            sufficient: false,
            steps: [
              onHost(
                to,
                ['iptables-save', '-c'],
                `a rule that drops ${udpPort[shape.kind]} from ${ownEnd}, if it is on the host itself`,
              ),
              onHost(to, ['nft', 'list', 'ruleset']),
              advice('when no rule on either host takes the packets: the switch or firewall between them does'),
            ],
          },
        ],
        verify: verifyWith('net', subject),
      });
    }

    function addressesOf(host: string): FactResult<readonly InterfaceAddress[]> | undefined {
      return maybe.addresses.ok ? maybe.addresses.value.value.get(host) : undefined;
    }

    function sickEnds(from: string, to: string, ownEnd: string, farEnd: string): SickEnd[] {
      const ends = [
        { host: from, endpoint: ownEnd },
        { host: to, endpoint: farEnd },
      ];
      return ends.flatMap(({ host, endpoint }) => {
        const addresses = addressesOf(host);
        const other = ends.find((e) => e.host !== host);
        const there = other === undefined ? undefined : addressesOf(other.host);
        const far = there?.ok === true ? there.value.value.find((a) => a.address === other?.endpoint) : undefined;
        const stray = addresses?.ok === true ? strayEnd(host, endpoint, addresses.value.value, far) : [];
        // The stray one is a host address (/32) more often than not; the network is told by the other side's prefix.
        if (stray.length > 0 && far?.dev !== 'lo') return stray;
        const links = look.after.get(host)?.links;
        if (addresses?.ok !== true || links === undefined) return [];
        return sickEnd(host, endpoint, addresses.value.value, links, ovsOf(host));
      });
    }

    function linkEvidence(host: string, words: string): Evidence {
      return {
        ...counterEvidence(host, words),
        source: { kind: 'command', host, argv: ['ip', 'link', 'show'], code: 0 },
      };
    }

    function counterEvidence(host: string, words: string): Evidence {
      const argv =
        shape.by.kind === 'device'
          ? ['ip', '-s', 'link', 'show', shape.by.device]
          : ['ovs-ofctl', 'dump-ports', shape.by.bridge];
      const own = seen.find((e) => e.source.kind === 'command' && e.source.host === host);
      return showing(
        { source: { kind: 'command', host, argv, code: 0 }, at: own?.at ?? new Date(0).toISOString(), excerpt: '' },
        `${words} (while ${look.repeated.length} pings were sent)`,
      );
    }
  },
});

const nothing: Moved = { sent: 0, received: 0, words: 'the tunnel was not counted' };

/** A rule made by a stranger that rose while we probed, and could only have taken the tunnel's packets. */
interface Culprit {
  readonly host: string;
  /** The host that sent the packets it took. */
  readonly from: string;
  readonly stranger: Stranger;
  readonly rose: number;
  readonly evidence: Evidence;
}

/** IANA's port, and the one the Linux kernel used before (Documentation/networking/vxlan.rst); Geneve's (RFC 8926). */
const tunnelPorts: Readonly<Record<Tunnels['shape']['kind'], readonly number[]>> = {
  vxlan: [4789, 8472],
  geneve: [6081],
  gre: [],
};

function culpritsOf(look: SecondLook, shape: Tunnels['shape'], link: TunnelLink): Culprit[] {
  const found: Culprit[] = [];
  const ports: readonly (number | undefined)[] = shape.kind === 'gre' ? [undefined] : tunnelPorts[shape.kind];
  for (const [from, source, destination] of [
    [link.peer, link.peerEndpoint, link.computeEndpoint],
    [link.compute, link.computeEndpoint, link.peerEndpoint],
  ] as const) {
    for (const host of [link.compute, link.peer]) {
      const [before, after] = [look.before.get(host), look.after.get(host)];
      if (before === undefined || after === undefined) continue;
      const counters = [countersOfRules(before.rules), countersOfRules(after.rules)] as const;
      for (const udpPort of ports) {
        const family = parseAddress(source)?.family ?? 4;
        const packet = outerPacket({ source, destination, family, ...(udpPort === undefined ? {} : { udpPort }) });
        for (const stranger of strangersOf(after.rules.rules, packet)) {
          if (stranger.matches === 'no' || found.some((f) => f.host === host && f.stranger.key === stranger.key))
            continue;
          const rose = riseOf(...counters, stranger.key) ?? 0;
          const evidence = evidenceFor(after.rules, stranger);
          // A rule that names neither the tunnel's port nor an endpoint is judged with the inner packets.
          const named =
            stranger.matches === 'yes' ||
            stranger.raw.includes(source) ||
            stranger.raw.includes(destination) ||
            (udpPort !== undefined && stranger.raw.includes(String(udpPort)));
          if (rose > 0 && named && evidence !== undefined) found.push({ host, from, stranger, rose, evidence });
        }
      }
    }
  }
  return found;
}

function sidesOf(
  look: SecondLook,
  shape: Tunnels['shape'],
  way: { from: string; to: string; ownEnd: string; farEnd: string },
  ovsOf: (host: string) => OvsState | undefined,
): { sender: Moved; receiver: Moved } | undefined {
  const at = (host: string): [HostCounters, HostCounters] | undefined => {
    const [b, a] = [look.before.get(host), look.after.get(host)];
    return b === undefined || a === undefined ? undefined : [b, a];
  };
  const [s, r] = [at(way.from), at(way.to)];
  if (s === undefined || r === undefined) return undefined;
  const sender = moved(...s, shape, way.farEnd, ovsOf(way.from));
  const receiver = moved(...r, shape, way.ownEnd, ovsOf(way.to));
  return sender === undefined || receiver === undefined ? undefined : { sender, receiver };
}
