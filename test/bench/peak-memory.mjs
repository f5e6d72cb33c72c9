// node --import THIS ...: writes the peak of the process' resident memory (VmHWM of proc(5), KiB) to $BENCH_PEAK_FILE at its end.
import { readFileSync, writeFileSync } from 'node:fs';

process.on('exit', () => {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  writeFileSync(process.env.BENCH_PEAK_FILE, `${kib}\n`);
});
