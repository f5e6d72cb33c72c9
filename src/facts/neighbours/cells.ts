import type { Evidence } from '../../engine/evidence.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { MatrixCell } from '../../engine/matrix.ts';
import type { Verdict } from '../../path/secgroup/model.ts';
import type { PingRun } from '../ping.ts';

export const notAsked = (because: string): MatrixCell => ({ state: 'not-asked', because });

/** Why nothing was sent, in few words. */
export const reason = (failure: FactFailure): string => {
  switch (failure.kind) {
    case 'unsupported':
      return failure.because;
    case 'unreachable':
      return `${failure.host} cannot be reached`;
    case 'not-found':
      return `${failure.what} is not there`;
    case 'timeout':
      return `no answer in ${failure.seconds} s`;
    case 'command':
    case 'sudo':
    case 'api':
    case 'shape':
      return failure.detail;
    case 'forbidden':
    case 'missing-tool':
    case 'parse':
      return failure.kind;
  }
};

/** Only a rule that lets every such echo in makes a silence worth anything. */
export const letsIn = (verdict: Verdict): boolean => verdict.kind === 'allowed' && verdict.extent === 'whole';

/** What a ping came to. */
export const cellOf = (run: { ping: PingRun['ping']; evidence: Evidence }): MatrixCell => ({
  state: run.ping.received === 0 ? 'lost' : run.ping.received < run.ping.sent ? 'partly' : 'ok',
  sent: run.ping.sent,
  received: run.ping.received,
  evidence: run.evidence,
});
