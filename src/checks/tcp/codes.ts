import type { FindingSpec } from '../../engine/finding.ts';

const refs = ['https://docs.openstack.org/operations-guide/ops-network-troubleshooting.html'];

export const refused: FindingSpec = {
  code: 'OSD-TCP-001',
  severity: 'error',
  nature: 'cause',
  title: 'The instance refuses the connection: nothing listens on the port',
  meaning:
    'The packet arrives and is answered with a reset: the network does its part, and no service of the guest has the port open (or it listens on another address).',
  evidence: 'a TCP connection attempt, without a byte of payload, from the namespaces of the network.',
  mend: 'Start the service in the guest, or make it listen on the address of the port; look at the console for why it does not run.',
  explains: [],
  refs,
};

export const silent: FindingSpec = {
  code: 'OSD-TCP-002',
  severity: 'error',
  nature: 'symptom',
  title: 'A TCP connection that should be let in gets no answer',
  meaning:
    'The security groups let the connection in, and neither an answer nor a refusal came back: something on the way or a firewall inside the guest drops it.',
  evidence: 'a TCP connection attempt, without a byte of payload, from the namespaces of the network.',
  mend: 'A symptom: mend what stands above it. When nothing does, look at the firewall inside the guest.',
  explains: [],
  refs,
};
