import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import type { Neighbour } from '../nodes/parse/neighbours.ts';
import { showing, source } from './io.ts';
import { nsNeighboursAfter } from './namespace.ts';
import { type PingRun, pingsFromDhcp, pingsFromMetadata, pingsFromRouter, pingsOfGateway } from './ping.ts';
import type { PortSubject } from './subject.ts';

/** What the sender's neighbour table says of an address that did not answer. */
export interface Resolution {
  readonly run: PingRun;
  /** `answered`: somebody gave a MAC. `failed`: nobody did. `unknown`: no entry. */
  readonly arp: 'answered' | 'failed' | 'unknown';
  readonly mac?: string;
  readonly evidence: Evidence;
}

const judgeEntry = (entry: Neighbour | undefined): Pick<Resolution, 'arp' | 'mac'> => {
  if (entry === undefined) return { arp: 'unknown' };
  if (entry.mac !== undefined && !entry.state.some((s) => s === 'FAILED' || s === 'INCOMPLETE')) {
    return { arp: 'answered', mac: entry.mac };
  }
  return { arp: 'failed' };
};

/** Neighbour entries behind every unanswered ping: they split "nothing gets there" from "something there keeps silent". */
export const resolutions = source<PortSubject, readonly Resolution[]>(
  'port.resolutions',
  (subject) => subject.id,
  async (subject, facts) => {
    const all = await Promise.all([
      facts.get(pingsFromDhcp, subject),
      facts.get(pingsFromRouter, subject),
      facts.get(pingsFromMetadata, subject),
      facts.get(pingsOfGateway, subject),
    ]);
    const silent = all.flatMap((p) => (p.ok ? p.value.value.runs : [])).filter((r) => r.ping.received === 0);
    const found: Resolution[] = [];
    await Promise.all(
      silent.map(async (run) => {
        if (run.netns === undefined) return;
        const table = await facts.get(nsNeighboursAfter, { host: run.host, name: run.netns });
        if (!table.ok) return;
        const entry = table.value.value.find((n) => n.address === run.to);
        const [evidence] = table.value.evidence;
        if (evidence === undefined) return;
        const line =
          entry === undefined
            ? `${run.to}: no entry`
            : `${run.to} dev ${entry.dev} ${entry.mac ?? ''} ${entry.state.join(',')}`;
        found.push({ run, ...judgeEntry(entry), evidence: showing(evidence, line) });
      }),
    );
    found.sort((a, b) => (`${a.run.from} ${a.run.to}` < `${b.run.from} ${b.run.to}` ? -1 : 1));
    return observed(found, ...found.map((f) => f.evidence));
  },
);
