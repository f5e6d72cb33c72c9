import type { Cloud } from '../cloud/cloud.ts';
import { UserError } from '../engine/error.ts';
import type { Store } from '../facts/io.ts';
import { floatingIps, portSubnets, servicePorts } from '../facts/port-api.ts';
import { unseen } from '../facts/reach/known.ts';
import type { Surveyor } from '../facts/reach.ts';
import type { Port } from '../facts/schemas/network.ts';
import type { PortSubject } from '../facts/subject.ts';
import { type Family, familyOf, parseAddress, sameAddress } from '../path/addresses.ts';
import { isPrivate } from '../path/reach/journey.ts';
import { type End, METADATA_ADDRESS } from '../path/reach/question.ts';
import { holdersOf } from '../run/holders.ts';
import { resolveTarget } from '../run/target.ts';

/** Ends that are no port of anybody's: what there is around the other end. */
const places = ['router', 'dhcp', 'gateway', 'metadata', 'outside'] as const;
type Place = (typeof places)[number];

/** What was typed for one end. */
type Named =
  | { readonly kind: 'ports'; readonly ports: readonly PortSubject[]; readonly fixed?: string }
  /** An address that leads to one of these ports, or to none of this cloud. */
  | { readonly kind: 'address'; readonly address: string; readonly behind: readonly PortSubject[] }
  | { readonly kind: 'place'; readonly place: Place };

export interface Ends {
  readonly from: End;
  readonly to: End;
  readonly family: Family;
}

/** What a bundle was recorded for: the only instances and addresses that can be found in it by name. */
export interface Recorded {
  readonly references: readonly string[];
}

const fixedOf = (s: PortSubject): readonly string[] => s.port.value.fixed_ips.map((f) => f.ip_address);

async function named(facts: Store, text: string, option: string, recorded: Recorded | undefined): Promise<Named> {
  const place = places.find((p) => p === text);
  if (place !== undefined) return { kind: 'place', place };
  const { cloud } = facts.io;
  if (recorded !== undefined) {
    const found = await inBundle(facts, cloud, text, recorded);
    if (found !== undefined) return found;
  }
  if (parseAddress(text) === undefined) {
    const target = await resolveTarget(cloud, text, true, () => {});
    if (target.ports.length === 0) {
      throw new UserError(`${text} has no port.`, { hint: `ostk-doctor port ${text}` });
    }
    return { kind: 'ports', ports: target.ports };
  }
  const holders = await holdersOf(cloud, text);
  if (!holders.ok) {
    // A bundle holds no list of all ports. Only an address that cannot be of a tenant is surely somewhere outside.
    if (recorded !== undefined && (option === 'to' || !isPrivate(text)))
      return { kind: 'address', address: text, behind: [] };
    const { because } = unseen(holders.error);
    throw new UserError(`Who has ${text} (${option}) is not known.`, {
      why: because,
      hint: recorded === undefined ? 'try again' : 'name an instance of the bundle, or ask the live cloud',
      exitCode: 3,
    });
  }
  const own = holders.value.filter((h) => fixedOf(h).some((a) => sameAddress(a, text)));
  if (own.length > 0) return { kind: 'ports', ports: await Promise.all(own.map((p) => owned(cloud, p))), fixed: text };
  return { kind: 'address', address: text, behind: await Promise.all(holders.value.map((p) => owned(cloud, p))) };
}

/** A port with the instance it belongs to. */
async function owned(cloud: Cloud, p: PortSubject): Promise<PortSubject> {
  if (!p.port.value.device_owner.startsWith('compute:')) return p;
  const target = await resolveTarget(cloud, p.port.value.device_id, false, () => {}).catch((error: unknown) => {
    if (error instanceof UserError) return undefined;
    throw error;
  });
  return target?.kind === 'instance' ? { ...p, instance: target.instance } : p;
}

/** The instances a bundle was recorded for, by name, id, port or any of their addresses. */
async function inBundle(facts: Store, cloud: Cloud, text: string, recorded: Recorded): Promise<Named | undefined> {
  for (const reference of recorded.references) {
    const target = await resolveTarget(cloud, reference, true, () => {}).catch((error: unknown) => {
      if (error instanceof UserError) return undefined;
      throw error;
    });
    if (target === undefined) continue;
    const instance = target.kind === 'instance' ? target.instance : undefined;
    if ([reference, instance?.name, instance?.id].includes(text)) return { kind: 'ports', ports: target.ports };
    const port = target.ports.find((p) => p.id === text);
    if (port !== undefined) return { kind: 'ports', ports: [port] };
    const holder = target.ports.find((p) => fixedOf(p).some((a) => sameAddress(a, text)));
    if (holder !== undefined) return { kind: 'ports', ports: [holder], fixed: text };
    for (const p of target.ports) {
      const floating = await facts.get(floatingIps, p);
      if (floating.ok && floating.value.value.some((f) => sameAddress(f.floating_ip_address, text))) {
        return { kind: 'address', address: text, behind: [p] };
      }
    }
  }
  return undefined;
}

const familiesOf = (n: Named): readonly Family[] => {
  const addresses =
    n.kind === 'place'
      ? []
      : n.kind === 'address'
        ? [n.address]
        : n.fixed !== undefined
          ? [n.fixed]
          : n.ports.flatMap(fixedOf);
  return [...new Set(addresses.flatMap((a) => familyOf(a) ?? []))];
};

function familyFor(from: Named, to: Named, wanted: Family | undefined): Family {
  const both = [from, to].filter((n) => n.kind !== 'place').map(familiesOf);
  const shared = ([4, 6] as const).filter((f) => both.every((families) => families.includes(f)));
  if (wanted !== undefined && !shared.includes(wanted)) {
    throw new UserError(`Not both ends have an IPv${wanted} address.`, { hint: 'leave --family out' });
  }
  const family = wanted ?? shared[0];
  if (family === undefined) {
    throw new UserError('The two ends have no addresses of one family.', {
      why: both.map((families) => families.map((f) => `IPv${f}`).join(' and ') || 'none').join(' at one end, '),
      hint: 'name other addresses',
    });
  }
  return family;
}

const addressIn = (p: PortSubject, family: Family, fixed: string | undefined): string | undefined =>
  fixed ?? fixedOf(p).find((a) => familyOf(a) === family);

/** Ports behind what was named: for a floating address the port it leads to. */
const portsOf = (n: Named): readonly PortSubject[] =>
  n.kind === 'ports' ? n.ports : n.kind === 'address' ? n.behind : [];

/** The ports that talk: two of one network where there are such, else the first with an address of the family. */
function choose(mine: Named, other: Named, family: Family): PortSubject | undefined {
  const able = portsOf(mine).filter((p) => addressIn(p, family, undefined) !== undefined || mine.kind === 'address');
  const networks = new Set(portsOf(other).map((p) => p.port.value.network_id));
  const projects = new Set(portsOf(other).map((p) => p.port.value.project_id ?? p.port.value.tenant_id));
  return (
    able.find((p) => networks.has(p.port.value.network_id)) ??
    able.find((p) => projects.has(p.port.value.project_id ?? p.port.value.tenant_id)) ??
    able[0]
  );
}

const portEnd = async (map: Surveyor, p: PortSubject, address: string): Promise<End> => ({
  kind: 'port',
  portId: p.id,
  address,
  name: await map.add(p),
});

/** Finds what was typed for both ends, and puts it on the map. `text` is shown in what is said to a person. */
export async function resolveEnds(
  facts: Store,
  map: Surveyor,
  typed: { readonly from: string; readonly to: string; readonly family: Family | undefined },
  recorded: Recorded | undefined,
): Promise<Ends> {
  const [from, to] = await Promise.all([
    named(facts, typed.from, 'from', recorded),
    named(facts, typed.to, 'to', recorded),
  ]);
  if (from.kind === 'place' && to.kind === 'place') {
    throw new UserError(`${typed.from} and ${typed.to} are seen from an instance, and none is named.`, {
      hint: 'name an instance, a port or an address at one end: ostk-doctor reach router web-1',
    });
  }
  const family = familyFor(from, to, typed.family);
  const [a, b] = [choose(from, to, family), choose(to, from, family)];
  if (a !== undefined && a.id === b?.id) {
    throw new UserError('Both ends are the same port.', { hint: 'name two different ends' });
  }
  const [fromEnd, toEnd] = await Promise.all([
    endOf(facts, map, from, a, b, family, 'from'),
    endOf(facts, map, to, b, a, family, 'to'),
  ]);
  return { from: fromEnd, to: toEnd, family };
}

async function endOf(
  facts: Store,
  map: Surveyor,
  n: Named,
  own: PortSubject | undefined,
  other: PortSubject | undefined,
  family: Family,
  side: 'from' | 'to',
): Promise<End> {
  switch (n.kind) {
    case 'place':
      return placeEnd(facts, map, n.place, other, family, side);
    case 'address': {
      // Whoever sends from a floating address is the port behind it; whoever is sent to is found on the way.
      if (side === 'from' && own !== undefined) {
        const address = addressIn(own, family, undefined);
        if (address !== undefined) return portEnd(map, own, address);
      }
      if (own !== undefined) await map.add(own);
      return side === 'from'
        ? { kind: 'outside', address: n.address, name: n.address }
        : { kind: 'address', address: n.address, name: n.address };
    }
    case 'ports': {
      const address = own === undefined ? undefined : addressIn(own, family, n.fixed);
      if (own === undefined || address === undefined) {
        throw new UserError(`The ${side} end has no IPv${family} address.`, {
          hint: 'ostk-doctor port shows what it has',
        });
      }
      return portEnd(map, own, address);
    }
  }
}

const nobody = (what: string, other: PortSubject): UserError =>
  new UserError(`There is no ${what} for ${other.instance?.name ?? `port ${other.id}`}.`, {
    where: `network ${other.port.value.network_id}`,
    hint: 'ostk-doctor net shows what its network has',
  });

const atLeg = (p: Port, address: string): boolean => p.fixed_ips.some((f) => sameAddress(f.ip_address, address));

async function placeEnd(
  facts: Store,
  map: Surveyor,
  place: Place,
  other: PortSubject | undefined,
  family: Family,
  side: 'from' | 'to',
): Promise<End> {
  if (place === 'outside') return { kind: 'outside', name: 'outside' };
  if (other === undefined) {
    throw new UserError(`${place} is seen from an instance of this cloud, and none is named.`, {
      hint: `name an instance or a port: ostk-doctor reach router web-1`,
    });
  }
  if (place === 'metadata') {
    if (side === 'from') {
      throw new UserError('Nothing is sent from metadata: it only answers.', {
        hint: 'ostk-doctor reach web-1 metadata',
      });
    }
    return { kind: 'metadata', address: METADATA_ADDRESS, name: 'the metadata service' };
  }
  const [around, subnets] = await Promise.all([facts.get(servicePorts, other), facts.get(portSubnets, other)]);
  if (!around.ok || !subnets.ok) {
    const { because, tell } = unseen(
      around.ok ? (subnets.ok ? { kind: 'not-found', what: 'it' } : subnets.error) : around.error,
    );
    throw new UserError(`Where the ${place} is, is not known.`, {
      why: because,
      hint: `${tell} would tell`,
      exitCode: 3,
    });
  }
  const evidence = around.value.evidence;
  const subjectOf = (p: Port): PortSubject => ({ kind: 'port', id: p.id, port: { value: p, evidence } });
  const own = other.port.value.fixed_ips.find((f) => familyOf(f.ip_address) === family);
  const gateway = subnets.value.value.find((s) => s.id === own?.subnet_id)?.gateway_ip ?? undefined;
  const legs = around.value.value.filter((p) =>
    /^network:(router_interface|ha_router_replicated)/.test(p.device_owner),
  );
  const found =
    place === 'dhcp'
      ? // OVN answers DHCP itself; the port of the network that is Neutron's own has its address.
        (around.value.value.find((p) => p.device_owner === 'network:dhcp') ??
        around.value.value.find((p) => p.device_owner === 'network:distributed'))
      : gateway === undefined
        ? undefined
        : legs.find((p) => atLeg(p, gateway));
  const leg = found ?? (place === 'router' ? legs.find((p) => addressIn(subjectOf(p), family, undefined)) : undefined);
  if (leg === undefined) {
    if (place === 'gateway' && gateway !== undefined)
      return { kind: 'outside', address: gateway, name: `gateway ${gateway}` };
    throw nobody(place === 'dhcp' ? 'DHCP server' : place, other);
  }
  const subject = subjectOf(leg);
  const fixed = place !== 'dhcp' && gateway !== undefined && atLeg(leg, gateway) ? gateway : undefined;
  const address = addressIn(subject, family, fixed);
  if (address === undefined) throw nobody(`${place} with an IPv${family} address`, other);
  return portEnd(map, subject, address);
}
