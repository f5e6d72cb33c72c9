import { err, type Result } from '../engine/result.ts';
import type { HttpClient, HttpFailure, HttpRequest, HttpResponse } from './http.ts';

/** Sends one request and sees it through what a service may reasonably ask for: wait a little, go one path over. */
export type Sender = (request: HttpRequest) => Promise<Result<HttpResponse, HttpFailure>>;

const maxRetries = 2;
const maxWaitMs = 10_000;
const redirects = new Set([301, 302, 303, 307, 308]);

/**
 * 429 and 503 are tried again at most twice, after Retry-After, and never for more than 10 s in all; a redirect of a
 * read is followed once if it stays on the host (a token is not carried to another).
 */
export function createSender(parts: {
  readonly http: HttpClient;
  /** Milliseconds since the epoch, for a Retry-After that is a date. */
  readonly now: () => number;
  readonly onRequest: () => void;
  /** Ends waits and requests when the cloud is closed. */
  readonly signal: AbortSignal;
}): Sender {
  const send = (request: HttpRequest) => {
    parts.onRequest();
    return parts.http.request(request, parts.signal);
  };
  return async (request) => {
    let waited = 0;
    let redirected = false;
    let current = request;
    for (let attempt = 0; ; attempt += 1) {
      const answer = await send(current);
      if (!answer.ok) return answer;
      const { status, headers } = answer.value;
      const onward = redirects.has(status) && !redirected ? redirectOf(current, headers.location) : undefined;
      if (onward) {
        redirected = true;
        current = onward;
        continue;
      }
      if ((status !== 429 && status !== 503) || attempt >= maxRetries) return answer;
      const wait = waitFor(headers['retry-after'], attempt, parts.now());
      if (waited + wait > maxWaitMs) return answer;
      waited += wait;
      if (!(await sleep(wait, parts.signal))) {
        return err({ kind: 'other', host: new URL(current.url).host, detail: 'stopped while waiting to try again' });
      }
    }
  };
}

function redirectOf(request: HttpRequest, location: string | undefined): HttpRequest | undefined {
  if (request.kind !== 'read' || location === undefined || !URL.canParse(location, request.url)) return undefined;
  const from = new URL(request.url);
  const to = new URL(location, from);
  const downgrade = from.protocol === 'https:' && to.protocol !== 'https:';
  return to.hostname === from.hostname && !downgrade ? { ...request, url: to.href } : undefined;
}

/** Seconds or an HTTP date (RFC 9110 10.2.3); half a second, then one, when the service does not say. */
function waitFor(retryAfter: string | undefined, attempt: number, now: number): number {
  const text = retryAfter?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? 500 * 2 ** attempt : Math.max(0, date - now);
}

function sleep(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const stop = () => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve(true);
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
