import { observed } from '../engine/fact.ts';
import { err } from '../engine/result.ts';
import type { TunnelShape } from '../path/backends/backend.ts';
import { agents } from './cloud-api.ts';
import { source } from './io.ts';
import { pathHosts, placement } from './placement.ts';
import { servicePorts } from './port-api.ts';
import type { Agent, Port } from './schemas/network.ts';
import { type PortSubject, theCloud } from './subject.ts';

/** The compute host and one other host of the path, joined by the segment's tunnel. */
export interface TunnelLink {
  readonly compute: string;
  readonly peer: string;
  /** Tunnel endpoint addresses, as the agents report them. */
  readonly computeEndpoint: string;
  readonly peerEndpoint: string;
  /** Neutron's own ports (DHCP, router) of the network on the peer. */
  readonly peerPorts: readonly Port[];
  /** Devices of a port of an instance there; of Neutron's own ports when left out. */
  readonly peerDevices?: readonly string[];
}

export interface Tunnels {
  readonly shape: TunnelShape;
  readonly links: readonly TunnelLink[];
  /** Hosts of the path whose agent reports no endpoint. */
  readonly without: readonly string[];
}

/** The tunnel endpoint that the agents of a host report. */
export const endpointOf = (list: readonly Agent[], host: string): string | undefined =>
  list.find((a) => a.host === host && a.configurations?.tunneling_ip)?.configurations?.tunneling_ip ?? undefined;

/** Tunnels between the instance's host and the hosts of its DHCP servers and routers. */
export const tunnels = source<PortSubject, Tunnels>(
  'port.tunnels',
  (subject) => subject.id,
  async (subject, facts) => {
    const [place, hosts, list, service] = await Promise.all([
      facts.get(placement, subject),
      facts.get(pathHosts, subject),
      facts.get(agents, theCloud),
      facts.get(servicePorts, subject),
    ]);
    if (!place.ok) return place;
    if (!hosts.ok) return hosts;
    if (!list.ok) return list;
    if (!service.ok) return service;
    const { backend, segment, host } = place.value.value;
    const shape = backend.tunnel(segment);
    if (shape === undefined)
      return err({
        kind: 'unsupported',
        because: `network ${segment.networkName} is ${segment.type ?? 'of a hidden type'}: no tunnel`,
      });
    const peers = hosts.value.value.all.filter((h) => h !== host);
    if (peers.length === 0)
      return err({ kind: 'unsupported', because: 'every host of the path is the same: no tunnel in between' });
    const computeEndpoint = endpointOf(list.value.value, host);
    const links = peers.flatMap((peer): TunnelLink[] => {
      const peerEndpoint = endpointOf(list.value.value, peer);
      if (computeEndpoint === undefined || peerEndpoint === undefined) return [];
      const peerPorts = service.value.value.filter((p) => p['binding:host_id'] === peer);
      return [{ compute: host, peer, computeEndpoint, peerEndpoint, peerPorts }];
    });
    const without = [host, ...peers].filter((h) => endpointOf(list.value.value, h) === undefined);
    return observed({ shape, links, without }, ...list.value.evidence);
  },
);
