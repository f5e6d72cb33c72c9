import { describe, expect, it } from 'vitest';
import { answerIn, offersOf } from '../../../src/facts/trace/offers.ts';
import type { DhcpLayer, Layer } from '../../../src/nodes/parse/frame/layer.ts';

const ours = 0xa5b9fd00;
const lease: DhcpLayer = {
  layer: 'dhcp',
  operation: 'reply',
  type: 'offer',
  transaction: ours + 1,
  clientMac: 'fa:16:3e:04:68:3d',
  yourAddress: '10.0.0.22',
  serverId: '10.0.0.2',
  router: '10.0.0.1',
  mtu: 1450,
};
const frame = (changed: Partial<DhcpLayer> = {}, mac = 'fa:16:3e:7b:69:62'): Layer[] => [
  { layer: 'ethernet', source: mac, destination: 'fa:16:3e:04:68:3d', type: 0x0800 },
  { ...lease, ...changed },
];
const seen = (changed: Partial<DhcpLayer> = {}, point = 0, at = 1n, mac?: string) =>
  answerIn(frame(changed, mac), point, at, ours);
const offers = (...answers: ReturnType<typeof seen>[]) => offersOf(answers.filter((a) => a !== undefined));

describe('what DHCP servers offer', () => {
  it('is an answer to one of our own transactions', () => {
    expect(seen({ transaction: ours + 3 })?.server).toBe('10.0.0.2');
    expect(seen({ transaction: 0x11223344 })).toBeUndefined();
    expect(seen({ operation: 'request' })).toBeUndefined();
  });

  it('is told once, where it was seen first, with how often it was said', () => {
    const told = offers(
      seen({}, 4, 10n),
      seen({}, 3, 20n),
      seen({ transaction: ours + 2 }, 4, 30n),
      seen({ transaction: ours + 2 }, 0, 50n),
    );
    expect(told).toEqual([
      {
        server: '10.0.0.2',
        serverMac: 'fa:16:3e:7b:69:62',
        address: '10.0.0.22',
        router: '10.0.0.1',
        mtu: 1450,
        nameServers: [],
        routes: [],
        answers: 2,
        point: 4,
      },
    ]);
  });

  it('is of every server that answers, and of one that says different things each of them', () => {
    const told = offers(
      seen(),
      seen({ serverId: '10.0.0.66', yourAddress: '10.0.0.200' }, 0, 2n, '02:00:00:00:00:66'),
      seen({ router: '10.0.0.66', transaction: ours + 2 }),
    );
    expect(told.map((o) => [o.server, o.address, o.router, o.serverMac])).toEqual([
      ['10.0.0.2', '10.0.0.22', '10.0.0.1', 'fa:16:3e:7b:69:62'],
      ['10.0.0.2', '10.0.0.22', '10.0.0.66', 'fa:16:3e:7b:69:62'],
      ['10.0.0.66', '10.0.0.200', '10.0.0.1', '02:00:00:00:00:66'],
    ]);
  });
});
