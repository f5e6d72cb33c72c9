import type { HostFacts } from '../estate.ts';
import { judged, type Obstacle, passes, unknown } from '../judgement.ts';
import { matches } from './extra-specs-ops.ts';
import type { Filter } from './filter.ts';
import { attributeOf, hiddenValue } from './host-state.ts';
import { pythonText } from './python.ts';

/** The value that a path of names leads to; undefined where there is none. */
function capability(host: HostFacts, path: readonly string[]): unknown {
  let at: unknown = attributeOf(host, path[0] ?? '');
  for (const name of path.slice(1)) {
    if (at === hiddenValue || at === undefined || at === null) return at;
    at = typeof at === 'object' && Object.hasOwn(at, name) ? Reflect.get(at, name) : undefined;
  }
  return at;
}

/**
 * compute_capabilities_filter.py: extra specs of the namespace `capabilities`, and those without one whose name happens to be an attribute of
 * the host's state, against the host's state.
 */
export const computeCapabilitiesFilter: Filter = {
  title: 'capabilities',
  isWhole: false,
  judge: (host, { wish }) => {
    const obstacles: Obstacle[] = [];
    let open: string | undefined;
    for (const [key, value] of Object.entries(wish.flavor.extraSpecs)) {
      const [scope = '', ...rest] = key.split(':');
      const path = rest.length === 0 ? [scope] : scope === 'capabilities' ? rest : undefined;
      if (path === undefined || (rest.length === 0 && attributeOf(host, scope) === undefined)) continue;
      // Ironic tells no capabilities by an API: a name without a namespace is then taken for none of them.
      const has = capability(host, path);
      if (has === hiddenValue) {
        if (rest.length > 0) open ??= key;
        continue;
      }
      if (has !== undefined && has !== null && matches(pythonText(has), value)) continue;
      const text = has === undefined || has === null ? undefined : shortened(pythonText(has));
      obstacles.push({
        kind: `capability ${key}`,
        of: 'extra-spec',
        because: text === undefined ? `no ${path.join(':')}` : `${path.join(':')} is ${text}`,
        wanted: `${key}=${value}`,
        has: text === undefined ? `no capability ${path.join(':')}` : text,
        ways: [[{ kind: 'extra-spec', on: 'request', key, value }]],
      });
    }
    if (obstacles.length > 0) return judged(obstacles);
    return open === undefined
      ? passes
      : unknown(
          `${open}: this capability is not told by any API`,
          'nova-scheduler at DEBUG: "fails flavor extra_specs requirements"',
          [[{ kind: 'extra-spec', on: 'request', key: open, value: wish.flavor.extraSpecs[open] ?? '' }]],
        );
  },
};

const mostText = 60;
const shortened = (text: string): string => (text.length <= mostText ? text : `${text.slice(0, mostText)}…`);
