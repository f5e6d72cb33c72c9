import { toJSONSchema, type ZodType } from 'zod';
import { reachSchema } from './reach-schema.ts';
import { reportSchema } from './schema.ts';

/** The text of docs/report.schema.json (JSON Schema 2020-12). */
export const renderJsonSchema = (): string =>
  published(reportSchema, 'Report of ostk-doctor, schemaVersion 1', 'What --output json prints.');

/** The text of docs/reach.schema.json. */
export const renderReachSchema = (): string =>
  published(reachSchema, 'Answers of ostk-doctor reach, schemaVersion 1', 'What reach --output json prints.');

function published(form: ZodType, title: string, what: string): string {
  const { $schema, ...rest } = toJSONSchema(form, { target: 'draft-2020-12', reused: 'ref' });
  return `${JSON.stringify(
    {
      $schema,
      title,
      description: `${what} Within one schemaVersion fields are only added, never renamed, removed or given another meaning: ignore the fields you do not know.`,
      ...rest,
    },
    null,
    2,
  )}\n`;
}
