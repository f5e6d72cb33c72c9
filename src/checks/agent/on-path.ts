import { span, utcMillis } from '../../engine/age.ts';
import { blocked, defineCheck, judged } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { FactResult } from '../../engine/fact.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding, FindingSpec } from '../../engine/finding.ts';
import { advice, byOperator, findingOf, onHost, restartOf } from '../../engine/finding-of.ts';
import { type ProcessState, processStates } from '../../facts/agent-process.ts';
import { agents } from '../../facts/cloud-api.ts';
import { hostServices } from '../../facts/host.ts';
import { type Io, showing, source } from '../../facts/io.ts';
import { pathLogs } from '../../facts/logs.ts';
import { onPathHosts, pathHosts, placement } from '../../facts/placement.ts';
import type { Agent } from '../../facts/schemas/network.ts';
import { type PortSubject, theCloud } from '../../facts/subject.ts';
import type { ServiceState } from '../../nodes/layouts/layout.ts';
import { type LogRecord, parseOsloLog } from '../../nodes/parse/oslo-log.ts';
import { ageOf } from '../log-age.ts';
import { agentName, portScope, verifyWith } from '../scope.ts';
import {
  deadForOpenstack,
  deadUnseen,
  disabled,
  endsAgain,
  frozen,
  justStopped,
  missing,
  processDown,
  queueRefuses,
} from './codes.ts';

const all = source<PortSubject, readonly Agent[]>(
  'port.agents',
  (s) => s.id,
  (_, facts) => facts.get(agents, theCloud),
);

const needs = { agents: all, placement, hosts: pathHosts };
const optional = { services: onPathHosts(hostServices), logs: pathLogs, states: processStates };

/** What an agent is for, in a person's words. */
const roles: Readonly<Record<string, string>> = {
  'neutron-l3-agent': 'L3',
  'neutron-dhcp-agent': 'DHCP',
  'neutron-metadata-agent': 'metadata',
};

interface Wanted {
  readonly host: string;
  readonly binary: string;
}

type NodeView =
  | { readonly kind: 'seen'; readonly state: ServiceState; readonly evidence: Evidence }
  | { readonly kind: 'unseen'; readonly failure?: FactFailure };

const nodeView = (services: ReadonlyMap<string, FactResult<readonly ServiceState[]>>, wanted: Wanted): NodeView => {
  const there = services.get(wanted.host);
  if (there === undefined) return { kind: 'unseen' };
  if (!there.ok) return { kind: 'unseen', failure: there.error };
  const state = there.value.value.find((s) => s.service === wanted.binary);
  const [evidence] = there.value.evidence;
  return state === undefined || evidence === undefined ? { kind: 'unseen' } : { kind: 'seen', state, evidence };
};

/** What the log of an agent ends with, and what the kernel says of its process. */
interface Closer {
  readonly frozen: Evidence | undefined;
  readonly refused: Evidence | undefined;
  /** Its last error, when it is fresh. */
  readonly lastError: Evidence | undefined;
  /** That error came after its last heartbeat: whoever reported since did not end by it. */
  readonly silentSince: boolean;
  /** It was started less than a minute ago. */
  readonly young: boolean;
}

/** An agent that keeps ending writes an error with each start, and a start takes seconds. */
const freshSeconds = 300;

/** RabbitMQ's words for a wrong name or password (amqp 0-9-1, 403), as oslo.messaging and amqp write them. */
const refusal = /ACCESS_REFUSED|AccessRefused|Login was refused/;

/** Which of the codes fits what the API and the node say of one agent; undefined when both are content. */
function verdict(agent: Agent | undefined, node: NodeView, closer: Closer): FindingSpec | undefined {
  const running = node.kind === 'seen' && (node.state.state === 'active' || node.state.state === 'activating');
  const stopped = node.kind === 'seen' && !running;
  if (agent === undefined) return missing;
  if (!agent.alive && closer.frozen !== undefined) return frozen;
  // Refused while it starts, an agent ends without an error of systemd's; refused later, it goes on trying.
  if (!agent.alive && node.kind === 'seen' && closer.refused !== undefined) return queueRefuses;
  // `activating` is between two starts; a young start with a fresh error is just after one.
  const restarting = node.kind === 'seen' && (node.state.state === 'activating' || node.state.state === 'failed');
  if (restarting && closer.lastError !== undefined) return endsAgain;
  if (!agent.alive && running && closer.lastError !== undefined && closer.silentSince && closer.young) return endsAgain;
  if (!agent.alive) return stopped ? processDown : running ? deadForOpenstack : deadUnseen;
  // A unit this layout does not know is no proof: the agent reports, so it runs under another name.
  if (stopped && node.state.state !== 'absent') return justStopped;
  if (!agent.admin_state_up) return disabled;
  return undefined;
}

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'agent.on-path',
  per: 'port',
  title: 'The agents on the path are alive, for OpenStack and on their nodes',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [
    processDown,
    justStopped,
    deadForOpenstack,
    deadUnseen,
    disabled,
    missing,
    frozen,
    queueRefuses,
    endsAgain,
  ],
  judge: ({ subject, facts, maybe, now }) => {
    const { backend } = facts.placement.value;
    const hosts = facts.hosts.value;
    const [evidence] = facts.agents.evidence;
    if (evidence === undefined) throw new Error('a list of agents without evidence');
    // Neutron answers a tenant without the right to see agents with an empty list, not with 403.
    if (facts.agents.value.length === 0) {
      return blocked({
        kind: 'forbidden',
        what: 'GET /v2.0/agents',
        need: 'admin rights, or the reader role on system scope: the list of agents comes back empty',
      });
    }
    const l2 = backend.agents('compute');
    const network = backend.agents('network');
    const wanted: Wanted[] = [];
    const want = (host: string, binaries: readonly string[]): void => {
      for (const binary of binaries) {
        if (!wanted.some((w) => w.host === host && w.binary === binary)) wanted.push({ host, binary });
      }
    };
    if (hosts.compute !== undefined) want(hosts.compute, l2);
    for (const host of hosts.dhcp)
      want(
        host,
        network.filter((b) => b !== 'neutron-l3-agent'),
      );
    for (const host of hosts.routers.values())
      want(
        host,
        network.filter((b) => b !== 'neutron-dhcp-agent'),
      );

    const services = maybe.services.ok
      ? maybe.services.value.value
      : new Map<string, FactResult<readonly ServiceState[]>>();
    const logs = maybe.logs.ok ? maybe.logs.value.value.logs : [];
    const states = maybe.states.ok ? maybe.states.value.value : new Map<string, FactResult<readonly ProcessState[]>>();
    const findings: Finding[] = [];
    let blind: FactFailure | undefined;
    for (const w of wanted) {
      const agent = facts.agents.value.find((a) => a.host === w.host && a.binary === w.binary);
      const node = nodeView(services, w);
      if (node.kind === 'unseen' && node.failure !== undefined) blind ??= node.failure;
      const beat = agent?.heartbeat_timestamp;
      const closer = lookCloser(w, node, beat ? utcMillis(beat) : undefined);
      const spec = verdict(agent, node, closer);
      if (spec === undefined) continue;
      const age = beat ? span((now - utcMillis(beat)) / 1000) : undefined;
      const unit = node.kind === 'seen' ? node.state.unit : w.binary;
      const api =
        agent === undefined
          ? `no ${w.binary} on ${w.host}`
          : `${w.binary}@${w.host} alive=${agent.alive} admin_state_up=${agent.admin_state_up} heartbeat ${beat ?? 'never'} (${age ?? '?'} ago)`;
      const more = spec === frozen ? closer.frozen : spec === queueRefuses ? closer.refused : closer.lastError;
      const seen: Evidence[] = [
        ...(node.kind === 'seen' ? [showing(node.evidence, `${unit}: ${node.state.detail || node.state.state}`)] : []),
        ...(more === undefined || (spec !== frozen && spec !== queueRefuses && spec !== endsAgain) ? [] : [more]),
      ];
      findings.push(
        findingOf(spec, {
          summary: sentence(spec, w, unit, age, node),
          subject: `agent ${agentName(w.binary, w.host)}`,
          // A disabled DHCP or L3 agent takes down what it holds; a disabled L2 agent goes on with what is bound.
          ...(spec === disabled && /-(?:l3|dhcp)-agent$/.test(w.binary) ? { severity: 'error' as const } : {}),
          scope: portScope(subject, { host: [w.host], agent: [agentName(w.binary, w.host)] }),
          evidence: [showing(evidence, api), ...seen],
          remedies: [
            spec === disabled && agent !== undefined
              ? {
                  title: 'enable the agent',
                  risk: 'none',
                  sufficient: true,
                  steps: [byOperator(['openstack', 'network', 'agent', 'set', '--enable', agent.id])],
                }
              : spec === queueRefuses || spec === endsAgain
                ? {
                    title:
                      spec === queueRefuses
                        ? 'correct the user name and the password of the message queue, then restart the agent'
                        : 'mend what the last error names, then restart the agent',
                    risk: 'none',
                    sufficient: false,
                    steps: [
                      advice(
                        spec === queueRefuses
                          ? 'transport_url in the configuration files that the agent is started with (ps shows them)'
                          : "the last error of the agent's log is above",
                        w.host,
                      ),
                      restartOf(w.host, w.binary),
                    ],
                  }
                : spec === deadForOpenstack
                  ? {
                      title: `find what stops ${w.host} from reaching the message queue`,
                      risk: 'none',
                      sufficient: false,
                      steps: [
                        onHost(w.host, ['journalctl', '-u', unit, '-n', '50', '--no-pager']),
                        onHost(w.host, ['ss', '-tnp', 'state', 'syn-sent']),
                        advice(
                          'a SYN-SENT towards port 5672 (or 5671) that never connects is a closed way to RabbitMQ',
                          w.host,
                        ),
                      ],
                    }
                  : { title: 'start the agent', risk: 'none', sufficient: true, steps: [restartOf(w.host, w.binary)] },
          ],
          verify: verifyWith('net', subject),
        }),
      );
    }
    function lookCloser(w: Wanted, node: NodeView, beat: number | undefined): Closer {
      const processes = states.get(w.host);
      const stopped =
        processes?.ok === true
          ? processes.value.value.filter((p) => /^[Tt]/.test(p.state) && p.args.includes(w.binary))
          : [];
      const [stateEvidence] = processes?.ok === true ? processes.value.evidence : [];
      const log = logs.find((l) => l.host === w.host && l.service === w.binary);
      const parsed = log === undefined ? undefined : parseOsloLog(log.lines.join('\n'));
      const fresh =
        log === undefined || parsed?.ok !== true
          ? []
          : parsed.value.filter((r) => {
              const age = ageOf(r, log, now);
              return age !== undefined && age <= freshSeconds;
            });
      const shown = (r: LogRecord | undefined): Evidence | undefined =>
        log === undefined || r === undefined
          ? undefined
          : showing(
              log.evidence,
              [`${r.at} ${r.level} ${r.logger} ${r.message}`, ...r.more.slice(-1)].join('\n').slice(0, 500),
            );
      const since = node.kind === 'seen' ? Date.parse(node.state.since ?? '') : Number.NaN;
      const last =
        fresh.findLast((r) => r.level === 'CRITICAL') ??
        fresh.findLast((r) => r.level === 'ERROR' && !r.logger.startsWith('oslo.messaging'));
      const lastAge = last === undefined || log === undefined ? undefined : ageOf(last, log, now);
      return {
        frozen:
          stopped.length === 0 || stateEvidence === undefined
            ? undefined
            : showing(
                stateEvidence,
                stopped.slice(0, 3).map((p) => `${p.pid} ${p.state} ${p.args.slice(0, 120)}`),
              ),
        refused: shown(fresh.findLast((r) => refusal.test(r.message) || r.more.some((m) => refusal.test(m)))),
        lastError: shown(last),
        silentSince: beat === undefined || lastAge === undefined || now - lastAge * 1000 >= beat,
        young: !Number.isNaN(since) && now - since < 60_000,
      };
    }

    if (findings.length === 0 && blind !== undefined) return blocked(blind);
    const beats = wanted.flatMap((w) => {
      const beat = facts.agents.value.find((a) => a.host === w.host && a.binary === w.binary)?.heartbeat_timestamp;
      return beat ? [(now - utcMillis(beat)) / 1000] : [];
    });
    const groups = new Map<string, string[]>();
    for (const w of wanted) {
      const role = roles[w.binary] ?? 'L2';
      groups.set(role, [...(groups.get(role) ?? []), w.host]);
    }
    const note = `${[...groups].map(([role, list]) => `${role} ${list.join(', ')}`).join(' · ')}: all alive${beats.length === 0 ? '' : `, last beat at most ${span(Math.max(...beats))} ago`}`;
    return judged(findings, note, [evidence], ['agents']);
  },
});

function sentence(spec: FindingSpec, w: Wanted, unit: string, age: string | undefined, node: NodeView): string {
  const state = node.kind === 'seen' ? node.state.state : 'unseen';
  switch (spec.code) {
    case missing.code:
      return `${w.host} has no ${w.binary}: Neutron never heard of one there`;
    case processDown.code:
      return `${unit} on ${w.host} is ${state}; Neutron has had no heartbeat from it for ${age ?? 'a while'}`;
    case justStopped.code:
      return `${unit} on ${w.host} is ${state}, though Neutron still calls it alive (last heartbeat ${age ?? '?'} ago)`;
    case deadForOpenstack.code:
      return `${w.binary} on ${w.host} runs, but its heartbeats do not reach Neutron (last ${age ?? '?'} ago)`;
    case frozen.code:
      return `${w.binary} on ${w.host} is frozen: its process is stopped by a signal, and Neutron has had no heartbeat for ${age ?? 'a while'}`;
    case queueRefuses.code:
      return `The message queue refuses ${w.binary} on ${w.host}: wrong user name or password (last heartbeat ${age ?? '?'} ago)`;
    case endsAgain.code:
      return `${w.binary} on ${w.host} does not stay up (${unit} is ${state})`;
    case disabled.code:
      return `${w.binary} on ${w.host} is administratively disabled`;
    default:
      return `${w.binary} on ${w.host} is dead for OpenStack (last heartbeat ${age ?? 'never'} ago); its node could not be looked at`;
  }
}
