import type { TraceOffer } from '../../engine/trace.ts';
import type { DhcpLayer, Layer } from '../../nodes/parse/frame/layer.ts';

/** A server's answer to one DISCOVER of ours, at one point. */
export interface Answer {
  readonly point: number;
  readonly at: bigint;
  readonly server: string;
  readonly serverMac: string | undefined;
  readonly lease: DhcpLayer;
}

/** Whoever answers: known by the transaction alone. */
export function answerIn(layers: readonly Layer[], point: number, at: bigint, transaction: number): Answer | undefined {
  const lease = layers.findLast((l): l is DhcpLayer => l.layer === 'dhcp');
  const ip = layers.findLast((l) => l.layer === 'ipv4');
  const ethernet = layers.findLast((l) => l.layer === 'ethernet');
  if (lease?.operation !== 'reply' || lease.transaction >>> 8 !== transaction >>> 8) return undefined;
  const server = lease.serverId ?? (ip?.layer === 'ipv4' ? ip.source : undefined);
  if (server === undefined) return undefined;
  return { point, at, server, serverMac: ethernet?.layer === 'ethernet' ? ethernet.source : undefined, lease };
}

/** Different answers, each once, in the order of servers. */
export function offersOf(answers: readonly Answer[]): readonly TraceOffer[] {
  const found = new Map<string, { readonly offer: Omit<TraceOffer, 'answers'>; readonly numbers: Set<number> }>();
  for (const { point, server, serverMac, lease } of [...answers].sort((a, b) =>
    a.at < b.at ? -1 : a.at > b.at ? 1 : a.point - b.point,
  )) {
    const said = {
      server,
      ...(lease.yourAddress === undefined ? {} : { address: lease.yourAddress }),
      ...(lease.netmask === undefined ? {} : { netmask: lease.netmask }),
      ...(lease.router === undefined ? {} : { router: lease.router }),
      nameServers: lease.nameServers ?? [],
      ...(lease.mtu === undefined ? {} : { mtu: lease.mtu }),
      ...(lease.leaseSeconds === undefined ? {} : { leaseSeconds: lease.leaseSeconds }),
      routes: lease.routes ?? [],
    };
    const key = JSON.stringify(said);
    const known = found.get(key);
    if (known !== undefined) known.numbers.add(lease.transaction & 0xff);
    else {
      const offer = { ...said, ...(serverMac === undefined ? {} : { serverMac }), point };
      found.set(key, { offer, numbers: new Set([lease.transaction & 0xff]) });
    }
  }
  return [...found.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { offer, numbers }]) => ({ ...offer, answers: numbers.size }));
}
