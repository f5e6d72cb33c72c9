import type { Evidence } from '../../engine/evidence.ts';
import type { Observed } from '../../engine/fact.ts';
import type { Finding } from '../../engine/finding.ts';
import { advice, byOperator, findingOf, onHost } from '../../engine/finding-of.ts';
import type { Schedule } from '../../engine/schedule.ts';
import { showing } from '../../facts/io.ts';
import type { Server } from '../../facts/schemas/compute.ts';
import type { InstanceSubject } from '../../facts/subject.ts';
import { fitsWords } from '../../schedule/in-words.ts';
import { noValidHost } from '../instance/codes.ts';
import { instanceScope, verifyWith } from '../scope.ts';
import { scheduleFinding } from './judge.ts';

/** What is known of an instance that has no host. */
export interface Unplaced {
  readonly subject: InstanceSubject;
  readonly server: Observed<Server>;
  /** Absent where not all could be looked at that it takes. */
  readonly schedule?: Observed<Schedule>;
  readonly said: readonly Evidence[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Why an instance has no host; that nobody can tell is a finding, too. */
export function unplacedFinding({ subject, server, schedule, said, now }: Unplaced): Finding {
  const [shown] = server.evidence;
  if (shown === undefined) throw new Error('an instance without evidence');
  const s = server.value;
  const message = s.fault?.message ?? '';
  const flavor = s.flavor?.original_name ?? '?';
  const first = showing(shown, `status ${s.status}, flavor ${flavor}\nfault: ${message}`);
  const scope = instanceScope(subject);
  const explained =
    schedule === undefined
      ? undefined
      : scheduleFinding(schedule.value, {
          evidence: schedule.evidence,
          said,
          first,
          scope,
          at: new Date(now).toISOString(),
          verify: verifyWith('schedule', subject),
        });
  if (explained !== undefined) return explained;
  const line = schedule?.value.said[0];
  const today =
    schedule === undefined
      ? message
      : schedule.value.verdict === 'fits'
        ? `${message} Today the same request ${fitsWords(schedule.value)}`
        : `${message} ${fitsWords(schedule.value)}`;
  return findingOf(noValidHost, {
    summary: `No host was found for ${subject.name}: ${today}`,
    subject: `instance ${subject.name}`,
    scope,
    evidence: [first, ...said],
    remedies: [
      schedule?.value.verdict === 'fits'
        ? {
            title: 'create the instance again: what stood in its way is gone, or is not to be seen from outside',
            risk: 'none',
            sufficient: false,
            steps:
              line === undefined
                ? [advice("nova-scheduler's log names the filter that rejected the last host")]
                : [onHost(line.host, ['grep', '-rhF', '-e', subject.id, '/var/log/nova'], 'what was said then')],
          }
        : {
            title: 'see what the request asks for and what the hosts have',
            risk: 'none',
            sufficient: false,
            steps: [
              byOperator(['openstack', 'flavor', 'show', flavor]),
              byOperator(['openstack', 'compute', 'service', 'list', '--service', 'nova-compute']),
              byOperator(['openstack', 'hypervisor', 'list', '--long']),
              ...(said.length === 0
                ? [
                    advice(
                      "nova-scheduler's log names the filter that rejected the last host, or says that Placement gave no candidate",
                    ),
                  ]
                : []),
            ],
          },
    ],
    verify: verifyWith('net', subject),
  });
}
