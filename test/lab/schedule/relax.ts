import type { Relaxation, ScheduleChange } from '../../../src/engine/schedule.ts';
import type { Asked, Ground } from './ground.ts';

/** A change that this lab cannot make: an agent on a host that has no network, a cable. */
export class CannotBeMade extends Error {}

const without = <T>(record: Readonly<Record<string, T>> | undefined, key: string): Record<string, T> =>
  Object.fromEntries(Object.entries(record ?? {}).filter(([k]) => k !== key));

/** The spec as the request has it: the doctor may name it with the namespace of whence Nova took it. */
const specKey = (asked: Asked, key: string): string =>
  asked.specs?.[key] === undefined && asked.image?.[key] === undefined ? `trait:${key}` : key;

/** Makes one change: returns the request as it is then asked, after the cloud was changed where that is meant. */
async function change(ground: Ground, asked: Asked, c: ScheduleChange): Promise<Asked> {
  const { cloud } = ground;
  switch (c.kind) {
    case 'resource':
      switch (c.resource) {
        case 'VCPU':
        case 'PCPU':
          return { ...asked, vcpus: c.atMost };
        case 'MEMORY_MB':
          return { ...asked, ram: c.atMost };
        case 'DISK_GB':
          return { ...asked, disk: c.atMost };
        default: {
          const key = `resources:${c.resource}`;
          const others = without(asked.specs, key);
          return { ...asked, specs: c.atMost > 0 ? { ...others, [key]: String(c.atMost) } : others };
        }
      }
    case 'extra-spec': {
      const others = without(asked.specs, specKey(asked, c.key));
      return { ...asked, specs: c.instead === undefined ? others : { ...others, [c.instead.key]: c.instead.value } };
    }
    case 'image-property': {
      const others = without(asked.image, specKey(asked, c.key));
      return { ...asked, image: c.instead === undefined ? others : { ...others, [c.key]: c.instead } };
    }
    case 'zone': {
      const { zone: _zone, ...rest } = asked;
      return c.instead === undefined ? rest : { ...rest, zone: c.instead };
    }
    case 'host': {
      const { host, zone, ...rest } = asked;
      const forced = zone?.includes(':') === true;
      if (c.instead === undefined) return forced ? rest : { ...rest, ...(zone === undefined ? {} : { zone }) };
      if (forced) return { ...rest, zone: `${zone.split(':')[0]}:${c.instead}` };
      return { ...rest, ...(zone === undefined ? {} : { zone }), ...(host === undefined ? {} : { host: c.instead }) };
    }
    case 'hint': {
      const { hints, ...rest } = asked;
      const left = without(hints, c.name);
      return Object.keys(left).length === 0 ? rest : { ...rest, hints: left };
    }
    case 'group': {
      const { hints, ...rest } = asked;
      const left = without(hints, 'group');
      if (c.instead !== undefined) left.group = await ground.group('sched-instead', c.instead);
      return Object.keys(left).length === 0 ? rest : { ...rest, hints: left };
    }
    case 'count':
      return { ...asked, count: c.atMost };
    case 'network': {
      const { networks, ...rest } = asked;
      const id = await ground.network(c.network).catch(() => c.network);
      const left = [];
      for (const n of networks ?? []) if ('port' in n || (await ground.network(n.name)) !== id) left.push(n);
      return left.length === 0 ? rest : { ...rest, networks: left };
    }
    case 'port': {
      const { networks, ...rest } = asked;
      const left = (networks ?? []).filter((n) => !('port' in n && n.port.startsWith(c.port)));
      return left.length === 0 ? rest : { ...rest, networks: left };
    }
    case 'service-enabled':
      await ground.enable(c.host, true);
      return asked;
    case 'service-up':
      if (c.host.startsWith('sched-')) await ground.start(c.host);
      else {
        await ground.on(c.host, 'systemctl start nova-compute');
        await ground.state(c.host, 'up');
      }
      return asked;
    case 'aggregate-property':
    case 'aggregate-host': {
      const { aggregates } = await cloud.get('nova', '/os-aggregates');
      const found = aggregates.find(
        (a: { readonly id: number; readonly name: string; readonly uuid: string }) =>
          a.name === c.aggregate || String(a.id) === c.aggregate || a.uuid === c.aggregate,
      );
      if (found === undefined) throw new Error(`no aggregate ${c.aggregate}`);
      if (c.kind === 'aggregate-property')
        await cloud.need('nova', 'POST', `/os-aggregates/${found.id}/action`, {
          set_metadata: { metadata: { [c.key]: c.value === '' ? null : c.value } },
        });
      else if (c.mirror === true) {
        const uuid = await ground.provider(c.host);
        const path = `/resource_providers/${uuid}/aggregates`;
        const { aggregates: of, resource_provider_generation } = await cloud.get('placement', path);
        await cloud.need('placement', 'PUT', path, {
          aggregates: [...of, found.uuid],
          resource_provider_generation,
        });
      } else
        await cloud.need('nova', 'POST', `/os-aggregates/${found.id}/action`, {
          [found.hosts.includes(c.host) ? 'remove_host' : 'add_host']: { host: c.host },
        });
      return asked;
    }
    case 'trait':
      await ground.trait(c.host, c.trait, c.present);
      return asked;
    case 'inventory':
      await ground.inventory(c.host, c.resource, { [c.field]: c.to });
      return asked;
    case 'allocation':
      await cloud.need('placement', 'DELETE', `/allocations/${c.consumer}`);
      return asked;
    case 'discover':
      // The database as `undiscover` left it says that the host is mapped already.
      await ground.verb('rediscover', c.host);
      return asked;
    case 'cell':
      await ground.verb('cell-start');
      await ground.verb('cell-enable');
      for (const s of await ground.services()) if (s.host === 'sched-c2') await ground.state('sched-c2', 'up');
      return asked;
    case 'agent': {
      const ran = await ground.on(c.host, `systemctl start ${c.binary}`);
      if (ran.status !== 0) throw new CannotBeMade(`${c.binary} on ${c.host}`);
      return asked;
    }
    case 'mapping':
      throw new CannotBeMade(`${c.physicalNetwork} on ${c.host}`);
    case 'filter':
      throw new CannotBeMade(`without ${c.filter}`);
  }
}

/** The request as it is asked after everything that the relaxation names was changed. */
export async function relaxed(ground: Ground, asked: Asked, relaxation: Relaxation): Promise<Asked> {
  let now = asked;
  for (const c of relaxation.changes) now = await change(ground, now, c);
  return now;
}
