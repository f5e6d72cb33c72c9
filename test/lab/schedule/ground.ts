import { join } from 'node:path';
import { type Ended, type Lab, lastLine } from '../score/lab.ts';
import type { Cloud, Json, Who } from './cloud.ts';

/** What a request to Nova asks for. */
export interface Asked {
  readonly vcpus?: number;
  readonly ram?: number;
  readonly disk?: number;
  readonly specs?: Readonly<Record<string, string>>;
  /** An image of its own with these properties; without them the image `tiny`. */
  readonly image?: Readonly<Record<string, string>>;
  readonly broken?: boolean;
  readonly zone?: string;
  readonly host?: string;
  readonly hints?: Readonly<Record<string, Json>>;
  /** A network's name or a port's id; none where nobody says. */
  readonly networks?: readonly ({ readonly name: string } | { readonly port: string })[];
  readonly count?: number;
  readonly who?: Who;
}

export interface Made {
  readonly flavor: string;
  readonly image: string;
  readonly body: Json;
  readonly status: number;
  readonly answer: Json;
  readonly request: string | undefined;
  /** All that Nova made for it. */
  readonly servers: readonly string[];
}

export const hosts = ['cmp1', 'cmp2', 'sched-f1', 'sched-f2', 'sched-c2'] as const;
export type HostName = (typeof hosts)[number];
/** The hosts of which a flavor of four VCPU can be had. */
export const big = ['sched-f1', 'sched-c2'] as const;
/** Consumers of allocations that are no instances. */
export const ghosts = ['00000000-5c4e-4d00-8000-000000000001', '00000000-5c4e-4d00-8000-000000000002'] as const;

/** By which hosts and what they share are tied; no aggregate of Nova. */
const shareAggregate = '00000000-5c4e-4d00-8000-0000000000a1';

export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** What the cases stand on: the cloud with its hosts, and everything that cases do to it. */
export class Ground {
  readonly cloud: Cloud;
  readonly lab: Lab;

  constructor(cloud: Cloud, lab: Lab) {
    this.cloud = cloud;
    this.lab = lab;
  }

  async on(host: string, script: string, seconds = 60): Promise<Ended> {
    this.cloud.cut.throwIfAborted();
    return this.lab.run([join(this.lab.place.lab, 'enter.sh'), host, 'bash', '-c', script], seconds);
  }

  /** A verb of hosts.sh. */
  async verb(...words: readonly string[]): Promise<void> {
    this.cloud.cut.throwIfAborted();
    const ran = await this.lab.run(['bash', join(this.lab.place.lab, 'schedule', 'hosts.sh'), ...words], 300);
    if (ran.status !== 0) throw new Error(`hosts.sh ${words.join(' ')}: ${lastLine(ran.err + ran.out)}`);
  }

  async until(what: string, seconds: number, look: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (!(await look())) {
      if (Date.now() > end) throw new Error(`not in ${seconds} s: ${what}`);
      await pause(1500);
    }
  }

  // --- requests

  async flavor(name: string, asked: Asked): Promise<string> {
    const { flavor } = await this.cloud.need('nova', 'POST', '/flavors', {
      flavor: { name, vcpus: asked.vcpus ?? 1, ram: asked.ram ?? 96, disk: asked.disk ?? 1 },
    });
    if (Object.keys(asked.specs ?? {}).length > 0)
      await this.cloud.need('nova', 'POST', `/flavors/${flavor.id}/os-extra_specs`, { extra_specs: asked.specs });
    return flavor.id;
  }

  async image(name: string, properties: Readonly<Record<string, string>>, broken = false): Promise<string> {
    const { images } = await this.cloud.get('glance', '/images?name=tiny');
    const boot = broken ? {} : { kernel_id: images[0].kernel_id, ramdisk_id: images[0].ramdisk_id };
    const image = await this.cloud.need('glance', 'POST', '/images', {
      name,
      disk_format: broken ? 'qcow2' : 'raw',
      container_format: 'bare',
      ...boot,
      ...properties,
    });
    await this.cloud.need('glance', 'PUT', `/images/${image.id}/file`, new Uint8Array(65_536).fill(0x41), {
      type: 'application/octet-stream',
    });
    return image.id;
  }

  async network(name: string): Promise<string> {
    const { networks } = await this.cloud.get('neutron', `/networks?name=${encodeURIComponent(name)}`);
    return networks[0].id;
  }

  /** Makes the flavor and the image, sends the request, waits until what it made is settled. */
  async request(name: string, asked: Asked, flavorName = name): Promise<Made> {
    const made = await this.send(name, asked, flavorName);
    for (const id of made.servers) await this.settled(id, asked.networks === undefined ? 150 : 240);
    return made;
  }

  /** The same without waiting. */
  async send(name: string, asked: Asked, flavorName = name): Promise<Made> {
    const flavor = await this.flavor(flavorName, asked);
    const image =
      asked.image === undefined && asked.broken !== true
        ? (await this.cloud.get('glance', '/images?name=tiny')).images[0].id
        : await this.image(flavorName, asked.image ?? {}, asked.broken);
    const networks =
      asked.networks === undefined
        ? 'none'
        : await Promise.all(
            asked.networks.map(async (n) => ('port' in n ? { port: n.port } : { uuid: await this.network(n.name) })),
          );
    const server: Json = { name, flavorRef: flavor, imageRef: image, networks };
    if (asked.zone !== undefined) server.availability_zone = asked.zone;
    if (asked.host !== undefined) server.host = asked.host;
    if (asked.count !== undefined) {
      server.min_count = asked.count;
      server.max_count = asked.count;
    }
    const body: Json = { server };
    if (asked.hints !== undefined) body['os:scheduler_hints'] = asked.hints;
    const reply = await this.cloud.ask('nova', 'POST', '/servers', body, { who: asked.who ?? 'admin' });
    const servers =
      reply.status >= 300 ? [] : asked.count === undefined ? [reply.body.server.id as string] : await this.named(name);
    return { flavor, image, body, status: reply.status, answer: reply.body, request: reply.request, servers };
  }

  /** Servers of that name, or of `name-1` and so on where one request asked for several. */
  async named(name: string): Promise<string[]> {
    const { servers } = await this.cloud.get('nova', '/servers?all_tenants=1');
    return servers.filter((s: Json) => String(s.name).replace(/-\d+$/, '') === name).map((s: Json) => String(s.id));
  }

  async server(id: string): Promise<Json> {
    return (await this.cloud.get('nova', `/servers/${id}`)).server;
  }

  async settled(id: string, seconds: number): Promise<Json> {
    let server: Json;
    await this.until(`server ${id} settles`, seconds, async () => {
      server = await this.server(id);
      return server.status !== 'BUILD' && !(server.status === 'ERROR' && server['OS-EXT-STS:task_state'] !== null);
    });
    return server;
  }

  /** An instance on a host without a guest, at once. Its flavor is the case's own. */
  async filler(name: string, host: string, asked: Asked): Promise<string> {
    const made = await this.request(name, { ...asked, host });
    const id = made.servers[0];
    if (id === undefined) throw new Error(`${name}: ${JSON.stringify(made.answer)}`);
    const server = await this.server(id);
    if (server.status !== 'ACTIVE') throw new Error(`${name} is ${server.status}: ${server.fault?.message}`);
    return id;
  }

  /** An instance that stays in its build: the agent that would plug its port must not run. */
  async building(name: string, host: string, asked: Asked): Promise<void> {
    const [id = ''] = (await this.send(name, { ...asked, host })).servers;
    await this.until(`${name} spawns`, 60, async () => {
      const server = await this.server(id);
      if (server.status !== 'BUILD') throw new Error(`${name} is ${server.status}: ${server.fault?.message}`);
      return server['OS-EXT-STS:task_state'] === 'spawning';
    });
  }

  async remove(servers: readonly string[]): Promise<void> {
    for (const id of servers) await this.cloud.ask('nova', 'DELETE', `/servers/${id}`);
    for (const id of servers)
      await this.until(`server ${id} is gone`, 90, async () => {
        const { status, body } = await this.cloud.ask('nova', 'GET', `/servers/${id}`);
        if (status !== 404 && body?.server?.status === 'ERROR' && body.server['OS-EXT-STS:task_state'] === null)
          await this.cloud.ask('nova', 'DELETE', `/servers/${id}`);
        return status === 404;
      });
  }

  // --- the cloud

  async services(): Promise<Json[]> {
    return (await this.cloud.get('nova', '/os-services?binary=nova-compute')).services;
  }

  async enable(host: string, enabled: boolean, reason?: string): Promise<void> {
    const service = (await this.services()).find((s: Json) => s.host === host);
    if (service === undefined) throw new Error(`no nova-compute on ${host}`);
    await this.cloud.need('nova', 'PUT', `/os-services/${service.id}`, {
      status: enabled ? 'enabled' : 'disabled',
      ...(reason === undefined || enabled ? {} : { disabled_reason: reason }),
    });
    // Nova tells the compute, which tells Placement.
    const up = service.state === 'up';
    if (up)
      await this.until(`the trait of ${host}`, 20, async () => {
        const { traits } = await this.cloud.get('placement', `/resource_providers/${await this.provider(host)}/traits`);
        return traits.includes('COMPUTE_STATUS_DISABLED') !== enabled;
      });
  }

  async state(host: string, state: 'up' | 'down'): Promise<void> {
    await this.until(`nova-compute on ${host} is ${state}`, 90, async () =>
      (await this.services()).some((s: Json) => s.host === host && s.state === state),
    );
  }

  async stop(...names: readonly string[]): Promise<void> {
    for (const host of names) await this.verb('stop', host);
    for (const host of names) await this.state(host, 'down');
  }

  async start(...names: readonly string[]): Promise<void> {
    for (const host of names) await this.verb('start', host);
    for (const host of names) await this.state(host, 'up');
  }

  async provider(host: string): Promise<string> {
    const { resource_providers } = await this.cloud.get('placement', `/resource_providers?name=${host}`);
    if (resource_providers[0] === undefined) throw new Error(`no provider ${host}`);
    return resource_providers[0].uuid;
  }

  async aggregate(
    name: string,
    of: readonly string[],
    metadata: Readonly<Record<string, string>>,
    zone?: string,
  ): Promise<number> {
    const { aggregate } = await this.cloud.need('nova', 'POST', '/os-aggregates', {
      aggregate: { name, ...(zone === undefined ? {} : { availability_zone: zone }) },
    });
    const act = (body: Json): Promise<Json> =>
      this.cloud.need('nova', 'POST', `/os-aggregates/${aggregate.id}/action`, body);
    if (Object.keys(metadata).length > 0) await act({ set_metadata: { metadata } });
    for (const host of of) await act({ add_host: { host } });
    return aggregate.id;
  }

  /** The L2 agent of a host. systemctl takes patterns for units that run alone. */
  async agent(host: string, verb: 'start' | 'stop'): Promise<void> {
    const enabled = `systemctl list-unit-files --no-legend --state=enabled 'neutron-*-agent.service' | cut -d' ' -f1`;
    await this.on(host, `systemctl ${verb} $(${enabled})`);
  }

  /** An option of nova-scheduler alone; without a value it is as before. */
  async option(section: string, option: string, value?: string): Promise<void> {
    const folder = '/etc/nova/nova-scheduler.conf.d';
    const change =
      value === undefined
        ? `rm -f ${folder}/sched.conf`
        : `mkdir -p ${folder}; printf '%s\\n' '[${section}]' '${option} = ${value}' > ${folder}/sched.conf`;
    await this.on('ctl', `${change}; systemctl restart nova-scheduler`);
    // It takes requests again once it has reported.
    await this.until('nova-scheduler is up', 60, async () => {
      const { services } = await this.cloud.get('nova', '/os-services?binary=nova-scheduler');
      const seen = Date.parse(`${services[0]?.updated_at}Z`);
      return Date.now() - seen < 5000;
    });
  }

  /** A provider that shares disk with these hosts, and is in no aggregate of Nova. */
  async share(name: string, gb: number, of: readonly string[]): Promise<void> {
    const { uuid } = await this.cloud.need('placement', 'POST', '/resource_providers', { name });
    await this.cloud.need('placement', 'PUT', `/resource_providers/${uuid}/inventories`, {
      resource_provider_generation: 0,
      inventories: { DISK_GB: { total: gb, max_unit: gb } },
    });
    await this.cloud.need('placement', 'PUT', `/resource_providers/${uuid}/traits`, {
      resource_provider_generation: 1,
      traits: ['MISC_SHARES_VIA_AGGREGATE'],
    });
    for (const id of [uuid, ...(await Promise.all(of.map((host) => this.provider(host))))])
      await this.join(id, shareAggregate, true);
  }

  /** A provider in an aggregate of Placement's own, or out of it. */
  async join(provider: string, aggregate: string, isIn: boolean): Promise<void> {
    const path = `/resource_providers/${provider}/aggregates`;
    const { aggregates, resource_provider_generation } = await this.cloud.get('placement', path);
    const others = aggregates.filter((a: string) => a !== aggregate);
    if (isIn || others.length < aggregates.length)
      await this.cloud.need('placement', 'PUT', path, {
        aggregates: isIn ? [...others, aggregate] : others,
        resource_provider_generation,
      });
  }

  async inventory(host: string, resource: string, change: Readonly<Record<string, number>>): Promise<void> {
    const uuid = await this.provider(host);
    const { inventories, resource_provider_generation } = await this.cloud.get(
      'placement',
      `/resource_providers/${uuid}/inventories`,
    );
    await this.cloud.need('placement', 'PUT', `/resource_providers/${uuid}/inventories/${resource}`, {
      ...inventories[resource],
      ...change,
      resource_provider_generation,
    });
  }

  async trait(host: string, trait: string, present: boolean): Promise<void> {
    await this.cloud.ask('placement', 'PUT', `/traits/${trait}`);
    const uuid = await this.provider(host);
    const { traits, resource_provider_generation } = await this.cloud.get(
      'placement',
      `/resource_providers/${uuid}/traits`,
    );
    const others = traits.filter((t: string) => t !== trait);
    await this.cloud.need('placement', 'PUT', `/resource_providers/${uuid}/traits`, {
      resource_provider_generation,
      traits: present ? [...others, trait] : others,
    });
  }

  async ghost(consumer: string, host: string, resources: Readonly<Record<string, number>>): Promise<void> {
    await this.cloud.need('placement', 'PUT', `/allocations/${consumer}`, {
      allocations: { [await this.provider(host)]: { resources } },
      project_id: await this.cloud.project('demo'),
      user_id: 'nobody',
      consumer_generation: null,
    });
  }

  async group(name: string, policy: string): Promise<string> {
    const { server_group } = await this.cloud.need('nova', 'POST', '/os-server-groups', {
      server_group: { name, policy },
    });
    return server_group.id;
  }

  async port(name: string, network: string, more: Json = {}): Promise<string> {
    const { port } = await this.cloud.need('neutron', 'POST', '/ports', {
      port: { name, network_id: await this.network(network), project_id: await this.cloud.project('demo'), ...more },
    });
    return port.id;
  }

  /** Whether the project demo may ask for more than it may have otherwise: Nova's quota would refuse before the scheduler hears of it. */
  async quota(lifted: boolean): Promise<void> {
    const path = `/os-quota-sets/${await this.cloud.project('demo')}`;
    if (lifted)
      await this.cloud.need('nova', 'PUT', path, { quota_set: { cores: -1, ram: -1, instances: -1, force: true } });
    else await this.cloud.need('nova', 'DELETE', path);
  }

  /** The inventories of the hosts that are none, as their nova-compute gave them. */
  async restock(): Promise<void> {
    for (const host of ['sched-f1', 'sched-f2', 'sched-c2']) {
      await this.inventory(host, 'MEMORY_MB', { reserved: 512, allocation_ratio: 1 });
      await this.inventory(host, 'VCPU', { reserved: 0, allocation_ratio: 16 });
      await this.inventory(host, 'DISK_GB', { reserved: 0, allocation_ratio: 1 });
    }
  }

  /** Takes away whatever cases have left, in whichever state. `thorough`: also looks whether all services run. */
  async sweep(thorough = true): Promise<void> {
    const mine = (name: unknown): boolean => String(name).startsWith('sched-');
    const quiet = async (work: () => Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        process.stderr.write(`  sweep: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    };
    const present = (await this.services()).filter((s: Json) => mine(s.host)).length > 0;
    if (thorough) {
      if (present) {
        await quiet(() => this.verb('cell-start'));
        for (const s of await this.services())
          if (mine(s.host) && s.state !== 'up') await quiet(() => this.start(s.host));
        await quiet(() => this.verb('discover'));
      }
      for (const s of await this.services()) {
        if (s.status !== 'enabled') await quiet(() => this.enable(s.host, true));
      }
      for (const host of ['cmp1', 'cmp2']) {
        await this.on(host, 'systemctl start nova-compute');
        await this.agent(host, 'start');
      }
    }
    await quiet(async () => {
      const { servers } = await this.cloud.get('nova', '/servers?all_tenants=1');
      await this.remove(servers.filter((s: Json) => mine(s.name)).map((s: Json) => s.id));
    });
    await Promise.all([
      quiet(async () => {
        for (const { id, name, hosts: held } of (await this.cloud.get('nova', '/os-aggregates')).aggregates)
          if (mine(name)) {
            for (const host of held)
              await this.cloud.ask('nova', 'POST', `/os-aggregates/${id}/action`, { remove_host: { host } });
            await this.cloud.ask('nova', 'DELETE', `/os-aggregates/${id}`);
          }
      }),
      quiet(async () => {
        for (const f of (await this.cloud.get('nova', '/flavors?is_public=None')).flavors)
          if (mine(f.name)) await this.cloud.ask('nova', 'DELETE', `/flavors/${f.id}`);
        for (const g of (await this.cloud.get('nova', '/os-server-groups?all_projects=true')).server_groups)
          if (mine(g.name)) await this.cloud.ask('nova', 'DELETE', `/os-server-groups/${g.id}`);
      }),
      quiet(async () => {
        for (const i of (await this.cloud.get('glance', '/images?limit=200')).images)
          if (mine(i.name)) await this.cloud.ask('glance', 'DELETE', `/images/${i.id}`);
      }),
      quiet(async () => {
        for (const p of (await this.cloud.get('neutron', '/ports?fields=id&fields=name')).ports)
          if (mine(p.name)) await this.cloud.ask('neutron', 'DELETE', `/ports/${p.id}`);
        for (const n of (await this.cloud.get('neutron', '/networks?fields=id&fields=name')).networks)
          if (mine(n.name)) {
            for (const p of (await this.cloud.get('neutron', `/ports?network_id=${n.id}`)).ports)
              await this.cloud.ask('neutron', 'DELETE', `/ports/${p.id}`);
            await this.cloud.ask('neutron', 'DELETE', `/networks/${n.id}`);
          }
      }),
      quiet(async () => {
        const { resource_providers } = await this.cloud.get(
          'placement',
          `/resource_providers?member_of=${shareAggregate}`,
        );
        for (const { uuid, name } of resource_providers) {
          await this.join(uuid, shareAggregate, false);
          if (!hosts.some((host) => host === name))
            await this.cloud.ask('placement', 'DELETE', `/resource_providers/${uuid}`);
        }
        for (const consumer of ghosts) await this.cloud.ask('placement', 'DELETE', `/allocations/${consumer}`);
        await this.cloud.ask('placement', 'DELETE', '/resource_classes/CUSTOM_SCHED_FPGA');
        const { traits } = await this.cloud.get('placement', '/traits?name=startswith:CUSTOM_SCHED');
        for (const trait of traits) {
          for (const host of hosts) if (present || !mine(host)) await this.trait(host, trait, false);
          await this.cloud.ask('placement', 'DELETE', `/traits/${trait}`);
        }
        if (present && thorough) await this.restock();
      }),
    ]);
  }
}
