import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Io } from '../../facts/io.ts';
import { resolutions } from '../../facts/neighbour.ts';
import { pingsFromRouter } from '../../facts/ping.ts';
import { remoteMembers, securityGroups, servingRouters } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { ownerName } from '../scope.ts';
import { fromRouter, lossy } from './codes.ts';
import { judgePings } from './judge-pings.ts';

const needs = { pings: pingsFromRouter };
const optional = { groups: securityGroups, members: remoteMembers, resolutions, routers: servingRouters };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ping.from-router',
  per: 'port',
  title: 'The instance answers a ping from its router',
  needs,
  optional,
  findings: [fromRouter, lossy],
  judge: ({ subject, facts, maybe }) => {
    const { runs, notSent } = facts.pings.value;
    const [lost] = notSent;
    if (runs.length === 0) {
      if (lost === undefined) return skipped('no router serves its subnets');
      return lost.failure.kind === 'not-found'
        ? skipped(`no ${lost.from} namespace on ${lost.host} to ping from`)
        : blocked(lost.failure);
    }
    const routers = maybe.routers.ok ? maybe.routers.value.value : [];
    const name = (id: string | undefined): string =>
      routers.find((r) => r.router.id === id)?.router.name ?? 'its router';
    const result = judgePings(
      subject,
      facts.pings,
      {
        groups: maybe.groups.ok ? maybe.groups.value.value : undefined,
        members: maybe.members.ok ? maybe.members.value.value : undefined,
        resolutions: maybe.resolutions.ok ? maybe.resolutions.value.value : [],
        sourceOf: (run) => routers.find((r) => r.router.id === run.routerId)?.inside.fixed_ips[0]?.ip_address,
      },
      fromRouter,
      (run, arp) =>
        `${ownerName(subject)} (${run.to}) does not answer a ping from ${name(run.routerId)} on ${run.host}${arp}`,
    );
    return judged(result.findings, result.note, result.evidence, ['path from the router']);
  },
});
