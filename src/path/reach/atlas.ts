import { cidrContains, type Family, sameAddress } from '../addresses.ts';
import type { NetworkType } from '../mtu.ts';
import type { PortSecurity, SecurityGroup } from '../secgroup/model.ts';

/** What the API says of a cloud, as far as somebody has looked: the map on which `reach` walks. Ids are Neutron's. */
export interface Atlas {
  readonly ports: ReadonlyMap<string, AtlasPort>;
  readonly networks: ReadonlyMap<string, Known<AtlasNetwork>>;
  readonly routers: ReadonlyMap<string, Known<AtlasRouter>>;
  /** By port: its groups, and the addresses of the members of the groups that their rules name. */
  readonly rules: ReadonlyMap<string, Known<PortRules>>;
  /** By port: the floating addresses that lead to it. */
  readonly floatings: ReadonlyMap<string, Known<readonly Floating[]>>;
  /** By address: the floating address of that value, where there is one. */
  readonly floatingAt: ReadonlyMap<string, Known<Floating | undefined>>;
  /** By network: ids of the ports in it that are Neutron's own (DHCP, routers, metadata). */
  readonly services: ReadonlyMap<string, Known<readonly string[]>>;
  /** By `holderKey`: the id of the port that has this address in this network. */
  readonly holders: ReadonlyMap<string, Known<string | undefined>>;
}

/** Looked at, or it could not be looked at. What nobody has asked for yet is not in its map. */
export type Known<T> =
  | { readonly known: true; readonly value: T }
  | { readonly known: false; readonly because: string; readonly tell: string };

export const known = <T>(value: T): Known<T> => ({ known: true, value });

/** Something that the walk needs and the atlas does not have. */
export interface Want {
  readonly of: 'networks' | 'routers' | 'rules' | 'floatings' | 'floatingAt' | 'services' | 'holders';
  readonly key: string;
}

export const holderKey = (networkId: string, address: string): string => `${networkId} ${address}`;

export interface AtlasNetwork {
  readonly id: string;
  readonly name: string;
  readonly adminUp: boolean;
  readonly external: boolean;
  /** Bytes of an IP packet. */
  readonly mtu?: number;
  /** Undefined: the API hides it. */
  readonly type?: NetworkType;
  readonly subnets: readonly AtlasSubnet[];
}

export interface StaticRoute {
  readonly destination: string;
  readonly nexthop: string;
}

export interface AtlasSubnet {
  readonly id: string;
  readonly cidr: string;
  readonly family: Family;
  readonly gateway?: string;
  readonly dhcp: boolean;
  readonly hostRoutes: readonly StaticRoute[];
}

export interface FixedAddress {
  readonly subnetId: string;
  readonly address: string;
}

export interface AtlasPort {
  readonly id: string;
  /** As a person would call what is behind it: `web-1`, `router r1`, `DHCP server`. */
  readonly name: string;
  readonly owner: 'instance' | 'router' | 'dhcp' | 'metadata' | 'other';
  /** Router or server behind it. */
  readonly deviceId: string;
  readonly networkId: string;
  readonly host?: string;
  readonly adminUp: boolean;
  readonly status: string;
  /** `binding:vif_type`, where it is told. */
  readonly vifType?: string;
  /** What enforces its groups: only the iptables drivers and OVN leave connections of stateless groups untracked. */
  readonly filter: 'iptables' | 'ovs' | 'ovn' | 'unknown';
  readonly security: PortSecurity;
  readonly addresses: readonly FixedAddress[];
}

export interface PortRules {
  readonly groups: readonly SecurityGroup[];
  /** Addresses of the members of remote groups; a group that is not in it could not be asked about. */
  readonly members: ReadonlyMap<string, readonly string[]>;
}

export interface AtlasRouter {
  readonly id: string;
  readonly name: string;
  readonly adminUp: boolean;
  readonly status: string;
  readonly gateway?: {
    readonly networkId: string;
    readonly snat: boolean;
    readonly addresses: readonly FixedAddress[];
  };
  readonly routes: readonly StaticRoute[];
  readonly legs: readonly RouterLeg[];
}

/** An interface of a router in a network of a tenant. */
export interface RouterLeg {
  readonly portId: string;
  readonly networkId: string;
  readonly adminUp: boolean;
  readonly addresses: readonly FixedAddress[];
}

export interface Floating {
  readonly id: string;
  readonly address: string;
  readonly fixed?: string;
  readonly portId?: string;
  readonly routerId?: string;
  readonly networkId: string;
  readonly status: string;
}

type Maps = Omit<Atlas, 'ports'>;
type ValueOf<K extends keyof Maps> = Maps[K] extends ReadonlyMap<string, Known<infer T>> ? T : never;

const notAsked = {
  known: false,
  because: 'it was not asked for',
  tell: 'the same question to the live cloud',
} as const;

/** Reads an atlas and notes what was looked for in vain. */
export class AtlasReader {
  readonly #atlas: Atlas;
  readonly #wants = new Map<string, Want>();

  constructor(atlas: Atlas) {
    this.#atlas = atlas;
  }

  get wants(): readonly Want[] {
    return [...this.#wants.values()];
  }

  port(id: string): AtlasPort | undefined {
    return this.#atlas.ports.get(id);
  }

  #look<K extends Want['of']>(of: K, key: string): Known<ValueOf<K>> {
    // Each of the maps holds Known of what ValueOf says; TypeScript does not follow that through a union of maps.
    const found = (this.#atlas[of] as ReadonlyMap<string, Known<ValueOf<K>>>).get(key);
    if (found !== undefined) return found;
    this.#wants.set(`${of} ${key}`, { of, key });
    return notAsked;
  }

  network = (id: string): Known<AtlasNetwork> => this.#look('networks', id);
  router = (id: string): Known<AtlasRouter> => this.#look('routers', id);
  rules = (portId: string): Known<PortRules> => this.#look('rules', portId);
  floatings = (portId: string): Known<readonly Floating[]> => this.#look('floatings', portId);
  floatingAt = (address: string): Known<Floating | undefined> => this.#look('floatingAt', address);

  /** The ports of Neutron's own in a network. */
  services(networkId: string): Known<readonly AtlasPort[]> {
    const ids = this.#look('services', networkId);
    return ids.known ? known(ids.value.flatMap((id) => this.port(id) ?? [])) : ids;
  }

  /** The port that has an address in a network: one that is on the map, else whoever the API names. */
  holder(network: AtlasNetwork, address: string): Known<AtlasPort | undefined> {
    const networkId = network.id;
    const here = [...this.#atlas.ports.values()].find(
      (p) => p.networkId === networkId && p.addresses.some((a) => sameAddress(a.address, address)),
    );
    if (here !== undefined) return known(here);
    // The ports of Neutron's own come in one list; of an external network there may be very many.
    const services = network.external ? undefined : this.services(networkId);
    if (services !== undefined && !this.#atlas.services.has(networkId)) return notAsked;
    const own = services?.known
      ? services.value.find((p) => p.addresses.some((a) => sameAddress(a.address, address)))
      : undefined;
    if (own !== undefined) return known(own);
    const id = this.#look('holders', holderKey(networkId, address));
    if (!id.known) return id;
    return known(id.value === undefined ? undefined : this.port(id.value));
  }
}

export const subnetOf = (network: AtlasNetwork, address: string): AtlasSubnet | undefined =>
  network.subnets.find((s) => cidrContains(s.cidr, address));
