/** The services of OpenStack that the doctor looks for on nodes, by their upstream binary names. */
export const serviceNames = [
  'neutron-server',
  'neutron-linuxbridge-agent',
  'neutron-openvswitch-agent',
  'neutron-l3-agent',
  'neutron-dhcp-agent',
  'neutron-metadata-agent',
  'neutron-ovn-metadata-agent',
  'neutron-sriov-nic-agent',
  'nova-compute',
  'nova-scheduler',
  'nova-conductor',
  'nova-api',
  'nova-api-metadata',
  'libvirtd',
  'ovs-vswitchd',
  'ovsdb-server',
  'ovn-controller',
  'ovn-northd',
  'ovn-ovsdb-server-nb',
  'ovn-ovsdb-server-sb',
] as const;
export type ServiceName = (typeof serviceNames)[number];

export const isServiceName = (word: string): word is ServiceName => serviceNames.some((name) => name === word);

/** How a service's log is read on this node: a set of files, or a journal unit. */
export type LogPlace =
  | { readonly kind: 'files'; readonly paths: readonly string[] }
  | { readonly kind: 'journal'; readonly unit: string };

/** What is known of one service on one node. */
export interface ServiceState {
  readonly service: ServiceName;
  /** systemd unit or container name, as the operator would type it. */
  readonly unit: string;
  readonly state: 'active' | 'inactive' | 'failed' | 'activating' | 'absent';
  /** Main process, when it runs. */
  readonly pid?: number;
  /** ISO 8601 of the last change to this state. */
  readonly since?: string;
  readonly detail: string;
}

/** How services look on a node. One file per layout; pure: commands as data, parsers of their outputs. */
export interface Layout {
  readonly name: 'systemd' | 'kolla' | 'tripleo' | 'devstack';
  /** One command that tells the state of all these services at once. */
  statusCommand(services: readonly ServiceName[]): readonly [string, ...string[]];
  parseStatus(stdout: string, services: readonly ServiceName[]): readonly ServiceState[];
  logPlace(service: ServiceName): LogPlace;
  /** The command an operator types on this node to restart the service. */
  restart(service: ServiceName): readonly [string, ...string[]];
  /** Prefix that runs a command where the service's files and tools are (a container), or nothing. */
  within(service: ServiceName): readonly string[];
}
