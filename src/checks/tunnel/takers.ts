import type { Evidence } from '../../engine/evidence.ts';
import type { HostCounters } from '../../facts/second-look.ts';
import type { TunnelLink, Tunnels } from '../../facts/tunnel.ts';
import { familyOf } from '../../path/addresses.ts';
import { outerPacket } from '../../path/firewall/packet.ts';
import type { Stranger } from '../../path/firewall/strangers/stranger.ts';
import { strangersOf } from '../../path/firewall/strangers.ts';
import { countersOfRules, evidenceFor, riseOf } from '../host/rule-counters.ts';

/** A rule that nobody in Neutron ordered, that rose while we probed, and that may have taken a tunnel's packets. */
export interface Taker {
  readonly host: string;
  readonly stranger: Stranger;
  readonly rose: number;
  readonly evidence: Evidence;
}

/** Every counter of the hosts of a tunnel, before and after packets were sent through it. */
interface Readings {
  readonly before: ReadonlyMap<string, HostCounters>;
  readonly after: ReadonlyMap<string, HostCounters>;
}

/** IANA's port, and the one the Linux kernel used before (Documentation/networking/vxlan.rst); Geneve's (RFC 8926). */
const udpPorts: Readonly<Record<Tunnels['shape']['kind'], readonly (number | undefined)[]>> = {
  vxlan: [4789, 8472],
  geneve: [6081],
  gre: [undefined],
};

/** @param takes whether a rule that could take the packet (or of which that cannot be told) counts */
export function takersOf(
  look: Readings,
  shape: Tunnels['shape'],
  hosts: readonly string[],
  [source, destination]: readonly [string, string],
  takes: (stranger: Stranger, udpPort: number | undefined) => boolean,
): readonly Taker[] {
  const takers: Taker[] = [];
  for (const host of hosts) {
    const [before, after] = [look.before.get(host), look.after.get(host)];
    if (before === undefined || after === undefined) continue;
    const counters = [countersOfRules(before.rules), countersOfRules(after.rules)] as const;
    for (const udpPort of udpPorts[shape.kind]) {
      const family = familyOf(source) ?? 4;
      const packet = outerPacket({ source, destination, family, ...(udpPort === undefined ? {} : { udpPort }) });
      for (const stranger of strangersOf(after.rules.rules, packet)) {
        if (stranger.matches === 'no' || !takes(stranger, udpPort)) continue;
        if (takers.some((t) => t.host === host && t.stranger.key === stranger.key)) continue;
        const rose = riseOf(...counters, stranger.key) ?? 0;
        const evidence = evidenceFor(after.rules, stranger);
        if (rose > 0 && evidence !== undefined) takers.push({ host, stranger, rose, evidence });
      }
    }
  }
  return takers;
}

/** A taker, and the host that sent the packets it took. */
export interface Culprit extends Taker {
  readonly from: string;
}

/** Of both directions, each rule once. One that names neither the tunnel's port nor an endpoint is judged with the inner packets. */
export function culpritsOf(look: Readings, shape: Tunnels['shape'], link: TunnelLink): readonly Culprit[] {
  const found: Culprit[] = [];
  for (const [from, source, destination] of [
    [link.peer, link.peerEndpoint, link.computeEndpoint],
    [link.compute, link.computeEndpoint, link.peerEndpoint],
  ] as const) {
    const named = ({ matches, raw }: Stranger, udpPort: number | undefined): boolean =>
      matches === 'yes' ||
      raw.includes(source) ||
      raw.includes(destination) ||
      (udpPort !== undefined && raw.includes(String(udpPort)));
    const takers = takersOf(look, shape, [link.compute, link.peer], [source, destination], named);
    for (const taker of takers) {
      if (!found.some((f) => f.host === taker.host && f.stranger.key === taker.stranger.key))
        found.push({ ...taker, from });
    }
  }
  return found;
}
