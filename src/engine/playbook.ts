import { isNode, LineCounter, parseDocument } from 'yaml';
import { array, boolean, type infer as Infer, literal, object, enum as oneOf, partialRecord, string } from 'zod';
import { err, ok, type Result } from './result.ts';
import { symptoms } from './symptom.ts';

const id = string().regex(/^[a-z][a-z0-9-]*$/, 'lower case letters, digits and dashes');
const symptom = oneOf(symptoms);
/** A code, or an area of codes: `OSD-DHCP-*`. */
const codePattern = string().regex(/^OSD-[A-Z0-9]+-(?:\d{3}|\*)$/, 'OSD-AREA-NNN or OSD-AREA-*');
/** What a guest begins by itself (`trace --probe`). */
const tracedProbe = oneOf(['dhcp', 'metadata']);
const checkId = string().regex(/^[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*$/, 'area.name');

/** A walk as data: order, grouping, conditions and titles. Questions and branches may be added; nothing is code. */
const playbookSchema = object({
  apiVersion: literal('ostk-doctor/v1'),
  name: id,
  title: string().min(1),
  /** What each complaint of an operator (`--symptom`) is about. */
  symptoms: partialRecord(
    symptom,
    object({
      /** Findings of this symptom: a cause among them, or that explains one of them, stands first. */
      shows: array(codePattern).min(1),
      /** Errors where somebody complains of this, whatever they are otherwise. */
      grave: array(codePattern).optional(),
    }).strict(),
  ).optional(),
  steps: array(
    object({
      id,
      title: string().min(1),
      /** Names of conditions that must all hold; otherwise the step is skipped with the reason. */
      when: array(id).optional(),
      /** Under `--symptom` only the steps that name it are walked, and those that name none. */
      symptoms: array(symptom).min(1).optional(),
      /** Left out unless one of its symptoms is asked about. */
      onlyAsked: boolean().optional(),
      /** Skipped unless the trace of this run lost packets; not with these probes, for which it is always walked. */
      onlyLost: boolean().optional(),
      alwaysWith: array(tracedProbe).min(1).optional(),
      /** Skipped unless packets of the trace came to an instance that said nothing. */
      onlySilent: boolean().optional(),
      /** Left out unless the trace sends one of these probes. */
      onlyWith: array(tracedProbe).min(1).optional(),
      /**
       * Left out unless the run has a peer (`--to`). pair: the target and the peer together. itself: the checks run on
       * the peer. outside: the peer is an address of no port of this cloud.
       */
      peer: oneOf(['pair', 'itself', 'outside']).optional(),
      checks: array(checkId).min(1),
    }).strict(),
  ).min(1),
}).strict();

export type Playbook = Infer<typeof playbookSchema>;
export type PlaybookStep = Playbook['steps'][number];
export type SymptomFindings = NonNullable<NonNullable<Playbook['symptoms']>[keyof NonNullable<Playbook['symptoms']>]>;

/** What is wrong with a playbook, and where: `file:line:column`. */
export interface PlaybookProblem {
  readonly at: string;
  readonly message: string;
}

/** Names a playbook may use. */
export interface Vocabulary {
  readonly checks: ReadonlySet<string>;
  readonly conditions: ReadonlySet<string>;
}

/** Reads a playbook; every problem names its line and column. */
export function parsePlaybook(
  text: string,
  file: string,
  vocabulary: Vocabulary,
): Result<Playbook, readonly PlaybookProblem[]> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, strict: true, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    return err(document.errors.map((e) => ({ at: place(e.pos[0]), message: e.message })));
  }
  /** The nearest node that exists on a path of keys. */
  const where = (path: readonly PropertyKey[]): string => {
    for (let depth = path.length; depth >= 0; depth--) {
      const node: unknown = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
      if (isNode(node) && node.range) return place(node.range[0]);
    }
    return place(0);
  };
  const parsed = playbookSchema.safeParse(document.toJS({ maxAliasCount: 10 }));
  if (!parsed.success) {
    return err(
      parsed.error.issues.map((issue) => ({
        at: where(issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path),
        message: issue.message,
      })),
    );
  }
  const problems: PlaybookProblem[] = [];
  const steps = new Set<string>();
  for (const [index, step] of parsed.data.steps.entries()) {
    if (steps.has(step.id))
      problems.push({ at: where(['steps', index, 'id']), message: `step ${step.id} stands twice` });
    steps.add(step.id);
    for (const [at, name] of (step.when ?? []).entries()) {
      if (!vocabulary.conditions.has(name))
        problems.push({ at: where(['steps', index, 'when', at]), message: `unknown condition ${name}` });
    }
    for (const [at, name] of step.checks.entries()) {
      if (!vocabulary.checks.has(name))
        problems.push({ at: where(['steps', index, 'checks', at]), message: `unknown check ${name}` });
    }
  }
  return problems.length > 0 ? err(problems) : ok(parsed.data);
}
