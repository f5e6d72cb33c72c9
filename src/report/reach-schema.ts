import { array, discriminatedUnion, int, literal, looseObject, enum as oneOf, optional, string, union } from 'zod';

/*
 * The form of `reach --output json`, published as docs/reach.schema.json. The rule is that of schema.ts: within one schemaVersion
 * fields are only ever added, and a reader ignores those it does not know.
 */

const about = {
  schemaVersion: literal(1),
  tool: looseObject({ name: string(), version: string() }),
  cloud: looseObject({ name: string(), region: optional(string()) }),
};

const family = union([literal(4), literal(6)]);

/** `icmp`, `tcp/22`, `udp/53`. */
const probe = string().regex(/^(icmp|(tcp|udp)\/\d{1,5})$/);

const end = discriminatedUnion('kind', [
  looseObject({ kind: literal('port'), portId: string(), address: string(), name: string() }),
  looseObject({ kind: literal('address'), address: string(), name: string() }),
  looseObject({ kind: literal('outside'), address: optional(string()), name: string() }),
  looseObject({ kind: literal('metadata'), address: string(), name: string() }),
]);

const step = looseObject({
  way: oneOf(['there', 'back']),
  topic: oneOf(['port', 'port-security', 'rules', 'route', 'translation', 'segment', 'router', 'arrival']),
  where: string(),
  at: oneOf(['source-tap', 'destination-tap', 'router', 'segment']),
  host: optional(string()),
  verdict: oneOf(['passes', 'dropped', 'unknown', 'translated']),
  because: string(),
  object: looseObject({
    kind: oneOf([
      'port',
      'security-group',
      'security-group-rule',
      'network',
      'subnet',
      'router',
      'floating-ip',
      'address',
    ]),
    id: string(),
    name: optional(string()),
  }),
  tell: optional(string()),
});

const reached = looseObject({
  ...about,
  command: literal('reach'),
  answers: array(
    looseObject({
      from: end,
      to: end,
      probe,
      family,
      size: optional(int()),
      verdict: oneOf(['reachable', 'unreachable', 'unknown']),
      sentence: string(),
      /** Index into `steps`. */
      decisive: optional(int().min(0)),
      steps: array(step).min(1),
    }),
  ).min(1),
  exitCode: union([literal(0), literal(1), literal(3)]),
});

const group = looseObject({ id: string(), name: string() });
const rule = looseObject({ id: string(), says: string() });

const letIn = looseObject({
  ...about,
  command: literal('reach --who-can'),
  answers: array(
    looseObject({
      port: looseObject({ id: string(), name: string(), addresses: array(string()) }),
      probe,
      because: optional(string()),
      families: array(
        looseObject({
          family,
          extent: oneOf(['everybody', 'some', 'nobody', 'not-known']),
          because: optional(string()),
          sources: array(
            looseObject({
              cidr: string(),
              names: array(string()),
              memberOf: optional(string()),
              by: array(looseObject({ group, rule })).min(1),
            }),
          ),
          notKnown: array(
            union([
              looseObject({ group, rule, lacks: literal('the members of its remote group') }),
              looseObject({ group: looseObject({ id: string() }), lacks: literal('the rules of this group') }),
            ]),
          ),
        }),
      ),
    }),
  ),
});

export const reachSchema = discriminatedUnion('command', [reached, letIn]);
