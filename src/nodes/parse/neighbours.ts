import { ok, type Result } from '../../engine/result.ts';
import {
  type Json,
  linesOf,
  looksLikeJson,
  type ParseFailure,
  parseFailure,
  present,
  readEach,
  textAt,
  textsAt,
  wordAfter,
  wordsOf,
} from './parsing.ts';

/** An entry of the neighbour table (ARP, NDP). */
export interface Neighbour {
  readonly address: string;
  readonly dev: string;
  /** Absent while the address is not resolved (INCOMPLETE, FAILED). */
  readonly mac?: string;
  /** REACHABLE, STALE, DELAY, PROBE, FAILED, INCOMPLETE, PERMANENT, NOARP. */
  readonly state: readonly string[];
}

const WHAT = 'ip -j neigh';
const STATES = ['REACHABLE', 'STALE', 'DELAY', 'PROBE', 'FAILED', 'INCOMPLETE', 'PERMANENT', 'NOARP', 'NONE'];

/** Output of `ip -j neigh`, or of `ip neigh` (also with `-s`). */
export function parseNeighbours(stdout: string): Result<readonly Neighbour[], ParseFailure> {
  return looksLikeJson(stdout) ? readEach(WHAT, stdout, neighbourOf) : fromText(stdout);
}

function neighbourOf(object: Json): Neighbour | undefined {
  const address = textAt(object, 'dst');
  if (address === undefined) return undefined;
  return present({
    address,
    dev: textAt(object, 'dev') ?? '',
    mac: textAt(object, 'lladdr'),
    state: textsAt(object, 'state'),
  });
}

function fromText(stdout: string): Result<readonly Neighbour[], ParseFailure> {
  const neighbours: Neighbour[] = [];
  for (const line of linesOf(stdout)) {
    const words = wordsOf(line);
    const [address] = words;
    if (address === undefined) continue;
    const dev = wordAfter(words, 'dev');
    if (dev === undefined || !/^[\da-f.:]+$/i.test(address)) return parseFailure(WHAT, line);
    neighbours.push(
      present({
        address,
        dev,
        mac: wordAfter(words, 'lladdr'),
        state: STATES.filter((state) => words.includes(state)),
      }),
    );
  }
  return ok(neighbours);
}
