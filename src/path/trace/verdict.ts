import type { Trace } from '../../engine/trace.ts';

/** An open UDP port need not answer (RFC 1122, 4.1.3.1 asks closed ones only), and its complaints are limited in rate. */
const needNotAnswer = ({ stop, probe }: Trace): boolean =>
  stop !== undefined &&
  probe.protocol === 'udp' &&
  (stop.kind === 'answerer' || stop.kind === 'turn' || stop.way === 'back');

/** Whether packets of the trace were lost, by order or not; or refused by a service of Neutron that should take them. */
export const isLost = (trace: Trace): boolean =>
  trace.refuses === true || (trace.stop !== undefined && !needNotAnswer(trace));

/**
 * Whether packets, or the question for its address, came to the instance, and it said nothing. Where packets are put in at its port, what
 * comes back to that port comes to the instance.
 */
export const isGuestSilent = ({ stop, answerer, sender }: Trace): boolean =>
  stop !== undefined &&
  ((stop.kind === 'answerer' && answerer.kind === 'guest') ||
    (stop.before.at === 'sender' && sender.port !== undefined && stop.packet === 'who-has'));

/**
 * Whether what was lost is what the security groups of the instance are there to take: it was seen before the point at which they decide,
 * and not there. What was seen there has passed them, whatever they say.
 */
export const isOrdered = ({ stop, expected = [] }: Trace): boolean => {
  if (stop?.packet !== 'probe' || stop.way !== 'there') return false;
  const { after, before } = stop;
  const seen = after.at === 'point' ? after.point : -1;
  const missed = before.at === 'point' && before.way === 'there' ? before.point : Number.POSITIVE_INFINITY;
  return expected.some((e) => e.verdict === 'dropped' && e.way !== 'back' && seen < e.point && e.point <= missed);
};
