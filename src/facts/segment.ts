import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import { err } from '../engine/result.ts';
import { flowTunnelId, flowVlan } from '../nodes/parse/flows.ts';
import { bridgeFlows, hostLinks, hostOvs } from './host.ts';
import { type Store, source } from './io.ts';
import { placement } from './placement.ts';
import type { PortSubject } from './subject.ts';
import { tunnels } from './tunnel.ts';

/** What Neutron orders of a host's end of the segment, beside what the host has. */
export interface SegmentDifference {
  readonly host: string;
  readonly peers: readonly string[];
  /** The thing on the node: `vxlan-388`, `br-tun table 4`. */
  readonly what: string;
  readonly ordered: string;
  readonly actual: string;
  /** Device that must go before the agent makes it anew. */
  readonly device?: string;
  readonly evidence: Evidence;
  readonly lines: readonly string[];
}

export interface SegmentOnHosts {
  readonly differences: readonly SegmentDifference[];
  /** Hosts that could be compared. */
  readonly compared: readonly string[];
}

/** br-tun's tables that take packets of a tunnel into a local VLAN (neutron_lib ovs_constants GRE_, VXLAN_, GENEVE_TUN_TO_LV). */
const intoLocal: ReadonlySet<number> = new Set([3, 4, 6]);
const flood = 22;

type Want = {
  readonly host: string;
  readonly peers: readonly string[];
  readonly vni: number;
  readonly endpoint: string;
};

async function byDevice(facts: Store, want: Want, device: string): Promise<SegmentDifference[] | undefined> {
  const links = await facts.get(hostLinks, want.host);
  const [evidence] = links.ok ? links.value.evidence : [];
  const vxlan = links.ok ? links.value.value.find((l) => l.name === device)?.vxlan : undefined;
  if (vxlan === undefined || evidence === undefined) return undefined;
  const base = { host: want.host, peers: want.peers, what: device, device, evidence };
  const line = `${device}: vxlan id ${vxlan.vni ?? '?'} local ${vxlan.local ?? '-'} dev ${vxlan.dev ?? '-'} dstport ${vxlan.port}`;
  const found: SegmentDifference[] = [];
  if (vxlan.vni !== undefined && vxlan.vni !== want.vni)
    found.push({ ...base, ordered: `VNI ${want.vni}`, actual: `VNI ${vxlan.vni}`, lines: [line] });
  if (vxlan.local !== undefined && vxlan.local !== want.endpoint)
    found.push({ ...base, ordered: `local ${want.endpoint}`, actual: `local ${vxlan.local}`, lines: [line] });
  return found;
}

async function byFlows(
  facts: Store,
  want: Want,
  bridge: string,
  networkId: string,
): Promise<SegmentDifference[] | undefined> {
  const [ovs, flows] = await Promise.all([
    facts.get(hostOvs, want.host),
    facts.get(bridgeFlows, { host: want.host, bridge }),
  ]);
  if (!ovs.ok || !flows.ok) return undefined;
  const [evidence] = flows.value.evidence;
  const ports = ovs.value.value.bridges.flatMap((b) => b.ports);
  // The agent's own record of the network's local VLAN; a port's tag may be what is wrong.
  const tags = new Set(
    ports.filter((p) => p.otherConfig.get('net_uuid') === networkId).map((p) => Number(p.otherConfig.get('tag'))),
  );
  const [tag] = [...tags].filter((t) => Number.isInteger(t) && t > 0 && t < 4095);
  if (tag === undefined || tags.size !== 1 || evidence === undefined) return undefined;
  const base = { host: want.host, peers: want.peers, evidence };
  const found: SegmentDifference[] = [];
  const inwards = flows.value.value.filter(
    (f) => intoLocal.has(f.table) && flowVlan(f) === tag && f.match.tun_id !== undefined,
  );
  const wrongIn = inwards.filter((f) => flowTunnelId(f) !== want.vni);
  const [strayed] = wrongIn;
  if (inwards.length > 0 && wrongIn.length === inwards.length && strayed !== undefined) {
    found.push({
      ...base,
      what: `${bridge} table ${strayed.table}`,
      ordered: `tunnel id ${want.vni} into local VLAN ${tag}`,
      actual: `tunnel id ${flowTunnelId(strayed) ?? '?'} into local VLAN ${tag}`,
      lines: wrongIn.slice(0, 4).map((f) => f.raw),
    });
  }
  const anyInwards = flows.value.value.some((f) => intoLocal.has(f.table) && f.match.tun_id !== undefined);
  if (inwards.length === 0 && flows.value.value.length > 0) {
    found.push({
      ...base,
      what: `${bridge} table 4`,
      ordered: `tunnel id ${want.vni} into local VLAN ${tag}`,
      actual: 'no such flow',
      lines: anyInwards
        ? flows.value.value
            .filter((f) => intoLocal.has(f.table))
            .slice(0, 4)
            .map((f) => f.raw)
        : [`${flows.value.value.length} flows, none of them takes a tunnel id into a local VLAN`],
    });
  }
  const outwards = flows.value.value.filter(
    (f) => f.table === flood && Number(f.match.dl_vlan) === tag && flowTunnelId(f) !== undefined,
  );
  const wrongOut = outwards.filter((f) => flowTunnelId(f) !== want.vni);
  const [lost] = wrongOut;
  if (lost !== undefined && wrongOut.length === outwards.length) {
    found.push({
      ...base,
      what: `${bridge} table ${flood}`,
      ordered: `local VLAN ${tag} into tunnel id ${want.vni}`,
      actual: `into tunnel id ${flowTunnelId(lost) ?? '?'}`,
      lines: wrongOut.slice(0, 4).map((f) => f.raw),
    });
  }
  const local = ports
    .flatMap((p) => p.interfaces)
    .find(
      (i) => i.options.get('remote_ip') !== undefined && (i.options.get('local_ip') ?? want.endpoint) !== want.endpoint,
    );
  if (local !== undefined) {
    found.push({
      ...base,
      what: `${local.name}@${want.host}`,
      ordered: `local_ip ${want.endpoint}`,
      actual: `local_ip ${local.options.get('local_ip') ?? ''}`,
      lines: [
        `${local.name}: local_ip ${local.options.get('local_ip') ?? ''}, remote_ip ${local.options.get('remote_ip') ?? ''}`,
      ],
    });
  }
  return found;
}

/** The segment on both ends of every tunnel of the path, against provider:segmentation_id and the agents' endpoints. */
export const segmentOnHosts = source<PortSubject, SegmentOnHosts>(
  'port.segment-on-hosts',
  (subject) => subject.id,
  async (subject, facts) => {
    const [place, found] = await Promise.all([facts.get(placement, subject), facts.get(tunnels, subject)]);
    if (!place.ok) return place;
    if (!found.ok) return found;
    const { segment } = place.value.value;
    const vni = segment.id;
    if (vni === undefined) return err({ kind: 'unsupported', because: 'the API shows no segmentation id' });
    const { shape, links } = found.value.value;
    const wants = new Map<string, Want>();
    for (const link of links) {
      const mine = wants.get(link.compute);
      wants.set(link.compute, {
        host: link.compute,
        peers: [...(mine?.peers ?? []), link.peer],
        vni,
        endpoint: link.computeEndpoint,
      });
      wants.set(link.peer, { host: link.peer, peers: [link.compute], vni, endpoint: link.peerEndpoint });
    }
    const looks = await Promise.all(
      [...wants.values()].map(async (want) => ({
        host: want.host,
        differences:
          shape.by.kind === 'device'
            ? await byDevice(facts, want, shape.by.device)
            : await byFlows(facts, want, shape.by.bridge, segment.networkId),
      })),
    );
    const differences = looks.flatMap((l) => l.differences ?? []);
    return observed(
      { differences, compared: looks.flatMap((l) => (l.differences === undefined ? [] : [l.host])) },
      ...differences.map((d) => d.evidence),
    );
  },
);
