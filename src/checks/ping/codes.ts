import type { FindingSpec } from '../../engine/finding.ts';

const symptom = {
  severity: 'error',
  nature: 'symptom',
  mend: 'A symptom: mend what stands above it. When nothing does, `ostk-doctor trace` shows where the packet ends.',
  refs: ['https://docs.openstack.org/operations-guide/ops-network-troubleshooting.html'],
} as const;

export const fromDhcp: FindingSpec = {
  ...symptom,
  code: 'OSD-PING-001',
  title: 'The DHCP namespace gets no answer from the instance',
  meaning: 'Within the network itself, without any router, the instance does not answer.',
  evidence: 'ping from the qdhcp namespace to the fixed address.',
  explains: [
    { code: 'OSD-PING-002', over: ['port'] },
    { code: 'OSD-PING-004', over: ['port'] },
    { code: 'OSD-TCP-002', over: ['port'] },
    { code: 'OSD-MTU-001', over: ['port'] },
  ],
};

export const fromRouter: FindingSpec = {
  ...symptom,
  code: 'OSD-PING-002',
  title: 'The router gets no answer from the instance',
  meaning: 'The router that serves the instance does not reach it.',
  evidence: 'ping from the qrouter namespace to the fixed address.',
  explains: [
    { code: 'OSD-PING-004', over: ['port'] },
    { code: 'OSD-TCP-002', over: ['port'] },
  ],
};

export const toGateway: FindingSpec = {
  ...symptom,
  code: 'OSD-PING-003',
  title: 'The router gets no answer from the external gateway',
  meaning: 'The router does not reach its own next hop: nothing behind it reaches the outside.',
  evidence: 'ping from the qrouter namespace to gateway_ip of the external subnet, and the neighbour table.',
  explains: [{ code: 'OSD-PING-004', over: ['router'] }],
};

export const toFloating: FindingSpec = {
  ...symptom,
  code: 'OSD-PING-004',
  title: 'The floating address does not answer from here',
  meaning: "This machine reaches the router's outside address, but not the floating address of the instance.",
  evidence:
    "ping of the floating address from the machine the doctor runs on, with the router's own outside address as control.",
  explains: [{ code: 'OSD-TCP-002', over: ['port'] }],
};

export const lossy: FindingSpec = {
  ...symptom,
  code: 'OSD-PING-005',
  severity: 'warning',
  title: 'Some packets are lost',
  meaning: 'The instance answers, but not every packet.',
  evidence: 'sent and received of a ping.',
  explains: [],
};
