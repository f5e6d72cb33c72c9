/** What a POSIX shell takes literally without quotes, wherever it stands but at the beginning of a command. */
const plain = /^[A-Za-z0-9_/.:,@%+-][A-Za-z0-9_/.:,@%+=-]*$/;

const always = (arg: string): string => {
  if (arg.includes('\0')) throw new TypeError('an argument cannot contain a NUL byte');
  return `'${arg.replaceAll("'", "'\\''")}'`;
};

/**
 * One argument as a word of a POSIX shell command line that expands to exactly this text (POSIX.1-2017, Shell Command
 * Language 2.2.2). This is the only place where data becomes shell text. Throws on NUL, which no argument can carry.
 */
export function quoteArg(arg: string): string {
  return plain.test(arg) ? arg : always(arg);
}

/** A whole command line. Its first word is never taken for an assignment. */
export const quoteArgv = (argv: readonly string[]): string =>
  argv.map((arg, index) => (index === 0 && arg.includes('=') ? always(arg) : quoteArg(arg))).join(' ');

/** Whether a name that somebody chose can stand on a command line to paste: no option by its looks, nothing a terminal acts on. */
export const isTypeable = (name: string): boolean => /^[^-\p{Cc}]\P{Cc}*$/u.test(name);
