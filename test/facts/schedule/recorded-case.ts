import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Answer, Cloud, GetRequest, ListRequest } from '../../../src/cloud/cloud.ts';
import { runOptionsOf } from '../../../src/commands/walk-options.ts';
import { frozenClock } from '../../../src/engine/clock.ts';
import type { Evidence } from '../../../src/engine/evidence.ts';
import { FactStore } from '../../../src/engine/fact.ts';
import type { FactFailure } from '../../../src/engine/failure.ts';
import { err, ok, type Result } from '../../../src/engine/result.ts';
import type { Io, RunOptions } from '../../../src/facts/io.ts';
import { server } from '../../../src/facts/schemas/compute.ts';
import type { InstanceSubject } from '../../../src/facts/subject.ts';
import type { Command } from '../../../src/nodes/command.ts';
import type { Layout } from '../../../src/nodes/layouts/layout.ts';
import { systemdLayout } from '../../../src/nodes/layouts/systemd.ts';
import type { Nodes } from '../../../src/nodes/nodes.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/schedule/', import.meta.url));

// biome-ignore lint/suspicious/noExplicitAny: bodies of any API
export type Body = any;

export const recorded = (name: string): Body => JSON.parse(readFileSync(join(fixtures, name), 'utf8'));

/** What was asked of the APIs and run on the nodes. */
export interface Asked {
  readonly api: string[];
  readonly commands: string[];
}

export interface CaseOptions {
  readonly options?: Partial<RunOptions>;
  /** Answers by path (without query) in the place of the recorded ones; a number is a status. */
  readonly answers?: Readonly<Record<string, Body>>;
  /** Printed by nova-manage's list_hosts in the place of what was recorded. */
  readonly listHosts?: string;
  readonly listCells?: string;
  /** Printed by nova-manage's verify_instance; it fails when left out. */
  readonly verifyInstance?: string;
  /** How services look on the nodes; packages when left out. */
  readonly layout?: Layout;
  /** What a command prints in the place of what it would print here; undefined: it is run. */
  readonly run?: (command: Command) => { readonly code: number; readonly stdout: string } | undefined;
  /** Programs that no node has. */
  readonly missing?: readonly string[];
  /** No node lets us in. */
  readonly withoutNodes?: boolean;
}

const anything = z.unknown();

const evidence: Evidence = {
  source: { kind: 'api', service: 'compute', method: 'GET', path: '/', status: 200 },
  at: '2026-11-21T12:55:00.000Z',
  excerpt: '',
};

/** Placement's answer to `resources=X:1`, as it would have been made of the providers that were recorded. */
function candidatesOf(providers: Body, resources: string): Body {
  const classes = resources.split(',').map((pair) => pair.split(':')[0] ?? '');
  const withRoom = providers.resource_providers.filter((p: Body) =>
    classes.every((c) => {
      const i = p.inventories[c];
      return i !== undefined && Math.floor((i.total - i.reserved) * i.allocation_ratio) > (p.usages[c] ?? 0);
    }),
  );
  return {
    allocation_requests: withRoom.map((p: Body) => ({ allocations: { [p.uuid]: { resources: {} } } })),
    provider_summaries: Object.fromEntries(
      withRoom.map((p: Body) => [
        p.uuid,
        {
          resources: Object.fromEntries(
            Object.entries(p.inventories).map(([c, i]: [string, Body]) => [
              c,
              { capacity: Math.floor((i.total - i.reserved) * i.allocation_ratio), used: p.usages[c] ?? 0 },
            ]),
          ),
          traits: p.traits,
          parent_provider_uuid: p.parent_provider_uuid,
          root_provider_uuid: p.root_provider_uuid,
        },
      ]),
    ),
  };
}

const search = ({ query = {} }: GetRequest<unknown>): string =>
  new URLSearchParams(
    Object.entries(query).flatMap(([key, value]) =>
      (typeof value === 'string' ? [value] : value).map((each): [string, string] => [key, each]),
    ),
  ).toString();

/** The same question in whatever order its parts are, however many answers it wants. */
const withoutLimit = (text: string): string =>
  [...new URLSearchParams(text)]
    .filter(([key]) => key !== 'limit')
    .map(([key, value]) => `${key}=${value.split(',').sort().join(',')}`)
    .sort()
    .join('&');

/** As it is with `with_servers`: of what holds something there, all that is not named as nobody's. */
function withServers(hypervisors: Body, providers: Body): Body {
  for (const h of hypervisors.hypervisors) {
    const provider = providers.resource_providers.find((p: Body) => p.uuid === h.id);
    const consumers = Object.keys(provider?.allocations ?? {}).filter((id) => !id.includes('-5c4e-4d00-'));
    h.servers ??= consumers.map((uuid) => ({ name: 'instance', uuid }));
  }
  return hypervisors;
}

/** A failed request as Nova, Placement and their logs told it, and ways to differ from that. */
export function caseOf(
  name: string,
  {
    options = {},
    answers = {},
    listHosts,
    listCells,
    verifyInstance,
    layout,
    run,
    missing = [],
    withoutNodes = false,
  }: CaseOptions = {},
): { readonly facts: FactStore<Io>; readonly subject: InstanceSubject; readonly asked: Asked } {
  const folder = join(fixtures, name);
  const read = (file: string): Body => recorded(join(name, file));
  const providers = read('providers.json');
  const servers = read('servers.json').servers;
  const instance = server.parse(servers[0]);
  const asked: Asked = { api: [], commands: [] };

  const answer = (request: GetRequest<unknown>): Body => {
    const { path, query = {} } = request;
    const own = answers[path];
    if (own !== undefined) return own;
    const provider = /^\/resource_providers\/([^/]+)\/(\w+)$/.exec(path);
    if (provider !== null) {
      const found = providers.resource_providers.find((p: Body) => p.uuid === provider[1]);
      return found === undefined ? 404 : { [provider[2] ?? '']: found[provider[2] ?? ''] };
    }
    const group = /^\/os-server-groups\/(.+)$/.exec(path)?.[1];
    if (group !== undefined && existsSync(join(folder, 'server-groups.json'))) {
      const found = read('server-groups.json').server_groups.find((g: Body) => g.id === group);
      return found === undefined ? 404 : { server_group: found };
    }
    const lives = providers.resource_providers.find(
      (p: Body) => path.slice('/servers/'.length) in (p.allocations ?? {}),
    );
    if (lives !== undefined && !path.includes('-5c4e-4d00-') && path !== `/servers/${instance.id}`) {
      const id = path.slice('/servers/'.length);
      return { server: { id, name: id, status: 'ACTIVE', 'OS-EXT-SRV-ATTR:host': lives.name } };
    }
    switch (path) {
      case '/os-services':
        return read('os-services.json');
      case '/os-hypervisors/detail':
        return withServers(read('hypervisors.json'), providers);
      case '/os-aggregates':
        return read('aggregates.json');
      case '/resource_providers':
        return providers;
      case '/allocation_candidates': {
        if (Object.keys(query).length === 1) return candidatesOf(providers, String(query.resources));
        const queries = read('allocation-candidates.json');
        const same = queries.find((q: Body) => withoutLimit(q.path.split('?')[1]) === withoutLimit(search(request)));
        return same === undefined ? 500 : same.status === 200 ? same.answer : same.status;
      }
      case `/servers/${instance.id}`:
        return { server: servers[0] };
      case `/servers/${instance.id}/os-instance-actions`:
        return { instanceActions: [read('action.json').instanceAction] };
      case `/servers/${instance.id}/os-instance-actions/${read('action.json').instanceAction.request_id}`:
        return read('action.json');
      case '/ports':
        return { ports: [] };
      case '/agents':
        return { agents: [] };
      case '/os-migrations':
        return { migrations: [] };
      case '/flavors/detail':
        return { flavors: [read('flavor.json').flavor] };
      default:
        return path.startsWith('/images/') ? (read('image.json').image ?? read('image.json')) : 404;
    }
  };
  const give = <T>(request: GetRequest<T>): Result<Answer<T>, FactFailure> => {
    const query = search(request);
    asked.api.push(`${request.path}${query === '' ? '' : `?${query}`}`);
    const body = answer(request);
    const what = `GET ${request.path}`;
    if (body === 404) return err({ kind: 'not-found', what });
    if (body === 403) return err({ kind: 'forbidden', what, need: 'role admin' });
    if (typeof body === 'number') return err({ kind: 'api', service: request.service, what, status: body, detail: '' });
    return ok({ value: request.schema.parse(body), evidence, ms: 1 });
  };
  const cloud: Pick<Cloud, 'get' | 'list' | 'version' | 'identity' | 'endpoints'> = {
    get: async (request) => give(request),
    list: async <T>({ items, schema, ...request }: ListRequest<T>) => {
      const whole = give({ ...request, schema: anything });
      if (!whole.ok) return whole;
      const list = (whole.value.value as Body)[items].map((item: Body) => schema.parse(item));
      return ok({ ...whole.value, value: list });
    },
    version: async () => ok({ value: { id: 'v2.1', maxMicroversion: '2.93', release: 'Zed' }, evidence, ms: 1 }),
    endpoints: async () => ok({ value: [{ service: 'compute', url: 'http://ctl:8774/v2.1' }], evidence, ms: 1 }),
    identity: async () =>
      ok({
        value: {
          user: { id: 'u', name: 'admin' },
          project: { id: 'p', name: 'admin' },
          scope: 'project',
          roles: ['admin'],
          isAdmin: true,
        },
        evidence,
        ms: 1,
      }),
  };

  // The commands really run, here, over what was recorded there.
  const tools = mkdtempSync(join(tmpdir(), 'nova-manage-'));
  const cells = listCells ?? readFileSync(join(fixtures, 'common/list-cells.txt'), 'utf8');
  const hosts = listHosts ?? readFileSync(join(fixtures, 'common/list-hosts.txt'), 'utf8');
  writeFileSync(join(tools, 'list_cells'), cells);
  writeFileSync(join(tools, 'list_hosts'), hosts);
  if (verifyInstance !== undefined) writeFileSync(join(tools, 'verify_instance'), verifyInstance);
  writeFileSync(join(tools, 'nova-manage'), '#!/bin/sh\ncat "$(dirname "$0")/$2" || exit 255\n', { mode: 0o755 });
  const cmdline = readFileSync(join(fixtures, 'common/nova-scheduler.cmdline'), 'utf8').trim();
  const ps = `  PID  PPID USER                      STARTED COMMAND\n 4135     1 nova     Sat Nov 21 12:50:01 2026 ${cmdline}\n`;
  const place = (host: string, word: string): string =>
    word
      // Nothing of what runs on this machine is read.
      .replace(/^nova-(scheduler|conductor|compute)$/, 'recorded-nova-$1')
      .replace(/^\/etc\/nova\//, join(fixtures, 'common/'))
      .replace(/^\/var\/log\/nova\/nova-compute\.log$/, join(folder, `nova-compute-${host}.log`))
      .replace(/^\/var\/log\/nova\//, `${folder}/`);
  const nodes: Pick<Nodes, 'run' | 'layout'> = {
    layout: async (host) =>
      withoutNodes
        ? err({ kind: 'unreachable', host, stage: 'auth', detail: 'no key', fix: 'a key' })
        : ok(layout ?? systemdLayout),
    run: (host, command) => {
      asked.commands.push(command.argv.join(' '));
      return new Promise((resolve) => {
        const result = (code: number, stdout: string, stderr: string) =>
          resolve(ok({ code, stdout, stderr, truncated: false, timedOut: false, startedAt: evidence.at, ms: 1 }));
        const [tool] = command.argv;
        if (missing.includes(tool)) return resolve(err({ kind: 'missing-tool', host, tool, fix: 'install it' }));
        const given = run?.(command);
        if (given !== undefined) return result(given.code, given.stdout, '');
        if (command.argv[0] === 'ps') return result(0, ps, '');
        const [program, ...args] = command.argv;
        const env = { PATH: `${tools}:${process.env.PATH}`, LC_ALL: 'C' };
        execFile(
          program,
          args.map((word) => place(host, word)),
          { env },
          (error, stdout, stderr) => result(error === null ? 0 : Number(error.code ?? 1), stdout, stderr),
        );
      });
    },
  };
  const io = {
    cloud: cloud as Cloud,
    nodes: nodes as Nodes,
    clock: frozenClock(evidence.at),
    options: { ...runOptionsOf({}), ...options },
  };
  const subject: InstanceSubject = {
    kind: 'instance',
    id: instance.id,
    name: instance.name,
    server: { value: instance, evidence: [evidence] },
  };
  return { facts: new FactStore(io as unknown as Io), subject, asked };
}
