import type { Explains, FindingSpec } from '../../engine/finding.ts';

const noMetadata: readonly Explains[] = [{ code: 'OSD-CONSOLE-003', over: ['instance'] }];
/** A connection that came to where it should be served, followed by its packets. */
const unanswered: readonly Explains[] = [{ code: 'OSD-PATH-008', over: ['agent'] }];
const refs = ['https://docs.openstack.org/nova/latest/admin/metadata-service.html'];

export const proxyDead: FindingSpec = {
  code: 'OSD-META-001',
  severity: 'error',
  nature: 'cause',
  title: 'The metadata proxy is not running',
  meaning:
    'No haproxy listens in the namespace of the router (or of the DHCP server): requests to 169.254.169.254 end there.',
  evidence: 'the processes of the host, and a request to the proxy in its namespace.',
  mend: 'Restart the L3 agent of the host (the DHCP agent on isolated networks): it starts the proxy again.',
  explains: [...noMetadata, ...unanswered],
  refs,
};

export const agentSilent: FindingSpec = {
  code: 'OSD-META-002',
  severity: 'error',
  nature: 'cause',
  title: 'The metadata agent does not answer',
  meaning: 'The proxy runs, but the agent behind its socket does not: instances get 503.',
  evidence: "a request at the agent's socket in the name of the instance, and one at the proxy.",
  mend: 'Start the metadata agent on the host.',
  explains: noMetadata,
  refs,
};

export const secretRefused: FindingSpec = {
  code: 'OSD-META-003',
  severity: 'error',
  nature: 'cause',
  title: "Nova refuses the metadata agent's signature",
  meaning: 'metadata_proxy_shared_secret of the agent is not the one of nova-api-metadata: instances get 403.',
  evidence: "HTTP 403 at the agent's socket in the name of the instance.",
  mend: 'Make the secret the same in metadata_agent.ini ([DEFAULT] metadata_proxy_shared_secret) and in nova.conf ([neutron] metadata_proxy_shared_secret), then restart the agent.',
  explains: noMetadata,
  refs,
};

export const novaFails: FindingSpec = {
  code: 'OSD-META-004',
  severity: 'error',
  nature: 'cause',
  title: 'Nova does not serve metadata',
  meaning:
    'The agent passes the request on and gets an error or no answer: nova-api-metadata is down, unreachable or broken.',
  evidence: "HTTP 500, 502, 503 or 504 at the agent's socket in the name of the instance.",
  mend: "Look at nova-api-metadata, at nova_metadata_host in metadata_agent.ini, and at the agent's log.",
  explains: noMetadata,
  refs,
};

export const portUnknown: FindingSpec = {
  code: 'OSD-META-005',
  severity: 'error',
  nature: 'cause',
  title: 'The metadata agent cannot find the instance by its address',
  meaning: 'It found no port with this address on the networks of the router: instances get 404.',
  evidence: "HTTP 404 at the agent's socket in the name of the instance.",
  mend: "Look at the agent's log: 'No port found in network'. Restarting the agent empties its cache.",
  explains: noMetadata,
  refs,
};

export const redirectMissing: FindingSpec = {
  code: 'OSD-META-006',
  severity: 'error',
  nature: 'cause',
  title: 'The router does not hand metadata requests to its proxy',
  meaning: 'The rule that redirects 169.254.169.254 port 80 to the proxy is not in the namespace.',
  evidence: 'the nat table of the namespace.',
  mend: 'Restart the L3 agent of the host: it writes the rule again.',
  explains: [...noMetadata, ...unanswered],
  refs,
};

export const proxyMisnames: FindingSpec = {
  code: 'OSD-META-007',
  severity: 'error',
  nature: 'cause',
  title: 'The metadata proxy speaks for another router or network',
  meaning:
    "The proxy's configuration puts the id of another router (or network) into the requests it passes on: the agent looks for the instance there, and answers 404.",
  evidence:
    "X-Neutron-Router-ID (X-Neutron-Network-ID) in the proxy's configuration file against the router (network) it serves.",
  mend: 'End the proxy and restart the L3 agent of the host (the DHCP agent on isolated networks): it writes the file again.',
  explains: noMetadata,
  refs,
};
