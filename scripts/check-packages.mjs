// Holds for every package of the lock file: no download address (packages come from whatever registry the installing
// machine uses), and it says that it runs on the oldest Node this tool supports.
//   node scripts/check-packages.mjs
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import semver from 'semver';

const root = fileURLToPath(new URL('..', import.meta.url));
const lock = JSON.parse(await readFile(`${root}/package-lock.json`, 'utf8'));
const oldest = semver.minVersion(lock.packages[''].engines.node);

const faults = [];
const installed = Object.entries(lock.packages).filter(([path]) => path !== '');
for (const [path, entry] of installed) {
  const name = path.replace(/^.*node_modules\//, '');
  const node = entry.engines?.node;
  if (entry.resolved !== undefined) faults.push(`${name} ${entry.version} has a download address: ${entry.resolved}`);
  if (entry.integrity === undefined) faults.push(`${name} ${entry.version} has no checksum`);
  if (node !== undefined && !semver.satisfies(oldest, node))
    faults.push(`${name} ${entry.version} wants Node ${node}, not ${oldest}`);
}
if (installed.length === 0) faults.push('package-lock.json names no package');

for (const fault of faults) console.error(`package-lock.json: ${fault}`);
console.error(`${installed.length} packages, ${faults.length} faults; all of them must run on Node ${oldest}`);
process.exitCode = faults.length === 0 ? 0 : 1;
