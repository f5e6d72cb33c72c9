import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import { err } from '../engine/result.ts';
import { type Link, parseLinks } from '../nodes/parse/links.ts';
import type { Ping } from '../nodes/parse/ping.ts';
import { type PortStats, parsePortStats } from '../nodes/parse/port-stats.ts';
import { read, type Store, source } from './io.ts';
import { type PingRun, pingsFromDhcp, pingsFromRouter, pingsOfFloating, type Sender, sendPing } from './ping.ts';
import { type RulePlaces, type RulesOfHost, readRules, rulePlaces } from './rules.ts';
import type { PortSubject } from './subject.ts';
import { tunnels } from './tunnel.ts';

/** What counts packets on one host, read at one moment. */
export interface HostCounters {
  readonly links: readonly Link[];
  readonly rules: RulesOfHost;
  /** Live counters of the ports of each OVS bridge. */
  readonly ports: ReadonlyMap<string, readonly PortStats[]>;
}

/** A ping sent again between two readings of every counter of the path. */
export interface Repeated {
  readonly first: PingRun;
  readonly again: Ping;
  readonly evidence: Evidence;
}

/** A plain ping between two tunnel endpoints, small and as large as the segment's full-size packets need. */
export interface UnderlayPing {
  readonly from: string;
  readonly to: string;
  readonly toHost: string;
  readonly ping: Ping;
  readonly evidence: Evidence;
}

export interface SecondLook {
  readonly repeated: readonly Repeated[];
  readonly before: ReadonlyMap<string, HostCounters>;
  readonly after: ReadonlyMap<string, HostCounters>;
  readonly underlay: readonly UnderlayPing[];
}

type Round = 'before' | 'after';

async function countersOf(facts: Store, place: RulePlaces, round: Round): Promise<HostCounters | undefined> {
  const { host, namespaces, bridges } = place;
  const [links, rules, ports] = await Promise.all([
    read(facts, host, { argv: ['ip', '-d', '-s', '-j', 'link', 'show'], impact: 'read', round }, parseLinks),
    readRules(facts, host, namespaces, bridges, round),
    Promise.all(
      bridges.map(async (b) => ({
        b,
        stats: await read(
          facts,
          host,
          { argv: ['ovs-ofctl', '--timeout=5', 'dump-ports', b], impact: 'read', become: true, round },
          parsePortStats,
        ),
      })),
    ),
  ]);
  if (!links.ok) return undefined;
  return {
    links: links.value.value,
    rules,
    ports: new Map(ports.flatMap(({ b, stats }) => (stats.ok ? [[b, stats.value.value] as const] : []))),
  };
}

/** A healthy run is not repeated: this reason is what `skipped` says. */
export const allAnswered = 'every ping was answered';

/**
 * Attribution by difference: where a ping was lost, every counter of the path is read, the same ping is sent again, and
 * every counter is read once more. What rose by the packets sent is what took them.
 */
export const secondLook = source<PortSubject, SecondLook>(
  'port.second-look',
  (subject) => subject.id,
  async (subject, facts) => {
    const [fromDhcp, fromRouter, floating, places, links] = await Promise.all([
      facts.get(pingsFromDhcp, subject),
      facts.get(pingsFromRouter, subject),
      facts.get(pingsOfFloating, subject),
      facts.get(rulePlaces, subject),
      facts.get(tunnels, subject),
    ]);
    const runs = [fromDhcp, fromRouter].flatMap((p) => (p.ok ? p.value.value.runs : []));
    const outside = floating.ok ? floating.value.value.runs.filter((r) => r.what === 'floating-ip') : [];
    const lost = [...runs, ...outside].filter((r) => r.ping.received < r.ping.sent);
    if (lost.length === 0) return err({ kind: 'unsupported', because: allAnswered });
    if (!places.ok) return places;
    const readAll = async (round: Round): Promise<Map<string, HostCounters>> => {
      const all = await Promise.all(
        places.value.value.map(async (p) => [p.host, await countersOf(facts, p, round)] as const),
      );
      return new Map(all.flatMap(([host, one]) => (one === undefined ? [] : [[host, one] as const])));
    };
    const before = await readAll('before');
    const repeated: Repeated[] = [];
    const underlay: UnderlayPing[] = [];
    await Promise.all([
      ...lost.map(async (first) => {
        const sender: Sender = {
          from: first.from,
          host: first.host,
          ...(first.netns === undefined ? {} : { netns: first.netns }),
        };
        const sent = await sendPing(facts, sender, first.to, [], 'again');
        if (sent.ok) repeated.push({ first, again: sent.value.ping, evidence: sent.value.evidence });
      }),
      ...(links.ok ? links.value.value.links : []).flatMap((link) =>
        (
          [
            [link.peer, link.peerEndpoint, link.computeEndpoint, link.compute],
            [link.compute, link.computeEndpoint, link.peerEndpoint, link.peer],
          ] as const
        ).map(async ([from, own, to, toHost]) => {
          const sent = await sendPing(facts, { from: 'qdhcp', host: from }, to, ['-I', own], 'underlay');
          if (sent.ok) underlay.push({ from, to, toHost, ping: sent.value.ping, evidence: sent.value.evidence });
        }),
      ),
    ]);
    const after = await readAll('after');
    repeated.sort((a, b) => (`${a.first.from} ${a.first.to}` < `${b.first.from} ${b.first.to}` ? -1 : 1));
    underlay.sort((a, b) => (`${a.from} ${a.to}` < `${b.from} ${b.to}` ? -1 : 1));
    return observed({ repeated, before, after, underlay }, ...repeated.map((r) => r.evidence));
  },
);
