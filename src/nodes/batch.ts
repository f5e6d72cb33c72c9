import { randomBytes } from 'node:crypto';
import type { Command } from './command.ts';
import { quoteArg, quoteArgv } from './quote.ts';

export { createFrameDecoder, encodeFrames, type Frame, type FrameDecoder } from './frames.ts';

/** Time limit of a command that states none, seconds. */
export const defaultTimeoutSeconds = 10;
/** Output bound per stream of a command that states none, bytes. */
export const defaultMaxBytes = 4 * 1024 * 1024;
/** Parallel commands of one batch that run at the same time. */
const parallelLimit = 32;
/** How long the commands in turn wait for those that have `listens`, seconds. */
export const listenSeconds = 5;
/** The line of input that ends the commands that have `listens`. Not before the script has begun: `head` may read ahead. */
export const enoughLine = 'enough\n';

export interface Batch {
  /** What the login shell of the node is asked to run. */
  readonly exec: string;
  /** The script that `exec` reads from its input; the input must then stay open until the last frame is back. */
  readonly stdin: string;
}

/** Commands in a namespace always need root: `ip netns exec` does. */
export const needsRoot = (command: Command): boolean => command.become === true || command.netns !== undefined;

/** The argv as the node runs it: inside its namespace. */
export const fullArgv = (command: Command): readonly string[] =>
  command.netns === undefined ? command.argv : ['ip', 'netns', 'exec', command.netns, ...command.argv];

/**
 * The node's half of the protocol: functions for the lines that follow. It is read by dash, bash and busybox ash alike.
 *
 * Each command's output goes to two files in a directory of its own in memory, so that a child which outlives the
 * command cannot hold up the frames, and commands that run side by side do not mix.
 *
 * `timeout` makes each command the leader of its own process group. Its number is in `r*` before it leaves ours, so
 * that whoever ends the batch finds it: the subshell asks /proc/self, because `$$` of a subshell is its parent's.
 *
 * The watchdog reads the input to its end: the doctor closes it when it has what it wanted, and sshd does when the
 * link is gone. It then stops our own group first (nothing new can start), then every command's, then itself.
 *
 * When it reads the line `enough`, it asks the commands that listen to stop; one that has not yet left our group finds
 * its q file. It waits a moment before: what tcpdump has not yet read when it is asked to stop is lost. SIGTERM, not
 * SIGINT: a shell starts background commands with SIGINT ignored (POSIX, 2.11), and tcpdump takes both alike. timeout(1)
 * passes it on, and kills after a second. A command under a sudo of its own is root's: it is asked by way of sudo, which
 * passes SIGTERM on, and else ends with its time.
 *
 * n: nonce, d: directory, L: numbers of the commands that listen, o/e/r/m/q files: output, errors, running group, code
 * with times of a parallel command, not wanted any more.
 */
const library = `PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin LC_ALL=C
export PATH LC_ALL
unset LANGUAGE
umask 077
ulimit -c 0
t() { read -r T x </proc/uptime || T=0; }
t
printf '\\n@ostk-doctor %s %s\\n' "$n" "$T"
exec 3<&0 </dev/null
d=
for b in "$XDG_RUNTIME_DIR" /dev/shm /run /tmp /var/tmp; do
[ -n "$b" ] && d=$(mktemp -d "$b/ostk-doctor.XXXXXXXX" 2>/dev/null) && break
done
if [ -z "$d" ]; then printf '\\n@%s ! neither XDG_RUNTIME_DIR nor /dev/shm, /run, /tmp, /var/tmp can be written\\n' "$n"; exit 0; fi
h() {
for i in $L; do : >"$d/q$i"; done
sleep 0.2 || sleep 1
for i in $L; do
read -r p <"$d/r$i" || continue
if [ -n "$C" ]; then $C 5 sh -c 'kill -TERM "-$1"' sh "$p"; else kill -TERM "$p"; fi
done
}
k() {
[ -z "$C" ] || h
for q in "$d"/r*; do read -r p <"$q" && { kill -9 "$p"; kill -9 "-$p"; }; done
rm -rf "$d"
}
( trap '' HUP INT TERM PIPE; while read -r x; do [ "$x" != enough ] || h; done <&3; kill -TERM 0; k; kill -9 0 ) >/dev/null 2>&1 &
w=$!
exec 3<&-
g() {
a=$1 l=$2 b=$4
shift 4
( read -r p x </proc/self/stat; echo "$p" >"$d/r$a"; [ ! -e "$d/q$a" ] || exit 143; ulimit -f "$b" 2>/dev/null; exec timeout -k 1 "$l" "$@" ) >"$d/o$a" 2>"$d/e$a" &
}
v() { wait "$!"; R=$?; kill -9 "-$!" 2>/dev/null; : >"$d/r$1"; }
f() {
[ -s "$d/o$2" ] && head -c "$3" "$d/o$2"
[ -s "$d/e$2" ] && { printf '\\n@%s e\\n' "$n"; head -c "$3" "$d/e$2"; }
printf '\\n@%s x %s %s %s %s\\n' "$n" "$1" "$4" "$5" "$6"
}
s() {
i=$1 c=$3
shift
t; A=$T
g '' "$@"
v ''
t
f "$i" '' "$c" "$R" "$A" "$T"
}
p() {
i=$1
( t; A=$T; g "$@"; v "$i"; t; echo "$R $A $T" >"$d/m$i" ) &
eval "w$i=$!"
}
y() {
while [ ! -e "$d/m$1" ] && [ "$N" -lt 100 ] && [ "\${T%.*}" -lt "$E" ]; do
while IFS= read -r x || [ -n "$x" ]; do case $x in *"$2"*) return;; esac; done <"$d/e$1"
if sleep 0.05; then N=$((N+1)); else sleep 1; N=$((N+20)); fi
t
done 2>/dev/null
}
j() {
eval "wait \\"\\$w$1\\""
R= A=0 T=0
read -r R A T <"$d/m$1"
f "$1" "$1" "$2" "$R" "$A" "$T"
: >"$d/o$1"
}
`;

const lastLines = `printf '\\n@%s .\\n' "$n"
rm -rf "$d"
kill -9 "$w"
exit 0
`;

/** `ulimit -f` counts blocks of 512 bytes (POSIX); it keeps the directory in memory small, `head -c` makes the bound exact. */
const blocks = (bytes: number): number => Math.ceil((bytes + 1) / 512) + 1;

/**
 * All commands of one channel as one script.
 *
 * The exec string is short and means the same to every login shell (sh, bash, zsh, csh, fish). Where a command needs
 * root and we are not, the whole script runs under one `sudo -n`: an unprivileged watchdog could not end root's
 * processes. Where sudoers only allows single commands, each runs under its own `sudo -n` instead.
 *
 * @param options.overallSeconds time limit of the whole batch on the node
 * @param options.nonce 32 hexadecimal digits that mark the frames; random, because output of a guest could otherwise
 *   contain a frame of its own
 */
export function encodeBatch(
  commands: readonly Command[],
  options: { readonly overallSeconds: number; readonly nonce?: string },
): Batch {
  const nonce = options.nonce ?? randomBytes(16).toString('hex');
  const asRoot = commands.some(needsRoot);
  const listening = commands.flatMap((command, index) => (command.listens === undefined ? [] : [{ command, index }]));
  if (listening.some(({ command }) => command.parallel !== true))
    throw new TypeError('only a parallel command listens');
  if (listening.length > parallelLimit) {
    throw new RangeError(`${listening.length} commands are to listen at once, ${parallelLimit} can`);
  }
  const lines = [`n=${nonce} S= C= L='${listening.map(({ index }) => index).join(' ')}'\n`];
  if (asRoot) lines.push(`[ "$(id -u)" = 0 ] || S='sudo -n --' C='sudo -n -- timeout -k 1'\n`);
  lines.push(library);

  const call = (name: 's' | 'p', index: number, command: Command): string => {
    const seconds = Math.ceil(command.timeoutSeconds ?? defaultTimeoutSeconds);
    const bytes = command.maxBytes ?? defaultMaxBytes;
    // Under a sudo of its own we could not end it: a capture then needs a sudo that also allows timeout(1).
    const ownSudo = command.impact === 'capture' ? ` $C \${C:+${seconds}}` : ' $S';
    const sudo = needsRoot(command) ? ownSudo : '';
    const comment = `#@ ${index} ${JSON.stringify(command)}`;
    return `${comment}\n${name} ${index} ${seconds} ${bytes + 1} ${blocks(bytes)}${sudo} ${quoteArgv(fullArgv(command))}\n`;
  };
  const numbered = commands.map((command, index) => ({ command, index }));
  const sideBySide = numbered.filter(({ command }) => command.parallel === true && command.listens === undefined);
  const inTurn = numbered.filter(({ command }) => command.parallel !== true);
  const start = (some: typeof numbered) => some.map(({ command, index }) => call('p', index, command));
  const join = (some: typeof numbered) =>
    some.map(({ command, index }) => `j ${index} ${(command.maxBytes ?? defaultMaxBytes) + 1}\n`);

  const room = Math.max(1, parallelLimit - listening.length);
  const first = sideBySide.slice(0, room);
  lines.push(...start(listening), ...start(first));
  if (inTurn.length > 0 && listening.length > 0) {
    lines.push(`t\nE=$((\${T%.*}+${listenSeconds + 1})) N=0\n`);
    for (const { command, index } of listening) lines.push(`y ${index} ${quoteArg(command.listens ?? '')}\n`);
  }
  lines.push(...inTurn.map(({ command, index }) => call('s', index, command)), ...join(first));
  for (let at = room; at < sideBySide.length; at += room) {
    const next = sideBySide.slice(at, at + room);
    lines.push(...start(next), ...join(next));
  }
  lines.push(...join(listening), lastLines);

  const stdin = lines.join('');
  const readScript = `eval "$(head -c ${Buffer.byteLength(stdin)})"`;
  const limited = `timeout -k 2 ${Math.ceil(options.overallSeconds)} sh -c`;
  const exec = asRoot
    ? `exec nice ${limited} 'if [ "$(id -u)" = 0 ]; then eval "$1"; else sudo -n -- ${limited} "$1"; case $? in 1|126|127) eval "$1";; esac; fi' sh '${readScript}'`
    : `exec nice ${limited} '${readScript}'`;
  return { exec, stdin };
}

/** How many bytes of input this exec string waits for; undefined when it is not one of ours. */
export function batchLength(exec: string): number | undefined {
  const match = /^exec nice timeout -k 2 \d+ sh -c .*eval "\$\(head -c (\d+)\)"'$/.exec(exec);
  return match === null ? undefined : Number(match[1]);
}

/**
 * The commands of a batch, for whoever answers without a shell; undefined when this is no batch, or the script has not
 * yet arrived in full.
 */
export function decodeBatch(exec: string, stdin: string): Command[] | undefined {
  const length = batchLength(exec);
  const bytes = Buffer.from(stdin);
  if (length === undefined || bytes.length < length) return undefined;
  const commands: Command[] = [];
  for (const line of bytes.subarray(0, length).toString().split('\n')) {
    const match = /^#@ (\d+) (\{.*\})$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined)
      commands[Number(match[1])] = JSON.parse(match[2]) as Command;
  }
  return commands;
}
