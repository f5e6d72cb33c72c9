import type { Result } from '../engine/result.ts';

/**
 * Everything the doctor may ever say to a cloud. There is no kind for a change:
 * reads, the sign-in, and the one action that reads (os-getConsoleOutput).
 */
export type HttpRequest =
  | { readonly kind: 'read'; readonly method: 'GET' | 'HEAD'; readonly url: string; readonly headers: Headers }
  | { readonly kind: 'sign-in'; readonly url: string; readonly headers: Headers; readonly body: string }
  | {
      readonly kind: 'console';
      /** `<compute endpoint>/servers/<id>/action`; the body is made by the client, never by a caller. */
      readonly url: string;
      readonly headers: Headers;
      readonly lines: number;
    };

export type Headers = Readonly<Record<string, string>>;

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Headers;
  readonly body: string;
  /** ISO 8601 of the moment the request was sent. */
  readonly startedAt: string;
  readonly ms: number;
}

export type HttpFailure = {
  readonly kind: 'dns' | 'refused' | 'tls' | 'timeout' | 'reset' | 'proxy' | 'too-large' | 'other';
  /** host:port that was asked. */
  readonly host: string;
  readonly detail: string;
};

/** The boundary that is recorded and replayed. Implementations: undici, a recorder around another, a bundle. */
export interface HttpClient {
  request(request: HttpRequest, signal?: AbortSignal): Promise<Result<HttpResponse, HttpFailure>>;
  close(): Promise<void>;
}
