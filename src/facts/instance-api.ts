import { z } from 'zod';
import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import { err } from '../engine/result.ts';
import { source } from './io.ts';
import { type Image, image, type Server } from './schemas/compute.ts';
import { type Port, port } from './schemas/network.ts';
import type { InstanceSubject } from './subject.ts';

const byId = (subject: InstanceSubject): string => subject.id;

export const server = source<InstanceSubject, Server>('instance.server', byId, async (subject) => ({
  ok: true,
  value: subject.server,
}));

export const ports = source<InstanceSubject, readonly Port[]>('instance.ports', byId, async (subject, facts) => {
  if (subject.ports !== undefined) return { ok: true, value: subject.ports };
  const answer = await facts.io.cloud.list({
    service: 'network',
    path: '/ports',
    query: { device_id: subject.id },
    items: 'ports',
    schema: port,
  });
  return answer.ok ? observed(answer.value.value, answer.value.evidence) : answer;
});

/** Enough for the boot of a chatty kernel and cloud-init. */
const consoleLines = 2000;

export const consoleText = source<InstanceSubject, string>('instance.console', byId, async (subject, facts) => {
  const answer = await facts.io.cloud.console(subject.id, consoleLines);
  return answer.ok ? observed(answer.value.value, answer.value.evidence) : answer;
});

export const bootImage = source<InstanceSubject, Image>('instance.image', byId, async (subject, facts) => {
  const reference = subject.server.value.image;
  const id = typeof reference === 'object' && reference !== null ? reference.id : reference;
  if (id === undefined || id === null || id === '')
    return err({ kind: 'unsupported', because: 'it boots from a volume' });
  const answer = await facts.io.cloud.get({
    service: 'image',
    path: `/images/${encodeURIComponent(id)}`,
    schema: image,
  });
  return answer.ok ? observed(answer.value.value, answer.value.evidence) : answer;
});

const action = z.looseObject({
  action: z.string(),
  request_id: z.string(),
  start_time: z.string(),
  message: z.string().nullish(),
});
export type InstanceAction = z.infer<typeof action>;

/** GET /servers/{id}/os-instance-actions, newest first: their request ids are what logs are searched for. */
export const actions = source<InstanceSubject, readonly InstanceAction[]>(
  'instance.actions',
  byId,
  async (subject, facts) => {
    const answer = await facts.io.cloud.list({
      service: 'compute',
      path: `/servers/${encodeURIComponent(subject.id)}/os-instance-actions`,
      items: 'instanceActions',
      schema: action,
      limit: 50,
    });
    return answer.ok ? observed(answer.value.value, answer.value.evidence) : answer;
  },
);

const volume = z.looseObject({
  id: z.string(),
  name: z.string().nullish(),
  status: z.string(),
  bootable: z.string().nullish(),
});
export type Volume = z.infer<typeof volume>;

/** The volumes that Nova says are attached, as Cinder sees them. */
export const volumes = source<InstanceSubject, readonly Volume[]>('instance.volumes', byId, async (subject, facts) => {
  const ids = (subject.server.value['os-extended-volumes:volumes_attached'] ?? []).map((v) => v.id);
  if (ids.length === 0) return err({ kind: 'unsupported', because: 'it has no volumes' });
  const found: Volume[] = [];
  const evidence: Evidence[] = [];
  for (const answer of await Promise.all(
    ids.map((id) =>
      facts.io.cloud.get({
        service: 'block-storage',
        path: `/volumes/${encodeURIComponent(id)}`,
        schema: z.looseObject({ volume }),
      }),
    ),
  )) {
    if (!answer.ok) return answer;
    found.push(answer.value.value.volume);
    evidence.push(answer.value.evidence);
  }
  return observed(found, ...evidence);
});
