import { type FactResult, observed } from '../../engine/fact.ts';
import { switchFlow } from '../../path/trace/switch-flow.ts';
import { hostOvs } from '../host.ts';
import { type Store, source } from '../io.ts';
import type { PortSubject } from '../subject.ts';
import { followedLegs } from './followed.ts';
import { putIn } from './frames.ts';
import type { PlannedLeg } from './leg.ts';
import { type Account, accountOf, entrance, tunnelWords } from './opinions.ts';

/** A connection that is new to connection tracking, in every zone that asks. */
const asNew = ['--ct-next', 'trk,new', '--ct-next', 'trk,new'];

/** At the instance's own switch, and where it lets the packet into the tunnel to the server's host, at the switch there. */
async function accountsOf(facts: Store, planned: PlannedLeg): Promise<readonly Account[]> {
  const { asks, server, leg } = planned;
  if (asks === undefined) return [];
  const flow = switchFlow(putIn(asks) ?? []);
  const at = asks.injected;
  if (flow === undefined || at === undefined) return [];
  const state = asks.leg.probe.protocol === 'tcp' ? asNew : [];
  const own = await accountOf(facts, asks.leg.sender.host, at, flow, state);
  const arrival = leg.points.find((p) => p.host === server?.host && p.only !== 'there' && p.wears.kind === 'tunnel');
  const far = arrival?.wears.kind === 'tunnel' ? arrival.wears.endpoints[0] : undefined;
  if (own === undefined || arrival === undefined || far === undefined || !own.says.tunnels.includes(far)) {
    return own === undefined ? [] : [own];
  }
  const ovs = await facts.get(hostOvs, arrival.host);
  const into = ovs.ok ? entrance(ovs.value.value, arrival) : undefined;
  const theirs =
    into === undefined
      ? undefined
      : await accountOf(facts, arrival.host, into, [...tunnelWords(arrival), flow].join(','), state);
  return theirs === undefined ? [own] : [own, theirs];
}

/** What the switches would do with the instance's own request, where no packet of a trace stands for it. Nothing is sent. */
export const forecasts = source<PortSubject, readonly Account[]>(
  'trace.forecasts',
  (subject) => subject.id,
  async (subject, facts): Promise<FactResult<readonly Account[]>> => {
    const legs = await facts.get(followedLegs, subject);
    if (!legs.ok) return legs;
    const found = (await Promise.all(legs.value.value.map(({ run }) => accountsOf(facts, run.planned)))).flat();
    return observed(found, ...found.map((a) => a.evidence));
  },
);
