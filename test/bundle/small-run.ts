import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunManifest } from '../../src/bundle/format.ts';
import { type Bundle, readBundle } from '../../src/bundle/open.ts';
import { createRecorder, type Recorder, recordHttp, recordTransport } from '../../src/bundle/record.ts';
import type { HttpClient, HttpFailure, HttpRequest, HttpResponse } from '../../src/cloud/http.ts';
import { err, ok } from '../../src/engine/result.ts';
import type { Command, CommandResult } from '../../src/nodes/command.ts';
import type { NodeFailure, NodeTransport } from '../../src/nodes/nodes.ts';

const fixtures = join(import.meta.dirname, '../fixtures');
export const fixture = (name: string): string => readFileSync(join(fixtures, name), 'utf8');

export const AT = '2026-11-21T00:52:51.000Z';
export const AUTH = 'http://ctl:5000/v3';

export const answer = (body: string, more: Partial<HttpResponse> = {}): HttpResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json', 'x-openstack-request-id': 'req-1' },
  body,
  startedAt: AT,
  ms: 12,
  ...more,
});

export const signIn: HttpRequest = {
  kind: 'sign-in',
  url: `${AUTH}/auth/tokens`,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    auth: { identity: { methods: ['password'], password: { user: { name: 'admin', password: 'adm1n-canary' } } } },
  }),
};

export const read = (
  url: string,
  headers: Record<string, string> = { 'X-Auth-Token': 'gAAAA-live-token-000001' },
): HttpRequest => ({
  kind: 'read',
  method: 'GET',
  url,
  headers,
});

export const nova = (microversion: string): Record<string, string> => ({
  'x-auth-token': 'gAAAA-live-token-000001',
  'openstack-api-version': `compute ${microversion}`,
});

/** An HTTP client that gives these answers, by URL (and microversion where there is one), in turn. */
export function cannedHttp(answers: Record<string, readonly (HttpResponse | HttpFailure)[]>): HttpClient {
  const asked = new Map<string, number>();
  return {
    async request(request) {
      const version = request.headers['openstack-api-version'];
      const key = version === undefined ? request.url : `${request.url} ${version}`;
      const n = asked.get(key) ?? 0;
      asked.set(key, n + 1);
      const found = answers[key]?.[n];
      if (!found) throw new Error(`the test has no answer number ${n + 1} to ${key}`);
      return 'kind' in found ? err(found) : ok(found);
    },
    async close() {},
  };
}

export const result = (stdout: string, more: Partial<CommandResult> = {}): CommandResult => ({
  code: 0,
  stdout,
  stderr: '',
  truncated: false,
  timedOut: false,
  startedAt: AT,
  ms: 3,
  ...more,
});

export const command = (line: string, more: Partial<Command> = {}): Command => ({
  argv: line.split(' ') as unknown as Command['argv'],
  impact: 'read',
  ...more,
});

const keyOf = ({ argv, netns, round }: Command): string =>
  [netns, argv.join(' '), round].filter((part) => part).join(' | ');

/** A transport that gives these results, by command line; a lone failure is that of every batch. */
export function cannedTransport(
  host: string,
  results: Record<string, CommandResult | NodeFailure> | NodeFailure,
): NodeTransport {
  return {
    kind: 'ssh2',
    host,
    async runBatch(commands) {
      if ('kind' in results && typeof results.kind === 'string') return err(results as NodeFailure);
      const known = results as Record<string, CommandResult | NodeFailure>;
      return ok(
        commands.map((one) => {
          const found = known[keyOf(one)];
          if (!found) throw new Error(`the test has no result of ${keyOf(one)}`);
          return 'kind' in found ? err(found) : ok(found);
        }),
      );
    },
    async close() {},
  };
}

export const manifest: RunManifest = {
  toolVersion: '0.1.0',
  command: ['net', 'web-1'],
  startedAt: AT,
  elapsedMs: 3100,
  request: { target: 'web-1' },
  cloud: { name: 'lab', region: 'RegionOne', authUrl: AUTH, interface: 'public' },
  hosts: { cmp1: { layout: 'systemd', address: 'root@192.0.2.11' } },
};

export const SERVERS = 'http://ctl:8774/v2.1/servers/detail?all_tenants=1&name=web-1';

/** The questions of a small run: every kind of request, three hosts, one of them out of reach. */
export const requests: readonly HttpRequest[] = [
  read('http://ctl:5000/v3', {}),
  signIn,
  read(SERVERS, nova('2.93')),
  read('http://ctl:9696/v2.0/ports?device_id=1&fields=id'),
  read('http://ctl:9696/v2.0/agents'),
  read('http://ctl:9696/v2.0/agents'),
  read('http://ctl:8778/resource_providers'),
  { kind: 'console', url: 'http://ctl:8774/v2.1/servers/1/action', headers: nova('2.93'), lines: 50 },
];

export const cmp1Commands: readonly Command[] = [
  command('ip -j link'),
  command('iptables-save -c', { become: true, round: 'before' }),
  command('iptables-save -c', { become: true, round: 'after' }),
  command('conntrack -C', { become: true }),
  command('ip -j addr', { netns: 'qrouter-1' }),
  command('cat /etc/neutron/metadata_agent.ini', { become: true }),
];

export const unreachable: NodeFailure = {
  kind: 'unreachable',
  host: 'cmp2',
  stage: 'auth',
  detail: 'root@192.0.2.12: Permission denied (publickey).',
  fix: 'ssh-copy-id root@192.0.2.12',
};

export const cloud = (): HttpClient =>
  cannedHttp({
    'http://ctl:5000/v3': [answer('{"version":{"id":"v3.14","links":[{"rel":"self","href":"http://ctl:5000/v3/"}]}}')],
    [signIn.url]: [
      answer(fixture('api/token.json'), {
        status: 201,
        headers: { 'content-type': 'application/json', 'x-subject-token': 'gAAAA-live-token-000001' },
      }),
    ],
    [`${SERVERS} compute 2.93`]: [answer(fixture('api/servers-detail.json'))],
    'http://ctl:9696/v2.0/ports?device_id=1&fields=id': [answer(fixture('api/ports.json'))],
    'http://ctl:9696/v2.0/agents': [
      answer(fixture('api/agents.json')),
      answer('{"agents":[]}', { startedAt: '2026-11-21T00:52:53.000Z' }),
    ],
    'http://ctl:8778/resource_providers': [{ kind: 'refused', host: 'ctl:8778', detail: 'connect ECONNREFUSED' }],
    'http://ctl:8774/v2.1/servers/1/action compute 2.93': [answer(JSON.stringify({ output: 'login: ' }))],
  });

export const cmp1 = (): NodeTransport =>
  cannedTransport('cmp1', {
    'ip -j link': result(fixture('ip-link/lb-cmp1-links.json')),
    'iptables-save -c | before': result(fixture('iptables-save/lb-cmp1-v4.txt')),
    'iptables-save -c | after': result(`# later\n${fixture('iptables-save/lb-cmp1-v4.txt')}`),
    'conntrack -C': { kind: 'missing-tool', host: 'cmp1', tool: 'conntrack', fix: 'apt install conntrack' },
    'qrouter-1 | ip -j addr': result('', { code: 1, stderr: 'Cannot open network namespace "qrouter-1"\n' }),
    'cat /etc/neutron/metadata_agent.ini': result('[DEFAULT]\nmetadata_proxy_shared_secret = node-canary-1\n'),
  });

/** Asks everything through the recorder, in an order of one's choice. */
export async function smallRun(
  recorder: Recorder,
  parts: { http: HttpClient; transport: (host: string) => NodeTransport },
  order: 'forwards' | 'backwards' = 'forwards',
): Promise<void> {
  const http = recordHttp(parts.http, recorder);
  const transport = (host: string) => recordTransport(parts.transport(host), recorder);
  const turn = <T>(items: readonly T[]): readonly T[] => (order === 'forwards' ? items : [...items].reverse());
  await Promise.all(turn(requests).map((request) => http.request(request)));
  const node = transport('cmp1');
  // the waves differ too: one batch, or one command each
  if (order === 'forwards') await node.runBatch(cmp1Commands);
  else for (const one of turn(cmp1Commands)) await node.runBatch([one]);
  await transport('cmp2').runBatch([command('ip -j link')]);
}

const live = (host: string): NodeTransport => (host === 'cmp1' ? cmp1() : cannedTransport('cmp2', unreachable));

export async function smallBytes(recorder: Recorder = createRecorder()): Promise<Buffer> {
  await smallRun(recorder, { http: cloud(), transport: live });
  return recorder.bytes(manifest);
}

export async function smallBundle(): Promise<Bundle> {
  const bundle = await readBundle(await smallBytes(), 'small.tgz');
  if (!bundle.ok) throw bundle.error;
  return bundle.value;
}
