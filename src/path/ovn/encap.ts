import type { Chassis, Encap } from './model.ts';

/** Types of tunnels in the order in which ovn-controller prefers them (controller/encaps.c, preferred_encap). */
const preference = ['geneve', 'stt', 'vxlan'];
const rank = (type: string): number => preference.indexOf(type) + 1 || preference.length + 1;

/** The ends that two chassis make a tunnel between: the best type that both have; undefined when there is none. */
export function tunnelEnds(a: Chassis, b: Chassis): { readonly a: Encap; readonly b: Encap } | undefined {
  const types = a.encaps.map((e) => e.type).filter((type) => b.encaps.some((e) => e.type === type));
  const [best] = types.sort((x, y) => rank(x) - rank(y));
  const [own, far] = [a, b].map((chassis) => chassis.encaps.find((e) => e.type === best));
  return own === undefined || far === undefined ? undefined : { a: own, b: far };
}

/** Do their transport zones let the two have a tunnel (ovn-controller(8), ovn-transport-zones)? */
export const shareZone = (a: Chassis, b: Chassis): boolean =>
  a.transportZones.length === 0 && b.transportZones.length === 0
    ? true
    : a.transportZones.some((zone) => b.transportZones.includes(zone));
