import type { Evidence } from '../../engine/evidence.ts';
import { observed } from '../../engine/fact.ts';
import { err } from '../../engine/result.ts';
import type { InterfaceAddress } from '../../nodes/parse/addresses.ts';
import { metadataPort } from '../../path/ovn/metadata-port.ts';
import type { Controllers } from '../controllers.ts';
import { hostOvs } from '../host.ts';
import { probesOff, source } from '../io.ts';
import { behind, lookAtProxy, type MetadataPath } from '../metadata.ts';
import { nsAddresses } from '../namespace.ts';
import { servicePorts } from '../port-api.ts';
import { computeHostOf, type PortSubject, withoutHost } from '../subject.ts';
import { openVswitch } from './open-vswitch.ts';

/** How the instance's chassis serves metadata to its network. */
export interface ChassisMetadata {
  readonly path: MetadataPath;
  /** The network's metadata port in Neutron; undefined: it has none. */
  readonly portId: string | undefined;
  readonly portAddresses: readonly string[];
  /** Its end on the integration bridge. */
  readonly tap:
    | {
        readonly name: string;
        readonly bridge: string | undefined;
        readonly ifaceId: string | undefined;
        readonly evidence: Evidence;
      }
    | undefined;
  readonly inside: { readonly addresses: readonly InterfaceAddress[]; readonly evidence: Evidence } | undefined;
  readonly integrationBridge: string;
}

export const chassisMetadata = source<PortSubject, ChassisMetadata>(
  'port.ovn.metadata',
  (subject) => subject.id,
  async (subject, facts) => {
    if (!facts.io.options.mayProbe) return err(probesOff);
    const host = computeHostOf(subject);
    if (host === undefined) return err(withoutHost(subject.instance));
    const address = subject.port.value.fixed_ips.find((f) => !f.ip_address.includes(':'))?.ip_address;
    if (address === undefined) return err({ kind: 'unsupported', because: 'the port has no IPv4 address' });
    const owner = subject.port.value.network_id;
    const { netns, outside } = metadataPort(owner);
    const [around, path, ovs, own] = await Promise.all([
      facts.get(servicePorts, subject),
      lookAtProxy(facts, { host, by: 'chassis', owner }, address),
      facts.get(hostOvs, host),
      facts.get(openVswitch, host),
    ]);
    if (!around.ok) return around;
    const port = around.value.value.find((p) => p.device_owner === 'network:distributed');
    const addresses = path.namespaceExists ? await facts.get(nsAddresses, { host, name: netns }) : undefined;
    const bridge = ovs.ok
      ? ovs.value.value.bridges.find((b) => b.ports.some((p) => p.interfaces.some((i) => i.name === outside)))
      : undefined;
    const end = bridge?.ports.flatMap((p) => p.interfaces).find((i) => i.name === outside);
    const [ovsEvidence] = ovs.ok ? ovs.value.evidence : [];
    const [inner] = addresses?.ok === true ? addresses.value.evidence : [];
    return observed(
      {
        path,
        portId: port?.id,
        portAddresses: (port?.fixed_ips ?? []).map((f) => f.ip_address),
        tap:
          ovsEvidence === undefined
            ? undefined
            : { name: outside, bridge: bridge?.name, ifaceId: end?.externalIds.get('iface-id'), evidence: ovsEvidence },
        inside:
          addresses?.ok === true && inner !== undefined
            ? { addresses: addresses.value.value, evidence: inner }
            : undefined,
        integrationBridge: (own.ok ? own.value.value.externalIds.get('ovn-bridge') : undefined) ?? 'br-int',
      },
      ...around.value.evidence,
    );
  },
);

/** The control plane, where the metadata agent passes a request on and gets an error back. */
export const novaBehindChassis = source<PortSubject, Controllers>(
  'port.ovn.nova-side',
  (subject) => subject.id,
  async (subject, facts) => {
    const found = await facts.get(chassisMetadata, subject);
    return found.ok ? behind(facts, [found.value.value.path]) : found;
  },
);
