import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('the pages of the codes and the published schema are what the sources say', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, ['scripts/gen.mjs', '--check'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(stderr).toContain(' 0 stale');
  expect(status).toBe(0);
});
