import type { FindingSpec } from '../../engine/finding.ts';

const last = {
  severity: 'error',
  nature: 'symptom',
  explains: [
    { code: 'OSD-PING-*', over: ['port'] },
    { code: 'OSD-CONSOLE-001', over: ['instance'] },
  ],
  refs: ['https://docs.openstack.org/operations-guide/ops-network-troubleshooting.html'],
} as const;

export const guestSilent: FindingSpec = {
  ...last,
  code: 'OSD-PATH-001',
  title: 'Packets reach the instance, and it keeps silent',
  meaning:
    'Every hop up to the tap passed the probes on, and the instance sent nothing back: its own firewall, its address, or its kernel.',
  evidence: 'the counters of the tap around the probes.',
  mend: 'Look inside the instance (its console): address, route, firewall.',
};

export const lostBetween: FindingSpec = {
  ...last,
  code: 'OSD-PATH-002',
  title: 'Packets are lost between two hops, and nothing we can see took them',
  meaning: 'The probes were counted at one hop and not at the next; no rule, flow or device counter in between rose.',
  evidence: 'the counters of every hop around the probes.',
  mend: 'Capture on both hops to see which of the two is right: `ostk-doctor trace` does.',
};
