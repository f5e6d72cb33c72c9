import { defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Finding, Remedy } from '../../engine/finding.ts';
import { advice, byOperator, findingOf, restartOf } from '../../engine/finding-of.ts';
import { agents } from '../../facts/cloud-api.ts';
import { type Io, showing, source } from '../../facts/io.ts';
import { portBindings, portItself, portNetwork } from '../../facts/port-api.ts';
import type { Agent } from '../../facts/schemas/network.ts';
import { computeHostOf, type PortSubject, shortId, theCloud } from '../../facts/subject.ts';
import { agentName, ownerName, portScope, verifyWith } from '../scope.ts';
import { bindingFailed, boundElsewhere, secondBinding } from './codes.ts';

const allAgents = source<PortSubject, readonly Agent[]>(
  'port.all-agents',
  (s) => s.id,
  (_, facts) => facts.get(agents, theCloud),
);

const isPlugging = (a: Agent): boolean => !/^neutron-(l3|dhcp|metadata|ovn-metadata)-agent$/.test(a.binary);

/** Why no driver took the port, as far as the agents' own words tell. */
function whyFailed(
  there: readonly Agent[],
  host: string,
  type: string | undefined,
  physical: string | undefined,
): string {
  if (there.length === 0) return `no L2 agent is registered on ${host}`;
  const dead = there.filter((a) => !a.alive);
  if (dead.length === there.length)
    return `the L2 agent on ${host} (${dead.map((a) => a.binary).join(', ')}) is not alive`;
  if (physical !== undefined) {
    const maps = there.flatMap((a) => [
      ...Object.keys(a.configurations?.bridge_mappings ?? {}),
      ...Object.keys(a.configurations?.interface_mappings ?? {}),
    ]);
    if (!maps.includes(physical)) {
      return `the agent on ${host} has no mapping of ${physical} (it has: ${maps.join(', ') || 'none'})`;
    }
  }
  if (type === 'vxlan' || type === 'gre' || type === 'geneve') {
    if (!there.some((a) => a.configurations?.tunnel_types?.includes(type))) {
      return `the agent on ${host} has no ${type} tunnels enabled`;
    }
  }
  return `the agents on ${host} look fitting now: it failed when it was tried`;
}

const needs = { port: portItself };
const optional = { network: portNetwork, agents: allAgents, bindings: portBindings };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'port.bound',
  per: 'port',
  title: 'The port is bound on the host of its instance',
  needs,
  optional,
  findings: [bindingFailed, boundElsewhere, secondBinding],
  judge: ({ subject, facts, maybe }) => {
    const p = facts.port.value;
    const [evidence] = facts.port.evidence;
    if (evidence === undefined) throw new Error('a port without evidence');
    const vif = p['binding:vif_type'];
    const bound = p['binding:host_id'];
    if (vif === undefined && bound === undefined) return skipped('the binding is hidden from these credentials');
    const host = computeHostOf(subject);
    const server = subject.instance?.server.value;
    const findings: Finding[] = [];
    if (vif === 'binding_failed') {
      const target = bound || host || 'its host';
      const network = maybe.network.ok ? maybe.network.value.value : undefined;
      const there = maybe.agents.ok ? maybe.agents.value.value.filter((a) => a.host === target && isPlugging(a)) : [];
      const physical = network?.['provider:physical_network'] ?? undefined;
      const why = maybe.agents.ok
        ? whyFailed(there, target, network?.['provider:network_type'] ?? undefined, physical)
        : 'the agents could not be asked';
      const agentEvidence = maybe.agents.ok
        ? maybe.agents.value.evidence.map((e) =>
            showing(
              e,
              there.map(
                (a) =>
                  `${a.binary}@${a.host} alive=${a.alive} mappings=${JSON.stringify({ ...a.configurations?.bridge_mappings, ...a.configurations?.interface_mappings })}`,
              ),
            ),
          )
        : [];
      const remedy: Remedy = {
        title: 'once the agent can bind it: bind again by moving the instance, or by recreating it',
        risk: 'disruptive',
        sufficient: false,
        steps: [
          byOperator(['openstack', 'network', 'agent', 'list', '--host', target]),
          ...(physical === undefined
            ? []
            : [
                advice(
                  `${physical} must be mapped on ${target} (bridge_mappings / physical_interface_mappings of its L2 agent), or the instance must go to a host that has it`,
                ),
              ]),
        ],
      };
      findings.push(
        findingOf(bindingFailed, {
          summary: `Port ${shortId(p.id)} of ${ownerName(subject)} could not be bound on ${target}: ${why}`,
          subject: `port ${shortId(p.id)}@${target}`,
          scope: portScope(subject, { host: [target], agent: there.map((a) => agentName(a.binary, a.host)) }),
          evidence: [
            showing(
              evidence,
              `binding:vif_type ${vif}, binding:host_id ${bound ?? ''}, network ${network?.name ?? p.network_id} (${network?.['provider:network_type'] ?? '?'} ${physical ?? ''})`,
            ),
            ...agentEvidence,
          ],
          remedies: [remedy],
          verify: verifyWith('port', subject),
        }),
      );
    } else if (bound && host && bound !== host) {
      const migrating = server?.['OS-EXT-STS:task_state'] === 'migrating';
      findings.push(
        findingOf(boundElsewhere, {
          summary: `${ownerName(subject)} runs on ${host}, but its port ${shortId(p.id)} is bound on ${bound}`,
          subject: `port ${shortId(p.id)}`,
          scope: portScope(subject, { host: [host, bound] }),
          severity: migrating ? 'info' : 'error',
          evidence: [showing(evidence, `binding:host_id ${bound}, OS-EXT-SRV-ATTR:host ${host}`)],
          remedies: [
            {
              // A hard reboot plugs the instance in again and leaves the binding as it is.
              title: 'bind it where the instance runs',
              risk: 'brief-interruption',
              sufficient: true,
              steps: [
                byOperator(['openstack', 'port', 'set', '--host', host, p.id]),
                ...(maybe.agents.ok ? maybe.agents.value.value : [])
                  .filter((a) => a.host === host && isPlugging(a))
                  .map((a) => restartOf(host, a.binary, 'so that it wires the port')),
              ],
            },
          ],
          verify: verifyWith('port', subject),
        }),
      );
    }
    if (
      maybe.bindings.ok &&
      maybe.bindings.value.value.length > 1 &&
      server?.['OS-EXT-STS:task_state'] !== 'migrating'
    ) {
      const rows = maybe.bindings.value.value;
      const inactive = rows.find((b) => b.status !== 'ACTIVE');
      const [seen] = maybe.bindings.value.evidence;
      findings.push(
        findingOf(secondBinding, {
          summary: `Port ${shortId(p.id)} has ${rows.length} bindings: ${rows.map((b) => `${b.host} ${b.status}`).join(', ')}`,
          subject: `port ${shortId(p.id)}`,
          scope: portScope(subject),
          evidence: [
            showing(
              seen ?? evidence,
              rows.map((b) => `${b.host} ${b.status} ${b.vif_type ?? ''}`),
            ),
          ],
          remedies:
            inactive === undefined
              ? []
              : [
                  {
                    title: 'delete the left-over binding when no migration runs',
                    risk: 'reversible',
                    sufficient: true,
                    steps: [
                      advice(
                        `DELETE /v2.0/ports/${p.id}/bindings/${inactive.host} (the openstack client has no command for it)`,
                      ),
                    ],
                  },
                ],
          verify: verifyWith('port', subject),
        }),
      );
    }
    return judged(
      findings,
      `${shortId(p.id)} bound ${vif ?? '(type hidden)'} on ${bound || '(host hidden)'}`,
      facts.port.evidence,
      ['binding'],
    );
  },
});
