import type { Trace } from '../../engine/trace.ts';

/** An open UDP port need not answer (RFC 1122, 4.1.3.1 asks closed ones only), and its complaints are limited in rate. */
const needNotAnswer = ({ stop, probe }: Trace): boolean =>
  stop !== undefined &&
  probe.protocol === 'udp' &&
  (stop.kind === 'answerer' || stop.kind === 'turn' || stop.way === 'back');

/** Whether packets of the trace were lost, by order or not. */
export const isLost = (trace: Trace): boolean => trace.stop !== undefined && !needNotAnswer(trace);

/** Whether what was lost is what the security groups of the instance are there to take. */
export const isOrdered = ({ stop, expected = [], points }: Trace): boolean =>
  stop?.packet === 'probe' &&
  stop.way === 'there' &&
  stop.before.at === 'point' &&
  stop.before.point === points.length - 1 &&
  expected.some((e) => e.verdict === 'dropped');
