import type { Bundle } from '../bundle/open.ts';
import { replayTransport } from '../bundle/replay.ts';
import { frozenClock } from '../engine/clock.ts';
import type { RunOptions } from '../facts/io.ts';
import type { SshTarget } from '../nodes/ssh-target.ts';
import { createSsh2Connections } from '../nodes/ssh2-transport.ts';
import { type Door, openLive, operatorHost } from '../run/doors.ts';
import type { DemoCloud } from './server.ts';

/**
 * The live door onto a served demo cloud: real HTTP and real SSH, but nothing of this machine's own ssh configuration,
 * which could lead elsewhere. What the operator's machine saw is the recording's, since its addresses mean nothing here.
 */
export function demoDoor(served: DemoCloud, bundle: Bundle, options: RunOptions, signal: AbortSignal): Door {
  const connections = createSsh2Connections({
    resolveJump: async () => ({ ok: false, error: 'the demo has no jump hosts' }),
    now: Date.now,
  });
  const door = openLive({
    choice: {},
    options,
    ssh: {},
    hosts: {},
    env: { ...served.env, HOME: served.dir },
    cwd: served.dir,
    signal,
    clock: frozenClock(served.startedAt),
    operator: replayTransport(bundle, operatorHost),
    transportFor: (host) => connections.transport(host, targetOf(served, host)),
  });
  return {
    ...door,
    recorder: undefined,
    close: async () => {
      await door.close();
      await connections.close();
    },
  };
}

function targetOf(served: DemoCloud, host: string): SshTarget {
  const at = served.hosts[host];
  return {
    alias: host,
    configFile: undefined,
    hostname: at?.address ?? `${host}.invalid`,
    port: at?.port ?? 22,
    user: served.user,
    identityFiles: [served.userKeyPath],
    identitiesOnly: true,
    agent: undefined,
    jump: [],
    family: 0,
    connectTimeoutSeconds: 10,
    hostKeys: 'strict',
    hostKeyAlias: undefined,
    userKnownHosts: [served.knownHostsPath],
    globalKnownHosts: [],
    hashKnownHosts: false,
    certificateFiles: [],
    proxyCommand: undefined,
    pkcs11Provider: undefined,
    securityKeyProvider: undefined,
    gssapi: false,
    controlPath: undefined,
  };
}
