import { specsByCode } from '../checks/registry.ts';
import { conclude } from '../engine/diagnosis.ts';
import type { RunEvent } from '../engine/events.ts';
import { FactStore } from '../engine/fact.ts';
import type { Severity } from '../engine/finding.ts';
import type { Playbook } from '../engine/playbook.ts';
import type { AskedSummary, ExitCode, RunReport, StepReport, TargetSummary } from '../engine/report.ts';
import { runSteps } from '../engine/runner.ts';
import { type Symptom, symptomTitles } from '../engine/symptom.ts';
import { projectName } from '../facts/cloud-api.ts';
import type { Io } from '../facts/io.ts';
import type { Peer } from '../facts/peer.ts';
import { floatingIps, portNetwork } from '../facts/port-api.ts';
import { instanceCell, isBuried } from '../facts/schedule/cells.ts';
import { isUnplaced } from '../facts/schedule/unplaced.ts';
import { computeHostOf } from '../facts/subject.ts';
import { quoteArgv } from '../nodes/quote.ts';
import type { Door } from './doors.ts';
import { drawPaths } from './draw.ts';
import { resolvePeer } from './endpoint.ts';
import { matricesOf } from './matrices.ts';
import { notNeeded, planSteps } from './plan.ts';
import { resolveWish, scheduleOf } from './schedules.ts';
import { resolveTarget, type Target } from './target.ts';
import { tracesOf } from './traces.ts';

/** What one run of the engine is asked to do. */
export interface WalkRequest {
  /** As typed, for the report: `net web-1`. */
  readonly command: string;
  readonly target?: string;
  /** A port's id may stand for the target. */
  readonly allowPort: boolean;
  /** Steps of the playbook to walk; all of them when undefined. */
  readonly steps?: ReadonlySet<string>;
  readonly failOn: Severity | 'never';
  readonly version: string;
}

const order = { error: 0, warning: 1, info: 2 } as const;

/** DESIGN: 130 stopped by the operator, 4 our own bug, 1 a problem at or above --fail-on, 3 something needed could not be looked at, 0 clean. */
function exitCodeOf(
  steps: readonly StepReport[],
  diagnosis: RunReport['diagnosis'],
  failOn: WalkRequest['failOn'],
  interrupted: boolean,
): ExitCode {
  if (interrupted) return 130;
  const outcomes = steps.flatMap((s) => s.checks.map((c) => c.outcome));
  if (outcomes.some((o) => o.status === 'unknown')) return 4;
  // A cause is as grave as what hangs on it.
  const found = [...diagnosis.causes.flatMap((c) => [c.finding, ...c.explains]), ...diagnosis.remarks];
  if (failOn !== 'never' && found.some((f) => order[f.severity] <= order[failOn])) return 1;
  return outcomes.some((o) => o.status === 'blocked') ? 3 : 0;
}

function nextCommand(request: WalkRequest, diagnosis: RunReport['diagnosis'], target: Target | undefined): string {
  const [cause] = diagnosis.causes;
  const name = target?.kind === 'instance' ? target.instance.name : request.target;
  const isSchedule = request.command.split(' ')[0] === 'schedule';
  if (cause !== undefined) {
    const unplaced = /^OSD-(SCHED-\d+|VM-005)$/.test(cause.finding.code);
    return unplaced && !isSchedule && name !== undefined
      ? `ostk-doctor schedule ${quoteArgv([name])}`
      : `ostk-doctor explain ${cause.finding.code}`;
  }
  if (isSchedule && name === undefined) return '';
  return name === undefined ? 'ostk-doctor checks' : `ostk-doctor net ${quoteArgv([name])} -v`;
}

async function summaryOf(target: Target, facts: FactStore<Io>, isSchedule: boolean): Promise<TargetSummary> {
  const addresses = await Promise.all(
    target.ports.map(async (p) => {
      const [floating, network] = await Promise.all([facts.get(floatingIps, p), facts.get(portNetwork, p)]);
      return p.port.value.fixed_ips.map((f) => {
        const outside = floating.ok ? floating.value.value.find((x) => x.fixed_ip_address === f.ip_address) : undefined;
        return {
          fixed: f.ip_address,
          network: network.ok ? network.value.value.name : p.port.value.network_id.slice(0, 8),
          ...(outside === undefined ? {} : { floating: outside.floating_ip_address }),
        };
      });
    }),
  );
  if (target.kind === 'port') {
    const [port] = target.ports;
    return {
      name: `port ${port?.id.slice(0, 8) ?? ''}`,
      id: port?.id ?? '',
      status: port?.port.value.status ?? '',
      addresses: addresses.flat(),
    };
  }
  const server = target.instance.server.value;
  const host = server['OS-EXT-SRV-ATTR:host'];
  const named = server.tenant_id === undefined ? undefined : await facts.get(projectName, server.tenant_id);
  const asksCell = isSchedule || isUnplaced(server) || isBuried(server);
  const located = asksCell ? await facts.get(instanceCell, target.instance) : undefined;
  const project = named?.ok === true ? named.value.value : server.tenant_id?.slice(0, 8);
  return {
    name: server.name,
    id: server.id,
    status: server.status,
    ...(host ? { host } : {}),
    ...(located?.ok === true && located.value.value.cell !== undefined ? { cell: located.value.value.cell } : {}),
    ...(project === undefined ? {} : { project }),
    addresses: addresses.flat(),
  };
}

function askedOf(symptom: Symptom | undefined, peer: Peer | undefined): AskedSummary | undefined {
  if (symptom === undefined && peer === undefined) return undefined;
  const [first] = peer?.kind === 'port' ? peer.ports : [];
  const host = first === undefined ? undefined : computeHostOf(first);
  const address = peer?.address ?? first?.port.value.fixed_ips[0]?.ip_address ?? '';
  const id = peer?.kind === 'port' ? (peer.instance?.id ?? first?.id) : undefined;
  return {
    ...(symptom === undefined ? {} : { symptom: { name: symptom, title: symptomTitles[symptom] } }),
    ...(peer === undefined
      ? {}
      : {
          peer: {
            name: peer.kind === 'port' ? peer.name : peer.address,
            address,
            ...(host === undefined ? {} : { host }),
            ...(id === undefined ? {} : { id }),
          },
        }),
  };
}

/** Resolves the target, walks the playbook, and draws the conclusion. Throws UserError when there is nothing to walk. */
export async function walk(
  door: Door,
  playbook: Playbook,
  request: WalkRequest,
  emit: (event: RunEvent) => void,
): Promise<RunReport> {
  const now = door.io.clock.now();
  const startedAt = new Date(now).toISOString();
  emit({ type: 'run.start', command: request.command, startedAt });
  const { symptom, to } = door.io.options;
  const warm = (host: string): void => door.io.nodes.warm(host);
  const finding =
    request.target === undefined ? undefined : resolveTarget(door.cloud, request.target, request.allowPort, warm);
  const [target, peer] = await Promise.all([
    finding,
    finding === undefined || to === undefined ? undefined : resolvePeer(door.cloud, to, finding, warm),
  ]);
  const facts = new FactStore<Io>(peer === undefined ? door.io : { ...door.io, peer });
  if (playbook.name === 'schedule') await resolveWish(target, facts);
  const server = target?.kind === 'instance' ? target.instance.server.value : undefined;
  // Only for the first line of the report: asked now, so that nobody waits for it at the end.
  if (server?.tenant_id !== undefined) void facts.get(projectName, server.tenant_id);
  const planned = planSteps(
    playbook,
    request.steps,
    target === undefined
      ? { ports: [] }
      : {
          ports: target.ports,
          ...(target.kind === 'instance' ? { instance: target.instance } : {}),
          ...(peer === undefined ? {} : { peer }),
          ...(symptom === undefined ? {} : { symptom }),
        },
    facts,
    now,
  );
  const steps = (await runSteps(planned, emit)).filter(
    (step) => !step.checks.every(({ outcome }) => outcome.status === 'skipped' && notNeeded.has(outcome.reason)),
  );
  const diagnosis = conclude(
    steps,
    specsByCode,
    symptom === undefined ? [] : (playbook.symptoms?.[symptom]?.shows ?? []),
  );
  const asked = askedOf(symptom, peer);
  const counts = { ok: 0, problem: 0, skipped: 0, blocked: 0, unknown: 0 };
  for (const step of steps) for (const check of step.checks) counts[check.outcome.status] += 1;
  const [paths, matrices, traces, schedule, summary] = await Promise.all([
    target === undefined || playbook.name === 'schedule' ? [] : drawPaths(target.ports, facts, steps),
    target === undefined || playbook.name === 'schedule' ? [] : matricesOf(target.ports, facts, steps),
    target === undefined ? [] : tracesOf(target.ports, facts),
    playbook.name === 'schedule' ? scheduleOf(target, facts) : undefined,
    target === undefined ? undefined : summaryOf(target, facts, playbook.name === 'schedule'),
  ]);
  const report: RunReport = {
    schemaVersion: 1,
    tool: { name: 'ostk-doctor', version: request.version },
    command: request.command,
    cloud: { name: door.cloud.name, ...(door.cloud.region === undefined ? {} : { region: door.cloud.region }) },
    ...(summary === undefined ? {} : { target: summary }),
    ...(asked === undefined ? {} : { asked }),
    startedAt,
    elapsedMs: Math.round(door.elapsedMs()),
    paths,
    matrices,
    ...(traces.length === 0 ? {} : { traces }),
    ...(schedule === undefined ? {} : { schedule }),
    steps,
    diagnosis,
    counts,
    traffic: door.traffic(),
    next: nextCommand(request, diagnosis, target),
    exitCode: exitCodeOf(steps, diagnosis, request.failOn, door.interrupted()),
  };
  return report;
}
