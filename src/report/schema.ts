import {
  array,
  boolean,
  discriminatedUnion,
  int,
  literal,
  looseObject,
  nullable,
  number,
  enum as oneOf,
  optional,
  partialRecord,
  string,
  union,
} from 'zod';

/*
 * The form of `--output json`, published as docs/report.schema.json. The rule for readers and for us: within one
 * schemaVersion fields are only ever added, never renamed, removed or given another meaning; a reader ignores fields
 * it does not know. That is why every object here is open.
 */

const evidenceSource = discriminatedUnion('kind', [
  looseObject({
    kind: literal('api'),
    service: string(),
    method: string(),
    path: string(),
    status: int(),
    requestId: optional(string()),
  }),
  looseObject({ kind: literal('command'), host: string(), argv: array(string()), code: nullable(int()) }),
  looseObject({ kind: literal('derived'), from: string() }),
]);

const evidence = looseObject({ source: evidenceSource, at: string(), excerpt: string() });

const failure = discriminatedUnion('kind', [
  looseObject({ kind: literal('forbidden'), what: string(), need: string() }),
  looseObject({ kind: literal('not-found'), what: string() }),
  looseObject({
    kind: literal('api'),
    service: string(),
    what: string(),
    status: optional(int()),
    detail: string(),
    requestId: optional(string()),
  }),
  looseObject({ kind: literal('shape'), what: string(), detail: string() }),
  looseObject({
    kind: literal('unreachable'),
    host: string(),
    stage: oneOf(['name', 'tcp', 'handshake', 'host-key', 'auth', 'jump', 'shell', 'timeout', 'lost']),
    detail: string(),
    fix: string(),
  }),
  looseObject({
    kind: literal('command'),
    host: string(),
    argv: array(string()),
    code: nullable(int()),
    detail: string(),
  }),
  looseObject({ kind: literal('missing-tool'), host: string(), tool: string(), fix: string() }),
  looseObject({ kind: literal('sudo'), host: string(), detail: string(), fix: string() }),
  looseObject({ kind: literal('timeout'), what: string(), seconds: number() }),
  looseObject({ kind: literal('parse'), what: string(), line: string() }),
  looseObject({ kind: literal('unsupported'), because: string() }),
]);

const remedy = looseObject({
  title: string(),
  risk: oneOf(['none', 'reversible', 'brief-interruption', 'disruptive']),
  steps: array(
    looseObject({
      where: discriminatedUnion('kind', [
        looseObject({ kind: literal('operator') }),
        looseObject({ kind: literal('host'), host: string() }),
      ]),
      argv: optional(array(string()).min(1)),
      note: optional(string()),
    }),
  ),
  sufficient: boolean(),
  fits: optional(array(string())),
});

const finding = looseObject({
  code: string().regex(/^OSD-[A-Z0-9]+-\d{3}$/),
  severity: oneOf(['error', 'warning', 'info']),
  nature: oneOf(['cause', 'symptom']),
  confidence: oneOf(['certain', 'likely', 'possible']),
  summary: string(),
  subject: string(),
  scope: partialRecord(oneOf(['instance', 'port', 'host', 'network', 'router', 'agent', 'link']), array(string())),
  evidence: array(evidence).min(1),
  remedies: array(remedy),
  verify: string(),
});

/** What is ruled out, and the observations that rule it out. */
const exclusion = looseObject({ what: string(), evidence: array(evidence).min(1) });

const outcome = discriminatedUnion('status', [
  looseObject({
    status: literal('ok'),
    note: string(),
    evidence: array(evidence),
    rulesOut: optional(array(string())),
    exclusions: optional(array(exclusion)),
  }),
  looseObject({
    status: literal('problem'),
    note: string(),
    findings: array(finding).min(1),
    evidence: array(evidence),
    exclusions: optional(array(exclusion)),
  }),
  looseObject({ status: literal('skipped'), reason: string() }),
  looseObject({ status: literal('blocked'), failures: array(failure).min(1) }),
  looseObject({ status: literal('unknown'), error: string() }),
]);

const answer = { sent: int().min(0), received: int().min(0), evidence, by: optional(string()) };
const matrixCell = discriminatedUnion('state', [
  looseObject({ state: oneOf(['ok', 'partly', 'lost']), ...answer }),
  looseObject({ state: literal('not-asked'), because: string() }),
]);

const count = int().min(0);

const traceWay = oneOf(['there', 'back']);
const tracePlace = discriminatedUnion('at', [
  looseObject({ at: literal('sender') }),
  looseObject({ at: literal('point'), point: count, way: traceWay }),
  looseObject({ at: literal('answerer') }),
]);

const traceCount = looseObject({
  seen: count,
  of: count,
  overlooked: count,
  transitUs: optional(number()),
  firstUs: optional(number()),
  lastUs: optional(number()),
  asked: count,
  told: count,
});

const traceLoss = looseObject({
  kind: oneOf(['edge', 'answerer', 'turn']),
  way: traceWay,
  packet: oneOf(['probe', 'who-has', 'is-at']),
  after: tracePlace,
  before: tracePlace,
  lost: count,
  of: count,
  blind: array(count),
  uncertain: array(count),
  refused: optional(looseObject({ by: string(), says: string(), mtu: optional(count) })),
});

/** One probe followed through every place it was looked for; times in microseconds. */
const trace = looseObject({
  title: string(),
  probe: looseObject({
    protocol: oneOf(['icmp', 'tcp', 'udp', 'arp', 'dhcp']),
    from: string(),
    to: string(),
    port: optional(count),
    size: count,
  }),
  sender: looseObject({ host: string(), netns: optional(string()), port: optional(string()) }),
  answerer: looseObject({ kind: oneOf(['guest', 'gateway', 'namespace', 'outside']), name: string() }),
  sent: count,
  answered: count,
  points: array(
    looseObject({
      host: string(),
      netns: optional(string()),
      device: string(),
      wears: optional(string()),
      only: optional(traceWay),
      watch: oneOf(['watched', 'down', 'absent', 'blind']),
      because: optional(string()),
      dropped: count,
      there: traceCount,
      back: traceCount,
    }),
  ),
  expected: optional(
    array(
      looseObject({
        point: count,
        way: optional(traceWay),
        verdict: oneOf(['passes', 'dropped', 'unknown']),
        because: string(),
      }),
    ),
  ),
  stop: optional(traceLoss),
  losses: array(traceLoss),
  changes: array(
    looseObject({
      way: traceWay,
      after: count,
      before: count,
      what: oneOf([
        'source',
        'destination',
        'source-port',
        'destination-port',
        'icmp-id',
        'ttl',
        'source-mac',
        'destination-mac',
        'tag',
        'vni',
        'size',
        'df',
      ]),
      from: string(),
      to: string(),
    }),
  ),
  misfits: array(
    looseObject({
      point: count,
      way: traceWay,
      what: oneOf(['tunnel', 'vni', 'endpoints', 'tag']),
      expected: string(),
      seen: string(),
    }),
  ),
  refuses: optional(literal(true)),
  offers: optional(
    array(
      looseObject({
        server: string(),
        serverMac: optional(string()),
        address: optional(string()),
        netmask: optional(string()),
        router: optional(string()),
        nameServers: array(string()),
        mtu: optional(count),
        leaseSeconds: optional(count),
        routes: array(string()),
        answers: count,
        point: count,
      }),
    ),
  ),
  early: optional(looseObject({ after: count, silent: array(count) })),
  clock: string(),
  clocks: array(looseObject({ host: string(), aheadUs: number() })),
  roundTripUs: optional(number()),
  turnaroundUs: optional(number()),
  reading: string(),
  notes: array(string()),
});

const onRequest = literal('request');
const onCloud = literal('cloud');

/** What would have to be otherwise, on the request or on the cloud. */
const scheduleChange = discriminatedUnion('kind', [
  looseObject({ kind: literal('resource'), on: onRequest, resource: string(), asked: number(), atMost: number() }),
  looseObject({
    kind: literal('extra-spec'),
    on: onRequest,
    key: string(),
    value: string(),
    instead: optional(looseObject({ key: string(), value: string() })),
  }),
  looseObject({
    kind: literal('image-property'),
    on: onRequest,
    key: string(),
    value: string(),
    instead: optional(string()),
  }),
  looseObject({ kind: literal('zone'), on: onRequest, asked: string(), instead: optional(string()) }),
  looseObject({ kind: literal('host'), on: onRequest, asked: string(), instead: optional(string()) }),
  looseObject({ kind: literal('hint'), on: onRequest, name: string(), value: string() }),
  looseObject({
    kind: literal('group'),
    on: onRequest,
    group: string(),
    policy: string(),
    instead: optional(string()),
  }),
  looseObject({ kind: literal('count'), on: onRequest, asked: count, atMost: count }),
  looseObject({ kind: literal('network'), on: onRequest, network: string(), because: string() }),
  looseObject({ kind: literal('port'), on: onRequest, port: string(), because: string() }),
  looseObject({ kind: literal('service-enabled'), on: onCloud, host: string() }),
  looseObject({ kind: literal('service-up'), on: onCloud, host: string() }),
  looseObject({
    kind: literal('aggregate-property'),
    on: onCloud,
    aggregate: string(),
    key: string(),
    value: string(),
  }),
  looseObject({
    kind: literal('aggregate-host'),
    on: onCloud,
    aggregate: string(),
    host: string(),
    mirror: optional(literal(true)),
  }),
  looseObject({
    kind: literal('trait'),
    on: onCloud,
    host: string(),
    provider: string(),
    trait: string(),
    present: boolean(),
  }),
  looseObject({
    kind: literal('inventory'),
    on: onCloud,
    host: string(),
    provider: string(),
    resource: string(),
    field: oneOf(['reserved', 'allocation_ratio', 'max_unit']),
    from: number(),
    to: number(),
  }),
  looseObject({ kind: literal('allocation'), on: onCloud, consumer: string(), providers: array(string()) }),
  looseObject({ kind: literal('discover'), on: onCloud, host: string() }),
  looseObject({ kind: literal('cell'), on: onCloud, cell: string(), because: string() }),
  looseObject({ kind: literal('agent'), on: onCloud, host: string(), binary: string() }),
  looseObject({ kind: literal('mapping'), on: onCloud, host: string(), physicalNetwork: string() }),
  looseObject({ kind: literal('filter'), on: onCloud, filter: string(), because: string() }),
]);

const hostVerdict = discriminatedUnion('state', [
  looseObject({ state: literal('passes'), because: optional(string()) }),
  looseObject({
    state: literal('rejects'),
    of: oneOf([
      'resource',
      'trait',
      'aggregate',
      'service',
      'zone',
      'extra-spec',
      'image',
      'group',
      'host',
      'hint',
      'unmapped',
      'cell',
      'network',
      'device',
      'build',
      'log',
    ]),
    because: string(),
    wanted: string(),
    has: string(),
  }),
  looseObject({ state: literal('unknown'), because: string(), tells: string() }),
]);

/** Every host against every step of Nova's scheduling; a row holds all hosts whose verdicts are the same. */
const schedule = looseObject({
  asked: looseObject({
    name: string(),
    instance: optional(string()),
    flavor: string(),
    vcpus: number(),
    ramMb: number(),
    diskGb: number(),
    image: optional(string()),
    zone: optional(string()),
    count,
    at: optional(string()),
    by: optional(string()),
    movesFrom: optional(string()),
  }),
  columns: array(
    looseObject({ id: string(), kind: oneOf(['cell', 'placement', 'filter', 'network', 'build']), title: string() }),
  ),
  rows: array(
    looseObject({
      hosts: array(string()).min(1),
      verdicts: array(hostVerdict),
      stoppedAt: optional(count),
      fits: oneOf(['yes', 'no', 'unknown']),
    }),
  ),
  hosts: count,
  verdict: oneOf(['fits', 'no-host', 'unknown']),
  filters: looseObject({ from: oneOf(['configuration', 'defaults']), where: string() }),
  narrowest: optional(count),
  relaxations: array(
    looseObject({
      changes: array(scheduleChange).min(1),
      hosts: array(string()),
      proof: oneOf(['computed', 'placement']),
      words: string(),
    }),
  ),
  said: array(
    looseObject({
      kind: oneOf(['no-candidates', 'filtered', 'retries', 'late', 'not-mapped', 'other']),
      host: string(),
      filters: array(looseObject({ name: string(), start: count, end: count })),
      line: string(),
    }),
  ),
  notes: array(string()),
});

/** One whole report, schemaVersion 1. */
export const reportSchema = looseObject({
  schemaVersion: literal(1),
  tool: looseObject({ name: literal('ostk-doctor'), version: string() }),
  command: string(),
  cloud: looseObject({ name: string(), region: optional(string()) }),
  target: optional(
    looseObject({
      name: string(),
      id: string(),
      status: string(),
      host: optional(string()),
      cell: optional(looseObject({ name: string(), uuid: string() })),
      project: optional(string()),
      addresses: array(looseObject({ fixed: string(), floating: optional(string()), network: string() })),
    }),
  ),
  asked: optional(
    looseObject({
      symptom: optional(looseObject({ name: string(), title: string() })),
      peer: optional(
        looseObject({ name: string(), address: string(), host: optional(string()), id: optional(string()) }),
      ),
    }),
  ),
  startedAt: string(),
  elapsedMs: number().min(0),
  paths: array(
    looseObject({
      title: string(),
      backend: string().optional(),
      hops: array(
        looseObject({
          label: string(),
          host: optional(string()),
          state: oneOf(['ok', 'problem', 'blocked', 'unseen']),
          join: oneOf(['start', 'local', 'underlay']),
        }),
      ),
    }),
  ),
  steps: array(
    looseObject({
      id: string(),
      title: string(),
      checks: array(looseObject({ id: string(), title: string(), subject: string(), outcome })),
    }),
  ),
  matrices: array(
    looseObject({
      title: string(),
      sources: array(looseObject({ kind: oneOf(['qdhcp', 'qrouter', 'operator']), name: string(), host: string() })),
      rows: array(
        looseObject({
          kind: oneOf([
            'this-instance',
            'same-host',
            'other-host',
            'other-network',
            'router-inside',
            'dhcp',
            'outside',
            'floating-ip',
            'router-outside',
          ]),
          name: string(),
          address: string(),
          host: optional(string()),
          cells: array(matrixCell),
        }),
      ),
      reading: optional(string()),
    }),
  ),
  traces: optional(array(trace)),
  schedule: optional(schedule),
  diagnosis: looseObject({
    causes: array(looseObject({ finding, explains: array(finding) })),
    remarks: array(finding),
    ruledOut: array(string()),
    exclusions: array(exclusion),
    couldNotLook: array(looseObject({ what: string(), failure })),
  }),
  counts: looseObject({ ok: count, problem: count, skipped: count, blocked: count, unknown: count }),
  traffic: looseObject({ apiRequests: count, sshConnections: count, sshChannels: count, commands: count }),
  next: string(),
  exitCode: union([literal(0), literal(1), literal(2), literal(3), literal(4), literal(130)]),
});
