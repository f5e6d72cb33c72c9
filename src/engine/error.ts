/** An error for a person: what, where, why, what to do; printed in at most four lines. Exit code 2 unless said. */
export class UserError extends Error {
  readonly where: string | undefined;
  readonly hint: string | undefined;
  readonly exitCode: 2 | 3;
  constructor(what: string, more: { where?: string; why?: string; hint?: string; exitCode?: 2 | 3 } = {}) {
    super(more.why ? `${what}\n${more.why}` : what);
    this.name = 'UserError';
    this.where = more.where;
    this.hint = more.hint;
    this.exitCode = more.exitCode ?? 2;
  }
}
