import { existsSync, readFileSync } from 'node:fs';

/** The root of the package, from wherever the bundle's chunks or the sources lie in it. */
export const packageRoot: URL = (() => {
  for (let at = new URL('./', import.meta.url); ; at = new URL('../', at)) {
    if (existsSync(new URL('package.json', at)) || at.pathname === '/') return at;
  }
})();

let known: string | undefined;

/** Of package.json, which is the only place that says it. */
export function version(): string {
  known ??= (JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as { version: string }).version;
  return known;
}
