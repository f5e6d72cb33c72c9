import { describe, expect, it } from 'vitest';
import { wallClock } from '../../src/engine/clock.ts';
import { err, ok, type Result } from '../../src/engine/result.ts';
import { Waves } from '../../src/engine/waves.ts';
import type { Command, CommandResult } from '../../src/nodes/command.ts';
import { createLocalTransport } from '../../src/nodes/local-transport.ts';
import type { NodeFailure, NodeTransport } from '../../src/nodes/nodes.ts';
import { createNodes, type NodesOptions } from '../../src/nodes/pool.ts';

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

  it('says when its shell is not there', async () => {
    const outcome = await createLocalTransport('localhost', { shell: '/nonexistent/sh' }).runBatch([look('true')]);
    expect(outcome).toMatchObject({ ok: false, error: { kind: 'unreachable', stage: 'shell' } });
  });
});
