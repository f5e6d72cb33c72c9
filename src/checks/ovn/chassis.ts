import { blocked, defineCheck, judged } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding, FindingSpec, Remedy } from '../../engine/finding.ts';
import { advice, findingOf, onHost, restartOf } from '../../engine/finding-of.ts';
import { hostAddresses, hostOvs } from '../../facts/host.ts';
import { type Io, showing, source } from '../../facts/io.ts';
import { chassisView } from '../../facts/ovn/chassis.ts';
import { ovnDatabases } from '../../facts/ovn/databases.ts';
import { ofHost, onOvnHosts, ovnHosts, seenOn } from '../../facts/ovn/hosts.ts';
import { providerNetworks } from '../../facts/ovn/provider.ts';
import { type Chassises, registeredChassis } from '../../facts/ovn/south.ts';
import { type PortSubject, theCloud } from '../../facts/subject.ts';
import { cidrContains } from '../../path/addresses.ts';
import { shareZone, tunnelEnds } from '../../path/ovn/encap.ts';
import type { Chassis, ChassisView } from '../../path/ovn/model.ts';
import { agentName, linkName, portScope, verifyWith } from '../scope.ts';
import { mappings, otherBridge, otherName, tunnelMissing, twoOfOneName, unregistered, wrongEncap } from './codes.ts';

const registered = source<PortSubject, Chassises>(
  'port.ovn.registered',
  (s) => s.id,
  (_, facts) => facts.get(registeredChassis, theCloud),
);
/** A host where `ovn-sbctl` speaks to the SB. */
const southHost = source<PortSubject, string>(
  'port.ovn.south-host',
  (s) => s.id,
  async (_, facts) => {
    const found = await facts.get(ovnDatabases, theCloud);
    if (!found.ok) return found;
    const { sb } = found.value.value;
    return sb.ok ? { ok: true, value: { value: sb.value.host, evidence: found.value.evidence } } : sb;
  },
);

const needs = { hosts: ovnHosts, registered };
const optional = {
  views: onOvnHosts(chassisView),
  addresses: onOvnHosts(hostAddresses),
  ovs: onOvnHosts(hostOvs),
  providers: providerNetworks,
  southHost,
};

const settingOf = (host: string, key: string, value: string) =>
  onHost(host, ['ovs-vsctl', 'set', 'open_vswitch', '.', `external_ids:${key}=${value}`]);

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ovn.chassis',
  per: 'port',
  title: 'The chassis of the path are registered as they are: name, tunnel end, bridges',
  families: ['ovn'],
  needs,
  optional,
  findings: [unregistered, otherName, twoOfOneName, wrongEncap, mappings, otherBridge, tunnelMissing],
  judge: ({ subject, facts, maybe }) => {
    const { compute, all, gateways } = facts.hosts.value;
    const { chassis } = facts.registered.value;
    const [south] = facts.registered.evidence;
    if (south === undefined) throw new Error('chassis without evidence');
    const sbHost = maybe.southHost.ok ? maybe.southHost.value.value : undefined;
    const findings: Finding[] = [];
    let blind: FactFailure | undefined;
    const seen: { host: string; view: ChassisView; row: Chassis; own: Evidence }[] = [];
    for (const host of all) {
      const found = ofHost(maybe.views, host);
      if (found?.ok !== true) {
        blind ??= found?.error;
        continue;
      }
      const view = found.value.value;
      const [own] = found.value.evidence;
      if (own === undefined) continue;
      const row = chassis.find((c) => c.name === view.systemId);
      const double = chassis.filter((c) => c.hostname === host && c.name !== view.systemId);
      const taken = chassis.filter(
        (c) => c.name !== view.systemId && c.encaps.some((e) => view.encapIps.includes(e.ip)),
      );
      for (const other of taken) encapTaken(host, view, own, other, row);
      if (row === undefined && taken.length === 0) missing(host, view, own);
      for (const other of double) {
        if (row !== undefined && !taken.includes(other)) left(host, view, own, other);
      }
      if (host === compute && row !== undefined && row.hostname !== host) misnamed(host, own, row);
      judgeAddress(host, view, own);
      if (row !== undefined) seen.push({ host, view, row, own });
    }
    judgeTypes();
    judgeMappings();
    judgeBridge();
    if (findings.length === 0 && blind !== undefined) return blocked(blind);
    const words = seen.map(({ host, row }) => `${host} ${row.encaps.map((e) => `${e.type} ${e.ip}`).join(', ')}`);
    return judged(findings, words.join('; '), [south], ['chassis']);

    function onSouth(argv: readonly [string, ...string[]]) {
      return sbHost === undefined ? advice(argv.join(' ')) : onHost(sbHost, argv);
    }

    function missing(host: string, view: ChassisView, own: Evidence): void {
      add(
        unregistered,
        host,
        `${host} is no chassis: the southbound database has none named ${view.systemId ?? '(no system-id)'}`,
        [
          showing(
            south as Evidence,
            chassis.map((c) => `${c.name} ${c.hostname}`),
          ),
          showing(own, `system-id ${view.systemId ?? 'not set'}`),
        ],
        {
          title: 'start ovn-controller; it registers its chassis',
          risk: 'none',
          sufficient: true,
          steps: [restartOf(host, 'ovn-controller')],
        },
      );
    }

    function encapTaken(
      host: string,
      view: ChassisView,
      own: Evidence,
      other: Chassis,
      row: Chassis | undefined,
    ): void {
      const ip = other.encaps.find((e) => view.encapIps.includes(e.ip))?.ip ?? '';
      add(
        row === undefined ? unregistered : wrongEncap,
        host,
        row === undefined
          ? `${host} cannot register: chassis ${other.name}${other.hostname === '' ? '' : ` (${other.hostname})`} holds its tunnel address ${ip}`
          : `${host} and chassis ${other.name}${other.hostname === '' ? '' : ` (${other.hostname})`} both have the tunnel address ${ip}`,
        [
          showing(south as Evidence, `${other.name} ${other.hostname} ${ip}`),
          showing(own, `ovn-encap-ip ${view.encapIps.join(',')}, system-id ${view.systemId ?? ''}`),
        ],
        {
          title: `delete chassis ${other.name}, if that host is no more`,
          risk: 'reversible',
          sufficient: true,
          steps: [onSouth(['ovn-sbctl', 'chassis-del', other.name]), restartOf(host, 'ovn-controller')],
        },
      );
    }

    function left(host: string, view: ChassisView, own: Evidence, other: Chassis): void {
      add(
        twoOfOneName,
        host,
        `Two chassis are called ${host}: ${view.systemId ?? ''}, which it is, and ${other.name}`,
        [
          showing(south as Evidence, `${other.name} ${other.hostname}`),
          showing(own, `system-id ${view.systemId ?? ''}`),
        ],
        {
          title: 'delete the one that the node is not',
          risk: 'reversible',
          sufficient: true,
          steps: [onSouth(['ovn-sbctl', 'chassis-del', other.name])],
        },
      );
    }

    function misnamed(host: string, own: Evidence, row: Chassis): void {
      add(
        otherName,
        host,
        `The chassis of ${host} is registered as ${row.hostname}, while Nova and Neutron call the host ${host}`,
        [showing(south as Evidence, `${row.name} hostname ${row.hostname}`), showing(own, `hostname ${row.hostname}`)],
        {
          title: 'give the chassis the name of the host',
          risk: 'none',
          sufficient: true,
          steps: [settingOf(host, 'hostname', host)],
        },
      );
    }

    /** The address that the node names for itself: is it there at all? */
    function judgeAddress(host: string, view: ChassisView, own: Evidence): void {
      const addresses = seenOn(maybe.addresses, host);
      if (addresses === undefined) return;
      for (const ip of view.encapIps) {
        if (addresses.some((a) => a.address === ip)) continue;
        const far = chassis.filter((c) => c.name !== view.systemId).flatMap((c) => c.encaps.map((e) => e.ip));
        const fitting = addresses.filter((a) =>
          far.some((f) => f !== a.address && cidrContains(`${a.address}/${a.prefix}`, f)),
        );
        const [right] = fitting;
        add(
          wrongEncap,
          host,
          `ovn-encap-ip of ${host} is ${ip}, an address that it does not have`,
          [showing(own, `ovn-encap-ip ${view.encapIps.join(',')}`), ...addressEvidence(host)],
          right === undefined || fitting.length > 1 || view.encapIps.length > 1
            ? {
                title: 'set ovn-encap-ip to the address of the tunnel network',
                risk: 'brief-interruption',
                sufficient: false,
                steps: [
                  onHost(host, ['ip', '-br', 'addr']),
                  advice('ovs-vsctl set open_vswitch . external_ids:ovn-encap-ip=ADDRESS', host),
                ],
              }
            : {
                title: `set ovn-encap-ip to ${right.address}, its address in the network of the other chassis`,
                risk: 'brief-interruption',
                sufficient: true,
                steps: [settingOf(host, 'ovn-encap-ip', right.address)],
              },
        );
      }
    }

    /** Two chassis without a tunnel type or a transport zone in common. */
    function judgeTypes(): void {
      const near = seen.find((s) => s.host === compute);
      if (near === undefined) return;
      // Who stands alone is the one to be changed: the rest of the cloud agrees.
      const alone = (row: Chassis, agree: (a: Chassis, b: Chassis) => boolean): boolean =>
        !chassis.some((c) => c.name !== row.name && agree(row, c));
      const sameType = (a: Chassis, b: Chassis): boolean => tunnelEnds(a, b) !== undefined;
      for (const far of seen.filter((s) => s.host !== compute)) {
        const link = [linkName(near.host, far.host)];
        if (!sameType(near.row, far.row)) {
          const odd = alone(near.row, sameType) || !alone(far.row, sameType) ? near : far;
          const other = odd === near ? far : near;
          const type = other.row.encaps[0]?.type ?? 'geneve';
          add(
            wrongEncap,
            odd.host,
            `${odd.host} takes part with ${typesOf(odd.row)}, ${other.host} with ${typesOf(other.row)}: there is no tunnel between them`,
            [
              showing(odd.own, `ovn-encap-type ${odd.view.encapTypes.join(',')}`),
              showing(
                south as Evidence,
                [near, far].map((s) => `${s.host} ${typesOf(s.row)}`),
              ),
            ],
            {
              title: `let ${odd.host} take part with ${type}`,
              risk: 'brief-interruption',
              sufficient: true,
              steps: [settingOf(odd.host, 'ovn-encap-type', type)],
            },
            link,
          );
        }
        if (!shareZone(near.row, far.row)) {
          const odd = alone(near.row, shareZone) || !alone(far.row, shareZone) ? near : far;
          const other = odd === near ? far : near;
          const zones = other.row.transportZones.join(',');
          add(
            tunnelMissing,
            odd.host,
            `${near.host} and ${far.host} share no transport zone (${zonesOf(near.row)} and ${zonesOf(far.row)}): there is no tunnel between them`,
            [
              showing(odd.own, `ovn-transport-zones ${odd.row.transportZones.join(',')}`),
              showing(
                south as Evidence,
                [near, far].map((s) => `${s.host} ${zonesOf(s.row)}`),
              ),
            ],
            {
              title: `put ${odd.host} into the zone of ${other.host}`,
              risk: 'brief-interruption',
              sufficient: true,
              steps: [
                zones === ''
                  ? onHost(odd.host, [
                      'ovs-vsctl',
                      'remove',
                      'open_vswitch',
                      '.',
                      'external_ids',
                      'ovn-transport-zones',
                    ])
                  : settingOf(odd.host, 'ovn-transport-zones', zones),
              ],
            },
            link,
          );
        }
      }
    }

    function judgeMappings(): void {
      if (!maybe.providers.ok) return;
      const { own: tenant, outside } = maybe.providers.value.value;
      const wanted = new Map<string, Set<string>>();
      const want = (host: string | undefined, physnet: string | undefined): void => {
        if (host === undefined || physnet === undefined) return;
        wanted.set(host, (wanted.get(host) ?? new Set()).add(physnet));
      };
      want(compute, tenant);
      for (const g of gateways) want((g.holder ?? g.candidates[0])?.host, outside.get(g.routerId));
      for (const [host, physnets] of wanted) {
        const at = seen.find((s) => s.host === host);
        if (at === undefined) continue;
        for (const physnet of physnets) judgeMapping(at, physnet, tenant);
      }
    }

    function judgeMapping(
      { host, view, own }: (typeof seen)[number],
      physnet: string,
      tenant: string | undefined,
    ): void {
      const bridge = view.bridgeMappings.get(physnet);
      const words = `ovn-bridge-mappings ${[...view.bridgeMappings].map((pair) => pair.join(':')).join(',') || 'not set'}`;
      const ovs = seenOn(maybe.ovs, host);
      const there = ovs?.bridges.find((b) => b.name === bridge);
      // The bridge that has an uplink and is nobody's yet is likely the one that is meant.
      const spare = (ovs?.bridges ?? []).filter(
        (b) =>
          b.name !== view.integrationBridge &&
          ![...view.bridgeMappings].some(([other, name]) => name === b.name && other !== physnet) &&
          !isUnderlay(host, b.name),
      );
      const [likely] = spare;
      const rest = [...view.bridgeMappings].filter(([other]) => other !== physnet).map((pair) => pair.join(':'));
      const correct: Remedy =
        likely !== undefined && spare.length === 1
          ? {
              title: `map ${physnet} to ${likely.name}`,
              risk: 'none',
              sufficient: true,
              steps: [settingOf(host, 'ovn-bridge-mappings', [...rest, `${physnet}:${likely.name}`].join(','))],
            }
          : {
              title: `map ${physnet} to the bridge with its uplink`,
              risk: 'none',
              sufficient: false,
              steps: [
                onHost(host, ['ovs-vsctl', 'show']),
                advice(`ovs-vsctl set open_vswitch . external_ids:ovn-bridge-mappings=${physnet}:BRIDGE`, host),
              ],
            };
      if (bridge === undefined) {
        // A gateway without one is told with the gateways.
        if (host !== compute || physnet !== tenant) return;
        add(
          mappings,
          host,
          `${host} maps ${physnet} to no bridge, and the network needs one there`,
          [showing(own, words)],
          correct,
        );
        return;
      }
      if (ovs !== undefined && there === undefined) {
        add(
          mappings,
          host,
          `${host} maps ${physnet} to ${bridge}, a bridge that does not exist`,
          [showing(own, words)],
          correct,
        );
        return;
      }
      const uplinks = there?.ports
        .flatMap((p) => p.interfaces)
        .filter((i) => i.name !== bridge && !isToOvn(i.name, i.type, i.options.get('peer'), view));
      if (uplinks !== undefined && uplinks.length === 0) {
        add(
          mappings,
          host,
          `${bridge} of ${host}, the bridge of ${physnet}, has no port to the outside`,
          [showing(own, [words, `${bridge}: ${there?.ports.map((p) => p.name).join(', ') ?? ''}`])],
          {
            title: `plug the network card of ${physnet} into ${bridge}`,
            risk: 'none',
            sufficient: false,
            steps: [onHost(host, ['ip', '-br', 'link']), advice(`ovs-vsctl add-port ${bridge} DEVICE`, host)],
          },
        );
      }
    }

    /** The bridge that carries the tunnels themselves. */
    function isUnderlay(host: string, bridge: string): boolean {
      const at = seen.find((s) => s.host === host);
      return (seenOn(maybe.addresses, host) ?? []).some(
        (a) => a.dev === bridge && at?.view.encapIps.includes(a.address) === true,
      );
    }

    function judgeBridge(): void {
      const at = seen.find((s) => s.host === compute);
      const ovs = compute === undefined ? undefined : seenOn(maybe.ovs, compute);
      if (at === undefined || ovs === undefined) return;
      const holder = ovs.bridges.find((b) =>
        b.ports.some((p) => p.interfaces.some((i) => i.externalIds.get('iface-id') === subject.id)),
      );
      if (holder === undefined || holder.name === at.view.integrationBridge) return;
      add(
        otherBridge,
        at.host,
        `ovn-controller on ${at.host} works on ${at.view.integrationBridge}, while the instance is in ${holder.name}`,
        [showing(at.own, `ovn-bridge ${at.view.integrationBridge}; iface-id ${subject.id} is in ${holder.name}`)],
        {
          title: `let ovn-controller work on ${holder.name}`,
          risk: 'brief-interruption',
          sufficient: true,
          steps: [settingOf(at.host, 'ovn-bridge', holder.name)],
        },
      );
    }

    function addressEvidence(host: string): Evidence[] {
      const found = ofHost(maybe.addresses, host);
      return found?.ok === true
        ? found.value.evidence.slice(0, 1).map((e) =>
            showing(
              e,
              found.value.value
                .filter((a) => a.family === 4 && a.dev !== 'lo')
                .map((a) => `${a.dev} ${a.address}/${a.prefix}`),
            ),
          )
        : [];
    }

    function add(
      spec: FindingSpec,
      host: string,
      summary: string,
      evidence: readonly [Evidence, ...Evidence[]],
      remedy: Remedy,
      link?: readonly string[],
    ): void {
      findings.push(
        findingOf(spec, {
          summary,
          subject: `chassis ${host}`,
          scope: portScope(subject, {
            host: [host],
            agent: [agentName('ovn-controller', host)],
            link: link ?? all.filter((h) => h !== host).map((h) => linkName(h, host)),
          }),
          evidence,
          remedies: [remedy],
          verify: verifyWith('net', subject),
        }),
      );
    }
  },
});

const typesOf = (row: Chassis): string => row.encaps.map((e) => e.type).join(', ') || 'no encapsulation';
const zonesOf = (row: Chassis): string => row.transportZones.join(', ') || 'no zone';

/** ovn-controller's own patch between the integration bridge and a provider bridge (controller/patch.c). */
const isToOvn = (name: string, type: string, peer: string | undefined, view: ChassisView): boolean =>
  type === 'patch' &&
  (name.includes(`to-${view.integrationBridge}`) || peer?.startsWith(`patch-${view.integrationBridge}-to-`) === true);
