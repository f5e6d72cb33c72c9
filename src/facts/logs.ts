import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import type { FactFailure } from '../engine/failure.ts';
import { ok, type Result } from '../engine/result.ts';
import type { Command } from '../nodes/command.ts';
import type { LogPlace, ServiceName } from '../nodes/layouts/layout.ts';
import { computeServices } from './cloud-api.ts';
import { hostClock, hostLayout, hostServices } from './host.ts';
import { run, type Store, source } from './io.ts';
import { pathHosts } from './placement.ts';
import { type PortSubject, theCloud } from './subject.ts';

/** The error lines of one service on one host, oldest first, as they stand in its log. */
export interface ServiceLog {
  readonly host: string;
  readonly service: ServiceName;
  readonly lines: readonly string[];
  /** Node's wall clock minus the doctor's, seconds; and minutes east of UTC of the node's time zone. */
  readonly clock: { readonly aheadSeconds: number; readonly zoneMinutes: number };
  readonly evidence: Evidence;
}

export interface Logs {
  readonly logs: readonly ServiceLog[];
  readonly unseen: readonly { readonly host: string; readonly failure: FactFailure }[];
}

/**
 * The newest error lines of each file. The script is constant; file names are positional arguments, never text of the
 * script. Reading is bounded from the end of each file: logs of a busy node are gigabytes.
 */
const newestErrors =
  'for f in "$@"; do [ -r "$f" ] || continue; tail -c 16777216 -- "$f" | grep -aE " (ERROR|CRITICAL|TRACE) " | tail -n 200; done';

function logCommand(place: LogPlace, sinceSeconds: number): Command {
  switch (place.kind) {
    case 'files':
      return { argv: ['sh', '-c', newestErrors, 'sh', ...place.paths], impact: 'read', become: true };
    case 'journal':
      return {
        argv: [
          'journalctl',
          '--no-pager',
          '-o',
          'short-iso',
          '-p',
          'err',
          '-n',
          '200',
          '--since',
          `-${sinceSeconds}s`,
          '-u',
          place.unit,
        ],
        impact: 'read',
        become: true,
      };
  }
}

async function serviceLog(facts: Store, host: string, service: ServiceName): Promise<Result<ServiceLog, FactFailure>> {
  const [layout, clock] = await Promise.all([facts.get(hostLayout, host), facts.get(hostClock, host)]);
  if (!layout.ok) return layout;
  if (!clock.ok) return clock;
  const ran = await run(facts, host, logCommand(layout.value.value.logPlace(service), facts.io.options.sinceSeconds));
  if (!ran.ok) return ran;
  return ok({
    host,
    service,
    lines: ran.value.result.stdout.split('\n').filter((line) => line.trim() !== ''),
    clock: { aheadSeconds: clock.value.value.aheadSeconds, zoneMinutes: clock.value.value.zoneMinutes },
    evidence: ran.value.evidence,
  });
}

/** Services that log on an OpenStack node and bear on the network. */
const loud: readonly ServiceName[] = [
  'neutron-linuxbridge-agent',
  'neutron-openvswitch-agent',
  'neutron-l3-agent',
  'neutron-dhcp-agent',
  'neutron-metadata-agent',
  'neutron-ovn-metadata-agent',
  'nova-compute',
];

/** Logs of the services that run on the path's hosts, and of Neutron's server where the controllers can be reached. */
export const pathLogs = source<PortSubject, Logs>(
  'port.logs',
  (subject) => subject.id,
  async (subject, facts) => {
    const [hosts, services] = await Promise.all([facts.get(pathHosts, subject), facts.get(computeServices, theCloud)]);
    if (!hosts.ok) return hosts;
    const onPath = hosts.value.value.all;
    const controllers = (services.ok ? services.value.value : [])
      .filter((s) => s.binary === 'nova-conductor' || s.binary === 'nova-scheduler')
      .map((s) => s.host);
    const logs: ServiceLog[] = [];
    const unseen: { host: string; failure: FactFailure }[] = [];
    const look = async (host: string, service: ServiceName): Promise<void> => {
      const log = await serviceLog(facts, host, service);
      if (log.ok) logs.push(log.value);
      else unseen.push({ host, failure: log.error });
    };
    await Promise.all([
      ...onPath.map(async (host) => {
        const present = await facts.get(hostServices, host);
        if (!present.ok) return void unseen.push({ host, failure: present.error });
        const there = present.value.value.filter((s) => s.state !== 'absent' && loud.includes(s.service));
        await Promise.all(there.map((s) => look(host, s.service)));
      }),
      ...[...new Set(controllers)].map((host) => look(host, 'neutron-server')),
    ]);
    logs.sort((a, b) => (`${a.host} ${a.service}` < `${b.host} ${b.service}` ? -1 : 1));
    unseen.sort((a, b) => (a.host < b.host ? -1 : 1));
    return observed({ logs, unseen }, ...logs.map((l) => l.evidence));
  },
);
