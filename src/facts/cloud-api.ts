import { z } from 'zod';
import type { Endpoint, Identity, ServiceType, ServiceVersion } from '../cloud/cloud.ts';
import { twice } from '../cloud/twice.ts';
import { observed } from '../engine/fact.ts';
import type { FactFailure } from '../engine/failure.ts';
import { ok } from '../engine/result.ts';
import { source } from './io.ts';
import { type ComputeService, service } from './schemas/compute.ts';
import { type Agent, agent } from './schemas/network.ts';
import type { CloudSubject } from './subject.ts';

const once = (): string => '';

export const identity = source<CloudSubject, Identity>('cloud.identity', once, async (_, facts) => {
  const answer = await facts.io.cloud.identity();
  return answer.ok ? observed(answer.value.value, answer.value.evidence) : answer;
});

/** A service of the catalog: what it answered, how fast, or why it did not. */
export interface ServiceAnswer {
  readonly service: ServiceType;
  readonly url: string;
  readonly answer:
    | { readonly ok: true; readonly ms: number; readonly version: ServiceVersion }
    | { readonly ok: false; readonly failure: FactFailure };
}

/** The services the walk leans on; others of the catalog are left alone. */
const walked: readonly ServiceType[] = ['identity', 'compute', 'network', 'image', 'placement'];

export const serviceAnswers = source<CloudSubject, readonly ServiceAnswer[]>(
  'cloud.services',
  once,
  async (_, facts) => {
    const endpoints = await facts.io.cloud.endpoints();
    if (!endpoints.ok) return endpoints;
    const wanted = walked.flatMap((type): Endpoint[] => {
      const endpoint = endpoints.value.value.find((e) => e.service === type);
      return endpoint === undefined ? [] : [endpoint];
    });
    const answers = await Promise.all(
      wanted.map(async (endpoint): Promise<ServiceAnswer> => {
        // The sign-in itself proves that Keystone answers; a second question would only cost time.
        if (endpoint.service === 'identity') {
          const signIn = await facts.io.cloud.identity();
          return {
            service: endpoint.service,
            url: endpoint.url,
            answer: signIn.ok
              ? { ok: true, ms: signIn.value.ms, version: { id: 'v3' } }
              : { ok: false, failure: signIn.error },
          };
        }
        const version = await facts.io.cloud.version(endpoint.service);
        return {
          service: endpoint.service,
          url: endpoint.url,
          answer: version.ok
            ? { ok: true, ms: version.value.ms, version: version.value.value }
            : { ok: false, failure: version.error },
        };
      }),
    );
    return ok({ value: answers, evidence: [endpoints.value.evidence] });
  },
);

/** GET /v2.0/agents, all of them (https://docs.openstack.org/api-ref/network/v2/#agents). */
export const agents = source<CloudSubject, readonly Agent[]>('network.agents', once, async (_, facts) => {
  const answer = await facts.io.cloud.list({ service: 'network', path: '/agents', items: 'agents', schema: agent });
  return answer.ok ? observed(answer.value.value, answer.value.evidence) : answer;
});

/** GET /os-services: Nova's services and whether they report. */
export const computeServices = source<CloudSubject, readonly ComputeService[]>(
  'compute.services',
  once,
  async (_, facts) => {
    const answer = await twice(() =>
      facts.io.cloud.list({
        service: 'compute',
        path: '/os-services',
        items: 'services',
        schema: service,
        microversion: '2.79',
      }),
    );
    return answer.ok ? observed(answer.value.value, answer.value.evidence) : answer;
  },
);

/** Name of a project (GET /v3/projects/{id}), where the credentials may see it. */
export const projectName = source<string, string>(
  'identity.project',
  (id) => id,
  async (id, facts) => {
    const answer = await facts.io.cloud.get({
      service: 'identity',
      path: `/projects/${encodeURIComponent(id)}`,
      schema: z.looseObject({ project: z.looseObject({ name: z.string() }) }),
    });
    return answer.ok ? observed(answer.value.value.project.name, answer.value.evidence) : answer;
  },
);

/** Name of a user: our own, or (GET /v3/users/{id}) another's where the credentials may see it. */
export const userName = source<string, string>(
  'identity.user',
  (id) => id,
  async (id, facts) => {
    const own = await facts.io.cloud.identity();
    if (own.ok && own.value.value.user.id === id) return observed(own.value.value.user.name, own.value.evidence);
    const answer = await facts.io.cloud.get({
      service: 'identity',
      path: `/users/${encodeURIComponent(id)}`,
      schema: z.looseObject({ user: z.looseObject({ name: z.string() }) }),
    });
    return answer.ok ? observed(answer.value.value.user.name, answer.value.evidence) : answer;
  },
);
