import { blocked, defineCheck, judged, notSeen, skipped } from '../../engine/check.ts';
import type { FactResult } from '../../engine/fact.ts';
import type { Finding } from '../../engine/finding.ts';
import { hostAddresses, hostOvs } from '../../facts/host.ts';
import type { Io } from '../../facts/io.ts';
import { onPathHosts, placement } from '../../facts/placement.ts';
import { allAnswered, secondLook } from '../../facts/second-look.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { tunnels } from '../../facts/tunnel.ts';
import { linkName } from '../scope.ts';
import { blockedTunnel, underlayDead, wrongEndpoint } from './codes.ts';
import { crossed } from './crossed.ts';
import { type HostsSeen, sickEnds } from './ends.ts';
import { lostFinding } from './lost.ts';
import { culpritsOf } from './takers.ts';
import type { Way } from './way.ts';

const needs = {};
const optional = {
  tunnels,
  look: secondLook,
  ovs: onPathHosts(hostOvs),
  addresses: onPathHosts(hostAddresses),
  placement,
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
    const hosts: HostsSeen = {
      addressesOf: (host) => readAt(maybe.addresses, host),
      linksOf: (host) => look.after.get(host)?.links,
      ovsOf: (host) => readAt(maybe.ovs, host),
    };
    const seen = maybe.look.value.evidence;
    const findings: Finding[] = [];
    const notes: string[] = [];
    const told = new Set<string>();
    // Where only full-size pings died, what the underlay carries is the question, not whether the tunnel is blocked.
    const onlyLarge = look.repeated.length > 0 && look.repeated.every((r) => r.fullSize);
    for (const link of links) {
      const all = culpritsOf(look, shape, link);
      const ways: readonly Way[] = [
        { from: link.peer, to: link.compute, ownEnd: link.peerEndpoint, farEnd: link.computeEndpoint },
        { from: link.compute, to: link.peer, ownEnd: link.computeEndpoint, farEnd: link.peerEndpoint },
      ];
      for (const way of ways) {
        const { from, to, farEnd } = way;
        const between = crossed(look, shape, way, hosts.ovsOf);
        const { sender, receiver } = between;
        const culprits = all.filter((c) => c.from === from);
        const ends = sickEnds(way, hosts);
        // Nothing was sent into the tunnel: only an end that is visibly down is worth a word then.
        if (culprits.length === 0 && sender.sent < 2) {
          const plain = look.underlay.find((u) => u.from === from && u.to === farEnd);
          const down = ends.some((e) => e.down !== undefined || e.instead !== undefined);
          if (plain === undefined || plain.ping.received > 0 || !down) continue;
        }
        if (culprits.length === 0 && onlyLarge) {
          notes.push(`${from} → ${to}: only full-size packets were sent`);
          continue;
        }
        // The device of a tunnel counts what goes to any host: a lost packet may have gone to another one.
        if (culprits.length === 0 && shape.by.kind === 'device' && look.answeredFrom.has(link.peer)) {
          notes.push(`${link.peer} ⇄ ${link.compute}: other pings through the tunnel were answered`);
          continue;
        }
        if (culprits.length === 0 && receiver.received > 0) {
          notes.push(`${from} → ${to}: ${sender.sent} sent, ${receiver.received} arrived`);
          continue;
        }
        // An interface that is down cuts both directions: it is one cause.
        const [sick] = ends;
        const down = sick?.down ?? sick?.instead;
        if (culprits.length === 0 && down !== undefined && told.has(`${linkName(from, to)} ${down}`)) continue;
        told.add(`${linkName(from, to)} ${down ?? ''}`);
        findings.push(lostFinding({ subject, shape, link, way, look, seen, crossed: between, culprits, sick, agent }));
      }
    }
    return judged(
      findings,
      notes.join('; ') || 'nothing crossed the tunnel while probing',
      seen.slice(0, 4),
      notes.length > 0 && !onlyLarge ? ['tunnel'] : [],
    );
  },
});

/** What was read on one of the hosts. */
function readAt<T>(all: FactResult<ReadonlyMap<string, FactResult<T>>>, host: string): T | undefined {
  const there = all.ok ? all.value.value.get(host) : undefined;
  return there?.ok === true ? there.value.value : undefined;
}
