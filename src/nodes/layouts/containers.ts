import type { ServiceName, ServiceState } from './layout.ts';

/** docker(1) and podman(1) take the same format, and say the same of a container's state in words. */
export const containerFormat = '{{.Names}}\t{{.Status}}';

interface Container {
  readonly name: string;
  readonly status: string;
}

/** Output of `docker ps -a` or `podman ps -a` with `containerFormat`; other lines are passed over. */
export function parseContainers(stdout: string): readonly Container[] {
  return stdout
    .split('\n')
    .map((line) => line.split('\t'))
    .filter((fields) => fields.length === 2)
    .map(([name = '', status = '']) => ({ name: name.trim(), status: status.trim() }));
}

/**
 * `Up 2 hours (healthy)`, `Exited (1) 3 days ago`, `Restarting (1) 5 seconds ago`, `Created`, `Dead`, `Up 3 weeks (Paused)`.
 * A container that is unhealthy runs, and its own check says that its service does not: that is a failure.
 */
function stateOf(status: string): ServiceState['state'] {
  if (/^up\b/i.test(status)) {
    if (/\(unhealthy\)/i.test(status)) return 'failed';
    if (/\(paused\)/i.test(status)) return 'inactive';
    return /\((?:health: )?starting\)/i.test(status) ? 'activating' : 'active';
  }
  if (/^restarting\b/i.test(status)) return 'activating';
  const exited = /^exited \((\d+)\)/i.exec(status);
  if (exited !== null) return exited[1] === '0' || exited[1] === '143' ? 'inactive' : 'failed';
  return /^dead\b/i.test(status) ? 'failed' : 'inactive';
}

/** @param names what the container may be called, the likeliest first */
export function containerState(
  service: ServiceName,
  names: readonly string[],
  containers: readonly Container[],
): ServiceState {
  const present = names
    .map((name) => containers.find((container) => container.name === name))
    .filter((container) => container !== undefined)
    .map(
      (container): ServiceState => ({
        service,
        unit: container.name,
        state: stateOf(container.status),
        detail: container.status,
      }),
    );
  const chosen = present.find((each) => each.state === 'active') ?? present[0];
  return chosen ?? { service, unit: names[0] ?? service, state: 'absent', detail: 'no such container on this node' };
}
