// npm test: build, lint, types, all test suites. Goes on after a failure, so that one run shows everything that is wrong.
//   node scripts/test.mjs [VITEST ARGUMENTS]     e.g. test/report, -t 'narrow terminal'
// The last line is `N passed, N failed, N skipped`; the status is 1 when anything failed or nothing was tested.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => join(root, 'node_modules/.bin', name);

/** Runs one command on our own terminal. @returns whether it ended with status 0 */
const succeeds = (argv) =>
  new Promise((resolve) => {
    const child = spawn(argv[0], argv.slice(1), { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', (error) => {
      console.log(`${argv[0]}: ${error.message}`);
      resolve(false);
    });
    child.on('close', (status) => resolve(status === 0));
  });

/** What vitest's JSON says. A file that could not even be loaded is one failure: it holds tests that nobody ran. */
async function countTests(file) {
  const report = JSON.parse(await readFile(file, 'utf8'));
  const notLoaded = report.testResults.filter((f) => f.status === 'failed' && f.assertionResults.length === 0);
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + notLoaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

// biome colours its diagnostics wherever it runs
const plain = process.stdout.isTTY ? [] : ['--colors=off'];
const phases = [
  ['packages', [process.execPath, 'scripts/check-packages.mjs']],
  ['build', [process.execPath, 'scripts/build.mjs']],
  ['lint', [bin('biome'), 'ci', '--error-on-warnings', ...plain, '.']],
  ['types', [bin('tsc'), '--noEmit', '-p', '.']],
];
const failures = [];
for (const [name, argv] of phases) {
  console.log(`\n--- ${name}`);
  if (!(await succeeds(argv))) failures.push(name);
}

console.log('\n--- tests');
const folder = await mkdtemp(join(tmpdir(), 'ostk-doctor-test-'));
let tests = { passed: 0, failed: 0, skipped: 0 };
try {
  const json = join(folder, 'vitest.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${json}`];
  const passed = await succeeds([bin('vitest'), 'run', ...reporters, ...process.argv.slice(2)]);
  tests = await countTests(json).catch(() => tests);
  if (tests.passed + tests.failed === 0) failures.push('tests: none was run');
  else if (!passed && tests.failed === 0) failures.push('tests: an error outside of the tests');
} finally {
  await rm(folder, { recursive: true, force: true });
}

if (failures.length > 0) console.log(`\nfailed: ${failures.join(', ')}`);
const failed = tests.failed + failures.length;
console.log(`\n${tests.passed} passed, ${failed} failed, ${tests.skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
