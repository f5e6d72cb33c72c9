import { err, ok, type Result } from '../engine/result.ts';
import { unreachable } from './exchange.ts';
import { createLocalTransport } from './local-transport.ts';
import type { NodeFailure, NodeTransport } from './nodes.ts';
import { type ControlFolder, controlFolder, createOpensshTransport } from './openssh-transport.ts';
import { backendFacts, chooseBackend, type SshWish } from './ssh-backend.ts';
import {
  parseJump,
  resolveSshTarget,
  type SshEnvironment,
  type SshOverrides,
  type SshTarget,
  thisEnvironment,
} from './ssh-target.ts';
import { createSsh2Connections, type Ssh2Connections } from './ssh2-transport.ts';

/** How the operator says one host is reached; everything may be left out. */
export interface HostAccess extends Pick<SshOverrides, 'user' | 'port' | 'identityFile' | 'jump'> {
  /** Name or address to connect to; `~/.ssh/config` is looked up by it. */
  readonly address?: string | undefined;
  /** The doctor runs on this host. */
  readonly local?: boolean | undefined;
}

/** What holds for all hosts that say nothing else. */
export interface SshSettings extends SshOverrides {
  readonly backend?: SshWish | undefined;
}

export interface TransportOptions {
  readonly ssh?: SshSettings;
  /** By the name the API gives a host; a fully qualified name also finds the entry of its first label. */
  readonly hosts?: Readonly<Record<string, HostAccess>>;
  readonly environment?: SshEnvironment;
  readonly now?: () => number;
  /** Told once per host how it is reached, for `-vv`. */
  readonly onChoice?: (host: string, how: string) => void;
}

export interface Transports {
  /** A host that cannot be reached says so from its first batch. */
  for(host: string): Promise<NodeTransport>;
  close(): Promise<void>;
}

/** The entry of `hosts:` that speaks of this host. */
export function accessOf<T>(hosts: Readonly<Record<string, T>>, host: string): T | undefined {
  if (Object.hasOwn(hosts, host)) return hosts[host];
  const label = host.split('.')[0] ?? host;
  return Object.hasOwn(hosts, label) ? hosts[label] : undefined;
}

/** A host whose way is already known to be barred. */
const barred = (host: string, failure: NodeFailure): NodeTransport => ({
  kind: 'ssh2',
  host,
  runBatch: async () => err(failure),
  close: async () => {},
});

/** ssh2 first; what its handshake cannot negotiate, the system's ssh tries. */
function withFallback(first: NodeTransport, second: () => NodeTransport): NodeTransport {
  let chosen = first;
  let tried = false;
  return {
    get kind() {
      return chosen.kind;
    },
    host: first.host,
    warm: () => chosen.warm?.(),
    async runBatch(commands, signal, onResult, enough) {
      const outcome = await chosen.runBatch(commands, signal, onResult, enough);
      const negotiable = !outcome.ok && outcome.error.kind === 'unreachable' && outcome.error.stage === 'handshake';
      if (!negotiable || chosen !== first || tried) return outcome;
      tried = true;
      const other = second();
      const again = await other.runBatch(commands, signal, onResult, enough);
      if (!again.ok) return outcome;
      chosen = other;
      return again;
    },
    close: async () => {
      await first.close();
      if (chosen !== first) await chosen.close();
    },
  };
}

/** Every way to a node, chosen per host from the configuration, ssh_config, and what is at hand on this machine. */
export function createTransports(options: TransportOptions = {}): Transports {
  const { hosts = {} } = options;
  const { backend: wish = 'auto', ...ssh } = options.ssh ?? {};
  const environment = options.environment ?? thisEnvironment();
  const made = new Map<string, Promise<NodeTransport>>();
  let folder: ControlFolder | undefined;
  let connections: Ssh2Connections | undefined;

  const overridesOf = (access: HostAccess): SshOverrides => ({
    ...ssh,
    user: access.user ?? ssh.user,
    port: access.port ?? ssh.port,
    identityFile: access.identityFile ?? ssh.identityFile,
    jump: access.jump ?? ssh.jump,
  });

  /** A jump host: its own ssh_config block, its own user; the tool's general user is the nodes', not the bastion's. */
  const resolveJump = async (hop: string, before: readonly string[]) => {
    const { host, user, port } = parseJump(hop);
    const resolved = await resolveSshTarget(
      host,
      { ...ssh, user, port, jump: before.length > 0 ? before.join(',') : undefined },
      environment,
    );
    return resolved.ok ? ok(resolved.value.target) : resolved;
  };

  const jumpNeedsOpenssh = async (target: SshTarget, hasSsh: boolean): Promise<boolean> => {
    for (const [index, hop] of target.jump.entries()) {
      const resolved: Result<SshTarget, string> = await resolveJump(hop, target.jump.slice(0, index));
      if (!resolved.ok) continue;
      const facts = await backendFacts(resolved.value, hasSsh, environment.env, false);
      if (chooseBackend(resolved.value, 'auto', facts).backend === 'openssh') return true;
    }
    return false;
  };

  const choose = async (host: string): Promise<NodeTransport> => {
    const access = accessOf(hosts, host) ?? {};
    const now = options.now ?? Date.now;
    if (access.local === true || host === 'localhost') {
      options.onChoice?.(host, 'this machine');
      return createLocalTransport(host, { now });
    }
    const overrides = overridesOf(access);
    const name = access.address ?? host;
    const resolved = await resolveSshTarget(name, overrides, environment);
    if (!resolved.ok) {
      return barred(
        host,
        unreachable(host, 'name', resolved.error, `name it in ostk-doctor.yaml: hosts: {${host}: {address: …}}`),
      );
    }
    const { target, hasSsh } = resolved.value;
    const facts = await backendFacts(
      target,
      hasSsh,
      environment.env,
      wish === 'auto' && (await jumpNeedsOpenssh(target, hasSsh)),
    );
    const choice = chooseBackend(target, wish, facts);
    options.onChoice?.(
      host,
      `${choice.backend} to ${target.user}@${target.hostname}:${target.port} (${choice.because})`,
    );
    const openssh = (ownMaster: boolean): NodeTransport => {
      try {
        folder ??= controlFolder(environment.env);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        return barred(
          host,
          unreachable(
            host,
            'shell',
            `no place for the socket of ssh: ${why}`,
            'set XDG_RUNTIME_DIR or TMPDIR to a directory that can be written',
          ),
        );
      }
      return createOpensshTransport(host, target, folder, { overrides, ownMaster, now });
    };
    if (choice.backend === 'openssh') return openssh(choice.ownMaster);
    connections ??= createSsh2Connections({ resolveJump, now });
    const ssh2 = connections.transport(host, target);
    return wish === 'auto' && hasSsh ? withFallback(ssh2, () => openssh(false)) : ssh2;
  };

  return {
    for(host) {
      const known = made.get(host);
      if (known !== undefined) return known;
      const transport = choose(host);
      made.set(host, transport);
      return transport;
    },
    async close() {
      const all = await Promise.all(made.values());
      await Promise.all(all.map((transport) => transport.close()));
      await connections?.close();
      folder?.remove();
    },
  };
}
