import { describe, expect, it } from 'vitest';
import { wallClock } from '../../src/engine/clock.ts';
import { err, ok, type Result } from '../../src/engine/result.ts';
import { Waves } from '../../src/engine/waves.ts';
import type { Command, CommandResult } from '../../src/nodes/command.ts';
import { createLocalTransport } from '../../src/nodes/local-transport.ts';
import type { NodeFailure, NodeTransport } from '../../src/nodes/nodes.ts';
import { createNodes, type NodesOptions } from '../../src/nodes/pool.ts';
import { captureOver } from './capture-over.ts';

const look = (...argv: [string, ...string[]]): Command => ({ argv, impact: 'read' });
const answer = (stdout: string): CommandResult => ({
  code: 0,
  stdout,
  stderr: '',
  truncated: false,
  timedOut: false,
  startedAt: '2026-11-21T00:00:00.000Z',
  ms: 1,
});
const refused = (host: string): NodeFailure => ({
  kind: 'unreachable',
  host,
  stage: 'tcp',
  detail: 'refused',
  fix: 'start sshd',
});
type Outcome = Result<CommandResult, NodeFailure>;

/** A cloud of hosts that echo their arguments, and what was asked of each. */
function cloud(
  more: Partial<NodesOptions> = {},
  behave: (
    host: string,
    commands: readonly Command[],
    onResult: (index: number, outcome: Outcome) => void,
  ) => Promise<Result<readonly Outcome[], NodeFailure>> = async (_, commands) =>
    ok(commands.map((command) => ok(answer(command.argv.join(' '))))),
) {
  const batches: string[] = [];
  const asked: string[] = [];
  const closed: string[] = [];
  const waves = new Waves();
  const transportFor = (host: string): NodeTransport => {
    asked.push(host);
    return {
      kind: 'replay',
      host,
      runBatch: (commands, _signal, onResult) => {
        batches.push(`${host}: ${commands.map((command) => command.argv.join(' ')).join(' | ')}`);
        return behave(host, commands, onResult ?? (() => {}));
      },
      close: async () => void closed.push(host),
    };
  };
  return {
    batches,
    asked,
    closed,
    waves,
    nodes: createNodes({ transportFor, waves, clock: wallClock, patienceMs: 50, ...more }),
  };
}
/** An abort controller whose parts can be passed on alone. */
const controller = () => {
  const made = new AbortController();
  return { signal: made.signal, abort: () => made.abort() };
};
const text = async (outcome: Promise<Outcome>) => {
  const each = await outcome;
  return each.ok ? each.value.stdout : each.error.kind;
};

describe('commands of one wave', () => {
  it('travel together, one batch per host', async () => {
    const { nodes, batches } = cloud();
    const answers = await Promise.all([
      nodes.run('a', look('one')),
      nodes.run('b', look('two')),
      nodes.run('a', look('three')),
    ]);
    expect(answers.map((each) => each.ok && each.value.stdout)).toEqual(['one', 'two', 'three']);
    expect(batches).toEqual(['a: one | three', 'b: two']);
    expect(nodes.statistics).toEqual({ connections: 2, channels: 2, commands: 3 });
  });

  it('wait for the API requests that may add to them, but not for long', async () => {
    const { nodes, batches, waves } = cloud({ patienceMs: 5000 });
    const leave = waves.enter();
    const first = nodes.run('a', look('one'));
    await new Promise((resolve) => setImmediate(resolve));
    const second = nodes.run('a', look('two'));
    expect(batches).toEqual([]);
    leave();
    await Promise.all([first, second]);
    expect(batches).toEqual(['a: one | two']);

    const slow = cloud({ patienceMs: 20 });
    slow.waves.enter();
    expect(await text(slow.nodes.run('a', look('one')))).toBe('one');
  });

  it('are sent once when two ask for the same, and apart when they differ in anything that matters', async () => {
    const { nodes, batches } = cloud();
    const same = [
      look('x'),
      look('x'),
      { ...look('x'), round: 'after' },
      { ...look('x'), netns: 'q' },
      { ...look('x'), become: true },
    ];
    await Promise.all(same.map((command) => nodes.run('a', command)));
    expect(batches).toEqual(['a: x | x | x | x']);
  });

  it('are asked again in a later wave', async () => {
    const { nodes, batches } = cloud();
    await nodes.run('a', look('x'));
    await nodes.run('a', look('x'));
    expect(batches).toEqual(['a: x', 'a: x']);
  });

  it('are answered one by one: a long ping holds up nobody', async () => {
    let endPing = () => {};
    const { nodes } = cloud(
      {},
      (_, commands, onResult) =>
        new Promise((resolve) => {
          onResult(1, ok(answer('quick')));
          endPing = () => resolve(ok(commands.map((_, index) => ok(answer(index === 1 ? 'quick' : 'pong')))));
        }),
    );
    const ping = text(nodes.run('a', look('ping')));
    expect(await text(nodes.run('a', look('read')))).toBe('quick');
    endPing();
    expect(await ping).toBe('pong');
  });

  it('are split only when they are very many', async () => {
    const { nodes, batches } = cloud();
    await Promise.all(Array.from({ length: 200 }, (_, i) => nodes.run('a', look(String(i)))));
    expect(batches.map((batch) => batch.split('|').length)).toEqual([150, 50]);
  });
});

describe('captures', () => {
  const capture = (name: string): Command => ({
    argv: ['tcpdump', '-i', name],
    impact: 'capture',
    parallel: true,
    listens: 'listening on',
  });
  /** Hosts that answer captures when it is enough, the rest at once. */
  function listening(more: Partial<NodesOptions> = {}) {
    const batches: string[][] = [];
    const nodes = createNodes({
      transportFor: (host) => ({
        kind: 'replay',
        host,
        runBatch: async (commands, _signal, onResult, enough) => {
          batches.push(commands.map((command) => command.argv.join(' ')));
          for (const [index, { listens }] of commands.entries()) if (!listens) onResult?.(index, ok(answer('at once')));
          const ended = commands.some(({ listens }) => listens) && !enough?.aborted;
          if (ended) await new Promise((resolve) => enough?.addEventListener('abort', resolve));
          return ok(commands.map(() => ok(answer('captured'))));
        },
        close: async () => {},
      }),
      waves: new Waves(),
      clock: wallClock,
      patienceMs: 0,
      ...more,
    });
    return { nodes, batches };
  }
  const texts = (outcomes: readonly Promise<Outcome>[]) => Promise.all(outcomes.map(text));
  /** What has come by now; the others are still under way. */
  const sofar = async (outcomes: readonly Promise<Outcome>[]) => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    return Promise.all(outcomes.map((each) => Promise.race([text(each), 'under way'])));
  };

  it('of all hosts end when it is enough, and without a warning of too many listeners', async () => {
    const warned: Error[] = [];
    const note = (warning: Error) => warned.push(warning);
    process.on('warning', note);
    const { nodes } = listening();
    const { signal, abort } = controller();
    const hosts = Array.from({ length: 30 }, (_, i) => `cmp${i}`);
    const captures = hosts.map((host) => nodes.run(host, capture('tap1'), { enough: signal }));
    const date = nodes.run('cmp1', look('date'), { enough: signal });
    expect(await text(date)).toBe('at once');
    expect(await sofar(captures)).toEqual(hosts.map(() => 'under way'));
    abort();
    expect(await texts(captures)).toEqual(hosts.map(() => 'captured'));
    process.off('warning', note);
    expect(warned).toEqual([]);
  });

  it('that several ask for end when the last of them has had enough', async () => {
    const { nodes, batches } = listening();
    const [first, second, third] = [controller(), controller(), controller()];
    const one = nodes.run('a', capture('tap1'), { enough: first.signal });
    const two = nodes.run('a', capture('tap1'), { enough: second.signal });
    expect(await sofar([one, two])).toEqual(['under way', 'under way']);
    const late = nodes.run('a', capture('tap1'), { enough: third.signal });
    first.abort();
    second.abort();
    expect(await sofar([one, two, late])).toEqual(['under way', 'under way', 'under way']);
    third.abort();
    expect(await texts([one, two, late])).toEqual(['captured', 'captured', 'captured']);
    expect(batches).toEqual([['tcpdump -i tap1']]);
  });

  it('run their time where somebody wants them whole', async () => {
    const { nodes } = listening();
    const some = controller();
    const outcomes = [nodes.run('a', capture('tap1'), { enough: some.signal }), nodes.run('a', capture('tap1'))];
    some.abort();
    expect(await sofar(outcomes)).toEqual(['under way', 'under way']);
  });

  it('end at once when it was enough before', async () => {
    const { nodes } = listening();
    const already = controller();
    already.abort();
    expect(await text(nodes.run('a', capture('tap1'), { enough: already.signal }))).toBe('captured');
  });

  it('are apart from the same command in another round, and from its output as text', async () => {
    const { nodes, batches } = listening();
    const { signal, abort } = controller();
    abort();
    await Promise.all(
      [
        capture('x'),
        { ...capture('x'), round: 'again' },
        { ...capture('x'), encoding: 'base64' as const },
        capture('x'),
      ].map((command) => nodes.run('a', command, { enough: signal })),
    );
    expect(batches).toEqual([['tcpdump -i x', 'tcpdump -i x', 'tcpdump -i x']]);
  });

  it('travel with what was asked after them, however much was asked before', async () => {
    const { nodes, batches } = listening();
    const { signal, abort } = controller();
    const before = Array.from({ length: 148 }, (_, i) => nodes.run('a', look(String(i))));
    const captures = ['t1', 't2', 't3'].map((tap) => nodes.run('a', capture(tap), { enough: signal }));
    const date = nodes.run('a', look('date'));
    expect(await text(date)).toBe('at once');
    abort();
    await Promise.all([...before, ...captures]);
    expect(batches[0]?.slice(0, 4)).toEqual(['tcpdump -i t1', 'tcpdump -i t2', 'tcpdump -i t3', 'date']);
  });

  it('too many to run at once are a bug', async () => {
    const { nodes } = listening({ transportFor: (host) => createLocalTransport(host) });
    const outcomes = await Promise.allSettled(Array.from({ length: 33 }, (_, i) => nodes.run('a', capture(String(i)))));
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'rejected'));
  });
});

describe('a host that cannot be reached', () => {
  it('is tried once, and fails at once from then on', async () => {
    const { nodes, batches } = cloud({}, async (host) => err(refused(host)));
    const outcomes = await Promise.all([nodes.run('a', look('one')), nodes.run('a', look('two'))]);
    expect(outcomes).toEqual([err(refused('a')), err(refused('a'))]);
    expect(await nodes.run('a', look('three'))).toEqual(err(refused('a')));
    expect(await nodes.layout('a')).toEqual(err(refused('a')));
    expect(batches).toHaveLength(1);
    expect(nodes.statistics.connections).toBe(0);
  });

  it('is tried again when the connection was only lost on the way', async () => {
    let tries = 0;
    const { nodes } = cloud({}, async (host, commands) => {
      tries += 1;
      return tries === 1
        ? err({ ...refused(host), kind: 'unreachable', stage: 'lost', detail: 'reset', host, fix: '' })
        : ok(commands.map(() => ok(answer('back'))));
    });
    expect(await text(nodes.run('a', look('one')))).toBe('unreachable');
    expect(await text(nodes.run('a', look('one')))).toBe('back');
  });

  it('does not keep the others waiting', async () => {
    const { nodes } = cloud({}, (host, commands) =>
      host === 'dead' ? new Promise(() => {}) : Promise.resolve(ok(commands.map(() => ok(answer('fine'))))),
    );
    void nodes.run('dead', look('x'));
    expect(await text(nodes.run('a', look('x')))).toBe('fine');
  });
});

describe('a run', () => {
  it('that is interrupted asks nothing more', async () => {
    const stop = new AbortController();
    const { nodes, batches } = cloud({ signal: stop.signal });
    stop.abort();
    expect(await nodes.run('a', look('x'))).toMatchObject({
      ok: false,
      error: { kind: 'unreachable', detail: 'interrupted' },
    });
    expect(batches).toEqual([]);
  });

  it('does not hide a bug of a transport', async () => {
    const { nodes } = cloud({}, async () => {
      throw new Error('a bug');
    });
    await expect(nodes.run('a', look('x'))).rejects.toThrow('a bug');
    const short = cloud({}, async () => ok([]));
    await expect(short.nodes.run('a', look('x'))).rejects.toThrow('answered 0 of 1');
  });

  it('connects ahead of need, and closes what it opened', async () => {
    const warmed: string[] = [];
    const closed: string[] = [];
    const nodes = createNodes({
      transportFor: async (host) => ({
        kind: 'replay',
        host,
        warm: () => void warmed.push(host),
        runBatch: async () => ok([]),
        close: async () => void closed.push(host),
      }),
      waves: new Waves(),
      clock: wallClock,
    });
    nodes.warm('a');
    nodes.warm('a');
    await nodes.close();
    expect(warmed).toEqual(['a', 'a']);
    expect(closed).toEqual(['a']);
  });

  it('does not fail because a way could not be made ahead of need', async () => {
    const { nodes } = cloud({ transportFor: () => Promise.reject(new Error('no way')) });
    nodes.warm('a');
    await expect(nodes.run('a', look('x'))).rejects.toThrow('no way');
  });
});

describe('the layout of a host', () => {
  it('is detected once', async () => {
    const { nodes, batches } = cloud({}, async (_, commands) =>
      ok(commands.map(() => ok(answer('unit devstack@q-agt.service loaded\n')))),
    );
    const [first, second] = await Promise.all([nodes.layout('a'), nodes.layout('a')]);
    expect([first.ok && first.value.name, second.ok && second.value.name]).toEqual(['devstack', 'devstack']);
    expect(batches).toHaveLength(1);
  });

  it('is what the operator says where he says so', async () => {
    const { nodes, batches } = cloud({ layoutOf: (host) => (host === 'a' ? 'kolla' : undefined) });
    const layout = await nodes.layout('a');
    expect(layout.ok && layout.value.name).toBe('kolla');
    expect(batches).toEqual([]);
  });
});

describe('the machine that the doctor runs on', () => {
  it('is a node like any other', async () => {
    const nodes = createNodes({
      transportFor: (host) => createLocalTransport(host),
      waves: new Waves(),
      clock: wallClock,
    });
    const [one, two, missing] = await Promise.all([
      nodes.run('localhost', look('echo', 'one')),
      nodes.run('localhost', { ...look('sh', '-c', 'sleep 0.2; echo two'), parallel: true }),
      nodes.run('localhost', look('no-such-tool-here')),
    ]);
    expect([one.ok && one.value.stdout, two.ok && two.value.stdout]).toEqual(['one\n', 'two\n']);
    expect(missing).toMatchObject({ ok: false, error: { kind: 'missing-tool', tool: 'no-such-tool-here' } });
    await nodes.close();
  });

  it('captures like any other', async () => {
    await captureOver(createLocalTransport('localhost'));
  });

  it('says when its shell is not there', async () => {
    const outcome = await createLocalTransport('localhost', { shell: '/nonexistent/sh' }).runBatch([look('true')]);
    expect(outcome).toMatchObject({ ok: false, error: { kind: 'unreachable', stage: 'shell' } });
  });
});
