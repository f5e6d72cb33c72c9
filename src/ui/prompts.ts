import { UserError } from '../engine/error.ts';
import { safeLine } from './safe-text.ts';

/** Ctrl-C at a prompt. Exit code 130. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
    this.name = 'Interrupted';
  }
}

interface Question {
  readonly message: string;
  /** What answers this question without a prompt, as it is typed: `--os-cloud NAME`. */
  readonly insteadOf: string;
}

export interface Choice<T> {
  readonly value: T;
  readonly label: string;
  /** Shown while the choice is under the cursor. */
  readonly hint?: string;
  /** Why it cannot be taken. */
  readonly disabled?: string;
}

/** Questions to a person. Every method throws `Interrupted` on Ctrl-C and `UserError` when nobody can answer. */
export interface Prompter {
  select<T>(question: Question & { readonly choices: readonly Choice<T>[]; readonly initial?: T }): Promise<T>;
  input(question: Question & { readonly initial?: string }): Promise<string>;
  confirm(question: Question & { readonly initial: boolean }): Promise<boolean>;
  /** Never echoed. Used to sign in, and for nothing else. */
  password(question: Question): Promise<string>;
}

export interface PrompterOptions {
  /** Both stdin and stderr are terminals, no CI, no `--no-input`. */
  readonly interactive: boolean;
  readonly input: NodeJS.ReadStream;
  /** stderr: stdout stays data. */
  readonly output: NodeJS.WriteStream;
}

/** The prompts of inquirer, which is loaded at the first question. */
export function terminalPrompter(options: PrompterOptions): Prompter {
  const ask = async <T>(question: Question, prompt: Record<string, unknown>): Promise<T> => {
    if (!options.interactive) {
      throw new UserError(`Cannot ask: ${safeLine(question.message)}`, {
        why: 'there is no terminal to ask on (or --no-input, or CI)',
        hint: `answer beforehand with ${question.insteadOf}`,
      });
    }
    const { default: inquirer } = await import('inquirer');
    const run = inquirer.createPromptModule({ input: options.input, output: options.output });
    try {
      const answers = (await run([{ ...prompt, name: 'answer', message: safeLine(question.message) }] as Parameters<
        typeof run
      >[0])) as { readonly answer: T };
      return answers.answer;
    } catch (error) {
      if (error instanceof Error && error.name === 'ExitPromptError') throw new Interrupted();
      throw error;
    }
  };
  return {
    select: (question) =>
      ask(question, {
        type: 'select',
        choices: question.choices.map((choice) => ({
          value: choice.value,
          name: safeLine(choice.label),
          ...(choice.hint === undefined ? {} : { description: safeLine(choice.hint) }),
          ...(choice.disabled === undefined ? {} : { disabled: `(${safeLine(choice.disabled)})` }),
        })),
        ...(question.initial === undefined ? {} : { default: question.initial }),
      }),
    input: (question) =>
      ask(question, { type: 'input', ...(question.initial === undefined ? {} : { default: question.initial }) }),
    confirm: (question) => ask(question, { type: 'confirm', default: question.initial }),
    password: (question) => ask(question, { type: 'password', mask: '*' }),
  };
}
