import type { FactFailure } from '../engine/failure.ts';
import type { HttpFailure, HttpResponse } from './http.ts';

/** What was asked, in the words of a failure. */
export interface Asked {
  readonly service: string;
  /** `GET /servers/detail` or `sign-in`. */
  readonly what: string;
}

/** The id to look for in the service's log. */
export function requestIdOf({ headers }: HttpResponse): { requestId?: string } {
  const id = headers['x-openstack-request-id'] ?? headers['x-compute-request-id'];
  return id === undefined || !/^[\w-]{1,80}$/.test(id) ? {} : { requestId: id };
}

/** An answer that is not 2xx, as a failure. 401, 406, 429 and 503 reach this only when trying again did not help. */
export function failedAnswer({ service, what }: Asked, response: HttpResponse): FactFailure {
  const { status } = response;
  const message = messageOf(response.body);
  if (status === 403) return { kind: 'forbidden', what: `${service} ${what}`, need: needOf(message) };
  if (status === 404) return { kind: 'not-found', what: `${service} ${what}` };
  return { kind: 'api', service, what, status, detail: message || statusWords(status), ...requestIdOf(response) };
}

function statusWords(status: number): string {
  if (status === 401) return 'the token was refused';
  if (status === 502) return 'the load balancer has no working server behind it';
  if (status === 503) return 'the service is not available';
  if (status === 504) return 'the service behind the load balancer did not answer in time';
  if (status >= 300 && status < 400) return 'it answered with a redirect';
  return `it answered ${status} without a reason`;
}

const policyPatterns = [
  /Policy doesn't allow ([\w:.-]+) to be performed/i,
  /Policy does not allow ([\w:.-]+) to be performed/i,
  /not authorized to perform the requested action:? ([\w:.-]+)/i,
  /\(?rule:? ?([\w:.-]+)\)? is disallowed by policy/i,
];

/** Which role or policy would have allowed it. The services name the rule in their answer. */
function needOf(message: string): string {
  const rule = policyPatterns.map((pattern) => pattern.exec(message)?.[1]).find((found) => found !== undefined);
  const role = 'role admin, or reader with system scope';
  return rule === undefined ? role : `${role}, or a policy that grants ${rule.replace(/[.]$/, '')}`;
}

/** The human sentence of an error document: every service wraps it in its own way; HTML and text are taken bare. */
export function messageOf(body: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return tidy(body.replace(/<(head|style|title)\b[\s\S]*?<\/\1>/gi, ' ').replace(/<[^>]*>/g, ' '));
  }
  return tidy(sentenceIn(parsed, 0));
}

function sentenceIn(value: unknown, depth: number): string {
  if (typeof value === 'string') return depth === 0 ? value : '';
  if (value === null || typeof value !== 'object' || depth > 3) return '';
  const fields = value as Readonly<Record<string, unknown>>;
  for (const key of ['message', 'detail', 'faultstring', 'debuginfo', 'description', 'title']) {
    const text = fields[key];
    if (typeof text === 'string' && text.trim() !== '') return embedded(text);
  }
  for (const inner of Object.values(fields)) {
    // Ironic sends its error document as JSON inside a string.
    const text = typeof inner === 'string' ? embeddedOnly(inner) : sentenceIn(inner, depth + 1);
    if (text !== '') return text;
  }
  return '';
}

const embedded = (text: string): string => embeddedOnly(text) || text;

function embeddedOnly(text: string): string {
  if (!text.startsWith('{')) return '';
  try {
    return sentenceIn(JSON.parse(text), 1);
  } catch {
    return '';
  }
}

const tidy = (text: string): string =>
  text
    .replace(/<br ?\/?>/gi, ' ')
    .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .replace(/ +/g, ' ')
    .trim()
    .slice(0, 300);

/** A service that could not be reached, with what would help. */
export function unreachableService(
  { service, what }: Asked,
  failure: HttpFailure,
  about: { readonly urlFrom: string; readonly signIn: boolean; readonly timeoutMs: number },
): FactFailure {
  const where = about.signIn ? `Keystone at ${failure.host}` : `${service} at ${failure.host}`;
  const unreachable = (stage: 'name' | 'tcp' | 'handshake' | 'timeout' | 'lost', fix: string): FactFailure => ({
    kind: 'unreachable',
    host: failure.host,
    stage,
    detail: `${where}: ${failure.detail}`,
    fix,
  });
  switch (failure.kind) {
    case 'dns':
      return unreachable('name', `check the host name in ${about.urlFrom}`);
    case 'refused':
      return unreachable('tcp', `start the service, or correct the port in ${about.urlFrom}`);
    case 'tls':
      return unreachable('handshake', tlsFix(failure.detail));
    case 'timeout':
      return about.signIn || failure.detail.startsWith('no connection')
        ? unreachable('timeout', `check the network between here and ${failure.host}, and ${about.urlFrom}`)
        : { kind: 'timeout', what: `${service} ${what} at ${failure.host}`, seconds: about.timeoutMs / 1000 };
    case 'reset':
      return unreachable('lost', `see the log of the service or of the load balancer at ${failure.host}`);
    case 'proxy':
      return unreachable(
        'tcp',
        `correct https_proxy / http_proxy, or add ${failure.host.replace(/:\d+$/, '')} to no_proxy`,
      );
    case 'too-large':
    case 'other':
      return { kind: 'api', service, what, detail: `${where}: ${failure.detail}` };
  }
}

function tlsFix(detail: string): string {
  if (/not trusted here|self-signed/.test(detail)) {
    return 'name the CA file with cacert in clouds.yaml (OS_CACERT); for a test cloud only, verify: false';
  }
  if (/cannot be read/.test(detail)) return 'correct the path in clouds.yaml (cacert, cert, key)';
  if (/another name/.test(detail)) return 'use the host name that is in the certificate, or renew it with this one';
  if (/http:\/\//.test(detail)) return 'correct the scheme of the URL';
  if (/client certificate/.test(detail)) return 'set cert and key in clouds.yaml';
  return 'renew or correct the certificate of that endpoint';
}
