/**
 * Rows of OVN's two databases in our words: ovn-nb(5) and ovn-sb(5), the columns that decide where packets go. A `uuid` is the row's;
 * its first 32 bits are the cookie of the flows that a chassis makes of it (ovn-architecture(7), "Design Decisions").
 */
interface Row {
  readonly uuid: string;
}

type Words = ReadonlyMap<string, string>;

/** NB Logical_Switch_Port. Neutron names it after the port's id. */
export interface SwitchPort extends Row {
  readonly name: string;
  /** Empty for an instance; router, localnet, localport, virtual, external, … */
  readonly type: string;
  /** `MAC IP…`, `unknown`, `router`, `dynamic`. */
  readonly addresses: readonly string[];
  readonly portSecurity: readonly string[];
  /** Unset means true. */
  readonly enabled?: boolean;
  readonly up?: boolean;
  readonly tag?: number;
  readonly parentName?: string;
  /** requested-chassis, router-port, network_name, localnet_learn_fdb, qos_…, … */
  readonly options: Words;
  readonly dhcpv4?: string;
  readonly dhcpv6?: string;
  readonly externalIds: Words;
}

/** NB Logical_Switch: `neutron-<network id>`. */
export interface Switch extends Row {
  readonly name: string;
  readonly ports: readonly string[];
  readonly acls: readonly string[];
  readonly qosRules: readonly string[];
  readonly loadBalancers: readonly string[];
  readonly otherConfig: Words;
  readonly externalIds: Words;
}

/** NB ACL; unset direction never occurs. `owner` is the port group or switch it was found on. */
export interface Acl extends Row {
  readonly owner: string;
  readonly direction: 'from-lport' | 'to-lport';
  readonly priority: number;
  readonly match: string;
  /** allow, allow-related, allow-stateless, drop, reject, pass. */
  readonly action: string;
  readonly tier?: number;
  readonly externalIds: Words;
}

/** NB Port_Group: `pg_<security group id with _ for ->`, `neutron_pg_drop`, or a stranger's. */
export interface PortGroup extends Row {
  readonly name: string;
  /** UUIDs of switch ports. */
  readonly ports: readonly string[];
  readonly acls: readonly Acl[];
  readonly externalIds: Words;
}

/** NB DHCP_Options. */
export interface DhcpOptions extends Row {
  readonly cidr: string;
  readonly options: Words;
  readonly externalIds: Words;
}

/** NB Gateway_Chassis, or a member of an HA_Chassis_Group: by the chassis' name (system-id). */
export interface GatewayCandidate {
  readonly chassis: string;
  readonly priority: number;
}

/** NB Logical_Router_Port: `lrp-<port id>`. */
export interface RouterPort extends Row {
  readonly name: string;
  readonly mac: string;
  readonly networks: readonly string[];
  readonly enabled?: boolean;
  readonly peer?: string;
  readonly options: Words;
  readonly ipv6RaConfigs: Words;
  /** Highest priority first. */
  readonly candidates: readonly GatewayCandidate[];
  readonly externalIds: Words;
}

/** NB NAT. */
export interface Nat extends Row {
  readonly type: 'snat' | 'dnat' | 'dnat_and_snat';
  readonly externalIp: string;
  readonly logicalIp: string;
  /** Both set: a floating address that the instance's own chassis answers for. */
  readonly externalMac?: string;
  readonly logicalPort?: string;
  /** Address sets of ends that it does not hold for, or that alone it holds for. */
  readonly exemptedExtIps?: string;
  readonly allowedExtIps?: string;
  readonly options: Words;
  readonly externalIds: Words;
}

/** NB Logical_Router_Static_Route. */
export interface StaticRoute extends Row {
  readonly prefix: string;
  /** An address, or `discard`. */
  readonly nexthop: string;
  readonly outputPort?: string;
  readonly policy: 'dst-ip' | 'src-ip';
  readonly routeTable: string;
  readonly options: Words;
  readonly externalIds: Words;
}

/** NB Logical_Router_Policy. */
export interface RouterPolicy extends Row {
  readonly priority: number;
  readonly match: string;
  /** allow, drop, reroute. */
  readonly action: string;
  readonly nexthops: readonly string[];
  readonly externalIds: Words;
}

/** NB Logical_Router: `neutron-<router id>`, with what hangs on it. */
export interface LogicalRouter extends Row {
  readonly name: string;
  readonly enabled?: boolean;
  readonly options: Words;
  readonly ports: readonly RouterPort[];
  readonly nat: readonly Nat[];
  readonly routes: readonly StaticRoute[];
  readonly policies: readonly RouterPolicy[];
  readonly externalIds: Words;
}

/** How far a change of Neutron's has come: NB_Global. Counters; timestamps in ms since the epoch, 0 when never. */
export interface Progress {
  readonly nbCfg: number;
  readonly nbAt: number;
  readonly sbCfg: number;
  readonly sbAt: number;
  readonly hvCfg: number;
  readonly hvAt: number;
  readonly options: Words;
}

/** What the NB has of one port and all it leans on. Undefined: there is no such row. */
export interface LogicalView {
  readonly port: SwitchPort | undefined;
  readonly lswitch: Switch | undefined;
  /** Other ports of the switch that serve it: router, localnet, localport. */
  readonly servicePorts: readonly SwitchPort[];
  /** Every port group that the port is in, Neutron's and strangers'. */
  readonly portGroups: readonly PortGroup[];
  /** The groups that Neutron's security groups stand for, whether the port is in them or not, by name. */
  readonly securityGroups: ReadonlyMap<string, PortGroup | undefined>;
  readonly switchAcls: readonly Acl[];
  /** The rows that the port names, and those of its subnets. */
  readonly dhcp: readonly DhcpOptions[];
  /** Routers that serve the port by Neutron's word, by router id; undefined: no such row. */
  readonly routers: ReadonlyMap<string, LogicalRouter | undefined>;
  /** Switches of those routers' external networks, by network id, with their localnet ports. */
  readonly outside: ReadonlyMap<
    string,
    { readonly lswitch: Switch | undefined; readonly localnets: readonly SwitchPort[] }
  >;
  readonly progress: Progress;
}

/** SB Encap. */
export interface Encap {
  readonly type: string;
  readonly ip: string;
  readonly options: Words;
}

/** SB Chassis with its Chassis_Private. */
export interface Chassis extends Row {
  /** system-id of the node. */
  readonly name: string;
  readonly hostname: string;
  readonly encaps: readonly Encap[];
  /** Chassis that share none have no tunnel between them; those in none have one to each other. */
  readonly transportZones: readonly string[];
  /** ovn-bridge-mappings, ovn-cms-options, datapath-type, …: of other_config, or of external_ids before OVN 20.09. */
  readonly config: Words;
  /** Last change that the chassis has answered, and when (ms since the epoch). */
  readonly nbCfg?: number;
  readonly nbCfgAt?: number;
  /** The same of the metadata agent beside it; absent where none has ever spoken. */
  readonly metadataCfg?: number;
}

/** SB Port_Binding. Chassis by UUID. */
export interface PortBinding extends Row {
  readonly logicalPort: string;
  /** Empty for an instance; patch, chassisredirect, l3gateway, localnet, localport, virtual, remote, … */
  readonly type: string;
  readonly datapath: string;
  readonly tunnelKey: number;
  readonly mac: readonly string[];
  readonly portSecurity: readonly string[];
  readonly chassis?: string;
  readonly requestedChassis?: string;
  readonly additionalChassis: readonly string[];
  readonly up?: boolean;
  readonly options: Words;
  readonly natAddresses: readonly string[];
  readonly externalIds: Words;
}

/** SB Datapath_Binding. */
export interface Datapath extends Row {
  readonly tunnelKey: number;
  /** NB UUID of its switch or router. */
  readonly of: { readonly kind: 'switch' | 'router'; readonly uuid: string };
  readonly externalIds: Words;
}

/** SB BFD of a logical port (not the tunnels' BFD, which is each node's OVS). */
export interface LogicalBfd extends Row {
  readonly logicalPort: string;
  readonly destination: string;
  readonly status: string;
}

/** SB MAC_Binding: what a router has learnt of its neighbours. */
export interface MacBinding extends Row {
  readonly logicalPort: string;
  readonly ip: string;
  readonly mac: string;
  readonly datapath: string;
}

/** What the SB has of one port and all it leans on. */
export interface SouthView {
  /** By logical port: the port, its switch's service ports, its routers' ports and their `cr-` twins, the outside's localnets. */
  readonly bindings: ReadonlyMap<string, PortBinding>;
  /** Every binding of the port's own name: two datapaths may hold one. */
  readonly datapaths: ReadonlyMap<string, Datapath>;
  readonly chassis: readonly Chassis[];
  readonly bfd: readonly LogicalBfd[];
  /** Of the routers' gateway ports. */
  readonly macBindings: readonly MacBinding[];
  readonly nbCfg: number;
  readonly options: Words;
}

/** A tunnel port of a chassis' integration bridge: made by ovn-controller, one per other chassis. */
export interface TunnelPort {
  readonly name: string;
  readonly type: string;
  readonly remoteIp: string;
  readonly localIp?: string;
  /** `ovn-chassis-id` of external_ids: the far chassis' name, perhaps with `@encap-ip`. */
  readonly chassis: string;
  readonly ofport?: number;
  readonly error?: string;
  /** BFD between gateways, where it runs: up, down, admin_down, init. */
  readonly bfd?: string;
  readonly statistics: ReadonlyMap<string, number>;
}

/** A node as a chassis: what its own Open vSwitch and ovn-controller say. */
export interface ChassisView {
  readonly host: string;
  readonly systemId: string | undefined;
  readonly hostname: string | undefined;
  /** Remotes of the SB as configured. */
  readonly remote: string | undefined;
  readonly encapTypes: readonly string[];
  readonly encapIps: readonly string[];
  readonly bridgeMappings: ReadonlyMap<string, string>;
  readonly integrationBridge: string;
  readonly settings: Words;
  readonly tunnels: readonly TunnelPort[];
  /** `ovn-appctl connection-status`; undefined: ovn-controller does not answer. */
  readonly connection: string | undefined;
  readonly controllerVersion: string | undefined;
}
