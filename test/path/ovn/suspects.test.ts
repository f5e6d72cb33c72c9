import { describe, expect, it } from 'vitest';
import { parseFlows } from '../../../src/nodes/parse/flows.ts';
import { concerns, suspectsAmong } from '../../../src/path/ovn/suspects.ts';
import { fixture, understood } from '../../nodes/parse/fixtures.ts';

const healthy = understood(parseFlows(fixture('ovn', 'br-int-cmp1.txt')));
const flow = (text: string) => understood(parseFlows(text));
const own = { mac: 'fa:16:3e:28:ae:76', addresses: ['10.0.0.148'] };

describe('flows of an integration bridge that do not look like OVN', () => {
  it('are none where ovn-controller alone has filled the bridge', () => {
    expect(healthy.length).toBeGreaterThan(250);
    expect(suspectsAmong(healthy)).toEqual([]);
  });

  it.each([
    ['about no datapath', 'cookie=0xdeadbeef, table=20, priority=100,tcp,nw_src=10.0.0.148,tp_src=80 actions=drop'],
    [
      'of a priority that northd does not give',
      'cookie=0xdeadbeef, table=20, priority=40000,ip,metadata=0x2 actions=drop',
    ],
    ['with a cookie that no row can have', 'cookie=0x1deadbeef0, table=8, priority=50,ip,metadata=0x2 actions=drop'],
    ['leading away', 'cookie=0xdeadbeef, table=8, priority=40000,ip,nw_dst=10.0.0.148 actions=output:2'],
  ])('are those %s', (_, text) => {
    expect(suspectsAmong([...healthy, ...flow(text)])).toHaveLength(1);
  });

  it('concern a port when they could take what it sends or gets', () => {
    const could = (text: string) => flow(text).map((f) => concerns(f, own));
    expect(could('cookie=0x1, table=20, priority=9,tcp,nw_src=10.0.0.148,tp_src=80 actions=drop')).toEqual([true]);
    expect(could('cookie=0x1, table=20, priority=9,udp actions=drop')).toEqual([true]);
    expect(could('cookie=0x1, table=20, priority=9,ip,nw_dst=10.9.9.9,nw_src=10.8.8.8 actions=drop')).toEqual([false]);
    expect(
      could('cookie=0x1, table=20, priority=9,dl_src=fa:16:3e:00:00:09,dl_dst=fa:16:3e:00:00:08 actions=drop'),
    ).toEqual([false]);
  });
});
