import { head, median, row, share, withSection } from '../score/markdown.ts';

/** One round: what was placed, and what the doctor made of it. */
export interface Row {
  readonly round: number;
  readonly asked: string;
  readonly title: string;
  readonly kind: string;
  readonly host: string;
  readonly device: string;
  readonly way: string;
  readonly expected: string;
  readonly said: string;
  readonly right: boolean;
  readonly named?: 'first' | 'elsewhere' | 'no';
  readonly first: string;
  readonly seconds: number;
}

/** A drop that was placed and did no harm, or could not be placed: nothing is to be found. */
export interface Dud {
  readonly round: number;
  readonly asked: string;
  readonly kind: string;
  readonly host: string;
  readonly device: string;
  readonly way: string;
  readonly why: string;
}

export interface Result {
  readonly variant: string;
  readonly seed: string;
  readonly started: string;
  readonly version: string;
  readonly commit: string;
  readonly rows: readonly Row[];
  readonly duds: readonly Dud[];
}

export const shareRight = ({ rows }: Pick<Result, 'rows'>): number =>
  rows.length === 0 ? 0 : rows.filter((r) => r.right).length / rows.length;

const intro = `# Where a trace says that packets end

Written by \`test/lab/localise.sh\` (see README.md). Each round puts one drop of a random kind somewhere on the path of a random trace, in one direction, proves that the
probe no longer comes back, and runs the trace again. Edge right: the first missing edge that it names is the one around the drop, as packet sockets see it (a filter on
ingress takes what the device was still seen to receive; one on egress takes what it was not yet seen to send). Rule named: where a node counts the drop, whether the
report names that very rule, and whether as its first cause.
`;

export function section({ variant, rows, duds, seed, started, version, commit }: Result): string {
  const counted = rows.filter((r) => r.named !== undefined);
  return [
    `## ${variant}`,
    '',
    `${started.slice(0, 10)}, ostk-doctor ${version}, commit ${commit}, seed ${seed}.`,
    '',
    ...head('', ''),
    row('rounds', String(rows.length)),
    row('edge right', share(rows.filter((r) => r.right).length, rows.length)),
    row('rule named', share(counted.filter((r) => r.named !== 'no').length, counted.length)),
    row('rule is the first cause', share(counted.filter((r) => r.named === 'first').length, counted.length)),
    row('s to the verdict', `${median(rows.map((r) => r.seconds)) ?? '-'} (median)`),
    row('drops that did no harm or could not be placed', String(duds.length)),
    '',
    ...head(
      'trace',
      'kind',
      'host',
      'device',
      'direction',
      'expected edge',
      'edge said',
      'right',
      'rule named',
      'first cause',
      's',
    ),
    ...[...rows]
      .sort((a, b) => a.round - b.round)
      .map((r) =>
        row(
          r.asked,
          r.kind,
          r.host,
          r.device,
          r.way,
          r.expected,
          r.said === r.expected ? 'the same' : r.said,
          r.right ? 'yes' : 'NO',
          r.named ?? '',
          r.first,
          String(r.seconds),
        ),
      ),
    '',
  ].join('\n');
}

export const page = (was: string, result: Result): string => withSection(was, intro, result.variant, section(result));
