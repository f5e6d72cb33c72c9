import { blocked, judged, skipped } from '../../engine/check.ts';
import type { FactResult, Observed } from '../../engine/fact.ts';
import type { FindingSpec } from '../../engine/finding.ts';
import type { Outcome } from '../../engine/outcome.ts';
import { type Resolution, resolutions } from '../../facts/neighbour.ts';
import type { PingRun, Pings } from '../../facts/ping.ts';
import { remoteMembers, securityGroups } from '../../facts/port-api.ts';
import type { ApiSecurityGroup } from '../../facts/schemas/network.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { judgePings } from './judge-pings.ts';

/** What refines the judgement of every ping into an instance. */
export const besides = { groups: securityGroups, members: remoteMembers, resolutions };

export interface Besides {
  readonly groups: FactResult<readonly ApiSecurityGroup[]>;
  readonly members: FactResult<ReadonlyMap<string, readonly string[]>>;
  readonly resolutions: FactResult<readonly Resolution[]>;
}

/** Pings into the instance from one kind of namespace; `none` says why there may be no such namespace. */
export function judgeInto(
  subject: PortSubject,
  pings: Observed<Pings>,
  maybe: Besides,
  more: {
    readonly spec: FindingSpec;
    readonly none: string;
    readonly rulesOut: string;
    readonly sourceOf: (run: PingRun) => string | undefined;
    readonly sentence: (run: PingRun, arp: string) => string;
  },
): Outcome {
  const { runs, notSent } = pings.value;
  const [lost] = notSent;
  if (runs.length === 0) {
    if (lost === undefined) return skipped(more.none);
    return lost.failure.kind === 'not-found'
      ? skipped(`no ${lost.from} namespace on ${lost.host} to ping from`)
      : blocked(lost.failure);
  }
  const result = judgePings(
    subject,
    pings,
    {
      groups: maybe.groups.ok ? maybe.groups.value.value : undefined,
      members: maybe.members.ok ? maybe.members.value.value : undefined,
      resolutions: maybe.resolutions.ok ? maybe.resolutions.value.value : [],
      sourceOf: more.sourceOf,
    },
    more.spec,
    more.sentence,
  );
  const answered = runs.some((run) => run.ping.received > 0);
  return judged(result.findings, result.note, result.evidence, answered ? [more.rulesOut] : []);
}
