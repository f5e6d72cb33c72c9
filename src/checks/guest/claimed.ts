import { defineCheck, judged, skipped } from '../../engine/check.ts';
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
      maybe.claims.value.value.map(({ claim, mac, behind, at }) => {
        const where = behind === undefined ? '' : `, behind the tunnel to ${at ?? behind}`;
        return findingOf(addressClaimed, {
          summary: `Another device answers ARP for ${claim.address} of ${ownerName(subject)}: ${mac}${where}, where Neutron gave the address to ${subject.port.value.mac_address}`,
          subject: `address ${claim.address} of ${ownerName(subject)} (${mac})`,
          scope: portScope(subject, { host: [claim.host, ...(portScope(subject).host ?? [])] }),
          confidence: 'certain',
          evidence: [claim.evidence],
          remedies: [
            {
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
                  behind === undefined
                    ? 'look for it on the bridges of the hosts that have the network: bridge fdb show, or ovs-appctl fdb/show br-int'
                    : `look for it on the host with the tunnel endpoint ${behind}: bridge fdb show, or ovs-appctl fdb/show br-int`,
                ),
              ],
            },
          ],
          verify: verifyWith('net', subject),
        });
      }),
      `only ${subject.port.value.mac_address} answers ARP for them`,
      maybe.claims.value.evidence,
      ['another device with the same address'],
    );
  },
});
