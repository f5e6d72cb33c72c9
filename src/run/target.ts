import { z } from 'zod';
import type { Cloud } from '../cloud/cloud.ts';
import { twice } from '../cloud/twice.ts';
import { UserError } from '../engine/error.ts';
import type { FactFailure } from '../engine/failure.ts';
import { unreachable } from '../engine/result.ts';
import { type Server, server, serverAnswer } from '../facts/schemas/compute.ts';
import { port } from '../facts/schemas/network.ts';
import type { InstanceSubject, PortSubject } from '../facts/subject.ts';
import { parseAddress } from '../path/addresses.ts';
import { holdersOf } from './holders.ts';

/** What the operator named. */
export type Target =
  | { readonly kind: 'instance'; readonly instance: InstanceSubject; readonly ports: readonly PortSubject[] }
  | { readonly kind: 'port'; readonly ports: readonly PortSubject[] };

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
/** Tells the host, vm_state and volumes of an instance in one answer (2.79 adds delete_on_termination, nothing less). */
const microversion = '2.79';

/** Nova matches `name` as a regular expression of the database (api-ref, "List Servers"). */
const exactly = (name: string): string => `^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;

/** Fails the run in words when the cloud cannot even be asked for the target. Whoever may not sign in has exit code 2, the rest 3. */
function refuse(failure: FactFailure, what: string): never {
  const notFound = `${what} could not be looked for`;
  switch (failure.kind) {
    case 'forbidden':
      throw new UserError(`These credentials may not look for ${what}.`, {
        why: failure.what,
        hint: `they need ${failure.need}`,
        exitCode: 3,
      });
    case 'api': {
      const why = `${failure.detail}${failure.requestId === undefined ? '' : ` (${failure.requestId})`}`;
      if (failure.service === 'identity') throw new UserError('Keystone does not let us in.', { why });
      throw new UserError(`${notFound}: ${failure.service} does not answer as it should.`, {
        where: failure.what,
        why: failure.status === undefined ? why : `HTTP ${failure.status}: ${why}`,
        hint: `see whether ${failure.service} runs and can be reached from here`,
        exitCode: 3,
      });
    }
    case 'unreachable':
      throw new UserError(`${notFound}.`, {
        why: failure.detail,
        hint: failure.fix,
        exitCode: failure.detail.startsWith('Keystone ') ? 2 : 3,
      });
    case 'timeout':
      throw new UserError(`${notFound}.`, {
        why: `${failure.what}: no answer in ${failure.seconds} s`,
        hint: failure.what.startsWith('compute ')
          ? 'try again: a cell whose database says nothing keeps Nova waiting for a minute, and then for less; or see what nova-api is busy with, or raise api_timeout in clouds.yaml'
          : 'see what that service is busy with, or raise api_timeout in clouds.yaml',
        exitCode: 3,
      });
    case 'shape':
      throw new UserError(`The answer about ${what} cannot be read.`, {
        where: failure.what,
        why: failure.detail,
        hint: 'try again; if it stays so, something between here and the API changes its answers',
        exitCode: 3,
      });
    case 'not-found':
      throw new UserError(`${notFound}.`, { why: `not found: ${failure.what}`, exitCode: 3 });
    case 'unsupported':
      throw new UserError(`${notFound}.`, { why: failure.because, exitCode: 3 });
    case 'command':
    case 'missing-tool':
    case 'sudo':
    case 'parse':
      throw new Error(`an API answered with the failure of a node: ${failure.kind}`);
    default:
      return unreachable(failure);
  }
}

/** Nova asks Neutron for the security groups of what it lists: with Neutron silent it fails, too, and is not to blame. */
async function blameNetwork(cloud: Cloud, failure: FactFailure, what: string): Promise<void> {
  if (failure.kind !== 'api' || failure.service !== 'compute' || (failure.status ?? 0) < 500) return;
  const network = await cloud.version('network');
  if (network.ok) return;
  const { error } = network;
  throw new UserError(`${what} could not be looked for: network does not answer, and compute cannot list without it.`, {
    why: error.kind === 'api' || error.kind === 'unreachable' ? error.detail : error.kind,
    hint: 'see whether neutron-server runs on the controllers and can be reached from them',
    exitCode: 3,
  });
}

const asSubject = (s: Server, evidence: InstanceSubject['server']['evidence']): InstanceSubject => ({
  kind: 'instance',
  id: s.id,
  name: s.name,
  server: { value: s, evidence },
});

async function byId(cloud: Cloud, id: string): Promise<InstanceSubject | undefined> {
  const found = await twice(() =>
    cloud.get({ service: 'compute', path: `/servers/${encodeURIComponent(id)}`, schema: serverAnswer, microversion }),
  );
  if (found.ok) return asSubject(found.value.value.server, [found.value.evidence]);
  if (found.error.kind === 'not-found') return undefined;
  return refuse(found.error, `instance ${id}`);
}

/** All instances of exactly this name, over all projects where the credentials allow. */
async function byName(cloud: Cloud, name: string): Promise<readonly InstanceSubject[]> {
  const ask = (everywhere: boolean) =>
    twice(() =>
      cloud.list({
        service: 'compute',
        path: '/servers/detail',
        query: { name: exactly(name), ...(everywhere ? { all_tenants: '1' } : {}) },
        items: 'servers',
        schema: server,
        microversion,
        limit: 1000,
      }),
    );
  let found = await ask(true);
  if (!found.ok && (found.error.kind === 'forbidden' || found.error.kind === 'not-found')) found = await ask(false);
  if (!found.ok) {
    await blameNetwork(cloud, found.error, `instance ${name}`);
    return refuse(found.error, `instance ${name}`);
  }
  const { value, evidence } = found.value;
  // One that moves between cells has a record in both for a while, and the pages of a list are asked for one after the other.
  const same = new Map(value.filter((s) => s.name === name).map((s) => [s.id, s]));
  return [...same.values()].map((s) => asSubject(s, [evidence]));
}

/**
 * Ids of the instances whose cell does not answer: Nova knows no name of them, and leaves them out of a list that asks for one
 * (nova/api/openstack/compute/servers.py _is_cell_down_supported). They stand first in the whole list.
 */
async function nameless(cloud: Cloud): Promise<readonly string[]> {
  const ask = (everywhere: boolean) =>
    cloud.list({
      service: 'compute',
      path: '/servers',
      ...(everywhere ? { query: { all_tenants: '1' } } : {}),
      items: 'servers',
      schema: z.looseObject({ id: z.string(), status: z.string().optional() }),
      microversion,
      limit: 1000,
    });
  const all = await ask(true);
  const found = all.ok ? all : await ask(false);
  return found.ok ? found.value.value.filter((s) => s.status === 'UNKNOWN').map((s) => s.id) : [];
}

/** Fails where an instance of this name may be in a cell that does not answer. */
async function refuseBuried(cloud: Cloud, name: string): Promise<void> {
  const hidden = await nameless(cloud);
  if (hidden.length === 0) return;
  const more = hidden.length > 6 ? ` · and ${hidden.length - 6} more` : '';
  throw new UserError(`Whether there is an instance ${name} cannot be told: a cell of Nova does not answer.`, {
    why: `${hidden.length === 1 ? 'of one instance' : `of ${hidden.length} instances`} Nova tells no name until it does: ${hidden.slice(0, 6).join(' · ')}${more}`,
    hint: 'name it by its id; nova-manage cell_v2 list_cells on a controller shows where the databases of the cells are',
    exitCode: 3,
  });
}

async function byAddress(cloud: Cloud, address: string): Promise<readonly InstanceSubject[]> {
  const holders = await holdersOf(cloud, address);
  if (!holders.ok) return refuse(holders.error, `an instance with address ${address}`);
  const owned = holders.value.map((h) => h.port.value).filter((p) => !p.device_owner.startsWith('network:'));
  const ids = [...new Set(owned.map((p) => p.device_id).filter((id) => id !== ''))];
  const instances = await Promise.all(ids.map((id) => byId(cloud, id)));
  return instances.filter((i) => i !== undefined);
}

/** Two of one name: the operator chooses by id. At most four lines, however many there are. */
function ambiguous(reference: string, found: readonly InstanceSubject[]): never {
  const rows = found.map((i) => {
    const s = i.server.value;
    return `${i.id} (project ${s.tenant_id ?? '?'}, ${s.status}, ${s['OS-EXT-SRV-ATTR:host'] ?? 'host hidden or none'})`;
  });
  const shown = rows.slice(0, 6).join(' · ');
  throw new UserError(`${found.length} instances answer to ${reference}.`, {
    why: rows.length > 6 ? `${shown} · and ${rows.length - 6} more` : shown,
    hint: 'name the one you mean by its id',
  });
}

/** The instance with its ports. When they cannot be listed there are none here, and `port.attached` says why. */
async function withPorts(cloud: Cloud, bare: InstanceSubject): Promise<Target> {
  const found = await cloud.list({
    service: 'network',
    path: '/ports',
    query: { device_id: bare.id },
    items: 'ports',
    schema: port,
  });
  if (!found.ok) return { kind: 'instance', instance: bare, ports: [] };
  const { value, evidence } = found.value;
  const instance: InstanceSubject = { ...bare, ports: { value, evidence: [evidence] } };
  return {
    kind: 'instance',
    instance,
    ports: value.map((p) => ({ kind: 'port', id: p.id, port: { value: p, evidence: [evidence] }, instance })),
  };
}

/**
 * Finds what the operator named: an instance by id, name or any address; a port by id where that is allowed. `onHost` is
 * told its host as soon as that is known, so that the handshake overlaps the next answer.
 */
export async function resolveTarget(
  cloud: Cloud,
  reference: string,
  allowPort: boolean,
  onHost: (host: string) => void,
): Promise<Target> {
  let found: readonly InstanceSubject[];
  if (uuid.test(reference)) {
    const instance = await byId(cloud, reference);
    if (instance === undefined && allowPort) {
      const lone = await cloud.get({
        service: 'network',
        path: `/ports/${encodeURIComponent(reference)}`,
        schema: z.looseObject({ port }),
      });
      if (lone.ok) {
        const { value, evidence } = lone.value;
        const owner = value.port.device_owner.startsWith('compute:')
          ? await byId(cloud, value.port.device_id)
          : undefined;
        const subject: PortSubject = {
          kind: 'port',
          id: value.port.id,
          port: { value: value.port, evidence: [evidence] },
          ...(owner === undefined ? {} : { instance: owner }),
        };
        return owner === undefined
          ? { kind: 'port', ports: [subject] }
          : { kind: 'instance', instance: owner, ports: [subject] };
      }
    }
    found = instance === undefined ? [] : [instance];
  } else {
    found = parseAddress(reference) === undefined ? await byName(cloud, reference) : await byAddress(cloud, reference);
  }
  const [instance] = found;
  if (instance === undefined) {
    if (!uuid.test(reference) && parseAddress(reference) === undefined) await refuseBuried(cloud, reference);
    throw new UserError(`No instance ${reference} was found.`, {
      where: `${cloud.name}${cloud.region === undefined ? '' : `/${cloud.region}`}`,
      why: 'no instance has this id, this exact name, or this address in the projects these credentials see',
      hint: 'openstack server list --all-projects',
    });
  }
  if (found.length > 1) ambiguous(reference, found);
  const host = instance.server.value['OS-EXT-SRV-ATTR:host'];
  if (host) onHost(host);
  // A list of instances tells no faults (nova/api/openstack/compute/views/servers.py); one by itself does.
  const whole =
    instance.server.value.status === 'ERROR' && instance.server.value.fault === undefined
      ? await byId(cloud, instance.id)
      : undefined;
  return withPorts(cloud, whole ?? instance);
}
