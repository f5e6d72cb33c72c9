import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import { err } from '../engine/result.ts';
import { parseArping } from '../nodes/parse/arping.ts';
import { parseFdb } from '../nodes/parse/fdb.ts';
import { parseFlows } from '../nodes/parse/flows.ts';
import { parseOvsFdb } from '../nodes/parse/ovs-appctl.ts';
import { namespaceName, parseAddress, sameMac } from '../path/addresses.ts';
import { agents } from './cloud-api.ts';
import { hostOvs } from './host.ts';
import { probesOff, read, run, type Store, showing, source } from './io.ts';
import { nsExists } from './namespace.ts';
import { pathHosts, placement } from './placement.ts';
import { dhcpHosts } from './port-api.ts';
import { type PortSubject, theCloud } from './subject.ts';

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
    if (!facts.io.options.mayProbe) return err(probesOff);
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

/** Where a MAC address was last seen: on which port of which host, and whether Neutron knows that port. */
export interface Seen {
  readonly host: string;
  readonly device: string;
  readonly bridge: string;
  readonly by: 'ovs' | 'linux';
  /** A port of Neutron's own has its id in OVSDB, or a device named after it. */
  readonly ofNeutron: boolean;
  readonly evidence: Evidence;
}

const neutronDevice = /^(?:tap|qvo|qvb|qr-|qg-|ns-|sg-|vxlan-|patch-|int-|phy-)/;

/** Follows a MAC address from a host's bridge over the tunnel to the host and the port where it was learned; only where it is strange. */
async function whereSeen(facts: Store, from: string, mac: string, hops = 0): Promise<Seen | undefined> {
  const ovs = await facts.get(hostOvs, from);
  const bridges = ovs.ok ? ovs.value.value.bridges : [];
  for (const bridge of bridges) {
    const table = await read(
      facts,
      from,
      { argv: ['ovs-appctl', '--timeout=5', 'fdb/show', bridge.name], impact: 'read', become: true },
      parseOvsFdb,
    );
    if (!table.ok) continue;
    const entry = table.value.value.find((e) => sameMac(e.mac, mac));
    const faces = bridge.ports.flatMap((p) => p.interfaces);
    const face = faces.find((i) => String(i.ofport ?? '') === entry?.port);
    if (entry === undefined || face === undefined || face.type === 'patch') continue;
    const [evidence] = table.value.evidence;
    if (evidence === undefined) continue;
    return {
      host: from,
      device: face.name,
      bridge: bridge.name,
      by: 'ovs',
      ofNeutron: face.externalIds.has('iface-id') || neutronDevice.test(face.name),
      evidence: showing(evidence, `${face.name} (port ${entry.port}) VLAN ${entry.vlan} MAC ${entry.mac}`),
    };
  }
  const tunnel = bridges.find((b) => b.ports.some((p) => p.interfaces.some((i) => i.options.has('remote_ip'))));
  if (tunnel !== undefined) {
    const flows = await read(
      facts,
      from,
      {
        argv: ['ovs-ofctl', '--timeout=5', 'dump-flows', tunnel.name],
        impact: 'read',
        become: true,
        round: 'claims',
      },
      parseFlows,
    );
    const out = (flows.ok ? flows.value.value : [])
      .filter((f) => f.match.dl_dst !== undefined && sameMac(f.match.dl_dst, mac))
      .flatMap((f) => /output:"?([\w-]+)"?/.exec(f.actions)?.[1] ?? []);
    const end = tunnel.ports
      .flatMap((p) => p.interfaces)
      .find((i) => out.includes(String(i.ofport ?? '')) || out.includes(i.name));
    const list = await facts.get(agents, theCloud);
    const there = (list.ok ? list.value.value : []).find(
      (a) => a.configurations?.tunneling_ip === end?.options.get('remote_ip') && end !== undefined,
    );
    return there === undefined || hops > 0 ? undefined : whereSeen(facts, there.host, mac, hops + 1);
  }
  const fdb = await read(
    facts,
    from,
    { argv: ['bridge', '-j', 'fdb', 'show'], impact: 'read', round: 'claims' },
    parseFdb,
  );
  const entry = fdb.ok ? fdb.value.value.find((e) => sameMac(e.mac, mac) && e.dst === undefined) : undefined;
  const [evidence] = fdb.ok ? fdb.value.evidence : [];
  if (entry?.master === undefined || evidence === undefined || entry.dev.startsWith('vxlan-')) return undefined;
  return {
    host: from,
    device: entry.dev,
    bridge: entry.master,
    by: 'linux',
    ofNeutron: neutronDevice.test(entry.dev),
    evidence: showing(evidence, `${mac} dev ${entry.dev} master ${entry.master}`),
  };
}

/** A claim by a MAC that is not the port's. */
export interface ForeignClaim {
  readonly claim: Claim;
  readonly mac: string;
  readonly seen: Seen | undefined;
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
    const hosts = await facts.get(pathHosts, subject);
    const found = await Promise.all(
      strange.map(async ({ claim, mac }): Promise<ForeignClaim> => {
        for (const host of new Set([claim.host, ...(hosts.ok ? hosts.value.value.all : [])])) {
          const seen = await whereSeen(facts, host, mac);
          if (seen !== undefined) return { claim, mac, seen };
        }
        return { claim, mac, seen: undefined };
      }),
    );
    return observed(found, ...heard.value.evidence);
  },
);
