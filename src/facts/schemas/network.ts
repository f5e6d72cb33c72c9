import { z } from 'zod';

/** https://docs.openstack.org/api-ref/network/v2/: only what we read. `binding:*` is hidden from ordinary tenants. */
export const fixedIp = z.looseObject({ subnet_id: z.string(), ip_address: z.string() });

export const port = z.looseObject({
  id: z.string(),
  name: z.string().optional(),
  network_id: z.string(),
  tenant_id: z.string().optional(),
  project_id: z.string().optional(),
  mac_address: z.string(),
  admin_state_up: z.boolean(),
  status: z.string(),
  device_id: z.string(),
  device_owner: z.string(),
  fixed_ips: z.array(fixedIp),
  allowed_address_pairs: z
    .array(z.looseObject({ ip_address: z.string(), mac_address: z.string().optional() }))
    .optional(),
  extra_dhcp_opts: z
    .array(z.looseObject({ opt_name: z.string(), opt_value: z.string().nullish(), ip_version: z.number().optional() }))
    .optional(),
  security_groups: z.array(z.string()).optional(),
  port_security_enabled: z.boolean().optional(),
  'binding:host_id': z.string().optional(),
  'binding:vif_type': z.string().optional(),
  'binding:vnic_type': z.string().optional(),
  'binding:vif_details': z.record(z.string(), z.unknown()).optional(),
  'binding:profile': z.record(z.string(), z.unknown()).optional(),
});
export type Port = z.infer<typeof port>;

export const portBinding = z.looseObject({
  host: z.string(),
  status: z.string(),
  vif_type: z.string().optional(),
  vnic_type: z.string().optional(),
});
export type PortBinding = z.infer<typeof portBinding>;

export const network = z.looseObject({
  id: z.string(),
  name: z.string(),
  admin_state_up: z.boolean(),
  status: z.string().optional(),
  mtu: z.number().optional(),
  subnets: z.array(z.string()),
  'router:external': z.boolean().optional(),
  'provider:network_type': z.string().nullish(),
  'provider:physical_network': z.string().nullish(),
  'provider:segmentation_id': z.number().nullish(),
});
export type Network = z.infer<typeof network>;

export const subnet = z.looseObject({
  id: z.string(),
  name: z.string().optional(),
  network_id: z.string(),
  ip_version: z.number(),
  cidr: z.string(),
  gateway_ip: z.string().nullish(),
  enable_dhcp: z.boolean(),
  allocation_pools: z.array(z.looseObject({ start: z.string(), end: z.string() })).optional(),
  dns_nameservers: z.array(z.string()).optional(),
  host_routes: z.array(z.looseObject({ destination: z.string(), nexthop: z.string() })).optional(),
});
export type Subnet = z.infer<typeof subnet>;

export const securityGroupRule = z.looseObject({
  id: z.string(),
  direction: z.string(),
  ethertype: z.string().nullish(),
  protocol: z.union([z.string(), z.number()]).nullish(),
  port_range_min: z.number().nullish(),
  port_range_max: z.number().nullish(),
  remote_ip_prefix: z.string().nullish(),
  remote_group_id: z.string().nullish(),
});

export const securityGroup = z.looseObject({
  id: z.string(),
  name: z.string(),
  security_group_rules: z.array(securityGroupRule),
});
export type ApiSecurityGroup = z.infer<typeof securityGroup>;

export const agent = z.looseObject({
  id: z.string(),
  agent_type: z.string(),
  binary: z.string(),
  host: z.string(),
  alive: z.boolean(),
  admin_state_up: z.boolean(),
  heartbeat_timestamp: z.string().nullish(),
  started_at: z.string().nullish(),
  configurations: z
    .looseObject({
      tunneling_ip: z.string().nullish(),
      tunnel_types: z.array(z.string()).nullish(),
      bridge_mappings: z.record(z.string(), z.string()).nullish(),
      interface_mappings: z.record(z.string(), z.string()).nullish(),
    })
    .optional(),
});
export type Agent = z.infer<typeof agent>;

export const router = z.looseObject({
  id: z.string(),
  name: z.string(),
  admin_state_up: z.boolean(),
  status: z.string(),
  distributed: z.boolean().optional(),
  ha: z.boolean().optional(),
  external_gateway_info: z
    .looseObject({
      network_id: z.string(),
      enable_snat: z.boolean().optional(),
      external_fixed_ips: z.array(fixedIp).optional(),
    })
    .nullish(),
  routes: z.array(z.looseObject({ destination: z.string(), nexthop: z.string() })).optional(),
});
export type Router = z.infer<typeof router>;

export const floatingIp = z.looseObject({
  id: z.string(),
  floating_ip_address: z.string(),
  fixed_ip_address: z.string().nullish(),
  floating_network_id: z.string(),
  router_id: z.string().nullish(),
  port_id: z.string().nullish(),
  status: z.string(),
});
export type FloatingIp = z.infer<typeof floatingIp>;
