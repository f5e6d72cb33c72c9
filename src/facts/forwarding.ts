import type { Evidence } from '../engine/evidence.ts';
import { type FactResult, observed } from '../engine/fact.ts';
import type { FactFailure } from '../engine/failure.ts';
import { err, ok, type Result } from '../engine/result.ts';
import { flowOutputs } from '../nodes/parse/flows.ts';
import { sameMac } from '../path/addresses.ts';
import { bridgeFlows, hostFdb, hostLinks, hostOvs } from './host.ts';
import { type Store, source } from './io.ts';
import { type Placement, placement } from './placement.ts';
import type { PortSubject } from './subject.ts';
import { type TunnelLink, type Tunnels, tunnels } from './tunnel.ts';

/** What one host has to send packets of the segment to another host of the path. */
export interface Forwarding {
  readonly from: string;
  readonly to: string;
  /** Endpoint the packets must be sent to. */
  readonly endpoint: string;
  /** Is there a tunnel towards that endpoint at all. */
  readonly way: { readonly exists: boolean; readonly words: string };
  /** Do broadcasts of the network go there. */
  readonly flood: boolean;
  /** Where the unicast entry of each MAC leads: an endpoint, or undefined when there is none. */
  readonly entries: readonly { readonly mac: string; readonly leadsTo: string | undefined }[];
  readonly evidence: Evidence;
  readonly lines: readonly string[];
}

/** Tables of br-tun (neutron_lib ovs_constants UCAST_TO_TUN, FLOOD_TO_TUN). */
const unicastTable = 20;
const floodTable = 22;

type Look = Result<Forwarding, FactFailure>;
interface Want {
  readonly from: string;
  readonly to: string;
  readonly endpoint: string;
  readonly macs: readonly string[];
}

async function byDevice(facts: Store, want: Want, device: string): Promise<Look> {
  const [fdb, links] = await Promise.all([facts.get(hostFdb, want.from), facts.get(hostLinks, want.from)]);
  if (!fdb.ok) return fdb;
  if (!links.ok) return links;
  const [evidence] = fdb.value.evidence;
  const link = links.value.value.find((l) => l.name === device);
  if (evidence === undefined) return err({ kind: 'unsupported', because: 'no forwarding table' });
  const own = fdb.value.value.filter((e) => e.dev === device && e.self && e.dst !== undefined);
  const zero = '00:00:00:00:00:00';
  return ok({
    from: want.from,
    to: want.to,
    endpoint: want.endpoint,
    way: { exists: link !== undefined, words: `${device} is missing` },
    // With a multicast group broadcasts need no entry of their own.
    flood: link?.vxlan?.group !== undefined || own.some((e) => e.mac === zero && e.dst === want.endpoint),
    entries: want.macs.map((mac) => ({ mac, leadsTo: own.find((e) => sameMac(e.mac, mac))?.dst })),
    evidence,
    lines: own.map((e) => `${e.mac} dev ${e.dev} dst ${e.dst ?? ''}`).slice(0, 12),
  });
}

async function byOvs(facts: Store, want: Want, bridge: string, kind: string, vlan: number | undefined): Promise<Look> {
  const [ovs, flows] = await Promise.all([
    facts.get(hostOvs, want.from),
    facts.get(bridgeFlows, { host: want.from, bridge }),
  ]);
  if (!ovs.ok) return ovs;
  if (!flows.ok) return flows;
  const [evidence] = flows.value.evidence;
  if (evidence === undefined) return err({ kind: 'unsupported', because: 'no flows' });
  const ends = (ovs.value.value.bridges.find((b) => b.name === bridge)?.ports ?? [])
    .flatMap((p) => p.interfaces)
    .filter((i) => i.type === kind);
  const remoteOf = new Map<string, string>();
  for (const end of ends) {
    const remote = end.options.get('remote_ip');
    if (remote === undefined) continue;
    remoteOf.set(end.name, remote);
    if (end.ofport !== undefined) remoteOf.set(String(end.ofport), remote);
  }
  const leads = (outputs: readonly string[]): string[] => outputs.flatMap((o) => remoteOf.get(o) ?? []);
  const here = (f: { match: Readonly<Record<string, string>> }): boolean =>
    vlan === undefined || Number(f.match.dl_vlan ?? vlan) === vlan;
  const unicast = flows.value.value.filter((f) => f.table === unicastTable && here(f) && f.match.dl_dst !== undefined);
  const floods = flows.value.value.filter((f) => f.table === floodTable && here(f) && f.match.dl_vlan !== undefined);
  const shown = [...unicast.filter((f) => want.macs.some((m) => sameMac(f.match.dl_dst ?? '', m))), ...floods];
  return ok({
    from: want.from,
    to: want.to,
    endpoint: want.endpoint,
    way: {
      exists: [...remoteOf.values()].includes(want.endpoint),
      words: `no ${kind} port of ${bridge} with remote_ip ${want.endpoint}`,
    },
    flood: floods.some((f) => leads(flowOutputs(f)).includes(want.endpoint)),
    entries: want.macs.map((mac) => ({
      mac,
      leadsTo: leads(unicast.filter((f) => sameMac(f.match.dl_dst ?? '', mac)).flatMap((f) => flowOutputs(f)))[0],
    })),
    evidence,
    lines: shown.map((f) => `table ${f.table} ${f.raw}`).slice(0, 8),
  });
}

export interface Forwardings {
  readonly ways: readonly Forwarding[];
  readonly unseen: readonly FactFailure[];
}

/** Both directions between the instance's host and every other host of the path. */
export const forwardings = source<PortSubject, Forwardings>(
  'port.forwardings',
  (subject) => subject.id,
  async (subject, facts) => {
    const [place, found] = await Promise.all([facts.get(placement, subject), facts.get(tunnels, subject)]);
    if (!place.ok) return place;
    if (!found.ok) return found;
    return waysOf(facts, subject, place.value.value, found.value.value.shape, found.value.value.links);
  },
);

/** Both directions of each link, for a port on its first host. */
export async function waysOf(
  facts: Store,
  subject: PortSubject,
  { backend, bound, segment }: Placement,
  shape: Tunnels['shape'],
  links: readonly TunnelLink[],
): Promise<FactResult<Forwardings>> {
  const mac = subject.port.value.mac_address;
  const tagOn = async (host: string, link: TunnelLink): Promise<number | undefined> => {
    const ovs = await facts.get(hostOvs, host);
    if (!ovs.ok) return undefined;
    const names =
      host === link.compute
        ? backend.attachment(bound, segment).map((d) => d.name)
        : (link.peerDevices ??
          link.peerPorts.map((p) =>
            backend.serviceDevice(p.id, p.device_owner === 'network:dhcp' ? 'dhcp' : 'router'),
          ));
    const tag = ovs.value.value.bridges.flatMap((b) => b.ports).find((p) => names.includes(p.name))?.tag;
    return tag !== undefined && tag < 4095 ? tag : undefined;
  };
  const looks = await Promise.all(
    links.flatMap((link) => {
      const wants: Want[] = [
        { from: link.peer, to: link.compute, endpoint: link.computeEndpoint, macs: [mac] },
        {
          from: link.compute,
          to: link.peer,
          endpoint: link.peerEndpoint,
          macs: link.peerPorts.map((p) => p.mac_address),
        },
      ];
      return wants.map(
        async (want): Promise<Look> =>
          shape.by.kind === 'device'
            ? byDevice(facts, want, shape.by.device)
            : byOvs(facts, want, shape.by.bridge, shape.kind, await tagOn(want.from, link)),
      );
    }),
  );
  const ways = looks.flatMap((l) => (l.ok ? [l.value] : []));
  return observed({ ways, unseen: looks.flatMap((l) => (l.ok ? [] : [l.error])) }, ...ways.map((w) => w.evidence));
}
