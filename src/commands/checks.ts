import { allChecks } from '../checks/registry.ts';
import { renderChecks } from '../report/explain.ts';
import { type OutputOptions, screenOf } from './output.ts';

/** `ostk-doctor checks` */
export function runChecks(o: OutputOptions): number {
  const { stdout, verbosity } = screenOf(o);
  process.stdout.write(renderChecks(allChecks, { width: stdout.width, theme: stdout.theme, verbosity }));
  return 0;
}
