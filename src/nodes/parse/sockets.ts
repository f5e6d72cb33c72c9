import { ok, type Result } from '../../engine/result.ts';
import { linesOf, type ParseFailure, parseFailure, present, wordsOf } from './parsing.ts';

export interface Socket {
  /** `tcp` or `udp`. */
  readonly protocol: string;
  /** LISTEN, UNCONN, … */
  readonly state: string;
  /** Local address without brackets; `*` for any of both families. */
  readonly address: string;
  /** The interface it is bound to (`%ns-…`). */
  readonly dev?: string;
  readonly port: number;
  /** Empty when ss may not see who owns it. */
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
}

const WHAT = 'ss -Hlntup';

/** Output of `ss -Hlntup`, or with its head line where `-H` is not known. */
export function parseSockets(stdout: string): Result<readonly Socket[], ParseFailure> {
  const sockets: Socket[] = [];
  for (const line of linesOf(stdout)) {
    const words = wordsOf(line);
    const [protocol, state, , , local] = words;
    if (protocol === undefined || protocol === 'Netid') continue;
    const matched = /^(?:\[([\da-fA-F:.]+)\]|([^%\s]+?))(?:%([^:\s]+))?:(\d+)$/.exec(local ?? '');
    if (state === undefined || matched === null) return parseFailure(WHAT, line);
    const [, bracketed, plain, dev, port] = matched;
    sockets.push(
      present({
        protocol,
        state,
        address: bracketed ?? plain ?? '',
        dev,
        port: Number(port),
        processes: [...line.matchAll(/\("([^"]*)",pid=(\d+)/g)].map(([, name = '', pid]) => ({
          name,
          pid: Number(pid),
        })),
      }),
    );
  }
  return ok(sockets);
}
