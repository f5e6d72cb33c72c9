import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Lab, placeFrom } from '../score/lab.ts';
import { LabLock } from '../score/lock.ts';
import { type Case, cases } from './cases.ts';
import { Cloud } from './cloud.ts';
import { Ground } from './ground.ts';
import { keep, keepCommon, record } from './record.ts';

const USAGE = `usage: schedule.sh [--case NAME]... [--record DIR] [--resume] [--questions N] | --heal | --list
`;

const say = (text: string): void => {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
};

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      case: { type: 'string', multiple: true, default: [] },
      record: { type: 'string' },
      resume: { type: 'boolean', default: false },
      questions: { type: 'string', default: '30' },
      heal: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (values.list) {
    for (const c of cases) process.stdout.write(`${c.name.padEnd(20)} ${c.step.padEnd(34)} ${c.title}\n`);
    return 0;
  }
  const lab = new Lab(placeFrom(process.env));
  const ground = new Ground(new Cloud(process.env.LAB_CTL ?? '', process.env.LAB_PASS ?? ''), lab);
  const lock = new LabLock(process.env.LAB_LOCK);
  if (values.heal) {
    await ground.sweep();
    await ground.quota(false);
    await ground.verb('down');
    return 0;
  }
  await lock.take();
  await ground.verb('up');
  await ground.sweep();
  await ground.quota(true);
  if (values.record !== undefined) await keepCommon(ground, join(values.record, 'common'));
  const wanted: readonly Case[] = values.case.length === 0 ? cases : cases.filter((c) => values.case.includes(c.name));
  for (const c of wanted) {
    await lock.take();
    const started = Date.now();
    try {
      const asked = await c.make(ground);
      const made = await ground.request('sched-vm', asked);
      const recorded = await record(ground, made, c.late ?? []);
      if (values.record !== undefined) await keep(ground, recorded, join(values.record, c.name));
      const s = recorded.servers[0];
      say(
        `${c.name}: ${made.status} ${s?.status ?? ''} ${s?.fault?.message ?? JSON.stringify(made.answer).slice(0, 200)} (${Date.now() - started} ms)`,
      );
      for (const line of recorded.scheduler.split('\n'))
        if (/returned 0 hosts|Got no alloc|Filter results: \[\(/.test(line))
          say(`    ${line.slice(line.indexOf('] ') + 2).slice(0, 600)}`);
    } catch (error) {
      say(`${c.name}: FAILED ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      try {
        await c.undo?.(ground);
      } catch (error) {
        say(`${c.name}: undo: ${String(error)}`);
      }
      await ground.sweep(false);
      lock.leave(240);
    }
  }
  lock.leave();
  return 0;
}

process.exitCode = await main();
