// node --import THIS ...: writes at its end what the process took to $USAGE_FILE, as JSON: the peak of its resident memory (KiB) and its CPU time (ms).
import { writeFileSync } from 'node:fs';

process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  writeFileSync(process.env.USAGE_FILE, JSON.stringify({ kib: maxRSS, cpuMs: (userCPUTime + systemCPUTime) / 1000 }));
});
