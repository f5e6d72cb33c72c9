import type { HostFacts, PluggingAgent } from './estate.ts';
import { type Judgement, judged, type Obstacle, passes, passing, unknown } from './judgement.ts';
import type { Scene } from './scene.ts';
import type { WishedPort } from './wish.ts';

/** Whether a host can plug the ports: what Neutron's binding and address allocation would say once the host is chosen. */
export function plugs(host: HostFacts, scene: Scene): Judgement {
  const { ports } = scene.wish;
  if (ports.length === 0) return passing('no port');
  const obstacles = ports.flatMap((port) => portObstacles(port, host.host));
  if (scene.estate.agents === undefined)
    return obstacles.length > 0
      ? judged(obstacles)
      : unknown("Neutron's agents are not known", 'openstack network agent list');
  const agents = scene.estate.agents.get(host.host) ?? [];
  const bound = ports.filter((port) => !devices.has(port.vnicType) && port.segments.length > 0);
  const kinds = new Set<string>();
  for (const port of bound)
    for (const found of bindingObstacles(port, host.host, agents, scene)) {
      if (kinds.has(found.kind)) continue;
      kinds.add(found.kind);
      obstacles.push(found);
    }
  return obstacles.length > 0 ? judged(obstacles) : passes;
}

/** Ports that no agent plugs, or that PciPassthroughFilter judges. */
const devices = new Set([
  'direct',
  'direct-physical',
  'macvtap',
  'virtio-forwarder',
  'accelerator-direct',
  'accelerator-direct-physical',
  'remote-managed',
  'baremetal',
  'smart-nic',
]);

function portObstacles(port: WishedPort, host: string): Obstacle[] {
  const obstacles: Obstacle[] = [];
  const name = port.id ?? port.networkName;
  if (port.boundTo !== undefined && port.boundTo !== '' && port.boundTo !== host)
    obstacles.push({
      kind: `port ${name} bound`,
      of: 'network',
      because: `port is on ${port.boundTo}`,
      wanted: `port ${name} on this host`,
      has: `the port is bound to ${port.boundTo}`,
      ways: [[{ kind: 'port', on: 'request', port: name, because: `it is bound to ${port.boundTo}` }]],
    });
  if (port.withoutAddress !== undefined)
    obstacles.push({
      kind: `port ${name} address`,
      of: 'network',
      because: 'no address',
      wanted: `an address of ${port.networkName}`,
      has: port.withoutAddress,
      ways: [[{ kind: 'network', on: 'request', network: port.networkName, because: port.withoutAddress }]],
    });
  return obstacles;
}

const isTunnel = (type: string): boolean => ['vxlan', 'gre', 'geneve', 'stt'].includes(type);

/** OVN's controllers build every tunnel and report no types. */
const reportsTunnels = (agent: PluggingAgent): boolean => !/ovn/i.test(agent.binary);

function bindingObstacles(port: WishedPort, host: string, agents: readonly PluggingAgent[], scene: Scene): Obstacle[] {
  const alive = agents.filter((a) => a.alive);
  const isCarried = (segment: WishedPort['segments'][number], by: readonly PluggingAgent[]): boolean => {
    if (segment.physicalNetwork !== undefined && segment.physicalNetwork !== '')
      return by.some((a) => a.physicalNetworks.includes(segment.physicalNetwork ?? ''));
    return !isTunnel(segment.type) || by.some((a) => !reportsTunnels(a) || a.tunnelTypes.includes(segment.type));
  };
  if (alive.length > 0 && port.segments.some((s) => isCarried(s, alive))) return [];
  const dead = agents.filter((a) => !a.alive && port.segments.some((s) => isCarried(s, [a])));
  const network: Obstacle['ways'][number] = [
    { kind: 'network', on: 'request', network: port.networkName, because: 'the host does not carry it' },
  ];
  if (dead.length > 0 || alive.length === 0) {
    const binary = (dead[0] ?? agents[0])?.binary ?? usualBinary(scene);
    return [
      {
        kind: `agent ${binary ?? ''}`,
        of: 'network',
        because: agents.length === 0 ? 'no agent' : `${binary} is dead`,
        wanted: `a live agent that plugs ports of ${port.networkName}`,
        has: agents.length === 0 ? 'no agent that plugs ports' : `${binary} is not alive`,
        ways: [...(binary === undefined ? [] : ([[{ kind: 'agent', on: 'cloud', host, binary }]] as const)), network],
      },
    ];
  }
  const physical = port.segments.flatMap((s) => s.physicalNetwork ?? []);
  const [wanted] = physical;
  const mapped = [...new Set(alive.flatMap((a) => a.physicalNetworks))].sort();
  if (wanted !== undefined)
    return [
      {
        kind: `physical network ${wanted}`,
        of: 'network',
        because: `no ${wanted}`,
        wanted: `physical network ${wanted} of ${port.networkName}`,
        has: mapped.length === 0 ? 'maps no physical network' : `maps ${mapped.join(', ')}`,
        ways: [network, [{ kind: 'mapping', on: 'cloud', host, physicalNetwork: wanted }]],
      },
    ];
  const types = [...new Set(port.segments.map((s) => s.type))];
  const built = [...new Set(alive.flatMap((a) => a.tunnelTypes))].sort();
  return [
    {
      kind: `tunnel ${types.join(',')}`,
      of: 'network',
      because: `no ${types.join(', ')}`,
      wanted: `${types.join(' or ')} of ${port.networkName}`,
      has: built.length === 0 ? 'builds no tunnels' : `builds ${built.join(', ')}`,
      ways: [network],
    },
  ];
}

/** The agent that most hosts have. */
function usualBinary(scene: Scene): string | undefined {
  const counts = new Map<string, number>();
  for (const agents of scene.estate.agents?.values() ?? [])
    for (const { binary } of agents) counts.set(binary, (counts.get(binary) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))[0]?.[0];
}
