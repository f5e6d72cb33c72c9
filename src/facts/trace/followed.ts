import { type FactResult, observed } from '../../engine/fact.ts';
import type { Trace, TraceExpectation } from '../../engine/trace.ts';
import { isTypeable, quoteArgv } from '../../nodes/quote.ts';
import { familyOf } from '../../path/addresses.ts';
import { groupFromApi, portSecurityFromApi } from '../../path/secgroup/from-api.ts';
import type { Probe } from '../../path/secgroup/model.ts';
import { verdictOf } from '../../path/secgroup/verdict.ts';
import { explainVerdict } from '../../path/secgroup/words.ts';
import { follow } from '../../path/trace/follow.ts';
import { traceOf } from '../../path/trace/model.ts';
import { type Store, source } from '../io.ts';
import { remoteMembers, securityGroups } from '../port-api.ts';
import type { PortSubject } from '../subject.ts';
import type { PlannedLeg } from './leg.ts';
import { type LegRun, traceRuns } from './runs.ts';

/** One stretch as it went, and what that means. */
export interface FollowedLeg {
  /** The command that shows it again. */
  readonly command: string;
  readonly run: LegRun;
  readonly trace: Trace;
}

/** What the security groups of the instance order for the probe: at the last point before it, or where it leaves it at the first. */
async function expectations(
  facts: Store,
  { leg, guest, leaves, addresses }: PlannedLeg,
): Promise<readonly TraceExpectation[]> {
  const { protocol, from, port } = leg.probe;
  if (leaves !== undefined) {
    const probe: Probe = {
      protocol: 'tcp',
      family: 4,
      direction: 'egress',
      remote: leg.probe.to,
      ...(port === undefined ? {} : { port }),
    };
    return ordered(facts, leaves, probe, 0);
  }
  const point = leg.points.length - 1;
  if (guest === undefined || protocol === 'arp' || protocol === 'dhcp' || point < 0) return [];
  const to = addresses.at(-1) ?? leg.probe.to;
  const family = familyOf(to) ?? 4;
  const probe: Probe = {
    protocol,
    family,
    direction: 'ingress',
    ...(protocol === 'icmp' ? { icmpType: family === 4 ? 8 : 128 } : { ...(port === undefined ? {} : { port }) }),
    ...(from === '' ? {} : { remote: from }),
  };
  return ordered(facts, guest, probe, point);
}

async function ordered(
  facts: Store,
  guest: PortSubject,
  probe: Probe,
  point: number,
): Promise<readonly TraceExpectation[]> {
  const [groups, members] = await Promise.all([facts.get(securityGroups, guest), facts.get(remoteMembers, guest)]);
  if (!groups.ok) return [{ point, verdict: 'unknown', because: 'its security groups could not be read' }];
  const verdict = verdictOf(probe, portSecurityFromApi(guest.port.value), groups.value.value.map(groupFromApi), (id) =>
    members.ok ? members.value.value.get(id) : undefined,
  );
  const because = explainVerdict(verdict, probe);
  switch (verdict.kind) {
    case 'allowed':
      return [{ point, verdict: verdict.extent === 'whole' ? 'passes' : 'unknown', because }];
    case 'denied':
      return [{ point, verdict: 'dropped', because }];
    case 'depends':
      return [{ point, verdict: 'unknown', because }];
  }
}

/** Names that somebody chose are quoted; one that cannot be typed is left to the id. */
function commandOf(facts: Store, subject: PortSubject): string {
  const { trace } = facts.io.options;
  const typeable = (name: string | undefined, id: string): string =>
    name !== undefined && isTypeable(name) ? name : id;
  const own = typeable(subject.instance?.name, subject.id);
  const far = trace?.other === 'peer' ? typeable(facts.io.peer?.text, '') : (trace?.other ?? '');
  const { protocol = 'icmp', port } = trace?.probe ?? {};
  const probe = port === undefined ? protocol : `${protocol}/${port}`;
  return quoteArgv([
    'ostk-doctor',
    'trace',
    ...(trace?.reversed === true ? [far, own] : [own, far]),
    ...(probe === 'icmp' ? [] : ['--probe', probe]),
    ...(trace?.inject === true ? ['--inject'] : []),
  ]);
}

/** Every stretch of the trace, followed through its points. */
export const followedLegs = source<PortSubject, readonly FollowedLeg[]>(
  'trace.followed',
  (subject) => subject.id,
  async (subject, facts): Promise<FactResult<readonly FollowedLeg[]>> => {
    const runs = await facts.get(traceRuns, subject);
    if (!runs.ok) return runs;
    const command = commandOf(facts, subject);
    const legs = await Promise.all(
      runs.value.value.runs.map(async (run): Promise<FollowedLeg> => {
        const expected = await expectations(facts, run.planned);
        return { command, run, trace: traceOf(run.observation, follow(run.observation), expected, run.offers) };
      }),
    );
    return observed(legs, ...runs.value.evidence);
  },
);
