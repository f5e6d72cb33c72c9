import { defineCheck } from '../../engine/check.ts';
import type { Io } from '../../facts/io.ts';
import { pingsFromMetadata } from '../../facts/ping.ts';
import { metadataPorts, servicePorts } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { sourceTowards } from '../expected.ts';
import { lossy } from '../ping/codes.ts';
import { besides, judgeInto } from '../ping/into-instance.ts';
import { ownerName } from '../scope.ts';
import { fromMetadata } from './codes-packets.ts';

const needs = { pings: pingsFromMetadata };
const optional = { ...besides, around: servicePorts };

/** What never leaves the instance's own host, so that an answer proves its tap, its rules and its kernel. */
export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ovn.ping',
  per: 'port',
  families: ['ovn'],
  title: 'The instance answers a ping from the metadata namespace of its host',
  needs,
  optional,
  findings: [fromMetadata, lossy],
  judge: ({ subject, facts, maybe }) =>
    judgeInto(subject, facts.pings, maybe, {
      spec: fromMetadata,
      none: 'its network has no metadata port with an address in its subnet',
      rulesOut: 'flows and device on its host',
      sourceOf: (run) =>
        sourceTowards(
          metadataPorts(maybe.around.ok ? maybe.around.value.value : []),
          run.to,
          subject.port.value.fixed_ips,
        ),
      sentence: (run, arp) =>
        `${ownerName(subject)} (${run.to}) does not answer a ping from the metadata namespace on its own host ${run.host}${arp}`,
    }),
});
