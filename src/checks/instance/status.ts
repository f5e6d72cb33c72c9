import { span, utcMillis } from '../../engine/age.ts';
import { defineCheck, judged } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { byOperator, findingOf } from '../../engine/finding-of.ts';
import { server } from '../../facts/instance-api.ts';
import { type Io, showing } from '../../facts/io.ts';
import { buriedCell } from '../../facts/schedule/cells.ts';
import { foundNoHost } from '../../facts/schedule/unplaced.ts';
import { powerStates } from '../../facts/schemas/compute.ts';
import type { InstanceSubject } from '../../facts/subject.ts';
import { poolExhausted } from '../dhcp/codes.ts';
import { instanceScope, verifyWith } from '../scope.ts';
import { buriedFinding } from './buried.ts';
import { cellDown, inError, notRunning, stuckTask } from './codes.ts';

/** Nova's longest ordinary actions (a large snapshot, a block migration) take minutes; half an hour is none of them. */
const stuckSeconds = 1800;

const wake: Readonly<Record<string, string>> = {
  SHUTOFF: 'start',
  PAUSED: 'unpause',
  SUSPENDED: 'resume',
  SHELVED: 'unshelve',
  SHELVED_OFFLOADED: 'unshelve',
  RESCUE: 'unrescue',
};

const needs = { server };
const optional = { cell: buriedCell };

export default defineCheck<Io, InstanceSubject, typeof needs, typeof optional>({
  id: 'instance.status',
  per: 'instance',
  title: 'The instance runs, and Nova holds no fault against it',
  needs,
  optional,
  findings: [notRunning, inError, poolExhausted, stuckTask, cellDown],
  judge: ({ subject, facts, maybe, now }) => {
    const s = facts.server.value;
    const [evidence] = facts.server.evidence;
    if (evidence === undefined) throw new Error('an instance without evidence');
    const power = powerStates[s['OS-EXT-STS:power_state'] ?? 0] ?? 'unknown';
    const task = s['OS-EXT-STS:task_state'];
    const host = s['OS-EXT-SRV-ATTR:host'];
    const scope = instanceScope(subject);
    const verify = verifyWith('net', subject);
    const findings: Finding[] = [];
    const state = `status ${s.status}, vm_state ${s['OS-EXT-STS:vm_state'] ?? '?'}, power ${power}, task ${task ?? 'none'}`;

    if (s.status === 'UNKNOWN') {
      findings.push(
        buriedFinding({
          subject,
          server: facts.server,
          ...(maybe.cell.ok ? { located: maybe.cell.value } : {}),
          verify,
        }),
      );
    } else if (s.status === 'ERROR') {
      const message = s.fault?.message ?? 'no fault message';
      const line = showing(evidence, `${state}\nfault: ${message}`);
      const dry =
        /No more IP addresses available on network ([0-9a-f-]{36})|No fixed IP addresses available for network:? ?([0-9a-f-]{36})/.exec(
          message,
        );
      if (foundNoHost(s)) {
        // Judged by `instance.placed`, which reads what the scheduler and Placement say.
      } else if (dry !== null) {
        const network = dry[1] ?? dry[2] ?? '';
        findings.push(
          findingOf(poolExhausted, {
            summary: `${subject.name} got no port: network ${network.slice(0, 8)} has no address left`,
            subject: `network ${network}`,
            scope: { ...scope, network: [network] },
            severity: 'error',
            evidence: [line],
            remedies: [
              {
                title: 'widen the allocation pool, add a subnet, or free ports; then create the instance again',
                risk: 'none',
                sufficient: false,
                steps: [
                  byOperator(['openstack', 'subnet', 'list', '--network', network, '--long']),
                  byOperator(['openstack', 'port', 'list', '--network', network, '--long']),
                ],
              },
            ],
            verify,
          }),
        );
      } else {
        findings.push(
          findingOf(inError, {
            summary: `${subject.name} is in ERROR: ${message}`,
            subject: `instance ${subject.name}`,
            scope,
            evidence: [line],
            verify,
          }),
        );
      }
    } else if (s.status !== 'ACTIVE' && s.status !== 'BUILD' && task == null) {
      const verb = wake[s.status];
      findings.push(
        findingOf(notRunning, {
          summary: `${subject.name} is ${s.status} (power: ${power})`,
          subject: `instance ${subject.name}`,
          scope,
          evidence: [showing(evidence, state)],
          remedies:
            verb === undefined
              ? []
              : [
                  {
                    title: `${verb} the instance`,
                    risk: 'none',
                    sufficient: true,
                    steps: [byOperator(['openstack', 'server', verb, subject.id])],
                  },
                ],
          verify,
        }),
      );
    }
    const busyFor = s.updated === undefined ? 0 : (now - utcMillis(s.updated)) / 1000;
    if ((task != null || s.status === 'BUILD') && busyFor > stuckSeconds) {
      findings.push(
        findingOf(stuckTask, {
          summary: `${subject.name} has been ${task ?? 'building'} for ${span(busyFor)}`,
          subject: `instance ${subject.name}`,
          scope,
          evidence: [showing(evidence, `${state}, updated ${s.updated ?? '?'}`)],
          verify,
        }),
      );
    }
    const where = host ? ` on ${host}` : s.status === 'BUILD' ? ', no host yet' : '';
    return judged(findings, `${s.status}, power ${power}${task == null ? ', no task' : `, ${task}`}${where}`, [
      showing(evidence, state),
    ]);
  },
});
