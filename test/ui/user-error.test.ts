import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/engine/error.ts';
import { Interrupted } from '../../src/ui/prompts.ts';
import { createTheme } from '../../src/ui/theme.ts';
import { exitCodeOf, renderError } from '../../src/ui/user-error.ts';

const theme = createTheme({ colorLevel: 0, unicode: true });
const render = (error: unknown, debug = false) =>
  renderError(error, { theme, debug, debugLog: '~/.local/state/ostk-doctor/log/1.jsonl' });

describe('an error of the user', () => {
  it('says what, where, why and what to do, a line each', () => {
    const error = new UserError('No cloud named prod.', {
      where: '/home/op/.config/openstack/clouds.yaml',
      why: 'the file has: lab, stage',
      hint: 'ostk-doctor net web-1 --os-cloud lab',
    });
    expect(render(error)).toBe(
      [
        'error: No cloud named prod.',
        'where: /home/op/.config/openstack/clouds.yaml',
        '  why: the file has: lab, stage',
        '   do: ostk-doctor net web-1 --os-cloud lab',
        '',
      ].join('\n'),
    );
    expect(exitCodeOf(error)).toBe(2);
  });

  it('takes one line when there is no more to say', () => {
    expect(render(new UserError('No such flag: --foo'))).toBe('error: No such flag: --foo\n');
  });

  it('never takes more than four lines, whatever an API put into it', () => {
    const error = new UserError('a\nb\nc', {
      where: 'x\r\ny',
      why: 'one\ntwo\nthree',
      hint: '\u001b[31mz\nz',
      exitCode: 3,
    });
    expect(render(error).split('\n').length - 1).toBeLessThanOrEqual(4);
    expect(render(error)).not.toContain('\u001b');
    expect(exitCodeOf(error)).toBe(3);
  });
});

describe('an error of our own', () => {
  const error = new TypeError('hop is undefined');

  it('says so, and where the log is, without a stack', () => {
    expect(render(error)).toBe(
      [
        'internal error: TypeError: hop is undefined (a bug in ostk-doctor, not in your cloud)',
        '           log: ~/.local/state/ostk-doctor/log/1.jsonl',
        '            do: report it with this message; --debug shows the stack',
        '',
      ].join('\n'),
    );
    expect(exitCodeOf(error)).toBe(4);
  });

  it('shows the stack under --debug', () => expect(render(error, true)).toMatch(/\n +at /));

  it('is said of anything that is thrown', () => expect(render('oops')).toMatch(/^internal error: oops/));
});

describe('an interruption', () => {
  it('is no error', () => {
    expect(render(new Interrupted())).toBe('interrupted\n');
    expect(exitCodeOf(new Interrupted())).toBe(130);
  });
});
