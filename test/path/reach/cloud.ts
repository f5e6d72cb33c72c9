import type {
  Atlas,
  AtlasNetwork,
  AtlasPort,
  AtlasRouter,
  AtlasSubnet,
  Floating,
  Known,
} from '../../../src/path/reach/atlas.ts';
import { holderKey, known } from '../../../src/path/reach/atlas.ts';
import type { End, Question } from '../../../src/path/reach/question.ts';
import type { SecurityGroup, SecurityGroupRule } from '../../../src/path/secgroup/model.ts';
import { everythingIn } from '../secgroup/groups.ts';

let serial = 0;
export function rule(given: Partial<SecurityGroupRule> = {}): SecurityGroupRule {
  serial += 1;
  return {
    id: `${String(serial).padStart(8, '0')}-5205-47d9-9fb9-fffed51ce7ca`,
    ...everythingIn,
    ...given,
  };
}

export const out = (given: Partial<SecurityGroupRule> = {}): SecurityGroupRule =>
  rule({ direction: 'egress', ...given });

/** Everything out, as a group has it when it is made, and the given rules. */
export const group = (name: string, ...rules: SecurityGroupRule[]): SecurityGroup => ({
  id: `id-of-${name}`,
  name,
  rules: [out(), out({ ethertype: 'IPv6' }), ...rules],
});

export const open = group('open', rule(), rule({ ethertype: 'IPv6' }));

export const subnet = (id: string, cidr: string, given: Partial<AtlasSubnet> = {}): AtlasSubnet => ({
  id,
  cidr,
  family: cidr.includes(':') ? 6 : 4,
  dhcp: true,
  hostRoutes: [],
  ...given,
});

export const network = (
  id: string,
  subnets: readonly AtlasSubnet[],
  given: Partial<AtlasNetwork> = {},
): AtlasNetwork => ({
  id,
  name: id,
  adminUp: true,
  external: false,
  mtu: 1450,
  type: 'vxlan',
  subnets,
  ...given,
});

interface VmOptions extends Partial<Omit<AtlasPort, 'security'>> {
  readonly groups?: readonly SecurityGroup[];
  readonly pairs?: readonly string[];
  readonly secured?: boolean;
}

/** An instance with one address, on a network, in some groups. */
export interface Vm {
  readonly port: AtlasPort;
  readonly groups: readonly SecurityGroup[];
  readonly end: End;
}

export function vm(name: string, net: AtlasNetwork, address: string, options: VmOptions = {}): Vm {
  const { groups = [open], pairs = [], secured = true, ...given } = options;
  const id = `port-of-${name}`;
  const subnetId = net.subnets.find((s) => s.family === (address.includes(':') ? 6 : 4))?.id ?? '';
  const port: AtlasPort = {
    id,
    name,
    owner: 'instance',
    deviceId: `id-of-${name}`,
    networkId: net.id,
    host: 'cmp1',
    adminUp: true,
    status: 'ACTIVE',
    vifType: 'bridge',
    filter: 'iptables',
    security: {
      enabled: secured,
      groups: groups.map((g) => g.id),
      allowedAddressPairs: pairs.map((ip) => ({ ip })),
      fixedIps: [address],
      mac: 'fa:16:3e:00:00:01',
    },
    addresses: [{ subnetId, address }],
    ...given,
  };
  return { port, groups, end: { kind: 'port', portId: id, address, name } };
}

export interface Leg {
  readonly net: AtlasNetwork;
  readonly address: string;
  readonly adminUp?: boolean;
}

export function router(
  name: string,
  legs: readonly Leg[],
  given: Partial<AtlasRouter> & { readonly outer?: { net: AtlasNetwork; address: string; snat?: boolean } } = {},
): AtlasRouter {
  const { outer, ...rest } = given;
  const subnetIn = (net: AtlasNetwork, address: string): string =>
    net.subnets.find((s) => s.family === (address.includes(':') ? 6 : 4))?.id ?? '';
  return {
    id: `id-of-${name}`,
    name,
    adminUp: true,
    status: 'ACTIVE',
    routes: [],
    legs: legs.map(({ net, address, adminUp = true }, i) => ({
      portId: `leg-${i}-of-${name}`,
      networkId: net.id,
      adminUp,
      addresses: [{ subnetId: subnetIn(net, address), address }],
    })),
    ...(outer === undefined
      ? {}
      : {
          gateway: {
            networkId: outer.net.id,
            snat: outer.snat ?? true,
            addresses: [{ subnetId: subnetIn(outer.net, outer.address), address: outer.address }],
          },
        }),
    ...rest,
  };
}

export interface Cloud {
  readonly networks: readonly AtlasNetwork[];
  readonly routers?: readonly AtlasRouter[];
  readonly vms?: readonly Vm[];
  readonly floatings?: readonly Floating[];
  readonly services?: readonly AtlasPort[];
  readonly members?: ReadonlyMap<string, readonly string[]>;
}

/** A map on which everything is known: what is not in the cloud is not there. */
export function atlasOf(cloud: Cloud): Atlas {
  const { networks, routers = [], vms = [], floatings = [], services = [], members = new Map() } = cloud;
  const legs = routers.flatMap((r) =>
    [...r.legs, ...(r.gateway === undefined ? [] : [{ ...r.gateway, portId: `gateway-of-${r.name}` }])].map(
      (leg): AtlasPort => ({
        id: leg.portId,
        name: `router ${r.name}`,
        owner: 'router',
        deviceId: r.id,
        networkId: leg.networkId,
        adminUp: true,
        status: 'ACTIVE',
        filter: 'unknown',
        security: { enabled: false, groups: [], allowedAddressPairs: [], fixedIps: [], mac: 'fa:16:3e:00:00:02' },
        addresses: leg.addresses,
      }),
    ),
  );
  const ports = new Map([...vms.map((v) => v.port), ...legs, ...services].map((p) => [p.id, p]));
  return {
    ports,
    networks: new Map(networks.map((n) => [n.id, known(n)])),
    routers: new Map(routers.map((r) => [r.id, known(r)])),
    rules: new Map(vms.map((v) => [v.port.id, known({ groups: v.groups, members })])),
    floatings: new Map(vms.map((v) => [v.port.id, known(floatings.filter((f) => f.portId === v.port.id))])),
    floatingAt: anything(new Map(floatings.map((f) => [f.address, f]))),
    services: new Map(
      networks.map((n) => [n.id, known([...legs, ...services].filter((p) => p.networkId === n.id).map((p) => p.id))]),
    ),
    holders: anything(
      new Map(
        [...ports.values()].flatMap((p) => p.addresses.map((a) => [holderKey(p.networkId, a.address), p.id] as const)),
      ),
    ),
  };
}

/** A list that is complete: what is not in it is known not to be there. */
function anything<T>(list: ReadonlyMap<string, T>): ReadonlyMap<string, Known<T | undefined>> {
  const map = new Map<string, Known<T | undefined>>();
  return new Proxy(map, {
    get: (target, name) => (name === 'get' ? (key: string) => known(list.get(key)) : Reflect.get(target, name)),
  });
}

export const ask = (from: End, to: End, given: Partial<Question> = {}): Question => ({
  from,
  to,
  protocol: 'icmp',
  family: 4,
  ...given,
});

export const tcp = (port: number): Partial<Question> => ({ protocol: 'tcp', port });
export const udp = (port: number): Partial<Question> => ({ protocol: 'udp', port });
export const outside = (address?: string): End =>
  address === undefined ? { kind: 'outside', name: 'outside' } : { kind: 'outside', address, name: address };
