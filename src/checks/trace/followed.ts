import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { Finding, Remedy } from '../../engine/finding.ts';
import { advice, byOperator, findingOf, onHost } from '../../engine/finding-of.ts';
import type { Trace, TraceLoss, TracePlace } from '../../engine/trace.ts';
import type { Io } from '../../facts/io.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { type FollowedLeg, followedLegs } from '../../facts/trace/followed.ts';
import type { PlannedLeg } from '../../facts/trace/leg.ts';
import { tracedElsewhere } from '../../facts/trace/legs.ts';
import { logicalWords, type Opinion, opinions } from '../../facts/trace/opinions.ts';
import { traceRuns } from '../../facts/trace/runs.ts';
import { sameAddress } from '../../path/addresses.ts';
import type { Leg } from '../../path/trace/observation.ts';
import { isGuestSilent, isLost, isOrdered } from '../../path/trace/verdict.ts';
import { guestSilent, lostBetween, serviceSilent, switchDisagrees } from '../path/codes.ts';
import { agentName, linkName, ownerName, portScope } from '../scope.ts';

const needs = {};
const optional = { runs: traceRuns, legs: followedLegs, opinions, elsewhere: tracedElsewhere };

/** `tap5652dd5f-cd@cmp1`, `qr-7602a039-1a@net1`; the namespace is told by the device. */
const nameOf = (place: TracePlace, { points, sender, answerer }: Trace): string => {
  switch (place.at) {
    case 'sender':
      return `${sender.netns ?? 'sender'}@${sender.host}`;
    case 'answerer':
      return answerer.name;
    case 'point': {
      const point = points[place.point];
      return point === undefined ? '?' : `${point.device}@${point.host}`;
    }
  }
};

const hostOf = (place: TracePlace, { points, sender }: Trace): string | undefined =>
  place.at === 'point'
    ? points[place.point]?.host
    : place.at === 'sender' && sender.netns !== undefined
      ? sender.host
      : undefined;

type PointPlace = Extract<TracePlace, { readonly at: 'point' }>;

/** The devices at both ends of what is missing; one, where it was seen on its way there and not on its way back. */
function pointsAt(stop: Trace['stop']): readonly PointPlace[] {
  const ends = (stop === undefined ? [] : [stop.after, stop.before]).filter((place) => place.at === 'point');
  return ends.filter((place, at) => ends.findIndex((other) => other.point === place.point) === at);
}

/** What stands where the packets end: how to see it, side by side. */
function looking({ trace, run }: FollowedLeg): Remedy {
  const { stop } = trace;
  const steps = pointsAt(stop).flatMap((place) => {
    const evidence = run.captures[place.point];
    const point = trace.points[place.point];
    if (evidence?.source.kind !== 'command' || point === undefined) return [];
    const netns = point.netns === undefined ? [] : ['ip', 'netns', 'exec', point.netns];
    const [first = 'ip', ...rest] = [...netns, 'ip', '-d', '-s', 'link', 'show', point.device];
    return [onHost(point.host, [first, ...rest])];
  });
  return {
    title: 'look at what stands between the two',
    risk: 'none',
    sufficient: false,
    steps: [
      ...steps,
      advice('rules, flows and device counters between these two places: what is not counted there is lost in between'),
    ],
  };
}

/** What is wrong with the sender explains what only its packets meet. */
function ofSender({ from, leg }: PlannedLeg): {
  readonly router?: readonly string[];
  readonly agent?: readonly string[];
} {
  const { host, netns } = leg.sender;
  switch (from) {
    case 'qrouter':
      return { router: [(netns ?? '').slice('qrouter-'.length)] };
    case 'qdhcp':
      return { agent: [agentName('neutron-dhcp-agent', host)] };
    case 'ovnmeta':
      return { agent: [agentName('neutron-ovn-metadata-agent', host)] };
    case 'operator':
    case 'port':
      return {};
  }
}

/** `table 71: arp,reg5=0x7,…, priority 95`: where the switch's own account of the packet ends. */
const endOf = ({ says, bridge }: Opinion): string => {
  const flow = says.flows.at(-1);
  return flow === undefined
    ? bridge
    : `${flow.bridge} table ${flow.table}${flow.match === '' ? '' : ` (${flow.match})`}`;
};

/** Whose agent runs what should have answered. */
function ofServer({ server }: PlannedLeg): { readonly agent?: readonly string[]; readonly router?: readonly string[] } {
  if (server === undefined) return {};
  const { agent, host, router } = server;
  return { agent: [agentName(agent, host)], ...(router === undefined ? {} : { router: [router] }) };
}

/** The request of the instance came to the namespace that has to answer it. */
function unserved(subject: PortSubject, leg: FollowedLeg): Finding {
  const { trace, run } = leg;
  const end = trace.points.length - 1;
  const point = trace.points[end];
  const host = point?.host ?? trace.sender.host;
  const capture = run.captures[end];
  const inside = point?.netns === undefined ? [] : ['ip', 'netns', 'exec', point.netns];
  const [first = 'ss', ...rest] = [...inside, 'ss', '-lntup'];
  const [rules = 'iptables-save', ...more] = [...inside, 'iptables-save', '-c'];
  return findingOf(serviceSilent, {
    summary: `${trace.title}: ${trace.reading.replace(/\.$/, '')}`,
    subject: trace.answerer.name,
    scope: portScope(subject, { host: [host], ...ofServer(run.planned) }),
    confidence: 'certain',
    evidence: [run.sent, ...(capture === undefined ? [] : [capture])],
    remedies: [
      {
        title: 'look who listens there, and which rules stand before it',
        risk: 'none',
        sufficient: false,
        steps: [onHost(host, [first, ...rest]), onHost(host, [rules, ...more])],
      },
    ],
    verify: leg.command,
  });
}

/**
 * Whether the switch says that a copy goes to the place where none was seen. Of several copies only those are known that leave by a
 * tunnel, by its far end: which ports the others leave by is not told by name.
 */
function goesOn({ says }: Opinion, { points }: Leg, { before }: TraceLoss): boolean | undefined {
  if (!says.delivers) return false;
  const next = before.at === 'point' ? points[before.point]?.wears : undefined;
  if (next?.kind === 'tunnel' && says.tunnels.length > 0) {
    const [, far] = next.endpoints;
    return says.tunnels.some((end) => sameAddress(end, far));
  }
  return says.copies === 1 ? true : undefined;
}

function finding(subject: PortSubject, leg: FollowedLeg, opinion: Opinion | undefined): Finding | undefined {
  const { trace, run } = leg;
  const { stop } = trace;
  if (!isLost(trace) || isOrdered(trace)) return undefined;
  const atService =
    trace.answerer.kind === 'namespace' &&
    run.planned.server !== undefined &&
    stop?.kind === 'answerer' &&
    stop.packet === 'probe';
  if (trace.refuses === true || atService) return unserved(subject, leg);
  if (stop === undefined) return undefined;
  const hosts = [...new Set([hostOf(stop.after, trace), hostOf(stop.before, trace)].filter((h) => h !== undefined))];
  const [one, other] = hosts;
  const silent = isGuestSilent(trace);
  const onwards = opinion === undefined ? undefined : goesOn(opinion, run.planned.leg, stop);
  const disagrees = onwards === true && hosts.length === 1;
  const captures = pointsAt(stop).flatMap(({ point }): Evidence[] => {
    const evidence = run.captures[point];
    return evidence === undefined ? [] : [evidence];
  });
  const account =
    opinion === undefined
      ? ''
      : disagrees
        ? `; asked about this packet, the flows of ${opinion.bridge} let it out`
        : onwards === false && opinion.says.delivers
          ? `; the flows of ${opinion.bridge} send it elsewhere`
          : opinion.says.delivers
            ? ''
            : `; the flows of ${opinion.bridge} drop it: ${endOf(opinion)}`;
  const logical = opinion === undefined ? undefined : logicalWords(opinion);
  const again = disagrees && stop.after.at === 'point' && trace.points[stop.after.point]?.netns === undefined;
  const instance = run.planned.guest?.instance;
  return findingOf(silent ? guestSilent : disagrees ? switchDisagrees : lostBetween, {
    summary: `${trace.title}: ${trace.reading.replace(/\.$/, '')}${account}${logical === undefined ? '' : `; ${logical}`}`,
    subject: silent
      ? `guest of ${trace.answerer.kind === 'guest' ? trace.answerer.name : ownerName(subject)}`
      : `${nameOf(stop.after, trace)} → ${nameOf(stop.before, trace)}`,
    scope: portScope(run.planned.guest ?? subject, {
      host: hosts,
      ...(one !== undefined && other !== undefined ? { link: [linkName(one, other)] } : {}),
      ...ofSender(run.planned),
      ...ofServer(run.planned),
    }),
    confidence: 'certain',
    evidence: [
      run.sent,
      ...captures,
      ...(opinion === undefined ? [] : [opinion.evidence]),
      ...(opinion?.logical === undefined ? [] : [opinion.logical.evidence]),
    ],
    remedies: [
      looking(leg),
      ...(again && instance !== undefined
        ? [
            {
              title: 'where the switch does not read the device: plug the instance in anew',
              risk: 'brief-interruption' as const,
              sufficient: false,
              steps: [byOperator(['openstack', 'server', 'reboot', '--hard', instance.id])],
            },
          ]
        : []),
    ],
    verify: leg.command,
  });
}

const bytesWords = (n: number): string => (n < 1024 ? `${n} B` : `${(n / 1024).toFixed(1)} KiB`);

const packets = (n: number): string => (n === 1 ? '1 packet' : `${n} packets`);

const hosts = (n: number): string => (n === 1 ? '1 host' : `${n} hosts`);

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'trace.followed',
  per: 'port',
  title: 'Every packet of the trace was seen at every point, there and back',
  needs,
  optional,
  findings: [guestSilent, lostBetween, switchDisagrees, serviceSilent],
  judge: ({ subject, maybe }) => {
    if (!maybe.runs.ok || !maybe.legs.ok) {
      const error = maybe.runs.ok ? (maybe.legs.ok ? undefined : maybe.legs.error) : maybe.runs.error;
      if (error === undefined) return skipped('nothing was sent');
      const other = error.kind === 'unsupported' && maybe.elsewhere.ok && maybe.elsewhere.value.value;
      return other ? skipped(`${error.because}; another port of the instance was traced`) : blocked(error);
    }
    const { notSent, bytes } = maybe.runs.value.value;
    const legs = maybe.legs.value.value;
    const [failed] = notSent;
    if (legs.length === 0) return failed === undefined ? skipped('nothing was sent') : blocked(failed.failure);
    const asked = maybe.opinions.ok ? maybe.opinions.value.value : [];
    const found = legs
      .map((leg) =>
        finding(
          subject,
          leg,
          asked.find((o) => o.leg.run.planned === leg.run.planned),
        ),
      )
      .filter((one) => one !== undefined);
    // A stretch that nothing was sent over is not one on which nothing is wrong.
    if (failed !== undefined && found.length === 0) return blocked(failed.failure);
    const watched = legs.flatMap(({ trace }) => trace.points.filter((p) => p.watch === 'watched'));
    const points = new Set(watched.map((p) => `${p.host} ${p.netns ?? ''} ${p.device}`));
    const [blind] = legs.flatMap(({ trace }) => trace.points.filter((p) => p.watch === 'blind'));
    if (watched.length === 0 && blind !== undefined && found.length === 0) {
      return blocked({
        kind: 'unsupported',
        because: `no point could be looked at: ${blind.because ?? 'nothing was captured'}`,
      });
    }
    const sent = legs.reduce((sum, { trace }) => sum + trace.sent, 0);
    const oneWay = legs.every(({ trace }) => trace.probe.protocol === 'udp');
    const ordered = legs.filter(({ trace }) => isOrdered(trace));
    const note =
      ordered.length > 0
        ? ordered.map(({ trace }) => trace.notes[0] ?? trace.reading).join(' ')
        : `${packets(sent)} seen at ${points.size} points${oneWay ? '' : ', there and back,'} for ${ownerName(subject)}; ${bytesWords(bytes)} of headers came from ${hosts(new Set(watched.map((p) => p.host)).size)}`;
    return judged(
      found,
      note,
      legs.map(({ run }) => run.sent),
    );
  },
});
