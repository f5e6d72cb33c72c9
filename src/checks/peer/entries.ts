import { blocked, defineCheck, judged, notSeen } from '../../engine/check.ts';
import type { Io } from '../../facts/io.ts';
import { pairForwardings, pairs } from '../../facts/pair.ts';
import { placement } from '../../facts/placement.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { noEntry } from '../tunnel/codes.ts';
import { entryFindings } from '../tunnel/entries.ts';
import { typeable, verifyPair } from './verify.ts';

const needs = {};
const optional = { pair: pairs, placement, forwardings: pairForwardings };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'peer.entries',
  per: 'port',
  title: 'The hosts of the two know their way to each other',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [noEntry],
  judge: ({ subject, maybe }) => {
    if (!maybe.forwardings.ok) return notSeen(maybe.forwardings.error);
    if (!maybe.placement.ok) return blocked(maybe.placement.error);
    const [agent = 'the L2 agent'] = maybe.placement.value.value.backend.agents('compute');
    const verify = maybe.pair.ok
      ? verifyPair(subject, typeable(maybe.pair.value.value.name, maybe.pair.value.value.peer.id))
      : undefined;
    const { ways, unseen } = maybe.forwardings.value.value;
    const { findings, notes } = entryFindings(subject, ways, agent, verify);
    const [blind] = unseen;
    if (findings.length === 0 && ways.length === 0 && blind !== undefined) return blocked(blind);
    return judged(findings, notes.join(', '), maybe.forwardings.value.evidence, [
      'tunnel entries between the two hosts',
    ]);
  },
});
