import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/engine/error.ts';
import { Interrupted, terminalPrompter } from '../../src/ui/prompts.ts';

function desk(interactive = true) {
  const input = new PassThrough();
  const output = new PassThrough();
  let seen = '';
  let wake: (() => void) | undefined;
  output.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
    wake?.();
  });
  const until = async (text: string) => {
    while (!seen.includes(text)) await new Promise<void>((resolve) => (wake = resolve));
  };
  const prompter = terminalPrompter({
    interactive,
    input: input as unknown as NodeJS.ReadStream,
    output: output as unknown as NodeJS.WriteStream,
  });
  return { prompter, seen: () => seen, until, type: (text: string) => input.write(text) };
}

describe('questions on a terminal', () => {
  it('give the choice that was taken', async () => {
    const d = desk();
    const answer = d.prompter.select({
      message: 'Which cloud?',
      insteadOf: '--os-cloud NAME',
      choices: [
        { value: 1, label: 'lab' },
        { value: 2, label: 'prod' },
      ],
    });
    await d.until('prod');
    d.type('\u001b[B\n');
    expect(await answer).toBe(2);
  });

  it('never show a password', async () => {
    const d = desk();
    const answer = d.prompter.password({ message: 'Password of admin', insteadOf: 'OS_PASSWORD' });
    await d.until('Password');
    d.type('hunter2');
    await d.until('*******');
    d.type('\n');
    expect(await answer).toBe('hunter2');
    expect(d.seen()).not.toContain('hunter2');
  });

  it('are interrupted by Ctrl-C', async () => {
    const d = desk();
    const answer = d.prompter.confirm({ message: 'Go on?', insteadOf: '--yes', initial: true });
    await d.until('Go on?');
    d.type('\u0003');
    await expect(answer).rejects.toBeInstanceOf(Interrupted);
  });

  it('show names of instances without what is hidden in them', async () => {
    const d = desk();
    const answer = d.prompter.select({
      message: 'Which instance?',
      insteadOf: 'VM',
      choices: [{ value: 'a', label: 'web\u001b]0;x\u0007-1' }],
    });
    await d.until('web-1');
    d.type('\n');
    expect(await answer).toBe('a');
  });
});

describe('questions that nobody can answer', () => {
  it('fail with the flag that would have answered', async () => {
    const d = desk(false);
    const answer = d.prompter.password({ message: 'Password of admin', insteadOf: 'OS_PASSWORD' });
    await expect(answer).rejects.toBeInstanceOf(UserError);
    await expect(answer).rejects.toMatchObject({ hint: 'answer beforehand with OS_PASSWORD', exitCode: 2 });
    expect(d.seen()).toBe('');
  });
});
