import type { Explains, FindingSpec } from '../../engine/finding.ts';

const byAgent = (code: string): Explains => ({ code, over: ['agent'] });

/** What lies still when an agent does not work; each of these names the agent it hangs on. */
const leftUndone: readonly Explains[] = [
  byAgent('OSD-PORT-002'),
  byAgent('OSD-PORT-004'),
  byAgent('OSD-SG-003'),
  byAgent('OSD-DHCP-*'),
  byAgent('OSD-META-*'),
  byAgent('OSD-ROUTER-*'),
  byAgent('OSD-TUNNEL-002'),
  byAgent('OSD-L2-*'),
  byAgent('OSD-VM-006'),
];

const refs = ['https://docs.openstack.org/neutron/latest/admin/config-services-agent.html'];

export const processDown: FindingSpec = {
  code: 'OSD-AGENT-001',
  severity: 'error',
  nature: 'cause',
  title: "An agent's process is down",
  meaning:
    'The agent does not run on its node and OpenStack counts it as dead: what it made may still work, but nothing new is wired, and what it supervises may be gone.',
  evidence: 'alive=false and the last heartbeat in GET /agents, and the state of its unit on the node.',
  mend: 'Start the agent on its node; look at why it ended in its log.',
  explains: leftUndone,
  refs,
};

export const justStopped: FindingSpec = {
  code: 'OSD-AGENT-002',
  severity: 'error',
  nature: 'cause',
  title: "An agent's process is down, and OpenStack has not noticed yet",
  meaning: 'The API still calls the agent alive because its last heartbeat is young, but its process does not run.',
  evidence: 'alive=true in GET /agents against the state of its unit on the node.',
  mend: 'Start the agent on its node; look at why it ended in its log.',
  explains: leftUndone,
  refs,
};

/** Whatever cuts one agent off from the message queue cuts off its neighbours on the same host. */
const sameQueue: readonly Explains[] = [{ code: 'OSD-VM-011', over: ['host'] }, byAgent('OSD-LOG-002')];

export const deadForOpenstack: FindingSpec = {
  code: 'OSD-AGENT-003',
  severity: 'error',
  nature: 'cause',
  title: 'An agent is alive for its node and dead for OpenStack',
  meaning:
    'The process runs, but its heartbeats do not arrive: it cannot reach the message queue, hangs, reports under another host name, or the clocks disagree.',
  evidence:
    'alive=false and the last heartbeat in GET /agents, the running unit on the node, its log and connections to the message queue.',
  mend: 'Find what stands between the node and the message queue; restart the agent only when that is open and it still does not report.',
  explains: [...leftUndone, ...sameQueue],
  refs,
};

export const frozen: FindingSpec = {
  code: 'OSD-AGENT-007',
  severity: 'error',
  nature: 'cause',
  title: "An agent's process is frozen",
  meaning:
    'The process is there, but a signal (SIGSTOP) or a debugger holds it: its node calls it running, and it does nothing.',
  evidence: 'state T in ps on the node; alive=false and the last heartbeat in GET /agents.',
  mend: 'Restart the agent (or send it SIGCONT); ask who stopped it.',
  explains: [...leftUndone, ...sameQueue],
  refs: ['https://man7.org/linux/man-pages/man1/ps.1.html'],
};

export const queueRefuses: FindingSpec = {
  code: 'OSD-AGENT-008',
  severity: 'error',
  nature: 'cause',
  title: 'The message queue refuses an agent',
  meaning:
    'RabbitMQ answers, and does not accept the user name or the password of the agent: its heartbeats go nowhere.',
  evidence: "ACCESS_REFUSED in the agent's log; alive=false in GET /agents.",
  mend: 'Correct transport_url in the configuration files of the agent (or the password of the user in RabbitMQ), then restart it.',
  explains: [...leftUndone, ...sameQueue],
  refs: ['https://www.rabbitmq.com/docs/access-control'],
};

export const endsAgain: FindingSpec = {
  code: 'OSD-AGENT-009',
  severity: 'error',
  nature: 'cause',
  title: 'An agent does not stay up',
  meaning:
    'The process ends with an error shortly after each start. Starting it once more will not help: its log says what it stumbles over.',
  evidence: "the unit on the node (restarting, or failed), and the last error of the agent's log.",
  mend: 'Mend what the last error names (a wrong option, a missing file or driver), then restart the agent.',
  explains: [...leftUndone, ...sameQueue],
  refs,
};

export const deadUnseen: FindingSpec = {
  code: 'OSD-AGENT-004',
  severity: 'error',
  nature: 'cause',
  title: 'An agent is dead for OpenStack, and its node could not be looked at',
  meaning: 'Its heartbeats do not arrive; whether the process runs is not known.',
  evidence: 'alive=false and the last heartbeat in GET /agents.',
  mend: "Reach the node and look at the agent's unit and log.",
  explains: [
    ...leftUndone,
    // Dead for OpenStack, not to be reached, and silent: the host itself is down or cut off.
    { code: 'OSD-PING-*', over: ['port', 'host'] },
    { code: 'OSD-PATH-*', over: ['port', 'host'] },
  ],
  refs,
};

export const disabled: FindingSpec = {
  code: 'OSD-AGENT-005',
  severity: 'warning',
  nature: 'cause',
  title: 'An agent is administratively disabled',
  meaning:
    'admin_state_up of the agent is False: a disabled DHCP or L3 agent serves nothing, whatever is scheduled to it.',
  evidence: 'admin_state_up in GET /agents.',
  mend: 'Enable the agent.',
  explains: leftUndone,
  refs,
};

export const missing: FindingSpec = {
  code: 'OSD-AGENT-006',
  severity: 'error',
  nature: 'cause',
  title: 'An agent that this host needs is not registered',
  meaning: 'No agent of the kind that must wire or serve here was ever seen on the host by Neutron.',
  evidence: 'GET /agents has no such binary on the host.',
  mend: 'Install and start the agent there, or correct the host name it reports under.',
  explains: leftUndone,
  refs,
};
