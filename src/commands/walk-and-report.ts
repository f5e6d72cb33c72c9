import type { RunManifest } from '../bundle/format.ts';
import type { Playbook } from '../engine/playbook.ts';
import type { TraceOption } from '../facts/io.ts';
import { wishArguments } from '../facts/schedule/typed.ts';
import { quoteArgv } from '../nodes/quote.ts';
import type { Door } from '../run/doors.ts';
import { lastRunsFolder, saveLastRun } from '../run/record.ts';
import { walk } from '../run/walk.ts';
import { progress } from '../ui/progress.ts';
import { version } from '../version.ts';
import { exitFor, fanOut, reporterFor, type Screen } from './output.ts';
import { drawTraces, keepCaptures } from './trace-files.ts';
import type { WalkCommand } from './walk.ts';
import type { WalkOptions } from './walk-options.ts';

/** Flags that decide the report, so that a replay can be asked the same; never a secret, never a path. */
const deciding = ['probe', 'from', 'symptom', 'to', 'since', 'probePackets', 'failOn', 'trace', 'wish'] as const;

export const requestOf = (
  command: Pick<WalkCommand, 'verb' | 'target' | 'steps' | 'allowPort'>,
  o: WalkOptions,
): Readonly<Record<string, unknown>> => ({
  verb: command.verb,
  target: command.target,
  steps: command.steps,
  allowPort: command.allowPort,
  options: Object.fromEntries(deciding.flatMap((key) => (o[key] === undefined ? [] : [[key, o[key]]]))),
});

/** The two ends of a trace in the order in which they were typed. */
const traceWords = (target: string, { other, reversed, probe }: TraceOption, to: string | undefined): string[] => {
  const far = other === 'peer' ? (to ?? '') : other;
  const what = probe.port === undefined ? probe.protocol : `${probe.protocol}/${probe.port}`;
  return ['trace', ...(reversed ? [far, target] : [target, far]), ...(what === 'icmp' ? [] : ['--probe', what])];
};

/** Walks, reports, keeps a record, closes the door whatever happens, and gives the exit code. */
export async function walkAndReport(
  door: Door,
  playbook: Playbook,
  command: Pick<WalkCommand, 'verb' | 'target' | 'steps' | 'allowPort'>,
  o: WalkOptions,
  screen: Screen,
  recordTo: string | undefined,
): Promise<number> {
  const moving = progress({
    stream: process.stderr,
    interactive: screen.stderr.interactive,
    verbose: false,
    theme: screen.stderr.theme,
    width: () => process.stderr.columns ?? 80,
  });
  const reporters = [moving, await reporterFor(o, screen)];
  const emit = fanOut(reporters);
  const typed = quoteArgv(
    o.trace === undefined
      ? [
          command.verb,
          ...(command.target === undefined ? [] : [command.target]),
          ...(o.symptom === undefined ? [] : ['--symptom', o.symptom]),
          ...(o.to === undefined ? [] : ['--to', o.to]),
          ...wishArguments(o.wish),
        ]
      : traceWords(command.target ?? '', o.trace, o.to),
  );
  const ticker = setInterval(() => emit({ type: 'waiting', ...door.waitingFor() }), 400);
  try {
    const report = await walk(
      door,
      playbook,
      {
        command: typed,
        allowPort: command.allowPort,
        failOn: o.failOn ?? 'error',
        version: version(),
        ...(command.target === undefined ? {} : { target: command.target }),
        ...(command.steps === undefined ? {} : { steps: new Set(command.steps) }),
      },
      emit,
    );
    clearInterval(ticker);
    emit({ type: 'run.end', report });
    for (const reporter of reporters) await reporter.end();
    if (o.svg !== undefined) await drawTraces(o.svg, report.traces ?? []);
    if (o.keepCaptures !== undefined && door.recorder !== undefined)
      await keepCaptures(o.keepCaptures, door.recorder.captures());
    if (door.recorder !== undefined) {
      const manifest: RunManifest = {
        toolVersion: version(),
        command: [command.verb, ...(command.target === undefined ? [] : [command.target])],
        startedAt: report.startedAt,
        elapsedMs: report.elapsedMs,
        request: requestOf(command, o),
        cloud: door.recordedCloud,
        hosts: await door.hostFacts(),
        traffic: report.traffic,
      };
      await saveLastRun(lastRunsFolder(), door.recorder, manifest, recordTo);
    }
    return await exitFor(o, report);
  } finally {
    clearInterval(ticker);
    await moving.end();
    await door.close();
  }
}
