import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Matrix, MatrixCell, MatrixRow, MatrixTarget } from '../../src/engine/matrix.ts';
import { readMatrix } from '../../src/path/read-matrix.ts';

type State = MatrixCell['state'];

const cell = (state: State, name: string, from: number): MatrixCell =>
  state === 'not-asked'
    ? { state, because: 'a test' }
    : {
        state,
        sent: 5,
        received: state === 'ok' ? 5 : state === 'partly' ? 3 : 0,
        evidence: {
          source: { kind: 'command', host: 'net1', argv: ['ping', name, String(from)], code: 0 },
          at: '2026-01-01T00:00:00.000Z',
          excerpt: state,
        },
      };

/** Rows as `kind name host: states`, one state per sender (the DHCP namespace, the router, here). */
const matrix = (...rows: readonly (readonly [MatrixTarget, string, string, ...State[]])[]): Matrix => ({
  title: 'web-1',
  sources: [
    { kind: 'qdhcp', name: 'qdhcp', host: 'net1' },
    { kind: 'qrouter', name: 'r1', host: 'net1' },
    { kind: 'operator', name: 'here', host: 'here' },
  ],
  rows: rows.map(
    ([kind, name, host, ...states]): MatrixRow => ({
      kind,
      name,
      address: '10.0.0.1',
      host,
      cells: states.map((state, i) => cell(state, name, i)),
    }),
  ),
});

const no = 'not-asked';
const silent = ['this-instance', 'web-1', 'cmp1', 'lost', 'lost', no] as const;
const fine = ['this-instance', 'web-1', 'cmp1', 'ok', 'ok', no] as const;
const ruledOut = (m: Matrix): string[] => (readMatrix(m)?.exclusions ?? []).map((e) => e.what);

describe('the matrix is read', () => {
  it.each([
    ['its own side', 'port', [silent, ['same-host', 'web-2', 'cmp1', 'ok', 'ok', no]]],
    [
      'its host',
      'host',
      [silent, ['same-host', 'web-2', 'cmp1', 'lost', 'lost', no], ['other-host', 'db-1', 'cmp2', 'ok', 'ok', no]],
    ],
    ['its side, not told apart', 'host-or-port', [silent, ['other-host', 'db-1', 'cmp2', 'ok', 'ok', no]]],
    ['the network', 'network', [silent, ['other-host', 'db-1', 'cmp2', 'lost', 'lost', no]]],
    [
      'one sender',
      'sender',
      [
        ['this-instance', 'web-1', 'cmp1', 'lost', 'ok', no],
        ['same-host', 'web-2', 'cmp1', 'lost', 'ok', no],
      ],
    ],
    [
      'one sender and it alone',
      'pair',
      [
        ['this-instance', 'web-1', 'cmp1', 'lost', 'ok', no],
        ['same-host', 'web-2', 'cmp1', 'ok', 'ok', no],
      ],
    ],
    ['outside', 'outside', [fine, ['outside', 'gateway', 'ext', no, 'lost', no]]],
    [
      'the translation',
      'translation',
      [fine, ['router-outside', 'r1', 'net1', no, no, 'ok'], ['floating-ip', 'web-1', 'net1', no, no, 'lost']],
    ],
    [
      'a lossy host',
      'host',
      [
        ['this-instance', 'web-1', 'cmp1', 'partly', 'ok', no],
        ['this-instance', 'web-1', 'cmp1', 'partly', 'partly', no],
        ['same-host', 'web-2', 'cmp1', 'partly', 'partly', no],
        ['other-host', 'db-1', 'cmp2', 'ok', 'ok', no],
      ],
    ],
  ] as const)('as %s', (_says, half, rows) => {
    expect(readMatrix(matrix(...rows))?.half).toBe(half);
  });

  it('as nothing when nobody else could be asked, or nothing is sick', () => {
    expect(readMatrix(matrix(silent))).toBeUndefined();
    expect(readMatrix(matrix(fine, ['other-host', 'db-1', 'cmp2', 'ok', 'ok', no]))).toBeUndefined();
    expect(readMatrix(matrix())).toBeUndefined();
  });

  it('with one answer of five as proof beside a silent instance, and no proof beside a lossy one', () => {
    const mate = ['same-host', 'web-2', 'cmp1', 'partly', 'partly', no] as const;
    expect(readMatrix(matrix(silent, mate))).toMatchObject({ half: 'port', lossy: false });
    const losing = ['this-instance', 'web-1', 'cmp1', 'partly', 'partly', no] as const;
    expect(readMatrix(matrix(losing, mate))).toMatchObject({ half: 'network', lossy: true });
  });

  it('without the neighbour of another network standing for the network of the instance', () => {
    const m = matrix(
      silent,
      ['same-host', 'web-2', 'cmp1', 'lost', 'lost', no],
      ['other-host', 'db-1', 'cmp2', 'ok', 'ok', no],
      ['other-network', 'app-1', 'cmp1', no, 'ok', no],
    );
    expect(readMatrix(m)?.half).toBe('host');
    expect(ruledOut(m)).toContain('host cmp1 as a whole');
  });

  it('and a sender that nobody answers is not ruled out', () => {
    const m = matrix(
      ['this-instance', 'web-1', 'cmp1', 'lost', 'ok', no],
      ['same-host', 'web-2', 'cmp1', 'lost', 'ok', no],
    );
    expect(ruledOut(m)).toEqual(['web-1 itself', 'host cmp1 as a whole']);
  });
});

const anyState = fc.constantFrom<State>('ok', 'partly', 'lost', 'not-asked');
const anyRow = (kind: MatrixTarget) =>
  fc.tuple(fc.constant(kind), fc.constantFrom('a', 'b'), fc.constantFrom('cmp1', 'cmp2'), anyState, anyState, anyState);
const anyMatrix = fc
  .tuple(
    anyRow('this-instance'),
    fc.array(
      fc
        .constantFrom<MatrixTarget>(
          'same-host',
          'other-host',
          'other-network',
          'router-inside',
          'dhcp',
          'outside',
          'floating-ip',
          'router-outside',
        )
        .chain(anyRow),
      { maxLength: 6 },
    ),
  )
  .map(([own, others]) => matrix(own, ...others));

describe('whatever the matrix', () => {
  it('nothing is ruled out but by an answer', () => {
    fc.assert(
      fc.property(anyMatrix, (m) => {
        for (const { evidence } of readMatrix(m)?.exclusions ?? []) {
          for (const e of evidence) expect(['ok', 'partly']).toContain(e.excerpt);
        }
      }),
    );
  });

  it('a reading rests on a ping that failed, and never claims to be certain', () => {
    fc.assert(
      fc.property(anyMatrix, (m) => {
        const reading = readMatrix(m);
        if (reading === undefined) return;
        expect(reading.evidence[0]?.excerpt).not.toBe('ok');
        expect(reading.evidence.length).toBeGreaterThan(1);
        expect(reading.confidence).not.toBe('certain');
      }),
    );
  });

  it('does not depend on the order of its rows', () => {
    fc.assert(
      fc.property(anyMatrix, (m) => {
        const [own, ...others] = m.rows;
        if (own === undefined) return;
        const turned = readMatrix({ ...m, rows: [own, ...others.reverse()] });
        const reading = readMatrix(m);
        expect([turned?.half, turned?.confidence]).toEqual([reading?.half, reading?.confidence]);
      }),
    );
  });
});
