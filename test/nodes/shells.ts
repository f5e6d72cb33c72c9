import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';

export interface ShellUnderTest {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  /** This machine does not have it: its tests are skipped. */
  readonly missing: boolean;
}

const has = (argv: readonly [string, ...string[]]): boolean => {
  try {
    execFileSync(argv[0], [...argv.slice(1), '-c', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const shell = (name: string, ...argv: [string, ...string[]]): ShellUnderTest => ({ name, argv, missing: !has(argv) });

/** Shells that a node may have behind `sh`. */
const all: readonly ShellUnderTest[] = [
  shell('sh', 'sh'),
  shell('dash', 'dash'),
  shell('bash', 'bash'),
  shell('bash --posix', 'bash', '--posix'),
  shell('busybox sh', 'busybox', 'sh'),
];

const fileOf = (name: string): string =>
  realpathSync(execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim());

/** `sh` is one of the others nearly everywhere: under its own name it is tested only where it is not. */
export const shells = all.filter(
  ({ name, missing }) => missing || name === 'sh' || name.includes(' ') || fileOf(name) !== fileOf('sh'),
);
