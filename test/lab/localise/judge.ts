import type { Finding } from '../../../src/engine/finding.ts';
import type { RunReport } from '../../../src/engine/report.ts';
import type { Trace } from '../../../src/engine/trace.ts';
import type { Drop } from './drops.ts';
import { type Edge, edgeName, stationOf } from './stations.ts';

export interface Judged {
  readonly expected: string;
  /** `-`: it lost nothing, or was not run. */
  readonly said: string;
  /** The edge that it names holds the drop, and nothing else that it could look at. */
  readonly right: boolean;
  /** Points between the two that it could not look at. */
  readonly blind: number;
  /** Where the drop is counted: whether any finding names the rule itself, and whether the first cause does. */
  readonly named?: 'first' | 'elsewhere' | 'no';
  readonly first: string;
}

/** Traces are looked for by their title: a drop may keep another stretch from being run. */
export function judge(report: RunReport & { readonly traces?: readonly Trace[] }, healthy: Trace, drop: Drop): Judged {
  const trace = (report.traces ?? []).find((t) => t.title === healthy.title);
  const { causes, remarks } = report.diagnosis;
  const [first] = causes;
  const found = [
    ...causes.flatMap((c) => [c.finding, ...c.explains]),
    ...remarks,
    ...report.steps.flatMap((s) => s.checks.flatMap((c) => (c.outcome.status === 'problem' ? c.outcome.findings : []))),
  ];
  const { mark } = drop;
  const named =
    mark === undefined
      ? undefined
      : first !== undefined && names(first.finding, mark)
        ? 'first'
        : found.some((f) => names(f, mark))
          ? 'elsewhere'
          : 'no';
  const edge = trace === undefined ? undefined : saidEdge(trace);
  const blind = trace?.stop?.blind.length ?? 0;
  return {
    expected: edgeName(drop.edge, healthy),
    said: edge === undefined || trace === undefined ? '-' : edgeName(edge, trace),
    right: edge !== undefined && trace !== undefined && encloses(edge, drop.edge, trace),
    blind,
    ...(named === undefined ? {} : { named }),
    first: first === undefined ? '-' : `${first.finding.code} ${first.finding.subject}`,
  };
}

/** The first edge at which packets are lost, which need not be that at which most are. */
export function saidEdge({ stop, points }: Trace): Edge | undefined {
  if (stop === undefined) return undefined;
  const { after, before, way } = stop;
  const last = points.length + 1;
  const from = stationOf(after, points.length, way);
  // Packets that were seen nowhere on the way back are lost on it even where their edge begins at the answerer.
  const to = stationOf(before, points.length, from >= last || stop.kind !== 'edge' ? 'back' : way);
  return { after: from, before: to };
}

/** As narrow as what could be looked at allows. */
export function encloses(said: Edge, drop: Edge, { points, stop }: Trace): boolean {
  const n = points.length;
  const unseen = new Set([...(stop?.blind ?? []), ...(stop?.uncertain ?? [])]);
  const isUnseen = (station: number): boolean => {
    if (station === n + 1) return true;
    return unseen.has(station <= n ? station - 1 : 2 * n + 1 - station);
  };
  const between = (from: number, to: number): boolean => {
    for (let s = from; s < to; s += 1) if (!isUnseen(s)) return false;
    return true;
  };
  return (
    said.after <= drop.after &&
    said.before >= drop.before &&
    between(said.after + 1, drop.after + 1) &&
    between(drop.before, said.before)
  );
}

/** In its own words or in what it would have typed; the output of a node that it shows as evidence names everything. */
function names(finding: Finding, mark: string): boolean {
  const said = [
    finding.subject,
    finding.summary,
    ...finding.remedies.flatMap((r) => [r.title, JSON.stringify(r.steps)]),
  ];
  return said.some((text) => text.includes(mark));
}
