import type { FindingSpec } from '../../engine/finding.ts';

export const errorsAbout: FindingSpec = {
  code: 'OSD-LOG-001',
  severity: 'warning',
  nature: 'symptom',
  title: 'A log on the path has errors about this instance',
  meaning: 'A service wrote errors that carry the id of the instance, its port, its network or one of its requests.',
  evidence: 'the lines themselves, folded by shape, with how often and when they came last.',
  mend: 'Read the first of them: it is nearest to the cause.',
  explains: [],
  refs: [],
};

export const queueUnreachable: FindingSpec = {
  code: 'OSD-LOG-002',
  severity: 'warning',
  nature: 'symptom',
  title: 'A service on the path cannot reach its message queue',
  meaning: 'oslo.messaging keeps failing to connect: heartbeats and updates do not pass.',
  evidence: "the service's own log lines.",
  mend: 'Open the way from the node to RabbitMQ, or start RabbitMQ.',
  explains: [],
  refs: ['https://docs.openstack.org/oslo.messaging/latest/admin/rabbit.html'],
};
