/** How a demo cloud may misbehave, for tests of what the doctor makes of it. Data: it can be written as JSON. */
export interface DemoFaults {
  readonly http?: readonly HttpFault[];
  /** By the API's host names. */
  readonly ssh?: Readonly<Record<string, readonly SshFault[]>>;
  /** Texts replaced in every answer and output; what is asked with the new text is looked up with the old one. */
  readonly rename?: readonly { readonly from: string; readonly to: string }[];
}

/** Which requests a fault meets: those whose path and query contain `path` (all when absent), `times` times (always when absent). */
interface Aim {
  readonly path?: string;
  readonly times?: number;
}

export type HttpFault =
  /** 401 also makes the token that was sent invalid. `retryAfter` in seconds. */
  | (Aim & { readonly do: 'status'; readonly status: 401 | 403 | 429 | 500 | 502 | 503; readonly retryAfter?: number })
  | (Aim & { readonly do: 'slow'; readonly ms: number })
  /** Half of the body, then the end, as a broken proxy does. */
  | (Aim & { readonly do: 'truncate' })
  | (Aim & { readonly do: 'reset' })
  /** Collections come in pages of at most `size`. */
  | { readonly do: 'page'; readonly size: number }
  | { readonly do: 'refuse-password' }
  /** HTTPS with a certificate that nothing vouches for. */
  | { readonly do: 'self-signed' };

export type SshFault =
  /** Accepts the connection and says nothing. */
  | { readonly do: 'hang' }
  /** Accepts a batch and never answers. */
  | { readonly do: 'hang-exec' }
  | { readonly do: 'host-key-changed' }
  | { readonly do: 'refused' }
  | { readonly do: 'auth-refused' }
  /** The address of the host is a name that does not resolve. */
  | { readonly do: 'no-such-name' }
  /** A command whose words contain `command` writes this much, whatever bound it was given. */
  | { readonly do: 'flood'; readonly command: string; readonly bytes: number }
  /** The connection dies after so many commands of each batch have answered. */
  | { readonly do: 'lost'; readonly after: number }
  | { readonly do: 'missing-tool'; readonly tool: string }
  | { readonly do: 'sudo-password' };

export type Fault<F extends { readonly do: string }, D extends F['do']> = Extract<F, { readonly do: D }>;

/** Both directions of the renaming. */
export interface Renaming {
  text(text: string): string;
  json(body: string): string;
  back(text: string): string;
}

export function renaming(rename: DemoFaults['rename'] = []): Renaming {
  const quoted = (text: string): string => JSON.stringify(text).slice(1, -1);
  return {
    text: (text) => rename.reduce((out, { from, to }) => out.replaceAll(from, to), text),
    json: (body) => rename.reduce((out, { from, to }) => out.replaceAll(quoted(from), quoted(to)), body),
    back: (text) => rename.reduce((out, { from, to }) => out.replaceAll(to, from), text),
  };
}
