import { cloudChecks, instanceChecks, portChecks } from '../checks/registry.ts';
import { matchesCode } from '../engine/diagnosis.ts';
import type { FactStore } from '../engine/fact.ts';
import type { Outcome } from '../engine/outcome.ts';
import type { Playbook, PlaybookStep } from '../engine/playbook.ts';
import { type PlannedCheck, type PlannedStep, plan } from '../engine/runner.ts';
import type { Symptom } from '../engine/symptom.ts';
import type { Trace } from '../engine/trace.ts';
import type { Io } from '../facts/io.ts';
import type { Peer } from '../facts/peer.ts';
import { backendFamily } from '../facts/placement.ts';
import { type InstanceSubject, type PortSubject, shortId, theCloud } from '../facts/subject.ts';
import { countedLegs } from '../facts/trace/counted.ts';
import { followedLegs } from '../facts/trace/followed.ts';
import { isGuestSilent, isLost } from '../path/trace/verdict.ts';
import { conditions, isTraceable } from './conditions.ts';
import { withRestarts } from './restarts.ts';

/** What a walk is about: an instance with its ports, ports alone, or the cloud. */
export interface PlanSubjects {
  readonly instance?: InstanceSubject;
  readonly ports: readonly PortSubject[];
  /** The other end of `--to`. */
  readonly peer?: Peer;
  /** What is complained of. */
  readonly symptom?: Symptom;
}

/** Whether a step has anything to do with what was asked. */
function belongs(step: PlaybookStep, { peer, symptom }: PlanSubjects): boolean {
  switch (step.peer) {
    case 'pair':
    case 'itself':
      return peer?.kind === 'port';
    case 'outside':
      return peer?.kind === 'address';
    case undefined:
      if (symptom === undefined) return step.onlyAsked !== true;
      return step.symptoms === undefined ? step.onlyAsked !== true : step.symptoms.includes(symptom);
  }
}

/** Where somebody complains of exactly this, it is no mere remark. */
const graver = (outcome: Outcome, grave: readonly string[]): Outcome => {
  if (outcome.status !== 'problem' || grave.length === 0) return outcome;
  const [first, ...rest] = outcome.findings.map((f) =>
    grave.some((pattern) => matchesCode(pattern, f.code)) ? { ...f, severity: 'error' as const } : f,
  );
  return first === undefined ? outcome : { ...outcome, findings: [first, ...rest] };
};

/** Why the rest of a trace's walk was not walked. */
const nothingLost = 'no packet of the trace was lost';
const guestSpeaks = 'no packet of the trace came to an instance that said nothing';
export const notNeeded: ReadonlySet<string> = new Set([nothingLost, guestSpeaks]);

/** Turns a playbook into checks on subjects; the order is the playbook's, ports in the order of the API. */
export function planSteps(
  playbook: Playbook,
  only: ReadonlySet<string> | undefined,
  subjects: PlanSubjects,
  facts: FactStore<Io>,
  now: number,
): PlannedStep[] {
  const cloud = new Map(cloudChecks.map((c) => [c.id, c]));
  const instance = new Map(instanceChecks.map((c) => [c.id, c]));
  const port = new Map(portChecks.map((c) => [c.id, c]));
  const { symptom, peer } = subjects;
  const sent = facts.io.options.trace?.probe.protocol;
  const grave = (symptom === undefined ? undefined : playbook.symptoms?.[symptom]?.grave) ?? [];
  const reasonAgainst = (
    names: readonly string[],
    it: InstanceSubject | undefined,
    p: PortSubject | undefined,
  ): string | undefined => {
    for (const name of names) {
      const reason = conditions.get(name)?.(it, p);
      if (reason !== undefined) return reason;
    }
    return undefined;
  };
  const tracesOf = async (ports: readonly PortSubject[]): Promise<readonly Trace[]> =>
    (await Promise.all(ports.map((p) => facts.get(followedLegs, p)))).flatMap((found) =>
      found.ok ? found.value.value.map(({ trace }) => trace) : [],
    );
  const lost = async (): Promise<boolean> => {
    const ports = subjects.ports.filter(isTraceable);
    const some = (await tracesOf(ports)).some(isLost);
    // The walk sends, too: what counts the trace's packets is read before it begins.
    if (some) await Promise.all(ports.map((p) => facts.get(countedLegs, p)));
    // Where nothing could be sent, the walk says why.
    return some || ports.length < subjects.ports.length;
  };
  const silent = async (): Promise<boolean> =>
    (await tracesOf(subjects.ports.filter(isTraceable))).some((trace) => isLost(trace) && isGuestSilent(trace));
  const judgedBy = async (families: readonly string[], p: PortSubject): Promise<boolean> => {
    const family = await facts.get(backendFamily, p);
    return family.ok && families.includes(family.value.value);
  };
  const unless = {
    lost: { holds: lost, reason: nothingLost },
    silent: { holds: silent, reason: guestSpeaks },
  } as const;
  const guarded = (
    check: PlannedCheck,
    names: readonly string[],
    it: InstanceSubject | undefined,
    p: PortSubject | undefined,
    gate: keyof typeof unless | undefined,
  ): PlannedCheck => {
    const reason = reasonAgainst(names, it, p);
    if (reason !== undefined) return { ...check, run: async () => ({ status: 'skipped', reason }) };
    const walked = async (): Promise<Outcome> => withRestarts(graver(await check.run(), grave), facts);
    if (gate === undefined) return { ...check, run: walked };
    const { holds, reason: otherwise } = unless[gate];
    return { ...check, run: async () => ((await holds()) ? walked() : { status: 'skipped', reason: otherwise }) };
  };
  return playbook.steps
    .filter((step) => step.onlyWith === undefined || step.onlyWith.some((probe) => probe === sent))
    .filter((step) => (only === undefined ? belongs(step, subjects) : only.has(step.id) && step.peer === undefined))
    .map((step) => {
      const when = step.when ?? [];
      const always = step.alwaysWith?.some((probe) => probe === sent) === true;
      const gate = step.onlySilent === true ? 'silent' : step.onlyLost === true && !always ? 'lost' : undefined;
      const ofPeer = step.peer === 'itself' && peer?.kind === 'port' ? peer : undefined;
      const it = ofPeer === undefined ? subjects.instance : ofPeer.instance;
      const ports = ofPeer === undefined ? subjects.ports : ofPeer.ports;
      const whose = ofPeer === undefined ? '' : ` of ${ofPeer.name}`;
      const checks = step.checks.flatMap((id): PlannedCheck[] => {
        const ofCloud = cloud.get(id);
        if (ofCloud !== undefined)
          return [guarded(plan(ofCloud, theCloud, 'cloud', facts, now), when, it, undefined, gate)];
        const ofInstance = instance.get(id);
        if (ofInstance !== undefined) {
          return it === undefined
            ? []
            : [guarded(plan(ofInstance, it, it.name, facts, now), when, it, undefined, gate)];
        }
        const ofPort = port.get(id);
        if (ofPort === undefined) throw new Error(`the playbook names ${id}, which no check has`);
        const { families } = ofPort;
        return ports.map((p) => ({
          ...guarded(plan(ofPort, p, `port ${shortId(p.id)}${whose}`, facts, now), when, it, p, gate),
          ...(families === undefined ? {} : { applies: () => judgedBy(families, p) }),
        }));
      });
      return { id: step.id, title: step.title, checks };
    });
}
