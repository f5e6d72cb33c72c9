import type { Evidence } from '../engine/evidence.ts';
import { type FactResult, mapFact } from '../engine/fact.ts';
import type { FactFailure } from '../engine/failure.ts';
import { ok } from '../engine/result.ts';
import type { InterfaceAddress } from '../nodes/parse/addresses.ts';
import { type DhcpHost, type DhcpOption, parseDhcpHosts, parseDhcpOptions } from '../nodes/parse/dnsmasq.ts';
import type { Link } from '../nodes/parse/links.ts';
import { dnsmasqOf, type Process } from '../nodes/parse/processes.ts';
import { namespaceName } from '../path/addresses.ts';
import { hostProcesses } from './host.ts';
import { read, source } from './io.ts';
import { nsAddresses, nsExists, nsLinks } from './namespace.ts';
import { dhcpHosts } from './port-api.ts';
import type { Port } from './schemas/network.ts';
import type { PortSubject } from './subject.ts';

/** One host that serves DHCP to the port's network, as it really stands there. */
export interface DhcpServer {
  readonly host: string;
  /** The DHCP port Neutron made for this host. */
  readonly port?: Port;
  readonly namespace: { readonly name: string; readonly exists: boolean };
  readonly addresses: FactResult<readonly InterfaceAddress[]>;
  /** Recordings of older versions do not have them. */
  readonly links: FactResult<readonly Link[]>;
  readonly process: Process | undefined;
  readonly processEvidence: readonly Evidence[];
  /** Entries of dnsmasq's host file. */
  readonly entries: FactResult<readonly DhcpHost[]>;
  /** Options it hands out, by tag. */
  readonly options: FactResult<readonly DhcpOption[]>;
}

export interface DhcpService {
  readonly servers: readonly DhcpServer[];
  /** Hosts that should serve, and could not be looked at. */
  readonly unseen: readonly { readonly host: string; readonly failure: FactFailure }[];
}

/** Neutron's default state_path; the running dnsmasq's own arguments are preferred. */
const defaultStateDir = '/var/lib/neutron/dhcp';

const hostsFileOf = (process: Process | undefined, networkId: string): string =>
  /--dhcp-hostsfile=(\S+)/.exec(process?.args ?? '')?.[1] ?? `${defaultStateDir}/${networkId}/host`;

export const dhcpService = source<PortSubject, DhcpService>(
  'port.dhcp-service',
  (subject) => subject.id,
  async (subject, facts) => {
    const hosts = await facts.get(dhcpHosts, subject);
    if (!hosts.ok) return hosts;
    const networkId = subject.port.value.network_id;
    const name = namespaceName('qdhcp', networkId);
    const servers: DhcpServer[] = [];
    const unseen: { host: string; failure: FactFailure }[] = [];
    const evidence: Evidence[] = [...hosts.value.evidence];
    await Promise.all(
      hosts.value.value.map(async ({ host, port }) => {
        const [exists, addresses, links, processes, guess, options] = await Promise.all([
          facts.get(nsExists, { host, name }),
          facts.get(nsAddresses, { host, name }),
          facts.get(nsLinks, { host, name }),
          facts.get(hostProcesses, host),
          readEntries(host, hostsFileOf(undefined, networkId)),
          read(
            facts,
            host,
            { argv: ['cat', `${defaultStateDir}/${networkId}/opts`], impact: 'read', become: true },
            parseDhcpOptions,
          ),
        ]);
        if (!exists.ok) return void unseen.push({ host, failure: exists.error });
        if (!processes.ok) return void unseen.push({ host, failure: processes.error });
        const process = dnsmasqOf(processes.value.value, networkId);
        const file = hostsFileOf(process, networkId);
        const entries = file === hostsFileOf(undefined, networkId) ? guess : await readEntries(host, file);
        servers.push({
          host,
          ...(port === undefined ? {} : { port }),
          namespace: { name, exists: exists.value.value },
          addresses,
          links,
          process,
          processEvidence: processes.value.evidence,
          entries,
          options,
        });
        evidence.push(...exists.value.evidence);
      }),
    );
    servers.sort((a, b) => (a.host < b.host ? -1 : 1));
    return ok({ value: { servers, unseen }, evidence });

    function readEntries(host: string, file: string): Promise<FactResult<readonly DhcpHost[]>> {
      return read(facts, host, { argv: ['cat', file], impact: 'read', become: true }, parseDhcpHosts);
    }
  },
);

/** Names of the hosts only, for checks that need no node. */
export const dhcpHostNames = source<PortSubject, readonly string[]>(
  'port.dhcp-host-names',
  (subject) => subject.id,
  async (subject, facts) => mapFact(await facts.get(dhcpHosts, subject), (list) => list.map((d) => d.host)),
);
