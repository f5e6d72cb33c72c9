import { toJSONSchema } from 'zod';
import { reportSchema } from './schema.ts';

/** The text of docs/report.schema.json (JSON Schema 2020-12). */
export function renderJsonSchema(): string {
  const schema = toJSONSchema(reportSchema, { target: 'draft-2020-12', reused: 'ref' });
  const { $schema, ...rest } = schema;
  return `${JSON.stringify(
    {
      $schema,
      title: 'Report of ostk-doctor, schemaVersion 1',
      description:
        'What --output json prints. Within one schemaVersion fields are only added, never renamed, removed or given another meaning: ignore the fields you do not know.',
      ...rest,
    },
    null,
    2,
  )}\n`;
}
