import { blocked, defineCheck, judged, notSeen, skipped } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding } from '../../engine/finding.ts';
import { onHost, restartOf } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import { placement } from '../../facts/placement.ts';
import { routersOnHosts } from '../../facts/router.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { sameAddress } from '../../path/addresses.ts';
import { interfaceDown } from './codes.ts';
import { l3Binary, noneStands, restartL3, routerFinding, standing } from './judge-router.ts';

const needs = { routers: routersOnHosts };
const optional = { placement };

const isInside = (owner: string): boolean =>
  owner.startsWith('network:router_interface') || owner === 'network:ha_router_replicated_interface';

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'router.interfaces',
  per: 'port',
  title: "The router's interfaces are up and have their addresses",
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [interfaceDown],
  judge: ({ subject, facts, maybe }) => {
    if (!maybe.placement.ok) return notSeen(maybe.placement.error);
    const { backend } = maybe.placement.value.value;
    const routers = standing(facts.routers.value);
    if (routers.length === 0) return skipped(noneStands);
    const findings: Finding[] = [];
    const notes: string[] = [];
    const seen: Evidence[] = [];
    let blind: FactFailure | undefined;
    for (const router of routers) {
      const { links, addresses, host } = router;
      if (links === undefined || addresses === undefined || host === undefined) continue;
      if (!links.ok) {
        blind ??= links.error;
        continue;
      }
      if (!addresses.ok) {
        blind ??= addresses.error;
        continue;
      }
      const [linkEvidence] = links.value.evidence;
      const [addressEvidence] = addresses.value.evidence;
      if (linkEvidence === undefined || addressEvidence === undefined) continue;
      const name = router.serving.router.name;
      const legs = router.serving.ports.filter(
        (p) => isInside(p.device_owner) || p.device_owner === 'network:router_gateway',
      );
      // Legs in other networks do not carry this instance's packets; only its own and the outside are judged.
      const own = legs.filter(
        (p) => p.device_owner === 'network:router_gateway' || p.network_id === subject.port.value.network_id,
      );
      for (const leg of own) {
        const outside = leg.device_owner === 'network:router_gateway';
        const device = backend.serviceDevice(leg.id, outside ? 'gateway' : 'router');
        const link = links.value.value.find((l) => l.name === device);
        const which = outside ? 'outside' : 'inside';
        const at = `interface ${device}@${host}`;
        if (link === undefined) {
          findings.push(
            routerFinding(subject, router, interfaceDown, {
              summary: `The ${which} interface ${device} of router ${name} is missing on ${host}`,
              subject: at,
              evidence: linkEvidence,
              line: `no ${device} among: ${links.value.value.map((l) => l.name).join(', ')}`,
              remedy: restartL3(host),
            }),
          );
          continue;
        }
        if (!link.up || !link.carrier) {
          findings.push(
            routerFinding(subject, router, interfaceDown, {
              summary: `The ${which} interface ${device} of router ${name} is ${link.up ? 'without carrier' : 'down'} on ${host}`,
              subject: at,
              evidence: linkEvidence,
              line: `${device}: ${link.up ? 'UP' : 'not UP'}, ${link.carrier ? 'LOWER_UP' : 'no carrier'}, operstate ${link.operstate}`,
              remedy: link.up
                ? restartL3(host)
                : {
                    title: 'set it up, and put back the routes that went with it',
                    risk: 'none',
                    sufficient: true,
                    steps: [
                      onHost(host, ['ip', 'netns', 'exec', router.netns, 'ip', 'link', 'set', device, 'up']),
                      ...(outside
                        ? [
                            restartOf(
                              host,
                              l3Binary,
                              'the default route is gone with the interface: the agent puts it back',
                            ),
                          ]
                        : []),
                    ],
                  },
            }),
          );
          continue;
        }
        const have = addresses.value.value.filter((a) => a.dev === device).map((a) => a.address);
        const lacking = leg.fixed_ips.map((f) => f.ip_address).filter((ip) => !have.some((h) => sameAddress(h, ip)));
        if (lacking.length > 0) {
          findings.push(
            routerFinding(subject, router, interfaceDown, {
              summary: `The ${which} interface ${device} of router ${name} on ${host} lacks its address ${lacking.join(', ')}`,
              subject: at,
              evidence: addressEvidence,
              line: `${device}: ${have.join(', ') || '(no address)'}; expected ${leg.fixed_ips.map((f) => f.ip_address).join(', ')}`,
              remedy: restartL3(host),
            }),
          );
        }
        notes.push(`${device} up`);
        seen.push(showing(addressEvidence, `${device}: ${have.join(', ')}`));
      }
    }
    if (findings.length === 0 && blind !== undefined) return blocked(blind);
    return judged(findings, notes.join(', '), seen, ['router interfaces']);
  },
});
