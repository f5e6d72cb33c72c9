import type { Evidence } from '../../engine/evidence.ts';
import type { Finding, Scope } from '../../engine/finding.ts';
import { advice, findingOf, onHost } from '../../engine/finding-of.ts';
import { showing } from '../../facts/io.ts';
import type { SecondLook } from '../../facts/second-look.ts';
import type { PortSubject } from '../../facts/subject.ts';
import type { TunnelLink, Tunnels } from '../../facts/tunnel.ts';
import { deletingRule } from '../remedies.ts';
import { linkName, portScope, verifyWith } from '../scope.ts';
import { blockedTunnel, underlayDead, wrongEndpoint } from './codes.ts';
import type { Crossed } from './crossed.ts';
import type { SickEnd } from './ends.ts';
import type { Culprit } from './takers.ts';
import type { Way } from './way.ts';

/** Packets that went into a tunnel and did not come out of it, and what is known about why. */
export interface Lost {
  readonly subject: PortSubject;
  readonly shape: Tunnels['shape'];
  readonly link: TunnelLink;
  readonly way: Way;
  readonly look: SecondLook;
  /** Of the look: what was read on the hosts. */
  readonly seen: readonly Evidence[];
  readonly crossed: Crossed;
  /** Of this way. */
  readonly culprits: readonly Culprit[];
  readonly sick: SickEnd | undefined;
  /** The agent whose configuration names a host's endpoint. */
  readonly agent: string;
}

const udpPort: Readonly<Record<Tunnels['shape']['kind'], string>> = {
  vxlan: 'UDP 4789 (or 8472)',
  gre: 'IP protocol 47',
  geneve: 'UDP 6081',
};

const plainPing = ({ look, way }: Lost): SecondLook['underlay'][number] | undefined =>
  look.underlay.find((u) => u.from === way.from && u.to === way.farEnd);

/** By a rule where one rose, else by the underlay where that is dead, else somewhere between the hosts. */
export function lostFinding(lost: Lost): Finding {
  const plain = plainPing(lost);
  if (lost.culprits.length > 0 || plain === undefined || plain.ping.received > 0) return blockedFinding(lost);
  const { sick } = lost;
  return sick?.instead === undefined ? deadFinding(lost) : strayFinding(lost, sick, sick.instead);
}

const scopeOf = ({ subject, link }: Lost): Scope =>
  portScope(subject, { host: [link.compute, link.peer], link: [linkName(link.compute, link.peer)] });

function evidenceOf(lost: Lost): readonly [Evidence, ...Evidence[]] {
  const { look, way, crossed, culprits } = lost;
  const plain = plainPing(lost);
  const rules = culprits.map((c) =>
    showing(c.evidence, [
      `${c.stranger.where}  ${c.stranger.raw}`,
      `counter rose by ${c.rose} while ${look.repeated.length} pings were sent`,
    ]),
  );
  const rest = [
    counterEvidence(lost, way.to, crossed.receiver.words),
    ...(plain === undefined ? [] : [plain.evidence]),
    ...look.repeated.slice(0, 1).map((r) => r.evidence),
  ];
  const sent = counterEvidence(lost, way.from, crossed.sender.words);
  const [first, ...others] = rules;
  return first === undefined ? [sent, ...rest] : [first, ...others, sent, ...rest];
}

function counterEvidence({ shape, seen, look }: Lost, host: string, words: string): Evidence {
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

/** What a host shows of its own end. */
const endEvidence = (lost: Lost, { host, words }: SickEnd, argv: readonly string[]): Evidence => ({
  ...counterEvidence(lost, host, words),
  source: { kind: 'command', host, argv, code: 0 },
});

function strayFinding(lost: Lost, sick: SickEnd, instead: string): Finding {
  const { subject, shape, agent } = lost;
  const plain = plainPing(lost);
  const file = `/etc/neutron/plugins/ml2/${agent.replace(/^neutron-/, '').replaceAll('-', '_')}.ini`;
  return findingOf(wrongEndpoint, {
    summary: `${sick.words}; nothing reaches it there`,
    subject: `tunnel endpoint of ${sick.host}`,
    scope: scopeOf(lost),
    evidence: [endEvidence(lost, sick, ['ip', 'addr']), ...(plain === undefined ? [] : [plain.evidence])],
    remedies: [
      {
        title: `set local_ip to ${instead} and restart the agent`,
        risk: 'brief-interruption',
        sufficient: true,
        steps: [
          onHost(sick.host, ['sed', '-i', `s/^local_ip *=.*/local_ip = ${instead}/`, file]),
          // A VXLAN device of the linuxbridge agent keeps the address it was made with.
          ...(shape.by.kind === 'device' ? [onHost(sick.host, ['ip', 'link', 'del', shape.by.device])] : []),
          onHost(sick.host, ['systemctl', 'restart', agent]),
        ],
      },
    ],
    verify: verifyWith('net', subject),
  });
}

function deadFinding(lost: Lost): Finding {
  const { subject, sick } = lost;
  const { from, to, ownEnd, farEnd } = lost.way;
  const evidence = evidenceOf(lost);
  return findingOf(underlayDead, {
    summary: `${from} does not reach ${to} on the underlay: ${ownEnd} gets no answer from ${farEnd}${sick === undefined ? '' : `; ${sick.words}`}`,
    subject: `underlay ${linkName(from, to)}`,
    scope: scopeOf(lost),
    evidence: sick === undefined ? evidence : [endEvidence(lost, sick, ['ip', 'link', 'show']), ...evidence],
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

function blockedFinding(lost: Lost): Finding {
  const { subject, shape, crossed, culprits } = lost;
  const { from, to, ownEnd, farEnd } = lost.way;
  const [culprit] = culprits;
  const kind = shape.kind.toUpperCase();
  return findingOf(blockedTunnel, {
    summary:
      culprit === undefined
        ? `${kind} packets from ${from} do not arrive at ${to}: ${crossed.sender.sent} sent, none came out of the tunnel, though a plain ping passes`
        : `${culprit.host} drops ${kind} packets from ${from} to ${to} by a rule that Neutron did not make: ${culprit.stranger.where}`,
    subject: `tunnel ${linkName(from, to)}`,
    scope: scopeOf(lost),
    confidence: plainPing(lost) === undefined ? 'likely' : 'certain',
    evidence: evidenceOf(lost),
    remedies: [
      ...culprits.map((c) => deletingRule(c.host, c.stranger.remove)),
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
