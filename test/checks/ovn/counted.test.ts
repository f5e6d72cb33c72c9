import { describe, expect, it } from 'vitest';
import counted from '../../../src/checks/ovn/counted.ts';
import type { PingRun } from '../../../src/facts/ping.ts';
import type { HostCounters, SecondLook } from '../../../src/facts/second-look.ts';
import { deviceName } from '../../../src/path/addresses.ts';
import { codes, findings, judge, onHosts, portId, seen, told, view } from './stub.ts';

const tap = deviceName('tap', portId);
/** Packets that each place had counted: of the tap to and from the guest, of the tunnel port in and out. */
interface Counts {
  readonly tx: number;
  readonly rx: number;
  readonly tunnelIn: number;
  readonly tunnelOut: number;
}
const reading = (device: string, { tx, rx, tunnelIn, tunnelOut }: Counts): HostCounters =>
  ({
    links: [{ name: device, rx: { packets: rx }, tx: { packets: tx } }],
    ports: new Map([['br-int', [{ port: '7', rx: tunnelIn, tx: tunnelOut, rxDropped: 0, txDropped: 0 }]]]),
  }) as unknown as HostCounters;
const none: Counts = { tx: 0, rx: 0, tunnelIn: 0, tunnelOut: 0 };

const ping = (sent: number) => ({ sent, received: 0, duplicates: 0, errors: [] });
const run: PingRun = {
  from: 'operator',
  host: 'here',
  to: '198.19.0.189',
  what: 'floating-ip',
  routerId: 'r1',
  ping: ping(5),
  evidence: seen('here', 'ping', '198.19.0.189'),
};

/** A floating address that was asked twice in vain, while these counters rose. */
const judged = (cmp1: readonly [Counts, Counts, Counts], net1: readonly [Counts, Counts, Counts]) => {
  const at = (n: 0 | 1 | 2) =>
    new Map([
      ['cmp1', reading(tap, cmp1[n])],
      ['net1', reading('eth2', net1[n])],
    ]);
  const look: SecondLook = {
    repeated: [{ first: run, again: ping(5), onceMore: ping(7), evidence: run.evidence, fullSize: false }],
    before: at(0),
    between: at(1),
    after: at(2),
    underlay: [],
    answeredFrom: new Set(),
  };
  const tunnelsTo = (host: 'cmp1' | 'net1', far: 'cmp1' | 'net1') => ({
    ...view(host),
    tunnels: view(host).tunnels.filter((t) => view(far).encapIps.includes(t.remoteIp)),
  });
  return judge(counted, {
    'port.placement': told({ host: 'cmp1' }),
    'port.path-hosts': told({ compute: 'cmp1', dhcp: [], routers: new Map([['r1', 'net1']]), all: ['cmp1', 'net1'] }),
    'port.second-look': told(look),
    'port.path.ovn.chassis-view': onHosts({
      cmp1: told(tunnelsTo('cmp1', 'net1')),
      net1: told(tunnelsTo('net1', 'cmp1')),
    }),
  });
};
const rising = (one: Partial<Counts>, two: Partial<Counts>): [Counts, Counts, Counts] => [
  none,
  { ...none, ...one },
  { ...none, ...two },
];

describe('lost pings that are followed by counters', () => {
  it('end between two chassis when the far tunnel port counts none', async () => {
    const outcome = await judged(rising({}, {}), rising({ tunnelOut: 5 }, { tunnelOut: 12 }));
    expect(codes(outcome)).toEqual(['OSD-PATH-002']);
    expect(findings(outcome)[0]?.summary).toBe(
      'Of 5 and 7 packets to 198.19.0.189, 5 and 7 were counted at the geneve port ovn-cb3645-0 of net1, and none at the geneve port ovn-fd14b5-0 of cmp1',
    );
    expect(findings(outcome)[0]?.scope.link).toEqual(['cmp1 ⇄ net1']);
  });

  it('end before the gateway when nothing goes into its tunnel', async () => {
    const outcome = await judged(rising({}, {}), rising({}, {}));
    expect(findings(outcome)[0]?.summary).toBe(
      'Of 5 and 7 packets from this machine to 198.19.0.189 none was counted at the geneve port ovn-cb3645-0 of net1',
    );
  });

  it('end in the guest when its tap takes them and gives nothing back', async () => {
    const outcome = await judged(
      rising({ tunnelIn: 5, tx: 5 }, { tunnelIn: 12, tx: 12 }),
      rising({ tunnelOut: 5 }, { tunnelOut: 12 }),
    );
    expect(codes(outcome)).toEqual(['OSD-PATH-001']);
  });

  it('are not followed when other traffic passes', async () => {
    const busy = rising(
      { tunnelIn: 500, tx: 400, rx: 400, tunnelOut: 500 },
      { tunnelIn: 900, tx: 800, rx: 800, tunnelOut: 900 },
    );
    expect((await judged(busy, busy)).status).toBe('ok');
  });
});
