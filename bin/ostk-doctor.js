#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';

const cli = new URL('../dist/cli.js', import.meta.url);
const [first, ...others] = process.argv.slice(2);

if ((first === '--version' || first === '-V') && others.length === 0) {
  // Answered without loading anything: scripts and people ask this often.
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  process.stdout.write(`${version}\n`);
} else if (!existsSync(cli)) {
  process.stderr.write('error: ostk-doctor is not built\n  why: dist/cli.js is missing\n   do: npm run build\n');
  process.exitCode = 2;
} else {
  const interruption = new AbortController();
  let signals = 0;
  const interrupt = (signal) => {
    signals += 1;
    // The first one ends the run in good order, with what is known so far; who asks twice wants out now.
    if (signals > 1) process.exit(130);
    interruption.abort(signal);
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  // The reader went away (`| head`): not an error of ours.
  process.stdout.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
  });
  const { main } = await import(cli.href);
  process.exitCode = await main(process.argv.slice(2), { signal: interruption.signal });
}
