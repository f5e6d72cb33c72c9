import type { Flow } from '../../nodes/parse/flows.ts';
import { flowMatches } from '../firewall/flow-match.ts';
import type { Packet } from '../firewall/packet.ts';

/**
 * Priorities that northd gives (northd.c): up to 34000 what Neutron, DHCP and routers need, and the last few of all for what goes before
 * everything.
 */
const usualPriority = (priority: number): boolean => priority <= 34_000 || priority >= 65_532;

/** Ends the packet or puts it out, and does nothing that a step of OVN's pipeline does. */
const ends = ({ actions }: Flow): boolean =>
  actions === 'drop' ||
  actions === '' ||
  (!/resubmit|METADATA|NXM_NX_REG|conjunction|learn|controller|ct\(/.test(actions) &&
    /\b(?:output|NORMAL|LOCAL|FLOOD|ALL|IN_PORT|CONTROLLER)/i.test(actions));

/**
 * Flows of an integration bridge that end or lead away packets, wear a cookie, and do not look like ovn-controller's: every flow that it makes
 * of a logical flow is about one datapath (`metadata`), of a priority that northd gives. Whether a row of the SB explains them is to be
 * asked; a flow without a cookie needs no asking.
 */
export const suspectsAmong = (flows: readonly Flow[]): readonly Flow[] =>
  flows.filter(
    (flow) =>
      BigInt(flow.cookie) !== 0n &&
      ends(flow) &&
      (BigInt(flow.cookie) > 0xffff_ffffn ||
        !usualPriority(flow.priority) ||
        // What goes out by a port is made of the port's binding, and is about the port alone.
        (flow.match.metadata === undefined && flow.match.in_port === undefined)),
  );

/** Could the flow take any packet that this port sends or gets? */
export function concerns(flow: Flow, own: { readonly mac: string; readonly addresses: readonly string[] }): boolean {
  const family = (address: string) => (address.includes(':') ? (6 as const) : (4 as const));
  const packets = own.addresses.flatMap((address): Packet[] => {
    const bare = { family: family(address), protocol: '' } as const;
    return [
      { ...bare, source: address, sourceMac: own.mac },
      { ...bare, destination: address, destinationMac: own.mac },
      { ...bare, arp: 'request', source: address, sourceMac: own.mac },
      { ...bare, arp: 'reply', destination: address, destinationMac: own.mac },
    ];
  });
  return packets.some((packet) => flowMatches(flow, packet) !== 'no');
}
