import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const recorded = ['demo', 'test/fixtures/bundles'].flatMap((folder) =>
  readdirSync(new URL(folder, root)).flatMap((file) => (file.endsWith('.tgz') ? [`${folder}/${file}`] : [])),
);

describe('the recordings', () => {
  it('can each be made again: what was done to the cloud, and what was asked, is written down', () => {
    const script = readFileSync(new URL('test/lab/record.sh', root), 'utf8');
    const lines = new Set([...script.matchAll(/^(?:\w+\) SET=")?(\S+\.tgz) \S+/gm)].map((m) => m[1]));
    expect(recorded.filter((file) => !lines.has(file))).toEqual([]);
  });
});
