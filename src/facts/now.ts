import { observed } from '../engine/fact.ts';
import { ports } from './instance-api.ts';
import { source } from './io.ts';
import { metadataPaths } from './metadata.ts';
import { pingsFromDhcp, pingsFromRouter } from './ping.ts';
import type { InstanceSubject, PortSubject } from './subject.ts';

/** What works at this moment, against which the console's story of the last boot is read. */
export interface WorksNow {
  /** The instance answered a ping at one of its addresses: whatever happened at boot, it has its address. */
  readonly answers: boolean;
  /** The metadata service gave the instance's metadata when asked in its name. */
  readonly metadata: boolean;
}

export const worksNow = source<InstanceSubject, WorksNow>(
  'instance.works-now',
  (subject) => subject.id,
  async (subject, facts) => {
    const list = await facts.get(ports, subject);
    if (!list.ok) return list;
    const subjects = list.value.value.map(
      (port): PortSubject => ({
        kind: 'port',
        id: port.id,
        port: { value: port, evidence: list.value.evidence },
        instance: subject,
      }),
    );
    const looks = await Promise.all(
      subjects.map(async (port) => {
        const [dhcp, router, paths] = await Promise.all([
          facts.get(pingsFromDhcp, port),
          facts.get(pingsFromRouter, port),
          facts.get(metadataPaths, port),
        ]);
        const runs = [dhcp, router].flatMap((p) => (p.ok ? p.value.value.runs : []));
        const answers = paths.ok ? paths.value.value.map((p) => p.agentAnswer) : [];
        return {
          answers: runs.some((r) => r.ping.received > 0),
          metadata: answers.some((a) => a.ok && a.value.value.kind === 'http' && a.value.value.status === 200),
        };
      }),
    );
    return observed(
      { answers: looks.some((l) => l.answers), metadata: looks.some((l) => l.metadata) },
      ...list.value.evidence,
    );
  },
);
