import { parseAddress } from '../path/addresses.ts';
import { groupFromApi, portSecurityFromApi } from '../path/secgroup/from-api.ts';
import type { Probe } from '../path/secgroup/model.ts';
import { verdictOf } from '../path/secgroup/verdict.ts';
import type { Store } from './io.ts';
import { resolutions } from './neighbour.ts';
import type { PingRun } from './ping.ts';
import { dhcpHosts, metadataPorts, remoteMembers, securityGroups, servicePorts, servingRouters } from './port-api.ts';
import type { PortSubject } from './subject.ts';

/** An echo request into an instance from an address; without one, from anywhere. */
export const echoInto = (address: string, from: string | undefined): Probe => {
  const family = parseAddress(address)?.family ?? 4;
  return {
    protocol: 'icmp',
    family,
    direction: 'ingress',
    icmpType: family === 4 ? 8 : 128,
    ...(from === undefined ? {} : { remote: from }),
  };
};

/**
 * Tells whether a ping into the instance is unanswered because its security groups let none in: nothing is lost then that
 * anybody wants to find. Where not even ARP is answered the silence has another reason.
 */
export async function orderedSilence(facts: Store, subject: PortSubject): Promise<(run: PingRun) => boolean> {
  const [groups, members, resolved, servers, routers, around] = await Promise.all([
    facts.get(securityGroups, subject),
    facts.get(remoteMembers, subject),
    facts.get(resolutions, subject),
    facts.get(dhcpHosts, subject),
    facts.get(servingRouters, subject),
    facts.get(servicePorts, subject),
  ]);
  const own = subject.port.value;
  const sourceOf = (run: PingRun): string | undefined => {
    const sending =
      run.from === 'qdhcp'
        ? (servers.ok ? servers.value.value : []).flatMap((s) => (s.host === run.host ? (s.port ?? []) : []))
        : run.from === 'qrouter'
          ? (routers.ok ? routers.value.value : []).flatMap((s) => (s.router.id === run.routerId ? s.ports : []))
          : run.from === 'ovnmeta'
            ? metadataPorts(around.ok ? around.value.value : [])
            : [];
    return sending
      .filter((p) => p.network_id === own.network_id)
      .flatMap((p) => p.fixed_ips.map((f) => f.ip_address))
      .find((a) => parseAddress(a)?.family === parseAddress(run.to)?.family);
  };
  return (run) => {
    if (run.ping.received > 0 || !groups.ok) return false;
    const arp = resolved.ok
      ? resolved.value.value.find((r) => r.run.from === run.from && r.run.host === run.host && r.run.to === run.to)
      : undefined;
    if (arp?.arp === 'failed') return false;
    // A floating address is translated before the security groups see the packet.
    const to = run.what === 'floating-ip' ? (own.fixed_ips[0]?.ip_address ?? run.to) : run.to;
    const verdict = verdictOf(
      echoInto(to, sourceOf(run)),
      portSecurityFromApi(own),
      groups.value.value.map(groupFromApi),
      (id) => (members.ok ? members.value.value.get(id) : undefined),
    );
    return verdict.kind === 'denied';
  };
}
