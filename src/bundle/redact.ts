import { createHmac, randomBytes } from 'node:crypto';

/**
 * Takes secrets out of what crosses the boundary. A secret becomes `REDACTED-` and eight digits that are the same for
 * the same secret within one run (so that two nodes that disagree about a shared secret still disagree) and mean
 * nothing outside it: the key they are made with is never kept. What was redacted once stays as it is.
 */
export interface Redactor {
  /** Output of a command, a log, a message: any text. */
  text(text: string): string;
  /** The body of an API answer: JSON by its keys and its strings; anything else as text. */
  body(body: string): string;
  /** A command line; `--password x` as two words is known too. */
  argv(argv: readonly string[]): string[];
  /** Every string of a JSON-like value, for failures and requests. */
  deep<T>(value: T): T;
  /** What stands for this secret. */
  tag(secret: string): string;
  /** From now on this string is taken out wherever it appears. Strings too short or too plain to be told from words are ignored. */
  learn(secret: string): void;
}

const TAG = /^REDACTED-[0-9a-f]{8}$/;
const TAGS = /REDACTED-[0-9a-f]{8}/g;

/** The same text whatever run redacted it; for keys under which records are looked up. */
export const withoutTags = (text: string): string => text.replace(TAGS, 'REDACTED');

/** Values that say something about a secret without being one; tools mask with asterisks (oslo.config: `****`). */
const PLAIN_VALUE = /^(?:none|null|nil|undefined|true|false|yes|no|on|off|\*+|<[a-z ]*>|required|redacted|hidden)$/i;

// `userdata=` is how ovs-ofctl(8) prints the argument of OVN's controller actions
const SECRET_WORDS =
  'passw(?:or)?d|passcode|passphrase|secret|admin_?pass|private_?key|priv_?key|api_?key|auth_?key|access_?key|shared_?key|encryption_?key|credential|temp_url_sig|auth_pass|user_data|userdata(?=\\W{0,3}:)';
/** Keys that only speak about a secret: its place, its age, its length. */
const ABOUT =
  /(?:_|-)(?:at|file|path|dir|uuid|ref|href|type|length|count|enabled|ttl|timeout|expir\w*|policy|size|min|max)$/i;

const SECRET_KEY = new RegExp(`${SECRET_WORDS}|userdata|configdrive|token|(?:^|[_-])psk$`, 'i');

/** What no rule below can match without. Most texts and nearly all answers of APIs are passed on after this one look. */
const HINT = new RegExp(
  [
    SECRET_WORDS,
    'userdata|configdrive|token|psk|metadata|personality|authorization|cookie|x-instance-id',
    'gAAAA|eyJ|PRIVATE KEY|:\\/\\/[^\\s"]{0,512}@|\\$[0-9a-z]{1,2}\\$|0x[0-9a-f]{16}',
    'mysql|mariadb|sshpass|ipmitool|curl|wget|stats\\s+auth|neighbor',
    // JSON may write any letter as an escape
    '\\\\u00',
  ].join('|'),
  'i',
);

/** Finds where a secret may follow: group 1 is set for words that need more proof than a colon (prose says "token: expired"). */
const keyWord = (): RegExp => new RegExp(`(token)[\\w-]{0,64}|(?:${SECRET_WORDS}|(?<![A-Za-z])psk)[\\w-]{0,64}`, 'gi');

const PEM =
  /(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)([\s\S]*?)(-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)/g;
const FERNET = /gAAAA[A-Za-z0-9_=-]{20,}/g;
const JWT = /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?/g;
/** crypt(5) hashes: their method, their salt, their digest. */
const CRYPT = /\$(?:1|2[abxy]?|5|6|7|y|gy)\$[./A-Za-z0-9$=,+-]{16,}/g;
const TOKEN_HEADER =
  /\b(x-(?:auth|subject|service)-token|x-instance-id-signature)(\\*["']?\s{0,4}[:=]\s{0,4}\\*["']?)([^"'\s\\,]{1,8192})/gi;
const AUTH_HEADER =
  /\b((?:proxy-)?authorization\\*["']?\s{0,4}[:=]\s{0,4}\\*["']?)((?:basic|bearer|digest|negotiate|hmac|aws4\S{0,20})\s+[^"'\r\n\\]+|[^\s"'\\]{16,})/gi;
/** OVS prints `cookie=0x0` on every flow, so only the header's own form counts. */
const COOKIE_HEADER = /\b((?:set-)?cookie\\*["']?\s{0,2}:\s{0,2}\\*["']?)([^\s=;"'\\]{1,256}=[^"'\r\n\\]+)/gi;
const UNBROKEN = /[^\s"'<>]+/g;
/** Short options whose value is a secret, per tool, as they show up in process lists. */
const SHORT_OPTIONS = [
  /(\b(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump)\b[^\n|;]{0,300}?\s-p)([^\s-]\S*)/g,
  /(\bsshpass\s+-p\s*)(\S+)/g,
  /(\bipmitool\b[^\n|;]{0,300}?\s-P\s*)(\S+)/g,
  /(\b(?:curl|wget)\b[^\n|;]{0,300}?\s(?:-u|--user)[\s=]+[^\s:]{1,256}:)(\S+)/g,
  /(\bstats\s+auth\s+[^\s:]{1,256}:)(\S+)/g,
  /(\bauth_pass\s+)(\S+)/g,
  /(\bneighbor\s+\S{1,256}\s+password\s+)(\S+)/g,
];
/** `ip xfrm state` prints the keys of IPsec in hexadecimal. */
const XFRM = /(\b(?:auth|auth-trunc|enc|aead|comp)\s+\S{1,64}\s+)(0x[0-9a-f]{16,})/gi;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isWords = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

/** Long and mixed enough that replacing every occurrence cannot hit an ordinary word. */
const distinctive = (secret: string): boolean =>
  secret.length >= 20 || (secret.length >= 8 && /[A-Za-z]/.test(secret) && /[^A-Za-z]/.test(secret));

/**
 * @param key makes the tags; random for a run, given in tests.
 */
export function createRedactor(key: Uint8Array = randomBytes(32)): Redactor {
  const learned = new Set<string>();

  const tag = (secret: string): string =>
    TAG.test(secret) ? secret : `REDACTED-${createHmac('sha256', key).update(secret).digest('hex').slice(0, 8)}`;

  const value = (secret: string): string => {
    const core = secret.trim();
    return core === '' || PLAIN_VALUE.test(core) ? secret : secret.replace(core, () => tag(core));
  };

  /** `scheme://user:password@host`, also the comma-separated hosts of a transport_url. */
  const userInfo = (url: string): string => {
    const start = url.indexOf('://') + 3;
    if (start < 3 || !url.includes('@', start)) return url;
    const hosts = url.slice(start).split(/,(?=[^,@]{0,96}:[^,@]*@)/);
    return (
      url.slice(0, start) +
      hosts
        .map((host) => {
          const at = host.lastIndexOf('@');
          const colon = host.indexOf(':');
          if (at < 0 || colon < 0 || colon > at) return host;
          const password = host.slice(colon + 1, at);
          // host:port/…@ is a path with an at sign, not a password
          if (password === '' || /^\d{1,5}[/?#]/.test(password)) return host;
          return `${host.slice(0, colon + 1)}${value(password)}${host.slice(at)}`;
        })
        .join(',')
    );
  };

  const known = (text: string): string => {
    let out = text;
    for (const secret of learned) if (out.includes(secret)) out = out.replaceAll(secret, tag(secret));
    return out;
  };

  /** What one rule leaves can be a match for another, so the rules run until nothing changes; mostly that is once. */
  const text = (input: string): string => {
    let before = known(input);
    if (!HINT.test(before)) return before;
    for (let round = 0; round < 8; round += 1) {
      const after = rules(before);
      if (after === before) break;
      before = after;
    }
    return before;
  };

  const rules = (input: string): string => {
    let out = input;
    out = out.replace(PEM, (_all, begin: string, inner: string, end: string) => {
      const core = inner.trim();
      return core === '' ? begin + inner + end : `${begin}\n${tag(core)}\n${end}`;
    });
    out = out.replace(FERNET, tag).replace(JWT, tag).replace(CRYPT, tag);
    out = out.replace(TOKEN_HEADER, (_all, name: string, mark: string, secret: string) => name + mark + value(secret));
    out = out.replace(AUTH_HEADER, (_all, name: string, secret: string) => name + value(secret));
    out = out.replace(COOKIE_HEADER, (_all, name: string, secret: string) => name + value(secret));
    if (out.includes('://')) out = out.replace(UNBROKEN, userInfo);
    for (const option of SHORT_OPTIONS) {
      out = out.replace(option, (_all, before: string, secret: string) => before + value(secret));
    }
    out = out.replace(XFRM, (_all, before: string, secret: string) => before + tag(secret));
    return keyValues(out, value);
  };

  const walk = (node: unknown, keyName: string, inServer: boolean, forced: boolean): unknown => {
    if (typeof node === 'string') {
      if (forced) return value(node);
      return text(node);
    }
    if (typeof node === 'number') return forced ? tag(String(node)) : node;
    if (keyName === 'argv' && isWords(node)) return argv(node);
    if (Array.isArray(node)) return node.map((item) => walk(item, keyName, inServer, forced));
    if (!isObject(node)) return node;
    const server = inServer || keyName === 'server' || keyName === 'servers';
    const out: Record<string, unknown> = {};
    for (const [name, inner] of Object.entries(node)) {
      // Keystone wraps its whole answer in `token`
      const wrapper = name === 'token' && isObject(inner);
      const ownedByUser = server && (name === 'metadata' || name === 'personality');
      const secret = !wrapper && SECRET_KEY.test(name) && !ABOUT.test(name);
      Object.defineProperty(out, name, {
        value: walk(inner, name, server, forced || ownedByUser || secret),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    return out;
  };

  const body = (input: string): string => {
    const given = known(input);
    if (!HINT.test(given)) return given;
    let parsed: unknown;
    try {
      parsed = JSON.parse(given);
    } catch {
      return text(given);
    }
    const before = JSON.stringify(parsed);
    const after = JSON.stringify(walk(parsed, '', false, false));
    return before === after ? given : after;
  };

  const argv = (words: readonly string[]): string[] => {
    let secretNext = false;
    return words.map((word) => {
      const isValue = secretNext && !word.startsWith('-');
      secretNext = /^--?[\w-]{0,64}(?:passw(?:or)?d|passcode|passphrase|secret|token|api-?key)[\w-]{0,64}$/i.test(word);
      secretNext &&= !ABOUT.test(word);
      return isValue ? value(known(word)) : text(word);
    });
  };

  const deep = <T>(input: T): T => walk(input, '', false, false) as T;

  return {
    text,
    body,
    argv,
    deep,
    tag,
    learn(secret) {
      if (distinctive(secret) && !TAG.test(secret)) learned.add(secret);
    },
  };
}

/**
 * Secrets told by the word before them: `password = x` (the rest of the line), `password=x,`, `"password": "x"`,
 * `--password x`, `<password>x</password>`. A scanner rather than one expression: linear on hostile input.
 */
function keyValues(text: string, replace: (secret: string) => string): string {
  const words = keyWord();
  let out = '';
  let copied = 0;
  for (let match = words.exec(text); match !== null; match = words.exec(text)) {
    const found = secretAfter(text, match.index, words.lastIndex, match[1] !== undefined, match[0]);
    if (!found) continue;
    const [from, to] = found;
    out += text.slice(copied, from) + replace(text.slice(from, to));
    copied = to;
    words.lastIndex = Math.max(to, words.lastIndex);
  }
  return copied === 0 ? text : out + text.slice(copied);
}

const sticky = (expression: RegExp, text: string, at: number): RegExpExecArray | null => {
  expression.lastIndex = at;
  return expression.exec(text);
};

const DELIMITER = /(\\*["'])?[ \t]{0,16}(=>|[=:])[ \t]{0,64}/y;
const QUOTED = /[ub]?(?:"((?:[^"\\\n]|\\.)*)"?|'((?:[^'\\\n]|\\.)*)'?)/y;
const ESCAPED_QUOTED = /\\{1,16}["'](.*?)(?=\\{1,16}["']|$)/my;
const LIST = /\[([^\]\n]{0,4096})\]?/y;
const REST_OF_LINE = /[^\r\n]+/y;
const WORD = /[^\s"'<>,;&)}\]\\]+/y;
const ELEMENT = />([^<]{1,8192})</y;
const NEXT_ARGUMENT = /[\s\0]{1,4}(?!-)(\\*["'])?([^\s\0"'\\]+)/y;

/** Where the secret that belongs to the key at [keyStart, keyEnd) begins and ends. */
function secretAfter(
  text: string,
  keyStart: number,
  keyEnd: number,
  isToken: boolean,
  key: string,
): readonly [number, number] | undefined {
  if (ABOUT.test(key)) return undefined;
  const before = text.slice(Math.max(0, keyStart - 64), keyStart);
  // A tag of a rule in sudoers(5), which says that no password is asked for.
  if (key === 'PASSWD' && before.endsWith('NO')) return undefined;
  const element = sticky(ELEMENT, text, keyEnd);
  if (element?.[1] !== undefined) return [keyEnd + 1, keyEnd + 1 + element[1].length];
  const delimiter = sticky(DELIMITER, text, keyEnd);
  if (!delimiter) {
    if (!/(?:^|[\s"'\0])--?[\w-]{0,63}$/.test(before)) return undefined;
    const argument = sticky(NEXT_ARGUMENT, text, keyEnd);
    const word = argument?.[2];
    if (argument === null || word === undefined) return undefined;
    const end = keyEnd + argument[0].length;
    return [end - word.length, end];
  }
  const at = keyEnd + delimiter[0].length;
  const sign = delimiter[2];
  const escaped = sticky(ESCAPED_QUOTED, text, at);
  if (escaped?.[1] !== undefined) {
    const end = at + escaped[0].length;
    return [end - escaped[1].length, end];
  }
  const quoted = sticky(QUOTED, text, at);
  if (quoted) {
    const inner = quoted[1] ?? quoted[2] ?? '';
    const from = at + quoted[0].search(/["']/) + 1;
    return [from, from + inner.length];
  }
  const list = sticky(LIST, text, at);
  if (list) return isToken ? undefined : [at + 1, at + 1 + (list[1]?.length ?? 0)];
  if (text[at] === '{') return undefined;
  const assignment =
    sign === '=' && (keyStart <= 64 || before.includes('\n')) && /(?:^|\n)[ \t#;]*[\w.:-]*$/.test(before);
  const spaced = delimiter[0].includes(' ') || delimiter[0].includes('\t');
  const bare = sticky(assignment && spaced ? REST_OF_LINE : WORD, text, at);
  if (!bare) return undefined;
  const length = bare[0].length;
  // "token: expired" is prose; a token is long
  if (isToken && sign !== '=' && length < 16) return undefined;
  return [at, at + length];
}
