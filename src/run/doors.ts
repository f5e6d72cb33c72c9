import { setMaxListeners } from 'node:events';
import { homedir } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { HostFacts } from '../bundle/format.ts';
import type { Bundle } from '../bundle/open.ts';
import { createRecorder, type Recorder, recordHttp, recordTransport } from '../bundle/record.ts';
import { replayClock, replayHttp, replayTransport } from '../bundle/replay.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { loadCloudConfig } from '../cloud/config/load.ts';
import { type RecordedConfig, recordedConfig, replayedConfig } from '../cloud/config/recorded.ts';
import type { CloudConfig } from '../cloud/config/types.ts';
import type { HttpClient } from '../cloud/http.ts';
import { openCloud } from '../cloud/session.ts';
import { createHttpClient } from '../cloud/undici-client.ts';
import { type Clock, wallClock } from '../engine/clock.ts';
import { UserError } from '../engine/error.ts';
import type { RunReport } from '../engine/report.ts';
import { Waves } from '../engine/waves.ts';
import type { Io, RunOptions } from '../facts/io.ts';
import type { LayoutName } from '../nodes/layouts/layouts.ts';
import { createLocalTransport } from '../nodes/local-transport.ts';
import type { Nodes, NodeTransport } from '../nodes/nodes.ts';
import { createNodes } from '../nodes/pool.ts';
import { accessOf, createTransports, type HostAccess, type SshSettings } from '../nodes/transports.ts';

/** The name under which the machine of the operator stands in records. */
export const operatorHost = 'operator';

/** One run's way to the world: live, from a bundle, or to the demo cloud. */
export interface Door {
  readonly io: Io;
  readonly cloud: Cloud;
  readonly recorder: Recorder | undefined;
  readonly recordedCloud: RecordedConfig;
  /** The operator has had enough: what was not answered by then never will be. */
  interrupted(): boolean;
  /** Milliseconds since the run began; of the recording when one is replayed. */
  elapsedMs(): number;
  /** Hosts and services whose answer is outstanding, and for how long the oldest has been, in seconds. */
  waitingFor(): { readonly on: readonly string[]; readonly seconds: number };
  traffic(): RunReport['traffic'];
  /** How the hosts that were talked to are laid out, for the record. */
  hostFacts(): Promise<Readonly<Record<string, HostFacts>>>;
  close(): Promise<void>;
}

export interface CloudChoice {
  readonly cloud?: string;
  readonly region?: string;
  readonly interface?: string;
}

export interface LiveDoorOptions {
  readonly choice: CloudChoice;
  readonly options: RunOptions;
  readonly ssh: SshSettings;
  readonly hosts: Readonly<Record<string, HostAccess & { readonly layout?: LayoutName | undefined }>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly signal?: AbortSignal;
  readonly ask?: (prompt: string) => Promise<string | undefined>;
  /** Where the clock stands; the demo's stands at the moment of its recording. */
  readonly clock?: Clock;
  /** Ways to hosts that need no ssh_config: the demo's. */
  readonly transportFor?: (host: string) => Promise<NodeTransport> | NodeTransport;
  /** What answers for the operator's own machine; this machine itself when left out. */
  readonly operator?: NodeTransport;
  readonly onWarning?: (text: string) => void;
}

/** The configuration that the operator's files and variables describe, or the four lines that say what is wrong. */
export function chooseCloud(choice: CloudChoice, env: LiveDoorOptions['env'], cwd: string): CloudConfig {
  const loaded = loadCloudConfig({ ...choice, env, cwd, home: env.HOME ?? homedir() });
  if (loaded.ok) return loaded.value;
  const { what, where, why, hint } = loaded.error;
  throw new UserError(what, { hint, ...(where === undefined ? {} : { where }), ...(why === undefined ? {} : { why }) });
}

/** Everything that crosses the boundary of a live run is recorded on its way. */
export function openLive(o: LiveDoorOptions): Door {
  const started = performance.now();
  const config = chooseCloud(o.choice, o.env, o.cwd);
  for (const warning of config.warnings) o.onWarning?.(warning);
  const recorder = createRecorder();
  const waves = new Waves();
  const clock = o.clock ?? wallClock;
  const outstanding = new Outstanding();
  const wire = createHttpClient({ ...config.tls, timeoutMs: config.timeoutMs, env: o.env });
  const http = recordHttp(
    {
      request: (request, signal) => outstanding.until(serviceOf(request.url), wire.request(request, signal)),
      close: () => wire.close(),
    },
    recorder,
  );
  const ask = o.ask;
  const cloud = openCloud({ config, http, waves, clock, env: o.env, ...(ask === undefined ? {} : { ask }) });
  // Interrupted: what is under way fails at once, and the report says what is known.
  o.signal?.addEventListener('abort', () => void cloud.close(), { once: true });
  // Everything that is under way listens to it: as many as there are hosts, not a leak.
  if (o.signal !== undefined) setMaxListeners(0, o.signal);
  const transports = createTransports({ ssh: o.ssh, hosts: o.hosts });
  const nodes = createNodes({
    transportFor: async (host) => recordTransport(await (o.transportFor?.(host) ?? transports.for(host)), recorder),
    waves,
    clock,
    patienceMs: 30,
    layoutOf: (host) => accessOf(o.hosts, host)?.layout,
    ...(o.signal === undefined ? {} : { signal: o.signal }),
  });
  const operator = operatorPlace(recordTransport(o.operator ?? createLocalTransport(operatorHost), recorder), o.signal);
  const talkedTo = new Set<string>();
  const watched: Nodes = {
    ...nodes,
    run: (host, command, asked) => {
      if (command.impact === 'capture' && !o.options.mayCapture) throw new Error('this run may not capture');
      talkedTo.add(host);
      return outstanding.until(
        command.impact === 'probe' ? `ping from ${host}` : host,
        nodes.run(host, command, asked),
      );
    },
    get statistics() {
      return nodes.statistics;
    },
  };
  return {
    hostFacts: () => layoutsOf(nodes, talkedTo),
    io: { cloud, nodes: watched, clock, options: o.options, operator },
    cloud,
    recorder,
    recordedCloud: recordedConfig(config),
    interrupted: () => o.signal?.aborted === true,
    elapsedMs: () => performance.now() - started,
    waitingFor: () => outstanding.now(),
    traffic: () => trafficOf(cloud, nodes),
    async close() {
      await Promise.all([nodes.close(), cloud.close()]);
      await Promise.all([transports.close(), closeHttp(http)]);
    },
  };
}

/** The same run again from its bundle: the same questions get the same answers at the same moment. */
export function openReplay(bundle: Bundle, options: RunOptions): Door {
  const waves = new Waves();
  const clock = replayClock(bundle);
  const { config, issueToken } = replayedConfig(bundle.manifest.cloud);
  const cloud = openCloud({ config, http: replayHttp(bundle), waves, clock, issueToken });
  const layouts = new Map([...bundle.hosts.values()].map((h) => [h.name, h.layout]));
  const nodes = createNodes({
    transportFor: (host) => replayTransport(bundle, host),
    waves,
    clock,
    patienceMs: 0,
    layoutOf: (host) => knownLayout(layouts.get(host)),
  });
  return {
    hostFacts: async () => ({}),
    io: { cloud, nodes, clock, options, operator: operatorPlace(replayTransport(bundle, operatorHost)) },
    cloud,
    recorder: undefined,
    recordedCloud: bundle.manifest.cloud,
    interrupted: () => false,
    elapsedMs: () => bundle.manifest.elapsedMs,
    waitingFor: () => ({ on: [], seconds: 0 }),
    traffic: () => bundle.manifest.traffic ?? trafficOf(cloud, nodes),
    close: async () => {
      await Promise.all([nodes.close(), cloud.close()]);
    },
  };
}

/** What has been asked and not been answered, for the moving line. */
class Outstanding {
  readonly #since = new Map<symbol, { readonly what: string; readonly at: number }>();

  async until<T>(what: string, answer: Promise<T>): Promise<T> {
    const mark = Symbol(what);
    this.#since.set(mark, { what, at: performance.now() });
    try {
      return await answer;
    } finally {
      this.#since.delete(mark);
    }
  }

  now(): { readonly on: readonly string[]; readonly seconds: number } {
    const open = [...this.#since.values()].sort((a, b) => a.at - b.at);
    const [oldest] = open;
    return {
      on: [...new Set(open.map((o) => o.what))],
      seconds: oldest === undefined ? 0 : (performance.now() - oldest.at) / 1000,
    };
  }
}

/** Where a request goes, as a person would call it: the ports that every OpenStack has, else host and port. */
const servicePorts: Readonly<Record<string, string>> = {
  '5000': 'keystone',
  '8774': 'nova',
  '9696': 'neutron',
  '9292': 'glance',
  '8778': 'placement',
};

function serviceOf(url: string): string {
  const { host, port, pathname } = new URL(url);
  const named = /^\/(identity|compute|network|image|placement)\b/.exec(pathname)?.[1];
  return named ?? servicePorts[port] ?? host;
}

async function layoutsOf(nodes: Nodes, hosts: ReadonlySet<string>): Promise<Record<string, HostFacts>> {
  const facts: Record<string, HostFacts> = {};
  for (const host of [...hosts].sort()) {
    const layout = await nodes.layout(host);
    facts[host] = layout.ok ? { layout: layout.value.name } : {};
  }
  return facts;
}

const knownLayout = (name: string | undefined): LayoutName | undefined =>
  name === 'systemd' || name === 'kolla' || name === 'tripleo' || name === 'devstack' ? name : undefined;

/** Commands on the operator's own machine go one by one: there is no channel to save. */
function operatorPlace(transport: NodeTransport, signal?: AbortSignal): Io['operator'] {
  return {
    async run(command) {
      const batch = await transport.runBatch([command], signal);
      if (!batch.ok) return batch;
      const [first] = batch.value;
      return first ?? { ok: false, error: { kind: 'unsupported', because: 'nothing was run' } };
    },
  };
}

const trafficOf = (cloud: Cloud, nodes: Nodes): RunReport['traffic'] => ({
  apiRequests: cloud.requests,
  sshConnections: nodes.statistics.connections,
  sshChannels: nodes.statistics.channels,
  commands: nodes.statistics.commands,
});

const closeHttp = (http: HttpClient): Promise<void> => http.close();
