import { sameAddress, sameMac } from '../addresses.ts';
import { bridgeMappings } from './bridge-mappings.ts';
import { argvOf, type Difference, type Mend, setWords } from './difference.ts';
import type { Chassis, GatewayCandidate, LogicalRouter, SouthView } from './model.ts';
import { type ApiNetwork, type ApiPort, type ApiRouter, routerPortName } from './ordered.ts';

/** What Neutron writes where it finds no chassis at all (constants.py OVN_GATEWAY_INVALID_CHASSIS). */
const nobody = 'neutron-ovn-invalid-chassis';

/** Neutron may choose among these alone, where any has it (utils.py is_gateway_chassis). */
const gatewayOption = 'enable-chassis-as-gw';

const mapsTo = (chassis: Chassis): ReadonlyMap<string, string> =>
  bridgeMappings(chassis.config.get('ovn-bridge-mappings'));

/** The bridge by which a chassis meets a physical network. */
export const bridgeOf = (chassis: Chassis, physical: string): string | undefined => mapsTo(chassis).get(physical);

const isGateway = (chassis: Chassis): boolean =>
  (chassis.config.get('ovn-cms-options') ?? '').split(',').some((o) => o.trim() === gatewayOption);

export interface GatewayScene {
  readonly router: ApiRouter;
  readonly ports: readonly ApiPort[];
  /** The external network; undefined where it could not be looked at. */
  readonly network: ApiNetwork | undefined;
  readonly found: LogicalRouter;
  readonly south: SouthView;
  /** Whether the chassis of a host lives, by Neutron's word; undefined: not known. */
  readonly alive: (hostname: string) => boolean | undefined;
  /** The one bridge of a chassis' host that nobody uses yet and that likely has the wire. */
  readonly spareBridge: (hostname: string) => string | undefined;
  /** The instance's host, where it answers for floating IPs of the port itself, and their NAT rows. */
  readonly distributed: { readonly host: string; readonly nat: readonly string[] } | undefined;
}

/** The chassis that holds `cr-lrp-…` now. */
export function holderOf(south: SouthView, gatewayPortId: string): Chassis | undefined {
  const binding = south.bindings.get(`cr-${routerPortName(gatewayPortId)}`);
  return south.chassis.find((c) => c.uuid === binding?.chassis);
}

/** Who may be the router's gateway, whether they can, and who is. */
export function compareGateway(scene: GatewayScene): readonly Difference[] {
  const { router, ports, network, found, south, alive } = scene;
  const gateway = ports.find((p) => p.device_owner === 'network:router_gateway');
  if (gateway === undefined) return [];
  const legName = routerPortName(gateway.id);
  const leg = found.ports.find((p) => p.name === legName);
  if (leg === undefined) return [];
  const differences: Difference[] = [];
  const base = { layer: 'northbound', table: 'Logical_Router_Port', router: router.id } as const;
  const physical = network?.['provider:physical_network'] ?? undefined;
  const byName = new Map(south.chassis.map((c) => [c.name, c]));
  const candidates = leg.candidates.filter((c) => c.chassis !== nobody);
  const standing = candidates.flatMap((candidate) => {
    const chassis = byName.get(candidate.chassis);
    return chassis === undefined ? [] : [{ candidate, chassis }];
  });
  // As Neutron chooses: of those that are marked, else of all with the wire (get_candidates_for_scheduling).
  const wired = south.chassis.filter((c) => physical === undefined || mapsTo(c).has(physical));
  const fit = wired.some(isGateway) ? wired.filter(isGateway) : physical === undefined ? [] : wired;
  const words = (c: GatewayCandidate): string =>
    `${byName.get(c.chassis)?.hostname ?? c.chassis} (priority ${c.priority})`;
  const scheduling: readonly Mend[] =
    fit.length === 0
      ? []
      : [
          {
            by: 'ovn-nbctl',
            title: `schedule it on ${setWords(fit.map((c) => c.hostname))}`,
            argv: argvOf(
              fit.flatMap((c, at) => [
                ...(at === 0 ? [] : ['--']),
                'lrp-set-gateway-chassis',
                legName,
                c.name,
                String(fit.length - at),
              ]),
            ),
          },
        ];
  if (standing.length === 0) {
    differences.push({
      ...base,
      kind: 'gateway-unscheduled',
      object: `gateway of router ${router.name}`,
      summary:
        leg.candidates.length === 0
          ? `No chassis is scheduled as gateway of router ${router.name}: nothing leads outside`
          : `Router ${router.name} has no gateway chassis that exists: ${setWords(leg.candidates.map(words))}`,
      ordered: `gateway_chassis: ${setWords(fit.map((c) => c.hostname))}`,
      found: `gateway_chassis: ${setWords(leg.candidates.map(words))}`,
      mends: scheduling,
    });
    return differences;
  }
  const holder = holderOf(south, gateway.id);
  for (const { candidate, chassis } of standing) {
    if (physical !== undefined && !mapsTo(chassis).has(physical)) {
      const serves = holder?.uuid === chassis.uuid;
      const others = standing.some((o) => o.chassis !== chassis && mapsTo(o.chassis).has(physical));
      differences.push({
        ...base,
        kind: 'candidate-unfit',
        layer: 'chassis',
        table: 'Chassis',
        object: `chassis ${chassis.hostname}`,
        host: chassis.hostname,
        summary: `${chassis.hostname}, a gateway chassis of router ${router.name}, has no bridge mapping for ${physical}${serves ? ' and is the one that serves: nothing gets outside or in' : ''}`,
        ordered: `ovn-bridge-mappings with ${physical}`,
        found: `ovn-bridge-mappings="${chassis.config.get('ovn-bridge-mappings') ?? ''}"`,
        mends: [
          ...(others
            ? [
                {
                  by: 'ovn-nbctl' as const,
                  title: `leave it to the other gateway chassis: ${setWords(standing.filter((o) => o.chassis !== chassis).map((o) => words(o.candidate)))}`,
                  argv: argvOf(['lrp-del-gateway-chassis', legName, chassis.name]),
                },
              ]
            : isGateway(chassis)
              ? []
              : scheduling),
          mapping(chassis, physical, scene),
        ],
        ...(serves ? {} : { severity: 'warning' as const }),
      });
    } else if (!isGateway(chassis) && fit.length > 0) {
      differences.push({
        ...base,
        kind: 'candidate-unfit',
        layer: 'chassis',
        table: 'Chassis',
        object: `chassis ${chassis.hostname}`,
        host: chassis.hostname,
        summary: `${chassis.hostname} is a gateway chassis of router ${router.name} (priority ${candidate.priority}) and is not marked for it (${gatewayOption}); ${setWords(fit.map((c) => c.hostname))} ${fit.length === 1 ? 'is' : 'are'}`,
        ordered: `ovn-cms-options with ${gatewayOption}`,
        found: `ovn-cms-options="${chassis.config.get('ovn-cms-options') ?? ''}"`,
        mends: scheduling,
        severity: 'warning',
      });
    }
  }
  const [best] = standing;
  const holds = { ...base, layer: 'southbound', table: 'Port_Binding', object: `cr-${legName}` } as const;
  if (holder === undefined) {
    differences.push({
      ...holds,
      kind: 'gateway-unheld',
      summary: `No chassis holds the gateway of router ${router.name}: ${setWords(candidates.map(words))} ${candidates.length === 1 ? 'is' : 'are'} to, and ${candidates.length === 1 ? 'has' : 'have'} not claimed it`,
      ordered: setWords(candidates.map(words)),
      found: 'chassis (none)',
      mends: [],
      ...(best === undefined ? {} : { host: best.chassis.hostname }),
    });
  } else if (alive(holder.hostname) === false) {
    differences.push({
      ...holds,
      kind: 'gateway-unheld',
      summary: `The gateway of router ${router.name} is held by ${holder.hostname}, which is not alive`,
      ordered: setWords(candidates.map(words)),
      found: `chassis ${holder.hostname}, not alive`,
      mends: [],
      host: holder.hostname,
    });
  } else if (best !== undefined && holder.uuid !== best.chassis.uuid) {
    const dead = alive(best.chassis.hostname) === false;
    const known = standing.some((s) => s.chassis.uuid === holder.uuid);
    differences.push({
      ...holds,
      kind: known ? 'gateway-failed-over' : 'gateway-unheld',
      summary: known
        ? `The gateway of router ${router.name} is on ${holder.hostname} instead of ${best.chassis.hostname}${dead ? ', which is not alive' : ', which has the higher priority and is alive'}`
        : `The gateway of router ${router.name} is held by ${holder.hostname}, which is none of its gateway chassis`,
      ordered: setWords(candidates.map(words)),
      found: `chassis ${holder.hostname}`,
      mends: [],
      host: best.chassis.hostname,
      ...(known && dead ? { severity: 'info' as const } : {}),
    });
  }
  // A floating IP with a MAC of its own is answered for by the instance's chassis, which then needs the wire itself.
  const { distributed } = scene;
  const own = south.chassis.find((c) => c.hostname === distributed?.host);
  if (own !== undefined && physical !== undefined && !mapsTo(own).has(physical)) {
    differences.push({
      ...base,
      kind: 'candidate-unfit',
      layer: 'chassis',
      table: 'Chassis',
      object: `chassis ${own.hostname}`,
      host: own.hostname,
      summary: `${own.hostname} answers for floating IPs itself (distributed) and has no bridge mapping for ${physical}: they are not reached`,
      ordered: `ovn-bridge-mappings with ${physical}`,
      found: `ovn-bridge-mappings="${own.config.get('ovn-bridge-mappings') ?? ''}"`,
      mends: [
        ...(distributed?.nat ?? []).map((uuid) => ({
          by: 'ovn-nbctl' as const,
          title: 'let the gateway chassis answer for it, as where floating IPs are not distributed',
          argv: argvOf(['clear', 'NAT', uuid, 'external_mac']),
        })),
        mapping(own, physical, scene),
      ],
    });
  }
  return differences;
}

/** Its one spare bridge, else the one that others map the network to: most clouds name it alike everywhere. */
function mapping(chassis: Chassis, physical: string, { south, spareBridge }: GatewayScene): Mend {
  const host = chassis.hostname;
  const spare = spareBridge(host);
  const bridge = spare ?? south.chassis.map((c) => bridgeOf(c, physical)).find((b) => b !== undefined);
  const all = [...mapsTo(chassis), [physical, bridge ?? 'BRIDGE'] as const].map(([p, b]) => `${p}:${b}`).join(',');
  return {
    by: 'chassis',
    title: `map ${physical} to the bridge with its wire`,
    host,
    ...(spare === undefined ? { guessed: true } : {}),
    argv: ['ovs-vsctl', 'set', 'Open_vSwitch', '.', `external_ids:ovn-bridge-mappings=${all}`],
  };
}

/** What a router has learnt of its gateway outside (MAC_Binding), against who really answers there. */
export function compareNeighbours(
  router: ApiRouter,
  gatewayIps: readonly string[],
  south: SouthView,
  answers: ReadonlyMap<string, readonly string[]>,
): readonly Difference[] {
  return gatewayIps.flatMap((ip) => {
    const real = answers.get(ip);
    if (real === undefined || real.length === 0) return [];
    return south.macBindings
      .filter((m) => sameAddress(m.ip, ip) && !real.some((mac) => sameMac(mac, m.mac)))
      .map(
        (m): Difference => ({
          kind: 'neighbour-wrong',
          layer: 'southbound',
          table: 'MAC_Binding',
          object: `MAC_Binding ${ip} of router ${router.name}`,
          summary: `Router ${router.name} sends what goes out to ${m.mac} as its gateway ${ip}; ${setWords(real)} answers for ${ip} there`,
          ordered: `${ip} ${setWords(real)}`,
          found: `${ip} ${m.mac}`,
          mends: [
            {
              by: 'ovn-sbctl',
              title: 'forget it: the router learns it anew',
              argv: ['--if-exists', 'destroy', 'MAC_Binding', m.uuid],
            },
          ],
          router: router.id,
        }),
      );
  });
}
