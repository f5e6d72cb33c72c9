import { defineCheck, judged, notSeen, skipped } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { Finding } from '../../engine/finding.ts';
import { advice, findingOf, onHost } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import { type PairLook, pairLook, pairs, pairTunnel } from '../../facts/pair.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { deletingRule } from '../remedies.ts';
import { linkName, ownerName, portScope } from '../scope.ts';
import { blockedTunnel, underlayDead, underlayMtu } from '../tunnel/codes.ts';
import { takersOf } from '../tunnel/takers.ts';
import { typeable, verifyPair } from './verify.ts';

const needs = {};
const optional = { pair: pairs, tunnel: pairTunnel, look: pairLook };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'peer.passes',
  per: 'port',
  title: 'Tunnel packets pass between the hosts of the two',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [blockedTunnel, underlayDead, underlayMtu],
  judge: ({ subject, maybe }) => {
    if (!maybe.tunnel.ok || !maybe.pair.ok) {
      const error = maybe.tunnel.ok ? undefined : maybe.tunnel.error;
      if (error === undefined) return skipped('no peer was named (--to)');
      return notSeen(error);
    }
    if (!maybe.look.ok) return notSeen(maybe.look.error);
    const look = maybe.look.value.value;
    const { shape, link } = maybe.tunnel.value.value;
    const { peer, name } = maybe.pair.value.value;
    const kind = shape.kind.toUpperCase();
    const scope = {
      ...portScope(subject, { host: [link.compute, link.peer], link: [linkName(link.compute, link.peer)] }),
      port: [subject.id, peer.id],
    };
    const verify = verifyPair(subject, typeable(name, peer.id));
    const findings: Finding[] = [];
    const notes: string[] = [];
    const evidence: Evidence[] = [];
    const ways: readonly { from: string; to: string; own: string; far: string }[] = [
      { from: link.compute, to: link.peer, own: link.computeEndpoint, far: link.peerEndpoint },
      { from: link.peer, to: link.compute, own: link.peerEndpoint, far: link.computeEndpoint },
    ];
    for (const { from, to, own, far } of ways) {
      const plain = look.underlay.find((u) => u.from === from);
      const full = look.full.find((u) => u.from === from);
      const knock = look.knocks.find((k) => k.from === from);
      // The pings between the hosts raise rules that take any packet; those name no tunnel and are told of the ping.
      const takers = takersOf(look, shape, [from, to], [own, far], ({ matches }) => matches === 'yes');
      const told = knock === undefined ? undefined : arrival(knock, to);
      const seen = [
        ...takers.map((t) =>
          showing(t.evidence, [
            `${t.stranger.where}  ${t.stranger.raw}`,
            `counter rose by ${t.rose} while ${knock?.sent ?? 0} ${kind} packets were sent`,
          ]),
        ),
        ...(told === undefined ? [] : [told]),
        ...(plain === undefined ? [] : [plain.evidence]),
      ];
      evidence.push(...seen);
      const [one, ...rest] = seen;
      const least = knock?.exact === true ? knock.sent / 2 : 1;
      const lost = knock?.arrived !== undefined && knock.arrived < least;
      const mute = plain !== undefined && plain.ping.received === 0;
      if (one !== undefined && takers.length === 0 && lost && mute) {
        findings.push(
          findingOf(underlayDead, {
            summary: `${from} does not reach ${to}, the host of ${from === link.compute ? name : ownerName(subject)}, on the underlay: neither ping nor ${kind} from ${own} arrives at ${far}`,
            subject: `underlay ${linkName(from, to)}`,
            scope,
            evidence: [one, ...rest],
            remedies: [
              {
                title: 'look at the tunnel interfaces of both hosts',
                risk: 'none',
                sufficient: false,
                steps: [onHost(from, ['ip', 'route', 'get', far]), onHost(to, ['ip', '-br', 'addr'])],
              },
            ],
            verify,
          }),
        );
        continue;
      }
      if (one !== undefined && (takers.length > 0 || lost)) {
        const [taker] = takers;
        findings.push(
          findingOf(blockedTunnel, {
            summary:
              taker === undefined
                ? `${kind} packets from ${from} do not arrive at ${to}: ${knock?.sent ?? 0} sent, ${knock?.arrived ?? 0} arrived${plain === undefined ? '' : ', though a plain ping passes'}`
                : `${taker.host} drops ${kind} packets from ${from} to ${to} by a rule that Neutron did not make: ${taker.stranger.where}`,
            subject: `tunnel ${linkName(from, to)}`,
            scope,
            confidence: taker !== undefined || knock?.arrived === 0 ? 'certain' : 'likely',
            evidence: [one, ...rest],
            remedies: [
              ...takers.map((t) => deletingRule(t.host, t.stranger.remove)),
              ...(takers.length > 0
                ? []
                : [
                    {
                      title: `open the tunnel's port from ${own} to ${far}`,
                      risk: 'none' as const,
                      sufficient: false,
                      steps: [
                        onHost(to, ['nft', 'list', 'ruleset']),
                        advice(
                          'when no rule on either host takes the packets: the switch or firewall between them does',
                        ),
                      ],
                    },
                  ]),
            ],
            verify,
          }),
        );
        continue;
      }
      if (plain !== undefined && full !== undefined && plain.ping.received > 0 && full.ping.received === 0) {
        findings.push(
          findingOf(underlayMtu, {
            summary: `The underlay from ${from} to ${to} does not carry packets of ${look.fullSize ?? 0} bytes, which full-size packets of the network need in their tunnel`,
            subject: `underlay ${linkName(from, to)}`,
            scope,
            evidence: [full.evidence, plain.evidence],
            remedies: [
              {
                title: 'see which of the two, or what lies between them, is too narrow',
                risk: 'none',
                sufficient: false,
                steps: [onHost(from, ['ip', '-d', 'link']), onHost(to, ['ip', '-d', 'link'])],
              },
            ],
            verify,
          }),
        );
        continue;
      }
      notes.push(
        `${from} → ${to}: ${knock?.arrived === undefined ? (plain === undefined ? 'not tried' : `ping ${plain.ping.received}/${plain.ping.sent}`) : `${kind} passes`}${full === undefined ? '' : `, ${look.fullSize ?? 0} bytes pass`}`,
      );
    }
    const proven = look.knocks.length === ways.length && look.knocks.every((k) => k.arrived !== undefined);
    return judged(findings, notes.join('; '), evidence.slice(0, 4), proven ? ['tunnel between the two hosts'] : []);

    function arrival(knock: PairLook['knocks'][number], to: string): Evidence {
      const counted =
        knock.arrived === undefined
          ? `nothing on ${to} tells them from other traffic`
          : `${knock.by} on ${to} rose by ${knock.arrived}`;
      return showing(knock.evidence, [knock.evidence.excerpt, counted]);
    }
  },
});
