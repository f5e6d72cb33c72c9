import type { HostCounters, SecondLook } from '../../facts/second-look.ts';
import type { Tunnels } from '../../facts/tunnel.ts';
import type { OvsState } from '../../nodes/parse/ovsdb.ts';
import type { Way } from './way.ts';

/** What a tunnel device counted at one host. */
export interface Moved {
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

const nothing: Moved = { sent: 0, received: 0, words: 'the tunnel was not counted' };

/** What went into the tunnel at one host while we probed, and what came out of it at the other. */
export interface Crossed {
  readonly sender: Moved;
  readonly receiver: Moved;
}

export function crossed(
  look: SecondLook,
  shape: Tunnels['shape'],
  { from, to, ownEnd, farEnd }: Way,
  ovsOf: (host: string) => OvsState | undefined,
): Crossed {
  const at = (host: string, remote: string): Moved | undefined => {
    const [before, after] = [look.before.get(host), look.after.get(host)];
    return before === undefined || after === undefined ? undefined : moved(before, after, shape, remote, ovsOf(host));
  };
  const [sender, receiver] = [at(from, farEnd), at(to, ownEnd)];
  return sender === undefined || receiver === undefined ? { sender: nothing, receiver: nothing } : { sender, receiver };
}
