import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import { err } from '../engine/result.ts';
import { parseArping } from '../nodes/parse/arping.ts';
import { namespaceName, parseAddress, sameMac } from '../path/addresses.ts';
import { bridgeFlows, hostOvs } from './host.ts';
import { run, type Store, showing, source } from './io.ts';
import { nsExists } from './namespace.ts';
import { placement } from './placement.ts';
import { dhcpHosts } from './port-api.ts';
import type { PortSubject } from './subject.ts';
import { tunnels } from './tunnel.ts';

/** Who answers ARP for a fixed address of the port, asked from within its network. */
export interface Claim {
  readonly address: string;
  readonly host: string;
  readonly netns: string;
  readonly device: string;
  readonly macs: readonly string[];
  readonly evidence: Evidence;
}

/**
 * Asks from every DHCP namespace of the network who has the port's addresses. Two requests by broadcast within a second (arping(8):
 * with a deadline it waits for as many answers): of two stations that claim an address, both are heard.
 */
export const claims = source<PortSubject, readonly Claim[]>(
  'port.claims',
  (subject) => subject.id,
  async (subject, facts) => {
    if (!facts.io.options.mayProbe) return err({ kind: 'unsupported', because: 'probes are off (--no-probe)' });
    const [hosts, place] = await Promise.all([facts.get(dhcpHosts, subject), facts.get(placement, subject)]);
    if (!hosts.ok) return hosts;
    if (!place.ok) return place;
    const netns = namespaceName('qdhcp', subject.port.value.network_id);
    const addresses = subject.port.value.fixed_ips
      .map((f) => f.ip_address)
      .filter((address) => parseAddress(address)?.family === 4);
    const found = await Promise.all(
      hosts.value.value.flatMap(({ host, port }) =>
        addresses.map(async (address): Promise<Claim | undefined> => {
          const there = await facts.get(nsExists, { host, name: netns });
          if (port === undefined || !there.ok || !there.value.value) return undefined;
          const device = place.value.value.backend.serviceDevice(port.id, 'dhcp');
          const ran = await run(facts, host, {
            argv: ['arping', '-b', '-c', '2', '-w', '1', '-I', device, address],
            impact: 'probe',
            netns,
            parallel: true,
            timeoutSeconds: 5,
          });
          if (!ran.ok) return undefined;
          const parsed = parseArping(ran.value.result.stdout);
          if (!parsed.ok) return undefined;
          const lines = ran.value.result.stdout.split('\n').filter((l) => /reply|Received|received/.test(l));
          return {
            address,
            host,
            netns,
            device,
            macs: parsed.value.macs,
            evidence: showing(ran.value.evidence, lines.slice(0, 5)),
          };
        }),
      ),
    );
    const heard = found.filter((claim) => claim !== undefined);
    if (heard.length === 0) return err({ kind: 'unsupported', because: 'no DHCP namespace could ask by ARP' });
    return observed(heard, ...heard.map((claim) => claim.evidence));
  },
);

/** Where OVS of a host last saw a MAC address: behind which tunnel endpoint. Undefined where the agents' flows do not tell. */
export async function learnedAt(facts: Store, host: string, mac: string): Promise<string | undefined> {
  const [ovs, flows] = await Promise.all([
    facts.get(hostOvs, host),
    facts.get(bridgeFlows, { host, bridge: 'br-tun' }),
  ]);
  if (!ovs.ok || !flows.ok) return undefined;
  const out = flows.value.value
    .filter((f) => f.match.dl_dst !== undefined && sameMac(f.match.dl_dst, mac))
    .flatMap((f) => /output:"?([\w-]+)"?/.exec(f.actions)?.[1] ?? []);
  const ends = ovs.value.value.bridges.flatMap((b) => b.ports.flatMap((p) => p.interfaces));
  return ends.find((i) => out.includes(String(i.ofport ?? '')) || out.includes(i.name))?.options.get('remote_ip');
}

/** Claims by a MAC that is not the port's, with the tunnel endpoint behind which the network host saw it. */
export interface ForeignClaim {
  readonly claim: Claim;
  readonly mac: string;
  readonly behind: string | undefined;
  /** The host of that endpoint, by the agents' word. */
  readonly at: string | undefined;
}

export const foreignClaims = source<PortSubject, readonly ForeignClaim[]>(
  'port.foreign-claims',
  (subject) => subject.id,
  async (subject, facts) => {
    const heard = await facts.get(claims, subject);
    if (!heard.ok) return heard;
    const own = subject.port.value;
    const allowed = [own.mac_address, ...(own.allowed_address_pairs ?? []).flatMap((p) => p.mac_address ?? [])];
    const strange = heard.value.value.flatMap((claim) =>
      claim.macs.filter((mac) => !allowed.some((a) => sameMac(a, mac))).map((mac) => ({ claim, mac })),
    );
    if (strange.length === 0) return observed([], ...heard.value.evidence);
    const links = await facts.get(tunnels, subject);
    const found = await Promise.all(
      strange.map(async ({ claim, mac }): Promise<ForeignClaim> => {
        const behind = await learnedAt(facts, claim.host, mac);
        const link = links.ok ? links.value.value.links.find((l) => l.computeEndpoint === behind) : undefined;
        return { claim, mac, behind, at: link?.compute };
      }),
    );
    return observed(found, ...heard.value.evidence);
  },
);
