import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { findingOf } from '../../engine/finding-of.ts';
import { gatewayArp } from '../../facts/arp.ts';
import type { Io } from '../../facts/io.ts';
import { resolutions } from '../../facts/neighbour.ts';
import { pingsOfGateway } from '../../facts/ping.ts';
import { servingRouters } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { verifyWith } from '../scope.ts';
import { toGateway } from './codes.ts';

const needs = { pings: pingsOfGateway };
const optional = { resolutions, routers: servingRouters, arp: gatewayArp };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ping.gateway',
  per: 'port',
  title: 'The router reaches the external gateway',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [toGateway],
  judge: ({ subject, facts, maybe }) => {
    const { runs, notSent } = facts.pings.value;
    const [lost] = notSent;
    if (runs.length === 0) {
      if (lost === undefined) return skipped('no router of its network has an external gateway');
      return lost.failure.kind === 'not-found'
        ? skipped(`no ${lost.from} namespace on ${lost.host} to ping from`)
        : blocked(lost.failure);
    }
    const findings: Finding[] = [];
    const notes: string[] = [];
    for (const run of runs) {
      const router = maybe.routers.ok
        ? maybe.routers.value.value.find((r) => r.router.id === run.routerId)?.router.name
        : undefined;
      const seen = maybe.resolutions.ok
        ? maybe.resolutions.value.value.find(
            (r) => r.run.what === 'gateway' && r.run.host === run.host && r.run.to === run.to,
          )
        : undefined;
      const asked = maybe.arp.ok
        ? maybe.arp.value.value.find((a) => a.run.host === run.host && a.run.to === run.to)
        : undefined;
      // A neighbour entry may be older than the trouble: where somebody was asked just now, that answer counts.
      const answers = asked === undefined ? seen?.arp === 'answered' : asked.macs.length > 0;
      if (run.ping.received > 0) {
        notes.push(`gateway ${run.to} ${run.ping.received}/${run.ping.sent}`);
      } else if (answers) {
        // Many gateways answer no ping; an ARP answer proves the way to them.
        notes.push(`gateway ${run.to} answers ARP (${asked?.macs[0] ?? seen?.mac ?? '?'}), not ping`);
      } else {
        findings.push(
          findingOf(toGateway, {
            summary: `${router ?? 'The router'} on ${run.host} gets no answer from its external gateway ${run.to}${asked !== undefined || seen?.arp === 'failed' ? ', not even to ARP' : ''}`,
            subject: `ping ${run.from}@${run.host} → ${run.to}`,
            // Nothing on the instance's side can explain it: it is a matter of the router alone.
            scope: { host: [run.host], ...(run.routerId === undefined ? {} : { router: [run.routerId] }) },
            evidence: [
              run.evidence,
              ...(asked === undefined ? [] : [asked.evidence]),
              ...(seen === undefined ? [] : [seen.evidence]),
            ],
            verify: verifyWith('ping', subject),
          }),
        );
      }
    }
    return judged(findings, notes.join(' · '), facts.pings.evidence, ['external gateway']);
  },
});
