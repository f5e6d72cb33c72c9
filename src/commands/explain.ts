import { allFindingSpecs, specsByCode } from '../checks/registry.ts';
import { UserError } from '../engine/error.ts';
import { renderExplain } from '../report/explain.ts';
import { type OutputOptions, screenOf } from './output.ts';

/** `ostk-doctor explain OSD-PORT-002` */
export function runExplain(code: string, o: OutputOptions): number {
  const spec = specsByCode.get(code.toUpperCase());
  if (spec === undefined) {
    const area = code.toUpperCase().split('-').slice(0, 2).join('-');
    const near = allFindingSpecs.filter((s) => s.code.startsWith(area)).map((s) => s.code);
    throw new UserError(`There is no code ${code}.`, {
      hint: near.length > 0 ? `of this area: ${near.join(', ')}` : 'ostk-doctor checks lists them all',
    });
  }
  const { stdout, verbosity } = screenOf(o);
  const titleOf = (c: string): string | undefined => specsByCode.get(c)?.title;
  process.stdout.write(renderExplain(spec, { width: stdout.width, theme: stdout.theme, verbosity }, titleOf));
  return 0;
}
