import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import { err } from '../engine/result.ts';
import { type Link, parseLinks } from '../nodes/parse/links.ts';
import { parseNstat } from '../nodes/parse/nstat.ts';
import type { Ping } from '../nodes/parse/ping.ts';
import { type PortStats, parsePortStats } from '../nodes/parse/port-stats.ts';
import { read, type Store, source } from './io.ts';
import {
  fullSizePings,
  type PingRun,
  pingCount,
  pingsFromDhcp,
  pingsFromMetadata,
  pingsFromRouter,
  pingsOfFloating,
  type Sender,
  sendPing,
} from './ping.ts';
import { type RulePlaces, type RulesOfHost, readRules, rulePlaces } from './rules.ts';
import { orderedSilence } from './silence.ts';
import type { PortSubject } from './subject.ts';
import { tunnels } from './tunnel.ts';

/** What counts packets in one network stack: its interfaces, and the kernel's own counters by their names in nstat(8). */
export interface StackCounters {
  readonly links: readonly Link[];
  readonly kernel: Readonly<Record<string, number>>;
  /** What they were read from. */
  readonly evidence: { readonly links?: Evidence; readonly kernel?: Evidence };
}

/** What counts packets on one host, read at one moment. */
export interface HostCounters extends StackCounters {
  readonly rules: RulesOfHost;
  /** Live counters of the ports of each OVS bridge. */
  readonly ports: ReadonlyMap<string, readonly PortStats[]>;
  /** By bridge. */
  readonly portsEvidence: ReadonlyMap<string, Evidence>;
  /** The namespaces of the path, by name. */
  readonly inside: ReadonlyMap<string, StackCounters>;
}

/** A ping sent again between two readings of every counter of the path, and once more with another number of packets. */
export interface Repeated {
  readonly first: PingRun;
  readonly again: Ping;
  readonly evidence: Evidence;
  /** Absent where the third ping could not be sent. */
  readonly onceMore?: Ping;
  /** A full-size ping that may not be fragmented, while small ones pass. */
  readonly fullSize: boolean;
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
  /** Between the two repetitions; what rises by the packets sent in both is no chance. Empty where it could not be read. */
  readonly between: ReadonlyMap<string, HostCounters>;
  readonly after: ReadonlyMap<string, HostCounters>;
  readonly underlay: readonly UnderlayPing[];
  /** Hosts from which a small ping was answered by the instance at first: whatever is lost, their way there is not cut. */
  readonly answeredFrom: ReadonlySet<string>;
}

type Round = 'before' | 'between' | 'after';

async function stackOf(facts: Store, host: string, round: string, netns?: string): Promise<StackCounters | undefined> {
  const place = { impact: 'read', round, ...(netns === undefined ? {} : { netns }) } as const;
  const [links, kernel] = await Promise.all([
    read(facts, host, { argv: ['ip', '-d', '-s', '-j', 'link', 'show'], ...place }, parseLinks),
    read(facts, host, { argv: ['nstat', '-asj'], ...place }, parseNstat),
  ]);
  if (!links.ok) return undefined;
  const [ofLinks] = links.value.evidence;
  const [ofKernel] = kernel.ok ? kernel.value.evidence : [];
  return {
    links: links.value.value,
    kernel: kernel.ok ? kernel.value.value : {},
    evidence: {
      ...(ofLinks === undefined ? {} : { links: ofLinks }),
      ...(ofKernel === undefined ? {} : { kernel: ofKernel }),
    },
  };
}

/** Every counter of a host, read in this round. */
export async function countersOf(facts: Store, place: RulePlaces, round: string): Promise<HostCounters | undefined> {
  const { host, namespaces, bridges } = place;
  const [own, inside, rules, ports] = await Promise.all([
    stackOf(facts, host, round),
    Promise.all(namespaces.map(async (name) => ({ name, stack: await stackOf(facts, host, round, name) }))),
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
  if (own === undefined) return undefined;
  return {
    ...own,
    inside: new Map(inside.flatMap(({ name, stack }) => (stack === undefined ? [] : [[name, stack] as const]))),
    rules,
    ports: new Map(ports.flatMap(({ b, stats }) => (stats.ok ? [[b, stats.value.value] as const] : []))),
    portsEvidence: new Map(
      ports.flatMap(({ b, stats }) => (stats.ok ? stats.value.evidence.slice(0, 1).map((e) => [b, e] as const) : [])),
    ),
  };
}

/** A healthy run is not repeated: this reason is what `skipped` says. */
export const allAnswered = 'every ping was answered';

/** Packets of a ping that came back with some lost: enough to see the same loss again. */
const lossyCount = 15;
/** Added to the packets of the second repetition, so that what merely counts along at its own pace does not fit both. */
const oneMoreThan = 2;
/** A full-size ping this much slower than a small one, and at least this slow, is worth a look at what limits the path. */
const slowFactor = 4;
const slowMs = 60;

const averageMs = (run: PingRun): number => run.ping.rttMs?.avg ?? 0;

/**
 * Attribution by difference: where a ping was lost (or full-size ones crawl), every counter of the path is read, the same
 * ping is sent again, every counter is read, the ping is sent with another number of packets, and every counter is read
 * once more. What rose by the packets lost, both times, is what took them.
 */
export const secondLook = source<PortSubject, SecondLook>(
  'port.second-look',
  (subject) => subject.id,
  async (subject, facts) => {
    const [fromDhcp, fromRouter, fromMetadata, floating, full, places, links] = await Promise.all([
      facts.get(pingsFromDhcp, subject),
      facts.get(pingsFromRouter, subject),
      facts.get(pingsFromMetadata, subject),
      facts.get(pingsOfFloating, subject),
      facts.get(fullSizePings, subject),
      facts.get(rulePlaces, subject),
      facts.get(tunnels, subject),
    ]);
    const runs = [fromDhcp, fromRouter, fromMetadata].flatMap((p) => (p.ok ? p.value.value.runs : []));
    const outside = floating.ok ? floating.value.value.runs.filter((r) => r.what === 'floating-ip') : [];
    const missed = [...runs, ...outside].filter((r) => r.ping.received < r.ping.sent);
    const ordered = missed.length === 0 ? () => false : await orderedSilence(facts, subject);
    const lost = missed.filter((run) => !ordered(run)).map((run) => ({ run, fullSize: false }));
    const large = (full.ok ? full.value.value : [])
      .map(({ run }) => ({
        run,
        small: runs.find((r) => r.host === run.host && r.netns === run.netns && r.to === run.to),
      }))
      .filter(({ small }) => small !== undefined && small.ping.received === small.ping.sent)
      .filter(
        ({ run, small }) =>
          run.ping.received < run.ping.sent ||
          (small !== undefined && averageMs(run) > Math.max(slowMs, slowFactor * averageMs(small))),
      )
      .map(({ run }) => ({ run, fullSize: true }));
    const again = [...lost, ...large];
    if (again.length === 0) return err({ kind: 'unsupported', because: allAnswered });
    if (!places.ok) return places;
    const readAll = async (round: Round): Promise<Map<string, HostCounters>> => {
      const all = await Promise.all(
        places.value.value.map(async (p) => [p.host, await countersOf(facts, p, round)] as const),
      );
      return new Map(all.flatMap(([host, one]) => (one === undefined ? [] : [[host, one] as const])));
    };
    const send = async (run: PingRun, fullSize: boolean, round: string, extra: number) => {
      const sender: Sender = {
        from: run.from,
        host: run.host,
        ...(run.netns === undefined ? {} : { netns: run.netns }),
      };
      // The words of the first ping between its own options and the address: `-M do -s 1422` of a full-size one.
      const argv: readonly string[] = run.evidence.source.kind === 'command' ? run.evidence.source.argv : [];
      const size = fullSize ? argv.slice(argv.indexOf('-M'), -1) : [];
      const lossy = run.ping.received > 0 && !fullSize ? lossyCount : pingCount;
      const count = lossy + extra;
      return sendPing(facts, sender, run.to, [...size, ...(count === pingCount ? [] : ['-c', String(count)])], round);
    };
    const before = await readAll('before');
    const firstTime = new Map<PingRun, { ping: Ping; evidence: Evidence }>();
    const underlay: UnderlayPing[] = [];
    await Promise.all([
      ...again.map(async ({ run, fullSize }) => {
        const sent = await send(run, fullSize, 'again', 0);
        if (sent.ok) firstTime.set(run, sent.value);
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
    const between = await readAll('between');
    const repeated = (
      await Promise.all(
        again.map(async ({ run, fullSize }): Promise<Repeated | undefined> => {
          const first = firstTime.get(run);
          if (first === undefined) return undefined;
          const sent = between.size === 0 ? undefined : await send(run, fullSize, 'once-more', oneMoreThan);
          return {
            first: run,
            again: first.ping,
            evidence: first.evidence,
            fullSize,
            ...(sent?.ok === true ? { onceMore: sent.value.ping } : {}),
          };
        }),
      )
    ).filter((r) => r !== undefined);
    const after = await readAll('after');
    repeated.sort((a, b) => (`${a.first.from} ${a.first.to}` < `${b.first.from} ${b.first.to}` ? -1 : 1));
    underlay.sort((a, b) => (`${a.from} ${a.to}` < `${b.from} ${b.to}` ? -1 : 1));
    const answeredFrom = new Set(runs.filter((r) => r.what === 'instance' && r.ping.received > 0).map((r) => r.host));
    return observed({ repeated, before, between, after, underlay, answeredFrom }, ...repeated.map((r) => r.evidence));
  },
);
