import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/engine/error.ts';
import type { FactResult } from '../../../src/engine/fact.ts';
import { namedHost } from '../../../src/facts/schedule/said.ts';
import { wishOfInstance, wishOfOptions } from '../../../src/facts/schedule/wish.ts';
import { theCloud } from '../../../src/facts/subject.ts';
import type { Wish } from '../../../src/schedule/wish.ts';
import { type Body, type CaseOptions, caseOf, recorded } from './recorded-case.ts';

const of = (fact: FactResult<Wish>): Wish => {
  if (!fact.ok) throw new Error(JSON.stringify(fact.error));
  return fact.value.value;
};

const ofInstance = async (name: string, options: CaseOptions = {}): Promise<Wish> => {
  const { facts, subject } = caseOf(name, options);
  return of(await facts.get(wishOfInstance, subject));
};

const asking = { networks: [], hints: [], count: 1 };
const ofFlags = async (wish: Body, answers: CaseOptions['answers'] = {}): Promise<Wish> => {
  const { facts } = caseOf('ram', { options: { wish: { ...asking, ...wish } }, answers });
  return of(await facts.get(wishOfOptions, theCloud));
};

const serverOf = (name: string): Body => recorded(`${name}/servers.json`).servers[0];

describe('what an instance asked of the scheduler', () => {
  it('is its flavor, its image with all properties, and its project', async () => {
    const wish = await ofInstance('image-trait');
    expect(wish).toMatchObject({ name: 'sched-vm', count: 1, fromVolume: false, ports: [], hints: {} });
    expect(wish.project).toBe(serverOf('image-trait').tenant_id);
    expect(Object.keys(wish.image?.properties ?? {}).some((key) => key.startsWith('trait:'))).toBe(true);
    expect(wish.image?.properties).not.toHaveProperty('checksum');
    expect(wish.zone).toBeUndefined();
    const { flavor } = await ofInstance('trait-required');
    expect(Object.keys(flavor.extraSpecs)[0]).toMatch(/^trait:/);
  });

  it('was asked for at a time, by somebody: by name where Keystone tells it, by id where not', async () => {
    const { created, user_id: id } = serverOf('ram');
    const user = { id, name: 'demo' };
    expect((await ofInstance('ram', { answers: { [`/users/${id}`]: { user } } })).made).toEqual({
      at: created,
      by: 'demo',
    });
    expect((await ofInstance('ram', { answers: { [`/users/${id}`]: 403 } })).made).toEqual({ at: created, by: id });
  });

  it('is a move where it has a host and another is named', async () => {
    const { id } = serverOf('ram');
    const server = { ...serverOf('ram'), status: 'ACTIVE', 'OS-EXT-SRV-ATTR:host': 'cmp1' };
    const options = { wish: { ...asking, host: 'cmp2' } };
    const wish = await ofInstance('ram', { options, answers: { [`/servers/${id}`]: { server } } });
    expect(wish).toMatchObject({ movesFrom: 'cmp1', destination: { kind: 'requested', host: 'cmp2' } });
    expect((await ofInstance('ram', { options })).movesFrom).toBeUndefined();
  });

  it('is not all that the API tells, and says what is lacking', async () => {
    const { hidden } = await ofInstance('ram');
    expect(hidden).toEqual([
      'the networks that were asked for (--network)',
      'scheduler hints (--hint)',
      'a host that was asked for (--host)',
    ]);
  });

  it('has its server group with the hosts of the other members', async () => {
    const server = { ...serverOf('ram'), server_groups: ['g1'] };
    const group = {
      id: 'g1',
      name: 'web',
      policy: 'anti-affinity',
      rules: { max_server_per_host: 2 },
      members: [server.id, 'm1', 'm2', 'm3'],
    };
    const member = (id: string, host: string | null) => ({
      server: { id, name: id, status: 'ACTIVE', 'OS-EXT-SRV-ATTR:host': host },
    });
    const wish = await ofInstance('ram', {
      answers: {
        [`/servers/${server.id}`]: { server },
        '/os-server-groups/g1': { server_group: group },
        '/servers/m1': member('m1', 'cmp1'),
        '/servers/m2': member('m2', 'cmp1'),
        '/servers/m3': member('m3', null),
      },
    });
    expect(wish.group).toEqual({
      id: 'g1',
      name: 'web',
      policy: 'anti-affinity',
      maxPerHost: 2,
      memberHosts: ['cmp1', 'cmp1'],
    });
  });

  it('does not take the zone of its host for the zone it asked for', async () => {
    const server = { ...serverOf('ram'), 'OS-EXT-SRV-ATTR:host': 'cmp1', 'OS-EXT-AZ:availability_zone': 'nova' };
    const path = `/servers/${server.id}`;
    const shown = await ofInstance('ram', { answers: { [path]: { server } } });
    expect(shown.zone).toBeUndefined();
    expect(shown.hidden).toContain('the availability zone that was asked for (--az)');
    const pinned = { ...server, pinned_availability_zone: 'az1', scheduler_hints: { same_host: ['a', 'b'] } };
    const told = await ofInstance('ram', { answers: { [path]: { server: pinned } } });
    expect(told.zone).toBe('az1');
    expect(told.hints).toEqual({ same_host: ['a', 'b'] });
    expect(told.hidden).not.toContain('scheduler hints (--hint)');
    const unplaced = { ...server, 'OS-EXT-SRV-ATTR:host': null, 'OS-EXT-AZ:availability_zone': 'az2' };
    expect((await ofInstance('ram', { answers: { [path]: { server: unplaced } } })).zone).toBe('az2');
  });

  it('has ports, with where they are bound and what they ask for', async () => {
    const port = {
      id: 'p1',
      network_id: 'n1',
      mac_address: 'fa:16:3e:00:00:01',
      admin_state_up: true,
      status: 'DOWN',
      device_id: 'x',
      device_owner: '',
      fixed_ips: [],
      'binding:host_id': 'cmp9',
      'binding:vnic_type': 'direct',
      resource_request: { request_groups: [{ id: 'r', required: ['CUSTOM_VNIC_TYPE_DIRECT'], resources: {} }] },
    };
    const network = {
      id: 'n1',
      name: 'storage',
      admin_state_up: true,
      subnets: [],
      segments: [
        { 'provider:network_type': 'vlan', 'provider:physical_network': 'physnet1' },
        { 'provider:network_type': 'vxlan', 'provider:physical_network': null },
      ],
    };
    const wish = await ofInstance('ram', { answers: { '/ports': { ports: [port] }, '/networks/n1': { network } } });
    expect(wish.ports).toEqual([
      {
        id: 'p1',
        network: 'n1',
        networkName: 'storage',
        vnicType: 'direct',
        segments: [{ type: 'vlan', physicalNetwork: 'physnet1' }, { type: 'vxlan' }],
        boundTo: 'cmp9',
        resourceRequest: port.resource_request,
      },
    ]);
    expect(wish.hidden).not.toContain('the networks that were asked for (--network)');
  });

  it('keeps what Nova remembers of an image that is gone', async () => {
    const server = serverOf('ram');
    server.image.properties = { hw_machine_type: 'q35' };
    const answers = { [`/servers/${server.id}`]: { server }, [`/images/${server.image.id}`]: 404 };
    expect((await ofInstance('ram', { answers })).image?.properties).toEqual({ hw_machine_type: 'q35' });
  });

  it('from a volume takes no disk of the host, and has the image of the volume', async () => {
    const server = { ...serverOf('ram'), image: '', 'os-extended-volumes:volumes_attached': [{ id: 'v1' }] };
    const metadata = { image_id: 'i1', image_name: 'win', min_ram: '2048', hw_disk_bus: 'scsi', checksum: 'x' };
    const answers = {
      [`/servers/${server.id}`]: { server },
      '/volumes/v1': { volume: { volume_image_metadata: metadata } },
    };
    const wish = await ofInstance('ram', { answers });
    expect(wish.fromVolume).toBe(true);
    expect(wish.image).toEqual({
      id: 'i1',
      name: 'win',
      minRamMb: 2048,
      minDiskGb: 0,
      properties: { hw_disk_bus: 'scsi' },
    });
  });

  it('is completed by the flags beside it', async () => {
    const wish = { ...asking, hints: ['same_host=a', 'same_host=b'], zone: 'az1', host: 'cmp2', networks: [] };
    const servers = [
      { id: 'id-of-a', name: 'a' },
      { id: 'id-of-b', name: 'b' },
    ];
    const found = await ofInstance('ram', { options: { wish }, answers: { '/servers': { servers } } });
    expect(found).toMatchObject({
      zone: 'az1',
      destination: { kind: 'requested', host: 'cmp2' },
      hints: { same_host: ['id-of-a', 'id-of-b'] },
    });
    expect(found.hidden).toEqual(['the networks that were asked for (--network)']);
  });
});

describe('a host that a request named', () => {
  const said = (text: string) =>
    namedHost([`2026-11-21 12:54:38.829 4135 INFO nova.scheduler.host_manager [None r] ${text}`]);
  it('is told by the log of the scheduler, as it was asked for', () => {
    expect(said('Host filter only checking host cmp1 and node cmp1.example.com')).toEqual({
      kind: 'requested',
      host: 'cmp1',
      node: 'cmp1.example.com',
    });
    expect(said('No hosts matched due to not matching requested destination (cmp1, None)')).toEqual({
      kind: 'requested',
      host: 'cmp1',
    });
    expect(said('Host filter forcing available hosts to cmp2')).toEqual({ kind: 'force', host: 'cmp2' });
    expect(said("No hosts matched due to not matching 'force_hosts' value of 'gone'")).toEqual({
      kind: 'force',
      host: 'gone',
    });
    expect(said("No nodes matched due to not matching 'force_nodes' value of 'n1'")).toEqual({
      kind: 'force',
      node: 'n1',
    });
    expect(said('Host filter ignoring hosts: cmp1')).toBeUndefined();
  });

  it('is none where the filters ran and the log says nothing of one', async () => {
    const { hidden, destination } = await ofInstance('dead');
    expect(destination).toBeUndefined();
    expect(hidden).not.toContain('a host that was asked for (--host)');
  });
});

describe('what flags ask of the scheduler', () => {
  it('is the flavor with its extra specs, for the project of the credentials', async () => {
    const flavor = { ...recorded('ram/flavor.json').flavor, extra_specs: { 'hw:cpu_policy': 'dedicated' } };
    const wish = await ofFlags({ flavor: flavor.id, count: 3 }, { '/flavors/detail': { flavors: [flavor] } });
    expect(wish).toMatchObject({ name: flavor.name, project: 'p', count: 3, ports: [], hidden: [] });
    expect(wish.flavor).toMatchObject({ ramMb: 40000, extraSpecs: { 'hw:cpu_policy': 'dedicated' } });
  });

  it('takes a zone, a host and a node in the forms that Nova takes', async () => {
    const { name: flavor } = recorded('ram/flavor.json').flavor;
    expect(await ofFlags({ flavor, zone: 'az1' })).toMatchObject({ zone: 'az1' });
    const forced = await ofFlags({ flavor, zone: 'az1:cmp1' });
    expect(forced).toMatchObject({ zone: 'az1', destination: { kind: 'force', host: 'cmp1' } });
    const node = await ofFlags({ flavor, zone: 'az1::n1' });
    expect(node.destination).toEqual({ kind: 'force', node: 'n1' });
  });

  it('finds a network without an address', async () => {
    const { name: flavor } = recorded('ram/flavor.json').flavor;
    const network = { id: 'n1', name: 'full', admin_state_up: true, subnets: ['s'], 'provider:network_type': 'vlan' };
    const use = { subnet_ip_availability: [{ cidr: '10.0.0.0/29', total_ips: 5, used_ips: 5 }] };
    const wish = await ofFlags(
      { flavor, networks: ['full'] },
      {
        '/networks': { networks: [network] },
        '/network-ip-availabilities/n1': { network_ip_availability: use },
      },
    );
    expect(wish.ports).toEqual([
      {
        network: 'n1',
        networkName: 'full',
        vnicType: 'normal',
        segments: [{ type: 'vlan' }],
        withoutAddress: '5 of 5 addresses of 10.0.0.0/29 are taken',
      },
    ]);
  });

  it('finds a server group by its name', async () => {
    const { name: flavor } = recorded('ram/flavor.json').flavor;
    const group = { id: 'g1', name: 'web', policies: ['affinity'], members: [] };
    const wish = await ofFlags({ flavor, hints: ['group=web'] }, { '/os-server-groups': { server_groups: [group] } });
    expect(wish.group).toEqual({ id: 'g1', name: 'web', policy: 'affinity', maxPerHost: 1, memberHosts: [] });
    expect(wish.hints).toEqual({ group: ['g1'] });
  });

  it('says in words what is not there, is there twice, or is no hint', async () => {
    const { flavor } = recorded('ram/flavor.json');
    await expect(ofFlags({ flavor: 'none' })).rejects.toThrow(UserError);
    await expect(ofFlags({ flavor: 'none' })).rejects.toThrow('No flavor none was found.');
    const twice = { '/flavors/detail': { flavors: [flavor, { ...flavor, id: 'other' }] } };
    await expect(ofFlags({ flavor: flavor.name }, twice)).rejects.toThrow(`2 flavors are called ${flavor.name}.`);
    expect((await ofFlags({ flavor: 'other' }, twice)).name).toBe(flavor.name);
    await expect(ofFlags({ flavor: flavor.name, hints: ['group'] })).rejects.toThrow('is not a scheduler hint');
    await expect(ofFlags({})).rejects.toThrow('no flavor was named');
  });
});
