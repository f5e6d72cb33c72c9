import type { z } from 'zod';
import type { FactFailure } from '../engine/failure.ts';
import { err, ok, type Result } from '../engine/result.ts';
import { type Asked, requestIdOf } from './answers.ts';
import type { Answer, GetRequest, Query, ServiceType } from './cloud.ts';
import type { Headers, HttpResponse } from './http.ts';
import { services } from './service-types.ts';

/** An answer, and the path and query it was asked by. */
export interface Reply {
  readonly response: HttpResponse;
  readonly path: string;
}

/** A request in the words of a failure. */
export const askedOf = ({ service, path }: GetRequest<unknown>): Asked => ({ service, what: `GET ${path}` });

export function queryOf(query: Query | undefined): URLSearchParams {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    for (const item of typeof value === 'string' ? [value] : value) params.append(key, item);
  }
  return params;
}

/** Both spellings, where the service is old enough to know another one. */
export function microversionHeaders(service: ServiceType, microversion: string | undefined): Headers {
  const { microversionName, legacyMicroversionHeader } = services[service];
  if (microversion === undefined || microversionName === undefined) return {};
  return {
    'openstack-api-version': `${microversionName} ${microversion}`,
    ...(legacyMicroversionHeader === undefined ? {} : { [legacyMicroversionHeader]: microversion }),
  };
}

export function answerOf<T>(
  value: T,
  service: ServiceType,
  method: string,
  { response, path }: Reply,
  excerpt: string,
): Answer<T> {
  const source = { kind: 'api' as const, service, method, path, status: response.status, ...requestIdOf(response) };
  return { value, evidence: { source, at: response.startedAt, excerpt }, ms: response.ms };
}

export function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

const notJson = 'the answer is not JSON, or was cut short';

/** @param at where in the answer the value stands; empty for the whole */
export function parse<T>(schema: z.ZodType<T>, value: unknown, asked: Asked, at: string): Result<T, FactFailure> {
  const what = `${asked.service} ${asked.what}`;
  if (value === undefined) return err({ kind: 'shape', what, detail: notJson });
  const parsed = schema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  const issue = parsed.error.issues[0];
  const path = [at, ...(issue?.path ?? []).map(String)].filter((part) => part !== '').join('.');
  return err({ kind: 'shape', what, detail: `${path || 'the answer'}: ${issue?.message ?? 'is not as expected'}` });
}

export function noList({ service, what }: Asked, items: string, body: unknown): FactFailure {
  const detail = body === undefined ? notJson : `no list \`${items}\` in the answer`;
  return { kind: 'shape', what: `${service} ${what}`, detail };
}
