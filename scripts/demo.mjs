// npm run demo [-- SCENARIO AND FLAGS]: builds and runs the demo. The doctor ends with status 1 when it has found what is
// broken; for a demo that is success.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const built = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: root, encoding: 'utf8' });
if (built.status === 0) {
  const demo = ['bin/ostk-doctor.js', 'demo', ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, demo, { cwd: root, stdio: 'inherit' });
  process.exitCode = status === 1 ? 0 : (status ?? 4);
} else {
  process.stderr.write(built.stderr);
  process.exitCode = 4;
}
