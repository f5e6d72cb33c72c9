import { type FactResult, observed } from '../../engine/fact.ts';
import type { SeenInterface } from '../../path/ovn/compare-port.ts';
import { hostOvs } from '../host.ts';
import { source } from '../io.ts';
import { computeHostOf, type PortSubject } from '../subject.ts';
import { logicalView } from './logical.ts';
import { southView } from './south.ts';

export interface InterfacesOfHost {
  readonly host: string;
  readonly interfaces: FactResult<readonly SeenInterface[]>;
}

/** Nodes that are asked whether they have an interface for a port which any of them may claim. */
const asked = 8;

/**
 * Interfaces of Open vSwitch on the nodes that may hold the port: the instance's host, the one that has bound it, and
 * every chassis of a small cloud where the Northbound does not say which one may (requested-chassis), or where the port
 * comes and goes: Neutron names the chassis again whenever it does.
 */
export const bindingInterfaces = source<PortSubject, readonly InterfacesOfHost[]>(
  'port.ovn.binding-interfaces',
  (subject) => subject.id,
  async (subject, facts) => {
    const [south, logical] = await Promise.all([facts.get(southView, subject), facts.get(logicalView, subject)]);
    const chassis = south.ok ? south.value.value.chassis : [];
    const binding = south.ok ? south.value.value.bindings.get(subject.id) : undefined;
    const lsp = logical.ok ? logical.value.value.port : undefined;
    const anybody =
      lsp !== undefined && (!lsp.options.get('requested-chassis') || subject.port.value.status === 'DOWN');
    const hosts = new Set(
      [
        computeHostOf(subject),
        chassis.find((c) => c.uuid === binding?.chassis)?.hostname,
        ...(anybody && chassis.length <= asked ? chassis.map((c) => c.hostname) : []),
      ].filter((host) => host !== undefined),
    );
    const looked = await Promise.all(
      [...hosts].map(async (host): Promise<InterfacesOfHost> => {
        const ovs = await facts.get(hostOvs, host);
        if (!ovs.ok) return { host, interfaces: ovs };
        const interfaces = ovs.value.value.bridges.flatMap((b) => b.ports.flatMap((p) => p.interfaces));
        return { host, interfaces: observed(interfaces, ...ovs.value.evidence) };
      }),
    );
    return observed(looked);
  },
);
