import { defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Remedy } from '../../engine/finding.ts';
import { advice, byOperator, findingOf, onHost } from '../../engine/finding-of.ts';
import { foreignClaims } from '../../facts/claims.ts';
import type { Io } from '../../facts/io.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { ownerName, portScope, verifyWith } from '../scope.ts';
import { addressClaimed } from './codes.ts';

const needs = {};
const optional = { claims: foreignClaims };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'guest.claimed',
  per: 'port',
  title: "Nobody else answers ARP for the instance's addresses",
  needs,
  optional,
  findings: [addressClaimed],
  judge: ({ subject, maybe }) => {
    if (!maybe.claims.ok) {
      const { error } = maybe.claims;
      return skipped(error.kind === 'unsupported' ? error.because : 'nobody could ask by ARP');
    }
    const network = subject.port.value.network_id;
    return judged(
      maybe.claims.value.value.map(({ claim, mac, seen }) => {
        const where = seen === undefined ? '' : `, on ${seen.device} of ${seen.bridge} on ${seen.host}`;
        const lookFor: Remedy = {
          title: `find the device with ${mac} and take the address from it`,
          risk: 'none',
          sufficient: false,
          steps: [
            byOperator(
              ['openstack', 'port', 'list', '--network', network, '--mac-address', mac],
              'whose it is, if Neutron knows it',
            ),
            onHost(
              claim.host,
              [
                'ip',
                'netns',
                'exec',
                claim.netns,
                'tcpdump',
                '-nn',
                '-e',
                '-c',
                '5',
                '-i',
                claim.device,
                'ether',
                'host',
                mac,
              ],
              'what it sends',
            ),
            advice(
              'look for it on the bridges of the hosts that have the network: bridge fdb show, or ovs-appctl fdb/show br-int',
            ),
          ],
        };
        const unplug: readonly Remedy[] =
          seen === undefined || seen.ofNeutron
            ? []
            : [
                {
                  title: 'unplug the device, once its maker agrees',
                  risk: 'reversible',
                  sufficient: true,
                  steps: [
                    onHost(
                      seen.host,
                      seen.by === 'ovs'
                        ? ['ovs-vsctl', 'del-port', seen.bridge, seen.device]
                        : ['ip', 'link', 'set', seen.device, 'nomaster'],
                    ),
                  ],
                },
              ];
        return findingOf(addressClaimed, {
          summary: `Another device answers ARP for ${claim.address} of ${ownerName(subject)}: ${mac}${where}, where Neutron gave the address to ${subject.port.value.mac_address}`,
          subject: `address ${claim.address} of ${ownerName(subject)} (${mac})`,
          scope: portScope(subject, { host: [claim.host, ...(portScope(subject).host ?? [])] }),
          confidence: 'certain',
          evidence: [claim.evidence, ...(seen === undefined ? [] : [seen.evidence])],
          remedies: [...unplug, lookFor],
          verify: verifyWith('net', subject),
        });
      }),
      `only ${subject.port.value.mac_address} answers ARP for them`,
      maybe.claims.value.evidence,
      ['another device with the same address'],
    );
  },
});
