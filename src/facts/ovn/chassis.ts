import { type FactResult, observed } from '../../engine/fact.ts';
import { ok } from '../../engine/result.ts';
import type { OvsPort } from '../../nodes/parse/ovsdb.ts';
import { bridgeMappings } from '../../path/ovn/bridge-mappings.ts';
import type { ChassisView, TunnelPort } from '../../path/ovn/model.ts';
import { hostLayout, hostOvs } from '../host.ts';
import { read, type Store, source } from '../io.ts';
import { openVswitch } from './open-vswitch.ts';

/** Types of interfaces that ovn-controller makes tunnels of (ovn-controller(8), ovn-encap-type). */
const tunnelTypes: ReadonlySet<string> = new Set(['geneve', 'vxlan', 'stt', 'flow']);

/** Key under which ovn-controller notes the far chassis on a port of its making (controller/encaps.c). */
const farKey = 'ovn-chassis-id';

function tunnelOf(port: OvsPort): TunnelPort | undefined {
  const [device] = port.interfaces;
  const far = port.externalIds?.get(farKey);
  if (device === undefined || !tunnelTypes.has(device.type)) return undefined;
  const localIp = device.options.get('local_ip');
  const bfd = device.bfd?.get('state');
  return {
    name: port.name,
    type: device.type,
    remoteIp: device.options.get('remote_ip') ?? '',
    chassis: far ?? '',
    statistics: device.statistics,
    ...(localIp === undefined ? {} : { localIp }),
    ...(device.ofport === undefined ? {} : { ofport: device.ofport }),
    ...(device.error === undefined ? {} : { error: device.error }),
    ...(bfd === undefined ? {} : { bfd }),
  };
}

/** Seconds to wait for a daemon's control socket: a frozen one never answers. */
const patience = 3;

/** A command to ovn-controller (or another daemon of OVN's) on a node, by its control socket. */
export async function appctl(
  facts: Store,
  host: string,
  daemon: 'ovn-controller' | 'ovn-northd',
  ...words: readonly string[]
): Promise<FactResult<string>> {
  const layout = await facts.get(hostLayout, host);
  if (!layout.ok) return layout;
  const [first = 'ovn-appctl', ...rest] = [...layout.value.value.within(daemon), 'ovn-appctl'];
  return read(
    facts,
    host,
    {
      argv: [first, ...rest, `--timeout=${patience}`, '-t', daemon, ...words],
      impact: 'read',
      become: true,
      timeoutSeconds: patience + 3,
    },
    (stdout) => ok(stdout.trim()),
  );
}

const list = (words: string | undefined): readonly string[] =>
  (words ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

/** The node as a chassis, by its own word. */
export const chassisView = source<string, ChassisView>(
  'ovn.chassis-view',
  (host) => host,
  async (host, facts) => {
    const [own, ovs, connection, version] = await Promise.all([
      facts.get(openVswitch, host),
      facts.get(hostOvs, host),
      appctl(facts, host, 'ovn-controller', 'connection-status'),
      appctl(facts, host, 'ovn-controller', 'version'),
    ]);
    if (!own.ok) return own;
    const { externalIds } = own.value.value;
    const integrationBridge = externalIds.get('ovn-bridge') ?? 'br-int';
    const bridge = ovs.ok ? ovs.value.value.bridges.find((b) => b.name === integrationBridge) : undefined;
    return observed(
      {
        host,
        systemId: externalIds.get('system-id'),
        hostname: externalIds.get('hostname'),
        remote: externalIds.get('ovn-remote'),
        encapTypes: list(externalIds.get('ovn-encap-type')),
        encapIps: list(externalIds.get('ovn-encap-ip')),
        bridgeMappings: bridgeMappings(externalIds.get('ovn-bridge-mappings')),
        integrationBridge,
        settings: externalIds,
        tunnels: (bridge?.ports ?? []).flatMap((port) => tunnelOf(port) ?? []),
        connection: connection.ok ? connection.value.value : undefined,
        controllerVersion: version.ok ? /ovn-controller (\S+)/.exec(version.value.value)?.[1] : undefined,
      },
      ...own.value.evidence,
      ...(ovs.ok ? ovs.value.evidence : []),
      ...(connection.ok ? connection.value.evidence : []),
    );
  },
);
