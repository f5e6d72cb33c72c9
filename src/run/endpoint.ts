import { z } from 'zod';
import type { Cloud } from '../cloud/cloud.ts';
import { UserError } from '../engine/error.ts';
import type { Peer } from '../facts/peer.ts';
import { floatingIp, type Port, port } from '../facts/schemas/network.ts';
import type { PortSubject } from '../facts/subject.ts';
import { parseAddress } from '../path/addresses.ts';
import { resolveTarget, type Target } from './target.ts';

/** A port that has an address: its own, or through a floating one. */
interface Holder {
  readonly port: PortSubject;
  readonly floating: boolean;
}

/** Every port of the cloud that has this address. What may not be listed is not there: the address then lies outside. */
async function holdersOf(cloud: Cloud, address: string): Promise<readonly Holder[]> {
  const [fixed, floating] = await Promise.all([
    cloud.list({
      service: 'network',
      path: '/ports',
      query: { fixed_ips: `ip_address=${address}` },
      items: 'ports',
      schema: port,
    }),
    cloud.list({
      service: 'network',
      path: '/floatingips',
      query: { floating_ip_address: address },
      items: 'floatingips',
      schema: floatingIp,
    }),
  ]);
  const holders: Holder[] = [];
  if (fixed.ok) {
    for (const found of fixed.value.value) {
      // The floating address itself has a port, too; what matters is the one behind it.
      if (found.device_owner === 'network:floatingip') continue;
      holders.push({ port: subjectOf(found, fixed.value.evidence), floating: false });
    }
  }
  for (const f of floating.ok ? floating.value.value : []) {
    if (!f.port_id) continue;
    const behind = await cloud.get({
      service: 'network',
      path: `/ports/${encodeURIComponent(f.port_id)}`,
      schema: z.looseObject({ port }),
    });
    if (behind.ok) holders.push({ port: subjectOf(behind.value.value.port, behind.value.evidence), floating: true });
  }
  return holders;
}

const subjectOf = (value: Port, evidence: PortSubject['port']['evidence'][number]): PortSubject => ({
  kind: 'port',
  id: value.id,
  port: { value, evidence: [evidence] },
});

/** The port that is meant when several have the address: tenants may use the same ones. */
function choose(text: string, holders: readonly Holder[], near: Target): Holder | undefined {
  const networks = new Set(near.ports.map((p) => p.port.value.network_id));
  const projects = new Set(near.ports.map((p) => p.port.value.project_id ?? p.port.value.tenant_id));
  const onNetwork = holders.filter((h) => networks.has(h.port.port.value.network_id));
  const inProject = holders.filter((h) => projects.has(h.port.port.value.project_id ?? h.port.port.value.tenant_id));
  for (const some of [onNetwork, inProject, holders]) {
    const [first, second] = some;
    if (first !== undefined && second === undefined) return first;
    if (second !== undefined) {
      throw new UserError(`${some.length} ports have the address ${text}.`, {
        why: some
          .slice(0, 4)
          .map((h) => `${h.port.id} (network ${h.port.port.value.network_id})`)
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
    const found = choose(text, holders, target);
    if (found === undefined) return { kind: 'address', text, address: text };
    const host = found.port.port.value['binding:host_id'];
    if (host) onHost(host);
    const owner = found.port.port.value.device_owner.startsWith('compute:')
      ? await resolveTarget(cloud, found.port.port.value.device_id, false, onHost)
      : undefined;
    if (owner?.kind !== 'instance')
      return { kind: 'port', text, name: found.port.port.value.name || text, ports: [found.port], address: text };
    const own = owner.ports.filter((p) => p.id === found.port.id);
    return named(text, owner, own.length > 0 ? own : [{ ...found.port, instance: owner.instance }], text);
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
