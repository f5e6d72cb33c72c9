import type { FactFailure, NodeFailureStage } from '../engine/failure.ts';
import type { Confidence, Finding, Remedy } from '../engine/finding.ts';
import type { CheckReport, RunReport } from '../engine/report.ts';
import { unreachable } from '../engine/result.ts';
import { fitsWords } from '../schedule/in-words.ts';

/** `180 ms`, `3.1 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min${seconds % 60 === 0 ? '' : ` ${seconds % 60} s`}`;
}

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** Why something could not be looked at, and what would change that. */
export interface FailureWords {
  readonly why: string;
  readonly grant?: string;
}

export function failureWords(failure: FactFailure): FailureWords {
  switch (failure.kind) {
    case 'forbidden':
      return { why: `not allowed: ${failure.what}`, grant: `needs ${failure.need}` };
    case 'not-found':
      return { why: `not found: ${failure.what}` };
    case 'api': {
      const status = failure.status === undefined ? '' : ` (HTTP ${failure.status})`;
      const request = failure.requestId === undefined ? '' : `, ${failure.requestId}`;
      return { why: `${failure.service}: ${failure.what}: ${failure.detail}${status}${request}` };
    }
    case 'shape':
      return { why: `${failure.what}: the answer does not look as expected: ${failure.detail}` };
    case 'unreachable':
      return { why: `${failure.host}: ${stageWords[failure.stage]}: ${failure.detail}`, grant: failure.fix };
    case 'command': {
      const end = failure.code === null ? 'was stopped' : `exit ${failure.code}`;
      return {
        why: `${failure.host}: ${failure.argv.join(' ')}: ${end}${failure.detail === '' ? '' : `: ${failure.detail}`}`,
      };
    }
    case 'missing-tool':
      return { why: `${failure.host}: ${failure.tool} is not installed`, grant: failure.fix };
    case 'sudo':
      return { why: `${failure.host}: ${failure.detail}`, grant: failure.fix };
    case 'timeout':
      return { why: `${failure.what}: no answer in ${failure.seconds} s` };
    case 'parse':
      return { why: `${failure.what}: this line could not be read: ${failure.line}` };
    case 'unsupported':
      return { why: failure.because };
    default:
      return unreachable(failure);
  }
}

const stageWords: Readonly<Record<NodeFailureStage, string>> = {
  name: 'the name does not resolve',
  tcp: 'no SSH connection',
  handshake: 'SSH handshake failed',
  'host-key': 'host key not accepted',
  auth: 'SSH login refused',
  jump: 'the jump host failed',
  shell: 'no usable shell',
  timeout: 'no answer in time',
  lost: 'connection lost',
};

export const riskWords: Readonly<Record<Remedy['risk'], string>> = {
  none: 'changes nothing',
  reversible: 'reversible',
  'brief-interruption': 'interrupts traffic briefly',
  disruptive: 'DISRUPTIVE',
};

/** How sure we are. A symptom that nothing explains has no known cause; at best we know where it happens. */
export function confidenceWords(finding: Finding): Confidence | `localised, ${Confidence}` | 'cause unknown' {
  if (finding.nature === 'cause') return finding.confidence;
  return (finding.scope.link?.length ?? 0) > 0 ? `localised, ${finding.confidence}` : 'cause unknown';
}

/** `41 checks`, `38 ok`, `3 not applicable`: what there is none of is left out. */
export function countWords(counts: RunReport['counts']): string[] {
  const total = counts.ok + counts.problem + counts.skipped + counts.blocked + counts.unknown;
  return [
    plural(total, 'check'),
    ...(counts.ok > 0 ? [`${counts.ok} ok`] : []),
    ...(counts.problem > 0 ? [plural(counts.problem, 'problem')] : []),
    ...(counts.blocked > 0 ? [`${counts.blocked} could not look`] : []),
    ...(counts.unknown > 0 ? [`${counts.unknown} broke (our bug)`] : []),
    ...(counts.skipped > 0 ? [`${counts.skipped} not applicable`] : []),
  ];
}

/** The sentence a run ends with when there is no cause to name. */
export function clearWords(report: RunReport): string {
  const { counts, diagnosis, exitCode } = report;
  if (exitCode === 130) return 'Interrupted: this is only a part of the answer.';
  const missing = counts.blocked + counts.unknown;
  if (/^schedule\b/.test(report.command)) return scheduleClear(report, missing);
  if (missing > 0) return `No fault found where we could look; ${plural(missing, 'check')} could not.`;
  const where = report.target === undefined ? '' : ` on any path of ${report.target.name}`;
  const warnings = diagnosis.remarks.filter((r) => r.severity !== 'info').length;
  return `No fault found${where}${warnings === 0 ? '' : `; ${plural(warnings, 'warning')}`}.`;
}

/** Of an instance with a host the question is hypothetical. */
function scheduleClear({ schedule, target }: RunReport, missing: number): string {
  const rest = missing > 0 ? `; ${plural(missing, 'check')} could not look` : '';
  if (schedule === undefined) return `Whether a host could take it cannot be told${rest}.`;
  const whose = target === undefined ? `A request with flavor ${schedule.asked.flavor}` : target.name;
  const subject = target?.host === undefined ? whose : `${whose} is on ${target.host}; the same request now`;
  return `${subject} ${fitsWords(schedule)}${schedule.verdict === 'unknown' ? '' : rest}.`;
}

/** Summaries may come without their full stop. */
export const asSentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

/** All findings of a check; empty unless it found a problem. */
export const findingsOf = (check: CheckReport): readonly Finding[] =>
  check.outcome.status === 'problem' ? check.outcome.findings : [];
