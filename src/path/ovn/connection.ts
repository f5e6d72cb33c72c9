/** Files with which a TLS connection to one of OVN's databases is made. */
export interface OvnTls {
  readonly key: string;
  readonly certificate: string;
  readonly authority: string;
}

/** Options of OVN's tools for a remote; only where one of its methods is `ssl:` (ovsdb(7), Active Database Connection Methods). */
export const tlsOptions = (remote: string, tls: OvnTls | undefined): readonly string[] =>
  tls !== undefined && remote.split(',').some((one) => one.trim().startsWith('ssl:'))
    ? ['-p', tls.key, '-c', tls.certificate, '-C', tls.authority]
    : [];

/** The NB where a chassis is told of the SB only: IANA's port before the SB's, on the same hosts. */
export const northOf = (south: string): string => south.replaceAll(/:6642(?=,|$)/g, ':6641');

/** `key = value` per line, as of an ini file; the last of a key counts. */
export const wordsOfIni = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const at = line.indexOf('=');
      const [key, value] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
      return at < 0 || value === '' ? [] : [[key, value]];
    }),
  );

const optionOf = (args: string, ...names: readonly string[]): string | undefined => {
  for (const name of names) {
    const found = new RegExp(`(?:^|\\s)${name}[=\\s](\\S+)`).exec(args)?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
};

/** What a daemon was started with (ovn-controller(8), PKI Options). */
export function tlsOfArgs(args: string): OvnTls | undefined {
  const key = optionOf(args, '--private-key', '-p');
  const certificate = optionOf(args, '--certificate', '-c');
  const authority = optionOf(args, '--ca-cert', '-C');
  return key === undefined || certificate === undefined || authority === undefined
    ? undefined
    : { key, certificate, authority };
}

/** Address and port of each remote: `tcp:192.0.2.1:6642`, `ssl:[2001:db8::1]:6642`; sockets have none. */
export const remotesOf = (remote: string): readonly { readonly address: string; readonly port: number }[] =>
  remote.split(',').flatMap((one) => {
    const match = /^(?:tcp|ssl):(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(one.trim());
    const address = match?.[1] ?? match?.[2];
    return address === undefined ? [] : [{ address, port: Number(match?.[3]) }];
  });
