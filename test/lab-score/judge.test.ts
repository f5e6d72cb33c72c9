import { describe, expect, it } from 'vitest';
import type { Remedy, Severity } from '../../src/engine/finding.ts';
import { type Answer, answerOf, type Named } from '../lab/score/answer.ts';
import { parseExpectation } from '../lab/score/expectation.ts';
import { alarms, judge, toType } from '../lab/score/judge.ts';

const names = new Map([['FIP', '198.19.0.108']]);

const named = (code: string, subject: string, severity: Severity = 'error', remedies: Remedy[] = []): Named => ({
  code,
  severity,
  subject,
  summary: `${subject} is broken`,
  confidence: 'certain',
  remedies,
});

const answer = (...causes: Named[]): Answer => ({
  exit: causes.length === 0 ? 0 : 1,
  seconds: 7,
  causes,
  findings: causes,
  unknown: [],
  blocked: [],
});

const expectation = (...keys: string[]) =>
  parseExpectation(['title: a fault', 'area: C', 'variants: [lb]', 'target: web-1', ...keys].join('\n'));

const verdict = (said: Answer, ...keys: string[]) => judge(said, expectation(...keys), names).verdict;

describe('an answer to a fault', () => {
  const agent = ['first: [OSD-AGENT-001]', "subject: '@cmp1'"];

  it('is right when the expected code stands first and names the expected thing', () => {
    expect(judge(answer(named('OSD-AGENT-001', 'agent x@cmp1')), expectation(...agent), names)).toEqual({
      verdict: 'right',
      rightCode: true,
      rightSubject: true,
      falseCauses: [],
      saidWell: false,
    });
  });

  it('is wrong about the code, the subject, or both', () => {
    expect(judge(answer(named('OSD-AGENT-001', 'agent x@net1')), expectation(...agent), names)).toMatchObject({
      verdict: 'wrong',
      rightCode: true,
      rightSubject: false,
    });
    expect(judge(answer(named('OSD-TUNNEL-001', 'tunnel @cmp1')), expectation(...agent), names)).toMatchObject({
      verdict: 'wrong',
      rightCode: false,
      rightSubject: true,
    });
  });

  it('may name any one of several subjects, or names of the running cloud', () => {
    const keys = ['first: [OSD-ROUTER-007]', "subject: ['$FIP', r1]"];
    expect(verdict(answer(named('OSD-ROUTER-007', 'floating IP 198.19.0.108')), ...keys)).toBe('right');
    expect(verdict(answer(named('OSD-ROUTER-007', 'router r1')), ...keys)).toBe('right');
    expect(verdict(answer(named('OSD-ROUTER-007', 'router r2')), ...keys)).toBe('wrong');
  });

  it('without any cause said that all is well', () => {
    expect(judge(answer(), expectation(...agent), names)).toMatchObject({
      verdict: 'wrong',
      saidWell: true,
      rightSubject: false,
    });
  });

  it('that is no report is wrong in every column', () => {
    const none = answerOf(124, '', 'Terminated\n', 120);
    expect(none.error).toContain('Terminated');
    expect(judge(none, expectation(...agent), names)).toMatchObject({
      verdict: 'wrong',
      rightCode: false,
      rightSubject: false,
      saidWell: false,
    });
  });

  it('that tells only where packets die is localised, not right, and only about the right place', () => {
    const keys = ['first: [OSD-HOST-014]', 'localised: [OSD-PATH-001]', 'subject: cmp1'];
    expect(verdict(answer(named('OSD-PATH-001', 'between net1 and cmp1')), ...keys)).toBe('localised');
    expect(verdict(answer(named('OSD-PATH-001', 'between net1 and cmp2')), ...keys)).toBe('wrong');
    expect(verdict(answer(named('OSD-HOST-014', 'rule 1@cmp1')), ...keys)).toBe('right');
  });

  it('must not have a forbidden code among its causes', () => {
    const said = answer(named('OSD-AGENT-001', 'agent x@cmp1'), named('OSD-HOST-014', 'rule 1@cmp1', 'warning'));
    expect(verdict(said, ...agent, 'never: [OSD-HOST-014]')).toBe('wrong');
  });

  it('to two faults names both, whichever comes first', () => {
    const keys = ['first: [OSD-HOST-014, OSD-META-003]', 'also: [OSD-HOST-014, [OSD-META-003, OSD-META-002]]'];
    const [rule, secret] = [named('OSD-HOST-014', 'rule'), named('OSD-META-002', 'agent')];
    expect(verdict(answer(rule, secret), ...keys)).toBe('right');
    expect(judge(answer(rule), expectation(...keys), names)).toMatchObject({
      verdict: 'wrong',
      why: 'not among the causes: OSD-META-003 or OSD-META-002',
    });
  });

  it('counts as false causes those errors that are none of the fault', () => {
    const said = answer(
      named('OSD-AGENT-001', 'agent x@cmp1'),
      named('OSD-AGENT-001', 'agent x@cmp2'),
      named('OSD-PING-001', 'web-1'),
      named('OSD-LOG-001', 'log', 'warning'),
    );
    expect(judge(said, expectation(...agent), names).falseCauses).toEqual([
      'OSD-AGENT-001 agent x@cmp2',
      'OSD-PING-001 web-1',
    ]);
  });
});

describe('a fault that does not touch the instance', () => {
  it('is answered rightly with nothing', () => {
    const e = expectation('clean: true');
    expect(judge(answer(), e, names)).toMatchObject({ verdict: 'right', saidWell: false, falseCauses: [] });
  });

  it('is answered wrongly with any cause', () => {
    const e = expectation('clean: true');
    expect(judge(answer(named('OSD-AGENT-001', 'agent x@cmp2')), e, names)).toMatchObject({
      verdict: 'wrong',
      falseCauses: ['OSD-AGENT-001 agent x@cmp2'],
    });
  });
});

describe('a healthy run', () => {
  it('is clean with notes and warnings, for a log may tell of yesterday', () => {
    expect(alarms({ ...answer(), findings: [named('OSD-LOG-001', 'log', 'warning')] })).toEqual([]);
    expect(alarms({ ...answer(), findings: [named('OSD-PORT-009', 'port', 'info')] })).toEqual([]);
  });

  it('is not clean with an error, a warning that stands as a cause, a check that failed by itself, or another exit code', () => {
    expect(alarms({ ...answer(), findings: [named('OSD-PORT-009', 'port')] })).toEqual(['OSD-PORT-009 port']);
    expect(alarms({ ...answer(named('OSD-LOG-001', 'log', 'warning')), exit: 0 })).toEqual(['OSD-LOG-001 log']);
    expect(alarms({ ...answer(), unknown: ['port.state: TypeError'] })).toEqual(['port.state: TypeError']);
    expect(alarms({ ...answer(), exit: 2 })).toEqual(['exit 2']);
  });
});

describe('what is typed in place of healing', () => {
  const remedy = (command: string, sufficient: boolean): Remedy => ({
    title: command,
    risk: 'reversible',
    sufficient,
    steps: [
      { where: { kind: 'host', host: 'cmp1' }, argv: ['systemctl', 'start', command] },
      { where: { kind: 'operator' }, note: 'look' },
    ],
  });

  it('is the first remedy that suffices, of the first cause only', () => {
    const said = answer(
      named('OSD-AGENT-001', 'a', 'error', [remedy('leads-on', false), remedy('mends', true)]),
      named('OSD-HOST-014', 'b', 'error', [remedy('other', true)]),
    );
    expect(toType(said, expectation('first: [OSD-AGENT-001]'))).toEqual([
      { host: 'cmp1', argv: ['systemctl', 'start', 'mends'] },
    ]);
    expect(toType(said, expectation('first: [OSD-AGENT-001]', 'also: [OSD-HOST-014]'))).toHaveLength(2);
  });

  it('is nothing where the doctor only gave advice', () => {
    expect(
      toType(answer(named('OSD-AGENT-001', 'a', 'error', [remedy('x', false)])), expectation('first: []')),
    ).toEqual([]);
  });
});
