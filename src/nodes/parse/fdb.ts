import { ok, type Result } from '../../engine/result.ts';
import {
  decimal,
  type Json,
  linesOf,
  looksLikeJson,
  numberAt,
  type ParseFailure,
  parseFailure,
  present,
  readEach,
  textAt,
  textsAt,
  wordAfter,
  wordsOf,
} from './parsing.ts';

/**
 * A forwarding entry of a bridge or of a VXLAN device. A MAC behind a VXLAN port appears twice: once in the bridge
 * (`master`, no `dst`) and once in the device itself (`self`, with the VTEP as `dst`).
 */
export interface FdbEntry {
  readonly mac: string;
  readonly dev: string;
  /** Address of the remote VTEP. */
  readonly dst?: string;
  /** VNI of the remote VTEP, when the device carries several. */
  readonly vni?: number;
  readonly master?: string;
  /** The entry belongs to the device itself, not to the bridge it is in. */
  readonly self: boolean;
  readonly permanent: boolean;
  readonly vlan?: number;
}

const WHAT = 'bridge -j fdb show';

/** Output of `bridge -j fdb show`, or of `bridge fdb show`. */
export function parseFdb(stdout: string): Result<readonly FdbEntry[], ParseFailure> {
  return looksLikeJson(stdout) ? readEach(WHAT, stdout, entryOf) : fromText(stdout);
}

function entryOf(object: Json): FdbEntry | undefined {
  const mac = textAt(object, 'mac');
  const dev = textAt(object, 'ifname');
  if (mac === undefined || dev === undefined) return undefined;
  return present({
    mac,
    dev,
    dst: textAt(object, 'dst'),
    vni: numberAt(object, 'vni'),
    master: textAt(object, 'master'),
    self: textsAt(object, 'flags').includes('self'),
    permanent: textAt(object, 'state') === 'permanent',
    vlan: numberAt(object, 'vlan'),
  });
}

function fromText(stdout: string): Result<readonly FdbEntry[], ParseFailure> {
  const entries: FdbEntry[] = [];
  for (const line of linesOf(stdout)) {
    const words = wordsOf(line);
    const [mac] = words;
    if (mac === undefined) continue;
    const dev = wordAfter(words, 'dev');
    if (dev === undefined || !/^[\da-f]{2}(?::[\da-f]{2})+$/i.test(mac)) return parseFailure(WHAT, line);
    entries.push(
      present({
        mac,
        dev,
        dst: wordAfter(words, 'dst'),
        vni: decimal(wordAfter(words, 'vni')),
        master: wordAfter(words, 'master'),
        self: words.includes('self'),
        permanent: words.includes('permanent'),
        vlan: decimal(wordAfter(words, 'vlan')),
      }),
    );
  }
  return ok(entries);
}
