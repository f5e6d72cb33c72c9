import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from './cloud.ts';
import type { Ground, Made } from './ground.ts';

/** Lines of a log; oslo.log begins each with its time and the request, those of a traceback, too. */
export const entries = (log: string): string[] => log.split('\n').filter((line) => line !== '');

export interface Query {
  readonly path: string;
  readonly status: number;
  readonly answer: Json;
}

/** What Nova, Placement and their logs say of one request, right after it. */
export interface Recorded {
  readonly made: Made;
  /** Full answers of the failed servers. */
  readonly servers: readonly Json[];
  readonly services: Json;
  readonly hypervisors: Json;
  readonly aggregates: Json;
  readonly providers: Json[];
  /** What the scheduler asked Placement, asked again. */
  readonly queries: readonly Query[];
  readonly scheduler: string;
  readonly conductor: string;
  readonly compute: Readonly<Record<string, string>>;
}

/** @param booted what was made, when it is gone already: an instance that runs has taken the room that Placement is asked for again. */
export async function record(
  ground: Ground,
  made: Made,
  late: readonly string[],
  booted?: readonly Json[],
): Promise<Recorded> {
  const { cloud } = ground;
  const log = async (host: string, file: string): Promise<string> =>
    made.request === undefined ? '' : (await ground.on(host, `grep -aF ${made.request} ${file}`)).out;
  const [scheduler = '', placement = '', conductor = ''] = await Promise.all(
    ['nova/nova-scheduler', 'placement/placement-api', 'nova/nova-conductor'].map((file) =>
      log('ctl', `/var/log/${file}.log`),
    ),
  );
  const queries: Query[] = [];
  for (const [, path = ''] of placement.matchAll(/"GET (\/allocation_candidates\?\S+)" status: \d+/g))
    if (!queries.some((q) => q.path === path)) {
      const { status, body } = await cloud.ask('placement', 'GET', path);
      queries.push({ path, status, answer: body });
    }
  const compute: Record<string, string> = {};
  for (const host of late) {
    const file = host.startsWith('sched-')
      ? `/var/log/nova/nova-compute-${host}.log`
      : '/var/log/nova/nova-compute.log';
    compute[host] = await log(host.startsWith('sched-') ? 'ctl' : host, file);
  }
  return {
    made,
    servers: booted ?? (await Promise.all(made.servers.map((id) => ground.server(id)))),
    services: await cloud.get('nova', '/os-services'),
    // 500 while the database of a cell does not answer
    hypervisors: (await cloud.ask('nova', 'GET', '/os-hypervisors/detail')).body,
    aggregates: await cloud.get('nova', '/os-aggregates'),
    providers: (await cloud.get('placement', '/resource_providers')).resource_providers,
    queries,
    scheduler,
    conductor,
    compute,
  };
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 1)}\n`;

/** Kept as small files: what the APIs answered, what the logs have of this request. */
export async function keep(ground: Ground, recorded: Recorded, folder: string): Promise<void> {
  const { cloud } = ground;
  mkdirSync(folder, { recursive: true });
  const write = (file: string, text: string): void => {
    if (text.trim() !== '') writeFileSync(join(folder, file), text.endsWith('\n') ? text : `${text}\n`);
  };
  const { made } = recorded;
  write('request.json', json(made.body));
  write(
    'answer.json',
    json({ status: made.status, body: made.answer }).replace(/"adminPass": *"[^"]*"/, '"adminPass": "***"'),
  );
  if (recorded.servers.length > 0) write('servers.json', json({ servers: recorded.servers }));
  const first = made.servers[0];
  if (first !== undefined) {
    const { instanceActions } = await cloud.get('nova', `/servers/${first}/os-instance-actions`);
    const action = instanceActions.at(-1)?.request_id;
    write('action.json', json(await cloud.get('nova', `/servers/${first}/os-instance-actions/${action}`)));
  }
  write('os-services.json', json(recorded.services));
  write('hypervisors.json', json(recorded.hypervisors));
  write('aggregates.json', json(recorded.aggregates));
  write('flavor.json', json(await cloud.get('nova', `/flavors/${made.flavor}`)));
  write('image.json', json(await cloud.get('glance', `/images/${made.image}`)));
  const { server_groups } = await cloud.get('nova', '/os-server-groups?all_projects=true');
  if (server_groups.length > 0) write('server-groups.json', json({ server_groups }));
  if (recorded.queries.length > 0) write('allocation-candidates.json', json(recorded.queries));
  const providers: Json = await cloud.get('placement', '/resource_providers');
  for (const p of providers.resource_providers)
    for (const part of ['inventories', 'usages', 'traits', 'aggregates', 'allocations'])
      p[part] = (await cloud.get('placement', `/resource_providers/${p.uuid}/${part}`))[part];
  write('providers.json', json(providers));
  write('nova-scheduler.log', recorded.scheduler);
  write('nova-conductor.log', recorded.conductor);
  for (const [host, log] of Object.entries(recorded.compute)) write(`nova-compute-${host}.log`, log);
}

/** What is the same for all: configuration and cells, without passwords. */
export async function keepCommon(ground: Ground, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const hide = 's/labpass/***/g';
  const files: Record<string, string> = {
    'nova.conf': `sed ${hide} /etc/nova/nova.conf`,
    'nova-scheduler.conf': `sed ${hide} /etc/nova/nova-scheduler.conf`,
    'nova-scheduler.unit': 'systemctl cat nova-scheduler',
    'nova-scheduler.cmdline': "tr '\\0' ' ' < /proc/$(systemctl show -P MainPID nova-scheduler)/cmdline",
    'list-cells.txt': `nova-manage cell_v2 list_cells --verbose 2>/dev/null | sed ${hide}`,
    'list-hosts.txt': 'nova-manage cell_v2 list_hosts 2>/dev/null',
  };
  for (const [file, command] of Object.entries(files))
    writeFileSync(join(folder, file), (await ground.on('ctl', command)).out);
  writeFileSync(
    join(folder, 'availability-zones.json'),
    json(await ground.cloud.get('nova', '/os-availability-zone/detail')),
  );
}
