import type { Evidence } from '../engine/evidence.ts';
import type { Confidence } from '../engine/finding.ts';
import type { Matrix, MatrixCell, MatrixRow, MatrixTarget } from '../engine/matrix.ts';
import type { Exclusion } from '../engine/outcome.ts';

/** Which part of the way is sick. */
export type Half =
  /** The port, its tap, the guest, its rules: neighbours on the same host answer. */
  | 'port'
  /** The host, or what joins it to the others: no neighbour on it answers, elsewhere they do. */
  | 'host'
  /** The instance's side; no neighbour on its host could be asked. */
  | 'host-or-port'
  /** Between one sender and this instance only. */
  | 'pair'
  /** The namespace that sends, or how it is plugged in. */
  | 'sender'
  /** The network node, or the segment: nothing of the network answers. */
  | 'network'
  /** Behind the router: inside everything answers. */
  | 'outside'
  /** Between the outside address and the instance, which answers inside. */
  | 'translation';

export interface Reading {
  readonly half: Half;
  /** One clause: who answers and who does not. */
  readonly words: string;
  readonly confidence: Confidence;
  readonly exclusions: readonly Exclusion[];
  /** The pings that decided, first the silent one. */
  readonly evidence: readonly Evidence[];
  /** Hosts of the sick half. */
  readonly hosts: readonly string[];
  /** Packets are lost, not all of them. */
  readonly lossy: boolean;
}

type Asked = Exclude<MatrixCell, { readonly state: 'not-asked' }>;

const asked = (cell: MatrixCell | undefined): cell is Asked => cell !== undefined && cell.state !== 'not-asked';
/** Beside an instance that is silent, one answer of five proves the way; beside one that loses some, a loss is a loss. */
type Sick = (cell: Asked) => boolean;
const silent: Sick = (cell) => cell.state === 'lost';
const lossy: Sick = (cell) => cell.state !== 'ok';

interface Tally {
  readonly answering: readonly MatrixRow[];
  readonly silent: readonly MatrixRow[];
  /** Answers that prove a way, and silences. */
  readonly proofs: readonly Evidence[];
  readonly silences: readonly Evidence[];
}

/** Rows of a kind, seen from some sources only: one answer proves a way, silence needs every ping that was sent. */
function tally(matrix: Matrix, kind: MatrixTarget, from: readonly number[], sick: Sick): Tally {
  const answering: MatrixRow[] = [];
  const mute: MatrixRow[] = [];
  const proofs: Evidence[] = [];
  const silences: Evidence[] = [];
  for (const row of matrix.rows) {
    if (row.kind !== kind) continue;
    const cells = from.flatMap((i) => {
      const cell = row.cells[i];
      return asked(cell) ? [cell] : [];
    });
    if (cells.length === 0) continue;
    if (cells.some((c) => !sick(c))) answering.push(row);
    else mute.push(row);
    for (const c of cells) (sick(c) ? silences : proofs).push(c.evidence);
  }
  return { answering, silent: mute, proofs, silences };
}

const places = (rows: readonly MatrixRow[]): string =>
  rows.map((r) => `${r.name}${r.host === undefined ? '' : ` on ${r.host}`}`).join(' and ');

const excluded = (what: string, [first, ...rest]: readonly Evidence[]): Exclusion[] =>
  first === undefined ? [] : [{ what, evidence: [first, ...rest] }];

const verb = (rows: readonly MatrixRow[], one: string, many: string): string => (rows.length === 1 ? one : many);

/**
 * What follows from who answers whom. One answer of a neighbour proves everything it shares with the instance; a silence
 * proves little, for a neighbour may be silent for a reason of its own: neighbours that disagree lower the confidence.
 * Undefined when nothing is sick, or when nobody but the instance could be asked.
 */
export function readMatrix(matrix: Matrix): Reading | undefined {
  const inside = matrix.sources.flatMap((s, i) => (s.kind === 'operator' ? [] : [i]));
  const own = matrix.rows.filter((r) => r.kind === 'this-instance');
  const cellsFrom = (i: number): Asked[] => own.flatMap((r) => (asked(r.cells[i]) ? [r.cells[i]] : []));
  const sick = own.some((r) => inside.some((i) => asked(r.cells[i]) && silent(r.cells[i]))) ? silent : lossy;
  const silentFrom = inside.filter((i) => cellsFrom(i).some(sick));
  const answeredFrom = inside.filter((i) => cellsFrom(i).length > 0 && !cellsFrom(i).some(sick));
  const [instance] = own;
  if (instance === undefined) return undefined;
  const read =
    silentFrom.length > 0
      ? readInside(matrix, instance, silentFrom, answeredFrom, sick)
      : answeredFrom.length > 0
        ? readOutside(matrix, instance, answeredFrom)
        : undefined;
  return read === undefined ? undefined : { ...read, lossy: silentFrom.length > 0 && sick === lossy };
}

function readInside(
  matrix: Matrix,
  instance: MatrixRow,
  silentFrom: readonly number[],
  answeredFrom: readonly number[],
  sick: Sick,
): Omit<Reading, 'lossy'> | undefined {
  const host = instance.host ?? 'its host';
  const hosts = instance.host === undefined ? [] : [instance.host];
  const sender = (list: readonly number[]): string => {
    const byHost = new Map<string, string[]>();
    for (const i of list) {
      const s = matrix.sources[i];
      if (s !== undefined) byHost.set(s.host, [...(byHost.get(s.host) ?? []), s.name]);
    }
    return [...byHost].map(([at, names]) => `${names.join(' and ')} on ${at}`).join(', ');
  };
  const senderHosts = [...new Set(silentFrom.flatMap((i) => matrix.sources[i]?.host ?? []))];
  const mine = silentFrom.flatMap((i) => {
    const cell = instance.cells[i];
    return asked(cell) && sick(cell) ? [cell] : [];
  });
  const silence = mine.slice(0, 1).map((c) => c.evidence);
  const lost = mine.some((c) => c.state === 'lost');
  const from = sender(silentFrom);
  const fails = lost ? `does not answer ${from}` : `loses packets from ${from}`;
  /** Of rows that are well: they answer, or they lose nothing. */
  const well = (rows: readonly MatrixRow[]): string =>
    `${places(rows)} ${lost ? verb(rows, 'answers', 'answer') : verb(rows, 'loses none', 'lose none')}`;
  const fail = lost ? `do not answer ${from}` : `lose packets from ${from}`;
  const same = tally(matrix, 'same-host', silentFrom, sick);
  const other = tally(matrix, 'other-host', silentFrom, sick);
  const away = tally(matrix, 'other-network', silentFrom, sick);
  const near = tally(matrix, 'router-inside', silentFrom, sick);
  const dhcp = tally(matrix, 'dhcp', silentFrom, sick);
  const alive = [...near.proofs, ...dhcp.proofs, ...away.proofs];
  const sending = excluded(`sending from ${sender(silentFrom)}`, [...same.proofs, ...other.proofs, ...alive]);

  if (answeredFrom.length > 0) {
    const proofs = answeredFrom.flatMap((i) => (asked(instance.cells[i]) ? [instance.cells[i].evidence] : []));
    const whole = [
      ...excluded(`${instance.name} itself`, proofs),
      ...excluded(`host ${host} as a whole`, [...proofs, ...same.proofs]),
    ];
    const answering = [...same.answering, ...other.answering];
    const mute = [...same.silent, ...other.silent];
    if (answering.length > 0) {
      return {
        half: 'pair',
        words: `${instance.name} answers ${sender(answeredFrom)} and ${fails}; there ${well(answering)}`,
        confidence: mute.length > 0 ? 'possible' : 'likely',
        exclusions: [...whole, ...sending],
        evidence: [...silence, ...proofs.slice(0, 1), ...same.proofs.slice(0, 1), ...other.proofs.slice(0, 1)],
        hosts: [...senderHosts, ...hosts],
      };
    }
    // That one sender is not answered, the ping itself says: neighbours have to say whose fault it is.
    if (mute.length === 0) return undefined;
    return {
      half: 'sender',
      words: `${instance.name} answers ${sender(answeredFrom)}; it and ${places(mute)} ${fail}`,
      confidence: 'likely',
      exclusions: [...whole, ...sending],
      evidence: [...silence, ...proofs.slice(0, 1), ...same.silences.slice(0, 1), ...other.silences.slice(0, 1)],
      hosts: senderHosts,
    };
  }
  if (same.answering.length > 0) {
    return {
      half: 'port',
      words: `${instance.name} ${fails}, ${well(same.answering)}${same.silent.length > 0 ? `, though ${places(same.silent)} ${lost ? `${verb(same.silent, 'does', 'do')} not` : verb(same.silent, 'loses some', 'lose some')}` : ''}`,
      confidence: same.silent.length > 0 ? 'possible' : 'likely',
      exclusions: [
        ...excluded(`host ${host} as a whole`, same.proofs),
        ...excluded(`the way ${[...new Set([...senderHosts, host])].join(' → ')} as a whole`, same.proofs),
        ...sending,
      ],
      evidence: [...silence, ...same.proofs.slice(0, 2), ...same.silences.slice(0, 1)],
      hosts,
    };
  }
  if (same.silent.length > 0 && other.answering.length > 0) {
    const hostAlive = away.answering.some((r) => r.host === instance.host);
    return {
      half: 'host',
      words: `${lost ? `nothing of this network on ${host} answers` : `all of this network on ${host} loses packets`} (${[instance, ...same.silent].map((r) => r.name).join(', ')}); ${well(other.answering)}${hostAlive ? `, and other networks on ${host} do` : ''}`,
      confidence: same.silent.length > 1 && other.silent.length === 0 ? 'likely' : 'possible',
      exclusions: [
        ...excluded(`network node ${senderHosts.join(' and ')}`, other.proofs),
        ...sending,
        ...(hostAlive ? excluded(`host ${host} as a whole`, away.proofs) : []),
      ],
      evidence: [...silence, ...same.silences.slice(0, 1), ...other.proofs.slice(0, 2)],
      hosts,
    };
  }
  if (same.silent.length > 0 || other.silent.length > 0) {
    if (other.answering.length === 0) {
      const mute = [...same.silent, ...other.silent];
      // Every neighbour asked shares the host: the host and the network cannot be told apart.
      const onHostOnly = other.silent.length === 0;
      return {
        half: 'network',
        words: `${instance.name} and ${places(mute)} ${fail}${onHostOnly ? `; no neighbour on another host than ${host} could be asked` : ''}`,
        confidence: onHostOnly || mute.length < 2 ? 'possible' : 'likely',
        exclusions: sending,
        evidence: [...silence, ...same.silences.slice(0, 1), ...other.silences.slice(0, 1)],
        hosts: onHostOnly ? [...new Set([...senderHosts, ...hosts])] : senderHosts,
      };
    }
  }
  if (other.answering.length > 0) {
    return {
      half: 'host-or-port',
      words: `${instance.name} ${fails}, ${well(other.answering)}; no neighbour on ${host} could be asked`,
      confidence: other.silent.length > 0 ? 'possible' : 'likely',
      exclusions: [...excluded(`network node ${senderHosts.join(' and ')}`, other.proofs), ...sending],
      evidence: [...silence, ...other.proofs.slice(0, 2)],
      hosts,
    };
  }
  return undefined;
}

function readOutside(
  matrix: Matrix,
  instance: MatrixRow,
  answeredFrom: readonly number[],
): Omit<Reading, 'lossy'> | undefined {
  const all = matrix.sources.map((_, i) => i);
  const proofs = answeredFrom.flatMap((i) => (asked(instance.cells[i]) ? [instance.cells[i].evidence] : []));
  const inner = [
    ...excluded(`${instance.name} itself`, proofs),
    ...excluded(`the network up to its router`, proofs),
    ...(instance.host === undefined ? [] : excluded(`host ${instance.host} as a whole`, proofs)),
  ];
  const outside = tally(matrix, 'outside', all, silent);
  const floating = tally(matrix, 'floating-ip', all, silent);
  const control = tally(matrix, 'router-outside', all, silent);
  const routerHosts = [...new Set(matrix.sources.flatMap((s) => (s.kind === 'qrouter' ? [s.host] : [])))];
  const [gateway] = outside.silent;
  if (gateway !== undefined && outside.answering.length === 0) {
    return {
      half: 'outside',
      words: `${instance.name} answers its router, and the external gateway ${gateway.address} does not`,
      confidence: 'likely',
      exclusions: inner,
      evidence: [...outside.silences.slice(0, 1), ...proofs.slice(0, 1)],
      hosts: routerHosts,
    };
  }
  const [address] = floating.silent;
  if (address !== undefined && control.answering.length > 0) {
    return {
      half: 'translation',
      words: `${instance.name} answers its router and ${places(control.answering)} answers from here, ${address.address} does not`,
      confidence: 'likely',
      exclusions: [...inner, ...excluded('the way from here to the router', control.proofs)],
      evidence: [...floating.silences.slice(0, 1), ...proofs.slice(0, 1), ...control.proofs.slice(0, 1)],
      hosts: routerHosts,
    };
  }
  return undefined;
}
