import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type Flow, parseFlows } from '../../../src/nodes/parse/flows.ts';
import { type IptablesDump, parseIptables } from '../../../src/nodes/parse/iptables.ts';
import type { WantedFirewall } from '../../../src/path/firewall/enforcement.ts';
import {
  type ApiGroup,
  type ApiPort,
  groupFromApi,
  membersFromPorts,
  portSecurityFromApi,
} from '../../../src/path/secgroup/from-api.ts';

/** Recorded on real clouds: one per way of plugging instances. lb: linuxbridge; ovs: hybrid; ovsfw: OVS native; ovn. */
export const VARIANTS = ['lb', 'ovs', 'ovsfw', 'ovn'] as const;
export type Variant = (typeof VARIANTS)[number];
export const HOSTS = ['cmp1', 'cmp2', 'net1'] as const;
export type Host = (typeof HOSTS)[number];

const path = (variant: Variant, ...rest: string[]): URL =>
  new URL(`./samples/${variant}/${rest.join('/')}`, import.meta.url);

export function text(variant: Variant, ...file: readonly [Host | 'api', string] | readonly [string]): string {
  return readFileSync(path(variant, ...file), 'utf8');
}

export function files(variant: Variant, host: Host): readonly string[] {
  return existsSync(path(variant, host)) ? readdirSync(path(variant, host)) : [];
}

export function iptables(output: string): IptablesDump {
  const parsed = parseIptables(output);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

export function flows(output: string): readonly Flow[] {
  const parsed = parseFlows(output);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

interface SamplePort extends ApiPort {
  readonly id: string;
  readonly device_owner: string;
  readonly 'binding:host_id': string;
}

export function ports(variant: Variant): readonly SamplePort[] {
  return (JSON.parse(text(variant, 'api', 'ports.json')) as { ports: SamplePort[] }).ports;
}

/** The instance's port on this host, with its groups, as the API has it. */
export function wanted(variant: Variant, host: Host, family: 4 | 6 = 4): WantedFirewall {
  const port = ports(variant).find((p) => p['binding:host_id'] === host && p.device_owner.startsWith('compute:'));
  if (!port) throw new Error(`no instance on ${host} of ${variant}`);
  const { security_groups: groups } = JSON.parse(text(variant, 'api', 'security-groups.json')) as {
    security_groups: ApiGroup[];
  };
  return {
    portId: port.id,
    security: portSecurityFromApi(port),
    groups: groups.map(groupFromApi),
    family,
    membersOf: membersFromPorts(ports(variant).map(portSecurityFromApi)),
  };
}

/** Values of `key = value` lines. */
export function sysctls(output: string): Record<string, string> {
  return Object.fromEntries(
    output.split('\n').flatMap((line) => {
      const [key, value] = line.split(' = ');
      return key && value !== undefined ? [[key, value]] : [];
    }),
  );
}
