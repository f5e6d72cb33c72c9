import type { Headers, HttpRequest } from './http.ts';

/** What goes over the wire for one request. */
export interface WireRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: string;
  readonly headers: Headers;
  readonly body?: string;
}

const signInPath = /\/v3\/(auth\/tokens|OS-FEDERATION\/identity_providers\/[^/]+\/protocols\/[^/]+\/auth)$/;
const actionPath = /\/servers\/[\w-]+\/action$/;

/**
 * The only place where a method and a body come to be, so the only place that could ask a cloud to change something.
 * Anything but a read, a sign-in and os-getConsoleOutput is a bug and throws, whatever the types were told.
 */
export function wireRequest(request: HttpRequest): WireRequest {
  const { pathname } = new URL(request.url);
  switch (request.kind) {
    case 'read':
      if (request.method !== 'GET' && request.method !== 'HEAD') throw refused(request.kind, String(request.method));
      return { method: request.method, url: request.url, headers: request.headers };
    case 'sign-in':
      if (!signInPath.test(pathname) || !isSignInBody(request.body)) throw refused(request.kind, pathname);
      return { method: 'POST', url: request.url, headers: request.headers, body: request.body };
    case 'console': {
      if (!actionPath.test(pathname)) throw refused(request.kind, pathname);
      const length = Math.max(1, Math.trunc(Number(request.lines)));
      if (!Number.isFinite(length)) throw refused(request.kind, 'lines');
      const body = JSON.stringify({ 'os-getConsoleOutput': { length } });
      return {
        method: 'POST',
        url: request.url,
        headers: { ...request.headers, 'content-type': 'application/json' },
        body,
      };
    }
    default:
      throw refused(String((request as { kind?: unknown }).kind), pathname);
  }
}

/** A sign-in has a body of `{"auth": ...}` and nothing else, or (federation: the proof is in a header) none at all. */
function isSignInBody(body: string): boolean {
  if (body === '') return true;
  try {
    const parsed: unknown = JSON.parse(body);
    return parsed !== null && typeof parsed === 'object' && Object.keys(parsed).join() === 'auth';
  } catch {
    return false;
  }
}

const refused = (kind: string, what: string): Error => new Error(`refused to send: ${kind} ${what} is not a read`);
