/** What Neutron's API says, as far as ML2/OVN makes rows of it (neutron …/ovn/mech_driver/ovsdb/ovn_client.py). */
export interface ApiPort {
  readonly id: string;
  readonly name?: string | undefined;
  readonly project_id?: string | undefined;
  readonly device_id?: string | undefined;
  readonly network_id: string;
  readonly mac_address: string;
  readonly admin_state_up: boolean;
  readonly device_owner: string;
  readonly fixed_ips: readonly { readonly subnet_id: string; readonly ip_address: string }[];
  readonly allowed_address_pairs?:
    | readonly { readonly ip_address: string; readonly mac_address?: string | undefined }[]
    | undefined;
  readonly extra_dhcp_opts?:
    | readonly {
        readonly opt_name: string;
        readonly opt_value?: string | null | undefined;
        readonly ip_version?: number | undefined;
      }[]
    | undefined;
  readonly security_groups?: readonly string[] | undefined;
  readonly port_security_enabled?: boolean | undefined;
  readonly 'binding:host_id'?: string | undefined;
  readonly 'binding:vnic_type'?: string | undefined;
  readonly 'binding:profile'?: Readonly<Record<string, unknown>> | undefined;
}

export interface ApiNetwork {
  readonly id: string;
  readonly name: string;
  readonly mtu?: number | undefined;
  readonly 'provider:network_type'?: string | null | undefined;
  readonly 'provider:physical_network'?: string | null | undefined;
  readonly 'provider:segmentation_id'?: number | null | undefined;
}

export interface ApiSubnet {
  readonly id: string;
  readonly ip_version: number;
  readonly cidr: string;
  readonly gateway_ip?: string | null | undefined;
  readonly enable_dhcp: boolean;
  readonly dns_nameservers?: readonly string[] | undefined;
  readonly host_routes?: readonly { readonly destination: string; readonly nexthop: string }[] | undefined;
  readonly ipv6_address_mode?: string | null | undefined;
}

export interface ApiRouter {
  readonly id: string;
  readonly name: string;
  readonly admin_state_up: boolean;
  readonly external_gateway_info?:
    | {
        readonly network_id: string;
        readonly enable_snat?: boolean | undefined;
        readonly external_fixed_ips?:
          | readonly { readonly subnet_id: string; readonly ip_address: string }[]
          | undefined;
      }
    | null
    | undefined;
  readonly routes?: readonly { readonly destination: string; readonly nexthop: string }[] | undefined;
}

export interface ApiFloatingIp {
  readonly id: string;
  readonly floating_ip_address: string;
  readonly fixed_ip_address?: string | null | undefined;
  readonly router_id?: string | null | undefined;
}

export const switchName = (networkId: string): string => `neutron-${networkId}`;
export const routerName = (routerId: string): string => `neutron-${routerId}`;
export const routerPortName = (portId: string): string => `lrp-${portId}`;
export const groupName = (securityGroupId: string): string => `pg_${securityGroupId.replaceAll('-', '_')}`;
export const dropGroup = 'neutron_pg_drop';

/** Neutron's own ports: neither port security nor DHCP (neutron_lib.utils.net.is_port_trusted). */
export const isTrusted = (port: ApiPort): boolean => port.device_owner.startsWith('network:');

/** Ports that another device than the chassis' switch plugs (ovn constants EXTERNAL_PORT_TYPES). */
const externalTypes = ['direct', 'direct-physical', 'macvtap', 'baremetal'];

export function isExternal(port: ApiPort): boolean {
  const capabilities = port['binding:profile']?.capabilities;
  const offloaded = Array.isArray(capabilities) && capabilities.includes('switchdev');
  return externalTypes.includes(port['binding:vnic_type'] ?? 'normal') && !offloaded;
}

/** Whether port security (and so security groups) hold for it; without the extension it is on. */
export const isSecured = (port: ApiPort): boolean => !isTrusted(port) && port.port_security_enabled !== false;
