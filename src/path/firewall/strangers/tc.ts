import { qdiscKey } from '../counters.ts';
import type { Answer, Packet } from '../packet.ts';
import { answered, inNamespace, type NodeRules, type Stranger } from './stranger.ts';

/** Disciplines that only ever lose, hold or delay packets: no agent and no libvirt makes one. */
const HARMFUL = new Set(['netem', 'blackhole', 'plug']);
/** Limits of bandwidth: Neutron's QoS and libvirt's <bandwidth> make them too, so one is a stranger only where nobody ordered any. */
const SHAPERS = new Set(['tbf', 'htb', 'hfsc', 'cbq']);

/**
 * netem is never Neutron's, nor are filters that drop or lead elsewhere: Neutron's QoS polices, OVS offload uses flower. What an
 * ingress or clsact qdisc dropped is counted by itself: a bpf filter leaves no other trace.
 */
export function strangersInTc(node: NodeRules, seen: readonly Packet[]): readonly Stranger[] {
  const passes = (dev: string): Answer =>
    answered(seen, (packet) => {
      const devices = [packet.in, packet.out, packet.bridgeIn, packet.bridgeOut];
      if (devices.includes(dev)) return 'unknown';
      // It passes more devices than those we know it by.
      const known = (a?: string, b?: string): boolean => a !== undefined && b !== undefined;
      return known(packet.bridgeIn, packet.bridgeOut) || known(packet.in, packet.out) ? 'no' : 'unknown';
    });
  const disciplines = (node.qdiscs ?? []).flatMap((qdisc): Stranger[] => {
    const harmful = HARMFUL.has(qdisc.kind);
    if (!harmful && !(SHAPERS.has(qdisc.kind) && qdisc.parent === undefined)) return [];
    const at = qdisc.parent === undefined ? ['root'] : ['parent', qdisc.parent, 'handle', qdisc.handle];
    const place = `${qdisc.netns === undefined ? '' : `${qdisc.netns} `}tc ${qdisc.dev}`;
    return [
      {
        tool: 'tc',
        where: `${place} ${at.join(' ')}`,
        key: qdiscKey(qdisc),
        raw: `qdisc ${qdisc.kind} ${qdisc.handle} dev ${qdisc.dev} ${at.join(' ')}`,
        packets: qdisc.drops,
        effect: 'degrades',
        target: qdisc.kind,
        owner: 'nobody',
        certainty: harmful ? 'certain' : 'possible',
        matches: passes(qdisc.dev),
        remove: inNamespace(qdisc.netns, ['tc', 'qdisc', 'del', 'dev', qdisc.dev, ...at]),
      },
    ];
  });
  const filters = (node.filters ?? []).flatMap(({ dev, netns, direction, filters: list }) => {
    const home = node.qdiscs?.find(
      (q) => q.dev === dev && q.netns === netns && (q.kind === 'clsact' || q.kind === 'ingress'),
    );
    return list.flatMap((filter): Stranger[] => {
      const action = filter.actions.find((a) => a === 'drop' || a === 'redirect' || a === 'direct-action');
      if (action === undefined) return [];
      const at = [direction, 'protocol', filter.protocol, 'pref', String(filter.pref)];
      const place = `${netns === undefined ? '' : `${netns} `}tc ${dev} ${direction}`;
      const silent = action === 'direct-action';
      return [
        {
          tool: 'tc',
          where: place,
          key: silent && home !== undefined ? qdiscKey(home) : `${place} ${at.join(' ')} ${filter.kind}`,
          raw: `filter ${at.join(' ')} ${filter.kind} ${filter.actions.join(' ')}`,
          packets: silent ? (home?.drops ?? 0) : action === 'redirect' ? filter.packets : filter.drops,
          effect: action === 'redirect' ? 'diverts' : 'drops',
          target: action,
          owner: 'nobody',
          certainty: filter.kind === 'flower' || silent ? 'possible' : 'certain',
          matches: passes(dev),
          remove: inNamespace(netns, ['tc', 'filter', 'del', 'dev', dev, ...at]),
        },
      ];
    });
  });
  return [...disciplines, ...filters];
}
