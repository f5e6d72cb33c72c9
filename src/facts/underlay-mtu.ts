import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import { err } from '../engine/result.ts';
import type { Ping } from '../nodes/parse/ping.ts';
import { parseAddress } from '../path/addresses.ts';
import { fullSizePayload, neededUnderlayMtu } from '../path/mtu.ts';
import { source } from './io.ts';
import { fullSizePings, sendPing } from './ping.ts';
import { portNetwork } from './port-api.ts';
import type { PortSubject } from './subject.ts';
import { tunnels } from './tunnel.ts';

/** A may-not-fragment ping on the underlay, as large as a full-size packet of the network is with its tunnel header. */
export interface UnderlaySize {
  readonly from: string;
  readonly toHost: string;
  readonly to: string;
  readonly size: number;
  readonly ping: Ping;
  readonly evidence: Evidence;
}

/** Asked only where a full-size ping through the network was lost. */
export const underlaySizes = source<PortSubject, readonly UnderlaySize[]>(
  'port.underlay-sizes',
  (subject) => subject.id,
  async (subject, facts) => {
    const [full, links, network] = await Promise.all([
      facts.get(fullSizePings, subject),
      facts.get(tunnels, subject),
      facts.get(portNetwork, subject),
    ]);
    if (!full.ok) return full;
    if (full.value.value.every((f) => f.run.ping.received > 0))
      return err({ kind: 'unsupported', because: 'full-size packets pass' });
    if (!links.ok) return links;
    if (!network.ok) return network;
    const { mtu } = network.value.value;
    if (mtu === undefined) return err({ kind: 'unsupported', because: 'the network has no MTU in the API' });
    const found: UnderlaySize[] = [];
    await Promise.all(
      links.value.value.links.flatMap((link) =>
        (
          [
            [link.peer, link.peerEndpoint, link.computeEndpoint, link.compute],
            [link.compute, link.computeEndpoint, link.peerEndpoint, link.peer],
          ] as const
        ).map(async ([from, own, to, toHost]) => {
          const family = parseAddress(to)?.family ?? 4;
          const size = neededUnderlayMtu(mtu, links.value.value.shape.kind, family);
          const sent = await sendPing(
            facts,
            { from: 'qdhcp', host: from },
            to,
            ['-I', own, '-M', 'do', '-s', String(fullSizePayload(size, family))],
            'underlay',
          );
          if (sent.ok) found.push({ from, toHost, to, size, ping: sent.value.ping, evidence: sent.value.evidence });
        }),
      ),
    );
    found.sort((a, b) => (`${a.from} ${a.to}` < `${b.from} ${b.to}` ? -1 : 1));
    return observed(found, ...found.map((f) => f.evidence));
  },
);
