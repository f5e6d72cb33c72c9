import { z } from 'zod';
import type { HttpFailure } from '../cloud/http.ts';
import type { NodeFailure } from '../nodes/nodes.ts';

/**
 * The files of a bundle as they are read: loose, so that a later version of the same format may say more.
 * Only what is needed to answer is required.
 */
const headers = z.record(z.string(), z.string());
const words = z.tuple([z.string()], z.string());

export const versionSchema = z.looseObject({
  bundleVersion: z.number().int(),
  tool: z.looseObject({ version: z.string() }).optional(),
});

export const manifestSchema = z.looseObject({
  bundleVersion: z.number().int(),
  tool: z.looseObject({ name: z.literal('ostk-doctor'), version: z.string() }),
  command: z.array(z.string()),
  startedAt: z.iso.datetime({ offset: true }),
  elapsedMs: z.number(),
  request: z.unknown().optional(),
  cloud: z.looseObject({
    name: z.string(),
    region: z.string().optional(),
    authUrl: z.string().optional(),
    authType: z.string().optional(),
    interface: z.string().optional(),
    serviceInterfaces: z.record(z.string(), z.string()).optional(),
    endpointOverrides: z.record(z.string(), z.string()).optional(),
    endpoint: z.string().optional(),
  }),
  hosts: z.array(
    z.looseObject({
      name: z.string(),
      dir: z.string(),
      layout: z.string().optional(),
      address: z.string().optional(),
    }),
  ),
  limits: z.record(z.string(), z.number()).optional(),
  traffic: z
    .looseObject({
      apiRequests: z.number(),
      sshConnections: z.number(),
      sshChannels: z.number(),
      commands: z.number(),
    })
    .optional(),
  dropped: z.number().optional(),
});

const httpFailure: z.ZodType<HttpFailure> = z.looseObject({
  kind: z.enum(['dns', 'refused', 'tls', 'timeout', 'reset', 'proxy', 'too-large', 'other']),
  host: z.string(),
  detail: z.string(),
});

export const nodeFailureSchema: z.ZodType<NodeFailure> = z.discriminatedUnion('kind', [
  z.looseObject({
    kind: z.literal('unreachable'),
    host: z.string(),
    stage: z.enum(['name', 'tcp', 'handshake', 'host-key', 'auth', 'jump', 'shell', 'timeout', 'lost']),
    detail: z.string(),
    fix: z.string(),
  }),
  z.looseObject({
    kind: z.literal('command'),
    host: z.string(),
    argv: z.array(z.string()),
    code: z.number().nullable(),
    detail: z.string(),
  }),
  z.looseObject({ kind: z.literal('missing-tool'), host: z.string(), tool: z.string(), fix: z.string() }),
  z.looseObject({ kind: z.literal('sudo'), host: z.string(), detail: z.string(), fix: z.string() }),
  z.looseObject({ kind: z.literal('timeout'), what: z.string(), seconds: z.number() }),
]);

export const exchangeSchema = z.looseObject({
  kind: z.enum(['read', 'sign-in', 'console']),
  method: z.enum(['GET', 'HEAD', 'POST']),
  url: z.string(),
  headers,
  authenticated: z.boolean(),
  lines: z.number().optional(),
  answer: z
    .looseObject({
      status: z.number().int(),
      headers,
      /** Absent when it lies in a file of its own. */
      body: z.string().optional(),
      startedAt: z.string(),
      ms: z.number(),
    })
    .optional(),
  failure: httpFailure.optional(),
});

export const commandSchema = z.looseObject({
  argv: words,
  netns: z.string().optional(),
  impact: z.enum(['read', 'probe', 'capture']),
  round: z.string().optional(),
  encoding: z.literal('base64').optional(),
  result: z
    .looseObject({
      code: z.number().int().nullable(),
      stdout: z.string().optional(),
      stderr: z.string().optional(),
      truncated: z.boolean(),
      timedOut: z.boolean(),
      startedAt: z.string(),
      ms: z.number(),
    })
    .optional(),
  failure: nodeFailureSchema.optional(),
  batch: z.boolean().optional(),
});
