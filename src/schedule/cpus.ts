/** More CPUs than this no host has: a range that is longer is a slip of the pen. */
const mostCpus = 65_536;

/**
 * CPUs that a list names, `0-3,^2,8` (nova/virt/hardware.py parse_cpu_spec). One that begins with what is left out takes it from `all`, as a
 * mask of an instance's CPUs does.
 */
export function cpusIn(spec: string, all: readonly number[] = []): ReadonlySet<number> {
  const words = spec.split(',').map((w) => w.trim());
  const cpus = new Set<number>(words[0]?.startsWith('^') === true ? all : []);
  const left = new Set<number>();
  for (const word of words) {
    const [, out, from, to] = /^(\^?)(\d+)(?:-(\d+))?$/.exec(word) ?? [];
    if (from === undefined) continue;
    const last = Math.min(Number(to ?? from), Number(from) + mostCpus);
    for (let cpu = Number(from); cpu <= last; cpu++) (out === '^' ? left : cpus).add(cpu);
  }
  for (const cpu of left) cpus.delete(cpu);
  return cpus;
}

/** The CPUs of an instance: 0 to n-1. */
export const firstCpus = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);
