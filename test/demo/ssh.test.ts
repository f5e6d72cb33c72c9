import { spawnSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readBundle } from '../../src/bundle/open.ts';
import { createRecorder, recordTransport } from '../../src/bundle/record.ts';
import { newKeyPair } from '../../src/demo/keys.ts';
import { type DemoCloud, type SshFault, startDemoCloud } from '../../src/demo/server.ts';
import { cannedTransport, cmp1Commands, command, fixture, manifest, result, smallBundle } from '../bundle/small-run.ts';
import { runBatch, runWithSystemSsh } from './client.ts';

const bundle = await smallBundle();
let demo: DemoCloud;
afterEach(() => demo.close());

const start = async (...faults: readonly SshFault[]): Promise<DemoCloud> => {
  demo = await startDemoCloud(bundle, { faults: { ssh: { cmp1: faults } } });
  return demo;
};

const hasSsh = spawnSync('ssh', ['-V']).status === 0;

describe('a demo host', () => {
  it('answers a batch as the recorded host did', async () => {
    await start();
    const ran = await runBatch(demo, 'cmp1', cmp1Commands);
    expect(ran).toMatchObject({ done: true });
    expect(ran.frames.map((frame) => frame.index)).toEqual([0, 1, 2, 3, 4, 5]);
    const [link, before, after, conntrack, address, secret] = ran.frames.map((frame) => frame.result);
    expect(link).toMatchObject({ code: 0, stdout: fixture('ip-link/lb-cmp1-links.json'), stderr: '' });
    expect(before?.stdout).toBe(fixture('iptables-save/lb-cmp1-v4.txt'));
    expect(after?.stdout).toMatch(/^# later/);
    expect(conntrack).toMatchObject({
      code: 127,
      stderr: expect.stringContaining("failed to run command 'conntrack'"),
    });
    expect(address).toMatchObject({ code: 1, stderr: expect.stringContaining('qrouter-1') });
    expect(secret?.stdout).toMatch(/metadata_proxy_shared_secret = REDACTED-/);
  });

  it('answers bytes as bytes', async () => {
    const wire = Buffer.concat([Buffer.from('\n@0 x 0 0 0 0\n\r\n\0', 'latin1'), Buffer.from([0xff, 0xfe, 0x80])]);
    const capture = command('tcpdump -w -', {
      encoding: 'base64',
      impact: 'capture',
      parallel: true,
      listens: 'listening',
    });
    const recorder = createRecorder();
    const canned = cannedTransport('cmp1', { 'tcpdump -w -': result(wire.toString('base64')), date: result('1.5\n') });
    await recordTransport(canned, recorder).runBatch([capture, command('date')]);
    const captured = await readBundle(await recorder.bytes(manifest), 'x');
    if (!captured.ok) throw captured.error;
    demo = await startDemoCloud(captured.value, { faults: { rename: [{ from: 'QID', to: 'x' }] } });
    const ran = await runBatch(demo, 'cmp1', [capture, command('date')]);
    expect(ran.frames.map((frame) => frame.result.stdout)).toEqual([wire.toString('base64'), '1.5\n']);
  });

  it('says what the bundle does not hold', async () => {
    await start();
    const ran = await runBatch(demo, 'cmp1', [command('uptime')]);
    expect(ran.frames[0]?.result).toMatchObject({ code: 127, stderr: 'not in this bundle: uptime on cmp1\n' });
  });

  it.runIf(hasSsh)('answers the ssh of the system, which finds it by its name and checks its key', async () => {
    await start();
    const ran = await runWithSystemSsh(demo, 'cmp1', cmp1Commands);
    expect(ran).toMatchObject({ done: true, stderr: '' });
    expect(ran.frames).toHaveLength(cmp1Commands.length);
    expect(ran.frames[0]?.result.stdout).toBe(fixture('ip-link/lb-cmp1-links.json'));
    const plain = spawnSync('ssh', ['-F', demo.sshConfigPath, 'cmp1', 'ls'], { timeout: 1 });
    expect(plain.status).not.toBe(0);
  });

  it('lets in one key and no other', async () => {
    await start();
    const ran = await runBatch(demo, 'cmp1', cmp1Commands, { key: newKeyPair().private });
    expect(ran).toMatchObject({ frames: [], error: 'All configured authentication methods failed' });
  });

  it('keeps its keys to its owner, and removes them', async () => {
    await start();
    const { dir } = demo;
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o777, name).toBe(0o600);
    await demo.close();
    expect(existsSync(dir)).toBe(false);
  });

  it('that was out of reach stays so, at the step at which it was', async () => {
    await start();
    expect(await runBatch(demo, 'cmp2', [command('id')])).toMatchObject({
      error: 'All configured authentication methods failed',
    });
  });

  it('is gone at once, whatever is under way', async () => {
    await start({ do: 'hang-exec' });
    let pending: ReturnType<typeof runBatch> | undefined;
    await new Promise<void>((onOpen) => {
      pending = runBatch(demo, 'cmp1', cmp1Commands, { onOpen });
    });
    const before = performance.now();
    await demo.close();
    expect(performance.now() - before).toBeLessThan(200);
    expect(await pending).toMatchObject({ frames: [], done: false });
  });
});

describe('on request a demo host', () => {
  it('says nothing', async () => {
    await start({ do: 'hang' });
    expect(await runBatch(demo, 'cmp1', cmp1Commands, { readyTimeout: 200 })).toMatchObject({
      error: expect.stringMatching(/Timed out/),
    });
  });

  it('never answers a batch', async () => {
    await start({ do: 'hang-exec' });
    expect(await runBatch(demo, 'cmp1', cmp1Commands, { patience: 300 })).toMatchObject({
      frames: [],
      error: 'out of patience',
    });
  });

  it('has another key than the one that is known', async () => {
    await start({ do: 'host-key-changed' });
    expect(await runBatch(demo, 'cmp1', cmp1Commands)).toMatchObject({
      frames: [],
      error: expect.stringMatching(/verification failed/),
    });
  });

  it.runIf(hasSsh)('has another key for the ssh of the system, too', async () => {
    await start({ do: 'host-key-changed' });
    const ran = await runWithSystemSsh(demo, 'cmp1', cmp1Commands);
    expect(ran.stderr).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED');
  });

  it('refuses connections', async () => {
    await start({ do: 'refused' });
    const port = demo.hosts.cmp1?.port ?? 0;
    const error = await new Promise((resolve) => connect(port, '127.0.0.1').on('error', resolve));
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('refuses the right key', async () => {
    await start({ do: 'auth-refused' });
    expect(await runBatch(demo, 'cmp1', cmp1Commands)).toMatchObject({
      error: 'All configured authentication methods failed',
    });
  });

  it('has a name that does not resolve', async () => {
    await start({ do: 'no-such-name' });
    const name = demo.hosts.cmp1?.address ?? '';
    expect(name).toMatch(/\.invalid$/);
    await expect(lookup(name)).rejects.toThrow();
  });

  it('writes a hundred megabytes for one command and then answers the next', async () => {
    await start({ do: 'flood', command: 'ip -j link', bytes: 100 << 20 });
    const ran = await runBatch(demo, 'cmp1', cmp1Commands, { patience: 15_000 });
    expect(ran.bytes).toBeGreaterThan(100 << 20);
    expect(ran).toMatchObject({ done: true });
    expect(ran.frames[0]?.result).toMatchObject({ truncated: true });
    expect(ran.frames[1]?.result.stdout).toBe(fixture('iptables-save/lb-cmp1-v4.txt'));
  });

  it('is lost in the middle of a batch', async () => {
    await start({ do: 'lost', after: 2 });
    const ran = await runBatch(demo, 'cmp1', cmp1Commands);
    expect(ran.frames.map((frame) => frame.index)).toEqual([0, 1]);
    expect(ran.done).toBe(false);
  });

  it('lacks a tool', async () => {
    await start({ do: 'missing-tool', tool: 'iptables-save' });
    const ran = await runBatch(demo, 'cmp1', cmp1Commands);
    expect(ran.frames[1]?.result).toMatchObject({ code: 127 });
    expect(ran.frames[0]?.result).toMatchObject({ code: 0 });
  });

  it('wants a password for root', async () => {
    await start({ do: 'sudo-password' });
    const ran = await runBatch(demo, 'cmp1', cmp1Commands);
    expect(ran.frames.map((frame) => frame.result.code)).toEqual([0, 1, 1, 1, 1, 1]);
    expect(ran.frames[1]?.result.stderr).toBe('sudo: a password is required\n');
  });
});
