import type { BackendName } from '../../engine/backend-name.ts';
import type { Hop } from '../hop.ts';

/** What a backend is told of a port: API fields, in our words. */
export interface BoundPort {
  readonly id: string;
  readonly mac: string;
  readonly vifType: string | undefined;
  readonly vnicType: string | undefined;
  readonly hybridPlug: boolean;
  /** Mechanism drivers that bound it, outermost first (`bound_drivers` of vif_details). */
  readonly drivers: readonly string[];
  /** Integration bridge, where the binding names it. */
  readonly bridgeName: string | undefined;
}

export interface Segment {
  readonly networkId: string;
  readonly networkName: string;
  /** vxlan, gre, geneve, vlan, flat, local. */
  readonly type: string | undefined;
  readonly id: number | undefined;
  readonly physicalNetwork: string | undefined;
}

/** A device the backend promises to have made on the host of a port, and where it belongs. */
export interface ExpectedDevice {
  readonly name: string;
  readonly role: 'tap' | 'bridge' | 'bridge-end' | 'switch-end' | 'segment';
  /** The bridge it must be plugged into. */
  readonly in?: { readonly bridge: string; readonly driver: 'linux' | 'ovs' };
}

/** How packets of a tunnelled segment leave a host. */
export interface TunnelShape {
  readonly kind: 'vxlan' | 'gre' | 'geneve';
  /** A kernel device per segment, or a port per peer on an OVS bridge. */
  readonly by: { readonly kind: 'device'; readonly device: string } | { readonly kind: 'ovs'; readonly bridge: string };
}

export type AgentRole = 'compute' | 'network';

/**
 * Given a port bound on a host: which devices it has, where they belong, how a packet gets to the next host.
 * Pure. Three families are held: agents with namespaces (linuxbridge, OVS), OVN, and routed /32 endpoints.
 */
export interface Backend {
  readonly name: BackendName;
  readonly title: string;
  readonly family: 'agents' | 'ovn' | 'routed';
  /** Who enforces security groups, and so where to look for their rules. */
  readonly firewall: 'iptables' | 'ovs-flows' | 'ovn-acl' | 'none';
  /** Binaries (Neutron's agent API) that must run on a host in this role. */
  agents(role: AgentRole): readonly string[];
  /** `l2Binaries`: binaries of the L2 agents on the port's host, for ports whose binding says nothing. */
  recognises(port: BoundPort, l2Binaries: readonly string[]): boolean;
  /** Devices of an instance's port on its compute host. */
  attachment(port: BoundPort, segment: Segment): readonly ExpectedDevice[];
  /** Devices, outside the namespace, of a DHCP or router port on its network host. */
  serviceAttachment(portId: string, owner: 'dhcp' | 'router', segment: Segment): readonly ExpectedDevice[];
  /** Device inside the namespace. */
  serviceDevice(portId: string, owner: 'dhcp' | 'router' | 'gateway'): string;
  tunnel(segment: Segment): TunnelShape | undefined;
  /** Hops on the compute host, guest first. */
  hops(port: BoundPort, segment: Segment, host: string): readonly Hop[];
}
