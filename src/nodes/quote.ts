/** What a POSIX shell takes literally without quotes. `~`, `=` and a leading `-` are left out on purpose. */
const plain = /^[A-Za-z0-9_/.:,@%+][A-Za-z0-9_/.:,@%+-]*$/;

/**
 * One word of a POSIX shell command line that expands to exactly this text (POSIX.1-2017, Shell Command Language 2.2.2).
 * This is the only place where data becomes shell text. Throws on NUL, which no argument can carry.
 */
export function quoteArg(arg: string): string {
  if (arg.includes('\0')) throw new TypeError('an argument cannot contain a NUL byte');
  if (plain.test(arg)) return arg;
  return `'${arg.replaceAll("'", "'\\''")}'`;
}

/** A whole command line. */
export const quoteArgv = (argv: readonly string[]): string => argv.map(quoteArg).join(' ');
