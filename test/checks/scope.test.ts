import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { verifyWith } from '../../src/checks/scope.ts';
import type { InstanceSubject } from '../../src/facts/subject.ts';

const called = (name: string): InstanceSubject =>
  // Nothing else of it is looked at.
  ({ kind: 'instance', id: '2671fcf3-2a5a-43fb-bb2f-cc1bd6806b19', name }) as InstanceSubject;

/** The words that a shell makes of a command line. */
const words = (line: string): string[] =>
  execFileSync('sh', ['-c', `printf '%s\\n' ${line}`], { encoding: 'utf8' })
    .trimEnd()
    .split('\n');

describe('the command that proves a mend', () => {
  it.each([`$(touch here) ; [2J|<b>'"%s`, 'two words', '`id`', 'web-1'])(
    'is one to paste where the instance is called %s',
    (name) => {
      expect(words(verifyWith('net', called(name)))).toEqual(['ostk-doctor', 'net', name]);
    },
  );

  it.each(['web\u001b[2J', '--version', ''])('has the id where the name %j cannot be typed', (name) => {
    expect(verifyWith('net', called(name))).toBe('ostk-doctor net 2671fcf3-2a5a-43fb-bb2f-cc1bd6806b19');
  });
});
