import { ok, type Result } from '../../engine/result.ts';
import {
  decimal,
  type Json,
  linesOf,
  looksLikeJson,
  numberAt,
  objectsAt,
  type ParseFailure,
  parseFailure,
  readEach,
  textAt,
  wordAfter,
  wordsOf,
} from './parsing.ts';

export interface InterfaceAddress {
  readonly dev: string;
  readonly family: 4 | 6;
  readonly address: string;
  /** Prefix length. */
  readonly prefix: number;
  /** `global`, `link`, `host`, `site`. */
  readonly scope: string;
  /** `dynamic`, `secondary`, `tentative`, `dadfailed`, `deprecated`, `noprefixroute`, … */
  readonly flags: readonly string[];
}

const WHAT = 'ip -j addr show';
const FLAGS = [
  'dynamic',
  'secondary',
  'temporary',
  'tentative',
  'optimistic',
  'dadfailed',
  'deprecated',
  'noprefixroute',
  'mngtmpaddr',
  'nodad',
  'home',
  'autojoin',
  'permanent',
];

/** Output of `ip -j addr show`, or of `ip addr show`: the addresses of all devices, in their order. */
export function parseAddresses(stdout: string): Result<readonly InterfaceAddress[], ParseFailure> {
  return looksLikeJson(stdout) ? fromJson(stdout) : fromText(stdout);
}

function fromJson(stdout: string): Result<readonly InterfaceAddress[], ParseFailure> {
  const perLink = readEach(WHAT, stdout, addressesOf);
  return perLink.ok ? ok(perLink.value.flat()) : perLink;
}

function addressesOf(link: Json): readonly InterfaceAddress[] | undefined {
  const dev = textAt(link, 'ifname');
  if (dev === undefined) return undefined;
  return objectsAt(link, 'addr_info').flatMap((info): InterfaceAddress[] => {
    const address = textAt(info, 'local');
    const prefix = numberAt(info, 'prefixlen');
    if (address === undefined || prefix === undefined) return [];
    return [
      {
        dev,
        family: textAt(info, 'family') === 'inet6' ? 6 : 4,
        address,
        prefix,
        scope: textAt(info, 'scope') ?? 'global',
        flags: FLAGS.filter((flag) => info[flag] === true),
      },
    ];
  });
}

function fromText(stdout: string): Result<readonly InterfaceAddress[], ParseFailure> {
  const addresses: InterfaceAddress[] = [];
  let dev: string | undefined;
  for (const line of linesOf(stdout)) {
    const header = /^\d+: ([^@\s]+?)(?:@\S+?)?: </.exec(line);
    if (header !== null) {
      dev = header[1];
      continue;
    }
    if (line.trim() === '') continue;
    if (dev === undefined || !/^\s/.test(line)) return parseFailure(WHAT, line);
    const words = wordsOf(line);
    if (words[0] !== 'inet' && words[0] !== 'inet6') continue;
    const family = words[0] === 'inet6' ? 6 : 4;
    // Point-to-point: `inet 10.0.0.1 peer 10.0.0.2/32`; the prefix stands with the peer.
    const [address = '', own] = (words[1] ?? '').split('/');
    const prefix = decimal(own) ?? decimal(wordAfter(words, 'peer')?.split('/')[1]) ?? (family === 6 ? 128 : 32);
    if (address === '') return parseFailure(WHAT, line);
    addresses.push({
      dev,
      family,
      address,
      prefix,
      scope: wordAfter(words, 'scope') ?? 'global',
      flags: FLAGS.filter((flag) => words.includes(flag)),
    });
  }
  return ok(addresses);
}
