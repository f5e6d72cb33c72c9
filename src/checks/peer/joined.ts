import { defineCheck, judged, notSeen, passed } from '../../engine/check.ts';
import { byOperator, findingOf } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import { pairs } from '../../facts/pair.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { cidrContains } from '../../path/addresses.ts';
import { ownerName, portScope } from '../scope.ts';
import { apart } from './codes.ts';
import { typeable, verifyPair } from './verify.ts';

const needs = {};
const optional = { pair: pairs };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'peer.joined',
  per: 'port',
  title: 'A network or a router joins the instance and its peer',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [apart],
  judge: ({ subject, maybe }) => {
    if (!maybe.pair.ok) return notSeen(maybe.pair.error);
    const { peer, name, own, theirs, way } = maybe.pair.value.value;
    const { evidence } = maybe.pair.value;
    switch (way.kind) {
      case 'same-network':
        return passed(`${own} and ${theirs} (${name}) are on one network`, evidence);
      case 'routed':
        return passed(`${own} and ${theirs} (${name}) are joined by ${way.router.router.name}`, evidence);
      case 'floating':
        return passed(
          `${theirs} is a floating address of ${name}: out through one router and in through another`,
          evidence,
        );
      case 'apart': {
        const led = way.routers.find((r) => (r.router.routes ?? []).some((x) => cidrContains(x.destination, theirs)));
        if (led !== undefined)
          return passed(
            `${led.router.name} has a static route towards ${theirs}; further routers are not followed`,
            evidence,
          );
        const [first = subject.port.evidence[0]] = evidence;
        if (first === undefined) throw new Error('a pair without evidence');
        const [router] = way.routers;
        const subnet = peer.port.value.fixed_ips.find((f) => f.ip_address === theirs)?.subnet_id ?? 'SUBNET';
        return judged(
          [
            findingOf(apart, {
              summary: `No router joins the networks of ${ownerName(subject)} (${own}) and ${name} (${theirs})`,
              subject: `networks of ${ownerName(subject)} and ${name}`,
              scope: { ...portScope(subject), port: [subject.id, peer.id] },
              evidence: [
                showing(
                  first,
                  way.routers.length === 0
                    ? 'no router serves its network'
                    : way.routers.map(
                        (r) =>
                          `${r.router.name}: networks ${[...new Set(r.ports.map((p) => p.network_id))].join(', ')}`,
                      ),
                ),
              ],
              remedies: [
                {
                  title: 'give its router a leg in the network of the peer, where the two are meant to be joined',
                  risk: 'reversible',
                  sufficient: false,
                  steps: [byOperator(['openstack', 'router', 'add', 'subnet', router?.router.id ?? 'ROUTER', subnet])],
                },
              ],
              verify: verifyPair(subject, typeable(name, peer.id)),
            }),
          ],
          '',
        );
      }
    }
  },
});
