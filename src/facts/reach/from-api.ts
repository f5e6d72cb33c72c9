import type { FactResult } from '../../engine/fact.ts';
import { backendOf } from '../../path/backends/registry.ts';
import type { NetworkType } from '../../path/mtu.ts';
import {
  type AtlasNetwork,
  type AtlasPort,
  type AtlasRouter,
  type Floating,
  type Known,
  known,
} from '../../path/reach/atlas.ts';
import { portSecurityFromApi } from '../../path/secgroup/from-api.ts';
import { boundPort } from '../placement.ts';
import type { FloatingIp, Network, Port, Router, Subnet } from '../schemas/network.ts';
import { shortId } from '../subject.ts';
import { unseen } from './known.ts';

/** Whose port it is, by its device_owner (neutron_lib constants). */
export function ownerOf(p: Port): AtlasPort['owner'] {
  if (p.device_owner.startsWith('compute:')) return 'instance';
  if (/^network:(router_|ha_router_)/.test(p.device_owner)) return 'router';
  if (p.device_owner === 'network:dhcp') return 'dhcp';
  return p.device_owner === 'network:distributed' ? 'metadata' : 'other';
}

function filterOf(p: Port): AtlasPort['filter'] {
  const backend = backendOf(boundPort(p), []);
  switch (backend?.firewall) {
    case 'iptables':
      return 'iptables';
    case 'ovs-flows':
      return 'ovs';
    case 'ovn-acl':
      return 'ovn';
    case 'none':
    case undefined:
      return 'unknown';
  }
}

/** @param host where the API tells it elsewhere than in the binding */
export function portFromApi(p: Port, name: string, host: string | undefined): AtlasPort {
  const there = host ?? (p['binding:host_id'] || undefined);
  const vif = p['binding:vif_type'];
  return {
    id: p.id,
    name,
    owner: ownerOf(p),
    deviceId: p.device_id,
    networkId: p.network_id,
    ...(there === undefined ? {} : { host: there }),
    adminUp: p.admin_state_up,
    status: p.status,
    ...(vif === undefined ? {} : { vifType: vif }),
    filter: filterOf(p),
    security: portSecurityFromApi(p),
    addresses: p.fixed_ips.map((f) => ({ subnetId: f.subnet_id, address: f.ip_address })),
  };
}

const types: readonly NetworkType[] = ['vxlan', 'gre', 'geneve', 'vlan', 'flat', 'local'];

/** @param outer subnets of it that routers were seen on */
export function networkFromApi(
  network: FactResult<Network>,
  subnets: FactResult<readonly Subnet[]>,
  outer: readonly Subnet[],
): Known<AtlasNetwork> {
  const [first] = outer;
  if (!network.ok || !subnets.ok) {
    const failure = network.ok ? subnets : network;
    // What an external network is needed for, its subnet and gateway, is known where its subnet is.
    if (first === undefined) return failure.ok ? unseen({ kind: 'not-found', what: 'it' }) : unseen(failure.error);
    const id = first.network_id;
    const own = outer.map(subnetFromApi);
    return known({ id, name: shortId(id), adminUp: true, external: true, subnets: own });
  }
  const n = network.value.value;
  const type = types.find((t) => t === n['provider:network_type']);
  return known({
    id: n.id,
    name: n.name,
    adminUp: n.admin_state_up,
    external: n['router:external'] === true,
    ...(n.mtu === undefined ? {} : { mtu: n.mtu }),
    ...(type === undefined ? {} : { type }),
    subnets: subnets.value.value.map(subnetFromApi),
  });
}

const subnetFromApi = (s: Subnet): AtlasNetwork['subnets'][number] => ({
  id: s.id,
  cidr: s.cidr,
  family: s.ip_version === 6 ? 6 : 4,
  ...(s.gateway_ip ? { gateway: s.gateway_ip } : {}),
  dhcp: s.enable_dhcp,
  hostRoutes: s.host_routes ?? [],
});

/** @param ports all that are the router's own */
export function routerFromApi(r: Router, ports: readonly Port[]): AtlasRouter {
  const outer = r.external_gateway_info;
  const legs = ports.filter((p) => /^network:(router_interface|ha_router_replicated_interface)/.test(p.device_owner));
  return {
    id: r.id,
    name: r.name,
    adminUp: r.admin_state_up,
    status: r.status,
    ...(outer
      ? {
          gateway: {
            networkId: outer.network_id,
            snat: outer.enable_snat !== false,
            addresses: (outer.external_fixed_ips ?? []).map((f) => ({ subnetId: f.subnet_id, address: f.ip_address })),
          },
        }
      : {}),
    routes: r.routes ?? [],
    legs: legs.map((p) => ({
      portId: p.id,
      networkId: p.network_id,
      adminUp: p.admin_state_up,
      addresses: p.fixed_ips.map((f) => ({ subnetId: f.subnet_id, address: f.ip_address })),
    })),
  };
}

export const floatingFromApi = (f: FloatingIp): Floating => ({
  id: f.id,
  address: f.floating_ip_address,
  networkId: f.floating_network_id,
  status: f.status,
  ...(f.fixed_ip_address ? { fixed: f.fixed_ip_address } : {}),
  ...(f.port_id ? { portId: f.port_id } : {}),
  ...(f.router_id ? { routerId: f.router_id } : {}),
});
