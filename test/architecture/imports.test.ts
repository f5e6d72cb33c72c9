import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../../src/', import.meta.url));

/** Who may import whom, by folder of src. Values and types alike: a type that leaks is a dependency too. */
const may: Readonly<Record<string, readonly string[]>> = {
  engine: [],
  path: ['engine', 'nodes/parse'],
  schedule: ['engine', 'nodes/parse'],
  cloud: ['engine'],
  nodes: ['engine'],
  'nodes/parse': ['engine'],
  config: ['engine', 'nodes'],
  facts: ['cloud', 'nodes', 'nodes/parse', 'path', 'schedule', 'engine'],
  checks: ['engine', 'path', 'schedule', 'facts', 'nodes', 'nodes/parse'],
  bundle: ['cloud', 'nodes', 'engine'],
  demo: ['bundle', 'cloud', 'nodes', 'engine', 'facts', 'run'],
  report: ['engine', 'path', 'schedule', 'ui', 'nodes'],
  ui: ['engine'],
  run: ['engine', 'cloud', 'nodes', 'path', 'facts', 'checks', 'bundle', 'config', 'ui', ''],
  commands: [
    'engine',
    'cloud',
    'nodes',
    'path',
    'facts',
    'checks',
    'bundle',
    'demo',
    'report',
    'ui',
    'run',
    'config',
    '',
  ],
  '': ['commands', 'ui', 'engine'],
};

const files = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : path.endsWith('.ts') ? [path] : [];
  });

const areaOf = (path: string): string => {
  const [first = '', second = ''] = relative(src, path).split('/');
  if (first === 'nodes' && second === 'parse') return 'nodes/parse';
  return first.endsWith('.ts') ? '' : first;
};

interface Edge {
  readonly from: string;
  readonly to: string;
}

const edges: readonly Edge[] = files(src).flatMap((from) =>
  [...readFileSync(from, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, target = '']) => ({
    from,
    to: resolve(dirname(from), target),
  })),
);

const forbidden = (all: readonly Edge[]): string[] =>
  all
    .filter(({ from, to }) => areaOf(from) !== areaOf(to) && !(may[areaOf(from)] ?? []).includes(areaOf(to)))
    .map(({ from, to }) => `${relative(src, from)} imports ${relative(src, to)}`);

describe('the import graph', () => {
  it('goes only where the layers allow', () => {
    expect(edges.length).toBeGreaterThan(200);
    expect(forbidden(edges)).toEqual([]);
  });

  it('is really judged: a check that imports the cloud client would be told', () => {
    const wrong = { from: join(src, 'checks/port/bound.ts'), to: join(src, 'cloud/session.ts') };
    expect(forbidden([...edges, wrong])).toEqual(['checks/port/bound.ts imports cloud/session.ts']);
  });
});
