import { blocked, defineCheck, judged, notSeen, skipped } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { Finding } from '../../engine/finding.ts';
import { advice, byOperator, findingOf, onHost, restartOf } from '../../engine/finding-of.ts';
import type { TraceOffer } from '../../engine/trace.ts';
import { type Io, showing } from '../../facts/io.ts';
import {
  dhcpHosts,
  portItself,
  portNetwork,
  portSubnets,
  remoteMembers,
  securityGroups,
  servicePorts,
} from '../../facts/port-api.ts';
import type { Network, Port, Subnet } from '../../facts/schemas/network.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { followedLegs } from '../../facts/trace/followed.ts';
import { forecasts } from '../../facts/trace/forecasts.ts';
import { metadataAddress, metadataPort } from '../../facts/trace/metadata.ts';
import type { Account } from '../../facts/trace/opinions.ts';
import type { LegRun } from '../../facts/trace/runs.ts';
import { cidrContains, sameAddress } from '../../path/addresses.ts';
import type { Probe } from '../../path/secgroup/model.ts';
import { remedyEgress } from '../../path/secgroup/remedies.ts';
import { explainVerdict } from '../../path/secgroup/words.ts';
import { offerWords } from '../../path/trace/words.ts';
import { offerWrong, strangeServer } from '../dhcp/codes.ts';
import { expected } from '../expected.ts';
import { switchRefuses } from '../path/codes.ts';
import { agentName, ownerName, portScope, verifyWith } from '../scope.ts';
import { deniedOut } from '../secgroup/codes.ts';

const needs = { port: portItself, subnets: portSubnets, network: portNetwork };
const optional = {
  legs: followedLegs,
  forecasts,
  servers: dhcpHosts,
  around: servicePorts,
  groups: securityGroups,
  members: remoteMembers,
};

interface Said {
  readonly what: string;
  readonly offered: string;
  readonly should: string;
}

/** What an offer says otherwise than Neutron; nothing of what the port itself has other options for. */
function differences(offer: TraceOffer, port: Port, subnet: Subnet | undefined, network: Network): Said[] {
  const own = port.fixed_ips.map((f) => f.ip_address);
  const found: Said[] = [];
  if (offer.address !== undefined && !own.some((a) => sameAddress(a, offer.address ?? ''))) {
    found.push({ what: 'address', offered: offer.address, should: own.filter((a) => !a.includes(':')).join(' or ') });
  }
  if ((port.extra_dhcp_opts ?? []).length > 0 || subnet === undefined) return found;
  if (offer.router !== undefined && subnet.gateway_ip && offer.router !== subnet.gateway_ip) {
    found.push({ what: 'router', offered: offer.router, should: subnet.gateway_ip });
  }
  if (offer.mtu !== undefined && network.mtu !== undefined && offer.mtu !== network.mtu) {
    found.push({ what: 'MTU', offered: `${offer.mtu}`, should: `${network.mtu}` });
  }
  const names = subnet.dns_nameservers ?? [];
  if (
    names.length > 0 &&
    offer.nameServers.length > 0 &&
    [...names].sort().join() !== [...offer.nameServers].sort().join()
  ) {
    found.push({ what: 'name servers', offered: offer.nameServers.join(', '), should: names.join(', ') });
  }
  return found;
}

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'trace.begun',
  per: 'port',
  title: 'What the instance asks for first is let out, and what it is offered is right',
  needs,
  optional,
  findings: [offerWrong, strangeServer, deniedOut, switchRefuses],
  judge: ({ subject, facts, maybe }) => {
    if (!maybe.legs.ok) {
      // That nothing could be sent is said where packets are followed.
      const { error } = maybe.legs;
      return notSeen(error);
    }
    const legs = maybe.legs.value.value;
    const verify = legs[0]?.command ?? verifyWith('trace', subject);
    const runs = legs.map(({ run }) => run);
    const port = facts.port.value;
    const leased = runs.filter((run) => run.offers !== undefined);
    const refused = (maybe.forecasts.ok ? maybe.forecasts.value.value : []).filter((f) => !f.says.delivers);
    const outcome = leased.length > 0 ? judgeOffers(leased) : judgeWayOut();
    return refused.length === 0
      ? outcome
      : judged([...refused.map(dropped), ...(outcome.status === 'problem' ? outcome.findings : [])], '');

    function dropped({ host, bridge, says, evidence }: Account): Finding {
      const flow = says.flows.at(-1);
      const what = leased.length > 0 ? 'DHCP requests' : 'connections to the metadata service';
      const where = flow === undefined ? bridge : `${flow.bridge} table ${flow.table} (${flow.match})`;
      return findingOf(switchRefuses, {
        summary: `The flows of ${bridge} on ${host} drop ${what} of ${ownerName(subject)}: ${where}`,
        subject: `${flow?.bridge ?? bridge}@${host}`,
        scope: portScope(subject, { host: [host] }),
        confidence: 'certain',
        evidence: [evidence],
        remedies: [
          {
            title: 'look at the flow',
            risk: 'none',
            sufficient: false,
            steps: [onHost(host, ['ovs-ofctl', 'dump-flows', flow?.bridge ?? bridge, `table=${flow?.table ?? 0}`])],
          },
        ],
        verify,
      });
    }

    function judgeOffers(all: readonly LegRun[]) {
      const servers = (maybe.servers.ok ? maybe.servers.value.value : []).flatMap((s) =>
        (s.port?.fixed_ips ?? []).map((f) => ({ address: f.ip_address, host: s.host })),
      );
      const around = maybe.around.ok ? maybe.around.value.value : [];
      const offers = all.flatMap((run) => (run.offers ?? []).map((offer) => ({ run, offer })));
      const found = offers.flatMap(({ run, offer }): Finding[] => {
        const asked = run.planned.addresses.some((a) => sameAddress(a, offer.server)) ? run.planned.server : undefined;
        const host = servers.find((s) => sameAddress(s.address, offer.server))?.host ?? asked?.host;
        const capture = run.captures[offer.point];
        const evidence: Evidence = showing(capture ?? run.sent, offerWords(offer));
        if (host === undefined) return [stranger(offer, around, evidence)];
        const subnet = facts.subnets.value.find((s) => cidrContains(s.cidr, offer.server));
        const wrong = differences(offer, port, subnet, facts.network.value);
        return wrong.length === 0
          ? []
          : [other(host, run.planned.server?.agent ?? 'neutron-dhcp-agent', wrong, evidence)];
      });
      const unique = [...new Map(found.map((f) => [`${f.code} ${f.subject}`, f])).values()];
      if (offers.length === 0) return skipped('nothing was offered');
      const [first] = offers;
      return judged(
        unique,
        first === undefined ? '' : offerWords(first.offer),
        first === undefined ? [] : [first.run.sent],
      );
    }

    function stranger(offer: TraceOffer, around: readonly Port[], evidence: Evidence): Finding {
      const mac = offer.serverMac ?? '';
      const owner = around.find((p) => p.mac_address === mac);
      const whose = owner === undefined ? '' : ` (${owner.device_owner} ${owner.device_id})`;
      return findingOf(strangeServer, {
        summary: `${offer.server} answers DHCP requests on the network of ${ownerName(subject)} and is no server of Neutron's: ${offerWords(offer)}, from ${mac}${whose}`,
        subject: `dhcp ${offer.server}`,
        scope: portScope(subject),
        confidence: 'certain',
        evidence: [evidence],
        remedies: [
          {
            title: 'find whose it is',
            risk: 'none',
            sufficient: false,
            steps: [byOperator(['openstack', 'port', 'list', '--mac-address', mac, '--long'])],
          },
        ],
        verify,
      });
    }

    function other(host: string, agent: string, wrong: readonly Said[], evidence: Evidence): Finding {
      const words = wrong.map((w) => `${w.what} ${w.offered} instead of ${w.should}`).join(', ');
      return findingOf(offerWrong, {
        summary: `DHCP on ${host} offers ${ownerName(subject)} ${words}`,
        subject: `dhcp on ${host}`,
        scope: portScope(subject, { host: [host], agent: [agentName(agent, host)] }),
        confidence: 'certain',
        evidence: [evidence],
        remedies: [
          agent === 'neutron-dhcp-agent'
            ? {
                title: 'restart neutron-dhcp-agent',
                risk: 'none',
                sufficient: false,
                steps: [restartOf(host, 'neutron-dhcp-agent')],
              }
            : {
                title: 'look at what the northbound database has',
                risk: 'none',
                sufficient: false,
                steps: [advice('ovn-nbctl list DHCP_Options: a row of the subnet says what is offered')],
              },
        ],
        verify,
      });
    }

    function judgeWayOut() {
      if (!maybe.groups.ok) return blocked(maybe.groups.error);
      const [evidence] = maybe.groups.value.evidence;
      const probe: Probe = {
        protocol: 'tcp',
        family: 4,
        direction: 'egress',
        port: metadataPort,
        remote: metadataAddress,
      };
      const members = maybe.members.ok ? maybe.members.value.value : undefined;
      const verdict = expected(port, maybe.groups.value.value, members, probe);
      const said = explainVerdict(verdict, probe);
      if (verdict.kind !== 'denied' || evidence === undefined) {
        return judged([], said, maybe.groups.value.evidence);
      }
      const [group] = maybe.groups.value.value;
      return judged(
        [
          findingOf(deniedOut, {
            severity: 'error',
            summary: `No security group of ${ownerName(subject)} lets it open connections to ${metadataAddress} tcp/${metadataPort}: ${said}`,
            subject: `port ${port.id.slice(0, 8)}`,
            scope: portScope(subject),
            confidence: 'certain',
            evidence: [showing(evidence, said)],
            remedies:
              group === undefined
                ? []
                : [
                    {
                      title: 'let it out',
                      risk: 'none',
                      sufficient: true,
                      steps: [byOperator(remedyEgress(4, group, `${metadataAddress}/32`))],
                    },
                  ],
            verify,
          }),
        ],
        said,
        maybe.groups.value.evidence,
      );
    }
  },
});
