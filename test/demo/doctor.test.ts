import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Bundle, readBundle } from '../../src/bundle/open.ts';
import { createRecorder, recordHttp, recordTransport } from '../../src/bundle/record.ts';
import { replayClock, replayHttp, replayTransport } from '../../src/bundle/replay.ts';
import type { Cloud } from '../../src/cloud/cloud.ts';
import { loadCloudConfig } from '../../src/cloud/config/load.ts';
import { recordedConfig, replayedConfig } from '../../src/cloud/config/recorded.ts';
import type { CloudConfig } from '../../src/cloud/config/types.ts';
import type { HttpClient } from '../../src/cloud/http.ts';
import { openCloud } from '../../src/cloud/session.ts';
import { createHttpClient } from '../../src/cloud/undici-client.ts';
import { type DemoCloud, startDemoCloud } from '../../src/demo/server.ts';
import { Waves } from '../../src/engine/waves.ts';
import type { NodeTransport } from '../../src/nodes/nodes.ts';
import { type SshTarget, targetFromOptions } from '../../src/nodes/ssh-target.ts';
import { createSsh2Connections } from '../../src/nodes/ssh2-transport.ts';
import { cmp1Commands, manifest, smallBundle } from '../bundle/small-run.ts';

const bundle = await smallBundle();
let demo: DemoCloud;
afterEach(() => demo.close());

const clock = replayClock(bundle);

/** What the doctor would learn from the APIs, as data. */
async function learn(cloud: Cloud): Promise<unknown> {
  const identity = await cloud.identity();
  const agents = await cloud.list({
    service: 'network',
    path: '/agents',
    items: 'agents',
    schema: z.looseObject({ id: z.string() }),
  });
  return {
    who: identity.ok && [
      identity.value.value.user.name,
      identity.value.value.project?.name,
      identity.value.value.isAdmin,
    ],
    agents: agents.ok ? agents.value.value : agents.error,
  };
}

const open = (config: CloudConfig, http: HttpClient): Cloud => openCloud({ config, http, waves: new Waves(), clock });

function configured(): CloudConfig {
  const loaded = loadCloudConfig({ env: demo.env, cwd: '/nonexistent', home: '/nonexistent', siteDirs: [] });
  if (!loaded.ok) throw new Error(loaded.error.what);
  return loaded.value;
}

function target(host: string): SshTarget {
  const at = demo.hosts[host];
  if (!at) throw new Error(host);
  const options = new Map([
    ['hostname', [at.address]],
    ['port', [String(at.port)]],
    ['user', [demo.user]],
    ['identityfile', [demo.userKeyPath]],
    ['identityagent', ['none']],
    ['userknownhostsfile', [demo.knownHostsPath]],
    ['globalknownhostsfile', ['none']],
  ]);
  return targetFromOptions(host, options, {}, { home: demo.dir, user: demo.user, env: {} });
}

describe('the doctor’s own clients', () => {
  it('see the same in the demo, in a recording of it, and in the bundle', async () => {
    demo = await startDemoCloud(bundle);
    const recorder = createRecorder();
    const config = configured();
    const live = createHttpClient({ verify: true, timeoutMs: 5000, env: {} });
    const cloud = open(config, recordHttp(live, recorder));
    const fromDemo = await learn(cloud);
    expect(fromDemo).toMatchObject({
      who: ['admin', 'admin', true],
      agents: expect.arrayContaining([expect.objectContaining({ binary: 'neutron-l3-agent' })]),
    });
    await cloud.close();

    const connections = createSsh2Connections({ resolveJump: async () => ({ ok: false, error: 'no jumps here' }) });
    const node = recordTransport(connections.transport('cmp1', target('cmp1')), recorder);
    const ran = await node.runBatch(cmp1Commands);
    await node.close();
    await connections.close();

    const second = await readBundle(await recorder.bytes({ ...manifest, cloud: recordedConfig(config) }), 'second.tgz');
    if (!second.ok) throw second.error;
    expect(await learn(replayed(second.value))).toEqual(fromDemo);
    expect(await replayTransport(second.value, 'cmp1').runBatch(cmp1Commands)).toEqual(ran);

    // and what the demo said is what the bundle says
    const outcomes = async (transport: NodeTransport) => {
      const all = await transport.runBatch(cmp1Commands);
      if (!all.ok) throw new Error('unreachable');
      return all.value.map((one) => (one.ok ? [one.value.code, one.value.stdout, one.value.stderr] : one.error.kind));
    };
    expect(await outcomes(replayTransport(second.value, 'cmp1'))).toEqual(
      await outcomes(replayTransport(bundle, 'cmp1')),
    );
    expect(await learn(replayed(bundle))).toEqual(fromDemo);
  });
});

function replayed(recorded: Bundle): Cloud {
  const { config, issueToken } = replayedConfig(recorded.manifest.cloud);
  return openCloud({
    config,
    issueToken,
    http: replayHttp(recorded),
    waves: new Waves(),
    clock: replayClock(recorded),
  });
}
