import { randomBytes } from 'node:crypto';
import type { Command, CommandResult } from './command.ts';

/** One command's answer as it came over the wire. */
export interface Frame {
  readonly index: number;
  readonly result: CommandResult;
}

/** Takes apart what the script of `encodeBatch` writes to its output, in chunks of any size. */
export interface FrameDecoder {
  /** Frames that this chunk completed. Bytes before the first mark (banners, motd, noise of a login shell) are no frames. */
  push(chunk: Buffer): readonly Frame[];
  /** The node began to run the script. */
  readonly begun: boolean;
  /** The script came to its end; nothing more will follow. */
  readonly done: boolean;
  /** Why the script could not run the commands, in its own words. */
  readonly complaint: string | undefined;
  /** The first bytes that came before the script began, as text. */
  readonly noise: string;
}

const noiseLimit = 4096;
/** Longest line of a mark, after the nonce. */
const markLimit = 256;
const beginning = /\n?@ostk-doctor ([0-9a-f]{32}) ([0-9.]+)\n/;
const beginningLength = '\n@ostk-doctor '.length + 32 + 1 + 32 + 1;

/** Text of one stream; a character that the bound cut in two is left out. */
function textOf(parts: readonly Buffer[], maxBytes: number): { text: string; truncated: boolean } {
  const bytes = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  if (bytes.length <= maxBytes) return { text: bytes.toString('utf8'), truncated: false };
  let end = maxBytes;
  for (let back = 0; back < 3 && end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80; back++) end -= 1;
  return { text: bytes.subarray(0, end).toString('utf8'), truncated: true };
}

/** Bytes of one stream, as many as were asked for. */
function base64Of(parts: readonly Buffer[], maxBytes: number): { text: string; truncated: boolean } {
  const bytes = Buffer.concat(parts);
  return { text: bytes.subarray(0, maxBytes).toString('base64'), truncated: bytes.length > maxBytes };
}

/** Exit statuses that say "ended by a signal" (128 + number, as shells and timeout(1) do). */
const bySignal = (status: number): boolean => status > 128 && status < 160;
/** timeout(1): 124; 137 when it had to kill. busybox's runs the command in its own place: 143. */
const mayBeTimeout = (status: number): boolean => status === 124 || status === 137 || status === 143;

/**
 * @param commands what was sent, in order: their bounds tell what was cut, their limits what ran out of time
 * @param options.sentAt the doctor's clock when the batch was sent, ms since the epoch; frames carry the node's
 *   monotonic clock, so that a node whose clock is wrong does not date our evidence
 */
export function createFrameDecoder(
  commands: readonly Command[],
  options: { readonly sentAt?: number; readonly defaults?: { timeoutSeconds: number; maxBytes: number } } = {},
): FrameDecoder {
  const sentAt = options.sentAt ?? Date.now();
  const defaults = options.defaults ?? { timeoutSeconds: 10, maxBytes: 4 * 1024 * 1024 };
  const bound = Math.max(defaults.maxBytes, ...commands.map((c) => c.maxBytes ?? 0)) + 1;

  let noise = '';
  let mark: Buffer | undefined;
  let zero = 0;
  let done = false;
  let complaint: string | undefined;
  let rest: Buffer = Buffer.alloc(0);
  let section: Buffer[] = [];
  let sectionBytes = 0;
  let stdout: Buffer[] | undefined;

  const keep = (bytes: Buffer) => {
    const room = bound - sectionBytes;
    if (bytes.length === 0 || room <= 0) return;
    section.push(bytes.subarray(0, room));
    sectionBytes += bytes.length;
  };
  const endSection = (): Buffer[] => {
    const parts = section;
    section = [];
    sectionBytes = 0;
    return parts;
  };

  const begin = (): boolean => {
    const text = rest.toString('latin1');
    const match = beginning.exec(text);
    if (match === null) {
      const cut = Math.max(0, text.length - beginningLength);
      if (noise.length < noiseLimit) noise += text.slice(0, cut).slice(0, noiseLimit - noise.length);
      rest = rest.subarray(cut);
      return false;
    }
    noise = (noise + text.slice(0, match.index)).slice(0, noiseLimit);
    mark = Buffer.from(`\n@${match[1]} `);
    zero = Number(match[2]);
    rest = rest.subarray(match.index + match[0].length);
    return true;
  };

  const frameOf = (words: readonly string[], out: readonly Buffer[], error: readonly Buffer[]): Frame | undefined => {
    const index = Number(words[1]);
    const command = commands[index];
    if (command === undefined) return undefined;
    const status = words[2] === undefined || words[2] === '' || words[2] === '-' ? undefined : Number(words[2]);
    const start = Number(words[3] ?? 0);
    const end = Number(words[4] ?? 0);
    const flags = words[5] ?? '';
    const ms = Math.max(0, Math.round((end - start) * 1000));
    const limitMs = Math.ceil(command.timeoutSeconds ?? defaults.timeoutSeconds) * 1000;
    const maxBytes = command.maxBytes ?? defaults.maxBytes;
    const o = command.encoding === 'base64' ? base64Of(out, maxBytes) : textOf(out, maxBytes);
    const e = textOf(error, maxBytes);
    const timedOut =
      flags.includes('t') ||
      (status !== undefined && mayBeTimeout(status) && (end === 0 ? status === 124 : ms >= limitMs - 50));
    return {
      index,
      result: {
        code: status === undefined || timedOut || bySignal(status) ? null : status,
        stdout: o.text,
        stderr: e.text,
        truncated: flags.includes('c') || o.truncated || e.truncated,
        timedOut,
        startedAt: new Date(sentAt + Math.max(0, Math.round((start - zero) * 1000))).toISOString(),
        ms,
      },
    };
  };

  return {
    push(chunk) {
      const frames: Frame[] = [];
      if (done) return frames;
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      if (mark === undefined && !begin()) return frames;
      while (mark !== undefined && !done) {
        const at = rest.indexOf(mark);
        if (at < 0) {
          const cut = Math.max(0, rest.length - mark.length + 1);
          keep(rest.subarray(0, cut));
          rest = rest.subarray(cut);
          break;
        }
        const lineStart = at + mark.length;
        const lineEnd = rest.indexOf(0x0a, lineStart);
        if (lineEnd < 0 && rest.length - lineStart <= markLimit) {
          keep(rest.subarray(0, at));
          rest = rest.subarray(at);
          break;
        }
        keep(rest.subarray(0, at));
        const line = rest.subarray(lineStart, lineEnd < 0 ? lineStart + markLimit : lineEnd).toString('latin1');
        rest = rest.subarray(lineEnd < 0 ? lineStart + markLimit : lineEnd + 1);
        const words = line.split(' ');
        switch (words[0]) {
          case 'e':
            stdout = endSection();
            break;
          case 'x': {
            const last = endSection();
            const frame = stdout === undefined ? frameOf(words, last, []) : frameOf(words, stdout, last);
            stdout = undefined;
            if (frame !== undefined) frames.push(frame);
            break;
          }
          case '!':
            complaint = line.slice(2);
            done = true;
            break;
          case '.':
            done = true;
            break;
          default:
            endSection();
        }
      }
      return frames;
    },
    get begun() {
      return mark !== undefined;
    },
    get done() {
      return done;
    },
    get complaint() {
      return complaint;
    },
    get noise() {
      return mark === undefined ? (noise + rest.toString('latin1')).slice(0, noiseLimit) : noise;
    },
  };
}

/**
 * What a node would have written for these results, in their order, from the beginning to the end mark. `undefined`
 * stands for a command that never came back. `commands` are those that the results belong to, where the output of any
 * is bytes.
 */
export function encodeFrames(
  results: readonly (Omit<CommandResult, 'startedAt'> | undefined)[],
  options: { readonly nonce?: string; readonly commands?: readonly Command[] } = {},
): Buffer {
  const nonce = options.nonce ?? randomBytes(16).toString('hex');
  const parts: (string | Buffer)[] = [`\n@ostk-doctor ${nonce} 0\n`];
  results.forEach((result, index) => {
    if (result === undefined) return;
    const encoding = options.commands?.[index]?.encoding;
    parts.push(encoding === undefined ? result.stdout : Buffer.from(result.stdout, encoding));
    if (result.stderr !== '') parts.push(`\n@${nonce} e\n`, result.stderr);
    const flags = `${result.timedOut ? 't' : ''}${result.truncated ? 'c' : ''}`;
    parts.push(`\n@${nonce} x ${index} ${result.code ?? '-'} 0 ${result.ms / 1000} ${flags}\n`);
  });
  parts.push(`\n@${nonce} .\n`);
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}
