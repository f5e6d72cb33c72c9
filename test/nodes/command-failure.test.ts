import { describe, expect, it } from 'vitest';
import type { Command, CommandResult } from '../../src/nodes/command.ts';
import { judge, packageHint } from '../../src/nodes/command-failure.ts';

const look = (...argv: [string, ...string[]]): Command => ({ argv, impact: 'read' });
const result = (code: number | null, stderr = '', more: Partial<CommandResult> = {}): CommandResult => ({
  code,
  stdout: '',
  stderr,
  truncated: false,
  timedOut: false,
  startedAt: '2026-11-21T00:00:00.000Z',
  ms: 1,
  ...more,
});
const said = (command: Command, answer: CommandResult) => {
  const outcome = judge('cmp1', 'ops', command, answer);
  return outcome.ok ? 'an answer' : outcome.error;
};

describe('what a command on a node came to', () => {
  it('is an answer, whatever its exit code', () => {
    for (const code of [0, 1, 2, 126, 255, null])
      expect(said(look('grep', 'x'), result(code, 'oh no'))).toBe('an answer');
    expect(said(look('sleep', '9'), result(null, 'sudo: a password is required\n', { timedOut: true }))).toBe(
      'an answer',
    );
  });

  // Words of timeout (coreutils 9.1), busybox 1.35, iproute2 6.1, dash, bash 5.2, sudo 1.9, Docker 24.
  it.each([
    [look('ip', 'a'), 127, "timeout: failed to run command 'ip': No such file or directory\n", 'ip'],
    [look('ip', 'a'), 127, 'timeout: failed to run command ‘ip’: No such file or directory\n', 'ip'],
    [look('ip', 'a'), 127, "timeout: can't execute 'ip': No such file or directory\n", 'ip'],
    [look('sh', '-c', 'x | jq .'), 127, 'sh: 1: jq: not found\n', 'jq'],
    [look('sh', '-c', 'x | jq .'), 127, 'sh: line 1: jq: command not found\n', 'jq'],
    [{ ...look('arping'), netns: 'qdhcp-1' }, 255, 'exec of "arping" failed: No such file or directory\n', 'arping'],
    [{ ...look('tcpdump'), become: true }, 1, 'sudo: tcpdump: command not found\n', undefined],
    [{ ...look('tcpdump'), become: true }, 127, 'sudo: tcpdump: command not found\n', 'tcpdump'],
    [
      look('docker', 'exec', 'x', 'ovs-vsctl'),
      126,
      'OCI runtime exec failed: exec failed: unable to start container process: exec: "ovs-vsctl": executable file not found in $PATH: unknown\n',
      'ovs-vsctl',
    ],
    [look('sh', '-c', 'exit 127'), 127, '', undefined],
  ] as const)('%j that ended with %s is missing a tool: %j', (command, code, stderr, tool) => {
    const outcome = said(command, result(code, stderr));
    if (tool === undefined) expect(outcome).toBe('an answer');
    else expect(outcome).toMatchObject({ kind: 'missing-tool', host: 'cmp1', tool });
  });

  it('names the package of a tool', () => {
    expect(packageHint('ip')).toBe('install the package iproute2 (Debian, Ubuntu) or iproute (RHEL, Rocky, CentOS)');
    expect(packageHint('/usr/sbin/tcpdump')).toBe('install the package tcpdump');
    expect(
      said(look('arping'), result(127, "timeout: failed to run command 'arping': No such file or directory\n")),
    ).toMatchObject({
      fix: 'on cmp1: install the package iputils-arping (Debian, Ubuntu) or iputils (RHEL, Rocky, CentOS)',
    });
  });

  const root: Command = { ...look('iptables-save'), become: true };
  it.each([
    'sudo: a password is required',
    'sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper',
    'sudo: no tty present and no askpass program specified',
    'ops is not in the sudoers file.  This incident will be reported.',
    "Sorry, user ops is not allowed to execute '/usr/sbin/iptables-save' as root on cmp1.",
    'Sorry, user ops may not run sudo on cmp1.',
    'sudo: account validation failure, is your account locked?',
  ])('is a refusal of sudo: %s', (line) => {
    expect(said(root, result(1, `warning\n${line}\n`))).toMatchObject({
      kind: 'sudo',
      host: 'cmp1',
      detail: expect.stringMatching(/sudo|allowed|user/),
      fix: "on cmp1: echo 'ops ALL=(root) NOPASSWD: ALL' > /etc/sudoers.d/ostk-doctor, or --user root",
    });
  });

  it('is a refusal only where root was asked for', () => {
    expect(said(look('cat', 'auth.log'), result(1, 'sudo: a password is required\n'))).toBe('an answer');
    expect(said({ ...look('ping'), netns: 'q' }, result(1, 'sudo: a password is required\n'))).toMatchObject({
      kind: 'sudo',
    });
  });

  it('says what mends a sudo that wants a terminal, or is not there', () => {
    expect(said(root, result(1, 'sudo: sorry, you must have a tty to run sudo\n'))).toMatchObject({
      fix: "on cmp1: echo 'Defaults:ops !requiretty' > /etc/sudoers.d/ostk-doctor, or --user root",
    });
    expect(said(root, result(127, "timeout: failed to run command 'sudo': No such file or directory\n"))).toMatchObject(
      {
        kind: 'sudo',
        detail: 'sudo is not installed',
      },
    );
  });
});
