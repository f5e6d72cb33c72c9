import type { HttpFailure } from './http.ts';

/** `host:port`, with the port that the scheme implies. */
export const hostOf = (url: URL): string => `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;

/** What OpenSSL and Node call it, and what it means to the one who has to mend it. */
const tlsReasons: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed and not trusted here',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is signed by an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an authority that is not trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate is signed by an authority that is not trusted here, or the server does not send the intermediate certificate',
  CERT_UNTRUSTED: 'its certificate is signed by an authority that is not trusted here',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet (or the clock of this machine is wrong)',
  CERT_REVOKED: 'its certificate is revoked',
  CERT_SIGNATURE_FAILURE:
    'the signature of its certificate is wrong: another certificate carries the same name as the trusted one',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS: the URL should perhaps begin with http://',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS: the URL should perhaps begin with http://',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it asks for a client certificate: set cert and key',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not trust the client certificate',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it only offers a TLS version that is too old',
};

const socketWords: Readonly<Record<string, string>> = {
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to its network',
  EACCES: 'the connection was forbidden by this machine (firewall)',
  EPERM: 'the connection was forbidden by this machine (firewall)',
  EADDRNOTAVAIL: 'this machine has no address to connect from',
};

interface Circumstances {
  readonly timedOut: boolean;
  readonly seconds: number;
  /** host:port of the proxy in between, where there is one. */
  readonly proxy: string | undefined;
}

/** What undici threw, as one of the kinds an operator can act on. */
export function failureOf(error: unknown, url: URL, { timedOut, seconds, proxy }: Circumstances): HttpFailure {
  const host = hostOf(url);
  const chain = causes(error);
  const codes = chain.map(codeOf).filter((code) => code !== undefined);
  const messages = chain.map((cause) => cause.message).filter((message) => message !== '');
  const message = messages[0] ?? String(error);
  const via = proxy === undefined ? '' : ` (through proxy ${proxy})`;
  const failure = (kind: HttpFailure['kind'], detail: string): HttpFailure => ({ kind, host, detail: detail + via });

  if (timedOut) return failure('timeout', `no answer within ${seconds} s`);
  for (const code of codes) {
    if (code === 'OSTK_PEM') return { kind: 'tls', host, detail: message };
    const reason = tlsReasons[code];
    if (reason !== undefined) return failure('tls', alternativeNames(chain, reason));
    if (code === 'ENOTFOUND') return failure('dns', `the name ${nameAsked(chain, url)} does not exist`);
    if (code === 'EAI_AGAIN')
      return failure('dns', `the name ${nameAsked(chain, url)} could not be resolved: no name server answers`);
    if (code === 'ECONNREFUSED') return failure('refused', 'nothing listens there (connection refused)');
    if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT')
      return failure('timeout', 'no connection: nobody answers at that address');
    if (code === 'ECONNRESET' || code === 'EPIPE') {
      if (messages.some((text) => /before secure TLS/i.test(text))) {
        return failure(
          'tls',
          'it closed the connection during the TLS handshake: the URL should perhaps begin with http://',
        );
      }
      return failure('reset', 'the connection was closed by the other side');
    }
    const words = socketWords[code];
    if (words !== undefined) return failure('other', words);
    if (code.startsWith('ERR_SSL') || code === 'EPROTO' || code.startsWith('ERR_OSSL') || code.startsWith('ERR_TLS')) {
      return failure('tls', sslText(messages));
    }
  }
  const status = messages
    .map((text) => /Proxy response \((\d+)\)/.exec(text)?.[1])
    .find((found) => found !== undefined);
  if (status !== undefined || messages.some((text) => text.includes('Proxy Authentication Required'))) {
    const why =
      status === undefined || status === '407' ? 'it wants a user and a password (407)' : `it answered ${status}`;
    return { kind: 'proxy', host, detail: `the proxy ${proxy ?? ''} refused: ${why}` };
  }
  if (codes.includes('UND_ERR_SOCKET')) return failure('reset', 'the connection was closed by the other side');
  if (codes.some((code) => code.startsWith('HPE_'))) return failure('other', `it does not speak HTTP (${message})`);
  return failure('other', message);
}

/** The error, its causes, and the members of an AggregateError (one per address that was tried). */
function causes(error: unknown): readonly Error[] {
  const found: Error[] = [];
  const visit = (value: unknown) => {
    if (!(value instanceof Error) || found.length > 10) return;
    found.push(value);
    visit(value.cause);
    if (value instanceof AggregateError) for (const member of value.errors) visit(member);
  };
  visit(error);
  return found;
}

const codeOf = (error: Error): string | undefined => {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : undefined;
};

const nameAsked = (chain: readonly Error[], url: URL): string => {
  for (const error of chain) {
    const { hostname } = error as { hostname?: unknown };
    if (typeof hostname === 'string') return hostname;
  }
  return url.hostname;
};

/** Names the names that the certificate is for. */
function alternativeNames(chain: readonly Error[], reason: string): string {
  if (reason !== tlsReasons.ERR_TLS_CERT_ALTNAME_INVALID) return reason;
  for (const error of chain) {
    const names = (error as { cert?: { subjectaltname?: unknown } }).cert?.subjectaltname;
    if (typeof names === 'string') return `${reason} (${names.slice(0, 200)})`;
  }
  return reason;
}

/** The part of an OpenSSL message that is words: `error:0A00010B:SSL routines:...:wrong version number:...`. */
function sslText(messages: readonly string[]): string {
  for (const message of messages) {
    const words = /SSL routines:[^:]*:([^:]+)/.exec(message)?.[1];
    if (words) return /wrong version number/.test(words) ? (tlsReasons.ERR_SSL_WRONG_VERSION_NUMBER ?? words) : words;
  }
  return (messages[0] ?? 'TLS failed').split('\n')[0] ?? 'TLS failed';
}
