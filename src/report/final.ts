import type { Reporter } from '../engine/events.ts';
import type { RunReport } from '../engine/report.ts';

/** Writes a whole report in one piece when the run has ended. */
export function finalReporter(render: (report: RunReport) => string, write: (text: string) => void): Reporter {
  return {
    on(event) {
      if (event.type === 'run.end') write(render(event.report));
    },
    end: () => Promise.resolve(),
  };
}
