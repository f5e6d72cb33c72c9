import { describe, expect, it } from 'vitest';
import { judgeProxy } from '../../../src/checks/metadata/judge-proxy.ts';
import type { Finding } from '../../../src/engine/finding.ts';
import type { MetadataAnswer, MetadataPath } from '../../../src/facts/metadata.ts';
import { seen, subject, told } from '../ovn/stub.ts';

const owner = 'a01c0100-5540-4860-9020-052711893b6f';
const path = (by: MetadataPath['by'], answer: MetadataAnswer, listens = true): MetadataPath => ({
  host: 'net1',
  by,
  owner,
  netns: `ns-${owner}`,
  namespaceExists: true,
  proxy: undefined,
  named: told([owner]),
  listens: told(listens, seen('net1', 'ss')),
  agentAnswer: told(answer, seen('net1', 'curl')),
});
const restarted = (found: Finding | undefined) =>
  found?.remedies.flatMap((r) => r.steps.flatMap((s) => s.restarts ?? []));
const http = (status: number): MetadataAnswer => ({ kind: 'http', status });

describe('a request for metadata, from the proxy to Nova', () => {
  it('finds nothing amiss where all answer', () => {
    expect(judgeProxy(subject, path('router', http(200)), undefined)).toBeUndefined();
  });

  it.each([
    ['router', 'neutron-l3-agent'],
    ['dhcp', 'neutron-dhcp-agent'],
    ['chassis', 'neutron-ovn-metadata-agent'],
  ] as const)('that nobody takes in the namespace of a %s has its keeper restarted', (by, keeper) => {
    const found = judgeProxy(subject, path(by, http(200), false), undefined);
    expect(found?.code).toBe('OSD-META-001');
    expect(restarted(found)).toEqual([keeper]);
  });

  it.each([
    ['router', 'neutron-metadata-agent'],
    ['dhcp', 'neutron-metadata-agent'],
    ['chassis', 'neutron-ovn-metadata-agent'],
  ] as const)('that ends at the agent behind the proxy of a %s has that agent restarted', (by, agent) => {
    const found = judgeProxy(subject, path(by, { kind: 'silent' }), undefined);
    expect(found?.code).toBe('OSD-META-002');
    expect(restarted(found)).toEqual([agent]);
  });

  it('is judged at the first that fails: where no proxy listens, the agent is not accused', () => {
    expect(judgeProxy(subject, path('router', { kind: 'refused' }, false), undefined)?.code).toBe('OSD-META-001');
  });
});
