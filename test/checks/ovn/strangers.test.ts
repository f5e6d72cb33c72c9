import { describe, expect, it } from 'vitest';
import strangers from '../../../src/checks/ovn/strangers.ts';
import { parseFlows } from '../../../src/nodes/parse/flows.ts';
import { understood } from '../../nodes/parse/fixtures.ts';
import { codes, findings, judge, mending, seen, told } from './stub.ts';

const [flow] = understood(
  parseFlows(' cookie=0xdeadbeef, table=20, n_packets=0, priority=40000,tcp,nw_src=10.0.0.148,tp_src=80 actions=drop'),
);

describe('flows that no row of the southbound database explains', () => {
  it('are none on a chassis that ovn-controller alone has filled', async () => {
    expect((await judge(strangers, { 'port.ovn.strangers': told([]) })).status).toBe('ok');
  });

  it('are worth a word when they could take packets of the instance, with what deletes them', async () => {
    const evidence = [seen('cmp1', 'ovs-ofctl', 'dump-flows', 'br-int')];
    const outcome = await judge(strangers, {
      'port.ovn.strangers': told([{ host: 'cmp1', bridge: 'br-int', flow, why: 'no-row', evidence }]),
    });
    expect(codes(outcome)).toEqual(['OSD-OVN-064']);
    expect(findings(outcome)[0]?.severity).toBe('warning');
    expect(mending(outcome)[0]).toBe(
      'ovs-ofctl --strict del-flows br-int table=20,priority=40000,tcp,nw_src=10.0.0.148,tp_src=80',
    );
  });
});
