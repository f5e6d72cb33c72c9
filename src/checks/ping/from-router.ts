import { defineCheck } from '../../engine/check.ts';
import type { Io } from '../../facts/io.ts';
import { pingsFromRouter } from '../../facts/ping.ts';
import { servingRouters } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { sourceTowards } from '../expected.ts';
import { ownerName } from '../scope.ts';
import { fromRouter, lossy } from './codes.ts';
import { besides, judgeInto } from './into-instance.ts';

const needs = { pings: pingsFromRouter };
const optional = { ...besides, routers: servingRouters };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ping.from-router',
  per: 'port',
  title: 'The instance answers a ping from its router',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [fromRouter, lossy],
  judge: ({ subject, facts, maybe }) => {
    const routers = maybe.routers.ok ? maybe.routers.value.value : [];
    const routerOf = (id: string | undefined) => routers.find((r) => r.router.id === id);
    return judgeInto(subject, facts.pings, maybe, {
      spec: fromRouter,
      none: 'no router serves its subnets',
      rulesOut: 'path from the router',
      sourceOf: (run) => sourceTowards(routerOf(run.routerId)?.insides ?? [], run.to, subject.port.value.fixed_ips),
      sentence: (run, arp) =>
        `${ownerName(subject)} (${run.to}) does not answer a ping from ${routerOf(run.routerId)?.router.name ?? 'its router'} on ${run.host}${arp}`,
    });
  },
});
