import { UserError } from '../engine/error.ts';
import type { WishOption } from '../facts/io.ts';
import type { WalkCommand } from './walk.ts';
import type { WalkOptions } from './walk-options.ts';

export interface ScheduleCommandOptions extends Omit<WalkOptions, 'wish'> {
  readonly flavor?: string;
  readonly image?: string;
  readonly network?: readonly string[];
  readonly az?: string;
  readonly hint?: readonly string[];
  readonly host?: string;
  readonly count?: string;
}

const most = 1000;

function countOf(text: string | undefined): number {
  if (text === undefined) return 1;
  const count = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count >= 1 && count <= most)) {
    throw new UserError(`--count ${text} does not do.`, { hint: `a number from 1 to ${most}` });
  }
  return count;
}

function hintOf(text: string): string {
  if (!/^[^=\s]+=./.test(text)) {
    throw new UserError(`--hint ${text} is not a scheduler hint.`, {
      hint: 'name=value, e.g. group=5f2c…, same_host=web-1, different_host=web-1',
    });
  }
  return text;
}

/** What is asked for, of an instance or by itself; nothing where an instance is asked about as it is. */
function wishOf(vm: string | undefined, o: ScheduleCommandOptions): WishOption | undefined {
  const { flavor, image, network = [], az, hint = [], host, count } = o;
  for (const [option, value] of [
    ['--flavor', flavor],
    ['--image', image],
    ['--az', az],
    ['--host', host],
    ...network.map((n) => ['--network', n] as const),
  ] as const) {
    if (value?.trim() === '') throw new UserError(`${option} names nothing.`, { hint: 'a name or an id' });
  }
  const says = [flavor, image, az, host, count].some((x) => x !== undefined) || network.length + hint.length > 0;
  if (vm !== undefined && !says) return undefined;
  return {
    ...(flavor === undefined ? {} : { flavor }),
    ...(image === undefined ? {} : { image }),
    networks: network,
    ...(az === undefined ? {} : { zone: az }),
    hints: hint.map(hintOf),
    ...(host === undefined ? {} : { host }),
    count: countOf(count),
  };
}

/**
 * `schedule <vm>`, or `schedule --flavor F …` before anybody boots anything, as a walk. Beside an instance the options stand
 * for what the API does not tell of its request, or for what it is to ask instead.
 */
export function scheduleCommand(vm: string | undefined, o: ScheduleCommandOptions): WalkCommand {
  const { flavor, image: _image, network: _network, az: _az, hint: _hint, host: _host, count: _count, ...walk } = o;
  if (vm === undefined && flavor === undefined) {
    throw new UserError('Schedule what?', {
      hint: 'ostk-doctor schedule web-1, or schedule --flavor m1.small --image cirros',
    });
  }
  const wish = wishOf(vm, o);
  return {
    verb: 'schedule',
    target: vm,
    steps: vm === undefined ? ['cloud', 'question'] : ['cloud', 'control', 'schedule'],
    allowPort: false,
    options: { ...walk, ...(wish === undefined ? {} : { wish }) },
  };
}
