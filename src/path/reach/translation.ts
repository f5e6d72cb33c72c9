import { cidrContains, parseAddress, sameAddress } from '../addresses.ts';
import type { AtlasReader, AtlasRouter, Floating } from './atlas.ts';
import type { Decider } from './step.ts';

/** Addresses as they stand in a packet; undefined: anywhere outside. */
export interface Addresses {
  readonly source: string | undefined;
  readonly destination: string | undefined;
}

/** What a router remembers of a connection it has translated (conntrack). */
export interface Translation {
  readonly routerId: string;
  readonly before: Addresses;
  readonly after: Addresses;
}

export type Rewritten =
  | { readonly kind: 'same' }
  | { readonly kind: 'to'; readonly address: string; readonly because: string; readonly object: Decider }
  | { readonly kind: 'nowhere'; readonly because: string; readonly object: Decider }
  | { readonly kind: 'unknown'; readonly because: string; readonly tell: string };

const isIpv4 = (address: string | undefined): address is string =>
  address !== undefined && parseAddress(address)?.family === 4;

const floatingObject = (f: Floating): Decider => ({ kind: 'floating-ip', id: f.id, name: f.address });

/** Whether an address may be a floating one of this router: in the network of its gateway, and not the router's own. */
function mayFloat(router: AtlasRouter, reader: AtlasReader, address: string): boolean {
  const { gateway } = router;
  if (gateway === undefined || gateway.addresses.some((a) => sameAddress(a.address, address))) return false;
  const network = reader.network(gateway.networkId);
  return network.known && network.value.subnets.some((s) => cidrContains(s.cidr, address));
}

/** The destination, before routing: a floating address becomes the fixed one behind it (neutron l3_agent, PREROUTING). */
export function destinationAt(router: AtlasRouter, reader: AtlasReader, packet: Addresses): Rewritten {
  const { destination } = packet;
  if (!isIpv4(destination) || !mayFloat(router, reader, destination)) return { kind: 'same' };
  const found = reader.floatingAt(destination);
  if (!found.known)
    return { kind: 'unknown', because: `whether ${destination} is a floating IP: ${found.because}`, tell: found.tell };
  const floating = found.value;
  if (floating === undefined || (floating.routerId !== undefined && floating.routerId !== router.id))
    return { kind: 'same' };
  const object = floatingObject(floating);
  if (floating.routerId !== undefined && floating.fixed === undefined) {
    const because = `floating IP ${destination} leads to single ports of instances (port forwardings)`;
    return { kind: 'unknown', because, tell: `openstack floating ip port forwarding list ${floating.id}` };
  }
  if (floating.fixed === undefined) {
    return { kind: 'nowhere', because: `floating IP ${destination} is associated with nothing`, object };
  }
  const status = floating.status === 'ACTIVE' ? '' : ` (Neutron says it is ${floating.status})`;
  return {
    kind: 'to',
    address: floating.fixed,
    because: `floating IP ${destination} leads to ${floating.fixed}${status}`,
    object,
  };
}

/**
 * The source, after routing (neutron l3_agent, POSTROUTING): the floating address of the sender, else the router's own where
 * it translates; only what leaves by the gateway, or came in from a tenant for a floating address of the same router.
 */
export function sourceAt(
  router: AtlasRouter,
  packet: Addresses,
  way: { readonly outByGateway: boolean; readonly inByGateway: boolean; readonly destinationTranslated: boolean },
  ownFloatings: readonly Floating[],
): Rewritten {
  const { source } = packet;
  const { gateway } = router;
  if (gateway === undefined || (source !== undefined && !isIpv4(source))) return { kind: 'same' };
  const hairpin = way.destinationTranslated && !way.inByGateway;
  if (source === undefined || (!way.outByGateway && !hairpin)) return { kind: 'same' };
  const floating = ownFloatings.find(
    (f) => f.routerId === router.id && f.fixed !== undefined && sameAddress(f.fixed, source),
  );
  if (floating !== undefined) {
    return {
      kind: 'to',
      address: floating.address,
      because: `${source} leaves as its floating IP ${floating.address}`,
      object: floatingObject(floating),
    };
  }
  const outer = gateway.addresses.find((a) => isIpv4(a.address))?.address;
  if (!gateway.snat || outer === undefined || sameAddress(outer, source)) return { kind: 'same' };
  return {
    kind: 'to',
    address: outer,
    because: `${source} leaves as ${outer}, the gateway address of router ${router.name}${hairpin ? ' (back in to a floating IP of the same router)' : ''}`,
    object: { kind: 'router', id: router.id, name: router.name },
  };
}

const same = (a: string | undefined, b: string | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && sameAddress(a, b));

/** The addresses of an answer, put back where this router has translated the connection; undefined where it has not. */
export function restored(
  routerId: string,
  answer: Addresses,
  translations: readonly Translation[],
): Addresses | undefined {
  const mine = translations.find(
    (t) =>
      t.routerId === routerId && same(t.after.source, answer.destination) && same(t.after.destination, answer.source),
  );
  return mine && { source: mine.before.destination, destination: mine.before.source };
}
