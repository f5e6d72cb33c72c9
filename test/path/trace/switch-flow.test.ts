import { describe, expect, it } from 'vitest';
import { decodeFrame } from '../../../src/nodes/parse/frame/decode.ts';
import type { Layer } from '../../../src/nodes/parse/frame/layer.ts';
import { switchFlow } from '../../../src/path/trace/switch-flow.ts';
import { capture, captureNames } from '../../nodes/parse/frame/captures.ts';

/** Of every frame of a real capture. */
const flowsOf = (name: string): (string | undefined)[] => {
  const { linkType, records } = capture(name);
  return records.map(({ bytes }) => switchFlow(decodeFrame(linkType, bytes).layers));
};
const layersOf = (name: string, at: number): readonly Layer[] =>
  decodeFrame(1, capture(name).records[at]?.bytes ?? new Uint8Array()).layers;
const aged = (layers: readonly Layer[]): Layer[] =>
  layers.map((l) => (l.layer === 'ipv4' ? { ...l, ttl: 0 } : l.layer === 'ipv6' ? { ...l, hopLimit: 0 } : l));

describe('a packet in the words of Open vSwitch', () => {
  it('is ARP: who asks whom, and the MAC addresses in it', () => {
    const [asked, told] = flowsOf('lb-net1-router-tap');
    expect(asked).toMatch(
      /^dl_src=(\S{17}),dl_dst=ff:ff:ff:ff:ff:ff,arp,arp_op=1,arp_spa=10\.0\.0\.1,arp_tpa=10\.0\.0\.147,arp_sha=\1,arp_tha=00:00:00:00:00:00$/,
    );
    expect(told).toContain('arp,arp_op=2,arp_spa=10.0.0.147,arp_tpa=10.0.0.1,');
  });

  it('is TCP with its ports', () => {
    expect(flowsOf('lb-net1-router-tap')[2]).toMatch(
      /,tcp,nw_src=10\.0\.0\.1,nw_dst=10\.0\.0\.147,nw_ttl=64,tcp_src=40314,tcp_dst=22$/,
    );
  });

  it('is of IPv6: ICMPv6 and TCP by their own names', () => {
    const flows = flowsOf('lb-net1-dual-stack');
    expect(flows).toContainEqual(
      expect.stringMatching(
        /,icmp6,ipv6_src=fd00:77::f816:3eff:feea:d81d,ipv6_dst=fd00:77::f816:3eff:fe24:af6c,nw_ttl=64,icmpv6_type=128,icmpv6_code=0$/,
      ),
    );
    expect(flows).toContainEqual(expect.stringMatching(/,tcp6,ipv6_src=.*,tcp_src=54382,tcp_dst=22$/));
  });

  it('is what the tunnel carries, and not the tunnel', () => {
    const pings = flowsOf('lb-net1-eth1-vxlan').filter((flow) => flow?.includes('icmp_type=8'));
    expect(pings.length).toBe(3);
    for (const flow of pings) {
      expect(flow).toMatch(/,icmp,nw_src=.*,icmp_type=8,icmp_code=0$/);
      expect(flow).not.toMatch(/198\.18\.1|udp|4789/);
    }
    for (const name of ['ovs-gre', 'ovs-geneve', 'ovs-vxlan-8472']) {
      expect(flowsOf(name)).toContainEqual(
        expect.stringMatching(/udp,nw_src=10\.7\.0\.1,nw_dst=10\.7\.0\.2,.*udp_src/),
      );
    }
  });

  it('lives on, or the switch would say that it drops it for its age', () => {
    expect(switchFlow(aged(layersOf('lb-net1-router-tap', 2)))).toContain(',nw_ttl=1,');
    expect(switchFlow(aged(layersOf('lb-net1-dual-stack', 3)))).toContain(',nw_ttl=1,');
    for (const name of captureNames) for (const flow of flowsOf(name)) expect(flow ?? '').not.toMatch(/nw_ttl=0(,|$)/);
  });

  it('is nothing where there is nothing to ask about', () => {
    expect(switchFlow([])).toBeUndefined();
    const stp = capture('ovs-stp').records.map(({ bytes }) => decodeFrame(1, bytes).layers);
    const bridges = stp.filter((layers) => layers.some((l) => l.layer === 'unknown'));
    expect(bridges.length).toBeGreaterThan(0);
    for (const layers of bridges) expect(switchFlow(layers)).toBeUndefined();
    const [ethernet, ip] = layersOf('lb-net1-router-tap', 2);
    expect(switchFlow([ethernet, ip].filter((l) => l !== undefined))).toBeUndefined();
  });

  it('is one word of addresses and numbers, for a shell is on the way', () => {
    const flows = captureNames.flatMap(flowsOf).filter((flow) => flow !== undefined);
    expect(flows.length).toBeGreaterThan(100);
    for (const flow of flows) expect(flow).toMatch(/^[a-z0-9_=:.,]+$/);
  });

  it('names each field once', () => {
    for (const flow of captureNames.flatMap(flowsOf)) {
      const fields = (flow ?? '').split(',').map((word) => word.replace(/=.*/, ''));
      expect(new Set(fields).size).toBe(fields.length);
    }
  });
});
