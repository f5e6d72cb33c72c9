import type { Cloud } from '../cloud/cloud.ts';
import { UserError } from '../engine/error.ts';
import type { Peer } from '../facts/peer.ts';
import type { PortSubject } from '../facts/subject.ts';
import { parseAddress } from '../path/addresses.ts';
import { holdersOf } from './holders.ts';
import { resolveTarget, type Target } from './target.ts';

/** The port that is meant when several have the address: tenants may use the same ones. */
function choose(text: string, holders: readonly PortSubject[], near: Target): PortSubject | undefined {
  const networks = new Set(near.ports.map((p) => p.port.value.network_id));
  const projects = new Set(near.ports.map((p) => p.port.value.project_id ?? p.port.value.tenant_id));
  const onNetwork = holders.filter((h) => networks.has(h.port.value.network_id));
  const inProject = holders.filter((h) => projects.has(h.port.value.project_id ?? h.port.value.tenant_id));
  for (const some of [onNetwork, inProject, holders]) {
    const [first, second] = some;
    if (first !== undefined && second === undefined) return first;
    if (second !== undefined) {
      throw new UserError(`${some.length} ports have the address ${text}.`, {
        why: some
          .slice(0, 4)
          .map((h) => `${h.id} (network ${h.port.value.network_id})`)
          .join(' · '),
        hint: 'name the one you mean by the id of its port or instance: --to ID',
      });
    }
  }
  return undefined;
}

/**
 * Finds the other end of a path: an instance by id or name, a port by id, or any address. An address that no port
 * has lies outside. Of several ports with one address that nearest to `near` is taken: on its network, else in its project.
 */
export async function resolvePeer(
  cloud: Cloud,
  text: string,
  near: Promise<Target>,
  onHost: (host: string) => void,
): Promise<Peer> {
  const parsed = parseAddress(text);
  if (parsed !== undefined) {
    const [holders, target] = await Promise.all([holdersOf(cloud, text), near]);
    // What may not be listed is not there: the address then lies outside.
    const found = choose(text, holders.ok ? holders.value : [], target);
    if (found === undefined) return { kind: 'address', text, address: text };
    const host = found.port.value['binding:host_id'];
    if (host) onHost(host);
    const owner = found.port.value.device_owner.startsWith('compute:')
      ? await resolveTarget(cloud, found.port.value.device_id, false, onHost)
      : undefined;
    if (owner?.kind !== 'instance')
      return { kind: 'port', text, name: found.port.value.name || text, ports: [found], address: text };
    const own = owner.ports.filter((p) => p.id === found.id);
    return named(text, owner, own.length > 0 ? own : [{ ...found, instance: owner.instance }], text);
  }
  const target = await resolveTarget(cloud, text, true, onHost).catch((error: unknown) => {
    throw error instanceof UserError && error.message.startsWith('No instance ')
      ? new UserError(`--to ${text} is nothing that was found.`, {
          ...(error.where === undefined ? {} : { where: error.where }),
          hint: 'the name or id of an instance, the id of a port, or an address',
        })
      : error;
  });
  return named(text, target, target.ports);
}

function named(text: string, target: Target, ports: readonly PortSubject[], address?: string): Peer {
  const instance = target.kind === 'instance' ? target.instance : undefined;
  return {
    kind: 'port',
    text,
    name: instance?.name ?? `port ${ports[0]?.id.slice(0, 8) ?? text}`,
    ports,
    ...(instance === undefined ? {} : { instance }),
    ...(address === undefined ? {} : { address }),
  };
}
