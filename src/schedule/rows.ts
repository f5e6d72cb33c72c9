import type { HostVerdict, ScheduleRow } from '../engine/schedule.ts';
import type { Assessed } from './assess.ts';
import { type Judgement, verdictOf } from './judgement.ts';

/** More rows than this are folded by what rejects, whatever the numbers. */
const mostRows = 64;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Rows of hosts that are the same in every column; of a wide cloud, those that are rejected over the same things, with the span of numbers. */
export function rowsOf(hosts: readonly Assessed[]): readonly ScheduleRow[] {
  const name = namesOf(hosts);
  const verdicts = new Map<Assessed, readonly HostVerdict[]>(hosts.map((h) => [h, h.judgements.map(verdictOf)]));
  const exact = grouped(hosts, (h) => JSON.stringify(verdicts.get(h)));
  const groups = exact.length <= mostRows ? exact : grouped(hosts, (h) => h.judgements.map(shapeOf).join('\n'));
  return groups
    .map((group): ScheduleRow & { readonly depth: number } => {
      const [first] = group;
      const row = {
        hosts: group.map(name).sort(compare),
        verdicts: exact.length <= mostRows ? (verdicts.get(first) ?? []) : spanning(group),
        fits: first.fits,
        depth: first.stoppedAt ?? Number.POSITIVE_INFINITY,
      };
      return first.stoppedAt === undefined ? row : { ...row, stoppedAt: first.stoppedAt };
    })
    .sort(
      (a, b) =>
        byFit(a) - byFit(b) ||
        (a.depth === b.depth ? 0 : b.depth - a.depth) ||
        b.hosts.length - a.hosts.length ||
        compare(a.hosts[0] ?? '', b.hosts[0] ?? ''),
    )
    .map(({ depth: _, ...row }) => row);
}

/** By host; nodes of a host that has several, as of Ironic, by node. */
function namesOf(hosts: readonly Assessed[]): (one: Assessed) => string {
  const nodes = new Map<string, number>();
  for (const { host } of hosts) nodes.set(host.host, (nodes.get(host.host) ?? 0) + 1);
  return ({ host }) => ((nodes.get(host.host) ?? 0) > 1 ? host.node : host.host);
}

const byFit = ({ fits }: ScheduleRow): number => (fits === 'yes' ? 0 : fits === 'unknown' ? 1 : 2);

function grouped(hosts: readonly Assessed[], key: (host: Assessed) => string): (readonly [Assessed, ...Assessed[]])[] {
  const groups = new Map<string, [Assessed, ...Assessed[]]>();
  for (const host of hosts) {
    const k = key(host);
    const group = groups.get(k);
    if (group === undefined) groups.set(k, [host]);
    else group.push(host);
  }
  return [...groups.values()];
}

/** What rejects, without its numbers. */
const shapeOf = (j: Judgement): string =>
  j.state === 'rejects' ? j.obstacles.map((o) => o.kind).join('|') : `${j.state} ${j.because ?? ''}`;

/** One verdict for hosts whose judgements have one shape: `40000 > 1200…9690 MB`. */
function spanning(group: readonly [Assessed, ...Assessed[]]): readonly HostVerdict[] {
  const [first] = group;
  return first.judgements.map((judgement, column) => {
    const verdict = verdictOf(judgement);
    if (judgement.state !== 'rejects') return verdict;
    if (verdict.state !== 'rejects') return verdict;
    const all = group.flatMap(({ judgements }) => {
      const j = judgements[column];
      return j?.state === 'rejects' ? [j.obstacles] : [];
    });
    const words = judgement.obstacles.map((o, i) => {
      const same = all.flatMap((obstacles) => obstacles[i] ?? []);
      const amounts = same.flatMap((s) => (s.amount === undefined ? [] : [s.amount.has]));
      if (o.amount !== undefined && amounts.length === same.length) {
        const [least, most] = [amounts.reduce((a, b) => Math.min(a, b)), amounts.reduce((a, b) => Math.max(a, b))];
        const span = least === most ? `${most}` : `${least}…${most}`;
        return { because: `${o.amount.asked} > ${span} ${o.amount.unit}`, has: `${span} ${o.amount.unit} free` };
      }
      const has = [...new Set(same.map((s) => s.has))];
      const because = [...new Set(same.map((s) => s.because))];
      return { because: shortened(because), has: shortened(has) };
    });
    return { ...verdict, because: words.map((w) => w.because).join(', '), has: words.map((w) => w.has).join(', ') };
  });
}

const shortened = (words: readonly string[]): string =>
  words.length <= 2 ? words.join(' or ') : `${words.slice(0, 2).join(' or ')} or ${words.length - 2} others`;
