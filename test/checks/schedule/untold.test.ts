import { describe, expect, it } from 'vitest';
import { cannotTell } from '../../../src/checks/schedule/untold.ts';
import { cannot, noRam, row, unknown } from '../../report/schedule/samples.ts';
import { stopped } from './requests.ts';

const open = (host: string, because: string) =>
  row([host], stopped('NUMATopologyFilter', unknown(because, 'the log of nova-scheduler at DEBUG')));

describe('that nobody can say whether there is a host', () => {
  it('names the step it depends on, and what would tell', () => {
    expect(cannotTell(cannot)).toEqual({
      kind: 'unsupported',
      because:
        'whether a host fits depends on numa: cells are not told (would tell: the log of nova-scheduler at DEBUG)',
    });
  });

  it('counts the same question of several hosts once, and others beside it', () => {
    const rows = [open('cmp1', 'cells are not told'), open('cmp2', 'cells are not told'), open('cmp3', 'no siblings')];
    expect(cannotTell({ ...cannot, rows })).toMatchObject({ because: expect.stringMatching(/, and 1 more$/) });
    expect(cannotTell({ ...cannot, rows: rows.slice(0, 2) })).toMatchObject({
      because: expect.stringMatching(/at DEBUG\)$/),
    });
  });

  it('asks nothing of hosts that are rejected anyway', () => {
    expect(cannotTell(noRam)).toMatchObject({ because: 'no host is known for which it could be said' });
  });
});
