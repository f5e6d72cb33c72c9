import type { Answer, Named } from './answer.ts';
import { type Expectation, withNames } from './expectation.ts';

/** `lab`: the fault itself failed (it did not hurt, the cloud was not well), so nothing was judged. */
export type Verdict = 'right' | 'localised' | 'wrong' | 'lab';

export interface Judgement {
  readonly verdict: Exclude<Verdict, 'lab'>;
  readonly why?: string;
  readonly rightCode: boolean;
  /** Absent where no subject is expected. */
  readonly rightSubject?: boolean;
  /** Causes of severity error that are none of this fault: "CODE subject". */
  readonly falseCauses: readonly string[];
  /** Something is broken and the doctor had nothing to say. */
  readonly saidWell: boolean;
}

const short = (f: Named): string => `${f.code} ${f.subject}`;

/**
 * Right: the first cause has one of the expected codes and names the expected thing, whatever must be among the causes
 * is, and nothing that must not be. Localised: the same with one of the codes that say where it dies, not why.
 */
export function judge(answer: Answer, e: Expectation, names: ReadonlyMap<string, string>): Judgement {
  if (answer.error !== undefined) {
    const subject = e.subject === null ? {} : { rightSubject: false };
    return { verdict: 'wrong', why: answer.error, rightCode: false, ...subject, falseCauses: [], saidWell: false };
  }
  return e.clean ? judgeClean(answer) : judgeFault(answer, e, names);
}

function judgeClean(answer: Answer): Judgement {
  const why = [...answer.causes.map(short), ...broken(answer)];
  if (answer.exit !== 0) why.unshift(`exit ${answer.exit}`);
  return {
    verdict: why.length === 0 ? 'right' : 'wrong',
    ...(why.length === 0 ? {} : { why: `this instance has nothing: ${why.join('; ')}` }),
    rightCode: answer.causes.length === 0 && answer.exit === 0,
    falseCauses: answer.causes.filter((f) => f.severity === 'error').map(short),
    saidWell: false,
  };
}

const broken = (answer: Answer): string[] =>
  answer.unknown.length === 0 ? [] : [`checks that failed by themselves: ${answer.unknown.join('; ')}`];

function judgeFault(answer: Answer, e: Expectation, names: ReadonlyMap<string, string>): Judgement {
  const [first] = answer.causes;
  const wanted = e.subject?.map((word) => withNames(word, names) ?? word);
  const isAbout = (f: Named): boolean =>
    wanted === undefined || wanted.some((word) => `${f.subject}\n${f.summary}`.includes(word));
  const rightCode = first !== undefined && e.first.includes(first.code);
  const isPlace = first !== undefined && e.localised.includes(first.code);
  const rightSubject = first !== undefined && isAbout(first);
  const said = answer.causes.map((f) => f.code);
  const forbidden = said.filter((code) => e.never.includes(code));
  const lacking = e.also.filter((any) => !any.some((code) => said.includes(code)));

  const why: string[] = [];
  if (first === undefined) why.push('no cause named');
  else {
    if (!rightCode && !isPlace) why.push(`expected ${[...e.first, ...e.localised].join(' or ')}`);
    if (!rightSubject)
      why.push(`"${wanted?.join('" or "')}" stands neither in its subject nor in its summary: ${first.summary}`);
  }
  if (lacking.length > 0) why.push(`not among the causes: ${lacking.map((any) => any.join(' or ')).join(', ')}`);
  if (forbidden.length > 0) why.push(`must not be a cause: ${forbidden.join(', ')}`);
  const holds = rightSubject && forbidden.length === 0 && lacking.length === 0;
  why.push(...broken(answer));

  // With two faults in, `subject` tells of the one that may stand first only.
  const belongs = (f: Named): boolean =>
    e.also.flat().includes(f.code) || ([...e.first, ...e.localised].includes(f.code) && isAbout(f));
  return {
    verdict: holds && rightCode ? 'right' : holds && isPlace ? 'localised' : 'wrong',
    ...(why.length === 0 ? {} : { why: why.join('; ') }),
    rightCode,
    ...(wanted === undefined ? {} : { rightSubject }),
    falseCauses: answer.causes.filter((f) => f.severity === 'error' && !belongs(f)).map(short),
    saidWell: answer.exit === 0 || first === undefined,
  };
}

/**
 * What makes a healthy run not clean: a finding of severity error, a cause that is more than a note, a check that failed
 * by itself, the exit code. Warnings are no alarm: a log that tells of the fault of half an hour ago tells the truth.
 */
export function alarms(answer: Answer): string[] {
  const reasons = answer.error === undefined ? [] : [answer.error];
  reasons.push(...answer.causes.filter((f) => f.severity !== 'info').map(short));
  reasons.push(...answer.findings.filter((f) => f.severity === 'error').map(short), ...answer.unknown);
  if (answer.exit !== 0) reasons.unshift(`exit ${answer.exit}`);
  return [...new Set(reasons)];
}

/** Warnings of a healthy run. */
export const warnings = (answer: Answer): string[] => [
  ...new Set(answer.findings.filter((f) => f.severity === 'warning').map(short)),
];

/** Commands to type in place of healing, each where it belongs. */
export interface Typed {
  /** Undefined: the operator's machine. */
  readonly host?: string;
  readonly argv: readonly string[];
}

/**
 * What the report prints as sufficient against the fault: of the first cause, and with two faults in, of every cause
 * that is one of them. Empty when the doctor gave advice only.
 */
export function toType(answer: Answer, e: Expectation): Typed[] {
  const [first, ...others] = answer.causes;
  const mending = [first, ...others.filter((f) => e.also.flat().includes(f.code))].filter((f) => f !== undefined);
  return mending.flatMap((f) => {
    const remedy = f.remedies.find((r) => r.sufficient);
    return (remedy?.steps ?? []).flatMap(({ where, argv }) =>
      argv === undefined ? [] : [{ ...(where.kind === 'host' ? { host: where.host } : {}), argv }],
    );
  });
}
