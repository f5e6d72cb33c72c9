import { describe, expect, it } from 'vitest';
import metadata from '../../../src/checks/ovn/metadata.ts';
import type { FactResult } from '../../../src/engine/fact.ts';
import type { MetadataAnswer } from '../../../src/facts/metadata.ts';
import type { ChassisMetadata } from '../../../src/facts/ovn/metadata.ts';
import { codes, findings, judge, mending, networkId, seen, told } from './stub.ts';

const port = '95c8eb6d-7689-4de2-834f-530e1c4a6fa9';
const answers = (answer: MetadataAnswer) => told(answer, seen('cmp1', 'curl', '--unix-socket'));
const inside = (...addresses: string[]): NonNullable<ChassisMetadata['inside']> => ({
  addresses: addresses.map((address) => ({ dev: 'tapa01c0100-51', family: 4, address, prefix: 24 }) as never),
  evidence: seen('cmp1', 'ip', 'addr'),
});
const served: ChassisMetadata = {
  path: {
    host: 'cmp1',
    by: 'chassis',
    owner: networkId,
    netns: `ovnmeta-${networkId}`,
    namespaceExists: true,
    proxy: undefined,
    named: told([networkId]),
    listens: told(true, seen('cmp1', 'ss')),
    agentAnswer: answers({ kind: 'http', status: 200 }),
  },
  portId: port,
  portAddresses: ['10.0.0.2'],
  tap: { name: 'tapa01c0100-50', bridge: 'br-int', ifaceId: port, evidence: seen('cmp1', 'ovs-vsctl') },
  inside: inside('169.254.169.254', '10.0.0.2'),
  integrationBridge: 'br-int',
};

const judged = (
  more: Partial<ChassisMetadata>,
  path: Partial<ChassisMetadata['path']> = {},
  facts: Readonly<Record<string, FactResult<unknown>>> = {},
) =>
  judge(metadata, {
    'port.ovn.metadata': told({ ...served, ...more, path: { ...served.path, ...path } }),
    'port.compute.host.namespaces': told([], seen('cmp1', 'ip', 'netns', 'list')),
    'port.config-drive': told(false),
    ...facts,
  });

describe('metadata on a chassis', () => {
  it('is well when namespace, proxy, agent and Nova answer', async () => {
    expect((await judged({})).status).toBe('ok');
  });

  it('is missing with its namespace', async () => {
    const outcome = await judged({}, { namespaceExists: false });
    expect(codes(outcome)).toEqual(['OSD-OVN-023']);
    expect(mending(outcome)).toEqual([
      'ovs-vsctl --if-exists del-port br-int tapa01c0100-50',
      'systemctl restart neutron-ovn-metadata-agent',
    ]);
  });

  it('is cut off when its tap is in no bridge', async () => {
    const tap = { name: 'tapa01c0100-50', bridge: undefined, ifaceId: undefined, evidence: seen('cmp1', 'ovs-vsctl') };
    expect(findings(await judged({ tap }))[0]?.summary).toContain('is in no bridge');
  });

  it('is cut off when the address that instances ask is not in the namespace', async () => {
    const outcome = await judged({ inside: inside('10.0.0.2') });
    expect(codes(outcome)).toEqual(['OSD-OVN-024']);
    expect(findings(outcome)[0]?.summary).toContain('lacks 169.254.169.254');
  });

  it.each([
    [{ listens: told(false, seen('cmp1', 'ss')) }, 'OSD-META-001'],
    [{ agentAnswer: answers({ kind: 'refused' }) }, 'OSD-META-002'],
    [{ agentAnswer: answers({ kind: 'http', status: 403 }) }, 'OSD-META-003'],
    [{ agentAnswer: answers({ kind: 'http', status: 502 }) }, 'OSD-META-004'],
    [{ agentAnswer: answers({ kind: 'http', status: 404 }) }, 'OSD-META-005'],
    [{ named: told(['another-network'], seen('cmp1', 'cat')) }, 'OSD-META-007'],
  ] as const)('is judged along the request as everywhere', async (path, code) => {
    const outcome = await judged({}, path);
    expect(codes(outcome)).toEqual([code]);
    expect(findings(outcome)[0]?.scope.agent?.[0]).toBe('neutron-ovn-metadata-agent@cmp1');
  });

  it('does not matter to an instance with a config drive', async () => {
    expect((await judged({}, { namespaceExists: false }, { 'port.config-drive': told(true) })).status).toBe('ok');
  });
});
