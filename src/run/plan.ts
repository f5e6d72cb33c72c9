import { cloudChecks, instanceChecks, portChecks } from '../checks/registry.ts';
import type { FactStore } from '../engine/fact.ts';
import type { Playbook } from '../engine/playbook.ts';
import { type PlannedCheck, type PlannedStep, plan } from '../engine/runner.ts';
import type { Io } from '../facts/io.ts';
import { type InstanceSubject, type PortSubject, shortId, theCloud } from '../facts/subject.ts';
import { conditions } from './conditions.ts';

/** What a walk is about: an instance with its ports, ports alone, or the cloud. */
export interface PlanSubjects {
  readonly instance?: InstanceSubject;
  readonly ports: readonly PortSubject[];
}

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
  const reasonAgainst = (names: readonly string[], p: PortSubject | undefined): string | undefined => {
    for (const name of names) {
      const reason = conditions.get(name)?.(subjects.instance, p);
      if (reason !== undefined) return reason;
    }
    return undefined;
  };
  const guarded = (check: PlannedCheck, names: readonly string[], p: PortSubject | undefined): PlannedCheck => {
    const reason = reasonAgainst(names, p);
    return reason === undefined ? check : { ...check, run: async () => ({ status: 'skipped', reason }) };
  };
  return playbook.steps
    .filter((step) => only === undefined || only.has(step.id))
    .map((step) => {
      const when = step.when ?? [];
      const checks = step.checks.flatMap((id): PlannedCheck[] => {
        const ofCloud = cloud.get(id);
        if (ofCloud !== undefined) return [guarded(plan(ofCloud, theCloud, 'cloud', facts, now), when, undefined)];
        const ofInstance = instance.get(id);
        if (ofInstance !== undefined) {
          const it = subjects.instance;
          return it === undefined ? [] : [guarded(plan(ofInstance, it, it.name, facts, now), when, undefined)];
        }
        const ofPort = port.get(id);
        if (ofPort === undefined) throw new Error(`the playbook names ${id}, which no check has`);
        return subjects.ports.map((p) => guarded(plan(ofPort, p, `port ${shortId(p.id)}`, facts, now), when, p));
      });
      return { id: step.id, title: step.title, checks };
    });
}
