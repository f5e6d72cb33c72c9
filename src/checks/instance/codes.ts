import type { FindingSpec } from '../../engine/finding.ts';

const nova = 'https://docs.openstack.org/nova/latest/';

export const notRunning: FindingSpec = {
  code: 'OSD-VM-001',
  severity: 'error',
  nature: 'cause',
  title: 'The instance is not running',
  meaning:
    'Nova itself says that the instance is off, paused, suspended, shelved or being rescued, so nothing answers.',
  evidence: 'status, OS-EXT-STS:vm_state and OS-EXT-STS:power_state of the instance.',
  mend: 'Start, unpause, resume or unshelve it.',
  explains: [
    { code: 'OSD-HOST-001', over: ['instance'] },
    { code: 'OSD-HOST-002', over: ['instance'] },
    { code: 'OSD-PORT-004', over: ['instance'] },
    { code: 'OSD-PING-*', over: ['instance'] },
    { code: 'OSD-CONSOLE-*', over: ['instance'] },
    { code: 'OSD-PATH-*', over: ['instance'] },
    { code: 'OSD-MTU-*', over: ['instance'] },
  ],
  refs: [`${nova}user/manage-ip-addresses.html`],
};

export const inError: FindingSpec = {
  code: 'OSD-VM-002',
  severity: 'error',
  nature: 'symptom',
  title: 'The instance is in ERROR',
  meaning: 'Nova gave up on it; the fault message says at which step.',
  evidence: 'status ERROR and the fault of the instance.',
  mend: 'Mend what the fault names, then rebuild or recreate the instance.',
  explains: [],
  refs: ['https://docs.openstack.org/api-guide/compute/faults.html'],
};

export const noValidHost: FindingSpec = {
  code: 'OSD-VM-005',
  severity: 'error',
  nature: 'cause',
  title: 'No host could be found for the instance',
  meaning:
    'The scheduler found no compute host that satisfies the request: resources, filters, availability zone or a disabled service.',
  evidence: "fault 'No valid host was found', and no host on the instance.",
  mend: 'See which filter or which resource rejected the hosts; free resources, relax the request or enable hosts, then boot again.',
  explains: [{ code: 'OSD-VM-002', over: ['instance'] }],
  refs: [`${nova}admin/scheduling.html`],
};

export const computeServiceDown: FindingSpec = {
  code: 'OSD-VM-006',
  severity: 'error',
  nature: 'cause',
  title: 'nova-compute of the host is down or disabled',
  meaning:
    'The service that starts, stops and plugs instances on this host does not report, or was disabled: what runs goes on, nothing new happens.',
  evidence: 'state and status of nova-compute in GET /os-services, and the process on the node.',
  mend: 'Start nova-compute on the host (or enable it again).',
  explains: [
    { code: 'OSD-VM-005', over: ['run'] },
    { code: 'OSD-SCHED-004', over: ['host'] },
    { code: 'OSD-VM-007', over: ['host'] },
  ],
  refs: [`${nova}admin/services.html`],
};

export const stuckTask: FindingSpec = {
  code: 'OSD-VM-007',
  severity: 'error',
  nature: 'symptom',
  title: 'An action on the instance hangs',
  meaning: 'task_state has been set for longer than any such action takes.',
  evidence: 'OS-EXT-STS:task_state and the time of the last update.',
  mend: "Look at nova-compute's log of the host for the request; when it is over, reset the state.",
  explains: [],
  refs: [],
};

export const imageUnusable: FindingSpec = {
  code: 'OSD-VM-008',
  severity: 'warning',
  nature: 'cause',
  title: 'The boot image cannot be used any more',
  meaning: 'The image is deactivated, deleted or was never completed: a rebuild or a move to another host will fail.',
  evidence: 'status of the image in Glance.',
  mend: 'Activate the image again, or rebuild from another.',
  explains: [{ code: 'OSD-VM-002', over: ['instance'] }],
  refs: [],
};

export const volumeBroken: FindingSpec = {
  code: 'OSD-VM-009',
  severity: 'warning',
  nature: 'cause',
  title: 'A volume of the instance is not in use',
  meaning:
    'Cinder does not count the volume as attached and whole: an instance that boots from it stops, or will not start again.',
  evidence: 'status of the volume in Cinder.',
  mend: 'Look at the volume and its backend; mend or reset its state only when the data is known to be well.',
  explains: [
    { code: 'OSD-VM-002', over: ['instance'] },
    { code: 'OSD-CONSOLE-005', over: ['instance'] },
  ],
  refs: ['https://docs.openstack.org/api-ref/block-storage/v3/#volumes-volumes'],
};

export const cellDown: FindingSpec = {
  code: 'OSD-VM-010',
  severity: 'error',
  nature: 'cause',
  title: 'The cell of the instance does not answer',
  meaning:
    "Nova's API could not reach the database of the cell that holds the instance, and shows only what it has itself: status UNKNOWN, no name, no host. Lists that ask for a name leave it out. The instance itself may well run.",
  evidence:
    "status UNKNOWN in the API (microversion 2.69 and later); which cell, by the host on which Placement holds room for the instance, and that host's cell (nova-manage cell_v2 list_hosts).",
  mend: 'Bring back the database and the message queue of the cell; nova-manage cell_v2 list_cells names them.',
  explains: [{ code: 'OSD-META-004', over: ['instance'] }],
  refs: [`${nova}admin/cells.html#handling-down-cells`],
};

export const computeCutOff: FindingSpec = {
  code: 'OSD-VM-011',
  severity: 'error',
  nature: 'cause',
  title: 'nova-compute of the host runs, and is down for OpenStack',
  meaning:
    'The process lives on its host, but its reports do not arrive: it cannot reach the message queue, or hangs. What runs goes on, nothing new happens.',
  evidence: 'state of nova-compute in GET /os-services, and the unit on the node.',
  mend: 'Find what stands between the host and the message queue; restarting nova-compute helps only when that is open.',
  explains: [
    { code: 'OSD-VM-005', over: ['run'] },
    { code: 'OSD-SCHED-004', over: ['host'] },
    { code: 'OSD-VM-007', over: ['host'] },
  ],
  refs: [`${nova}admin/services.html`],
};

export const controlPlaneDown: FindingSpec = {
  code: 'OSD-VM-013',
  severity: 'error',
  nature: 'cause',
  title: 'nova-scheduler or nova-conductor is down',
  meaning:
    'No instance gets a host (nova-scheduler) or goes through any longer action (nova-conductor) while none of them reports; what runs goes on.',
  evidence: 'state of the services in GET /os-services.',
  mend: 'Start the service on its host; look at its log for why it ended.',
  explains: [
    { code: 'OSD-VM-007', over: ['instance'] },
    { code: 'OSD-VM-005', over: ['instance'] },
    { code: 'OSD-VM-002', over: ['instance'] },
  ],
  refs: [`${nova}admin/services.html`],
};
