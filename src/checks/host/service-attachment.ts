import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding, Remedy } from '../../engine/finding.ts';
import { findingOf, onHost, restartOf } from '../../engine/finding-of.ts';
import { hostLinks, hostOvs } from '../../facts/host.ts';
import { type Io, showing } from '../../facts/io.ts';
import { onPathHosts, placement } from '../../facts/placement.ts';
import { servicePorts, servingRouters } from '../../facts/port-api.ts';
import type { Port } from '../../facts/schemas/network.ts';
import type { PortSubject } from '../../facts/subject.ts';
import type { ExpectedDevice } from '../../path/backends/backend.ts';
import { portUnplugged } from '../dhcp/codes.ts';
import { legUnplugged } from '../router/codes.ts';
import { agentName, portScope, verifyWith } from '../scope.ts';

const needs = { placement, service: servicePorts, links: onPathHosts(hostLinks) };
const optional = { routers: servingRouters, ovs: onPathHosts(hostOvs) };

interface Leg {
  readonly port: Port;
  readonly host: string;
  readonly what: string;
  readonly router?: string;
}

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'host.service-attachment',
  per: 'port',
  title: 'The ports of the DHCP servers and routers are plugged in on their hosts',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [portUnplugged, legUnplugged],
  judge: ({ subject, facts, maybe }) => {
    const { backend, segment } = facts.placement.value;
    if (backend.family !== 'agents') return skipped(`${backend.title}: no such ports`);
    const legs: Leg[] = facts.service.value.flatMap((port): Leg[] => {
      const host = port['binding:host_id'];
      if (!host || !port.admin_state_up) return [];
      if (port.device_owner === 'network:dhcp') return [{ port, host, what: 'the DHCP server' }];
      if (!port.device_owner.startsWith('network:router_interface')) return [];
      return [{ port, host, what: 'the router', router: port.device_id }];
    });
    for (const r of maybe.routers.ok ? maybe.routers.value.value : []) {
      if (!r.router.admin_state_up) continue;
      for (const port of r.ports) {
        const host = port['binding:host_id'];
        if (port.device_owner === 'network:router_gateway' && host)
          legs.push({ port, host, what: `the outside of router ${r.router.name}`, router: r.router.id });
      }
    }
    const findings: Finding[] = [];
    const notes: string[] = [];
    let blind: FactFailure | undefined;
    for (const leg of legs) {
      const links = facts.links.value.get(leg.host);
      if (links === undefined) continue;
      if (!links.ok) {
        blind ??= links.error;
        continue;
      }
      const own = leg.port.network_id === subject.port.value.network_id;
      const elsewhere = { ...segment, networkId: leg.port.network_id, type: undefined, id: undefined };
      const owner = leg.router === undefined ? 'dhcp' : 'router';
      const [device] = backend
        .serviceAttachment(leg.port.id, owner, own ? segment : elsewhere)
        .filter((d) => d.role === 'bridge-end' || d.role === 'switch-end')
        .map((d) =>
          own || d.in?.driver === 'linux' ? d : { ...d, name: backend.serviceDevice(leg.port.id, 'gateway') },
        );
      if (device === undefined) continue;
      const seen = wrongWith(device, leg.host);
      if (seen === undefined) notes.push(device.name);
      else findings.push(unplugged(leg, device, seen));
    }
    if (findings.length === 0 && blind !== undefined) return blocked(blind);
    return judged(
      findings,
      notes.length === 0 ? '' : `${notes.join(', ')} plugged in`,
      [],
      ['wiring of DHCP and router'],
    );

    function wrongWith(
      device: ExpectedDevice,
      host: string,
    ):
      | { readonly words: string; readonly evidence: Evidence; readonly mend?: readonly [string, ...string[]] }
      | undefined {
      const links = facts.links.value.get(host);
      if (links?.ok !== true || device.in === undefined) return undefined;
      const [evidence] = links.value.evidence;
      if (device.in.driver === 'ovs') {
        const ovs = maybe.ovs.ok ? maybe.ovs.value.value.get(host) : undefined;
        if (ovs?.ok !== true) return undefined;
        const [shown] = ovs.value.evidence;
        const there = ovs.value.value.bridges.some((b) =>
          b.ports.some((p) => p.interfaces.some((i) => i.name === device.name)),
        );
        return there || shown === undefined ? undefined : { words: 'in no bridge', evidence: shown };
      }
      if (evidence === undefined) return undefined;
      const link = links.value.value.find((l) => l.name === device.name);
      if (link === undefined) return { words: 'missing', evidence };
      if (link.master !== device.in.bridge)
        return {
          words: link.master === undefined ? 'in no bridge' : `in ${link.master} instead of ${device.in.bridge}`,
          evidence,
          mend: ['ip', 'link', 'set', device.name, 'master', device.in.bridge],
        };
      if (!link.up) return { words: 'down', evidence, mend: ['ip', 'link', 'set', device.name, 'up'] };
      return undefined;
    }

    function unplugged(
      leg: Leg,
      device: ExpectedDevice,
      wrong: { readonly words: string; readonly evidence: Evidence; readonly mend?: readonly [string, ...string[]] },
    ): Finding {
      const binary = leg.router === undefined ? 'neutron-dhcp-agent' : 'neutron-l3-agent';
      const remedy: Remedy =
        wrong.mend === undefined
          ? {
              title: 'let its agent plug it in again',
              risk: 'brief-interruption',
              sufficient: true,
              steps: [restartOf(leg.host, binary)],
            }
          : { title: 'put it right', risk: 'none', sufficient: true, steps: [onHost(leg.host, wrong.mend)] };
      return findingOf(leg.router === undefined ? portUnplugged : legUnplugged, {
        summary: `${device.name} of ${leg.what} is ${wrong.words} on ${leg.host}`,
        subject: `device ${device.name}@${leg.host}`,
        scope: portScope(subject, {
          host: [leg.host],
          agent: [agentName(binary, leg.host), ...backend.agents('compute').map((b) => agentName(b, leg.host))],
          ...(leg.router === undefined ? {} : { router: [leg.router] }),
        }),
        evidence: [
          showing(wrong.evidence, `${device.name}: ${wrong.words}; it belongs in ${device.in?.bridge ?? '?'}`),
        ],
        remedies: [remedy],
        verify: verifyWith('net', subject),
      });
    }
  },
});
