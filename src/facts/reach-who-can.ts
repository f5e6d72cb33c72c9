import { type Family, familyOf, parseAddress } from '../path/addresses.ts';
import { type WhoCan, whoCan } from '../path/reach/who-can.ts';
import { portSecurityFromApi } from '../path/secgroup/from-api.ts';
import type { ProbeOption, Store } from './io.ts';
import { surveyor } from './reach.ts';
import { serverAnswer } from './schemas/compute.ts';
import { type Port, port as portSchema } from './schemas/network.ts';
import { type PortSubject, shortId } from './subject.ts';

/** Somebody who is let in as a member of a remote group. */
export interface Member {
  readonly address: string;
  readonly name: string;
}

export interface WhoCanAnswer {
  readonly port: { readonly id: string; readonly name: string; readonly addresses: readonly string[] };
  readonly probe: ProbeOption;
  readonly families: readonly WhoCan[];
  /** Of the remote groups that let somebody in, by id. */
  readonly members: ReadonlyMap<string, readonly Member[]>;
  /** Nothing was left unknown. */
  readonly certain: boolean;
  /** Why nothing can be said, where the groups could not be read. */
  readonly because?: string;
}

const echo = { 4: 8, 6: 128 } as const;

/** Which sources the groups of these ports let in, with the names of the members of remote groups. */
export async function whoCanReach(
  facts: Store,
  ports: readonly PortSubject[],
  probes: readonly ProbeOption[],
  family: Family | undefined,
): Promise<readonly WhoCanAnswer[]> {
  const map = surveyor(facts);
  const answers = await Promise.all(
    ports.map(async (subject) => {
      const name = await map.add(subject);
      const rules = await map.rulesOf(subject);
      const security = portSecurityFromApi(subject.port.value);
      const addresses = subject.port.value.fixed_ips.map((f) => f.ip_address);
      const families = [...new Set(addresses.flatMap((a) => familyOf(a) ?? []))].sort();
      const groups = rules.known ? rules.value.groups : [];
      const listed = rules.known ? rules.value.members : new Map<string, readonly string[]>();
      return Promise.all(
        probes.map(async (probe): Promise<WhoCanAnswer> => {
          const each = families
            .filter((f) => family === undefined || f === family)
            .map((f) => {
              // A client has a port of its own that no DHCP server has.
              const icmp = probe.protocol === 'icmp' ? { icmpType: echo[f], icmpCode: 0 } : { sourcePort: 49_152 };
              return whoCan({ ...probe, ...icmp }, f, security, groups, (id) => listed.get(id));
            });
          const remote = new Set(each.flatMap((w) => w.sources.flatMap((s) => s.memberOf ?? [])));
          const members = new Map(
            await Promise.all([...remote].map(async (id) => [id, await membersOf(facts, id)] as const)),
          );
          return {
            port: { id: subject.id, name, addresses },
            probe,
            families: each,
            members,
            certain: each.every((w) => w.extent !== 'not-known' && w.open.length === 0 && w.unseenGroups.length === 0),
            ...(rules.known ? {} : { because: rules.because }),
          };
        }),
      );
    }),
  );
  return answers.flat();
}

/** More names than that nobody reads, and each costs a request. */
const mostNames = 20;

async function membersOf(facts: Store, groupId: string): Promise<readonly Member[]> {
  const answer = await facts.io.cloud.list({
    service: 'network',
    path: '/ports',
    query: { security_groups: groupId },
    items: 'ports',
    schema: portSchema,
  });
  if (!answer.ok) return [];
  const ports = answer.value.value;
  const servers = [...new Set(ports.filter((p) => p.device_owner.startsWith('compute:')).map((p) => p.device_id))];
  const names = new Map(
    await Promise.all(servers.slice(0, mostNames).map(async (id) => [id, await serverName(facts, id)] as const)),
  );
  return ports.flatMap((p) => {
    const name = names.get(p.device_id) ?? portName(p);
    return [...p.fixed_ips.map((f) => f.ip_address), ...(p.allowed_address_pairs ?? []).map((a) => a.ip_address)]
      .filter((a) => a.includes('/') || parseAddress(a) !== undefined)
      .map((address) => ({ address, name }));
  });
}

const portName = (p: Port): string =>
  p.device_id === '' ? `port ${shortId(p.id)}` : `instance ${shortId(p.device_id)}`;

async function serverName(facts: Store, id: string): Promise<string> {
  const found = await facts.io.cloud.get({
    service: 'compute',
    path: `/servers/${encodeURIComponent(id)}`,
    schema: serverAnswer,
    microversion: '2.79',
  });
  return found.ok ? found.value.value.server.name : `instance ${shortId(id)}`;
}
