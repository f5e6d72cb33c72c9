import { setMaxListeners } from 'node:events';
import pLimit from 'p-limit';
import type { Clock } from '../engine/clock.ts';
import { err, type Result } from '../engine/result.ts';
import type { Waves } from '../engine/waves.ts';
import type { Command, CommandResult } from './command.ts';
import { detectCommand, detectLayout } from './layouts/detect.ts';
import type { Layout } from './layouts/layout.ts';
import { type LayoutName, layouts } from './layouts/layouts.ts';
import type { NodeFailure, Nodes, NodeTransport, RunCommand } from './nodes.ts';

type Outcome = Result<CommandResult, NodeFailure>;

export interface NodesOptions {
  /** The way to a host; asked once per host. Wrap it to record, or give one that replays. */
  readonly transportFor: (host: string) => NodeTransport | Promise<NodeTransport>;
  readonly waves: Waves;
  readonly clock: Clock;
  /** Layouts that the operator states; the others are detected. */
  readonly layoutOf?: (host: string) => LayoutName | undefined;
  /** Ends the run: what is under way is cut off, what comes later fails at once. */
  readonly signal?: AbortSignal;
  /** Hosts spoken to at the same time (default 64). */
  readonly concurrency?: number;
  /** How long a wave waits for API requests that may add to it, ms (default 150). */
  readonly patienceMs?: number;
}

/** One command that is waiting or under way, and everybody who asked for it. */
interface Asked {
  readonly command: Command;
  /** What each of them takes for enough; undefined of those who want it whole. */
  readonly enough: Set<AbortSignal | undefined>;
  /** Told when one more asks for a command that is under way. */
  joined: (enough: AbortSignal | undefined) => void;
  readonly answer: Promise<Outcome>;
  readonly settle: (outcome: Outcome) => void;
  readonly fail: (error: unknown) => void;
}

const keyOf = ({ argv, netns, round, become, encoding }: Command): string =>
  JSON.stringify([argv, netns, round, become === true, encoding]);

/** One script stays well below what a shell reads in one go; a network node with 300 routers still fits three channels. */
const batchLimit = 150;

/** The queue of one host. */
class HostQueue {
  readonly host: string;
  readonly #options: NodesOptions;
  readonly #limit: <T>(run: () => Promise<T>) => Promise<T>;
  readonly #count: Counts;
  readonly #asked = new Map<string, Asked>();
  #waiting: Asked[] = [];
  #transport: Promise<NodeTransport> | undefined;
  #barred: NodeFailure | undefined;
  #connected = false;
  layout: Promise<Result<Layout, NodeFailure>> | undefined;

  constructor(host: string, options: NodesOptions, limit: <T>(run: () => Promise<T>) => Promise<T>, count: Counts) {
    this.host = host;
    this.#options = options;
    this.#limit = limit;
    this.#count = count;
  }

  transport(): Promise<NodeTransport> {
    this.#transport ??= Promise.resolve(this.#options.transportFor(this.host));
    return this.#transport;
  }

  get opened(): boolean {
    return this.#transport !== undefined;
  }

  run(command: Command, enough?: AbortSignal): Promise<Outcome> {
    const closed = this.#closed();
    if (closed !== undefined) return Promise.resolve(err(closed));
    const key = keyOf(command);
    const known = this.#asked.get(key);
    if (known !== undefined) {
      known.enough.add(enough);
      known.joined(enough);
      return known.answer;
    }
    let settle: Asked['settle'] = () => {};
    let fail: Asked['fail'] = () => {};
    const answer = new Promise<Outcome>((resolve, reject) => {
      let open = true;
      const done = (): boolean => {
        const first = open;
        open = false;
        if (first) this.#asked.delete(key);
        return first;
      };
      settle = (outcome) => {
        if (done()) resolve(outcome);
      };
      fail = (error) => {
        if (done()) reject(error);
      };
    });
    const asked: Asked = { command, enough: new Set([enough]), joined: () => {}, answer, settle, fail };
    this.#asked.set(key, asked);
    this.#waiting.push(asked);
    if (this.#waiting.length === 1) void this.#flush();
    return answer;
  }

  /** Why nothing more is sent to this host. */
  #closed(): NodeFailure | undefined {
    if (this.#options.signal?.aborted === true) {
      return { kind: 'unreachable', host: this.host, stage: 'lost', detail: 'interrupted', fix: 'run it again' };
    }
    return this.#barred;
  }

  async #flush(): Promise<void> {
    await this.#options.waves.idle(this.#options.patienceMs ?? 150);
    const wave = this.#waiting;
    this.#waiting = [];
    // What waits for others to listen must be in their batch: it was asked for after the first of them.
    const listening = Math.max(
      0,
      wave.findIndex(({ command }) => command.listens !== undefined),
    );
    const all = [...wave.slice(listening), ...wave.slice(0, listening)];
    for (let at = 0; at < all.length; at += batchLimit) {
      const batch = all.slice(at, at + batchLimit);
      this.#limit(() => this.#send(batch)).catch((error: unknown) => {
        for (const asked of batch) asked.fail(error);
      });
    }
  }

  async #send(batch: readonly Asked[]): Promise<void> {
    const transport = await this.transport();
    const closed = this.#closed();
    if (closed !== undefined) {
      for (const asked of batch) asked.settle(err(closed));
      return;
    }
    this.#count.channels += 1;
    this.#count.commands += batch.length;
    const outcome = await transport.runBatch(
      batch.map(({ command }) => command),
      this.#options.signal,
      (index, each) => batch[index]?.settle(each),
      enoughOf(batch),
    );
    if (!outcome.ok) {
      if (bars(outcome.error)) this.#barred = outcome.error;
      for (const asked of batch) asked.settle(outcome);
      return;
    }
    if (!this.#connected) {
      this.#connected = true;
      this.#count.connections += 1;
    }
    if (outcome.value.length !== batch.length) {
      throw new Error(`${this.host} answered ${outcome.value.length} of ${batch.length} commands`);
    }
    for (const [index, each] of outcome.value.entries()) batch[index]?.settle(each);
  }
}

/** Fires when all who asked for the commands of this batch that listen have had enough. */
function enoughOf(batch: readonly Asked[]): AbortSignal | undefined {
  const listening = batch.filter(({ command }) => command.listens !== undefined);
  if (listening.length === 0) return undefined;
  const all = new AbortController();
  const look = () => {
    if (listening.every(({ enough }) => [...enough].every((each) => each?.aborted === true))) all.abort();
  };
  const watch = (enough: AbortSignal | undefined) => {
    if (enough === undefined) return;
    // One listener per host: as many as there are hosts, not a leak.
    setMaxListeners(0, enough);
    enough.addEventListener('abort', look, { once: true });
  };
  for (const asked of listening) {
    for (const each of asked.enough) watch(each);
    asked.joined = watch;
  }
  look();
  return all.signal;
}

interface Counts {
  connections: number;
  channels: number;
  commands: number;
}

/** A host that could not be reached once is not tried again; a connection that was lost on the way is. */
const bars = (failure: NodeFailure): boolean =>
  failure.kind === 'timeout' || (failure.kind === 'unreachable' && failure.stage !== 'lost');

/**
 * Nodes over any transport. Commands of one wave for one host travel in one channel; the same command asked twice while
 * it is under way is sent once. Answers come as the node gives them, so a ping of five seconds holds up nobody else.
 */
export function createNodes(options: NodesOptions): Nodes {
  const count: Counts = { connections: 0, channels: 0, commands: 0 };
  const limit = pLimit(options.concurrency ?? 64);
  const hosts = new Map<string, HostQueue>();
  const queue = (host: string): HostQueue => {
    const known = hosts.get(host);
    if (known !== undefined) return known;
    const made = new HostQueue(host, options, limit, count);
    hosts.set(host, made);
    return made;
  };

  const findLayout = async (host: string): Promise<Result<Layout, NodeFailure>> => {
    const stated = options.layoutOf?.(host);
    if (stated !== undefined) return { ok: true, value: layouts[stated] };
    const ran = await queue(host).run(detectCommand);
    return ran.ok ? { ok: true, value: detectLayout(ran.value.stdout) } : ran;
  };

  return {
    run: (host, command, { enough }: RunCommand = {}) => queue(host).run(command, enough),
    layout(host) {
      const node = queue(host);
      node.layout ??= findLayout(host);
      return node.layout;
    },
    warm(host) {
      // A way that cannot be made says so from the first command that needs it.
      queue(host)
        .transport()
        .then(
          (transport) => transport.warm?.(),
          () => {},
        );
    },
    statistics: count,
    async close() {
      const open = [...hosts.values()].filter((node) => node.opened);
      // A way that could not be made has been told to whoever asked for it.
      await Promise.all(
        open.map((node) =>
          node.transport().then(
            (transport) => transport.close(),
            () => {},
          ),
        ),
      );
    },
  };
}
