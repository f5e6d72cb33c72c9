import { readFileSync } from 'node:fs';

/** One instruction of the classic packet filter: bpf(4), `struct bpf_insn`. */
export type Instruction = readonly [code: number, jt: number, jf: number, k: number];

/** What tcpdump compiled, by the text of the filter. */
export function compiledFilters(): ReadonlyMap<string, readonly Instruction[]> {
  const text = readFileSync(new URL('../../fixtures/bpf/programs.txt', import.meta.url), 'utf8');
  return new Map(
    text
      .split(/^# /m)
      .slice(1)
      .map((block): [string, Instruction[]] => {
        const [filter = '', , ...lines] = block.trimEnd().split('\n');
        return [
          filter,
          lines.map((line): Instruction => {
            const [code = 0, jt = 0, jf = 0, k = 0] = line.split(' ').map(Number);
            return [code, jt, jf, k];
          }),
        ];
      }),
  );
}

/** Runs a filter as the kernel does (bpf(4)): whether it takes the frame. What lies behind the frame's end is not taken. */
export function takes(program: readonly Instruction[], frame: Uint8Array): boolean {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const memory = new Array<number>(16).fill(0);
  const load = (size: number, at: number): number | undefined => {
    const width = size === 0x00 ? 4 : size === 0x08 ? 2 : 1;
    if (at < 0 || at + width > frame.length) return undefined;
    return width === 4 ? view.getUint32(at) : width === 2 ? view.getUint16(at) : view.getUint8(at);
  };
  let [a, x, at] = [0, 0, 0];
  for (;;) {
    const [code, jt, jf, k] = program[at] ?? [0x06, 0, 0, 0];
    at += 1;
    switch (code & 0x07) {
      case 0x00: {
        const mode = code & 0xe0;
        const value =
          mode === 0x00
            ? k
            : mode === 0x20
              ? load(code & 0x18, k)
              : mode === 0x40
                ? load(code & 0x18, x + k)
                : mode === 0x60
                  ? memory[k]
                  : frame.length;
        if (value === undefined) return false;
        a = value;
        break;
      }
      case 0x01: {
        const mode = code & 0xe0;
        const byte = mode === 0xa0 ? load(0x10, k) : 0;
        if (byte === undefined) return false;
        x = mode === 0xa0 ? 4 * (byte & 0xf) : mode === 0x60 ? (memory[k] ?? 0) : k;
        break;
      }
      case 0x02:
        memory[k] = a;
        break;
      case 0x03:
        memory[k] = x;
        break;
      case 0x04:
        a = calculated(code & 0xf0, a, (code & 0x08) === 0 ? k : x);
        break;
      case 0x05: {
        const other = (code & 0x08) === 0 ? k : x;
        if ((code & 0xf0) === 0x00) at += k;
        else at += holds(code & 0xf0, a, other) ? jt : jf;
        break;
      }
      case 0x06:
        return ((code & 0x18) === 0x10 ? a : k) !== 0;
      default:
        if ((code & 0xf8) === 0x00) x = a;
        else a = x;
    }
  }
}

function calculated(operation: number, a: number, b: number): number {
  switch (operation) {
    case 0x00:
      return (a + b) >>> 0;
    case 0x10:
      return (a - b) >>> 0;
    case 0x20:
      return Math.imul(a, b) >>> 0;
    case 0x40:
      return (a | b) >>> 0;
    case 0x50:
      return (a & b) >>> 0;
    case 0x60:
      return (a << b) >>> 0;
    case 0x70:
      return a >>> b;
    default:
      throw new Error(`no such operation in a filter: ${operation}`);
  }
}

function holds(comparison: number, a: number, b: number): boolean {
  switch (comparison) {
    case 0x10:
      return a === b;
    case 0x20:
      return a > b;
    case 0x30:
      return a >= b;
    case 0x40:
      return (a & b) !== 0;
    default:
      throw new Error(`no such comparison in a filter: ${comparison}`);
  }
}
