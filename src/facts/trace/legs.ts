import { type FactResult, observed } from '../../engine/fact.ts';
import { err } from '../../engine/result.ts';
import { familyOf } from '../../path/addresses.ts';
import type { Backend } from '../../path/backends/backend.ts';
import { source } from '../io.ts';
import { placement } from '../placement.ts';
import { servingRouters } from '../port-api.ts';
import type { PortSubject } from '../subject.ts';
import { agentLegs } from './agent-legs.ts';
import { addressLike, nameOf, type PlannedLeg, type Planner, type Traffic, usualSize } from './leg.ts';
import { ovnLegs } from './ovn-legs.ts';

const planners: Readonly<Record<Backend['family'], Planner | undefined>> = {
  agents: agentLegs,
  ovn: ovnLegs,
  routed: undefined,
};

/**
 * The stretches that the probes of a trace walk. An instance cannot be told to send, so each stretch begins in a namespace of Neutron
 * (or, for a floating address, at this machine) and the instance's own way out is seen on what it answers.
 */
export const traceLegs = source<PortSubject, readonly PlannedLeg[]>(
  'trace.legs',
  (subject) => subject.id,
  async (subject, facts): Promise<FactResult<readonly PlannedLeg[]>> => {
    const { trace } = facts.io.options;
    if (trace === undefined) return err({ kind: 'unsupported', because: 'no trace was asked for' });
    const { peer } = facts.io;
    const [placed, serving] = await Promise.all([facts.get(placement, subject), facts.get(servingRouters, subject)]);
    if (!placed.ok) return placed;
    const place = placed.value.value;
    const planner = planners[place.backend.family];
    if (planner === undefined) {
      return err({
        kind: 'unsupported',
        because: `${place.backend.title} has no namespaces to send from: traces do not follow it yet`,
      });
    }
    const routers = serving.ok ? serving.value.value : [];
    const { protocol, port } = trace.probe;
    const begun = protocol === 'dhcp' || protocol === 'metadata' ? protocol : undefined;
    const to = addressLike(subject, peer?.address ?? trace.address ?? (begun === undefined ? undefined : '0.0.0.0'));
    if (to === undefined || (begun !== undefined && familyOf(to) !== 4)) {
      return err({
        kind: 'unsupported',
        because: begun === undefined ? 'the port has no address' : 'the port has no IPv4 address',
      });
    }
    const traffic: Traffic =
      protocol === 'dhcp' || protocol === 'metadata'
        ? { protocol: 'tcp', count: trace.count, size: usualSize }
        : { protocol, ...(port === undefined ? {} : { port }), count: trace.count, size: trace.size ?? usualSize };
    const { other, inject, everyWay } = trace;
    const asked = { other, inject, everyWay, ...(begun === undefined ? {} : { begun }) };
    const planned = await planner(facts, { subject, place, to, routers, traffic, trace: asked, peer });
    if (!planned.ok) return err({ kind: 'unsupported', because: planned.error });
    return planned.value.length === 0
      ? err({
          kind: 'unsupported',
          because: `nothing of Neutron can send between ${nameOf(subject)} and ${other === 'peer' ? (peer?.text ?? 'it') : other}`,
        })
      : observed(planned.value, ...placed.value.evidence);
  },
);

/** Whether a trace goes to another port of the same instance: that nothing can be sent to this one is then no gap. */
export const tracedElsewhere = source<PortSubject, boolean>(
  'trace.elsewhere',
  (subject) => subject.id,
  async (subject, facts) => {
    const { instance } = subject;
    const ports = instance?.ports;
    if (instance === undefined || ports === undefined) return observed(false);
    const others = ports.value
      .filter((port) => port.id !== subject.id)
      .map(
        (value): PortSubject => ({ kind: 'port', id: value.id, port: { value, evidence: ports.evidence }, instance }),
      );
    const legs = await Promise.all(others.map((other) => facts.get(traceLegs, other)));
    return observed(legs.some((found) => found.ok));
  },
);
