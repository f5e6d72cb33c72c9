import { describe, expect, it } from 'vitest';
import { type ScheduleCommandOptions, scheduleCommand } from '../../src/commands/schedule.ts';
import { UserError } from '../../src/engine/error.ts';
import { wishArguments } from '../../src/facts/schedule/typed.ts';

const refusal = (vm: string | undefined, o: ScheduleCommandOptions): UserError => {
  try {
    scheduleCommand(vm, o);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('it was not refused');
};

describe('what is scheduled', () => {
  it('is an instance as it is', () => {
    expect(scheduleCommand('huge-1', {})).toEqual({
      verb: 'schedule',
      target: 'huge-1',
      steps: ['cloud', 'control', 'schedule'],
      allowPort: false,
      options: {},
    });
  });

  it('is an instance, with what the API does not tell of it, or otherwise than it asked', () => {
    const { target, options } = scheduleCommand('huge-1', { hint: ['same_host=web-1'], az: 'az1' });
    expect(target).toBe('huge-1');
    expect(options.wish).toEqual({ networks: [], zone: 'az1', hints: ['same_host=web-1'], count: 1 });
  });

  it('is a request that nobody has made', () => {
    const asked = {
      ...{ flavor: 'm1.small', image: 'cirros', network: ['a', 'b'], az: 'az1', hint: ['group=web'], host: 'cmp1' },
      count: '4',
    };
    const { target, steps, options } = scheduleCommand(undefined, { ...asked, failOn: 'never' });
    expect(target).toBeUndefined();
    expect(steps).toEqual(['cloud', 'question']);
    expect(options).toEqual({
      failOn: 'never',
      wish: {
        ...{ flavor: 'm1.small', image: 'cirros', networks: ['a', 'b'], zone: 'az1', hints: ['group=web'] },
        ...{ host: 'cmp1', count: 4 },
      },
    });
    expect(wishArguments(options.wish).join(' ')).toBe(
      '--flavor m1.small --image cirros --network a --network b --az az1 --hint group=web --host cmp1 --count 4',
    );
  });

  it('is not nothing', () => {
    expect(refusal(undefined, {}).message).toMatch(/^Schedule what\?/);
    expect(refusal(undefined, { image: 'cirros' }).hint).toContain('--flavor');
  });

  it.each(['0', '1001', '-1', '1.5', 'two', ''])('is not %j at once', (count) => {
    expect(refusal('vm', { count }).hint).toBe('a number from 1 to 1000');
  });

  it.each(['group', '=web', 'a b=c', 'group='])('takes %j for no hint', (hint) => {
    expect(refusal('vm', { hint: [hint] }).hint).toContain('name=value');
  });

  it('names something with every option', () => {
    expect(refusal('vm', { flavor: ' ' }).message).toMatch(/^--flavor names nothing/);
    expect(refusal('vm', { network: ['a', ''] }).message).toMatch(/^--network names nothing/);
  });
});
