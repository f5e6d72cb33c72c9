import { z } from 'zod';
import { observed } from '../engine/fact.ts';
import { unreachable } from '../engine/result.ts';
import {
  type Atlas,
  type AtlasNetwork,
  type AtlasPort,
  type AtlasRouter,
  type Floating,
  type Known,
  known,
  type PortRules,
  type Want,
} from '../path/reach/atlas.ts';
import type { Question } from '../path/reach/question.ts';
import { type Reach, reach } from '../path/reach/reach.ts';
import { groupFromApi } from '../path/secgroup/from-api.ts';
import { type Store, source } from './io.ts';
import {
  floatingIps,
  networkById,
  remoteMembers,
  routerById,
  routerPortsOf,
  securityGroups,
  servicePortsOf,
  subnetsOf,
} from './port-api.ts';
import { floatingFromApi, networkFromApi, ownerOf, portFromApi, routerFromApi } from './reach/from-api.ts';
import { knownOf, unseen } from './reach/known.ts';
import { serverAnswer } from './schemas/compute.ts';
import { floatingIp, type Port, port as portSchema, type Subnet, subnet } from './schemas/network.ts';
import { computeHostOf, type PortSubject, shortId } from './subject.ts';

/** Answers questions about packets, and asks the APIs for what the answer turns out to depend on, each thing once. */
export interface Surveyor {
  /** Puts a port on the map and gives the name that a person knows it by. */
  add(subject: PortSubject): Promise<string>;
  answer(question: Question): Promise<Reach>;
  /** What decides who is let in to a port that was added. */
  rulesOf(subject: PortSubject): Promise<Known<PortRules>>;
}

/** Routers in a row times the few things each of them is asked about; a map that never gets whole is given up. */
const mostRounds = 64;

export function surveyor(facts: Store): Surveyor {
  const maps = {
    ports: new Map<string, AtlasPort>(),
    networks: new Map<string, Known<AtlasNetwork>>(),
    routers: new Map<string, Known<AtlasRouter>>(),
    rules: new Map<string, Known<PortRules>>(),
    floatings: new Map<string, Known<readonly Floating[]>>(),
    floatingAt: new Map<string, Known<Floating | undefined>>(),
    services: new Map<string, Known<readonly string[]>>(),
    holders: new Map<string, Known<string | undefined>>(),
  } satisfies Atlas;
  const subjects = new Map<string, PortSubject>();

  const put = async (p: Port, evidence: PortSubject['port']['evidence']): Promise<void> => {
    if (maps.ports.has(p.id)) return;
    subjects.set(p.id, { kind: 'port', id: p.id, port: { value: p, evidence } });
    maps.ports.set(p.id, portFromApi(p, await nameOf(facts, p), undefined));
  };

  const floatingsOf = async (id: string): Promise<void> => {
    const subject = subjects.get(id);
    if (subject === undefined) return;
    const found = knownOf(await facts.get(floatingIps, subject), (list) => list.map(floatingFromApi));
    maps.floatings.set(id, found);
    if (found.known) for (const f of found.value) maps.floatingAt.set(f.address, known(f));
  };

  const holderOf = async (key: string): Promise<void> => {
    const [network = '', address = ''] = key.split(' ');
    const answer = await facts.io.cloud.list({
      service: 'network',
      path: '/ports',
      query: { network_id: network, fixed_ips: `ip_address=${address}` },
      items: 'ports',
      schema: portSchema,
    });
    if (!answer.ok) {
      maps.holders.set(key, unseen(answer.error));
      return;
    }
    // The port of a floating address stands for its router, which is found by the address itself.
    const held = answer.value.value.find((p) => p.device_owner !== 'network:floatingip');
    if (held !== undefined) await put(held, [answer.value.evidence]);
    maps.holders.set(key, known(held?.id));
  };

  const floatingAt = async (address: string): Promise<void> => {
    const answer = await facts.io.cloud.list({
      service: 'network',
      path: '/floatingips',
      query: { floating_ip_address: address },
      items: 'floatingips',
      schema: floatingIp,
    });
    const found: Known<Floating | undefined> = answer.ok
      ? known(answer.value.value.map(floatingFromApi)[0])
      : unseen(answer.error);
    maps.floatingAt.set(address, found);
  };

  const fill = async ({ of, key }: Want): Promise<void> => {
    switch (of) {
      case 'networks': {
        const [network, subnets] = await Promise.all([facts.get(networkById, key), facts.get(subnetsOf, key)]);
        const outer = network.ok && subnets.ok ? [] : await routersSubnets(facts, maps, key);
        maps.networks.set(key, networkFromApi(network, subnets, outer));
        return;
      }
      case 'routers': {
        const [router, ports] = await Promise.all([facts.get(routerById, key), facts.get(routerPortsOf, key)]);
        maps.routers.set(
          key,
          !router.ok ? unseen(router.error) : knownOf(ports, (list) => routerFromApi(router.value.value, list)),
        );
        return;
      }
      case 'services': {
        const found = await facts.get(servicePortsOf, key);
        if (found.ok) await Promise.all(found.value.value.map((p) => put(p, found.value.evidence)));
        maps.services.set(
          key,
          knownOf(found, (list) => list.map((p) => p.id)),
        );
        return;
      }
      case 'rules': {
        const subject = subjects.get(key);
        if (subject !== undefined) maps.rules.set(key, await rulesOf(facts, subject));
        return;
      }
      case 'floatings':
        return floatingsOf(key);
      case 'floatingAt':
        return floatingAt(key);
      case 'holders':
        return holderOf(key);
      default:
        return unreachable(of);
    }
  };

  return {
    async add(subject) {
      const name = subject.instance?.name ?? (await nameOf(facts, subject.port.value));
      subjects.set(subject.id, subject);
      maps.ports.set(subject.id, portFromApi(subject.port.value, name, computeHostOf(subject)));
      return name;
    },
    async answer(question) {
      for (let round = 0; round < mostRounds; round += 1) {
        const found = reach(maps, question);
        if (found.wants.length === 0) return found;
        // What a router tells of its external network stands in where the network itself may not be seen.
        const [routers, others] = [true, false].map((are) => found.wants.filter((w) => (w.of === 'routers') === are));
        await Promise.all((routers ?? []).map(fill));
        await Promise.all((others ?? []).map(fill));
      }
      return reach(maps, question);
    },
    async rulesOf(subject) {
      const found = maps.rules.get(subject.id) ?? (await rulesOf(facts, subject));
      maps.rules.set(subject.id, found);
      return found;
    },
  };
}

async function nameOf(facts: Store, p: Port): Promise<string> {
  const owner = ownerOf(p);
  switch (owner) {
    case 'router': {
      const found = await facts.get(routerById, p.device_id);
      return `router ${found.ok ? found.value.value.name : shortId(p.device_id)}`;
    }
    case 'dhcp':
      return 'the DHCP server';
    case 'metadata':
      return 'the metadata port';
    case 'instance': {
      const found = await facts.io.cloud.get({
        service: 'compute',
        path: `/servers/${encodeURIComponent(p.device_id)}`,
        schema: serverAnswer,
        microversion: '2.79',
      });
      return found.ok ? found.value.value.server.name : `instance ${shortId(p.device_id)}`;
    }
    case 'other':
      return `port ${shortId(p.id)}`;
  }
}

const subnetById = source<string, Subnet>(
  'subnet',
  (id) => id,
  async (id, facts) => {
    const answer = await facts.io.cloud.get({
      service: 'network',
      path: `/subnets/${encodeURIComponent(id)}`,
      schema: z.looseObject({ subnet }),
    });
    return answer.ok ? observed(answer.value.value.subnet, answer.value.evidence) : answer;
  },
);

/** A subnet of an external network may be recorded where the network itself is not: it was asked for with its router. */
async function routersSubnets(
  facts: Store,
  maps: { readonly routers: ReadonlyMap<string, Known<AtlasRouter>> },
  networkId: string,
): Promise<readonly Subnet[]> {
  const ids = [...maps.routers.values()].flatMap((r) =>
    r.known && r.value.gateway?.networkId === networkId ? r.value.gateway.addresses.map((a) => a.subnetId) : [],
  );
  const found = await Promise.all([...new Set(ids)].map((id) => facts.get(subnetById, id)));
  return found.flatMap((s) => (s.ok ? [s.value.value] : []));
}

/** The groups of a port and who is a member of those that their rules name. */
async function rulesOf(facts: Store, subject: PortSubject): Promise<Known<PortRules>> {
  const groups = await facts.get(securityGroups, subject);
  if (!groups.ok) return unseen(groups.error);
  const own = groups.value.value.map(groupFromApi);
  const asks = own.flatMap((g) => g.rules.flatMap((r) => r.remoteAddressGroupId ?? []));
  const [remote, ...lists] = await Promise.all([
    facts.get(remoteMembers, subject),
    ...[...new Set(asks)].map(async (id) => [id, await addressGroup(facts, id)] as const),
  ]);
  const members = new Map(remote.ok ? remote.value.value : []);
  for (const [id, addresses] of lists) if (addresses !== undefined) members.set(id, addresses);
  return known({ groups: own, members });
}

const addressGroupAnswer = z.looseObject({ address_group: z.looseObject({ addresses: z.array(z.string()) }) });

async function addressGroup(facts: Store, id: string): Promise<readonly string[] | undefined> {
  const answer = await facts.io.cloud.get({
    service: 'network',
    path: `/address-groups/${encodeURIComponent(id)}`,
    schema: addressGroupAnswer,
  });
  return answer.ok ? answer.value.value.address_group.addresses : undefined;
}
