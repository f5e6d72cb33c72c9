import { readFileSync } from 'node:fs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { fromJSONSchema, type output } from 'zod';
import type { End } from '../../src/path/reach/question.ts';
import { reach } from '../../src/path/reach/reach.ts';
import { whoCan } from '../../src/path/reach/who-can.ts';
import { renderReachSchema } from '../../src/report/json-schema.ts';
import { reachData, reachDocument, type WhoCanReport, whoCanData, whoCanDocument } from '../../src/report/reach.ts';
import { reachSchema } from '../../src/report/reach-schema.ts';
import { ask, atlasOf, group, network, outside, router, rule, subnet, tcp, vm } from '../path/reach/cloud.ts';

const schemaFile = new URL('../../docs/reach.schema.json', import.meta.url);
const published = fromJSONSchema(JSON.parse(readFileSync(schemaFile, 'utf8')));
const about = { tool: { name: 'ostk-doctor', version: '1.2.3' }, cloud: { name: 'lab', region: 'R' } } as const;

/** The same type without readonly, without optional marks and without the open end of a loose object. */
type Plain<T> = T extends readonly (infer I)[]
  ? Plain<I>[]
  : T extends object
    ? { -readonly [K in keyof T as string extends K ? never : K]-?: Plain<Exclude<T[K], undefined>> }
    : T;

const world = network('public', [subnet('outer', '198.51.100.0/24')], { external: true });
const lan = network('lan', [subnet('inner', '10.0.0.0/24', { gateway: '10.0.0.1' })]);
const r1 = router('r1', [{ net: lan, address: '10.0.0.1' }], { outer: { net: world, address: '198.51.100.2' } });
const web = vm('web', lan, '10.0.0.5', { groups: [group('ssh', rule({ protocol: 'tcp', portMin: 22, portMax: 22 }))] });
const app = vm('app', lan, '10.0.0.6');
const cloud = atlasOf({ networks: [world, lan], routers: [r1], vms: [web, app] });
const metadata: End = { kind: 'metadata', address: '169.254.169.254', name: 'metadata' };

const answers = [
  reach(cloud, ask(app.end, web.end, tcp(22))),
  reach(cloud, ask(app.end, web.end, { ...tcp(80), size: 1400 })),
  reach(cloud, ask(app.end, outside())),
  reach(cloud, ask(app.end, outside('203.0.113.9'))),
  reach(cloud, ask(app.end, { kind: 'address', address: '10.0.0.99', name: '10.0.0.99' })),
  reach(cloud, ask(app.end, metadata, tcp(80))),
  reach({ ...cloud, rules: new Map() }, ask(app.end, web.end)),
];

const friends = group('friends', rule({ remoteGroupId: 'id-of-friends' }), rule({ remoteGroupId: 'unheard-of' }));
const lets = (of: ReturnType<typeof vm>, groups: readonly ReturnType<typeof group>[]): WhoCanReport => {
  const members = new Map([['id-of-friends', [{ address: '10.0.0.6', name: 'app' }]]]);
  return {
    port: { id: of.port.id, name: of.port.name, addresses: ['10.0.0.5'] },
    probe: { protocol: 'tcp', port: 22 },
    families: ([4, 6] as const).map((family) =>
      whoCan({ protocol: 'tcp', port: 22, sourcePort: 49_152 }, family, of.port.security, groups, (id) =>
        members.get(id)?.map((m) => m.address),
      ),
    ),
    members,
  };
};
const befriended = vm('befriended', lan, '10.0.0.7', { groups: [friends] });
const reports: readonly WhoCanReport[] = [
  lets(web, web.groups),
  lets(befriended, [friends]),
  lets(befriended, []),
  { ...lets(befriended, []), families: [], because: 'the credentials may not see them' },
];

describe('the JSON document of reach', () => {
  it('is what the published schema says, whatever the ends and the verdict are', () => {
    expect(new Set(answers.map((a) => a.verdict))).toEqual(new Set(['reachable', 'unreachable', 'unknown']));
    const document: unknown = JSON.parse(reachDocument(answers, about, 1));
    expect(published.safeParse(document).error).toBeUndefined();
    expect(reachSchema.parse(document)).toEqual(document);
  });

  it('points at the step that decides', () => {
    const { answers: told } = reachData(answers, about, 1);
    expect(told[1]?.steps[told[1].decisive ?? -1]).toMatchObject({ verdict: 'dropped', at: 'destination-tap' });
  });

  it('of who is let in is what the published schema says, with what is not known', () => {
    const told = whoCanData(reports, about).answers.flatMap((a) => a.families);
    expect(new Set(told.map((f) => f.extent))).toContain('not-known');
    expect(new Set(told.flatMap((f) => f.notKnown.map((n) => n.lacks))).size).toBe(2);
    expect(told.flatMap((f) => f.sources.flatMap((s) => s.names))).toContain('app');
    const document: unknown = JSON.parse(whoCanDocument(reports, about));
    expect(published.safeParse(document).error).toBeUndefined();
    expect(reachSchema.parse(document)).toEqual(document);
  });

  it('is refused by the schema when something is missing or of another kind, not when there is more', () => {
    const document = JSON.parse(reachDocument(answers, about, 1));
    const { verdict: _, ...without } = document.answers[0];
    expect(published.safeParse({ ...document, answers: [without] }).success).toBe(false);
    expect(published.safeParse({ ...document, exitCode: 7 }).success).toBe(false);
    expect(published.safeParse({ ...document, command: 'net' }).success).toBe(false);
    expect(published.safeParse({ ...document, somethingNew: true }).success).toBe(true);
  });

  it('has a schema that knows every field, and no other, and is published fresh', () => {
    type Printed = ReturnType<typeof reachData> | ReturnType<typeof whoCanData>;
    expectTypeOf<Plain<output<typeof reachSchema>>>().toEqualTypeOf<Plain<Printed>>();
    expect(readFileSync(schemaFile, 'utf8')).toBe(renderReachSchema());
  });
});
